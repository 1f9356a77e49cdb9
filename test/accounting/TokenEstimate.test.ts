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
})
