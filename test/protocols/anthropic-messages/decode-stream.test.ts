import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import { readStreamEvent, StreamEvent } from "../../../src/protocols/anthropic-messages/stream-events.ts"
import { sseFrame } from "../../../src/wire/Sse.ts"
import { decodeStream, type Decoded } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

type Event = { readonly type: string } & Record<string, unknown>

const frames = (events: ReadonlyArray<Event>): string =>
  events.map((event) => sseFrame(JSON.stringify(event), event.type)).join("")

const decode = (text: string): Decoded => decodeStream(anthropicMessages, [Buffer.from(text)])

const messageStart = (message: Record<string, unknown> = {}): Event => ({
  type: "message_start",
  message: { id: "msg_1", model: "claude", content: [], usage: { input_tokens: 3, output_tokens: 1 }, ...message }
})
const start = (index: number, content_block: Event): Event => ({ type: "content_block_start", index, content_block })
const delta = (index: number, piece: Event): Event => ({ type: "content_block_delta", index, delta: piece })
const stop = (index: number): Event => ({ type: "content_block_stop", index })
const ending = (stop_reason: string | null, more: Record<string, unknown> = {}): Event => ({
  type: "message_delta",
  delta: { stop_reason, stop_sequence: null },
  usage: { output_tokens: 5 },
  ...more
})
const messageStop: Event = { type: "message_stop" }

/** The events of a stream of these blocks, without its head and end. */
const blockEvents = (...events: ReadonlyArray<Event>): ReadonlyArray<LlmEvent> => {
  const decoded = decode(frames([messageStart(), ...events, ending("end_turn"), messageStop]))
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  return decoded.events.filter(({ _tag }) => !["Started", "UsageReported", "Finish"].includes(_tag))
}
const responseOf = (...events: ReadonlyArray<Event>) => {
  const decoded = decode(frames(events))
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  return foldEvents(decoded.events)
}
const finishOf = (...events: ReadonlyArray<Event>) => responseOf(...events).choices[0]?.finish

describe("usage", () => {
  it("is merged key by key, the last statement of each winning", () => {
    const { usage } = responseOf(
      messageStart({ usage: { input_tokens: 10, cache_read_input_tokens: 4, output_tokens: 1 } }),
      ending("end_turn", { usage: { output_tokens: 7, cache_creation_input_tokens: 2, input_tokens: null } }),
      messageStop
    )
    expect(usage).toEqual({
      inputTokens: 16,
      outputTokens: 7,
      cachedTokens: 4,
      cacheWriteTokens: 2,
      source: "provider"
    })
  })

  it("corrects the zeros that a proxy says first", () => {
    const { usage } = responseOf(
      messageStart({ usage: { input_tokens: 0, output_tokens: 0 } }),
      ending("end_turn", {
        usage: { input_tokens: 120, output_tokens: 7, output_tokens_details: { thinking_tokens: 3 } }
      }),
      messageStop
    )
    expect(usage).toEqual({ inputTokens: 120, outputTokens: 7, reasoningTokens: 3, source: "provider" })
  })

  it("is not known where nobody states it, and later statements than the stop reason count", () => {
    expect(
      responseOf(messageStart({ usage: undefined }), ending("end_turn", { usage: null }), messageStop).usage
    ).toEqual({
      source: "none"
    })
    const late = responseOf(
      messageStart(),
      ending("end_turn"),
      ending(null, { usage: { output_tokens: 9 } }),
      messageStop
    )
    expect(late.usage.outputTokens).toBe(9)
  })

  it("stands behind the start, so that whoever renders knows the input", () => {
    const { events } = decode(frames([messageStart(), ending("end_turn"), messageStop]))
    expect(events.slice(0, 2)).toEqual([
      { _tag: "Started", id: "msg_1", model: "claude" },
      { _tag: "UsageReported", usage: { inputTokens: 3, outputTokens: 1, source: "provider" } }
    ])
  })
})

describe("tool calls", () => {
  const call = (id: string, text: string) => ({ _tag: "ToolCall", id, name: "f", arguments: text, valid: true })
  const tool = (id: string, more: Record<string, unknown> = {}): Event => ({
    type: "tool_use",
    id,
    name: "f",
    input: {},
    ...more
  })

  it("without input, or with nothing but an empty piece, have no arguments", () => {
    expect(blockEvents(start(0, tool("a")), stop(0)).at(-1)).toEqual(call("a", "{}"))
    const empty = blockEvents(start(0, tool("b")), delta(0, { type: "input_json_delta", partial_json: "" }), stop(0))
    expect(empty.at(-1)).toEqual(call("b", "{}"))
  })

  it("may state their input in the block, unless pieces follow", () => {
    const stated = blockEvents(start(0, tool("a", { input: { x: 1 } })), stop(0))
    expect(stated.map(({ _tag }) => _tag)).toEqual(["ToolInputStart", "ToolInputDelta", "ToolInputEnd", "ToolCall"])
    expect(stated.at(-1)).toEqual(call("a", '{"x":1}'))
    const pieces = blockEvents(
      start(0, tool("a", { input: { x: 1 } })),
      delta(0, { type: "input_json_delta", partial_json: '{"x":2}' }),
      stop(0)
    )
    expect(pieces.at(-1)).toEqual(call("a", '{"x":2}'))
  })

  it("that a limit cut are kept and not valid", () => {
    const cut = blockEvents(start(0, tool("a")), delta(0, { type: "input_json_delta", partial_json: '{"x":' }))
    expect(cut.at(-1)).toEqual({ ...call("a", '{"x":'), valid: false })
  })

  it("make the reason tool-calls, but neither a length nor the provider's own tools do", () => {
    const use = (type: string) => [messageStart(), start(0, { type, id: "t", name: "f", input: {} }), stop(0)]
    expect(finishOf(...use("tool_use"), ending("end_turn"), messageStop)).toEqual({
      reason: "tool-calls",
      rawReason: "end_turn"
    })
    expect(finishOf(...use("tool_use"), ending("max_tokens"), messageStop)?.reason).toBe("length")
    expect(finishOf(...use("server_tool_use"), ending("end_turn"), messageStop)?.reason).toBe("stop")
  })

  it("of tools that the provider runs are marked, with what only this format says of them", () => {
    const block = { type: "mcp_tool_use", id: "m", name: "echo", server_name: "s", input: {} }
    expect(blockEvents(start(0, block), stop(0))).toEqual([
      {
        _tag: "ToolInputStart",
        id: "m",
        name: "echo",
        providerExecuted: true,
        origin: { protocol: "anthropic-messages", value: { type: "mcp_tool_use", server_name: "s" } }
      },
      { _tag: "ToolInputEnd", id: "m" },
      { _tag: "ToolCall", id: "m", name: "echo", arguments: "{}", valid: true, providerExecuted: true }
    ])
  })

  it("that a program made stand in the start of the message, which then ends at once", () => {
    const content = [{ type: "tool_use", id: "t", name: "f", input: { player: 2 } }]
    const { choices } = responseOf(messageStart({ content, stop_reason: "tool_use" }), messageStop)
    expect(choices[0]).toEqual({
      index: 0,
      parts: [{ _tag: "ToolCall", id: "t", name: "f", arguments: '{"player":2}', valid: true }],
      finish: { reason: "tool-calls", rawReason: "tool_use" }
    })
  })
})

describe("reasoning", () => {
  it("may be empty but for its signature, in the block or after it", () => {
    const block = (signature: string) => start(0, { type: "thinking", thinking: "", signature })
    const expected = [
      { _tag: "ReasoningStart", id: "block-0" },
      { _tag: "ReasoningEnd", id: "block-0", signature: "sig", origin: "anthropic-messages" }
    ]
    expect(blockEvents(block(""), delta(0, { type: "signature_delta", signature: "sig" }), stop(0))).toEqual(expected)
    expect(blockEvents(block("sig"), stop(0))).toEqual(expected)
  })

  it("may be encrypted", () => {
    expect(blockEvents(start(0, { type: "redacted_thinking", data: "x" }), stop(0))).toEqual([
      { _tag: "ReasoningStart", id: "block-0", redacted: "x", origin: "anthropic-messages" },
      { _tag: "ReasoningEnd", id: "block-0" }
    ])
  })

  it("says whose it is, also where nobody signed it", () => {
    expect(blockEvents(start(0, { type: "thinking", thinking: "hm", signature: "" }), stop(0))).toEqual([
      { _tag: "ReasoningStart", id: "block-0" },
      { _tag: "ReasoningDelta", id: "block-0", text: "hm" },
      { _tag: "ReasoningEnd", id: "block-0", origin: "anthropic-messages" }
    ])
  })
})

describe("other blocks", () => {
  const protocol = "anthropic-messages"

  it("are results of the provider's tools, verbatim", () => {
    const value = { type: "web_search_tool_result", tool_use_id: "s", content: [{ url: "u" }] }
    expect(blockEvents(start(0, value), stop(0))).toEqual([{ _tag: "ToolResult", callId: "s", protocol, value }])
  })

  it("are passed whole, also where they come in pieces", () => {
    const later = blockEvents(
      start(0, { type: "sketch", lines: "" }),
      delta(0, { type: "sketch_delta", lines: "one " }),
      delta(0, { type: "sketch_delta", lines: "two", width: 2 }),
      stop(0)
    )
    const value = { type: "sketch", lines: "one two", width: 2 }
    expect(later).toEqual([{ _tag: "Opaque", protocol, value }])
  })

  it("are what a compaction is in the end, whatever it began with", () => {
    const value = { type: "compaction", content: "in short", encrypted_content: "e" }
    const begun = blockEvents(
      start(0, { ...value, content: null }),
      delta(0, { ...value, type: "compaction_delta" }),
      stop(0)
    )
    expect(begun).toEqual([{ _tag: "Opaque", protocol, value }])
    const failed = blockEvents(
      start(0, { type: "compaction", content: "in" }),
      delta(0, { type: "compaction_delta", content: null }),
      stop(0)
    )
    expect(failed).toEqual([{ _tag: "Opaque", protocol, value: { type: "compaction", content: null } }])
  })

  it("cite sources", () => {
    const citation = { type: "char_location", cited_text: "c", document_title: "d", start_char_index: 0 }
    const web = { type: "web_search_result_location", url: "https://example.com", title: "t", cited_text: "w" }
    expect(
      blockEvents(
        start(0, { type: "text", text: "a", citations: [citation] }),
        delta(0, { type: "citations_delta", citation: web }),
        stop(0)
      )
    ).toEqual([
      { _tag: "TextStart", id: "block-0" },
      { _tag: "TextDelta", id: "block-0", text: "a" },
      { _tag: "Source", block: "block-0", title: "d", citedText: "c", origin: { protocol, value: citation } },
      {
        _tag: "Source",
        block: "block-0",
        url: "https://example.com",
        title: "t",
        citedText: "w",
        origin: { protocol, value: web }
      },
      { _tag: "TextEnd", id: "block-0" }
    ])
  })

  it("may come without an announcement or an end", () => {
    expect(blockEvents(delta(0, { type: "text_delta", text: "x" }))).toEqual([
      { _tag: "TextStart", id: "block-0" },
      { _tag: "TextDelta", id: "block-0", text: "x" },
      { _tag: "TextEnd", id: "block-0" }
    ])
  })
})

describe("the end", () => {
  it.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool-calls"],
    ["pause_turn", "pause"],
    ["refusal", "refusal"],
    ["not_invented_yet", "unknown"]
  ])("%s is %s", (rawReason, reason) => {
    expect(finishOf(messageStart(), ending(rawReason), messageStop)).toEqual({ reason, rawReason })
  })

  it("names the stop sequence", () => {
    const delta = { stop_reason: "stop_sequence", stop_sequence: "END" }
    expect(finishOf(messageStart(), { type: "message_delta", delta }, messageStop)).toEqual({
      reason: "stop",
      rawReason: "stop_sequence",
      stopSequence: "END"
    })
  })

  it("says why the model declined, apart from what it wrote before", () => {
    const stop_details = { type: "refusal", category: "cyber", explanation: "Not this." }
    const told: Event = { type: "message_delta", delta: { stop_reason: "refusal", stop_details }, usage: {} }
    const text = [start(0, { type: "text", text: "" }), delta(0, { type: "text_delta", text: "Well" }), stop(0)]
    expect(responseOf(messageStart(), ...text, told, messageStop).choices[0]).toMatchObject({
      parts: [
        { _tag: "Text", text: "Well" },
        { _tag: "Refusal", text: "Not this." }
      ],
      finish: { reason: "refusal" }
    })
    const unsaid: Event = { type: "message_delta", delta: { stop_reason: "refusal", stop_details: null }, usage: {} }
    expect(responseOf(messageStart(), ...text, unsaid, messageStop).choices[0]?.parts).toHaveLength(1)
  })

  it("is one with a stop reason and no terminator, and with a terminator and no reason", () => {
    expect(finishOf(messageStart(), ending("end_turn"))?.reason).toBe("stop")
    expect(finishOf(messageStart(), messageStop)?.reason).toBe("unknown")
  })

  it("is none without both", () => {
    const text = [messageStart(), start(0, { type: "text", text: "Hal" })]
    expect(decode(frames(text)).error?.reason).toEqual({ _tag: "IncompleteStream", kind: "noStop" })
    expect(decode("").error?.reason).toEqual({ _tag: "IncompleteStream", kind: "empty" })
    expect(decode(sseFrame('{"type":"ping"}', "ping")).error?.reason).toEqual({
      _tag: "IncompleteStream",
      kind: "empty"
    })
  })

  it("comes once: the first reason counts, text after it and frames after the terminator do not", () => {
    const { choices } = responseOf(
      messageStart(),
      ending("max_tokens"),
      start(0, { type: "text", text: "late" }),
      stop(0),
      ending("end_turn"),
      messageStop,
      messageStart({ id: "again" }),
      { type: "error", error: { type: "api_error", message: "late" } }
    )
    expect(choices).toEqual([{ index: 0, parts: [], finish: { reason: "length", rawReason: "max_tokens" } }])
  })
})

describe("frames that are not for the decoder", () => {
  it("are passed over: pings, unknown events, the terminator of another format, padding", () => {
    const text =
      frames([messageStart(), { type: "ping" }, { type: "not_invented_yet", data: 1 }]) +
      'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}       }\n\n' +
      "event: data\ndata: [DONE]\n\n"
    const decoded = decode(text)
    expect(decoded.error).toBeUndefined()
    expect(decoded.events.map(({ _tag }) => _tag)).toEqual(["Started", "UsageReported", "Finish"])
  })

  it.each([
    ["no JSON", "{"],
    ["no object", "7"],
    ["no type", "{}"],
    ["no index", '{"type":"content_block_stop"}'],
    ["an index beyond reason", '{"type":"content_block_start","index":1025,"content_block":{"type":"text"}}'],
    ["no delta", '{"type":"content_block_delta","index":0}']
  ])("are malformed: %s", (_name, data) => {
    expect(decode(sseFrame(data)).error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
  })
})

describe("errors in the stream", () => {
  it.each([
    ["overloaded_error", { _tag: "Overloaded" }],
    ["rate_limit_error", { _tag: "RateLimited" }],
    ["api_error", { _tag: "UpstreamServer" }],
    ["invalid_request_error", { _tag: "InvalidRequest", kind: "type" }],
    ["authentication_error", { _tag: "Unauthorized" }],
    ["permission_error", { _tag: "PermissionDenied" }],
    ["not_found_error", { _tag: "InvalidRequest", kind: "notFound" }],
    ["request_too_large", { _tag: "InvalidRequest", kind: "tooLarge" }],
    ["timeout_error", { _tag: "Timeout", phase: "idle" }],
    ["billing_error", { _tag: "QuotaExceeded" }],
    ["not_invented_yet", { _tag: "UpstreamServer" }]
  ])("%s", (type, reason) => {
    const frame = sseFrame(JSON.stringify({ type: "error", error: { type, message: "why" } }), "error")
    const { error } = decode(frames([messageStart()]) + frame)
    expect(error).toMatchObject({ reason, message: "why", fault: { type, protocol: "anthropic-messages", raw: frame } })
  })

  it("may come without a type", () => {
    const { error } = decode(sseFrame('{"error":{"code":502,"message":"upstream"}}'))
    expect(error).toMatchObject({ reason: { _tag: "UpstreamServer" }, message: "upstream" })
  })
})

describe("the reader by hand", () => {
  it("accepts what the schema accepts", () => {
    const accepts = Schema.is(StreamEvent)
    const values: ReadonlyArray<unknown> = [
      undefined,
      null,
      0,
      1,
      -1,
      1.5,
      1025,
      "text",
      {},
      { type: "t" },
      { type: 1 },
      [],
      [{}]
    ]
    const types = ["message_start", "content_block_start", "content_block_delta", "content_block_stop"]
    for (const type of [...types, "message_delta", "message_stop", "error", "ping", undefined]) {
      for (const inside of ["message", "content_block", "delta", "error", "usage"]) {
        for (const value of values) {
          for (const index of values) {
            const event = JSON.parse(JSON.stringify({ type, index, delta: {}, [inside]: value })) as unknown
            const read = readStreamEvent(event)
            // An error without a type is one by courtesy, and no event of the schema.
            if (type === undefined && typeof read === "object") continue
            expect([event, typeof read === "object"]).toEqual([event, accepts(event)])
          }
        }
      }
    }
  })
})
