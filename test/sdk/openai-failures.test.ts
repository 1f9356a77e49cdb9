import { assert } from "@effect/vitest"
import OpenAI, {
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError
} from "openai"
import { collect, rejection, scenarios, wordsOf, type Scenario } from "./scenario.ts"

/** So that no target is left alone for what it said to somebody else. */
let nonce = 0

const clientOf = ({ fetch, url }: Scenario, maxRetries = 0) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch, maxRetries })

const hello = [{ role: "user" as const, content: "Say it back, please." }]

const models = { smart: { targets: [{ provider: "chat", model: "echo" }] } }

scenarios("openai: failures", { models }, (scenario, from) => {
  from.chat("models are listed and found", async (at) => {
    const client = clientOf(at)
    const listed = await collect(client.models.list())
    assert.include(
      listed.map(({ id }) => id),
      "smart"
    )
    assert.deepInclude(await client.models.retrieve("smart"), { id: "smart", object: "model" })
    const error = await rejection(client.models.retrieve("smrt"))
    assert.instanceOf(error, NotFoundError)
    assert.strictEqual(error.code, "model_not_found")
    assert.include(error.message, "smart")
  })

  const refusals = [
    [400, BadRequestError, "InvalidRequest"],
    [401, AuthenticationError, "Unauthorized"],
    [403, PermissionDeniedError, "PermissionDenied"],
    [404, NotFoundError, "UnknownModel"],
    [429, RateLimitError, "RateLimited"],
    [500, InternalServerError, "UpstreamServer"],
    [529, InternalServerError, "Overloaded"]
  ] as const

  scenario("a provider's refusal has its type, status and message", async (at) => {
    for (const [status, type, reason] of refusals) {
      for (const stream of [false, true]) {
        // Which model is not there is told in the message alone.
        const said = status === 404 ? "model: x not found" : "No way"
        const model = at.model(
          `echo?status=${status}&message=${encodeURIComponent(said)}&retry-after=3&seed=${nonce++}`
        )
        const error = await rejection(clientOf(at).chat.completions.create({ model, messages: hello, stream }))
        assert.instanceOf(error, type)
        assert.strictEqual(error.status, status)
        assert.include(error.message, said)
        assert.strictEqual(error.headers.get("retry-after"), "3")
        assert.isString(error.requestID)
        assert.deepInclude((await at.record()).outcome, { kind: "Failed", reason, status })
      }
    }
  })

  from.chat("an unknown model is answered with near names", async (at) => {
    const error = await rejection(clientOf(at).chat.completions.create({ model: "smrt", messages: hello }))
    assert.instanceOf(error, NotFoundError)
    assert.strictEqual(error.code, "model_not_found")
    assert.include(error.message, "smart")
    assert.lengthOf(at.received(), 0)
  })

  scenario("a wrong field is named", async (at) => {
    const messages = [{ role: "nobody", content: "hi" }] as never
    const error = await rejection(clientOf(at).chat.completions.create({ model: at.model("echo"), messages }))
    assert.instanceOf(error, BadRequestError)
    assert.strictEqual(error.type, "invalid_request_error")
    assert.strictEqual(error.param, "messages[0].role")
    assert.lengthOf(at.received(), 0)
  })

  scenario("the SDK's retries reach a provider that recovers", async (at) => {
    const model = at.model("echo?status=429&retry-after=10ms&times=2")
    const { choices } = await clientOf(at, 2).chat.completions.create({ model, messages: hello })
    assert.strictEqual(choices[0]?.message.content, "Say it back, please.")
    assert.deepStrictEqual(
      at.received().map(({ status }) => status),
      [429, 429, 200]
    )
  })

  const breaks = [
    ["error=3&status=529&message=too%20much", "Overloaded"],
    ["reset=3", "Transport"],
    ["truncate=3", "IncompleteStream"],
    ["malformed=3", "InvalidOutput"]
  ] as const

  scenario("a stream that breaks throws, whatever broke it", async (at) => {
    for (const [fault, reason] of breaks) {
      const model = at.model(`words-20?pace=1ms&${fault}`)
      let said = ""
      const listen = async () => {
        const stream = await clientOf(at).chat.completions.create({ model, messages: hello, stream: true })
        for await (const { choices } of stream) said += choices[0]?.delta.content ?? ""
      }
      const error = await rejection(listen())
      assert.instanceOf(error, APIError)
      assert.isNotEmpty(error.message)
      assert.strictEqual(said, wordsOf(3))
      const record = await at.record()
      assert.deepInclude(record.outcome, { kind: "Failed", reason })
      assert.strictEqual(record.response?.text, said)
      const helper = clientOf(at).chat.completions.stream({ model, messages: hello })
      assert.instanceOf(await rejection(helper.finalMessage()), APIError)
    }
  })

  scenario("to abort a stream aborts the provider's", async (at) => {
    const params = { model: at.model("words-500"), messages: hello, stream: true } as const
    const controller = new AbortController()
    let said = ""
    const stream = await clientOf(at).chat.completions.create(params, { signal: controller.signal })
    for await (const { choices } of stream) {
      said += choices[0]?.delta.content ?? ""
      if (said.split(" ").length > 3) controller.abort()
    }
    assert.strictEqual(await at.ending(), "aborted")
    const record = await at.record()
    assert.deepInclude(record.outcome, { kind: "Cancelled", by: "client" })
    assert.isTrue(record.response?.text?.startsWith(said), record.response?.text)
  })

  scenario("to abort before the first token aborts the provider's request", async (at) => {
    for (const stream of [true, false]) {
      const controller = new AbortController()
      const params = { model: at.model("echo?hang"), messages: hello, stream }
      const answer = rejection(clientOf(at).chat.completions.create(params, { signal: controller.signal }))
      await at.until(() => at.received().some(({ state }) => state === "open"))
      controller.abort()
      assert.instanceOf(await answer, APIUserAbortError)
      assert.strictEqual(await at.ending(), "aborted")
      assert.deepInclude((await at.unanswered()).outcome, { kind: "Cancelled", by: "client" })
    }
  })

  // Whether so short a time is enough to reach the provider is not said.
  scenario("the SDK's time limit, and the caller's", async (at) => {
    const params = { model: at.model("echo?hang"), messages: hello }
    const { completions } = clientOf(at).chat
    const own = await rejection(completions.create(params, { timeout: 50 }))
    assert.instanceOf(own, APIConnectionTimeoutError)
    assert.notStrictEqual(await at.ending(), "completed")
    const told = await rejection(completions.create(params, { headers: { "x-millrace-timeout": "50ms" } }))
    assert.instanceOf(told, InternalServerError)
    assert.strictEqual(told.status, 504)
    assert.notStrictEqual(await at.ending(), "completed")
  })
})
