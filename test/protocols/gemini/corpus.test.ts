import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { Notice } from "../../../src/domain/Call.ts"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import type { Usage } from "../../../src/domain/Usage.ts"
import { Chunk, readChunk } from "../../../src/protocols/gemini/chunk.ts"
import { geminiArrayDialect, geminiDialect } from "../../../src/protocols/gemini/inbound.ts"
import { gemini } from "../../../src/protocols/gemini/outbound.ts"
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
  type ExpectedUsage
} from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"
import { isObject, type JsonObject } from "../../../src/protocols/open-document.ts"
import type { Dialect } from "../../../src/protocols/Dialect.ts"
import { contextOf } from "./context.ts"
import { streamFaults } from "./stream-grammar.ts"

const cases = corpusCases("gemini")
// One error was kept by its project without the envelope that told its status.
const isError = ({ status, expected }: CorpusCase) => status !== 200 || Boolean(expected.error)
const streams = cases.filter((recording) => recording.stream && !isError(recording))
const wholes = cases.filter((recording) => !recording.stream && !isError(recording))
const errors = cases.filter(isError)

/** The counts of an expectation in canonical arithmetic: tools' input is input, and thoughts are output. */
const canonicalUsage = (usage: (ExpectedUsage & { readonly tool_use_input?: number }) | null): Usage => {
  const { input, output, cache_read, reasoning, tool_use_input } = usage ?? {}
  const counts = {
    inputTokens: input === undefined ? undefined : input + (tool_use_input ?? 0),
    outputTokens: output === undefined ? undefined : output + (reasoning ?? 0),
    cachedTokens: cache_read,
    reasoningTokens: reasoning
  }
  const stated = Object.values(counts).some((count) => count !== undefined)
  return JSON.parse(JSON.stringify({ ...counts, source: stated ? "provider" : "none" })) as Usage
}

const countSignatures = (value: unknown): number => JSON.stringify(value).split('"thoughtSignature":').length - 1

const signaturesOf = ({ events }: Decoded): number =>
  events.reduce((count, event) => {
    if (event._tag === "ReasoningEnd") return count + (event.signature === undefined ? 0 : 1)
    return count + countSignatures(event)
  }, 0)

const expectExpected = (decoded: Decoded, { expected }: CorpusCase): void => {
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  expect(decodedGist(decoded, expected)).toEqual(expectedGist(expected))
  expect(decodedUsage(decoded)).toEqual(canonicalUsage(expected.usage))
  expect(signaturesOf(decoded)).toBe(expected.signatures ?? 0)
}

const rendered = (dialect: Dialect, { events }: Decoded): string => {
  const renderer = dialect.renderer(contextOf())
  const text = events.map((event) => renderer.event(event)).join("") + renderer.end()
  expect(renderer.notices).toEqual([])
  return text
}

const verbatim = (dialect: Dialect, { frames }: Decoded): string => {
  const renderer = dialect.renderer(contextOf())
  return frames.map((frame) => renderer.verbatim(frame)).join("") + renderer.end()
}

/** Events as another decoder would see them: calls come whole, metadata and the tier of the service where the answer ends. */
const settled = (events: ReadonlyArray<LlmEvent>) => {
  const { serviceTier: _, ...response } = foldEvents(events)
  return {
    ...response,
    id: response.id || "made-here",
    model: response.model || "smart",
    choices: response.choices.map((choice) => ({
      ...choice,
      parts: choice.parts.filter((part) => part._tag !== "Opaque"),
      sources: undefined
    })),
    fragments: Object.assign(
      {},
      ...events.flatMap((event) => {
        const value = event._tag === "Opaque" && isObject(event.value) ? event.value : {}
        return [value["candidate"], value["response"]]
      })
    ) as unknown
  }
}

const chunksOf = (body: Buffer): ReadonlyArray<unknown> => {
  const frames: Array<{ readonly data: string }> = []
  const framing = gemini.frames()
  framing.feed(body, frames as never)
  framing.end(frames as never)
  return frames.filter(({ data }) => data !== "").map(({ data }) => JSON.parse(data) as unknown)
}

const withoutRawReasons = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, field: unknown) => (key === "rawReason" ? undefined : field)))

/** An answer without what is said in other words: details of the usage, defaults, ids of calls, numbers for names. */
const plain = (answer: unknown): unknown => {
  const { usageMetadata, modelVersion: _, responseId: __, createTime: ___, ...rest } = answer as JsonObject
  const text = JSON.stringify(rest, (key, field: unknown) => {
    if (key === "finishReason" && field === 1) return "STOP"
    if (key === "functionCall" && isObject(field)) return { name: field["name"], args: field["args"] }
    if (key === "content" && isObject(field)) return { parts: field["parts"] ?? [], role: "model" }
    if (key === "candidates" && Array.isArray(field)) {
      return field.map((candidate: JsonObject) => ({ content: { parts: [], role: "model" }, index: 0, ...candidate }))
    }
    const empty = Array.isArray(field) && field.length === 0 && key !== "parts"
    return empty || (isObject(field) && Object.keys(field).length === 0 && key !== "args") ? undefined : field
  })
  const { totalTokenCount } = isObject(usageMetadata) ? usageMetadata : {}
  const { promptFeedback, ...fields } = JSON.parse(text) as JsonObject
  const feedback = isObject(promptFeedback) && Object.keys(promptFeedback).length > 0 ? { promptFeedback } : {}
  return { ...fields, ...feedback, totalTokenCount }
}

describe.skipIf(!corpusPresent)("recorded streams of the Gemini API", () => {
  it("are there, in both framings", () => {
    expect(streams.length).toBeGreaterThan(25)
    expect(streams.some(({ body }) => body.toString("utf8").startsWith("["))).toBe(true)
  })

  describe.each(streams.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    const whole = decodeStream(gemini, [recording.body])

    it("decodes to what an independent decoder found", () => expectExpected(whole, recording))

    it("decodes alike however it is split", () => {
      const { body } = recording
      const small = body.length < 3000
      const splits = small
        ? Array.from({ length: body.length }, (_, offset) => [offset])
        : Array.from({ length: 12 }, (_, seed) => randomOffsets(seed, body.length, 40))
      for (const offsets of splits) {
        expect(decodeStream(gemini, cutAt(body, offsets)).events).toEqual(whole.events)
      }
      const bytes = Array.from({ length: body.length }, (_, offset) => offset)
      expect(decodeStream(gemini, cutAt(body, bytes)).events).toEqual(whole.events)
    })

    it("goes out byte for byte where nothing was changed", () => {
      const events = whole.frames.some(({ raw }) => raw?.startsWith("data:"))
      const sent = verbatim(events ? geminiDialect : geminiArrayDialect, whole)
      expect(sent).toBe(whole.frames.map((frame) => frame.raw).join(""))
      expect(sent.startsWith(recording.body.toString("utf8").trimEnd())).toBe(true)
    })

    it("goes out in the other framing where the caller asked for it", () => {
      const chunks = chunksOf(recording.body)
      const events = verbatim(geminiDialect, whole)
      expect(streamFaults(events)).toEqual([])
      expect(chunksOf(Buffer.from(events))).toEqual(chunks)
      expect(JSON.parse(verbatim(geminiArrayDialect, whole))).toEqual(chunks)
    })

    it("renders to a stream that says the same", () => {
      const text = rendered(geminiDialect, whole)
      expect(streamFaults(text)).toEqual([])
      const again = decodeStream(gemini, [Buffer.from(text)])
      // A number of the API's list of reasons is said by its name.
      const [{ finish } = { finish: undefined }] = foldEvents(again.events).choices
      expectExpected(again, {
        ...recording,
        expected: {
          ...recording.expected,
          finish_reason:
            recording.expected.finish_reason === 1 ? (finish?.rawReason ?? null) : recording.expected.finish_reason
        }
      })
      const [before, after] = [settled(whole.events), settled(again.events)]
      expect(withoutRawReasons(after)).toEqual(withoutRawReasons(before))
      expect(JSON.parse(rendered(geminiArrayDialect, whole))).toEqual(chunksOf(Buffer.from(text)))
    })

    it("is read by hand as the schema reads it", () => {
      const decode = Schema.decodeUnknownResult(Chunk)
      for (const chunk of chunksOf(recording.body)) {
        expect(Result.getOrThrow(decode(chunk))).toEqual(readChunk(chunk))
      }
    })
  })
})

describe.skipIf(!corpusPresent)("recorded whole answers of the Gemini API", () => {
  it("are there", () => expect(wholes.length).toBeGreaterThan(12))

  it.each(wholes.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    const decoded = decodeWhole(gemini, recording.body)
    expectExpected(decoded, recording)
    const body = JSON.parse(recording.body.toString("utf8")) as JsonObject
    const notices: Array<Notice> = []
    const answer = geminiDialect.renderWhole(foldEvents(decoded.events), contextOf(), notices)
    expect(notices).toEqual([])
    expect(plain(answer)).toEqual(plain(body))
  })
})

describe.skipIf(!corpusPresent)("recorded errors of the Gemini API", () => {
  it("have the reasons that they mean", () => {
    const reasons = errors.map(({ name, body, expected }) => {
      const { code, message } = expected.error as { readonly code: number; readonly message: string }
      const error = gemini.decodeError({ status: code, headers: {}, body: body.toString("utf8") })
      expect(error.message).toBe(message)
      return [name.split("/")[1]?.split(".")[1]?.slice(0, 30), error.reason, error.retryAfterMs]
    })
    expect(reasons).toEqual([
      ["google-429-retry-info", { _tag: "RateLimited" }, 34_400],
      ["chat_error_handling_with_gemin", { _tag: "Unauthorized" }, undefined],
      ["chat_real_error_scenarios_gemi", { _tag: "RateLimited" }, 48_000],
      ["opentelemetry-python-contrib", { _tag: "UnknownModel", model: "gemini-does-not-exist", near: [] }, undefined]
    ])
  })

  it.each(errors.map((recording) => [recording.name, recording] as const))("are told on: %s", (_name, recording) => {
    const { code } = recording.expected.error as { readonly code: number }
    const error = gemini.decodeError({ status: code, headers: {}, body: recording.body.toString("utf8") })
    const answer = geminiDialect.renderError(error)
    expect(answer.status).toBe(code)
    const { details, ...said } = recording.expected.error as { readonly details: ReadonlyArray<unknown> }
    expect(answer.body).toEqual({ error: { ...said, ...(details.length === 0 ? {} : { details }) } })
  })
})
