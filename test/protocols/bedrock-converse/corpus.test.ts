import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { Usage } from "../../../src/domain/Usage.ts"
import { bedrockConverse } from "../../../src/protocols/bedrock-converse/outbound.ts"
import { isStreamEvent, streamEvents, type EventName } from "../../../src/protocols/bedrock-converse/wire.ts"
import { makeAwsEventStreamDecoder } from "../../../src/wire/AwsEventStream.ts"
import { cut, decode } from "../../wire/decoding.ts"
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

const cases = corpusCases("bedrock-converse")
const streams = cases.filter(({ stream, status }) => stream && status === 200)
const wholes = cases.filter(({ stream, status }) => !stream && status === 200)
const errors = cases.filter(({ status }) => status !== 200)

/** The counts of an expectation in canonical arithmetic: input contains what came from the cache and went into it. */
const canonicalUsage = (usage: ExpectedUsage | null): Usage => {
  if (usage === null) return { source: "none" }
  const { input, output, cache_read, cache_write } = usage
  const counts = {
    inputTokens: input === undefined ? undefined : input + (cache_read ?? 0) + (cache_write ?? 0),
    outputTokens: output,
    cachedTokens: cache_read,
    cacheWriteTokens: cache_write
  }
  return JSON.parse(JSON.stringify({ ...counts, source: "provider" })) as Usage
}

const signaturesOf = ({ events }: Decoded): number =>
  events.filter((event) => event._tag === "ReasoningEnd" && event.signature !== undefined).length

const expectExpected = (decoded: Decoded, { expected }: CorpusCase): void => {
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  expect(decodedGist(decoded, expected)).toEqual(expectedGist(expected))
  expect(decodedUsage(decoded)).toEqual(canonicalUsage(expected.usage))
  expect(signaturesOf(decoded)).toBe(expected.signatures ?? 0)
}

describe.skipIf(!corpusPresent)("recorded Converse streams", () => {
  it("are there", () => expect(streams.length).toBeGreaterThan(15))

  describe.each(streams.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    const whole = decodeStream(bedrockConverse, [recording.body])

    it("decodes to what an independent decoder found", () => expectExpected(whole, recording))

    it("decodes alike however it is split", () => {
      const { body } = recording
      const splits =
        body.length < 3000
          ? Array.from({ length: body.length }, (_, offset) => [offset])
          : Array.from({ length: 12 }, (_, seed) => randomOffsets(seed, body.length, 40))
      for (const offsets of splits) {
        expect(decodeStream(bedrockConverse, cutAt(body, offsets)).events).toEqual(whole.events)
      }
      expect(decodeStream(bedrockConverse, cut(body, [1])).events).toEqual(whole.events)
    })

    it("is incomplete wherever it is cut before its stop reason, and an answer after it", () => {
      const { frames } = decode(makeAwsEventStreamDecoder(), [recording.body])
      const stop = frames.findIndex(({ event }) => event === "messageStop")
      frames.forEach((_, count) => {
        const decoder = bedrockConverse.decoder()
        const events: Array<never> = []
        for (const frame of frames.slice(0, count)) expect(decoder.step(frame, events)).toBeUndefined()
        const error = decoder.halt(events)
        if (count > stop) expect(error).toBeUndefined()
        else expect(error?.reason).toEqual({ _tag: "IncompleteStream", kind: count === 0 ? "empty" : "noStop" })
        expect(grammarFaults(events, { complete: count > stop })).toEqual([])
      })
    })

    it("is read by hand as the schemas read it", () => {
      for (const { event, data } of decode(makeAwsEventStreamDecoder(), [recording.body]).frames) {
        expect(Object.keys(streamEvents)).toContain(event)
        const name = event as EventName // one of them, which was just seen
        const value: unknown = JSON.parse(data)
        expect(isStreamEvent(name, value)).toBe(true)
        expect(
          Result.isSuccess(Schema.decodeUnknownResult(streamEvents[name] as typeof streamEvents.metadata)(value))
        ).toBe(true)
      }
    })
  })
})

describe.skipIf(!corpusPresent)("recorded whole answers of the Converse API", () => {
  it("are there", () => expect(wholes.length).toBeGreaterThan(8))

  it.each(wholes.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    expectExpected(decodeWhole(bedrockConverse, recording.body), recording)
  })
})

describe.skipIf(!corpusPresent)("recorded errors of the Converse API", () => {
  it.each(errors.map((recording) => [recording.name, recording] as const))(
    "%s",
    (_name, { body, status, expected }) => {
      const error = bedrockConverse.decodeError({ status, headers: {}, body: body.toString("utf8") })
      expect({ message: error.message }).toEqual(expected.error)
      expect(error.fault?.status).toBe(status)
      expect(error.reason._tag).toBe(status === 403 ? "Unauthorized" : "UnknownModel")
    }
  )
})
