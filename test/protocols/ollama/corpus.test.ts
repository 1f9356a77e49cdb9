import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { ollama } from "../../../src/protocols/ollama/outbound.ts"
import { Chunk, readChunk } from "../../../src/protocols/ollama/wire.ts"
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

const cases = corpusCases("ollama")
const named = (chosen: ReadonlyArray<CorpusCase>) => chosen.map((recording) => [recording.name, recording] as const)
const streams = cases.filter(({ stream, status }) => stream && status === 200)
const wholes = cases.filter(({ stream, status }) => !stream && status === 200)
const errors = cases.filter(({ status }) => status !== 200)

const expectExpected = (decoded: Decoded, { expected }: CorpusCase): void => {
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  expect(decodedGist(decoded, expected)).toEqual(expectedGist(expected))
  const { input, output } = expected.usage ?? {}
  const counts = { inputTokens: input, outputTokens: output, source: "provider" }
  expect(decodedUsage(decoded)).toEqual(JSON.parse(JSON.stringify(counts)))
}

describe.skipIf(!corpusPresent)("recorded streams of Ollama", () => {
  it("are there", () => expect(streams.length).toBeGreaterThan(8))

  describe.each(named(streams))("%s", (_name, recording) => {
    const whole = decodeStream(ollama, [recording.body])

    it("decodes to what an independent decoder found", () => expectExpected(whole, recording))

    it("decodes alike however it is split", () => expectAlikeHoweverSplit(ollama, recording.body))

    it("keeps every byte in its frames", () =>
      expect(whole.frames.map(({ raw }) => raw).join("")).toBe(recording.body.toString("utf8")))

    it("is read by hand as the schema reads it", () => {
      const lines = recording.body.toString("utf8").trim().split("\n")
      for (const line of lines) {
        const document: unknown = JSON.parse(line)
        const decoded = Schema.decodeUnknownResult(Chunk)(document)
        expect(readChunk(document)).toMatchObject(Result.getOrThrow(decoded))
      }
    })
  })
})

describe.skipIf(!corpusPresent)("recorded whole answers of Ollama", () => {
  it("are there", () => expect(wholes.length).toBeGreaterThan(5))

  it.each(named(wholes))("%s", (_name, recording) => expectExpected(decodeWhole(ollama, recording.body), recording))
})

describe.skipIf(!corpusPresent)("recorded errors of Ollama", () => {
  it("are there", () => expect(errors.length).toBeGreaterThan(0))

  it.each(named(errors))("%s", (_name, { body, status, expected }) => {
    const text = body.toString("utf8")
    const error = ollama.decodeError({ status, headers: {}, body: text })
    expect(error).toMatchObject({
      reason: { _tag: "UnknownModel", model: "nonexistent-model:latest" },
      message: expected.error,
      fault: { status, protocol: "ollama", raw: text }
    })
  })
})
