import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { geminiInteractions } from "../../../src/protocols/gemini-interactions/outbound.ts"
import { sseFrame } from "../../../src/wire/Sse.ts"
import { decodeStream, decodeWhole, type Decoded } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

type Fields = Record<string, unknown>
type Event = Fields & { readonly event_type: string }

const created: Event = { event_type: "interaction.created", interaction: { id: "v1_1", model: "gemini-3" } }
const start = (index: number, step: Fields): Event => ({ event_type: "step.start", index, step })
const delta = (index: number, piece: Fields, more: Fields = {}): Event => ({
  event_type: "step.delta",
  index,
  delta: piece,
  ...more
})
const stop = (index: number): Event => ({ event_type: "step.stop", index })
const completed = (status = "completed", more: Fields = {}): Event => ({
  event_type: "interaction.completed",
  interaction: { id: "v1_1", status, ...more }
})
const output = { type: "model_output" }
const said = (text: string) => ({ type: "text", text })

const frames = (events: ReadonlyArray<Event>): string =>
  events.map((event) => sseFrame(JSON.stringify(event), event.event_type)).join("")
const decodeText = (text: string): Decoded => decodeStream(geminiInteractions, [Buffer.from(text)])
const decode = (...events: ReadonlyArray<Event>): Decoded => decodeText(frames(events))
const eventsOf = (...events: ReadonlyArray<Event>): ReadonlyArray<LlmEvent> => {
  const decoded = decode(...events)
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  return decoded.events
}
/** The events of a stream of these steps, without its head and end. */
const stepEvents = (...events: ReadonlyArray<Event>) => eventsOf(created, ...events, completed()).slice(1, -1)

describe("what the model says", () => {
  it("is text", () => {
    expect(stepEvents(start(0, output), delta(0, said("A")), delta(0, said("B")), stop(0))).toEqual([
      { _tag: "TextStart", id: "step-0" },
      { _tag: "TextDelta", id: "step-0", text: "A" },
      { _tag: "TextDelta", id: "step-0", text: "B" },
      { _tag: "TextEnd", id: "step-0" }
    ])
  })

  it("is images among texts", () => {
    const image = { type: "image", data: "AAAA", mime_type: "image/png" }
    const stored = { type: "image", uri: "https://example.com/a.png" }
    const events = stepEvents(
      start(0, output),
      delta(0, said("A")),
      delta(0, image),
      delta(0, said("B")),
      delta(0, stored)
    )
    expect(events.map((event) => ("id" in event ? `${event._tag} ${event.id}` : event._tag))).toEqual([
      "TextStart step-0",
      "TextDelta step-0",
      "TextEnd step-0",
      "Media",
      "TextStart step-0-1",
      "TextDelta step-0-1",
      "TextEnd step-0-1",
      "Opaque"
    ])
    expect(events[3]).toEqual({ _tag: "Media", mediaType: "image/png", data: "AAAA" })
    expect(events[7]).toEqual({ _tag: "Opaque", protocol: "gemini-interactions", value: stored })
  })

  it("cites sources by bytes of its text, which are code units here", () => {
    const annotation = { type: "url_citation", url: "https://example.com", title: "T", start_index: 5, end_index: 8 }
    const events = stepEvents(
      start(0, output),
      delta(0, said("é👋")),
      delta(0, said("!x")),
      delta(0, { type: "text_annotation_delta", annotations: [annotation, { ...annotation, start_index: undefined }] }),
      stop(0)
    )
    const sources = events.filter(({ _tag }) => _tag === "Source")
    expect(sources).toMatchObject([
      {
        block: "step-0",
        url: "https://example.com",
        title: "T",
        start: 2,
        end: 5,
        origin: { protocol: "gemini-interactions", value: annotation }
      },
      { start: 0, end: 5 }
    ])
  })

  it("is annotated with more than sources, which this format alone has words for", () => {
    const spoken = { type: "speech_metadata", speaker: "Ada", start_index: 0, end_index: 1 }
    const events = stepEvents(
      start(0, output),
      delta(0, said("A")),
      delta(0, { type: "text_annotation_delta", annotations: [spoken] }),
      stop(0)
    )
    expect(events[2]).toEqual({ _tag: "Opaque", protocol: "gemini-interactions", value: spoken })
    expect(events.filter(({ _tag }) => _tag === "Source")).toEqual([])
  })

  it("may be announced by nothing", () => {
    const events = stepEvents(delta(0, { type: "thought_summary", content: said("Hm") }), delta(1, said("A")))
    expect(foldEvents([created as never, ...events]).choices[0]?.parts).toMatchObject([
      { _tag: "Reasoning", text: "Hm" },
      { _tag: "Text", text: "A" }
    ])
  })
})

describe("thoughts", () => {
  it("may be drawn", () => {
    const image = { type: "image", data: "AAAA", mime_type: "image/png" }
    const events = stepEvents(
      start(0, { type: "thought" }),
      delta(0, { type: "thought_summary", content: image }),
      stop(0)
    )
    expect(events.find(({ _tag }) => _tag === "Opaque")).toMatchObject({ value: image })
  })

  it("have summaries, and a signature whose first tries may be empty", () => {
    const signature = (text: string) => ({ type: "thought_signature", signature: text })
    expect(
      stepEvents(
        start(0, { type: "thought" }),
        delta(0, { type: "thought_summary", content: said("Hm") }),
        delta(0, signature("")),
        delta(0, signature("sig+/==")),
        delta(0, signature("")),
        stop(0)
      )
    ).toEqual([
      { _tag: "ReasoningStart", id: "step-0" },
      { _tag: "ReasoningDelta", id: "step-0", text: "Hm" },
      { _tag: "ReasoningEnd", id: "step-0", signature: "sig+/==", origin: "gemini-interactions" }
    ])
  })
})

describe("calls", () => {
  it("of a client's tool come in pieces of text", () => {
    const events = eventsOf(
      created,
      start(0, { type: "function_call", id: "c1", name: "f", arguments: {}, signature: "" }),
      delta(0, { type: "arguments_delta", arguments: '{"a"' }),
      delta(0, { type: "arguments_delta", arguments: ":1}" }),
      stop(0),
      completed("requires_action")
    )
    expect(events.slice(1)).toEqual([
      { _tag: "ToolInputStart", id: "c1", name: "f" },
      { _tag: "ToolInputDelta", id: "c1", text: '{"a"' },
      { _tag: "ToolInputDelta", id: "c1", text: ":1}" },
      { _tag: "ToolInputEnd", id: "c1" },
      { _tag: "ToolCall", id: "c1", name: "f", arguments: '{"a":1}', valid: true },
      { _tag: "Finish", reason: "tool-calls", rawReason: "requires_action", usage: { source: "none" } }
    ])
  })

  it("may state their arguments at once, or have none, and may be signed", () => {
    const call = (id: string, more: Fields) => start(0, { type: "function_call", id, name: "f", ...more })
    const events = stepEvents(call("c1", { arguments: { a: 1 }, signature: "s" }), stop(0), call("c2", {}), stop(0))
    expect(events[0]).toMatchObject({ origin: { protocol: "gemini-interactions", value: { signature: "s" } } })
    expect(events.filter(({ _tag }) => _tag === "ToolCall")).toMatchObject([
      { id: "c1", arguments: '{"a":1}', valid: true },
      { id: "c2", arguments: "{}", valid: true }
    ])
  })

  it("may have their arguments as text from the beginning", () => {
    const call = { type: "function_call", id: "c1", name: "f", arguments: '{"a":1}' }
    expect(stepEvents(start(0, call), stop(0)).at(-1)).toMatchObject({ arguments: '{"a":1}', valid: true })
  })

  it("of the provider's tools are calls and answers that nobody else runs", () => {
    const call = { type: "google_search_call", id: "s1", search_type: "web_search" }
    const events = eventsOf(
      created,
      start(0, call),
      delta(0, { type: "google_search_call", arguments: { queries: ["q"] } }),
      stop(0),
      start(1, { type: "google_search_result", call_id: "s1" }),
      delta(1, { type: "google_search_result", result: [{ title: "T" }], is_error: false }),
      stop(1),
      completed()
    )
    const head = { id: "s1", name: "google_search_call", providerExecuted: true }
    expect(events.slice(1)).toEqual([
      { _tag: "ToolInputStart", ...head, origin: { protocol: "gemini-interactions", value: call } },
      { _tag: "ToolInputDelta", id: "s1", text: '{"queries":["q"]}' },
      { _tag: "ToolInputEnd", id: "s1" },
      { _tag: "ToolCall", ...head, arguments: '{"queries":["q"]}', valid: true },
      {
        _tag: "ToolResult",
        callId: "s1",
        protocol: "gemini-interactions",
        value: { type: "google_search_result", call_id: "s1", result: [{ title: "T" }], is_error: false }
      },
      { _tag: "Finish", reason: "stop", rawReason: "completed", usage: { source: "none" } }
    ])
  })

  it("and steps that nobody knows pass whole, what the caller said himself not at all", () => {
    const events = stepEvents(
      start(0, { type: "user_input", content: [said("Hi")] }),
      stop(0),
      start(1, { type: "not_invented_yet", text: "a" }),
      delta(1, { type: "text", text: "b", more: 1 }),
      stop(1)
    )
    expect(events).toEqual([
      {
        _tag: "Opaque",
        protocol: "gemini-interactions",
        value: { type: "not_invented_yet", text: "ab", more: 1 }
      }
    ])
  })
})

describe("usage", () => {
  const usage = {
    total_input_tokens: 10,
    total_cached_tokens: 4,
    total_output_tokens: 3,
    total_thought_tokens: 5,
    total_tool_use_tokens: 2,
    total_tokens: 20
  }
  const canonical = { inputTokens: 12, outputTokens: 8, cachedTokens: 4, reasoningTokens: 5, source: "provider" }

  it("has thoughts in its output and what tools read in its input", () =>
    expect(foldEvents(eventsOf(created, completed("completed", { usage }))).usage).toEqual(canonical))

  it.each([
    { event_type: "step.stop", index: 0, usage, step_usage: { total_input_tokens: 1 } },
    { event_type: "step.delta", index: 0, delta: said("B"), metadata: { total_usage: usage } },
    { event_type: "interaction.status_update", interaction_id: "v1_1", status: "in_progress", usage }
  ])("may be told by %j", (event) =>
    expect(eventsOf(created, delta(0, said("A")), event, completed()).at(-1)).toMatchObject({ usage: canonical })
  )

  it("may be told on the way, beside an event", () => {
    const events = eventsOf(created, delta(0, said("A"), { metadata: { usage } }), completed())
    expect(events.filter(({ _tag }) => _tag === "UsageReported")).toEqual([{ _tag: "UsageReported", usage: canonical }])
    expect(events.at(-1)).toMatchObject({ usage: canonical })
  })
})

describe("the end", () => {
  it.each([
    ["completed", "stop"],
    ["incomplete", "length"],
    ["requires_continuation", "length"],
    ["budget_exceeded", "length"],
    ["not_invented_yet", "unknown"]
  ])("as %s is %s", (status, reason) =>
    expect(eventsOf(created, completed(status)).at(-1)).toMatchObject({ reason, rawReason: status })
  )

  it("by the limit stays one where a tool was called", () => {
    const call = start(0, { type: "function_call", id: "c", name: "f" })
    expect(eventsOf(created, call, completed("incomplete")).at(-1)).toMatchObject({ reason: "length" })
    expect(eventsOf(created, call, completed("completed")).at(-1)).toMatchObject({ reason: "tool-calls" })
  })

  it("of what came to nothing is no success", () => {
    const error = { code: 13, message: "broken" }
    const events = eventsOf(created, start(0, { ...output, error }), stop(0), completed())
    expect(events.at(-1)).toMatchObject({ reason: "error", rawReason: "completed" })
    expect(events[1]).toMatchObject({ _tag: "Opaque", value: { error } })
  })

  it("as a failure may tell several errors, of which the first counts", () => {
    const errors = [{ code: "overloaded", message: "too busy" }, { code: "internal" }]
    expect(decode(created, completed("failed", { errors })).error).toMatchObject({
      reason: { _tag: "Overloaded" },
      message: "too busy"
    })
  })

  it("may be followed by the terminator of another format, which is none without it", () => {
    const done = sseFrame("[DONE]", "done")
    expect(decodeText(frames([created, completed()]) + done).error).toBeUndefined()
    expect(decodeText(frames([created]) + done).error?.reason).toEqual({ _tag: "IncompleteStream", kind: "noStop" })
    expect(decodeText(done).error?.reason).toEqual({ _tag: "IncompleteStream", kind: "empty" })
  })

  it.each(["failed", "cancelled"])("as %s is a failure", (status) => {
    const { error, events } = decode(created, completed(status))
    expect(error).toMatchObject({ reason: { _tag: "UpstreamServer" }, fault: { protocol: "gemini-interactions" } })
    expect(events.map(({ _tag }) => _tag)).toEqual(["Started"])
  })
})

describe("a frame", () => {
  it("that means nothing here is passed over", () => {
    const update = { event_type: "interaction.status_update", interaction_id: "v1_1", status: "in_progress" }
    expect(stepEvents(update, { event_type: "new" })).toEqual([])
  })

  it("may be an error", () => {
    const event = { event_type: "error", error: { code: "quota_exceeded", message: "no more today" } }
    expect(decode(created, event).error).toMatchObject({
      reason: { _tag: "QuotaExceeded" },
      message: "no more today",
      fault: { code: "quota_exceeded", protocol: "gemini-interactions", raw: frames([event]) }
    })
    const bare = sseFrame(JSON.stringify({ error: { code: 503, status: "UNAVAILABLE", message: "busy" } }))
    expect(decodeText(bare).error?.reason).toEqual({ _tag: "Overloaded" })
  })

  it.each([
    "{",
    "[]",
    "{}",
    '{"event_type":"step.delta","index":0}',
    '{"event_type":"step.delta","index":5000,"delta":{"type":"text"}}',
    '{"event_type":"step.start","index":0,"step":{}}',
    '{"event_type":"interaction.completed"}'
  ])("is malformed as %s", (data) =>
    expect(decodeText(sseFrame(data)).error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
  )
})

describe("a whole answer", () => {
  const whole = (document: unknown) => decodeWhole(geminiInteractions, Buffer.from(JSON.stringify(document)))

  it("says the same as a stream of it", () => {
    const { events, error } = whole({
      id: "v1_1",
      model: "gemini-3",
      created: "2026-05-15T18:52:00Z",
      service_tier: "standard",
      status: "requires_action",
      steps: [
        { type: "thought", signature: "s", summary: [said("Hm")] },
        { type: "model_output", content: [{ ...said("A"), annotations: [{ url: "https://example.com" }] }, said("B")] },
        { type: "function_call", id: "c1", name: "f", arguments: { a: 1 } }
      ],
      usage: { total_input_tokens: 1, total_output_tokens: 2 }
    })
    expect(error).toBeUndefined()
    expect(grammarFaults(events)).toEqual([])
    expect(foldEvents(events)).toMatchObject({
      id: "v1_1",
      created: 1_778_871_120,
      serviceTier: "standard",
      choices: [
        {
          parts: [
            { _tag: "Reasoning", text: "Hm", signature: "s", origin: "gemini-interactions" },
            { _tag: "Text", text: "A", sources: [{ url: "https://example.com" }] },
            { _tag: "Text", text: "B" },
            { _tag: "ToolCall", id: "c1", arguments: '{"a":1}' }
          ],
          finish: { reason: "tool-calls" }
        }
      ],
      usage: { inputTokens: 1, outputTokens: 2 }
    })
  })

  it("may be a failure, or nothing that can be read", () => {
    expect(whole({ status: "failed", error: { code: "overloaded", message: "busy" } }).error).toMatchObject({
      reason: { _tag: "Overloaded" },
      message: "busy"
    })
    expect(whole({ error: { message: "no" } }).error).toMatchObject({ message: "no" })
    expect(whole({ hello: 1 }).error?.reason._tag).toBe("InvalidOutput")
  })
})
