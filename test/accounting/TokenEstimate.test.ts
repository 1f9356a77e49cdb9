import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { estimateTextTokens } from "../../src/accounting/TokenEstimate.ts"

describe("the estimate of a text's tokens", () => {
  it.live.each(["<|im_end|>", "a <|endoftext|> b", "<|im_start|>system"])(
    "counts the marks of models as text: %s",
    (text) =>
      Effect.gen(function* () {
        assert.isAbove(yield* estimateTextTokens(text), 3)
      })
  )

  const prose = "The estimate is made in pieces, and a piece ends before a word: so nothing is counted twice. "
  it.live.each([
    { what: "prose", text: prose.repeat(50), tokens: 50 * 20 },
    { what: "a text without blanks", text: "中".repeat(60_000), tokens: 60_000 },
    { what: "characters of two units, of which none is cut", text: `a${"🎉".repeat(3000)}`, tokens: 6001 },
    { what: "what is longer than is counted", text: "é".repeat(200_000), tokens: 200_000 }
  ])("is that of the whole: $what", ({ text, tokens }) =>
    Effect.gen(function* () {
      assert.closeTo(yield* estimateTextTokens(text), tokens, tokens / 10)
    })
  )
})
