import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { Usage } from "../../../src/domain/Usage.ts"
import { Chunk, readChunk } from "../../../src/protocols/gemini/chunk.ts"
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

const chunksOf = (body: Buffer): ReadonlyArray<unknown> => {
  const frames: Array<{ readonly data: string }> = []
  const framing = gemini.frames()
  framing.feed(body, frames as never)
  framing.end(frames as never)
  return frames.filter(({ data }) => data !== "").map(({ data }) => JSON.parse(data) as unknown)
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
    expectExpected(decodeWhole(gemini, recording.body), recording)
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
})
