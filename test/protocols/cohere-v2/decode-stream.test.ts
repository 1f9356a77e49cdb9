import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { cohereV2 } from "../../../src/protocols/cohere-v2/outbound.ts"
import { sseFrame } from "../../../src/wire/Sse.ts"
import { decodeStream, decodeWhole, type Decoded } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

type Event = { readonly type: string } & Record<string, unknown>

const frames = (events: ReadonlyArray<Event>): string =>
  events.map((event) => sseFrame(JSON.stringify(event), event.type)).join("")
const decodeText = (text: string): Decoded => decodeStream(cohereV2, [Buffer.from(text)])
const decode = (...events: ReadonlyArray<Event>): Decoded => decodeText(frames(events))

const messageStart: Event = { type: "message-start", id: "m1", delta: { message: { role: "assistant" } } }
const content = (step: string, index: number, piece: Record<string, unknown>, more = {}): Event => ({
  type: `content-${step}`,
  index,
  delta: { message: { content: piece } },
  ...more
})
const contentEnd = (index: number): Event => ({ type: "content-end", index })
const plan = (tool_plan: string): Event => ({ type: "tool-plan-delta", delta: { message: { tool_plan } } })
const call = (step: string, index: number, tool_calls: Record<string, unknown>): Event => ({
  type: `tool-call-${step}`,
  index,
  delta: { message: { tool_calls } }
})
const begun = (id: string, name = "f", text = "") => ({ id, type: "function", function: { name, arguments: text } })
const callEnd = (index: number): Event => ({ type: "tool-call-end", index })
const citation = (citations: Record<string, unknown>): Event => ({
  type: "citation-start",
  index: 0,
  delta: { message: { citations } }
})
const ending = (finish_reason: string | undefined, more: Record<string, unknown> = {}): Event => ({
  type: "message-end",
  delta: { finish_reason, ...more }
})

const eventsOf = (...events: ReadonlyArray<Event>): ReadonlyArray<LlmEvent> => {
  const decoded = decode(...events)
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  return decoded.events
}
const partsOf = (...events: ReadonlyArray<Event>) => foldEvents(eventsOf(...events)).choices[0]?.parts

describe("content", () => {
  it("is text or thinking, block after block", () => {
    const parts = partsOf(
      messageStart,
      content("start", 0, { type: "thinking", thinking: "" }),
      content("delta", 0, { thinking: "Hm" }),
      contentEnd(0),
      content("start", 1, { type: "text", text: "A" }),
      content("delta", 1, { text: "B" }),
      contentEnd(1),
      ending("COMPLETE")
    )
    expect(parts).toEqual([
      { _tag: "Reasoning", id: "block-0", text: "Hm", origin: "cohere-v2" },
      { _tag: "Text", id: "block-1", text: "AB" }
    ])
  })

  it("may come unannounced, and may never be ended", () => {
    const parts = partsOf(
      content("delta", 0, { thinking: "Hm" }),
      content("delta", 1, { text: "A" }),
      content("delta", 1, { text: "B" }),
      ending("COMPLETE")
    )
    expect(parts).toMatchObject([
      { _tag: "Reasoning", text: "Hm" },
      { _tag: "Text", text: "AB" }
    ])
  })

  it("has the probabilities of its tokens beside it", () => {
    const logprobs = { token_ids: [5], text: "A", logprobs: [-0.5] }
    const events = eventsOf(messageStart, content("delta", 0, { text: "A" }, { logprobs }), ending("COMPLETE"))
    expect(events[2]).toMatchObject({ text: "A", logprobs: [{ token: "A", logprob: -0.5, top: [] }] })
  })
})

describe("tool calls", () => {
  it("come after the plan for them, which is reasoning", () => {
    const parts = partsOf(
      messageStart,
      plan("I will "),
      plan("look."),
      call("start", 0, begun("c1")),
      call("delta", 0, { function: { arguments: '{"a"' } }),
      call("delta", 0, { function: { arguments: ":1}" } }),
      callEnd(0),
      ending("TOOL_CALL")
    )
    expect(parts).toEqual([
      { _tag: "Reasoning", id: "block-0", text: "I will look.", origin: "cohere-v2" },
      { _tag: "ToolCall", id: "c1", name: "f", arguments: '{"a":1}', valid: true }
    ])
  })

  it("without arguments have none", () => {
    const events = eventsOf(messageStart, call("start", 0, begun("c1")), callEnd(0), ending("TOOL_CALL"))
    expect(events.slice(1, -1)).toEqual([
      { _tag: "ToolInputStart", id: "c1", name: "f" },
      { _tag: "ToolInputEnd", id: "c1" },
      { _tag: "ToolCall", id: "c1", name: "f", arguments: "{}", valid: true }
    ])
  })

  it("are counted apart from content, and may be open at once", () => {
    const parts = partsOf(
      messageStart,
      content("start", 0, { type: "text", text: "A" }),
      call("start", 0, begun("c1", "f", "{}")),
      call("start", 1, begun("c2", "g")),
      call("delta", 1, { function: { arguments: '{"b":2}' } }),
      content("delta", 0, { text: "B" }),
      ending("TOOL_CALL")
    )
    expect(parts).toMatchObject([
      { _tag: "Text", text: "AB" },
      { id: "c1", arguments: "{}" },
      { id: "c2", arguments: '{"b":2}' }
    ])
  })

  it("make the reason tool-calls, but not of a length", () => {
    const finish = (reason: string) => eventsOf(call("start", 0, begun("c1")), callEnd(0), ending(reason)).at(-1)
    expect(finish("COMPLETE")).toMatchObject({ reason: "tool-calls", rawReason: "COMPLETE" })
    expect(finish("MAX_TOKENS")).toMatchObject({ reason: "length" })
  })
})

describe("citations", () => {
  const text = [messageStart, content("start", 0, { type: "text", text: "Sunny." })]

  it("are a source for each document or answer of a tool", () => {
    const document = {
      type: "document",
      id: "doc:0",
      document: { title: "Facts", url: "https://example.com", text: "t" }
    }
    const tool = { type: "tool", id: "c1:0", tool_output: { content: "sunny" } }
    const cited = { start: 0, end: 5, text: "Sunny", sources: [document, tool], type: "TEXT_CONTENT" }
    const events = eventsOf(...text, citation(cited), { type: "citation-end", index: 0 }, ending("COMPLETE"))
    const place = { _tag: "Source", block: "block-0", start: 0, end: 5 }
    expect(events.filter(({ _tag }) => _tag === "Source")).toEqual([
      {
        ...place,
        url: "https://example.com",
        title: "Facts",
        origin: { protocol: "cohere-v2", value: { ...cited, sources: [document] } }
      },
      { ...place, title: "c1:0", origin: { protocol: "cohere-v2", value: { ...cited, sources: [tool] } } }
    ])
  })

  it("without sources are places of the answer", () => {
    const events = eventsOf(...text, citation({ start: 1, end: 2 }), ending("COMPLETE"))
    expect(events.find(({ _tag }) => _tag === "Source")).toMatchObject({ block: "block-0", start: 1, end: 2 })
  })

  it.each(["PLAN", "THINKING_CONTENT"])("of the type %s are no places of the answer", (type) => {
    const cited = { start: 1, end: 2, type, sources: [{ type: "tool", id: "c1:0" }] }
    const events = eventsOf(...text, citation(cited), ending("COMPLETE"))
    expect(events.find(({ _tag }) => _tag === "Source")).toEqual({
      _tag: "Source",
      title: "c1:0",
      origin: { protocol: "cohere-v2", value: cited }
    })
  })
})

describe("usage", () => {
  const usageOf = (usage: unknown) => foldEvents(eventsOf(messageStart, ending("COMPLETE", { usage }))).usage

  it("is what the model read and wrote, not what is billed", () => {
    expect(
      usageOf({
        billed_units: { input_tokens: 84, output_tokens: 314 },
        cached_tokens: 1008,
        tokens: { input_tokens: 1501, output_tokens: 346, reasoning_tokens: 304 }
      })
    ).toEqual({ inputTokens: 1501, outputTokens: 346, cachedTokens: 1008, reasoningTokens: 304, source: "provider" })
  })

  it("is what is billed where nothing else is stated, and nothing where nothing is", () => {
    expect(usageOf({ billed_units: { input_tokens: 8, output_tokens: 3 } })).toEqual({
      inputTokens: 8,
      outputTokens: 3,
      source: "provider"
    })
    expect(usageOf(undefined)).toEqual({ source: "none" })
  })
})

describe("the end", () => {
  it.each([
    ["COMPLETE", "stop"],
    ["STOP_SEQUENCE", "stop"],
    ["MAX_TOKENS", "length"],
    ["NOT_INVENTED_YET", "unknown"]
  ])("with %s is %s", (raw, reason) =>
    expect(eventsOf(messageStart, ending(raw)).at(-1)).toMatchObject({ reason, rawReason: raw })
  )

  it("without a reason is an ending still", () =>
    expect(eventsOf(messageStart, ending(undefined)).at(-1)).toEqual({
      _tag: "Finish",
      reason: "unknown",
      usage: { source: "none" }
    }))

  it("may be followed by the terminator of another format, which is none without it", () => {
    const done = "data: [DONE]\n\n"
    const whole = decodeText(frames([messageStart, ending("COMPLETE")]) + done)
    expect(whole.error).toBeUndefined()
    expect(whole.frames.at(-1)).toMatchObject({ raw: done, events: [] })
    expect(decodeText(frames([messageStart]) + done).error?.reason).toEqual({
      _tag: "IncompleteStream",
      kind: "noStop"
    })
  })

  it("may never come", () => {
    expect(decode().error?.reason).toEqual({ _tag: "IncompleteStream", kind: "empty" })
    expect(decode(messageStart).error?.reason).toEqual({ _tag: "IncompleteStream", kind: "noStop" })
  })

  it.each([
    ["ERROR", "generation failed", "UpstreamServer"],
    ["TIMEOUT", undefined, "Timeout"]
  ])("with %s is a failure", (reason, error, tag) => {
    const end = ending(reason, { error })
    const { error: failed, events } = decode(messageStart, end)
    expect(failed).toMatchObject({
      reason: { _tag: tag },
      message: error ?? "the provider ended the answer with TIMEOUT",
      fault: { protocol: "cohere-v2", raw: frames([end]) }
    })
    expect(events.map(({ _tag }) => _tag)).toEqual(["Started"])
  })
})

describe("a frame", () => {
  it("that means nothing here is passed over", () => {
    const events = eventsOf(messageStart, { type: "debug", prompt: "…" }, { type: "new" }, ending("COMPLETE"))
    expect(events.map(({ _tag }) => _tag)).toEqual(["Started", "Finish"])
  })

  it("may be an error", () => {
    const { error } = decodeText('data: {"id":"1","message":"too many tokens: size limit exceeded by 9 tokens."}\n\n')
    expect(error).toMatchObject({ reason: { _tag: "ContextTooLong" }, fault: { protocol: "cohere-v2" } })
  })

  it.each([
    "{",
    "[]",
    "{}",
    '{"type":"content-delta","index":0}',
    '{"type":"content-delta","index":-1,"delta":{"message":{"content":{}}}}',
    '{"type":"tool-plan-delta","delta":{"message":{"tool_plan":1}}}',
    '{"type":"message-end"}'
  ])("is malformed as %s", (data) =>
    expect(decodeText(`data: ${data}\n\n`).error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
  )
})

describe("a whole answer", () => {
  const whole = (document: unknown) => decodeWhole(cohereV2, Buffer.from(JSON.stringify(document)))

  it("says the same as a stream of it", () => {
    const { events, error } = whole({
      id: "m1",
      message: {
        tool_plan: "I look.",
        content: [
          { type: "thinking", thinking: "Hm" },
          { type: "text", text: "Sunny." }
        ],
        citations: [{ start: 0, end: 5, text: "Sunny", sources: [{ type: "tool", id: "c0:0" }] }],
        tool_calls: [begun("c1", "f", '{"a":1}')]
      },
      finish_reason: "TOOL_CALL",
      usage: { tokens: { input_tokens: 3, output_tokens: 4 } }
    })
    expect(error).toBeUndefined()
    expect(grammarFaults(events)).toEqual([])
    expect(foldEvents(events)).toMatchObject({
      id: "m1",
      choices: [
        {
          parts: [
            { _tag: "Reasoning", text: "I look." },
            { _tag: "Reasoning", text: "Hm" },
            { _tag: "Text", text: "Sunny.", sources: [{ start: 0, end: 5, title: "c0:0" }] },
            { _tag: "ToolCall", id: "c1", arguments: '{"a":1}' }
          ],
          finish: { reason: "tool-calls" }
        }
      ],
      usage: { inputTokens: 3, outputTokens: 4 }
    })
  })

  it("may be a failure, or nothing that can be read", () => {
    expect(whole({ message: {}, finish_reason: "ERROR" }).error?.reason._tag).toBe("UpstreamServer")
    expect(whole({ message: "no", id: "1" }).error).toMatchObject({ message: "no" })
    expect(whole({ hello: 1 }).error?.reason._tag).toBe("InvalidOutput")
  })
})
