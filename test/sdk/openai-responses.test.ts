import { assert } from "@effect/vitest"
import OpenAI, {
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError
} from "openai"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { everywhere, type AtFormat } from "./formats.ts"
import { collect, rejection, wordsOf } from "./scenario.ts"

/** So that no target is left alone for what it said to somebody else. */
let nonce = 0

const clientOf = ({ fetch, url }: AtFormat) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch, maxRetries: 0 })

/** Nothing is kept between two turns: what was thought comes along, encrypted. */
const stateless = { store: false, include: ["reasoning.encrypted_content" as const] }
const input = "Say it back, please."

const toolOf = (name: string, field: string) => ({
  type: "function" as const,
  name,
  description: `Tells the ${name}`,
  parameters: { type: "object", properties: { [field]: { type: "string" } }, required: [field] },
  strict: false
})
const tools = [toolOf("weather", "town"), toolOf("clock", "zone")]

type Output = OpenAI.Responses.Response["output"]

const callsIn = (output: Output) => output.flatMap((item) => (item.type === "function_call" ? [item] : []))

const assertUsage = (usage: OpenAI.Responses.ResponseUsage | undefined, { usage: recorded }: CallRecord) =>
  assert.deepStrictEqual(
    [usage?.input_tokens, usage?.output_tokens, "provider"],
    [recorded?.inputTokens, recorded?.outputTokens, recorded?.source]
  )

everywhere("openai: more of the Responses API", "openai-responses", {}, (scenario, where) => {
  scenario("responses.create, streamed", async (at) => {
    const model = at.model("think-6?pace=0")
    const events = await collect(await clientOf(at).responses.create({ ...stateless, model, input, stream: true }))
    const said = events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("")
    assert.strictEqual(said, wordsOf(20, 2))
    assert.strictEqual(events[0]?.type, "response.created")
    const sequence = events.map((event) => event.sequence_number)
    assert.deepStrictEqual(
      sequence,
      sequence.map((_, index) => index)
    )
    const last = events.at(-1)
    assert.strictEqual(last?.type, "response.completed")
    if (last?.type !== "response.completed") return
    assertUsage(last.response.usage, await at.record())
  })

  scenario("responses.inputTokens.count", async (at) => {
    const count = (text: string) =>
      clientOf(at).responses.inputTokens.count({
        model: at.model("echo"),
        input: text,
        tools,
        instructions: "Be brief."
      })
    const [short, long] = [await count(input), await count(input.repeat(9))]
    assert.strictEqual(short.object, "response.input_tokens")
    assert.isAbove(short.input_tokens, 5)
    assert.isAbove(long.input_tokens, short.input_tokens)
    const asked = at.received().filter(({ path }) => path === "/v1/responses/input_tokens")
    assert.lengthOf(asked, at.upstream === "openai-responses" ? 2 : 0)
    for (const { body } of asked) assert.sameMembers(Object.keys(body), ["model", "input", "tools", "instructions"])
  })

  scenario("responses.stream(), byte by byte", async (at) => {
    const model = at.model("words-9?one-byte&pace=0")
    const stream = clientOf(at).responses.stream({ ...stateless, model, input })
    let heard = ""
    const done: Array<string> = []
    stream.on("response.output_text.delta", ({ delta }) => (heard += delta))
    stream.on("response.output_text.done", ({ text }) => done.push(text))
    const response = await stream.finalResponse()
    assert.strictEqual(response.output_text, wordsOf(9))
    assert.strictEqual(heard, wordsOf(9))
    assert.deepStrictEqual(done, [wordsOf(9)])
    assertUsage(response.usage, await at.record())
  })

  where("tool choice: this one")("a forced tool, and its arguments while they stream", async (at) => {
    const stream = clientOf(at).responses.stream({
      ...stateless,
      model: at.model("tools"),
      input,
      tools,
      tool_choice: { type: "function", name: "clock" }
    })
    let json = ""
    stream.on("response.function_call_arguments.delta", ({ delta }) => (json += delta))
    const calls = callsIn((await stream.finalResponse()).output)
    assert.lengthOf(calls, 1)
    assert.deepInclude(calls[0], { name: "clock", arguments: json })
  })

  scenario("a refusal", async (at) => {
    const { responses } = clientOf(at)
    const params = { ...stateless, model: at.model("refuse"), input }
    for (const { output } of [await responses.create(params), await responses.stream(params).finalResponse()]) {
      const content = output.flatMap((item) => (item.type === "message" ? item.content : []))
      // Some providers refuse in the words of their answer.
      const said = content.map((part) => (part.type === "refusal" ? part.refusal : part.text)).join("")
      assert.strictEqual(said, "I will not answer this.")
    }
  })

  scenario("what only the provider of an earlier response holds is refused elsewhere", async (at) => {
    const params = { model: at.model("echo"), input, previous_response_id: "resp_1" }
    if (at.upstream === "openai-responses") {
      await clientOf(at).responses.create(params)
      return assert.strictEqual(at.received()[0]?.body.previous_response_id, "resp_1")
    }
    const error = await rejection(clientOf(at).responses.create(params))
    assert.instanceOf(error, BadRequestError)
    assert.include(error.message, "previous_response_id")
    assert.lengthOf(at.received(), 0)
  })
})

everywhere("openai: failures of the Responses API", "openai-responses", {}, (scenario) => {
  const refusals = [
    [400, BadRequestError, "InvalidRequest"],
    [401, AuthenticationError, "Unauthorized"],
    [404, NotFoundError, "UnknownModel"],
    [429, RateLimitError, "RateLimited"],
    [500, InternalServerError, "UpstreamServer"],
    [503, InternalServerError, "Overloaded"]
  ] as const

  scenario("a provider's refusal has its type, status and message", async (at) => {
    for (const [status, type, reason] of refusals) {
      for (const stream of [false, true]) {
        // Which model is not there is told in the message alone.
        const said = status === 404 ? "model: models/x is not found" : "No way"
        const model = at.model(
          `echo?status=${status}&message=${encodeURIComponent(said)}&retry-after=3&seed=${nonce++}`
        )
        const error = await rejection(clientOf(at).responses.create({ model, input, stream }))
        assert.instanceOf(error, type)
        assert.include(error.message, said)
        assert.strictEqual(error.headers.get("retry-after"), "3")
        assert.deepInclude((await at.record()).outcome, { kind: "Failed", reason, status })
      }
    }
  })
})
