import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { isObject } from "../../../src/protocols/open-document.ts"
import { citationOf } from "../../../src/protocols/bedrock-converse/citations.ts"
import { bedrockConverse } from "../../../src/protocols/bedrock-converse/outbound.ts"
import { awsEvent, awsException, awsMessage } from "../../../src/wire/AwsMessage.ts"
import { decodeStream, decodeWhole, type Decoded } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

const protocol = "bedrock-converse"

const messageStart = awsEvent("messageStart", { role: "assistant", p: "abcdefgh" })
const start = (contentBlockIndex: number, begun: unknown) =>
  awsEvent("contentBlockStart", { contentBlockIndex, start: begun, p: "abc" })
const delta = (contentBlockIndex: number, piece: unknown) =>
  awsEvent("contentBlockDelta", { contentBlockIndex, delta: piece, p: "a" })
const stop = (contentBlockIndex: number) => awsEvent("contentBlockStop", { contentBlockIndex })
const messageStop = (stopReason: string, more: object = {}) => awsEvent("messageStop", { stopReason, ...more })
const metadata = (usage: unknown = { inputTokens: 3, outputTokens: 5, totalTokens: 8 }, more: object = {}) =>
  awsEvent("metadata", { usage, metrics: { latencyMs: 1 }, ...more })

const decode = (...messages: ReadonlyArray<Uint8Array>): Decoded => decodeStream(bedrockConverse, messages)

const decoded = (...messages: ReadonlyArray<Uint8Array>): ReadonlyArray<LlmEvent> => {
  const { events, error } = decode(...messages)
  expect(error).toBeUndefined()
  expect(grammarFaults(events)).toEqual([])
  return events
}

/** The events of a stream of these blocks, without its head and end. */
const blockEvents = (...messages: ReadonlyArray<Uint8Array>): ReadonlyArray<LlmEvent> =>
  decoded(messageStart, ...messages, messageStop("end_turn"), metadata()).filter(
    ({ _tag }) => !["Started", "UsageReported", "Finish"].includes(_tag)
  )

const wholeEvents = (...content: ReadonlyArray<unknown>): ReadonlyArray<LlmEvent> => {
  const body = { output: { message: { role: "assistant", content } }, stopReason: "end_turn" }
  const { events, error } = decodeWhole(bedrockConverse, Buffer.from(JSON.stringify(body)))
  expect(error).toBeUndefined()
  expect(grammarFaults(events)).toEqual([])
  return events.slice(1, -1)
}

describe("blocks", () => {
  it("of text are not announced; an empty piece says nothing", () => {
    const text = [
      { _tag: "TextStart", id: "block-0" },
      { _tag: "TextDelta", id: "block-0", text: "a" },
      { _tag: "TextEnd", id: "block-0" }
    ]
    expect(blockEvents(delta(0, { text: "" }), delta(0, { text: "a" }), stop(0))).toEqual(text)
    expect(wholeEvents({ text: "a" })).toEqual(text)
    expect(blockEvents(delta(0, { text: "" }), stop(0))).toEqual([])
  })

  it("that were not ended end with the answer", () => {
    expect(blockEvents(delta(0, { text: "a" })).at(-1)).toEqual({ _tag: "TextEnd", id: "block-0" })
  })

  it("change where a delta is of another kind", () => {
    expect(
      blockEvents(delta(0, { reasoningContent: { text: "hm" } }), delta(0, { text: "a" }), stop(0)).map(
        ({ _tag }) => _tag
      )
    ).toEqual(["ReasoningStart", "ReasoningDelta", "ReasoningEnd", "TextStart", "TextDelta", "TextEnd"])
  })

  it("of a tool call are announced, and their input comes in pieces or not at all", () => {
    const begun = start(0, { toolUse: { toolUseId: "t", name: "f" } })
    expect(
      blockEvents(begun, delta(0, { toolUse: { input: '{"a"' } }), delta(0, { toolUse: { input: ":1}" } }), stop(0))
    ).toEqual([
      { _tag: "ToolInputStart", id: "t", name: "f" },
      { _tag: "ToolInputDelta", id: "t", text: '{"a"' },
      { _tag: "ToolInputDelta", id: "t", text: ":1}" },
      { _tag: "ToolInputEnd", id: "t" },
      { _tag: "ToolCall", id: "t", name: "f", arguments: '{"a":1}', valid: true }
    ])
    const none = { _tag: "ToolCall", id: "t", name: "f", arguments: "{}", valid: true }
    expect(blockEvents(begun, delta(0, { toolUse: { input: "" } }), stop(0)).at(-1)).toEqual(none)
    expect(blockEvents(begun, stop(0)).at(-1)).toEqual(none)
    expect(wholeEvents({ toolUse: { toolUseId: "t", name: "f", input: {} } }).at(-1)).toEqual(none)
  })

  it("of a tool that the provider runs are told apart, and its result is passed whole", () => {
    const tool = { toolUseId: "t", name: "nova_grounding", type: "server_tool_use" }
    const result = { toolUseId: "t", status: "success", type: "nova_grounding_result" }
    const expected = [
      { _tag: "ToolInputStart", id: "t", name: "nova_grounding", providerExecuted: true },
      { _tag: "ToolInputDelta", id: "t", text: '{"q":1}' },
      { _tag: "ToolInputEnd", id: "t" },
      { _tag: "ToolCall", id: "t", name: "nova_grounding", arguments: '{"q":1}', valid: true, providerExecuted: true },
      {
        _tag: "ToolResult",
        callId: "t",
        protocol,
        value: { toolResult: { ...result, content: [{ text: "a" }, { json: 1 }] } }
      }
    ]
    expect(
      blockEvents(
        start(0, { toolUse: tool }),
        delta(0, { toolUse: { input: '{"q":1}' } }),
        stop(0),
        start(1, { toolResult: result }),
        delta(1, { toolResult: [{ text: "a" }] }),
        delta(1, { toolResult: [{ json: 1 }] }),
        stop(1)
      )
    ).toEqual(expected)
    expect(
      wholeEvents(
        { toolUse: { ...tool, input: { q: 1 } } },
        { toolResult: { ...result, content: [{ text: "a" }, { json: 1 }] } }
      )
    ).toEqual(expected)
    expect(decoded(start(0, { toolUse: tool }), messageStop("end_turn")).at(-1)).toMatchObject({ reason: "stop" })
  })

  it("of pictures have their bytes put together", () => {
    const bytes = (text: string) => Buffer.from(text).toString("base64")
    const media = [{ _tag: "Media", mediaType: "image/jpeg", data: bytes("abcd") }]
    expect(
      blockEvents(
        start(0, { image: { format: "jpeg" } }),
        delta(0, { image: { source: { bytes: bytes("a") } } }),
        delta(0, { image: { source: { bytes: bytes("bcd") } } }),
        stop(0)
      )
    ).toEqual(media)
    expect(wholeEvents({ image: { format: "jpeg", source: { bytes: bytes("abcd") } } })).toEqual(media)
  })

  it("that are not known are passed as they came", () => {
    const value = { video: { format: "mp4" } }
    expect(wholeEvents(value)).toEqual([{ _tag: "Opaque", protocol, value }])
    expect(blockEvents(start(0, value), delta(0, { video: 1 }), stop(0))).toEqual([
      { _tag: "Opaque", protocol, value: { ...value, deltas: [{ video: 1 }] } }
    ])
  })
})

describe("reasoning", () => {
  it("has its signature at its end, byte for byte", () => {
    const expected = [
      { _tag: "ReasoningStart", id: "block-0" },
      { _tag: "ReasoningDelta", id: "block-0", text: "hm" },
      { _tag: "ReasoningEnd", id: "block-0", signature: "s+/=", origin: protocol }
    ]
    const piece = (reasoningContent: object) => delta(0, { reasoningContent })
    expect(blockEvents(piece({ text: "hm" }), piece({ signature: "s+/=" }), stop(0))).toEqual(expected)
    expect(wholeEvents({ reasoningContent: { reasoningText: { text: "hm", signature: "s+/=" } } })).toEqual(expected)
    expect(blockEvents(piece({ signature: "only" }), stop(0))).toHaveLength(2)
  })

  it("that is encrypted is handed on as Claude's own API has it, and other bytes as they are", () => {
    const base64 = (data: string | Uint8Array) => Buffer.from(data).toString("base64")
    const redacted = (redactedContent: string) =>
      blockEvents(delta(0, { reasoningContent: { redactedContent } }), stop(0))
    expect(redacted(base64("EqMDCk+/=="))).toEqual([
      { _tag: "ReasoningStart", id: "block-0", redacted: "EqMDCk+/==", origin: "anthropic-messages" },
      { _tag: "ReasoningEnd", id: "block-0" }
    ])
    const bytes = base64(Uint8Array.of(0, 255, 7))
    expect(redacted(bytes)[0]).toEqual({ _tag: "ReasoningStart", id: "block-0", redacted: bytes, origin: protocol })
  })

  it("that is empty is none", () => {
    expect(wholeEvents({ reasoningContent: {} })).toEqual([])
  })
})

describe("citations", () => {
  const web = { location: { web: { url: "https://example.com/a", domain: "example.com" } } }
  const document = {
    title: "facts",
    sourceContent: [{ text: "one " }, { text: "two" }],
    location: { documentChar: { documentIndex: 0, start: 0, end: 7 } }
  }
  const claude = {
    type: "char_location",
    cited_text: "one two",
    document_index: 0,
    document_title: "facts",
    file_id: null,
    start_char_index: 0,
    end_char_index: 7
  }
  const origin = { protocol: "anthropic-messages", value: claude }
  const cited = { _tag: "Source", title: "facts", citedText: "one two", origin }

  it("belong to their text, also where they come before it", () => {
    const expected = [
      { _tag: "TextStart", id: "block-0" },
      { ...cited, block: "block-0" },
      { _tag: "TextDelta", id: "block-0", text: "a" },
      { _tag: "TextEnd", id: "block-0" }
    ]
    expect(blockEvents(delta(0, { citation: document }), delta(0, { text: "a" }), stop(0))).toEqual(expected)
    expect(wholeEvents({ citationsContent: { content: [{ text: "a" }], citations: [document] } })).toEqual(expected)
  })

  it("of what the request held are in the words of the Messages API, whose callers give them back", () => {
    const places = {
      documentPage: { documentIndex: 1, start: 2, end: 3 },
      documentChunk: { documentIndex: 0, start: 0, end: 1 },
      searchResultLocation: { searchResultIndex: 2, start: 0, end: 1 }
    }
    const types = Object.entries(places).map(([name, place]) => {
      const citation = { title: "T", source: "s", sourceContent: [{ text: "said" }], location: { [name]: place } }
      const [, source] = wholeEvents({ citationsContent: { content: [{ text: "a" }], citations: [citation] } })
      const value = source?._tag === "Source" && isObject(source.origin?.value) ? source.origin.value : {}
      const { source: _, ...ofDocument } = citation
      expect(citationOf(value)).toEqual(name === "searchResultLocation" ? citation : ofDocument)
      return value["type"]
    })
    expect(types).toEqual(["page_location", "content_block_location", "search_result_location"])
    expect(citationOf({ type: "web_search_result_location", url: "" })).toBeUndefined()
  })

  it("belong to the answer where they have no text", () => {
    const source = { _tag: "Source", url: "https://example.com/a", origin: { protocol, value: web } }
    expect(blockEvents(delta(0, { citation: web }), stop(0))).toEqual([source])
    expect(wholeEvents({ citationsContent: { citations: [web] } })).toEqual([source])
  })
})

describe("the end", () => {
  it.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool-calls"],
    ["guardrail_intervened", "content-filter"],
    ["content_filtered", "content-filter"],
    ["malformed_model_output", "error"],
    ["malformed_tool_use", "error"],
    ["not_invented_yet", "unknown"]
  ])("%s is %s", (rawReason, reason) => {
    expect(decoded(messageStart, messageStop(rawReason), metadata()).at(-1)).toMatchObject({ reason, rawReason })
  })

  it("is one for tools where one was called, unless the answer was cut", () => {
    const call = [start(0, { toolUse: { toolUseId: "t", name: "f" } }), stop(0)]
    expect(decoded(...call, messageStop("end_turn"), metadata()).at(-1)).toMatchObject({ reason: "tool-calls" })
    expect(decoded(...call, messageStop("max_tokens"), metadata()).at(-1)).toMatchObject({ reason: "length" })
  })

  it("names the stop sequence where it was asked for", () => {
    for (const additionalModelResponseFields of [{ stop_sequence: "END" }, { delta: { stop_sequence: "END" } }]) {
      const events = decoded(messageStop("stop_sequence", { additionalModelResponseFields }), metadata())
      expect(events.at(-1)).toMatchObject({ reason: "stop", stopSequence: "END" })
    }
  })

  it("is one without the counts, and none without a reason", () => {
    expect(decoded(messageStart, messageStop("end_turn")).at(-1)).toMatchObject({ usage: { source: "none" } })
    const noStop = { _tag: "IncompleteStream", kind: "noStop" }
    expect(decode(messageStart, delta(0, { text: "Hal" })).error?.reason).toEqual(noStop)
    expect(decode(messageStart, metadata()).error?.reason).toEqual(noStop)
    expect(decode().error?.reason).toEqual({ _tag: "IncompleteStream", kind: "empty" })
  })

  it("comes once: the first reason counts, text after it and what follows the counts do not", () => {
    const events = decoded(
      messageStart,
      messageStop("max_tokens"),
      delta(0, { text: "late" }),
      messageStop("end_turn"),
      metadata(),
      metadata({ inputTokens: 99 }),
      awsException("throttlingException", { message: "late" })
    )
    expect(foldEvents(events)).toMatchObject({
      choices: [{ parts: [], finish: { reason: "length", rawReason: "max_tokens" } }],
      usage: { inputTokens: 3 }
    })
  })
})

describe("usage", () => {
  it("contains what came from the cache and went into it", () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 7,
      cacheReadInputTokens: 4,
      cacheWriteInputTokens: 2,
      totalTokens: 23
    }
    expect(foldEvents(decoded(messageStop("end_turn"), metadata(usage))).usage).toEqual({
      inputTokens: 16,
      outputTokens: 7,
      cachedTokens: 4,
      cacheWriteTokens: 2,
      source: "provider"
    })
  })

  it("comes with what a guardrail found", () => {
    const trace = { guardrail: { inputAssessment: {} } }
    const events = decoded(delta(0, { text: "a" }), messageStop("guardrail_intervened"), metadata(undefined, { trace }))
    expect(events.slice(-3)).toMatchObject([
      { _tag: "TextEnd" },
      { _tag: "Opaque", protocol, value: { trace } },
      { _tag: "Finish", reason: "content-filter" }
    ])
  })
})

describe("frames", () => {
  it("have padding of any length, which says nothing", () => {
    const padded = (p: string) =>
      decoded(
        awsEvent("messageStart", { role: "assistant", p }),
        awsEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "a" }, p }),
        awsEvent("contentBlockStop", { contentBlockIndex: 0, p }),
        awsEvent("messageStop", { stopReason: "end_turn", p }),
        awsEvent("metadata", { usage: { inputTokens: 1, outputTokens: 1 }, p })
      )
    expect(padded("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234")).toEqual(padded(""))
  })

  it("that are not known are passed over", () => {
    expect(decoded(messageStart, awsEvent("notInventedYet", { a: 1 }), messageStop("end_turn")).length).toBe(2)
  })

  it.each([
    ["no JSON", awsMessage({ ":event-type": "messageStart" }, "{")],
    ["no object", awsEvent("messageStart", 7)],
    ["a role that is no text", awsEvent("messageStart", { role: 7 })],
    ["no index", awsEvent("contentBlockStop", {})],
    ["an index beyond reason", delta(1025, { text: "a" })],
    ["no delta", awsEvent("contentBlockDelta", { contentBlockIndex: 0 })],
    ["no start", awsEvent("contentBlockStart", { contentBlockIndex: 0 })],
    ["a reason that is no text", awsEvent("messageStop", { stopReason: 7 })],
    ["counts that are no object", metadata("many")]
  ])("are malformed: %s", (_name, frame) => {
    expect(decode(frame).error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
  })
})

describe("exceptions in the stream", () => {
  it.each([
    ["modelStreamErrorException", { _tag: "UpstreamServer" }, 424],
    ["internalServerException", { _tag: "UpstreamServer" }, 500],
    ["serviceUnavailableException", { _tag: "Overloaded" }, 503],
    ["throttlingException", { _tag: "RateLimited" }, 429],
    ["validationException", { _tag: "InvalidRequest", kind: "type" }, 400],
    ["notInventedYetException", { _tag: "UpstreamServer" }, undefined]
  ] as const)("%s", (type, reason, status) => {
    const { events, error } = decode(messageStart, delta(0, { text: "a" }), awsException(type, { message: "why" }))
    expect(error).toMatchObject({ reason, message: "why" })
    expect(error?.fault).toEqual({
      ...(status === undefined ? {} : { status }),
      type: type.charAt(0).toUpperCase() + type.slice(1),
      protocol,
      raw: '{"message":"why"}'
    })
    expect(events.at(-1)).toEqual({ _tag: "TextDelta", id: "block-0", text: "a" })
  })

  it("may be errors of the framing, or say nothing", () => {
    const headers = { ":message-type": "error", ":error-code": "InternalServerException", ":error-message": "why" }
    expect(decode(awsMessage(headers, "")).error).toMatchObject({ reason: { _tag: "UpstreamServer" }, message: "why" })
    expect(decode(awsException("throttlingException", {})).error?.message).toBe("ThrottlingException")
    const page = awsMessage({ ":message-type": "exception", ":exception-type": "x" }, "<html>")
    expect(decode(page).error).toMatchObject({ reason: { _tag: "UpstreamServer" }, message: "the provider reported x" })
  })
})
