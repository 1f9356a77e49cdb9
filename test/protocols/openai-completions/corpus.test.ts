import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { openAiCompletions } from "../../../src/protocols/openai-completions/outbound.ts"
import { Chunk, readChunk } from "../../../src/protocols/openai-completions/wire.ts"
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

const cases = corpusCases("openai-completions")
const named = (chosen: ReadonlyArray<CorpusCase>) => chosen.map((recording) => [recording.name, recording] as const)
const streams = cases.filter(({ stream, status }) => stream && status === 200)
const wholes = cases.filter(({ stream, status }) => !stream && status === 200)
const errors = cases.filter(({ status }) => status !== 200)

const expectExpected = (decoded: Decoded, { expected }: CorpusCase): void => {
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  expect(decodedGist(decoded, expected)).toEqual(expectedGist(expected))
  const { usage } = expected
  expect(decodedUsage(decoded)).toEqual(
    usage === null ? { source: "none" } : { inputTokens: usage.input, outputTokens: usage.output, source: "provider" }
  )
}

const expectReadAsTheSchema = (document: unknown): void => {
  const decoded = Schema.decodeUnknownResult(Chunk)(document)
  expect(readChunk(document)).toMatchObject(Result.getOrThrow(decoded))
}

describe.skipIf(!corpusPresent)("recorded streams of completions", () => {
  it("are there", () => expect(streams.length).toBeGreaterThan(3))

  describe.each(named(streams))("%s", (_name, recording) => {
    const whole = decodeStream(openAiCompletions, [recording.body])

    it("decodes to what an independent decoder found", () => expectExpected(whole, recording))

    it("decodes alike however it is split", () => expectAlikeHoweverSplit(openAiCompletions, recording.body))

    it("keeps every byte in its frames", () =>
      expect(whole.frames.map(({ raw }) => raw).join("")).toBe(recording.body.toString("utf8")))

    it("is read by hand as the schema reads it", () => {
      for (const [, data = ""] of recording.body.toString("utf8").matchAll(/^data: (\{.*)$/gm)) {
        expectReadAsTheSchema(JSON.parse(data))
      }
    })
  })
})

describe.skipIf(!corpusPresent)("recorded whole completions", () => {
  it("are there", () => expect(wholes.length).toBeGreaterThan(1))

  it.each(named(wholes))("%s", (_name, recording) => {
    expectExpected(decodeWhole(openAiCompletions, recording.body), recording)
    expectReadAsTheSchema(JSON.parse(recording.body.toString("utf8")))
  })

  it("have a probability for every token of their texts", () => {
    const recording = wholes.find(({ name }) => name.endsWith("completion-suffix"))
    const deltas = decodeWhole(openAiCompletions, recording!.body).events.flatMap((event) =>
      event._tag === "TextDelta" ? [event] : []
    )
    expect(deltas).toHaveLength(2)
    for (const { text, logprobs = [] } of deltas) {
      expect(logprobs.map(({ token }) => token).join("")).toContain(text)
      for (const { top } of logprobs) expect(top).toHaveLength(3)
    }
  })
})

describe.skipIf(!corpusPresent)("recorded errors of completions", () => {
  it("are there", () => expect(errors.length).toBeGreaterThan(0))

  it.each(named(errors))("%s", (_name, { body, status, expected }) => {
    const text = body.toString("utf8")
    const error = openAiCompletions.decodeError({ status, headers: {}, body: text })
    expect(error).toMatchObject({
      message: (expected.error as { readonly message: string }).message,
      fault: { status, type: "invalid_request_error", protocol: "openai-completions", raw: text }
    })
  })
})
