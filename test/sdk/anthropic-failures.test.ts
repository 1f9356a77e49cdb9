import Anthropic, {
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError
} from "@anthropic-ai/sdk"
import { assert } from "@effect/vitest"
import { collect, rejection, scenarios, wordsOf, type Scenario } from "./scenario.ts"

/** So that no target is left alone for what it said to somebody else. */
let nonce = 0

const clientOf = ({ fetch, url }: Scenario, maxRetries = 0) =>
  new Anthropic({ baseURL: url, apiKey: "unused", fetch, maxRetries })

const asked = { max_tokens: 500, messages: [{ role: "user" as const, content: "Say it back, please." }] }

const models = { smart: { targets: [{ provider: "messages", model: "echo" }] } }

scenarios("anthropic: failures", { models }, (scenario, from) => {
  from.messages("models are listed and found", async (at) => {
    const client = clientOf(at)
    const listed = await collect(client.models.list())
    assert.include(
      listed.map(({ id }) => id),
      "smart"
    )
    assert.deepInclude(await client.models.retrieve("smart"), { id: "smart", type: "model", display_name: "smart" })
    const error = await rejection(client.models.retrieve("smrt"))
    assert.instanceOf(error, NotFoundError)
    assert.strictEqual(error.type, "not_found_error")
    assert.isString(error.requestID)
    assert.include(error.message, "smart")
  })

  const refusals = [
    [400, BadRequestError, "invalid_request_error", "InvalidRequest"],
    [401, AuthenticationError, "authentication_error", "Unauthorized"],
    [403, PermissionDeniedError, "permission_error", "PermissionDenied"],
    [404, NotFoundError, "not_found_error", "UnknownModel"],
    [429, RateLimitError, "rate_limit_error", "RateLimited"],
    [500, InternalServerError, "api_error", "UpstreamServer"],
    [529, InternalServerError, "overloaded_error", "Overloaded"]
  ] as const

  scenario("a provider's refusal has its class, type, status and message", async (at) => {
    for (const [status, type, name, reason] of refusals) {
      for (const stream of [false, true]) {
        // Which model is not there is told in the message alone.
        const said = status === 404 ? "model: x not found" : "No way"
        const model = at.model(
          `echo?status=${status}&message=${encodeURIComponent(said)}&retry-after=3&seed=${nonce++}`
        )
        const error = await rejection(clientOf(at).messages.create({ ...asked, model, stream }))
        assert.instanceOf(error, type)
        assert.strictEqual(error.status, status)
        assert.strictEqual(error.type, name)
        assert.include(error.message, said)
        assert.strictEqual(error.headers.get("retry-after"), "3")
        assert.isString(error.requestID)
        assert.deepInclude((await at.record()).outcome, { kind: "Failed", reason, status })
      }
    }
  })

  from.messages("an unknown model is answered with near names", async (at) => {
    const error = await rejection(clientOf(at).messages.create({ ...asked, model: "smrt" }))
    assert.instanceOf(error, NotFoundError)
    assert.strictEqual(error.type, "not_found_error")
    assert.include(error.message, "smart")
    assert.lengthOf(at.received(), 0)
  })

  scenario("a wrong field is named", async (at) => {
    const messages = [{ role: "nobody", content: "hi" }] as never
    const error = await rejection(clientOf(at).messages.create({ ...asked, model: at.model("echo"), messages }))
    assert.instanceOf(error, BadRequestError)
    assert.strictEqual(error.type, "invalid_request_error")
    assert.include(error.message, "messages[0].role")
    assert.lengthOf(at.received(), 0)
  })

  scenario("the SDK's retries reach a provider that recovers", async (at) => {
    const model = at.model("echo?status=529&retry-after=0&times=2")
    const { content } = await clientOf(at, 2).messages.create({ ...asked, model })
    assert.deepInclude(content[0], { type: "text", text: "Say it back, please." })
    assert.deepStrictEqual(
      at.received().map(({ status }) => status),
      [529, 529, 200]
    )
  })

  const breaks = [
    ["error=3&status=529&message=too%20much", "Overloaded", "overloaded_error"],
    ["error=3&status=500&message=oh%20no", "UpstreamServer", "api_error"],
    ["reset=3", "Transport", "api_error"],
    ["truncate=3", "IncompleteStream", "api_error"],
    ["malformed=3", "InvalidOutput", "api_error"]
  ] as const

  scenario("a stream that breaks throws, whatever broke it", async (at) => {
    for (const [fault, reason, type] of breaks) {
      const model = at.model(`words-20?pace=1ms&${fault}`)
      let said = ""
      const listen = async () => {
        for await (const event of await clientOf(at).messages.create({ ...asked, model, stream: true })) {
          if (event.type === "content_block_delta" && event.delta.type === "text_delta") said += event.delta.text
        }
      }
      const error = await rejection(listen())
      assert.instanceOf(error, APIError)
      assert.strictEqual(error.type, type)
      assert.isNotEmpty(error.message)
      assert.strictEqual(said, wordsOf(3))
      const record = await at.record()
      assert.deepInclude(record.outcome, { kind: "Failed", reason })
      assert.strictEqual(record.response?.text, said)
      const helper = clientOf(at).messages.stream({ ...asked, model })
      assert.instanceOf(await rejection(helper.finalMessage()), APIError)
    }
  })

  scenario("to abort a stream aborts the provider's", async (at) => {
    const stream = clientOf(at).messages.stream({ ...asked, max_tokens: 1000, model: at.model("words-500") })
    let said = ""
    stream.on("text", (_, snapshot) => {
      said = snapshot
      if (said.split(" ").length > 3) stream.abort()
    })
    assert.instanceOf(await rejection(stream.finalMessage()), APIUserAbortError)
    assert.strictEqual(await at.ending(), "aborted")
    const record = await at.record()
    assert.deepInclude(record.outcome, { kind: "Cancelled", by: "client" })
    assert.isTrue(record.response?.text?.startsWith(said), record.response?.text)
  })

  scenario("to abort before the first token aborts the provider's request", async (at) => {
    for (const stream of [true, false]) {
      const controller = new AbortController()
      const params = { ...asked, model: at.model("echo?hang"), stream }
      const answer = rejection(clientOf(at).messages.create(params, { signal: controller.signal }))
      await at.until(() => at.received().some(({ state }) => state === "open"))
      controller.abort()
      assert.instanceOf(await answer, APIUserAbortError)
      assert.strictEqual(await at.ending(), "aborted")
      assert.deepInclude((await at.unanswered()).outcome, { kind: "Cancelled", by: "client" })
    }
  })

  // Whether so short a time is enough to reach the provider is not said.
  scenario("the SDK's time limit, and the caller's", async (at) => {
    const params = { ...asked, model: at.model("echo?hang") }
    const { messages } = clientOf(at)
    assert.instanceOf(await rejection(messages.create(params, { timeout: 50 })), APIConnectionTimeoutError)
    assert.notStrictEqual(await at.ending(), "completed")
    const told = await rejection(messages.create(params, { headers: { "x-millrace-timeout": "50ms" } }))
    assert.instanceOf(told, InternalServerError)
    assert.deepInclude(told, { status: 504, type: "timeout_error" })
    assert.notStrictEqual(await at.ending(), "completed")
  })
})
