import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { Frame } from "../../../src/domain/Frame.ts"
import type { LlmError } from "../../../src/domain/LlmError.ts"
import { foldEvents, textOf } from "../../../src/domain/LlmResponse.ts"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import type { Usage } from "../../../src/domain/Usage.ts"
import { ChatChunk, readChoice } from "../../../src/protocols/openai-chat/chunk.ts"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { makeSseDecoder } from "../../../src/wire/Sse.ts"
import type { WireFrame } from "../../../src/wire/Frame.ts"
import {
  corpusCases,
  corpusPresent,
  cutAt,
  decodedGist,
  decodedUsage,
  decodeStream,
  decodeWhole,
  expectedGist,
  randomOffsets,
  type CorpusCase,
  type Decoded,
  type Document,
  type ExpectedUsage
} from "../corpus.ts"
import type { RenderContext } from "../../../src/protocols/Dialect.ts"
import { grammarFaults } from "../grammar.ts"
import { contextOf } from "./context.ts"
import { chunksOf, streamFaults } from "./stream-grammar.ts"

const cases = corpusCases("openai-chat")
const streams = cases.filter(({ stream, status }) => stream && status === 200)
const wholes = cases.filter(({ stream, status }) => !stream && status === 200)
const errors = cases.filter(({ status }) => status !== 200)

const named = (recordings: ReadonlyArray<CorpusCase>) =>
  recordings.map((recording) => [recording.name, recording] as const)

/** Where the three counts make up the total, the tokens of reasoning stand beside those of the output and belong to them. */
const canonicalUsage = (usage: ExpectedUsage | null): Usage => {
  const { input, output, total, cache_read, cache_write, reasoning } = usage ?? {}
  const apart = reasoning !== undefined && reasoning > 0 && total === (input ?? 0) + (output ?? 0) + reasoning
  const counts = {
    inputTokens: input,
    outputTokens: apart ? (output ?? 0) + reasoning : output,
    cachedTokens: cache_read,
    cacheWriteTokens: cache_write,
    reasoningTokens: reasoning
  }
  const stated = Object.values(counts).some((count) => count !== undefined && count !== null)
  const known = Object.entries(counts).filter(([, count]) => count !== undefined && count !== null)
  return { ...Object.fromEntries(known), source: stated ? "provider" : "none" }
}

const signaturesOf = ({ events }: Decoded): number =>
  events.filter(
    (event) =>
      (event._tag === "ReasoningEnd" && event.signature !== undefined) ||
      (event._tag === "ReasoningStart" && event.redacted !== undefined)
  ).length

const summaryOnly = ({ body }: CorpusCase): boolean =>
  /"reasoning_details"/.test(body.toString("utf8")) && !/"reasoning(_content)?": ?"/.test(body.toString("utf8"))

/** What an independent decoder found, but for two things that it sees otherwise. */
const knownGist = (recording: CorpusCase, decoded: Decoded) => {
  const expected = expectedGist(recording.expected)
  const ids = expected.toolCalls.map(({ id }) => id)
  return {
    ...expected,
    // It reads no summaries out of the details of reasoning.
    reasoning: summaryOnly(recording) ? decodedGist(decoded, recording.expected).reasoning : expected.reasoning,
    // Two answers may call by the same id; here an id is one call's alone.
    toolCalls: expected.toolCalls.map((call, at) =>
      call.id !== null && ids.indexOf(call.id) < at ? { ...call, id: `${call.id}-2` } : call
    )
  }
}

const expectExpected = (decoded: Decoded, recording: CorpusCase): void => {
  const { expected } = recording
  if (expected.error === undefined) {
    expect(decoded.error).toBeUndefined()
    expect(grammarFaults(decoded.events)).toEqual([])
    expect(decodedGist(decoded, expected)).toEqual(knownGist(recording, decoded))
  } else {
    expect(decoded.error?.message).toBe((expected.error as { readonly message: string }).message)
    expect(grammarFaults(decoded.events, { complete: false })).toEqual([])
    // A stream that failed has no ending, whatever it said of one before.
    expect({ ...decodedGist(decoded, expected), toolCalls: [] }).toEqual({
      ...expectedGist(expected),
      finishReason: null,
      toolCalls: []
    })
  }
  // Some counts stand in fields of one vendor, which the independent decoder does not know.
  expect(decodedUsage(decoded)).toMatchObject(canonicalUsage(expected.usage))
  expect(signaturesOf(decoded)).toBe(expected.signatures ?? 0)
}

/** The words of the format for an ending are fewer than those of its servers. */
const ending = (decoded: Decoded): string | undefined => {
  const reason = foldEvents(decoded.events).choices.find(({ index }) => index === 0)?.finish?.reason
  return reason === "unknown" ? "stop" : reason
}

/** A rendered answer says what was decoded. */
const expectSame = (again: Decoded, decoded: Decoded, { expected }: CorpusCase): void => {
  expect(grammarFaults(again.events, { complete: decoded.error === undefined })).toEqual([])
  const gist = { ...decodedGist(decoded, expected), finishReason: "", choices: [] }
  expect({ ...decodedGist(again, expected), finishReason: "", choices: [] }).toEqual(gist)
  expect(foldEvents(again.events).choices.map(textOf)).toEqual(foldEvents(decoded.events).choices.map(textOf))
  expect(ending(again)).toBe(ending(decoded))
  expect(decodedUsage(again)).toEqual(decodedUsage(decoded))
  expect(signaturesOf(again)).toBe(signaturesOf(decoded))
  expect(again.error?.message).toBe(decoded.error?.message)
}

const askedForUsage = {
  origin: { protocol: "openai-chat", body: { stream_options: { include_usage: true } }, text: "", headers: {} }
}

const render = ({ events, error }: Decoded): string => {
  const renderer = openAiChatDialect.renderer(contextOf(askedForUsage))
  const text = events.map((event) => renderer.event(event)).join("")
  return text + (error === undefined ? renderer.end() : renderer.failure(error))
}

/** What a server does with frames of which some were changed. */
const relay = (
  frames: ReadonlyArray<Frame>,
  error: LlmError | undefined,
  more: Partial<RenderContext> = {}
): string => {
  const renderer = openAiChatDialect.renderer(contextOf(more))
  const send = (frame: Frame): string =>
    frame.raw === undefined ? frame.events.map((event) => renderer.event(event)).join("") : renderer.verbatim(frame)
  return frames.map(send).join("") + (error === undefined ? renderer.end() : renderer.failure(error))
}

/** The indexes of the calls in a chunk. */
const indexesOf = ({ choices }: Document): ReadonlyArray<unknown> =>
  ((choices ?? []) as ReadonlyArray<{ readonly delta?: Document }>).flatMap(({ delta }) =>
    ((delta?.["tool_calls"] ?? []) as ReadonlyArray<Document>).map(({ index }) => index)
  )

const isDone = (raw: string): boolean => raw.trim() === "data: [DONE]"

const isUsageOnly = ({ data }: WireFrame): boolean => {
  if (data === "[DONE]") return false
  const { choices, usage } = JSON.parse(data) as { readonly choices?: ReadonlyArray<unknown>; readonly usage?: unknown }
  return (choices ?? []).length === 0 && typeof usage === "object" && usage !== null
}

/** The frames of a stream with the edits that pass-through makes: what follows the end or a failure is left out. */
const passed = (recording: CorpusCase, failed: boolean, keep: (frame: WireFrame) => boolean): string => {
  const frames = wireFrames(recording.body)
  const end = frames.findIndex(({ raw, data }) => isDone(raw) || /"error": ?\{/.test(data))
  const last = end < 0 ? undefined : frames[end]
  const text = frames
    .slice(0, end < 0 ? undefined : end + 1)
    .filter(keep)
    .map(({ raw }) => raw)
    .join("")
  return failed || (last !== undefined && isDone(last.raw)) ? text : `${text}data: [DONE]\n\n`
}

const wireFrames = (body: Uint8Array): ReadonlyArray<WireFrame> => {
  const frames: Array<WireFrame> = []
  const decoder = makeSseDecoder()
  decoder.feed(body, frames)
  decoder.end(frames)
  return frames
}

describe.skipIf(!corpusPresent)("recorded streams of chat completions", () => {
  it("are there", () => expect(streams.length).toBeGreaterThan(130))

  describe.each(named(streams))("%s", (_name, recording) => {
    const whole = decodeStream(openAiChat, [recording.body])

    it("decodes to what an independent decoder found", () => expectExpected(whole, recording))

    it("decodes alike however it is split", () => {
      const { body } = recording
      const splits =
        body.length < 3000
          ? Array.from({ length: body.length }, (_, offset) => [offset])
          : Array.from({ length: 8 }, (_, seed) => randomOffsets(seed, body.length, 40))
      for (const offsets of splits) {
        expect(decodeStream(openAiChat, cutAt(body, offsets)).events).toEqual(whole.events)
      }
      const frames = wireFrames(body).map(({ raw }) => Buffer.from(raw))
      expect(decodeStream(openAiChat, frames).events).toEqual(whole.events)
    })

    it("goes out byte for byte where nothing was changed", () => {
      const failed = whole.error !== undefined
      expect(relay(whole.frames, whole.error, askedForUsage)).toBe(passed(recording, failed, () => true))
      expect(relay(whole.frames, whole.error)).toBe(passed(recording, failed, (frame) => !isUsageOnly(frame)))
    })

    it("renders to a stream that says the same", () => {
      const text = render(whole)
      expect(streamFaults(text)).toEqual([])
      const again = decodeStream(openAiChat, [Buffer.from(text)])
      expectSame(again, whole, recording)
    })

    it("stays whole where some frames are rendered and the others pass", () => {
      for (let seed = 0; seed < 10; seed++) {
        const changed = new Set(randomOffsets(seed, whole.frames.length, Math.ceil(whole.frames.length / 3)))
        const frames = whole.frames.map((frame, at) =>
          changed.has(at) && frame.events.length > 0 ? { ...frame, raw: undefined } : frame
        )
        const text = relay(frames, whole.error, askedForUsage)
        expectSame(decodeStream(openAiChat, [Buffer.from(text)]), whole, recording)
      }
    })

    it("stays a stream where every second call is taken out of it", () => {
      const ids = whole.events.flatMap((event) => (event._tag === "ToolInputStart" ? [event.id] : []))
      const out = new Set(ids.filter((_, at) => at % 2 === 0))
      const kept = (event: LlmEvent): boolean => !("id" in event && out.has(event.id))
      const frames = whole.frames.map((frame) =>
        frame.events.every(kept) ? frame : { ...frame, raw: undefined, events: frame.events.filter(kept) }
      )
      const again = decodeStream(openAiChat, [Buffer.from(relay(frames, whole.error, askedForUsage))])
      const left = ids.filter((id) => !out.has(id))
      const calls = again.events.filter((event) => event._tag === "ToolCall")
      // The second call of an id that two answers share has it for itself now.
      expect(calls.map(({ id }) => id)).toEqual(left.map((id) => id.replace(/-2$/, "")))
      expect(calls.map(({ arguments: text }) => text)).toEqual(
        whole.events.flatMap((event) => (event._tag === "ToolCall" && kept(event) ? [event.arguments] : []))
      )
      const indexes = chunksOf(relay(frames, whole.error)).flatMap(indexesOf)
      expect([...new Set(indexes)]).toEqual([...new Set(indexes)].map((_, at) => at))
    })

    it("is read by hand as the schema reads it", () => {
      const decode = Schema.decodeUnknownResult(ChatChunk)
      for (const { data } of wireFrames(recording.body)) {
        if (data === "[DONE]") continue
        const value: unknown = JSON.parse(data)
        const chunk = Result.getOrThrow(decode(value))
        const choices = (value as { readonly choices?: ReadonlyArray<unknown> }).choices ?? []
        expect(choices.map((choice) => readChoice(choice, false))).toEqual(
          (chunk.choices ?? []).map((choice) => ({
            index: choice.index ?? 0,
            content: choice.delta ?? choice.message ?? {},
            finish: choice.finish_reason || undefined,
            logprobs: choice.logprobs
          }))
        )
      }
    })
  })
})

describe.skipIf(!corpusPresent)("recorded whole chat completions", () => {
  it("are there", () => expect(wholes.length).toBeGreaterThan(80))

  it.each(named(wholes))("%s", (_name, recording) => {
    const decoded = decodeWhole(openAiChat, recording.body)
    expectExpected(decoded, recording)
    const response = foldEvents(decoded.events)
    const rendered = openAiChatDialect.renderWhole(response, contextOf(), [])
    const again = decodeWhole(openAiChat, Buffer.from(JSON.stringify(rendered)))
    expectSame(again, decoded, recording)
    const { id, model, created } = JSON.parse(recording.body.toString("utf8")) as Record<string, unknown>
    expect({ id: response.id, model: response.model, created: response.created }).toEqual({
      id: id ?? "",
      model: model ?? "",
      created
    })
  })
})

describe.skipIf(!corpusPresent)("recorded errors of chat completions", () => {
  it.each(named(errors))("%s", (_name, { body, status, expected }) => {
    const text = body.toString("utf8")
    const error = openAiChat.decodeError({ status, headers: {}, body: text })
    const { error: stated } = expected
    const message = typeof stated === "string" ? stated : (stated as { readonly message?: string } | undefined)?.message
    if (message !== undefined) expect(error.message).toBe(message)
    expect(error.fault?.status).toBe(status)
  })
})
