import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { costOf, microUsdOf } from "../../src/accounting/Cost.ts"
import { PriceBook, type Price } from "../../src/accounting/PriceBook.ts"
import { sumOfCosts } from "../../src/domain/Cost.ts"

const price: Price = {
  input: 3,
  output: 15,
  cachedInput: 0.3,
  cacheWrite: 3.75,
  above: [
    { tokens: 500_000, input: 12 },
    { tokens: 200_000, input: 6, output: 22.5 }
  ]
}
const usage = (counts: object) => ({ source: "provider" as const, ...counts })

describe("what a usage costs", () => {
  it("is the sum of its parts, each charged once by a price of its own or that of the whole", () => {
    const used = usage({ inputTokens: 1000, cachedTokens: 300, cacheWriteTokens: 200, outputTokens: 100 })
    assert.strictEqual(microUsdOf(price, used), 500 * 3 + 300 * 0.3 + 200 * 3.75 + 100 * 15)
    const reasoned = usage({ inputTokens: 0, outputTokens: 100, reasoningTokens: 40 })
    assert.strictEqual(microUsdOf(price, reasoned), 1500)
    assert.strictEqual(microUsdOf({ ...price, reasoning: 20 }, reasoned), 60 * 15 + 40 * 20)
  })

  it("charges sound and the request itself", () => {
    const spoken = usage({ inputTokens: 100, audioInputTokens: 60, outputTokens: 50, audioOutputTokens: 50 })
    const audio = { input: 1, output: 2, audioInput: 40, audioOutput: 80, request: 0.01 }
    assert.strictEqual(microUsdOf(audio, spoken), 40 + 60 * 40 + 50 * 80 + 10_000)
  })

  it("is that of the highest tier that the input reaches, for all of it", () => {
    assert.strictEqual(microUsdOf(price, usage({ inputTokens: 200_000 })), 600_000)
    assert.strictEqual(microUsdOf(price, usage({ inputTokens: 200_001, outputTokens: 10 })), 1_200_231)
    assert.strictEqual(microUsdOf(price, usage({ inputTokens: 600_000 })), 7_200_000)
  })

  it("is rounded once, not part by part", () => {
    const cheap: Price = { input: 0.1, output: 0.4, cachedInput: 0.04 }
    // 0.3 + 0.16 + 0.4 are 0.86 of a millionth: part by part it would be nothing.
    assert.strictEqual(microUsdOf(cheap, usage({ inputTokens: 7, cachedTokens: 4, outputTokens: 1 })), 1)
  })

  const Counts = Schema.Struct({
    cached: Schema.Natural.check(Schema.isLessThan(1e6)),
    written: Schema.Natural.check(Schema.isLessThan(1e6)),
    plain: Schema.Natural.check(Schema.isLessThan(1e6)),
    output: Schema.Natural.check(Schema.isLessThan(1e6))
  })
  it.prop("never falls when more was used, and is a whole number", [Counts, Counts], ([one, more]) => {
    const cost = ({ cached, written, plain, output }: typeof Counts.Type) =>
      microUsdOf(
        price,
        usage({
          inputTokens: cached + written + plain,
          cachedTokens: cached,
          cacheWriteTokens: written,
          outputTokens: output
        })
      )
    const both = {
      cached: one.cached + more.cached,
      written: one.written + more.written,
      plain: one.plain + more.plain,
      output: one.output + more.output
    }
    assert.isTrue(Number.isSafeInteger(cost(one)))
    assert.isAtLeast(cost(both), cost(one))
  })
})

describe("a price book", () => {
  const book = new PriceBook({
    version: "v1",
    models: {
      "gpt-5.5": { input: 5, output: 30 },
      "gpt-5.5-pro": { input: 30, output: 180 },
      "claude-sonnet-4-5": { input: 3, output: 15 },
      "gemini-2.5-flash": { input: 0.3, output: 2.5 },
      "groq/openai/gpt-oss-120b": { input: 0.15, output: 0.6 },
      "local/*": { input: 0, output: 0 }
    }
  })
  const find = (upstream: string, more: object = {}) =>
    book.find({ provider: "p", served: undefined, upstream, requested: "smart", ...more })?.input

  it("knows a model by its names with date, region, vendor and path", () => {
    for (const name of ["gpt-5.5", "gpt-5.5-2026-04-23", "openai/gpt-5.5", "GPT-5.5"]) {
      assert.strictEqual(find(name), 5, name)
    }
    const claudes = ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5-latest"]
    for (const name of [...claudes, "us.anthropic.claude-sonnet-4-5-20250929-v1:0"]) {
      assert.strictEqual(find(name), 3, name)
    }
    for (const name of ["models/gemini-2.5-flash", "gemini-2.5-flash-001", "gemini-2.5-flash-preview-05-20"]) {
      assert.strictEqual(find(name), 0.3, name)
    }
  })

  it("does not take one model for another", () => {
    for (const name of ["gpt-5.5-mini", "gpt-5", "claude-sonnet-4", "openai/gpt-oss-120b", ""]) {
      assert.isUndefined(find(name), name)
    }
    assert.strictEqual(find("gpt-5.5-pro"), 30)
  })

  it("prefers the name that the provider says, then the one it was asked by, then the caller's", () => {
    assert.strictEqual(find("gpt-5.5", { served: "gpt-5.5-pro-2026-05-01" }), 30)
    assert.strictEqual(find("gpt-5.5", { served: "something-else" }), 5)
    assert.strictEqual(find("my-deployment", { requested: "gpt-5.5" }), 5)
  })

  it("has prices of single providers, and of all that one has", () => {
    assert.strictEqual(find("openai/gpt-oss-120b", { provider: "groq" }), 0.15)
    assert.strictEqual(find("whatever", { provider: "local" }), 0)
  })

  it("takes what its user says before what it knows itself", () => {
    const own = { version: "ours", models: { "gpt-5.5": { input: 1 }, large: { input: 2 }, "local/*": { input: 0 } } }
    const shipped = {
      version: "v1",
      models: { "gpt-5.5": { input: 5 }, "p/large": { input: 6 }, "gpt-6": { input: 7 } }
    }
    const both = new PriceBook(own, shipped)
    const inputOf = (upstream: string, provider = "p") =>
      both.find({ provider, served: undefined, upstream, requested: "smart" })?.input
    assert.deepStrictEqual([inputOf("gpt-5.5"), inputOf("gpt-6"), inputOf("small")], [1, 7, undefined])
    // A price of a provider alone, or of a model by its own name, is no reason to leave aside what the user says.
    assert.deepStrictEqual([inputOf("large"), inputOf("gpt-6", "local"), inputOf("gpt-5.5", "local")], [2, 0, 1])
    assert.deepStrictEqual([both.version, both.size], ["v1+ours", 5])
  })

  it("says of which version a cost is, that a price is not known, and nothing where nothing was used", () => {
    const sold = { provider: "p", served: undefined, upstream: "gpt-5.5", requested: "smart" }
    const used = usage({ inputTokens: 1, outputTokens: 1 })
    assert.deepStrictEqual(costOf(book, sold, used), { microUsd: 35, prices: "v1" })
    assert.deepStrictEqual(costOf(book, { ...sold, upstream: "x" }, used), { microUsd: null, prices: "v1" })
    assert.isUndefined(costOf(book, sold, { source: "none" }))
  })
})

describe("the cost of a call", () => {
  it("is that of all its attempts, and unknown where that of one is", () => {
    assert.isUndefined(sumOfCosts([]))
    assert.deepStrictEqual(sumOfCosts([{ microUsd: 5, prices: "v" }, { microUsd: 7 }]), { microUsd: 12, prices: "v" })
    assert.deepStrictEqual(sumOfCosts([{ microUsd: 5 }, { microUsd: null }, { microUsd: 7 }]), { microUsd: null })
  })
})
