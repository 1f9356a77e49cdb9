import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { Frame } from "../../../src/domain/Frame.ts"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import type { Usage } from "../../../src/domain/Usage.ts"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import { readStreamEvent, StreamEvent } from "../../../src/protocols/anthropic-messages/stream-events.ts"
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
import { contextOf } from "./context.ts"
import { framesOf, streamFaults } from "./stream-grammar.ts"

const cases = corpusCases("anthropic")
const streams = cases.filter(({ stream, status }) => stream && status === 200)
const wholes = cases.filter(({ stream, status }) => !stream && status === 200)
const errors = cases.filter(({ status }) => status !== 200)

/** The counts of an expectation in canonical arithmetic: input contains what came from the cache and went into it. */
const canonicalUsage = (usage: ExpectedUsage | null): Usage => {
  const { input, output, cache_read, cache_write, reasoning } = usage ?? {}
  const counts = {
    inputTokens: input === undefined ? undefined : input + (cache_read ?? 0) + (cache_write ?? 0),
    outputTokens: output,
    cachedTokens: cache_read,
    cacheWriteTokens: cache_write,
    reasoningTokens: reasoning
  }
  return JSON.parse(JSON.stringify({ ...counts, source: "provider" })) as Usage
}

const signaturesOf = ({ events }: Decoded): number =>
  events.filter(
    (event) =>
      (event._tag === "ReasoningEnd" && event.signature !== undefined) ||
      (event._tag === "ReasoningStart" && event.redacted !== undefined)
  ).length

const expectExpected = (decoded: Decoded, { expected }: CorpusCase): void => {
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  expect(decodedGist(decoded, expected)).toEqual(expectedGist(expected))
  expect(decodedUsage(decoded)).toEqual(canonicalUsage(expected.usage))
  expect(signaturesOf(decoded)).toBe(expected.signatures ?? 0)
}

const render = ({ events }: Decoded): string => {
  const renderer = anthropicMessagesDialect.renderer(contextOf())
  const text = events.map((event) => renderer.event(event)).join("") + renderer.end()
  expect(renderer.notices).toEqual([])
  return text
}

/** What was said, whatever the blocks without an id of their own were called. */
const contentOf = (events: ReadonlyArray<LlmEvent>): string =>
  JSON.stringify(foldEvents(events).choices).replaceAll(/"block-\d+"/g, "")

/** What a server does with frames of which some were changed. */
const relay = (frames: ReadonlyArray<Frame>): string => {
  const renderer = anthropicMessagesDialect.renderer(contextOf())
  const send = (frame: Frame): string =>
    frame.raw === undefined ? frame.events.map((event) => renderer.event(event)).join("") : renderer.verbatim(frame)
  return frames.map(send).join("") + renderer.end()
}

/** What an event is a piece of: the id of its block, or the block itself where it comes whole. */
const blockOf = (event: LlmEvent): unknown =>
  event._tag === "Opaque" || event._tag === "ToolResult"
    ? event.value
    : event._tag === "Source"
      ? event.block
      : "id" in event && event._tag !== "Started"
        ? event.id
        : undefined

const blocksOf = (events: ReadonlyArray<LlmEvent>): ReadonlyArray<unknown> =>
  [...new Set(events.map(blockOf))].filter((block) => block !== undefined)

const verbatim = ({ frames }: Decoded): string => {
  const renderer = anthropicMessagesDialect.renderer(contextOf())
  return frames.map((frame) => renderer.verbatim(frame)).join("") + renderer.end()
}

describe.skipIf(!corpusPresent)("recorded streams of the Messages API", () => {
  it("are there", () => expect(streams.length).toBeGreaterThan(30))

  describe.each(streams.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    const whole = decodeStream(anthropicMessages, [recording.body])

    it("decodes to what an independent decoder found", () => expectExpected(whole, recording))

    it("decodes alike however it is split", () => {
      const { body } = recording
      const small = body.length < 3000
      const splits = small
        ? Array.from({ length: body.length }, (_, offset) => [offset])
        : Array.from({ length: 12 }, (_, seed) => randomOffsets(seed, body.length, 40))
      for (const offsets of splits) {
        expect(decodeStream(anthropicMessages, cutAt(body, offsets)).events).toEqual(whole.events)
      }
      const bytes = Array.from({ length: body.length }, (_, offset) => offset)
      expect(decodeStream(anthropicMessages, cutAt(body, bytes)).events).toEqual(whole.events)
    })

    it("goes out byte for byte where nothing was changed", () => {
      // A missing last blank line is added.
      expect(verbatim(whole)).toBe(whole.frames.map((frame) => frame.raw).join(""))
      expect(verbatim(whole).startsWith(recording.body.toString("utf8").trimEnd())).toBe(true)
    })

    it("renders to a stream that says the same", () => {
      const text = render(whole)
      expect(streamFaults(text)).toEqual([])
      const again = decodeStream(anthropicMessages, [Buffer.from(text)])
      expectExpected(again, recording)
      expect(foldEvents(again.events)).toEqual(foldEvents(whole.events))
    })

    it("stays whole where some frames are rendered and the others pass", () => {
      for (let seed = 0; seed < 20; seed++) {
        const changed = new Set(randomOffsets(seed, whole.frames.length, Math.ceil(whole.frames.length / 3)))
        const text = relay(
          whole.frames.map((frame, at) =>
            changed.has(at) && frame.events.length > 0 ? { ...frame, raw: undefined } : frame
          )
        )
        expect(streamFaults(text)).toEqual([])
        expectExpected(decodeStream(anthropicMessages, [Buffer.from(text)]), recording)
      }
    })

    it("stays a stream where every second block is taken out of it", () => {
      const out = new Set(blocksOf(whole.events).filter((_, at) => at % 2 === 0))
      const kept = (event: LlmEvent): boolean => !out.has(blockOf(event))
      const text = relay(
        whole.frames.map((frame) =>
          frame.events.every(kept) ? frame : { ...frame, raw: undefined, events: frame.events.filter(kept) }
        )
      )
      expect(streamFaults(text)).toEqual([])
      const again = decodeStream(anthropicMessages, [Buffer.from(text)])
      expect(contentOf(again.events)).toBe(contentOf(whole.events.filter(kept)))
    })

    it("is read by hand as the schema reads it", () => {
      const decode = Schema.decodeUnknownResult(StreamEvent)
      for (const { data } of framesOf(recording.body.toString("utf8"))) {
        const value: unknown = JSON.parse(data)
        const read = readStreamEvent(value)
        const decoded = decode(value)
        if (Result.isSuccess(decoded)) expect(read).toMatchObject(decoded.success)
        else expect(read).toBe("other")
      }
    })
  })
})

describe.skipIf(!corpusPresent)("recorded whole answers of the Messages API", () => {
  it("are there", () => expect(wholes.length).toBeGreaterThan(15))

  it.each(wholes.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    const decoded = decodeWhole(anthropicMessages, recording.body)
    expectExpected(decoded, recording)
    const response = foldEvents(decoded.events)
    const rendered = anthropicMessagesDialect.renderWhole(response, contextOf(), [])
    const again = decodeWhole(anthropicMessages, Buffer.from(JSON.stringify(rendered)))
    expect(foldEvents(again.events)).toEqual(response)
    const { content, id, model, stop_reason } = JSON.parse(recording.body.toString("utf8")) as Record<string, unknown>
    expect(rendered).toMatchObject({ content, id, model, stop_reason })
  })
})

describe.skipIf(!corpusPresent)("recorded errors of the Messages API", () => {
  it.each(errors.map((recording) => [recording.name, recording] as const))(
    "%s",
    (_name, { body, status, expected }) => {
      const text = body.toString("utf8")
      const error = anthropicMessages.decodeError({ status, headers: {}, body: text })
      expect({ type: error.fault?.type, message: error.message }).toEqual(expected.error)
      const rendered = anthropicMessagesDialect.renderError(error, "req_1")
      expect(rendered.status).toBe(status)
      expect(rendered.body).toMatchObject({ type: "error", error: expected.error })
    }
  )

  it("have the reasons that they mean", () => {
    const reasons = errors.map(({ body, status }) => [
      status,
      anthropicMessages.decodeError({ status, headers: {}, body: body.toString("utf8") }).reason._tag
    ])
    expect(Object.fromEntries(reasons)).toEqual({ 400: "ContextTooLong", 401: "Unauthorized", 404: "UnknownModel" })
  })
})
