import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { geminiInteractions } from "../../../src/protocols/gemini-interactions/outbound.ts"
import { readStreamEvent, StreamEvent } from "../../../src/protocols/gemini-interactions/wire.ts"
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

const cases = corpusCases("gemini-interactions")
const named = (chosen: ReadonlyArray<CorpusCase>) => chosen.map((recording) => [recording.name, recording] as const)
const streams = cases.filter(({ stream }) => stream)
const wholes = cases.filter(({ stream }) => !stream)

/** The steps of tools that the provider ran, in order: their calls, and what they answered. */
const hostedSteps = ({ events }: Decoded): ReadonlyArray<unknown> =>
  events.flatMap((event) =>
    event._tag === "ToolCall" && event.providerExecuted === true
      ? [event.name]
      : event._tag === "ToolResult"
        ? [(event.value as { readonly type: string }).type]
        : []
  )

/** The summaries of thoughts in a stream, which the expectations leave out. */
const summaryOf = ({ body }: CorpusCase): string => {
  const documents = body.toString("utf8").matchAll(/^data: (\{.*"thought_summary".*)$/gm)
  return Array.from(documents, ([, data = ""]) => {
    const { delta } = JSON.parse(data) as { readonly delta: { readonly content: { readonly text: string } } }
    return delta.content.text
  }).join("")
}

const expectExpected = (decoded: Decoded, recording: CorpusCase): void => {
  const { expected, body } = recording
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  const { serverTools: _, ...gist } = decodedGist(decoded, expected)
  const { serverTools: __, ...wanted } = expectedGist(expected)
  expect(gist).toEqual({ ...wanted, reasoning: summaryOf(recording) })
  expect(hostedSteps(decoded)).toEqual(expected.server_tool_calls ?? [])
  const { input, output = 0, reasoning = 0, cache_read, total } = expected.usage ?? {}
  expect(decodedUsage(decoded)).toEqual({
    inputTokens: input,
    outputTokens: output + reasoning,
    reasoningTokens: reasoning,
    cachedTokens: cache_read,
    source: "provider"
  })
  expect(input! + output + reasoning).toBe(total)
  const text = body.toString("utf8")
  const signatures = decoded.events.flatMap((event) =>
    event._tag === "ReasoningEnd" && event.signature !== undefined ? [event.signature] : []
  )
  // Every recording has one thought that is signed.
  expect(signatures).toHaveLength(1)
  for (const signature of signatures) expect(text).toContain(JSON.stringify(signature))
}

describe.skipIf(!corpusPresent)("recorded streams of the Interactions API", () => {
  it("are there", () => expect(streams.length).toBeGreaterThan(5))

  describe.each(named(streams))("%s", (_name, recording) => {
    const whole = decodeStream(geminiInteractions, [recording.body])

    it("decodes to what an independent decoder found", () => expectExpected(whole, recording))

    it("decodes alike however it is split", () => expectAlikeHoweverSplit(geminiInteractions, recording.body))

    it("keeps every byte in its frames", () =>
      expect(whole.frames.map(({ raw }) => raw).join("")).toBe(recording.body.toString("utf8")))

    it("is read by hand as the schema reads it", () => {
      const decode = Schema.decodeUnknownResult(StreamEvent)
      for (const [, data = ""] of recording.body.toString("utf8").matchAll(/^data: (\{.*)$/gm)) {
        const document: unknown = JSON.parse(data)
        const read = readStreamEvent(document)
        const decoded = decode(document)
        if (Result.isSuccess(decoded)) expect(read).toMatchObject(decoded.success)
        else expect(read).toBe("other")
      }
    })
  })
})

describe.skipIf(!corpusPresent)("recorded whole answers of the Interactions API", () => {
  it("are there", () => expect(wholes.length).toBeGreaterThan(3))

  it.each(named(wholes))("%s", (_name, recording) =>
    expectExpected(decodeWhole(geminiInteractions, recording.body), recording)
  )

  it("cite passages by offsets of code units", () => {
    const recording = wholes.find(({ name }) => name.endsWith("google_search_tool_interaction"))!
    const { events } = decodeWhole(geminiInteractions, recording.body)
    const sources = events.flatMap((event) => (event._tag === "Source" ? [event] : []))
    expect(sources.length).toBeGreaterThan(5)
    for (const { start, end } of sources) {
      expect(recording.expected.text!.slice(start, end)).toMatch(/\S\.$/)
    }
  })
})
