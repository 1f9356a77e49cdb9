import Anthropic from "@anthropic-ai/sdk"
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod"
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod"
import { assert } from "@effect/vitest"
import { z } from "zod"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { collect, pixel, scenarios, wordsOf, type Scenario } from "./scenario.ts"

const clientOf = ({ fetch, url }: Scenario) => new Anthropic({ baseURL: url, apiKey: "unused", fetch, maxRetries: 0 })

const hello: Array<Anthropic.MessageParam> = [{ role: "user", content: "Say it back, please." }]
const thinking = { type: "enabled", budget_tokens: 1024 } as const

const weather: Anthropic.Tool = {
  name: "weather",
  description: "The weather of a town",
  input_schema: { type: "object", properties: { town: { type: "string" } }, required: ["town"] }
}

const usage = { inputTokens: 5, outputTokens: 3, source: "provider" }
const script = [
  {
    model: "redacted",
    reply: [
      { _tag: "ReasoningStart", id: "r", redacted: "c2VjcmV0IHRob3VnaHRz" },
      { _tag: "ReasoningEnd", id: "r" },
      { _tag: "TextDelta", id: "t", text: "I thought about it." },
      { _tag: "Finish", reason: "stop", usage }
    ]
  },
  {
    model: "cited",
    reply: [
      { _tag: "TextStart", id: "t" },
      { _tag: "TextDelta", id: "t", text: "It is wet." },
      {
        _tag: "Source",
        block: "t",
        url: "https://example.com/rain",
        title: "Rain",
        citedText: "wet",
        start: 0,
        end: 10
      },
      { _tag: "TextEnd", id: "t" },
      { _tag: "Finish", reason: "stop", usage }
    ]
  }
]

const textOf = ({ content }: Anthropic.Message): string =>
  content.map((block) => (block.type === "text" ? block.text : "")).join("")

const assertUsage = (stated: Anthropic.Usage, { usage: recorded }: CallRecord) => {
  const cached = (stated.cache_read_input_tokens ?? 0) + (stated.cache_creation_input_tokens ?? 0)
  const { inputTokens, outputTokens, source } = recorded ?? {}
  assert.deepStrictEqual(
    [inputTokens, outputTokens, source],
    [stated.input_tokens + cached, stated.output_tokens, "provider"]
  )
}

scenarios("anthropic: answers", { script }, (scenario, from) => {
  scenario("messages.create, whole", async (at) => {
    const params = { model: at.model("words-12"), max_tokens: 100, system: "Be brief.", messages: hello }
    const message = await clientOf(at).messages.create(params)
    assert.strictEqual(textOf(message), wordsOf(12))
    assert.strictEqual(message.stop_reason, "end_turn")
    const record = await at.record()
    assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
    assert.strictEqual(record.response?.text, wordsOf(12))
    assert.strictEqual(record.requestId, message._request_id)
    assertUsage(message.usage, record)
  })

  scenario("messages.create, streamed", async (at) => {
    const model = at.model("think-6?pace=1ms")
    const stream = await clientOf(at).messages.create({
      model,
      max_tokens: 500,
      messages: hello,
      thinking,
      stream: true
    })
    const events = await collect(stream)
    const deltas = events.flatMap((event) => (event.type === "content_block_delta" ? [event.delta] : []))
    const said = deltas.map((delta) => (delta.type === "text_delta" ? delta.text : "")).join("")
    const thought = deltas.map((delta) => (delta.type === "thinking_delta" ? delta.thinking : "")).join("")
    assert.strictEqual(thought, wordsOf(6))
    assert.strictEqual(said, wordsOf(20, 2))
    assert.strictEqual(events[0]?.type, "message_start")
    assert.deepStrictEqual(
      events.slice(-2).map(({ type }) => type),
      ["message_delta", "message_stop"]
    )
    const record = await at.record()
    assert.deepInclude(record.response, { text: said, reasoning: thought })
    assert.strictEqual(record.usage?.outputTokens, 26)
  })

  scenario(".stream(): events, snapshots, final message", async (at) => {
    const model = at.model("think-5?one-byte&pace=0")
    const stream = clientOf(at).messages.stream({ model, max_tokens: 500, messages: hello, thinking })
    let said = ""
    let thought = ""
    const blocks: Array<string> = []
    stream.on("text", (delta) => (said += delta))
    stream.on("thinking", (delta) => (thought += delta))
    stream.on("contentBlock", ({ type }) => blocks.push(type))
    const message = await stream.finalMessage()
    assert.deepStrictEqual(blocks, ["thinking", "text"])
    assert.strictEqual(thought, wordsOf(5))
    assert.strictEqual(said, wordsOf(20, 2))
    assert.strictEqual(await stream.finalText(), said)
    const [first] = message.content
    assert.deepInclude(first, { type: "thinking", thinking: thought })
    assert.strictEqual(message.stop_reason, "end_turn")
    assertUsage(message.usage, await at.record())
  })

  scenario("a loop of tools sends thinking back as the provider signed it", async (at) => {
    const { messages } = clientOf(at)
    const params = {
      model: at.model("tools-2?think=4"),
      max_tokens: 500,
      thinking,
      tools: [weather, { ...weather, name: "tides" }]
    }
    const asked = await messages.stream({ ...params, messages: hello }).finalMessage()
    assert.strictEqual(asked.stop_reason, "tool_use")
    const calls = asked.content.filter((block) => block.type === "tool_use")
    assert.deepStrictEqual(
      calls.map(({ name }) => name),
      ["weather", "tides"]
    )
    const [, data = ""] = pixel.split(",")
    const [weatherCall, tidesCall] = calls
    const results: Array<Anthropic.ToolResultBlockParam> = [
      {
        type: "tool_result",
        tool_use_id: weatherCall?.id ?? "",
        content: [
          { type: "text", text: "a picture: " },
          { type: "image", source: { type: "base64", media_type: "image/png", data } }
        ]
      },
      { type: "tool_result", tool_use_id: tidesCall?.id ?? "", content: "no tides in Ulm", is_error: true }
    ]
    const turns: Array<Anthropic.MessageParam> = [
      ...hello,
      { role: "assistant", content: asked.content },
      { role: "user", content: results }
    ]
    const told = await messages.create({ ...params, messages: turns })
    // The simulated model tells the results that reached it.
    const failed = at.upstream === "messages" ? "tides failed: no tides in Ulm" : "no tides in Ulm"
    assert.include(textOf(told), "weather said: a picture: ")
    assert.include(textOf(told), failed)

    const [first] = await at.records()
    const signed = first?.response?.answer?.choices[0]?.parts.find((part) => part._tag === "Reasoning")
    assert.isNotEmpty(signed?.signature)
    const sent = JSON.stringify(at.received().at(-1)?.body)
    assert.include(sent, signed?.signature ?? "-")
    assert.include(sent, wordsOf(4))
    assert.include(sent, data)
    for (const { id } of calls) assert.include(sent, id)
    if (at.upstream === "messages") assert.deepStrictEqual(at.received().at(-1)?.body.messages, turns)
  })

  scenario("redacted thinking comes and goes unread", async (at) => {
    const { messages } = clientOf(at)
    const params = { model: at.model("redacted"), max_tokens: 500, thinking }
    const whole = await messages.create({ ...params, messages: hello })
    const streamed = await messages.stream({ ...params, messages: hello }).finalMessage()
    for (const { content } of [whole, streamed]) {
      assert.deepStrictEqual(
        content.map(({ type }) => type),
        ["redacted_thinking", "text"]
      )
      await messages.create({
        ...params,
        messages: [...hello, { role: "assistant", content }, { role: "user", content: "Go on." }]
      })
      assert.include(JSON.stringify(at.received().at(-1)?.body), "c2VjcmV0IHRob3VnaHRz")
    }
  })

  for (const stream of [false, true]) {
    scenario(
      `toolRunner: a thread where the provider holds it, else all of the history, stream: ${stream}`,
      async (at) => {
        const asked: Array<string> = []
        const tool = betaZodTool({
          name: "weather",
          description: "The weather of a town",
          inputSchema: z.object({ town: z.string() }),
          run: ({ town }) => {
            asked.push(town)
            return "rain"
          }
        })
        const params = { model: at.model("tools"), max_tokens: 500, messages: hello, tools: [tool] }
        const { content } = await clientOf(at)
          .beta.messages.toolRunner({ ...params, stream })
          .runUntilDone()
        const text = content.map((block) => (block.type === "text" ? block.text : "")).join("")
        assert.lengthOf(asked, 1)
        assert.match(text, /said: rain$/)
        const bodies = at.received().map(({ body }) => body)
        assert.lengthOf(bodies, 2)
        if (at.upstream === "messages") {
          assert.deepStrictEqual(bodies[0].thread, { type: "create" })
          assert.strictEqual(bodies[1].thread.type, "continue")
          assert.lengthOf(bodies[1].messages, 1)
        } else {
          // Refused before it reaches a provider that has no threads; the SDK then goes on without.
          for (const body of bodies) assert.notProperty(body, "thread")
          assert.include(JSON.stringify(bodies[1].messages), "Say it back, please.")
          assert.strictEqual(text, "weather said: rain")
        }
      }
    )
  }

  scenario("structured output", async (at) => {
    const Trip = z.object({ town: z.string(), nights: z.number(), guests: z.array(z.string()) })
    const params = {
      model: at.model("json"),
      max_tokens: 500,
      messages: hello,
      output_config: { format: zodOutputFormat(Trip) }
    }
    const { messages } = clientOf(at)
    const whole = await messages.parse(params)
    const streamed = await messages.stream(params).finalMessage()
    assert.deepStrictEqual(whole.parsed_output, Trip.parse(JSON.parse(textOf(whole))))
    assert.deepStrictEqual(streamed.parsed_output, whole.parsed_output)
  })

  scenario("a forced tool, and its input while it streams", async (at) => {
    const stream = clientOf(at).messages.stream({
      model: at.model("tools"),
      max_tokens: 500,
      messages: hello,
      tools: [{ ...weather, name: "tides" }, weather],
      tool_choice: { type: "tool", name: "weather", disable_parallel_tool_use: true }
    })
    let json = ""
    stream.on("inputJson", (piece) => (json += piece))
    const { content } = await stream.finalMessage()
    const calls = content.filter((block) => block.type === "tool_use")
    assert.lengthOf(calls, 1)
    assert.deepInclude(calls[0], { name: "weather", input: JSON.parse(json) })
  })

  scenario("a limit of tokens, a stop sequence, a refusal", async (at) => {
    const { messages } = clientOf(at)
    const cut = await messages.create({ model: at.model("words-30"), max_tokens: 7, messages: hello })
    assert.strictEqual(cut.stop_reason, "max_tokens")
    assert.strictEqual(textOf(cut), wordsOf(7))
    const [, , third = ""] = wordsOf(30).split(" ")
    const params = { model: at.model("words-30"), max_tokens: 100, messages: hello, stop_sequences: [` ${third}`] }
    const stopped = await messages.stream(params).finalMessage()
    assert.strictEqual(textOf(stopped), wordsOf(2))
    // Which sequence it was is told by the one API and not by the other.
    const { stop_reason: reason, stop_sequence: sequence } = stopped
    const expected = at.upstream === "messages" ? ["stop_sequence", ` ${third}`] : ["end_turn", null]
    assert.deepStrictEqual([reason, sequence], expected)
    for (const refused of [
      await messages.create({ model: at.model("refuse"), max_tokens: 100, messages: hello }),
      await messages.stream({ model: at.model("refuse"), max_tokens: 100, messages: hello }).finalMessage()
    ]) {
      assert.strictEqual(refused.stop_reason, "refusal")
      assert.strictEqual(textOf(refused), "I will not answer this.")
    }
  })

  scenario("pictures and documents go to the provider", async (at) => {
    const [, data = ""] = pixel.split(",")
    const content: Array<Anthropic.ContentBlockParam> = [
      { type: "text", text: "What is this?" },
      { type: "image", source: { type: "base64", media_type: "image/png", data } },
      { type: "image", source: { type: "url", url: "https://example.com/mill.png" } },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" } }
    ]
    const params = { model: at.model("echo"), max_tokens: 100, messages: [{ role: "user" as const, content }] }
    assert.strictEqual(textOf(await clientOf(at).messages.create(params)), "What is this?(image)(image)(file)")
    const sent = JSON.stringify(at.received().at(-1)?.body)
    for (const piece of [data, "https://example.com/mill.png", "JVBERi0="]) assert.include(sent, piece)
  })

  scenario("citations", async (at) => {
    const { messages } = clientOf(at)
    const params = { model: at.model("cited"), max_tokens: 100, messages: hello }
    const heard: Array<unknown> = []
    const stream = messages.stream(params).on("citation", (citation) => heard.push(citation))
    for (const message of [await messages.create(params), await stream.finalMessage()]) {
      const [block] = message.content
      assert.strictEqual(block?.type, "text")
      assert.include(JSON.stringify(block), "https://example.com/rain")
    }
    assert.lengthOf(heard, 1)
  })

  scenario("marks for the cache", async (at) => {
    const { messages } = clientOf(at)
    const long = { type: "text", text: "Know this by heart.", cache_control: { type: "ephemeral" } } as const
    const params = { model: at.model("echo"), max_tokens: 100, system: [long] }
    const { data: first, response } = await messages.create({ ...params, messages: hello }).withResponse()
    const turns = [...hello, { role: "assistant" as const, content: textOf(first) }, ...hello]
    const second = await messages.stream({ ...params, messages: turns }).finalMessage()
    const [one, two] = await at.records()
    if (at.upstream === "chat") return assert.include(response.headers.get("x-millrace-dropped"), "cache")
    assert.isAbove(first.usage.cache_creation_input_tokens ?? 0, 0)
    assert.strictEqual(one?.usage?.cacheWriteTokens, first.usage.cache_creation_input_tokens)
    assert.isAbove(second.usage.cache_read_input_tokens ?? 0, 0)
    assert.strictEqual(two?.usage?.cachedTokens, second.usage.cache_read_input_tokens)
    if (two !== undefined) assertUsage(second.usage, two)
  })

  scenario("tokens are counted", async (at) => {
    const params = { model: at.model("echo"), messages: hello, tools: [weather] }
    const { input_tokens: counted } = await clientOf(at).messages.countTokens(params)
    assert.isAbove(counted, 5)
    // Only one of the APIs counts.
    const paths = at.received().map(({ path }) => path)
    assert.deepStrictEqual(paths, at.upstream === "messages" ? ["/v1/messages/count_tokens"] : [])
  })

  from.messages("what the SDK sends of its own reaches a provider of the same API", async (at) => {
    const params = { model: at.model("echo"), max_tokens: 100, messages: hello, brand_new: { of: 1 } }
    await clientOf(at).beta.messages.create({ ...params, betas: ["brand-new-2027-01-01"] })
    const { body, headers } = at.received().at(-1) ?? {}
    assert.deepStrictEqual(body.brand_new, { of: 1 })
    assert.include(headers?.["anthropic-beta"], "brand-new-2027-01-01")
    assert.match(headers?.["anthropic-version"] ?? "", /^\d{4}-\d\d-\d\d$/)
  })

  from.chat("what the provider's API cannot say is told", async (at) => {
    const params = { model: at.model("echo"), max_tokens: 100, messages: hello, brand_new: { of: 1 } }
    const { response } = await clientOf(at).messages.create(params).withResponse()
    assert.include(response.headers.get("x-millrace-dropped"), "brand_new")
    assert.isNotEmpty((await at.record()).notices)
  })
})
