import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { shippedPrices } from "../../src/accounting/PriceBook.ts"
import { complaints, loading } from "./loading.ts"

const withFile = Effect.fnUntraced(function* (text: string) {
  const files = yield* FileSystem.FileSystem
  const file = `${yield* files.makeTempDirectoryScoped()}/prices.json`
  yield* files.writeFileString(file, text)
  return `accounting: { prices: ${JSON.stringify(file)} }\n`
})

describe("accounting.prices", () => {
  it.effect("are those that are shipped where nothing is said", () =>
    Effect.gen(function* () {
      const { prices } = yield* loading({ text: "" })
      assert.strictEqual(prices.version, shippedPrices.version)
      assert.strictEqual(prices.size, Object.keys(shippedPrices.models).length)
    })
  )

  it.effect("are taken from a file, before those that are shipped", () =>
    Effect.gen(function* () {
      const own = { version: "contract-7", models: { "gpt-5.5": { input: 1, output: 2 }, "local/*": { input: 0 } } }
      const { prices } = yield* loading({ text: yield* withFile(JSON.stringify(own)) })
      assert.strictEqual(prices.version, `${shippedPrices.version}+contract-7`)
      const inputOf = (upstream: string, provider = "openai") =>
        prices.find({ provider, served: undefined, upstream, requested: "" })?.input
      assert.strictEqual(inputOf("gpt-5.5"), 1)
      assert.isDefined(inputOf("gpt-4o-mini"))
      assert.strictEqual(prices.size, Object.keys(shippedPrices.models).length + 1)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.effect("are refused, with what is wrong and where, if the file is not a list of them", () =>
    Effect.gen(function* () {
      const missing = yield* complaints({ text: "accounting: { prices: /nowhere/prices.json }\n" })
      const path = "millrace.yaml:1:15: accounting.prices: names a file that"
      assert.deepStrictEqual(missing, [`${path} is not there; mend the path`])
      const wrong = { version: "v", models: { "gpt-5.5": { input: "cheap", ouput: 3 } } }
      const [line, ...others] = yield* complaints({ text: yield* withFile(JSON.stringify(wrong)) })
      assert.deepStrictEqual(others, [])
      assert.include(line ?? "", 'line 1: models["gpt-5.5"].input: "cheap" is not accepted; write a number')
      assert.include(line ?? "", 'models["gpt-5.5"].ouput: is no known key; did you mean "output"?')
      const unit = { version: "v", models: { model: { input: 1, request: 2_500_000 } } }
      const [dear] = yield* complaints({ text: yield* withFile(JSON.stringify(unit)) })
      assert.include(dear ?? "", "2500000 is not accepted; write a number of US dollars, from 0 to 1000000")
      const [broken] = yield* complaints({ text: yield* withFile('{ "models": {') })
      assert.include(broken ?? "", "names a file that is not JSON: line 1:")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
