import { assert } from "@effect/vitest"
import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError
} from "openai"
import { zodTextFormat } from "openai/helpers/zod"
import { z } from "zod"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { everywhere, knows, proofsIn, type AtFormat } from "./formats.ts"
import { collect, pixel, rejection, wordsOf } from "./scenario.ts"

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

/** What was thought, in whichever of its two places. */
const thoughtIn = (output: Output): string =>
  output
    .flatMap((item) => (item.type === "reasoning" ? [...item.summary, ...(item.content ?? [])] : []))
    .map(({ text }) => text)
    .join("")

const callsIn = (output: Output) => output.flatMap((item) => (item.type === "function_call" ? [item] : []))

const assertUsage = (usage: OpenAI.Responses.ResponseUsage | undefined, { usage: recorded }: CallRecord) =>
  assert.deepStrictEqual(
    [usage?.input_tokens, usage?.output_tokens, "provider"],
    [recorded?.inputTokens, recorded?.outputTokens, recorded?.source]
  )

everywhere("openai: the Responses API", {}, (scenario, where) => {
  scenario("responses.create, whole", async (at) => {
    const model = at.model("words-12?think=5")
    const response = await clientOf(at).responses.create({ ...stateless, model, instructions: "Be brief.", input })
    assert.strictEqual(response.output_text, wordsOf(12))
    assert.strictEqual(response.status, "completed")
    assert.strictEqual(thoughtIn(response.output), knows(at, "thoughts") ? wordsOf(5) : "")
    const record = await at.record()
    assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
    assert.strictEqual(record.response?.text, wordsOf(12))
    assertUsage(response.usage, record)
    assert.strictEqual(record.usage?.outputTokens, 17)
  })

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
    assert.strictEqual(thoughtIn(last.response.output), knows(at, "thoughts") ? wordsOf(6) : "")
    assertUsage(last.response.usage, await at.record())
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

  for (const stream of [false, true]) {
    where("tools")(`a loop of tools gives back what was thought, stream: ${stream}`, async (at) => {
      const { responses } = clientOf(at)
      const params = { ...stateless, model: at.model("tools-2?think=4"), tools }
      const ask = async (input: OpenAI.Responses.ResponseInput) =>
        stream ? responses.stream({ ...params, input }).finalResponse() : responses.create({ ...params, input })
      const hello = [{ role: "user" as const, content: input }]
      const { output } = await ask(hello)
      assert.strictEqual(thoughtIn(output), wordsOf(4))
      const calls = callsIn(output)
      assert.deepStrictEqual(
        calls.map((call) => [call.name, Object.keys(JSON.parse(call.arguments))]),
        [
          ["weather", ["town"]],
          ["clock", ["zone"]]
        ]
      )
      const results = calls.map(({ call_id, name }) => ({
        type: "function_call_output" as const,
        call_id,
        output: name === "weather" ? "rain" : "noon"
      }))
      // The SDK's types do not say it of every item, but what was put out is what is put in again.
      const told = await ask([...hello, ...(output as OpenAI.Responses.ResponseInput), ...results])
      assert.strictEqual(told.output_text, "weather said: rain\nclock said: noon")
      assert.deepStrictEqual(
        (await at.records()).map(({ finishReason }) => finishReason),
        ["tool-calls", "stop"]
      )
      if (!knows(at, "proofs")) return
      const proof = await proofsIn(at)
      assert.isNotEmpty(proof)
      assert.include(JSON.stringify(at.received().at(-1)?.body), proof)
    })
  }

  where("tools")("a forced tool, and its arguments while they stream", async (at) => {
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

  where("schemas")("structured output", async (at) => {
    const Trip = z.object({ town: z.string(), nights: z.number(), guests: z.array(z.string()) })
    const params = { ...stateless, model: at.model("json"), input, text: { format: zodTextFormat(Trip, "trip") } }
    const { responses } = clientOf(at)
    const whole = await responses.parse(params)
    assert.deepStrictEqual(whole.output_parsed, Trip.parse(JSON.parse(whole.output_text)))
    const streamed = await responses.stream(params).finalResponse()
    assert.deepStrictEqual(streamed.output_parsed, whole.output_parsed)
  })

  scenario("a limit of tokens", async (at) => {
    const { responses } = clientOf(at)
    const params = { ...stateless, model: at.model("words-30"), input, max_output_tokens: 7 }
    for (const response of [await responses.create(params), await responses.stream(params).finalResponse()]) {
      assert.strictEqual(response.output_text, wordsOf(7))
      assert.strictEqual(response.status, "incomplete")
      assert.deepStrictEqual(response.incomplete_details, { reason: "max_output_tokens" })
    }
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

  where("images")("pictures go to the provider", async (at) => {
    const content: OpenAI.Responses.ResponseInputMessageContentList = [
      { type: "input_text", text: "What is this?" },
      { type: "input_image", image_url: pixel, detail: "auto" }
    ]
    const params = { ...stateless, model: at.model("echo"), input: [{ role: "user" as const, content }] }
    assert.strictEqual((await clientOf(at).responses.create(params)).output_text, "What is this?(image)")
    assert.include(JSON.stringify(at.received().at(-1)?.body), pixel.slice(pixel.indexOf(",") + 1))
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

everywhere("openai: failures of the Responses API", {}, (scenario) => {
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
        const model = at.model(`echo?status=${status}&message=${encodeURIComponent(said)}&retry-after=3`)
        const error = await rejection(clientOf(at).responses.create({ model, input, stream }))
        assert.instanceOf(error, type)
        assert.include(error.message, said)
        assert.strictEqual(error.headers.get("retry-after"), "3")
        assert.deepInclude((await at.record()).outcome, { kind: "Failed", reason, status })
      }
    }
  })

  scenario("a stream that breaks is an error, whatever broke it", async (at) => {
    const faults = [
      ["error=3&message=gone", "UpstreamServer"],
      ["reset=3", "Transport"],
      ["truncate=3", "IncompleteStream"],
      ["malformed=3", "InvalidOutput"]
    ] as const
    for (const [fault, reason] of faults) {
      const params = { ...stateless, model: at.model(`words-20?pace=0&${fault}`), input }
      const { responses } = clientOf(at)
      let said = ""
      const error = await rejection(
        (async () => {
          for await (const event of await responses.create({ ...params, stream: true })) {
            if (event.type === "response.output_text.delta") said += event.delta
            assert.notStrictEqual(event.type, "response.completed")
          }
        })()
      )
      assert.instanceOf(error, APIError, fault)
      assert.strictEqual(said, wordsOf(3))
      assert.deepInclude((await at.record()).outcome, { kind: "Failed", reason })
      assert.instanceOf(await rejection(responses.stream(params).finalResponse()), APIError, fault)
    }
  })

  scenario("to abort a stream aborts the provider's", async (at) => {
    const stream = clientOf(at).responses.stream({ ...stateless, model: at.model("words-500"), input })
    let said = ""
    stream.on("response.output_text.delta", ({ delta }) => {
      said += delta
      if (said.split(" ").length > 3) stream.abort()
    })
    assert.instanceOf(await rejection(stream.finalResponse()), APIUserAbortError)
    assert.strictEqual(await at.ending(), "aborted")
    const record = await at.record()
    assert.deepInclude(record.outcome, { kind: "Cancelled", by: "client" })
    assert.isTrue(record.response?.text?.startsWith(said), record.response?.text)
  })
})
