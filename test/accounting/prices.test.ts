import { assert, describe, it } from "@effect/vitest"
import { PriceBook, shippedPrices } from "../../src/accounting/PriceBook.ts"

describe("the prices that come with the package", () => {
  it("say of when they are", () => {
    assert.match(shippedPrices.version, /^\d{4}-\d{2}-\d{2}$/)
  })

  it("have every model that the documentation names first", () => {
    const book = new PriceBook(shippedPrices)
    for (const upstream of [
      "claude-sonnet-5",
      "gpt-5.5",
      "gemini-2.5-pro",
      "claude-haiku-4-5-20251001",
      "gpt-4o-mini"
    ]) {
      assert.isDefined(book.find({ provider: "p", served: undefined, upstream, requested: "" }), upstream)
    }
  })

  it("are plausible: what is cached costs no more, what is generated no less, and longer requests are not cheaper", () => {
    for (const [model, { above = [], ...rates }] of Object.entries(shippedPrices.models)) {
      for (const { input = rates.input, output = rates.output, cachedInput = 0 } of [rates, ...above]) {
        assert.isAtMost(cachedInput, input, model)
        if (output !== undefined) assert.isAtLeast(output, input, model)
        assert.isAtLeast(input, rates.input, model)
        for (const price of [input, output ?? 0, cachedInput]) {
          // Finer prices would not be reckoned with exactly.
          assert.closeTo(price * 1e6, Math.round(price * 1e6), 1e-6, model)
        }
      }
    }
  })
})
