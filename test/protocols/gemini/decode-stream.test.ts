import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { gemini } from "../../../src/protocols/gemini/outbound.ts"
import { cutAt, decodeStream, decodeWhole, type Decoded } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

type Json = { readonly [key: string]: unknown }

const event = (chunk: unknown): string => `data: ${JSON.stringify(chunk)}\r\n\r\n`
const decode = (...chunks: ReadonlyArray<unknown>): Decoded => {
  const decoded = decodeStream(gemini, [Buffer.from(chunks.map(event).join(""))])
  expect(grammarFaults(decoded.events, { complete: decoded.error === undefined })).toEqual([])
  return decoded
}

/** A chunk with parts of the first candidate, and more of it. */
const parts = (list: ReadonlyArray<Json>, more: Json = {}): Json => ({
  candidates: [{ content: { parts: list, role: "model" }, index: 0, ...more }],
  modelVersion: "gemini-x",
  responseId: "r1"
})
const text = (piece: string, more: Json = {}) => parts([{ text: piece }], more)
const stop = { finishReason: "STOP" }

const tags = ({ events }: Decoded) => events.map(({ _tag }) => _tag)
const finish = ({ events }: Decoded) => events.at(-1)
const only = <T extends LlmEvent["_tag"]>({ events }: Decoded, tag: T) =>
  events.filter((found): found is Extract<LlmEvent, { readonly _tag: T }> => found._tag === tag)

describe("a Gemini stream", () => {
  it("comes as events with CRLF, as a JSON array, or as events with LF", () => {
    const chunks = [text("a"), text("b", stop)]
    const whole = decode(...chunks)
    const array = Buffer.from(JSON.stringify(chunks, null, 2).replaceAll("\n", "\r\n"))
    const plain = Buffer.from(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(""))
    for (const body of [array, plain]) {
      for (let offset = 0; offset <= body.length; offset++) {
        expect(decodeStream(gemini, cutAt(body, [offset])).events).toEqual(whole.events)
      }
    }
  })

  it("may have its counts in quotes", () => {
    const counts = { promptTokenCount: "9", candidatesTokenCount: "3", thoughtsTokenCount: "many" }
    expect(finish(decode({ ...text("a", stop), usageMetadata: counts }))).toMatchObject({
      usage: { inputTokens: 9, outputTokens: 3, source: "provider" }
    })
  })

  it("states the usage on many chunks: the last one wins, key by key", () => {
    const decoded = decode(
      { ...text("a"), usageMetadata: { promptTokenCount: 9, totalTokenCount: 9, cachedContentTokenCount: 4 } },
      { ...text("b"), usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 1, thoughtsTokenCount: 5 } },
      { ...text("c"), usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 1, thoughtsTokenCount: 5 } },
      { ...text("", stop), usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 3, toolUsePromptTokenCount: 2 } }
    )
    expect(only(decoded, "UsageReported")).toHaveLength(3)
    expect(finish(decoded)).toMatchObject({
      usage: { inputTokens: 10, cachedTokens: 4, outputTokens: 8, reasoningTokens: 5, source: "provider" }
    })
  })

  it("says nothing of usage that it does not count", () => {
    expect(finish(decode({ ...text("a", stop), usageMetadata: { trafficType: "ON_DEMAND" } }))).toMatchObject({
      usage: { source: "none" }
    })
  })

  it("may end with an empty text that holds only a signature", () => {
    const decoded = decode(text("a"), parts([{ text: "", thoughtSignature: "c2ln" }], stop))
    expect(tags(decoded)).toEqual(["Started", "TextStart", "TextDelta", "TextEnd", "Opaque", "Finish"])
    expect(only(decoded, "Opaque")[0]?.value).toEqual({ part: { text: "", thoughtSignature: "c2ln" } })
  })

  it("signs thoughts, texts and calls, each kept byte for byte", () => {
    const decoded = decode(
      parts([{ text: "hm", thought: true }]),
      parts([{ text: "", thought: true, thoughtSignature: "b25l+/=" }]),
      parts([{ text: "hello", thoughtSignature: "dHdv" }]),
      parts([{ functionCall: { name: "f", args: {} }, thoughtSignature: "dGhyZWU=" }], stop)
    )
    expect(only(decoded, "ReasoningEnd")).toMatchObject([{ signature: "b25l+/=", origin: "gemini" }])
    expect(only(decoded, "Opaque").map(({ value }) => value)).toEqual([{ part: { thoughtSignature: "dHdv" } }])
    expect(only(decoded, "ToolInputStart")[0]?.origin).toEqual({
      protocol: "gemini",
      value: { thoughtSignature: "dGhyZWU=" }
    })
  })

  it("may have candidates without content, content without parts, and null for both", () => {
    const decoded = decode(
      { candidates: [{ index: 0 }], responseId: "r1" },
      { candidates: [{ content: { role: "model" } }] },
      { candidates: [{ content: null, finishReason: null }] },
      { usageMetadata: { promptTokenCount: 1 } },
      { candidates: [{ finishReason: "MAX_TOKENS" }] }
    )
    expect(tags(decoded)).toEqual(["Started", "UsageReported", "Finish"])
    expect(finish(decoded)).toMatchObject({ reason: "length", rawReason: "MAX_TOKENS" })
  })

  it("may be no more than the refusal of the prompt", () => {
    const promptFeedback = { blockReason: "PROHIBITED_CONTENT", blockReasonMessage: "no" }
    const decoded = decode({ promptFeedback, usageMetadata: { promptTokenCount: 3 } })
    expect(finish(decoded)).toMatchObject({ reason: "content-filter", rawReason: "PROHIBITED_CONTENT" })
    expect(only(decoded, "Opaque")[0]?.value).toEqual({ response: { promptFeedback } })
  })

  it("may have the arguments of a call as text", () => {
    const calls = ['{"a":1}', '{"a"', ""].map((args) => ({ functionCall: { name: "f", args } }))
    expect(only(decode(parts(calls, stop)), "ToolCall")).toMatchObject([
      { arguments: '{"a":1}', valid: true },
      { arguments: '{"a"', valid: false },
      { arguments: "{}", valid: true }
    ])
  })

  it("finishes with STOP where it calls a function, which is a tool call all the same", () => {
    const call = { functionCall: { name: "f", args: { a: 1 } } }
    const decoded = decode(parts([{ text: "I call" }, call, call], stop))
    expect(finish(decoded)).toMatchObject({ reason: "tool-calls", rawReason: "STOP" })
    expect(only(decoded, "ToolCall").map(({ id, valid }) => [id, valid])).toEqual([
      ["call_r1_0", true],
      ["call_r1_1", true]
    ])
    expect(finish(decode(parts([call], { finishReason: "MAX_TOKENS" })))).toMatchObject({ reason: "length" })
  })

  it("gives a call another id where its own was used before", () => {
    const call = { functionCall: { id: "same", name: "f", args: {} } }
    expect(only(decode(parts([call, call], stop)), "ToolCall").map(({ id }) => id)).toEqual(["same", "call_r1_1"])
  })

  it.each([
    ["SAFETY", "content-filter"],
    ["RECITATION", "content-filter"],
    ["BLOCKLIST", "content-filter"],
    ["PROHIBITED_CONTENT", "content-filter"],
    ["SPII", "content-filter"],
    ["IMAGE_SAFETY", "content-filter"],
    ["MODEL_ARMOR", "content-filter"],
    ["MALFORMED_FUNCTION_CALL", "error"],
    ["UNEXPECTED_TOOL_CALL", "error"],
    ["CONTINUATION", "length"],
    ["LANGUAGE", "content-filter"],
    ["OTHER", "unknown"],
    ["INVENTED_TOMORROW", "unknown"],
    [1, "stop"],
    [2, "length"],
    [3, "content-filter"]
  ])("finishes for the reason %s, which is %s", (finishReason, reason) => {
    expect(finish(decode(text("a", { finishReason })))).toMatchObject({ reason, rawReason: String(finishReason) })
  })

  it("counts the first ending that is more than STOP, and reads usage after it", () => {
    const decoded = decode(text("a", stop), parts([], { finishReason: "SAFETY" }), parts([], stop), {
      usageMetadata: { promptTokenCount: 1 }
    })
    expect(finish(decoded)).toMatchObject({ reason: "content-filter", rawReason: "SAFETY", usage: { inputTokens: 1 } })
  })

  it("goes on after a finish reason, because there are servers that state one on every chunk", () => {
    const thought = { text: "hm", thought: true }
    const decoded = decode(
      parts([], stop),
      parts([thought], stop),
      text("Hel", stop),
      text("lo", stop),
      parts([{ functionCall: { name: "f", args: {} } }], stop),
      parts([], { finishReason: "MAX_TOKENS" })
    )
    expect(only(decoded, "ReasoningDelta").map((delta) => delta.text)).toEqual(["hm"])
    expect(only(decoded, "TextDelta").map((delta) => delta.text)).toEqual(["Hel", "lo"])
    expect(only(decoded, "TextStart")).toHaveLength(1)
    expect(only(decoded, "ToolCall")).toMatchObject([{ name: "f" }])
    expect(finish(decoded)).toMatchObject({ reason: "length", rawReason: "MAX_TOKENS" })
  })

  it("may have several candidates, told apart by index", () => {
    const chunk = (...candidates: ReadonlyArray<Json>) => ({ candidates, responseId: "r1" })
    const of = (index: number, piece: string, more: Json = {}) => ({
      content: { parts: [{ text: piece }] },
      index,
      ...more
    })
    const decoded = decode(
      chunk(of(1, "b"), of(0, "a")),
      chunk(of(0, "A", stop)),
      chunk(of(1, "B", { finishReason: "MAX_TOKENS" }))
    )
    const { choices } = foldEvents(decoded.events)
    expect(choices.map(({ parts: [part], finish: end }) => [part?._tag === "Text" && part.text, end?.reason])).toEqual([
      ["aA", "stop"],
      ["bB", "length"]
    ])
  })

  it("makes pictures, with a signature of their own", () => {
    const decoded = decode(
      parts([{ inlineData: { mimeType: "image/png", data: "AA==" }, thoughtSignature: "cGlj" }], stop)
    )
    expect(only(decoded, "Media")).toMatchObject([{ mediaType: "image/png", data: "AA==" }])
    expect(only(decoded, "Opaque")[0]?.value).toEqual({ beside: { thoughtSignature: "cGlj" } })
  })

  it("makes sounds with the words that are heard in them, which go on from one to the next", () => {
    const heard = (text: string) => ({
      inlineData: { mimeType: "audio/wav", data: "AA==" },
      audioTranscription: { text }
    })
    const decoded = decode(parts([heard("My name ")]), parts([heard("is Ada.")], stop))
    const path = ["beside", "audioTranscription", "text"]
    expect(only(decoded, "Media")).toHaveLength(2)
    expect(only(decoded, "Opaque")).toMatchObject([
      { value: { beside: { audioTranscription: { text: "My name " } } }, textAt: path },
      { value: { beside: { audioTranscription: { text: "is Ada." } } }, textAt: path }
    ])
  })

  it("runs code itself, in the middle of a text", () => {
    const code = { executableCode: { language: "PYTHON", code: "1" } }
    const result = { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" } }
    const decoded = decode(text("Let me see."), parts([code]), parts([result]), text("It is 1.", stop))
    const [call] = only(decoded, "ToolCall")
    expect(call).toMatchObject({ name: "executableCode", providerExecuted: true })
    expect(only(decoded, "ToolResult")).toMatchObject([{ callId: call?.id, protocol: "gemini", value: result }])
    expect(only(decoded, "TextStart")).toHaveLength(2)
    expect(finish(decoded)).toMatchObject({ reason: "stop" })
  })

  it("cites sources in the one of several texts that has the passage", () => {
    const support = (text: string) => ({ segment: { startIndex: 0, endIndex: 4, text }, groundingChunkIndices: [0] })
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: "https://a.example" } }],
      groundingSupports: [support("née!"), support("both"), support("gone")]
    }
    const decoded = decode(
      text("both"),
      parts([{ toolCall: { toolType: "GOOGLE_SEARCH_WEB" } }]),
      text("was née! both", { groundingMetadata, ...stop })
    )
    expect(only(decoded, "Source").map(({ block, start, end }) => ({ block, start, end }))).toEqual([
      { block: "block-1", start: 4, end: 8 },
      {},
      {}
    ])
  })

  it("cites sources, by bytes that are code units here, and each once", () => {
    const groundingMetadata = {
      groundingChunks: [
        { web: { uri: "https://a.example", title: "A" } },
        { retrievedContext: { text: "passage", title: "B" } }
      ],
      groundingSupports: [{ segment: { startIndex: 4, endIndex: 8, text: "😀" }, groundingChunkIndices: [0] }]
    }
    const decoded = decode(
      text("né😀", { groundingMetadata: {} }),
      text(" x", { groundingMetadata }),
      text("", { groundingMetadata, ...stop })
    )
    const block = only(decoded, "TextStart")[0]?.id
    const sources = only(decoded, "Source")
    expect(sources.map((source) => ({ ...source, origin: undefined }))).toEqual([
      { _tag: "Source", url: "https://a.example", title: "A", block, start: 3, end: 5 },
      { _tag: "Source", title: "B", citedText: "passage" }
    ])
    expect(only(decoded, "Opaque").map(({ value }) => value)).toEqual([{ candidate: { groundingMetadata } }])
  })

  it("cites the web", () => {
    const citationMetadata = { citations: [{ startIndex: 0, endIndex: 1, uri: "https://a.example" }] }
    expect(only(decode(text("ab", { citationMetadata, ...stop })), "Source")).toMatchObject([
      { url: "https://a.example", start: 0, end: 1 }
    ])
  })

  it("says how likely its tokens were", () => {
    const logprobsResult = {
      topCandidates: [{ candidates: [{ token: "a", tokenId: 1, logProbability: -0.1 }] }],
      chosenCandidates: [{ token: "a", tokenId: 1, logProbability: -0.1 }]
    }
    const top = [{ token: "a", logprob: -0.1 }]
    expect(only(decode(text("a", { logprobsResult, avgLogprobs: -0.1, ...stop })), "TextDelta")).toMatchObject([
      { text: "a", logprobs: [{ token: "a", logprob: -0.1, top }] }
    ])
  })

  it("may be closed with the terminator of another format", () => {
    const body = (...chunks: ReadonlyArray<Json>) => [Buffer.from(`${chunks.map(event).join("")}data: [DONE]\n\n`)]
    expect(finish(decodeStream(gemini, body(text("a", stop))))).toMatchObject({ reason: "stop" })
    expect(finish(decodeStream(gemini, body(text("a"))))).toMatchObject({ reason: "unknown" })
  })

  it("is incomplete without a finish reason", () => {
    expect(decode(text("a")).error?.reason).toEqual({ _tag: "IncompleteStream", kind: "noStop" })
    expect(decode().error?.reason).toEqual({ _tag: "IncompleteStream", kind: "empty" })
    const cut = Buffer.from(`[${JSON.stringify(text("a"))}\n]`)
    expect(decodeStream(gemini, [cut]).error?.reason).toEqual({ _tag: "IncompleteStream", kind: "noStop" })
  })

  it.each([
    "{",
    "1",
    '{"candidates":{}}',
    '{"candidates":[1]}',
    '{"candidates":[{"index":-1}]}',
    '{"candidates":[{"content":{"parts":[1]}}]}',
    '{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"a":1}}}]}}]}'
  ])("is not read where a frame is malformed: %s", (data) => {
    const decoded = decodeStream(gemini, [Buffer.from(`data: ${data}\r\n\r\n`)])
    expect(decoded.error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
  })

  it("tells a failure in the stream, in either framing", () => {
    const error = {
      error: {
        code: 503,
        message: "The model is overloaded.",
        status: "UNAVAILABLE",
        details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.5s" }]
      }
    }
    const raw = event(error)
    const streamed = decode(text("a"), error)
    expect(streamed.error).toMatchObject({
      reason: { _tag: "Overloaded" },
      retryAfterMs: 1500,
      fault: { type: "UNAVAILABLE", protocol: "gemini", raw }
    })
    for (const body of [
      `[${JSON.stringify(text("a"))},\r\n${JSON.stringify(error)}]`,
      `[${JSON.stringify(error)}]`,
      JSON.stringify(error)
    ]) {
      expect(decodeStream(gemini, [Buffer.from(body)]).error?.reason).toEqual({ _tag: "Overloaded" })
    }
  })
})

describe("streamed arguments of a call", () => {
  const call = (functionCall: Json, more: Json = {}) => parts([{ functionCall }], more)
  const pieces = (...partialArgs: ReadonlyArray<Json>) => call({ partialArgs, willContinue: true })
  const calls = (...chunks: ReadonlyArray<Json>) => {
    const decoded = decode(call({ name: "f", id: "1", willContinue: true }), ...chunks, call({}, stop))
    expect(decoded.error).toBeUndefined()
    const written = only(decoded, "ToolInputDelta").map((delta) => delta.text)
    const [made] = only(decoded, "ToolCall")
    expect(written.join("") || "{}").toBe(made?.arguments)
    return { written, made, value: JSON.parse(made?.arguments ?? "") as unknown }
  }

  it("are written as they come, a string in several pieces", () => {
    const { written, made } = calls(
      pieces({ jsonPath: "$.city", stringValue: "Bos", willContinue: true }),
      pieces({ jsonPath: "$.city", stringValue: 'to"n', willContinue: true }),
      pieces({ jsonPath: "$.city", stringValue: "" }),
      pieces({ jsonPath: "$.days", numberValue: 3 })
    )
    expect(written).toEqual(['{"city":"Bos', 'to\\"n', '"', ',"days":3', "}"])
    expect(made).toMatchObject({ id: "1", name: "f", valid: true })
  })

  it("are nested in objects and arrays", () => {
    expect(
      calls(
        pieces(
          { jsonPath: "$.a.b[0].c", numberValue: 1 },
          { jsonPath: "$.a.b[0].d", boolValue: false },
          { jsonPath: "$.a.b[1]", nullValue: "NULL_VALUE" },
          { jsonPath: "$.a.e[0][0]", stringValue: "x" },
          { jsonPath: "$.a.e[1][0]", stringValue: "y", willContinue: true }
        ),
        pieces({ jsonPath: "$['odd.name']", stringValue: "z", willContinue: true }),
        pieces({ jsonPath: "$['odd.name']", stringValue: "z" })
      ).value
    ).toEqual({ a: { b: [{ c: 1, d: false }, null], e: [["x"], ["y"]] }, "odd.name": "zz" })
  })

  it("may be none at all", () => {
    expect(calls().made).toMatchObject({ arguments: "{}", valid: true })
  })

  it("of a call that the limit cut are not valid", () => {
    const decoded = decode(
      call({ name: "f", willContinue: true }),
      pieces({ jsonPath: "$.a", stringValue: "x", willContinue: true }),
      parts([], { finishReason: "MAX_TOKENS" })
    )
    expect(only(decoded, "ToolCall")).toMatchObject([{ arguments: '{"a":"x"}' }])
    expect(finish(decoded)).toMatchObject({ reason: "length" })
  })

  it.each([
    [{ jsonPath: "a", numberValue: 1 }],
    [{ jsonPath: "$", numberValue: 1 }],
    [{ jsonPath: "$[0]", numberValue: 1 }],
    [{ jsonPath: "$.a[1]", numberValue: 1 }],
    [
      { jsonPath: "$.a", numberValue: 1 },
      { jsonPath: "$.a", numberValue: 2 }
    ],
    [
      { jsonPath: "$.a", numberValue: 1 },
      { jsonPath: "$.a.b", numberValue: 2 }
    ],
    [
      { jsonPath: "$.a", numberValue: 1 },
      { jsonPath: "$.b", numberValue: 2 },
      { jsonPath: "$.a", numberValue: 3 }
    ]
  ])("that cannot be put together are malformed: %j", (...partialArgs) => {
    const decoded = decode(call({ name: "f", willContinue: true }), pieces(...partialArgs))
    expect(decoded.error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
  })
})

describe("a whole Gemini answer", () => {
  const whole = (body: unknown) => decodeWhole(gemini, Buffer.from(JSON.stringify(body)))

  it("is complete without a finish reason", () => {
    expect(finish(whole(text("a")))).toMatchObject({ reason: "unknown" })
  })

  it("has its log probabilities with the text that they are of, whatever was thought before", () => {
    const logprobsResult = { chosenCandidates: [{ token: "a", logProbability: -0.5 }] }
    const parts = [{ text: "hm", thought: true }, { text: "a" }]
    const { events } = whole({
      candidates: [{ content: { role: "model", parts }, logprobsResult, finishReason: "STOP" }]
    })
    expect(events.find(({ _tag }) => _tag === "TextDelta")).toMatchObject({
      text: "a",
      logprobs: [{ token: "a", logprob: -0.5 }]
    })
  })

  it("names the pages of the pictures that it is grounded in", () => {
    const image = { sourceUri: "https://example.com/page", imageUri: "https://example.com/a.png", title: "A page" }
    const { events } = whole(text("a", { ...stop, groundingMetadata: { groundingChunks: [{ image }] } }))
    expect(events.find(({ _tag }) => _tag === "Source")).toMatchObject({
      url: "https://example.com/page",
      title: "A page"
    })
  })

  it("may come as an array of chunks", () => {
    expect(foldEvents(whole([text("a"), text("b", stop)]).events).choices[0]?.parts).toMatchObject([{ text: "ab" }])
  })

  it("may be an error, also in an array of one", () => {
    const error = { error: { code: 400, message: "bad", status: "INVALID_ARGUMENT" } }
    expect(whole(error).error?.reason).toEqual({ _tag: "InvalidRequest", kind: "type" })
    expect(whole([error]).error?.reason).toEqual({ _tag: "InvalidRequest", kind: "type" })
  })

  it("is not read where it is none", () => {
    for (const body of [{}, [], 1, "x", { candidates: 1 }, { hello: "world" }]) {
      expect(whole(body).error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
    }
    expect(whole({ candidates: [{ finishReason: "STOP" }] }).error).toBeUndefined()
  })
})
