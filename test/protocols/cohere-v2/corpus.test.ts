import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { JsonObject } from "../../../src/protocols/open-document.ts"
import { cohereV2 } from "../../../src/protocols/cohere-v2/outbound.ts"
import { readStreamEvent, StreamEvent } from "../../../src/protocols/cohere-v2/wire.ts"
import {
  corpusCases,
  corpusPresent,
  decodedGist,
  decodedUsage,
  decodeStream,
  decodeWhole,
  expectedGist,
  type CorpusCase,
  type Decoded
} from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"
import { expectAlikeHoweverSplit } from "../splitting.ts"

const cases = corpusCases("cohere-v2")
const named = (chosen: ReadonlyArray<CorpusCase>) => chosen.map((recording) => [recording.name, recording] as const)
const streams = cases.filter(({ stream, status }) => stream && status === 200)
const wholes = cases.filter(({ stream, status }) => !stream && status === 200)
const errors = cases.filter(({ status }) => status !== 200)

/** What the recordings say of this format beyond the fields that all of them share. */
interface More {
  readonly tool_plan?: string
  readonly citations?: number
  readonly usage_raw?: { readonly tokens?: { readonly reasoning_tokens?: number } }
}

const expectExpected = (decoded: Decoded, { expected }: CorpusCase): void => {
  const more = expected as More
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  const reasoning = (more.tool_plan ?? "") + (expected.reasoning ?? "")
  expect(decodedGist(decoded, expected)).toEqual({ ...expectedGist(expected), reasoning })
  const { input, output, cache_read } = expected.usage ?? {}
  const counts = {
    inputTokens: input,
    outputTokens: output,
    cachedTokens: cache_read,
    reasoningTokens: more.usage_raw?.tokens?.reasoning_tokens,
    source: "provider"
  }
  expect(decodedUsage(decoded)).toEqual(JSON.parse(JSON.stringify(counts)))
  const places = decoded.events.flatMap((event) => (event._tag === "Source" ? [`${event.start}-${event.end}`] : []))
  expect(new Set(places).size).toBe(more.citations ?? 0)
}

describe.skipIf(!corpusPresent)("recorded streams of Cohere", () => {
  it("are there", () => expect(streams.length).toBeGreaterThan(7))

  describe.each(named(streams))("%s", (_name, recording) => {
    const whole = decodeStream(cohereV2, [recording.body])

    it("decodes to what an independent decoder found", () => expectExpected(whole, recording))

    it("decodes alike however it is split", () => expectAlikeHoweverSplit(cohereV2, recording.body))

    it("keeps every byte in its frames", () =>
      expect(whole.frames.map(({ raw }) => raw).join("")).toBe(recording.body.toString("utf8")))

    it("is read by hand as the schema reads it", () => {
      const decode = Schema.decodeUnknownResult(StreamEvent)
      for (const [, data = ""] of recording.body.toString("utf8").matchAll(/^data: (\{.*)$/gm)) {
        const document = JSON.parse(data) as JsonObject
        const read = readStreamEvent(document)
        const decoded = decode(document)
        if (Result.isSuccess(decoded)) expect(read).toMatchObject(decoded.success)
        else expect(read).toBe("other")
      }
    })
  })
})

describe.skipIf(!corpusPresent)("recorded whole answers of Cohere", () => {
  it("are there", () => expect(wholes.length).toBeGreaterThan(5))

  it.each(named(wholes))("%s", (_name, recording) => expectExpected(decodeWhole(cohereV2, recording.body), recording))
})

describe.skipIf(!corpusPresent)("recorded errors of Cohere", () => {
  it("are there", () => expect(errors.length).toBeGreaterThan(0))

  it.each(named(errors))("%s", (_name, { body, status, expected }) => {
    const text = body.toString("utf8")
    const error = cohereV2.decodeError({ status, headers: {}, body: text })
    expect(error).toMatchObject({
      reason: { _tag: "Unauthorized" },
      message: (expected.error as { readonly message: string }).message,
      fault: { status, protocol: "cohere-v2", raw: text }
    })
  })
})
