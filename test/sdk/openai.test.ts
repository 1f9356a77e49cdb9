import { assert } from "@effect/vitest"
import OpenAI from "openai"
import { zodFunction, zodResponseFormat } from "openai/helpers/zod"
import type { RunnableToolFunctionWithParse } from "openai/lib/RunnableFunction"
import { z } from "zod"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { collect, pixel, scenarios, wordsOf, type Scenario } from "./scenario.ts"

const clientOf = ({ fetch, url }: Scenario) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch, maxRetries: 0 })

type Messages = Array<OpenAI.ChatCompletionMessageParam>
const hello: Messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Say it back, please." }
]

const toolOf = (name: string, field: string) => ({
  type: "function" as const,
  function: {
    name,
    description: `Tells the ${name}`,
    parameters: { type: "object" as const, properties: { [field]: { type: "string" as const } }, required: [field] }
  }
})
const weather = toolOf("weather", "town")
const clock = toolOf("clock", "zone")

/** The tools with a function behind them. */
const runnable = (run: (name: string, input: object) => string): Array<RunnableToolFunctionWithParse<object>> =>
  [weather, clock].map(({ type, function: tool }) => ({
    type,
    function: { ...tool, parse: (text) => JSON.parse(text), function: (input) => run(tool.name, input) }
  }))

/** A model that calls a tool, then another, then speaks. */
const steps = [
  [
    { _tag: "ToolCall", id: "call_1", name: "weather", arguments: '{"town":"Ulm"}', valid: true },
    { _tag: "Finish", reason: "tool-calls", usage: { inputTokens: 5, outputTokens: 3, source: "provider" } }
  ],
  [
    { _tag: "TextDelta", id: "t", text: "And now the time." },
    { _tag: "ToolCall", id: "call_2", name: "clock", arguments: '{"zone":"CET"}', valid: true },
    { _tag: "Finish", reason: "tool-calls", usage: { inputTokens: 9, outputTokens: 6, source: "provider" } }
  ],
  [
    { _tag: "TextDelta", id: "t", text: "Rain at noon." },
    { _tag: "Finish", reason: "stop", usage: { inputTokens: 15, outputTokens: 4, source: "provider" } }
  ]
].map((reply) => ({ model: "stepper", reply }))

const script = [
  ...steps,
  {
    model: "cited",
    reply: [
      { _tag: "TextStart", id: "t" },
      { _tag: "TextDelta", id: "t", text: "It is wet." },
      { _tag: "Source", block: "t", url: "https://example.com/rain", title: "Rain", start: 0, end: 10 },
      { _tag: "TextEnd", id: "t" },
      { _tag: "Finish", reason: "stop", usage: { inputTokens: 2, outputTokens: 4, source: "provider" } }
    ]
  }
]

const assertUsage = (usage: OpenAI.CompletionUsage | null | undefined, { usage: recorded }: CallRecord) => {
  const { inputTokens, outputTokens, source } = recorded ?? {}
  assert.deepStrictEqual(
    [inputTokens, outputTokens, source],
    [usage?.prompt_tokens, usage?.completion_tokens, "provider"]
  )
}

/** Fields that the types of the SDK do not list. */
interface Reasoned {
  readonly reasoning_content?: string
}

scenarios("openai: answers", { script }, (scenario, from) => {
  scenario("chat.completions.create, whole", async (at) => {
    const model = at.model("words-12?think=5")
    const answer = await clientOf(at).chat.completions.create({ model, messages: hello })
    const { finish_reason: reason, message } = answer.choices[0] ?? {}
    assert.strictEqual(message?.content, wordsOf(12))
    assert.strictEqual((message as Reasoned).reasoning_content, wordsOf(5))
    assert.strictEqual(reason, "stop")
    const record = await at.record()
    assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
    assert.strictEqual(record.response?.text, wordsOf(12))
    assert.strictEqual(record.response?.reasoning, wordsOf(5))
    assert.strictEqual(record.requestId, answer._request_id)
    assertUsage(answer.usage, record)
    assert.strictEqual(record.usage?.outputTokens, 17)
  })

  scenario("chat.completions.create, streamed", async (at) => {
    const stream = await clientOf(at).chat.completions.create({
      model: at.model("think-6?pace=1ms"),
      messages: hello,
      stream: true,
      stream_options: { include_usage: true }
    })
    const chunks = await collect(stream)
    const said = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")
    const thought = chunks.map(({ choices: [choice] }) => (choice?.delta as Reasoned)?.reasoning_content ?? "").join("")
    assert.strictEqual(thought, wordsOf(6))
    assert.strictEqual(said, wordsOf(20, 2))
    assert.deepStrictEqual(
      chunks.flatMap(({ choices }) => choices.flatMap((choice) => choice.finish_reason ?? [])),
      ["stop"]
    )
    const last = chunks.at(-1)
    assert.deepStrictEqual(last?.choices, [])
    const record = await at.record()
    assertUsage(last?.usage, record)
    assert.strictEqual(record.response?.text, said)
    assert.strictEqual(record.outcome?.kind, "Completed")
  })

  scenario("a stream without include_usage has no usage, its record does", async (at) => {
    const stream = await clientOf(at).chat.completions.create({
      model: at.model("echo"),
      messages: hello,
      stream: true
    })
    const chunks = await collect(stream)
    assert.isTrue(chunks.every(({ choices, usage }) => choices.length === 1 && usage == null))
    assert.strictEqual((await at.record()).usage?.source, "provider")
  })

  scenario(".stream(): events, final message, final completion", async (at) => {
    const stream = clientOf(at).chat.completions.stream({
      model: at.model("words-9?one-byte"),
      messages: hello,
      stream_options: { include_usage: true }
    })
    let heard = ""
    const done: Array<string> = []
    stream.on("content.delta", ({ delta }) => (heard += delta))
    stream.on("content.done", ({ content }) => done.push(content))
    assert.strictEqual((await stream.finalMessage()).content, wordsOf(9))
    assert.strictEqual(heard, wordsOf(9))
    assert.deepStrictEqual(done, [wordsOf(9)])
    const completion = await stream.finalChatCompletion()
    assert.strictEqual(completion.choices[0]?.finish_reason, "stop")
    assertUsage(completion.usage, await at.record())
  })

  for (const stream of [false, true]) {
    scenario(`runTools goes step by step, stream: ${stream}`, async (at) => {
      const heard: Array<unknown> = []
      const tools = runnable((name, input) => {
        heard.push(input)
        return name === "weather" ? "rain" : "noon"
      })
      const { completions } = clientOf(at).chat
      const params = { model: at.model("stepper"), messages: hello, tools }
      const runner = stream ? completions.runTools({ ...params, stream }) : completions.runTools(params)
      assert.strictEqual(await runner.finalContent(), "Rain at noon.")
      assert.deepStrictEqual(heard, [{ town: "Ulm" }, { zone: "CET" }])
      const records = await at.records()
      assert.deepStrictEqual(
        records.map(({ finishReason }) => finishReason),
        ["tool-calls", "tool-calls", "stop"]
      )
      assert.strictEqual(records[1]?.response?.text, "And now the time.")
      assert.lengthOf(records[1]?.response?.toolCalls ?? [], 1)
    })

    scenario(`runTools answers parallel calls, stream: ${stream}`, async (at) => {
      const tools = runnable((name) => (name === "weather" ? "rain" : "noon"))
      const { completions } = clientOf(at).chat
      // The simulated model tells the results that it was given.
      const params = { model: at.model("tools-2"), messages: hello, tools }
      const runner = stream ? completions.runTools({ ...params, stream }) : completions.runTools(params)
      assert.strictEqual(await runner.finalContent(), "weather said: rain\nclock said: noon")
      const [first, second] = await at.records()
      assert.deepStrictEqual(
        first?.response?.toolCalls?.map(({ name }) => name),
        ["weather", "clock"]
      )
      assert.strictEqual(second?.response?.text, "weather said: rain\nclock said: noon")
      const results = JSON.stringify(at.received().at(-1)?.body)
      for (const { id } of first?.response?.toolCalls ?? []) assert.include(results, id)
    })
  }

  scenario("a forced tool, and its arguments parsed while they stream", async (at) => {
    const tool = zodFunction({ name: "book", parameters: z.object({ town: z.string(), nights: z.number().int() }) })
    const stream = clientOf(at).chat.completions.stream({
      model: at.model("tools"),
      messages: hello,
      tools: [weather, tool],
      tool_choice: { type: "function", function: { name: "book" } },
      parallel_tool_calls: false
    })
    const pieces: Array<string> = []
    stream.on("tool_calls.function.arguments.delta", ({ arguments_delta: piece }) => pieces.push(piece))
    const { message, finish_reason: reason } = (await stream.finalChatCompletion()).choices[0] ?? {}
    const calls = (message?.tool_calls ?? []).flatMap((call) => (call.type === "function" ? [call.function] : []))
    assert.strictEqual(reason, "tool_calls")
    assert.deepStrictEqual(
      calls.map(({ name }) => name),
      ["book"]
    )
    assert.strictEqual(calls[0]?.arguments, pieces.join(""))
    assert.hasAllKeys(calls[0]?.parsed_arguments, ["town", "nights"])
  })

  scenario("structured output", async (at) => {
    const Trip = z.object({ town: z.string(), nights: z.number().int().min(1).max(9), guests: z.array(z.string()) })
    const format = { model: at.model("json"), messages: hello, response_format: zodResponseFormat(Trip, "trip") }
    const client = clientOf(at)
    const { message } = (await client.chat.completions.parse(format)).choices[0] ?? {}
    assert.deepStrictEqual(message?.parsed, Trip.parse(JSON.parse(message?.content ?? "")))
    const streamed = await client.chat.completions.stream(format).finalChatCompletion()
    assert.deepStrictEqual(streamed.choices[0]?.message.parsed, message?.parsed)
  })

  from.chat("several choices and log probabilities", async (at) => {
    const params = { model: at.model("words-4"), messages: hello, n: 2, logprobs: true, top_logprobs: 2 }
    const whole = await clientOf(at).chat.completions.create(params)
    assert.deepStrictEqual(
      whole.choices.map(({ message }) => message.content),
      [wordsOf(4, 1), wordsOf(4, 2)]
    )
    for (const { logprobs, message } of whole.choices) {
      assert.strictEqual(logprobs?.content?.map(({ token }) => token).join(""), message.content)
      assert.lengthOf(logprobs?.content?.[0]?.top_logprobs ?? [], 2)
    }
    const stream = clientOf(at).chat.completions.stream(params)
    const { choices } = await stream.finalChatCompletion()
    assert.deepStrictEqual(
      choices.map(({ logprobs, message }) => [message.content, logprobs?.content?.length]),
      [
        [wordsOf(4, 1), 4],
        [wordsOf(4, 2), 4]
      ]
    )
  })

  from.messages("what the provider's API cannot say is told", async (at) => {
    const params = { model: at.model("echo"), messages: hello, n: 2, logprobs: true }
    const { data, response } = await clientOf(at).chat.completions.create(params).withResponse()
    assert.lengthOf(data.choices, 1)
    assert.match(response.headers.get("x-millrace-dropped") ?? "", /\bn: .*logprobs: /)
    const codes = (await at.record()).notices.map(({ code }) => code)
    assert.includeMembers(codes, ["dropped"])
  })

  scenario("a refusal", async (at) => {
    const client = clientOf(at)
    const params = { model: at.model("refuse"), messages: hello }
    const whole = (await client.chat.completions.create(params)).choices[0]?.message
    const streamed = await client.chat.completions.stream(params).finalMessage()
    for (const message of [whole, streamed]) {
      // The Messages API refuses in the words of its answer, with a stop reason.
      const said = at.upstream === "chat" ? message?.refusal : (message?.refusal ?? message?.content)
      assert.strictEqual(said, "I will not answer this.")
    }
    for (const { outcome } of await at.records()) assert.strictEqual(outcome?.kind, "Completed")
  })

  scenario("a limit of tokens, and a stop sequence", async (at) => {
    const { completions } = clientOf(at).chat
    const long = { model: at.model("words-30"), messages: hello, max_completion_tokens: 7 }
    const cut = await completions.create(long)
    assert.strictEqual(cut.choices[0]?.finish_reason, "length")
    assert.strictEqual(cut.choices[0]?.message.content, wordsOf(7))
    const [, , third = ""] = wordsOf(30).split(" ")
    const stopped = await completions.create({ ...long, max_completion_tokens: 100, stop: [` ${third}`] })
    assert.strictEqual(stopped.choices[0]?.finish_reason, "stop")
    assert.strictEqual(stopped.choices[0]?.message.content, wordsOf(2))
    assert.deepStrictEqual(
      (await at.records()).map(({ finishReason }) => finishReason),
      ["length", "stop"]
    )
  })

  scenario("pictures go to the provider", async (at) => {
    const content: OpenAI.ChatCompletionContentPart[] = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: pixel } },
      { type: "image_url", image_url: { url: "https://example.com/mill.png" } }
    ]
    const params = { model: at.model("echo"), messages: [{ role: "user" as const, content }] }
    const { choices } = await clientOf(at).chat.completions.create(params)
    assert.strictEqual(choices[0]?.message.content, "What is this?(image)(image)")
    const sent = JSON.stringify(at.received().at(-1)?.body)
    assert.include(sent, pixel.slice(pixel.indexOf(",") + 1))
    assert.include(sent, "https://example.com/mill.png")
  })

  scenario("citations are annotations", async (at) => {
    const client = clientOf(at)
    const params = { model: at.model("cited"), messages: hello }
    const whole = (await client.chat.completions.create(params)).choices[0]?.message.annotations?.[0]
    const chunks = await collect(await client.chat.completions.create({ ...params, stream: true }))
    const streamed = chunks.flatMap(({ choices }) => (choices[0]?.delta as { annotations?: [] })?.annotations ?? [])[0]
    for (const annotation of [whole, streamed]) {
      assert.deepInclude(annotation, { type: "url_citation" })
      assert.include(JSON.stringify(annotation), "https://example.com/rain")
    }
  })

  scenario("unknown fields reach a provider of the same API, and are reported to another's caller", async (at) => {
    const params = { model: at.model("echo"), messages: hello, brand_new: { of: 1 } }
    const { response } = await clientOf(at).chat.completions.create(params).withResponse()
    const { body } = at.received().at(-1) ?? {}
    if (at.upstream === "chat") assert.deepStrictEqual(body.brand_new, { of: 1 })
    else assert.include(response.headers.get("x-millrace-dropped"), "brand_new")
  })
})
