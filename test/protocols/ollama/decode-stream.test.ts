import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { ollama } from "../../../src/protocols/ollama/outbound.ts"
import { decodeStream, decodeWhole, type Decoded } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

type Line = Record<string, unknown>

const head = { model: "qwen3", created_at: "2026-08-07T06:08:11.017589Z" }
const said = (message: Line, more: Line = {}): Line => ({
  ...head,
  message: { role: "assistant", content: "", ...message },
  done: false,
  ...more
})
const last = (more: Line = {}): Line => ({ ...said({}), done: true, done_reason: "stop", ...more })

const decode = (...lines: ReadonlyArray<Line>): Decoded =>
  decodeStream(ollama, [Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""))])

const eventsOf = (...lines: ReadonlyArray<Line>): ReadonlyArray<LlmEvent> => {
  const { events, error } = decode(...lines)
  expect(error).toBeUndefined()
  expect(grammarFaults(events)).toEqual([])
  return events
}
const finishOf = (...lines: ReadonlyArray<Line>) => eventsOf(...lines).at(-1)

describe("a stream", () => {
  it("begins with the model and the moment, without an id", () => {
    expect(eventsOf(said({ content: "Hi" }), last())[0]).toEqual({
      _tag: "Started",
      id: "",
      model: "qwen3",
      created: 1_786_082_891
    })
  })

  it("alternates between thinking and text, each in blocks of its own", () => {
    const tags = eventsOf(
      said({ thinking: "Hm" }),
      said({ thinking: "." }),
      said({ content: "A", thinking: "!" }),
      said({ content: "B" }),
      said({ thinking: "So" }),
      last()
    ).map((event) => ("text" in event && "id" in event ? `${event._tag} ${event.id} ${event.text}` : event._tag))
    expect(tags).toEqual([
      "Started",
      "ReasoningStart",
      "ReasoningDelta block-0 Hm",
      "ReasoningDelta block-0 .",
      "ReasoningDelta block-0 !",
      "ReasoningEnd",
      "TextStart",
      "TextDelta block-1 A",
      "TextDelta block-1 B",
      "TextEnd",
      "ReasoningStart",
      "ReasoningDelta block-2 So",
      "ReasoningEnd",
      "Finish"
    ])
  })

  it("may be one of the older API for completions", () => {
    const line = (response: string, more: Line = {}) => ({ ...head, response, done: false, ...more })
    const { choices } = foldEvents(
      eventsOf(line("", { thinking: "Hm" }), line("A"), line("B"), line("", { done: true, context: [1, 2] }))
    )
    expect(choices[0]?.parts).toMatchObject([
      { _tag: "Reasoning", text: "Hm" },
      { _tag: "Text", text: "AB" }
    ])
  })

  it("carries log probabilities with the text", () => {
    const logprobs = [
      { token: "A", logprob: -0.1, bytes: [65], top_logprobs: [{ token: "B", logprob: -2 }] },
      { token: "!", logprob: -0.2 }
    ]
    expect(eventsOf(said({ content: "A!" }, { logprobs }), last())[2]).toEqual({
      _tag: "TextDelta",
      id: "block-0",
      text: "A!",
      logprobs: [
        { token: "A", logprob: -0.1, bytes: [65], top: [{ token: "B", logprob: -2 }] },
        { token: "!", logprob: -0.2, top: [] }
      ]
    })
  })

  it("ends once: what comes after its last line is not read", () => {
    const { events, error } = decode(said({ content: "A" }), last(), said({ content: "B" }))
    expect(error).toBeUndefined()
    expect(events.at(-1)).toMatchObject({ _tag: "Finish", reason: "stop" })
    expect(foldEvents(events).choices[0]?.parts).toMatchObject([{ text: "A" }])
  })
})

describe("tool calls", () => {
  const call = (name: string, input: unknown, more: Line = {}) => ({ ...more, function: { name, arguments: input } })
  const idsOf = (events: ReadonlyArray<LlmEvent>) =>
    events.flatMap((event) => (event._tag === "ToolCall" ? [event.id] : []))

  it("come whole, with their arguments as an object", () => {
    const events = eventsOf(said({ tool_calls: [call("add", { a: 2, b: "x" }, { id: "call_1" })] }), last())
    expect(events.slice(1, -1)).toEqual([
      { _tag: "ToolInputStart", id: "call_1", name: "add" },
      { _tag: "ToolInputDelta", id: "call_1", text: '{"a":2,"b":"x"}' },
      { _tag: "ToolInputEnd", id: "call_1" },
      { _tag: "ToolCall", id: "call_1", name: "add", arguments: '{"a":2,"b":"x"}', valid: true }
    ])
    expect(events.at(-1)).toMatchObject({ reason: "tool-calls", rawReason: "stop" })
  })

  it("without ids get some that are stable and differ from call to call and from turn to turn", () => {
    const turn = (created_at: string) =>
      idsOf(eventsOf(said({ tool_calls: [call("f", {}), call("f", {})] }, { created_at }), last()))
    const one = turn("2026-08-07T06:08:11.017589Z")
    const other = turn("2026-08-07T06:08:12.500000Z")
    expect(turn("2026-08-07T06:08:11.017589Z")).toEqual(one)
    expect(new Set([...one, ...other]).size).toBe(4)
    for (const id of one) expect(id).toMatch(/^[a-zA-Z0-9_-]+$/)
  })

  it("may have no arguments, or their text", () => {
    const calls = [call("f", undefined), call("g", null), call("h", '{"a":1}'), call("i", '{"a":')]
    const events = eventsOf(said({ tool_calls: calls }), last())
    const ended = events.flatMap((event) => (event._tag === "ToolCall" ? [[event.arguments, event.valid]] : []))
    expect(ended).toEqual([
      ["{}", true],
      ["{}", true],
      ['{"a":1}', true],
      ['{"a":', false]
    ])
  })

  it("stand between blocks of text", () => {
    const tags = eventsOf(
      said({ content: "A" }),
      said({ tool_calls: [call("f", {})] }),
      said({ content: "B" }),
      last()
    ).map(({ _tag }) => _tag)
    expect(tags.slice(1, -1)).toEqual([
      "TextStart",
      "TextDelta",
      "TextEnd",
      "ToolInputStart",
      "ToolInputDelta",
      "ToolInputEnd",
      "ToolCall",
      "TextStart",
      "TextDelta",
      "TextEnd"
    ])
  })
})

describe("the end", () => {
  it.each([
    ["stop", "stop"],
    ["length", "length"],
    ["load", "unknown"],
    ["unload", "unknown"],
    ["not invented yet", "unknown"]
  ])("with %s is %s", (done_reason, reason) => {
    expect(finishOf(last({ done_reason }))).toMatchObject({ reason, rawReason: done_reason })
  })

  it("without a reason is an ending still", () => {
    const finish = finishOf(said({ content: "A" }), last({ done_reason: undefined }))
    expect(finish).toEqual({ _tag: "Finish", reason: "unknown", usage: { source: "none" } })
  })

  it("by the limit stays one where a tool was called", () => {
    const calls = said({ tool_calls: [{ function: { name: "f", arguments: {} } }] })
    expect(finishOf(calls, last({ done_reason: "length" }))).toMatchObject({ reason: "length" })
  })

  it("counts what the server counted: a prompt that it had at hand is not zero", () => {
    expect(finishOf(last({ prompt_eval_count: 12, eval_count: 3 }))).toMatchObject({
      usage: { inputTokens: 12, outputTokens: 3, source: "provider" }
    })
    expect(finishOf(last({ eval_count: 3 }))).toHaveProperty("usage", { outputTokens: 3, source: "provider" })
    const cached = last({ prompt_eval_count: "12", prompt_eval_cached_count: 8, eval_count: 3 })
    expect(finishOf(cached)).toMatchObject({ usage: { inputTokens: 12, cachedTokens: 8, outputTokens: 3 } })
  })
})

describe("a stream that fails", () => {
  it("is incomplete where its last line is missing", () => {
    expect(decode().error?.reason).toEqual({ _tag: "IncompleteStream", kind: "empty" })
    expect(decode(said({ content: "A" })).error?.reason).toEqual({ _tag: "IncompleteStream", kind: "noStop" })
  })

  it.each(['{"model":', "[]", '"text"', '{"message":{"content":1}}', '{"message":{"tool_calls":[{}]}}'])(
    "is malformed where a line is %s",
    (line) => {
      const { error } = decodeStream(ollama, [Buffer.from(`${line}\n`)])
      expect(error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
    }
  )

  it("says so in a line of its own", () => {
    const line = { error: "an error was encountered while running the model: unexpected EOF" }
    const { error, events } = decode(said({ content: "A" }), line, last())
    expect(error).toMatchObject({
      reason: { _tag: "UpstreamServer" },
      message: line.error,
      fault: { protocol: "ollama", raw: `${JSON.stringify(line)}\n` }
    })
    expect(events.at(-1)).toMatchObject({ _tag: "TextDelta", text: "A" })
  })
})

describe("a whole answer", () => {
  const whole = (document: unknown) => decodeWhole(ollama, Buffer.from(JSON.stringify(document)))

  it("is over even where it does not say so", () => {
    const { events } = whole({
      ...last({ done: false, done_reason: "length", eval_count: 3 }),
      message: { content: "A" }
    })
    expect(events.at(-1)).toMatchObject({ reason: "length", usage: { outputTokens: 3 } })
  })

  it("is its own last line", () => {
    const { events } = whole({ ...last(), message: { role: "assistant", content: "A", thinking: "Hm" } })
    expect(grammarFaults(events)).toEqual([])
    expect(foldEvents(events).choices[0]).toMatchObject({
      parts: [{ text: "Hm" }, { text: "A" }],
      finish: { reason: "stop" }
    })
  })

  it("may say that the model was loaded and nothing else", () => {
    expect(whole(last({ done_reason: "load" })).events.map(({ _tag }) => _tag)).toEqual(["Started", "Finish"])
  })

  it("may be an error, or nothing that can be read", () => {
    expect(whole({ error: "server busy, please try again" }).error?.reason).toEqual({ _tag: "Overloaded" })
    expect(whole({ hello: 1 }).error?.reason._tag).toBe("InvalidOutput")
  })
})
