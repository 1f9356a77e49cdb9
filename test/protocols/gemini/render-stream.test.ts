import { describe, expect, it } from "@effect/vitest"
import type { Notice } from "../../../src/domain/Call.ts"
import type { Frame } from "../../../src/domain/Frame.ts"
import { failure } from "../../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { geminiArrayDialect, geminiDialect } from "../../../src/protocols/gemini/inbound.ts"
import { gemini } from "../../../src/protocols/gemini/outbound.ts"
import { unsealed } from "../../../src/protocols/SealedReasoning.ts"
import { wellFormedEvents } from "../arbitrary.ts"
import { decodeStream, decodeWhole } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"
import { contextOf } from "./context.ts"
import { chunksOf, streamFaults } from "./stream-grammar.ts"

const usage = { inputTokens: 5, cachedTokens: 2, outputTokens: 7, reasoningTokens: 3, source: "provider" } as const
const started: LlmEvent = { _tag: "Started", id: "r1", model: "a-model" }
const hello: ReadonlyArray<LlmEvent> = [
  { _tag: "TextStart", id: "0" },
  { _tag: "TextDelta", id: "0", text: "Hello" },
  { _tag: "TextEnd", id: "0" }
]
const finish: LlmEvent = { _tag: "Finish", reason: "stop", usage }

const render = (events: ReadonlyArray<LlmEvent>, dialect: typeof geminiDialect = geminiDialect) => {
  const renderer = dialect.renderer(contextOf())
  const text = events.map((event) => renderer.event(event)).join("") + renderer.end()
  return { text, notices: renderer.notices.map(({ message }) => message) }
}

const decode = (text: string) => decodeStream(gemini, [Buffer.from(text)])

/** An answer without what the other side makes up or says in its own way. */
const gist = (events: ReadonlyArray<LlmEvent>): unknown =>
  JSON.parse(
    JSON.stringify(foldEvents(events), (key, value: unknown) => {
      if (key === "parts") {
        // A call has an id of its own, and sources their metadata beside them.
        return (value as ReadonlyArray<{ readonly _tag: string; readonly id?: string }>).flatMap((part) =>
          part._tag === "Opaque" ? [] : [part._tag === "ToolCall" ? part : { ...part, id: undefined }]
        )
      }
      return key === "origin" || key === "rawReason" ? undefined : value
    })
  )

describe("rendered Gemini streams", () => {
  const kinds = ["text", "reasoning", "signed", "tool", "source"] as const

  it.prop("say what the events say", [wellFormedEvents({ kinds, choices: true, origin: "gemini" })], ([events]) => {
    const { text, notices } = render(events)
    expect(notices).toEqual([])
    expect(streamFaults(text)).toEqual([])
    const decoded = decode(text)
    expect(decoded.error).toBeUndefined()
    expect(grammarFaults(decoded.events)).toEqual([])
    expect(gist(decoded.events)).toEqual(gist(events))
    const array = render(events, geminiArrayDialect).text
    expect(JSON.parse(array)).toEqual(chunksOf(text))
    expect(decode(array).events).toEqual(decoded.events)
  })

  it.prop("say what whole answers say", [wellFormedEvents({ kinds, choices: true, origin: "gemini" })], ([events]) => {
    const whole = geminiDialect.renderWhole(foldEvents(events), contextOf(), [])
    const decoded = decodeWhole(gemini, Buffer.from(JSON.stringify(whole)))
    expect(gist(decoded.events)).toEqual(gist(events))
  })

  it("are chunks on one line each, the last with finish reason and usage", () => {
    expect(render([started, ...hello, finish]).text).toBe(
      'data: {"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"index":0}],"modelVersion":"a-model","responseId":"r1"}\n\n' +
        'data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],' +
        '"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":4,"totalTokenCount":12,"cachedContentTokenCount":2,"thoughtsTokenCount":3},' +
        '"modelVersion":"a-model","responseId":"r1"}\n\n'
    )
  })

  it("have a call whole in one part with its id, and end with STOP", () => {
    const { text } = render([
      started,
      { _tag: "ToolInputStart", id: "call_1", name: "f" },
      { _tag: "ToolInputDelta", id: "call_1", text: '{"a"' },
      { _tag: "ToolInputDelta", id: "call_1", text: ":1}" },
      { _tag: "ToolInputEnd", id: "call_1" },
      { _tag: "ToolCall", id: "call_1", name: "f", arguments: '{"a":1}', valid: true },
      { _tag: "Finish", reason: "tool-calls", usage }
    ])
    expect(chunksOf(text).map(({ candidates }) => candidates?.[0])).toMatchObject([
      { content: { parts: [{ functionCall: { id: "call_1", name: "f", args: { a: 1 } } }] } },
      { finishReason: "STOP" }
    ])
  })

  it("say in other words, and that they do, what they have no words for", () => {
    const { text, notices } = render([
      started,
      { _tag: "ReasoningStart", id: "0", redacted: "xx" },
      { _tag: "ReasoningEnd", id: "0" },
      { _tag: "ReasoningStart", id: "1", origin: "elsewhere" },
      { _tag: "ReasoningEnd", id: "1", signature: "theirs", origin: "elsewhere" },
      { _tag: "Opaque", protocol: "elsewhere", value: {} },
      { _tag: "ToolCall", id: "s", name: "search", arguments: "{}", valid: true, providerExecuted: true },
      { _tag: "ToolResult", callId: "s", protocol: "elsewhere", value: {} },
      { _tag: "ToolCall", id: "c", name: "f", arguments: '{"a', valid: false },
      { _tag: "RefusalDelta", text: "I will not" },
      { _tag: "Source", url: "https://a.example", start: 0, end: 1 },
      finish
    ])
    expect(text).not.toContain("theirs")
    expect(notices.map((message) => message.split(":")[0])).toEqual([
      "a block of elsewhere",
      "a call of search that the provider ran itself",
      "the arguments of f are no JSON object",
      "a refusal is text",
      "the place that a source belongs to"
    ])
    const candidates = chunksOf(text).flatMap((chunk) => chunk.candidates ?? [])
    expect(candidates.slice(2)).toMatchObject([
      { content: { parts: [{ functionCall: { id: "c", args: { arguments: '{"a' } } }] } },
      { content: { parts: [{ text: "I will not" }] } },
      { finishReason: "SAFETY", groundingMetadata: { groundingChunks: [{ web: { uri: "https://a.example" } }] } }
    ])
  })

  it("seal a signature that is not said to be Gemini's", () => {
    const signed = [
      started,
      { _tag: "ReasoningStart", id: "0" },
      { _tag: "ReasoningDelta", id: "0", text: "hm" },
      { _tag: "ReasoningEnd", id: "0", signature: "nobody's" },
      finish
    ] as const
    const { text, notices } = render(signed)
    const whole: Array<Notice> = []
    const document = geminiDialect.renderWhole(foldEvents(signed), contextOf(), whole)
    expect(text + JSON.stringify(document)).not.toContain("nobody's")
    for (const said of [notices, whole.map(({ message }) => message)]) {
      expect(said).toEqual([])
    }
    const seals = [...(text + JSON.stringify(document)).matchAll(/"thoughtSignature":"([^"]+)"/g)]
    expect(seals.map(([, seal = ""]) => unsealed(seal))).toEqual([{ signature: "nobody's" }, { signature: "nobody's" }])
  })

  it("say where in the first text a source belongs, in bytes", () => {
    const cited = (block: string, start: number, end: number): LlmEvent => ({
      _tag: "Source",
      url: `https://${block}.example`,
      block,
      start,
      end
    })
    const events: ReadonlyArray<LlmEvent> = [
      started,
      { _tag: "ReasoningStart", id: "r" },
      { _tag: "ReasoningDelta", id: "r", text: "hm" },
      { _tag: "ReasoningEnd", id: "r" },
      { _tag: "TextStart", id: "t" },
      { _tag: "TextDelta", id: "t", text: "é👋" },
      { _tag: "TextDelta", id: "t", text: "!x" },
      cited("t", 1, 4),
      { _tag: "TextEnd", id: "t" },
      { _tag: "ToolCall", id: "c", name: "f", arguments: "{}", valid: true },
      { _tag: "TextStart", id: "u" },
      { _tag: "TextDelta", id: "u", text: "later" },
      cited("u", 0, 5),
      { _tag: "TextEnd", id: "u" },
      finish
    ]
    const chunks = [{ web: { uri: "https://t.example" } }, { web: { uri: "https://u.example" } }]
    const support = (more = {}) => ({
      segment: { ...more, startIndex: 2, endIndex: 7, text: "👋!" },
      groundingChunkIndices: [0]
    })
    const { text, notices } = render(events)
    expect(chunksOf(text).at(-1)?.candidates?.[0]).toMatchObject({
      groundingMetadata: { groundingChunks: chunks, groundingSupports: [support()] }
    })
    const whole: Array<Notice> = []
    expect(geminiDialect.renderWhole(foldEvents(events), contextOf(), whole)).toMatchObject({
      candidates: [{ groundingMetadata: { groundingChunks: chunks, groundingSupports: [support({ partIndex: 1 })] } }]
    })
    for (const said of [notices, whole.map(({ message }) => message)]) {
      expect(said).toEqual(["the place that a source belongs to: the Gemini API has no counterpart"])
    }
  })

  it("say what a provider of this format does where something else was changed", () => {
    const usageMetadata = {
      promptTokenCount: 10,
      toolUsePromptTokenCount: 2,
      candidatesTokenCount: 5,
      thoughtsTokenCount: 3,
      totalTokenCount: 20,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 10 }],
      trafficType: "ON_DEMAND"
    }
    const heard = { inlineData: { mimeType: "audio/wav", data: "AA==" }, audioTranscription: { text: "Hi" } }
    const candidate = { content: { role: "model", parts: [{ text: "A" }, heard] }, finishReason: "STOP", index: 0 }
    const answer = { candidates: [candidate], usageMetadata, modelVersion: "m", responseId: "r" }
    const { events } = decodeWhole(gemini, Buffer.from(JSON.stringify(answer)))
    expect(geminiDialect.renderWhole(foldEvents(events), contextOf(), [])).toEqual(answer)
    const chunks = chunksOf(render(events).text)
    expect(chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts)).toContainEqual(heard)
    expect(chunks.at(-1)).toMatchObject({ usageMetadata })
  })

  it("have the signature of a picture on the picture, and that of a text after it", () => {
    const { text } = render([
      started,
      { _tag: "Media", mediaType: "image/png", data: "AA==" },
      { _tag: "Opaque", protocol: "gemini", value: { beside: { thoughtSignature: "cGlj" } } },
      ...hello,
      { _tag: "Opaque", protocol: "gemini", value: { part: { thoughtSignature: "dHh0" } } },
      finish
    ])
    expect(chunksOf(text).map(({ candidates }) => candidates?.[0]?.content?.parts)).toEqual([
      [{ inlineData: { mimeType: "image/png", data: "AA==" }, thoughtSignature: "cGlj" }],
      [{ text: "Hello" }],
      [{ text: "", thoughtSignature: "dHh0" }],
      [{ text: "" }]
    ])
  })

  it("end as a prompt that was refused ends", () => {
    const promptFeedback = { blockReason: "SAFETY" }
    const { text } = render([
      started,
      { _tag: "Opaque", protocol: "gemini", value: { response: { promptFeedback } } },
      { _tag: "Finish", reason: "content-filter", rawReason: "SAFETY", usage: { source: "none" } }
    ])
    expect(chunksOf(text)).toEqual([{ promptFeedback, modelVersion: "a-model", responseId: "r1" }])
  })

  it("tell a failure as their last chunk, and nothing after it", () => {
    const error = failure({ _tag: "Timeout", phase: "idle" }, "The provider fell silent")
    const said = { error: { code: 504, message: "The provider fell silent", status: "DEADLINE_EXCEEDED" } }
    const renderer = geminiDialect.renderer(contextOf())
    const text = [started, ...hello].map((event) => renderer.event(event)).join("")
    expect(renderer.failure(error)).toBe(`data: ${JSON.stringify(said)}\n\n`)
    expect(renderer.end() + renderer.event(finish) + renderer.failure(error)).toBe("")
    const array = geminiArrayDialect.renderer(contextOf())
    const elements =
      [started, ...hello].map((event) => array.event(event)).join("") + array.failure(error) + array.end()
    expect(JSON.parse(elements)).toEqual([...chunksOf(text), said])
  })

  it("that fail before they began are arrays all the same", () => {
    const array = geminiArrayDialect.renderer(contextOf())
    expect(JSON.parse(array.failure(failure({ _tag: "Internal" }, "no")))).toMatchObject([{ error: { code: 500 } }])
    expect(JSON.parse(geminiArrayDialect.renderer(contextOf()).end())).toHaveLength(1)
  })

  it("pass the provider's own error on as it was", () => {
    const raw = 'data: {"error":{"code":503,"message":"busy","status":"UNAVAILABLE","extra":1}}\r\n\r\n'
    const { error } = decode(raw)
    expect(geminiDialect.renderer(contextOf()).failure(error!)).toBe(raw)
    expect(geminiArrayDialect.renderer(contextOf()).failure(error!)).toBe(`[${raw.slice(6, -4)}]`)
  })

  it("have a sign of life that is no event, and none that an array cannot bear", () => {
    expect(geminiDialect.keepAlive).toBe(":\n\n")
    expect(geminiArrayDialect.keepAlive.trim()).toBe("")
  })
})

describe("frames of the provider between rendered ones", () => {
  const chunk = (parts: ReadonlyArray<object>, more: object = {}) =>
    `data: ${JSON.stringify({ candidates: [{ content: { parts, role: "model", extra: 1 }, ...more }], responseId: "r1" })}\r\n\r\n`
  const stop = { finishReason: "STOP" }
  const framesOf = (...chunks: ReadonlyArray<string>): ReadonlyArray<Frame> => decode(chunks.join("")).frames
  const changed = (frame: Frame, change: (event: LlmEvent) => LlmEvent): Frame => ({
    ...frame,
    raw: undefined,
    events: frame.events.map(change)
  })
  const shout = (event: LlmEvent): LlmEvent =>
    event._tag === "TextDelta" ? { ...event, text: event.text.toUpperCase() } : event
  const send = (frames: ReadonlyArray<Frame | undefined>) => {
    const renderer = geminiDialect.renderer(contextOf())
    const text = frames.map((frame) => (frame === undefined ? "" : renderer.verbatim(frame))).join("") + renderer.end()
    expect(streamFaults(text)).toEqual([])
    return text
  }

  it("pass, and what was changed is rendered in their place", () => {
    const chunks = [chunk([{ text: "a" }]), chunk([{ text: "b" }]), chunk([{ text: "c" }], stop)]
    const [first, second, third, end] = framesOf(...chunks)
    const text = send([first, changed(second!, shout), third, end])
    expect(text.startsWith(chunks[0]!)).toBe(true)
    expect(text.endsWith(chunks[2]!)).toBe(true)
    expect(foldEvents(decode(text).events).choices[0]?.parts).toMatchObject([{ text: "aBc" }])
    expect(chunksOf(text)[1]).toMatchObject({ responseId: "r1" })
  })

  it("that end the answer are rendered where a stage changed the ending", () => {
    const frames = framesOf(chunk([{ text: "a" }]), chunk([{ text: "b" }], stop))
    const refused = changed(frames.at(-1)!, (event) =>
      event._tag === "Finish" ? { ...event, reason: "content-filter", rawReason: "filter" } : event
    )
    const text = send([...frames.slice(0, -1), refused])
    expect(decode(text).events.at(-1)).toMatchObject({ reason: "content-filter", rawReason: "SAFETY" })
    expect(foldEvents(decode(text).events).choices[0]?.parts).toMatchObject([{ text: "ab" }])
  })

  it("are followed by an ending where the provider's was taken out", () => {
    const [first, last, end] = framesOf(chunk([{ text: "a" }]), chunk([{ text: "b" }], stop))
    const text = send([first, { ...changed(last!, shout), events: [{ _tag: "TextEnd", id: "block-0" }] }, end])
    expect(decode(text).events.at(-1)).toMatchObject({ reason: "stop" })
    expect(foldEvents(decode(text).events).choices[0]?.parts).toMatchObject([{ text: "a" }])
  })

  it("with pieces of a call pass together, or the call is rendered whole", () => {
    const chunks = [
      chunk([{ functionCall: { name: "f", willContinue: true } }]),
      chunk([{ functionCall: { partialArgs: [{ jsonPath: "$.a", stringValue: "x" }], willContinue: true } }]),
      chunk([{ functionCall: {} }]),
      chunk([{ text: "" }], stop)
    ]
    const frames = framesOf(...chunks)
    expect(send(frames)).toBe(chunks.join(""))
    const last = frames[2]!
    const text = send([
      ...frames.slice(0, 2),
      changed(last, (event) => (event._tag === "ToolCall" ? { ...event, arguments: '{"a":"y"}' } : event)),
      ...frames.slice(3)
    ])
    expect(foldEvents(decode(text).events).choices[0]?.parts).toMatchObject([{ name: "f", arguments: '{"a":"y"}' }])
    expect(text).not.toContain("partialArgs")
  })

  it("that each say that they are the last wait for no more than the next", () => {
    const chunks = ["a", "b", "c"].map((text) => chunk([{ text }], stop))
    const renderer = geminiDialect.renderer(contextOf())
    const sent = framesOf(...chunks).map((frame) => renderer.verbatim(frame))
    expect(sent).toEqual(["", ...chunks])
    expect(renderer.end()).toBe("")
  })

  it("lose the terminator of another format", () => {
    const chunks = [chunk([{ text: "a" }], stop), "data: [DONE]\n\n"]
    expect(send(framesOf(...chunks))).toBe(chunks[0])
  })

  it("of one choice end without holding back the others", () => {
    const of = (index: number, text: string, more: object = {}) =>
      `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text }], role: "model" }, index, ...more }] })}\r\n\r\n`
    const chunks = [of(0, "a"), of(1, "b"), of(0, "A", stop), of(1, "B"), of(1, "!", stop)]
    const frames = framesOf(...chunks)
    const renderer = geminiDialect.renderer(contextOf())
    expect(frames.map((frame) => renderer.verbatim(frame))).toEqual([...chunks.slice(0, 4), "", chunks[4]])
    // The ending of the second is changed; that of the first was sent.
    const end = changed(frames.at(-1)!, (event) =>
      event._tag === "ChoiceFinish" ? { ...event, reason: "length" } : event
    )
    const text = send([...frames.slice(0, -1), end])
    const reasons = chunksOf(text).flatMap(({ candidates = [] }) => candidates.map(({ finishReason }) => finishReason))
    expect(reasons.filter((reason) => reason !== undefined)).toEqual(["STOP", "MAX_TOKENS"])
  })

  it("are kept until the failure that follows them, and then end with it", () => {
    const renderer = geminiDialect.renderer(contextOf())
    const [first, last] = framesOf(chunk([{ text: "a" }]), chunk([{ text: "b" }], stop))
    const text = renderer.verbatim(first!) + renderer.verbatim(last!)
    const end = renderer.failure(failure({ _tag: "Transport" }, "reset"))
    expect(text + end).not.toContain("finishReason")
    expect(chunksOf(text + end)).toMatchObject([
      {},
      { candidates: [{ content: { parts: [{ text: "b" }] } }] },
      { error: {} }
    ])
  })
})
