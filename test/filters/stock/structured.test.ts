import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { GeneratedLogprob, LlmEvent } from "../../../src/domain/LlmEvent.ts"
import type { LlmRequest } from "../../../src/domain/LlmRequest.ts"
import { prompt } from "../../../src/domain/prompt.ts"
import { redact } from "../../../src/filters/stock/redact.ts"
import { block, replace, stopWords } from "../../../src/filters/stock/words.ts"
import { answerOf, filtered, testContext, usable } from "../applying.ts"
import { someSplits } from "../splits.ts"

const asked: LlmRequest = { ...prompt("model", "hello"), responseFormat: { _tag: "Json" } }
const pii = usable(redact({ name: "pii" }))
const through = (filter: typeof pii, pieces: ReadonlyArray<string>, request: LlmRequest = asked) =>
  filtered(filter, answerOf("text", pieces), testContext(), request)

describe("an answer that is to be JSON", () => {
  it.effect("hides nothing behind escapes, and stays JSON", () =>
    Effect.gen(function* () {
      const quotes = usable(replace({ name: "quotes", rules: [{ text: "Jane", with: 'one "J."' }] }))
      for (const [filter, written, left] of [
        [pii, '{"to":"jane\\u0040example.com","n":4111111111111111}', '{"to":"[EMAIL]","n":"[CARD]"}'],
        [pii, ' \n["jane@ex\\u0061mple.com", 1]', ' \n["[EMAIL]", 1]'],
        [quotes, '{"who":"J\\u0061ne"}', '{"who":"one \\"J.\\""}'],
        [pii, "I can't, jane@example.com: [no]", "I can't, [EMAIL]: [no]"]
      ] as const) {
        for (const pieces of someSplits(written, 6))
          assert.strictEqual((yield* through(filter, pieces)).text, left, pieces.join("|"))
      }
    })
  )

  it.effect("is refused for what an escape stands for, too", () =>
    Effect.gen(function* () {
      const word = usable(block({ name: "word", words: ["secret"] }))
      for (const pieces of someSplits('{"a":"a s\\u0065cret"}', 6)) {
        const { text, ending } = yield* through(word, pieces)
        assert.strictEqual(ending?.verdict._tag, "Refuse")
        assert.strictEqual(text, '{"a":"a ')
      }
    })
  )

  it.effect("ends at stop words as it is written, as a model does", () =>
    Effect.gen(function* () {
      const stops = usable(stopWords({ name: "stops", words: ["}\n"] }))
      for (const pieces of someSplits('{"a":1}\n{"b":2}', 4))
        assert.strictEqual((yield* through(stops, pieces)).text, '{"a":1')
    })
  )

  it.effect("is read as it is written where nobody asked for JSON", () =>
    Effect.gen(function* () {
      const written = "[1] by jane@example.com, 4111111111111111"
      for (const pieces of someSplits(written, 4))
        assert.strictEqual((yield* through(pii, pieces, prompt("model", "hello"))).text, "[1] by [EMAIL], [CARD]")
    })
  )
})

const probed = (token: string, ...others: ReadonlyArray<string>): GeneratedLogprob => ({
  token,
  logprob: -1,
  top: [token, ...others].map((token) => ({ token, logprob: -1 }))
})

describe("log probabilities", () => {
  const word = usable(block({ name: "word", words: ["secret"], action: "hide" }))
  const answer = (...deltas: ReadonlyArray<LlmEvent>): ReadonlyArray<LlmEvent> => {
    const [started, begin, end, finish] = answerOf("text", [])
    return [started!, begin!, ...deltas, end!, finish!]
  }
  const delta = (text: string, ...logprobs: ReadonlyArray<GeneratedLogprob>): LlmEvent => ({
    _tag: "TextDelta",
    id: "block",
    text,
    logprobs
  })

  it.effect("do not tell what else might have been said, if it may not be", () =>
    Effect.gen(function* () {
      const { events } = yield* filtered(
        word,
        answer(delta("a ", probed("a ")), delta("word", probed("word", "secret")))
      )
      assert.deepStrictEqual(events.slice(2, 4), [delta("a ", probed("a ")), delta("word", probed("word"))])
    })
  )

  it.effect("do not tell what is hidden, where they come after its text", () =>
    Effect.gen(function* () {
      const pieces = ["a ", "sec", "ret"].flatMap((text) => [delta(text), delta("", probed(text))])
      const { events, text } = yield* filtered(word, answer(...pieces))
      assert.strictEqual(text, "a ******")
      assert.notMatch(JSON.stringify(events), /sec|ret/)
    })
  )

  it.effect("stay as they are where there is nothing to hide", () =>
    Effect.gen(function* () {
      const events = answer(delta("a ", probed("a ", "the ")), delta("", probed("")))
      for (const [index, event] of (yield* filtered(word, events)).events.entries())
        assert.strictEqual(event, events[index])
    })
  )
})
