// The analyzer of analyzer.ts, tested with scripted answers.
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { callOf, Engine, prompt, watching } from "millrace"
import { Script, testEngine } from "millrace/testing"
import { promises } from "./analyzer.ts"

const answer = (...pieces: ReadonlyArray<string>) =>
  testEngine({
    scripts: [[Script.started(), Script.text(pieces), Script.finish()]],
    filters: [watching([promises])]
  })

const outcome = Effect.gen(function* () {
  const engine = yield* Engine
  return (yield* engine.run(callOf(prompt("any", "My wheel is broken.")))).outcome
})

const promise = "Hello! I will refund you everything at once."

describe("the analyzer of promises", () => {
  for (const pieces of [[promise], [...promise], ["Hello! I wi", "ll ref", "und you everything at once."]]) {
    it.effect(`stops a promise that comes in ${pieces.length} pieces`, () =>
      Effect.gen(function* () {
        assert.deepInclude(yield* outcome, { _tag: "Limited", by: "filter", filter: "promises", reason: "promise" })
      }).pipe(Effect.provide(answer(...pieces)))
    )
  }

  it.effect("lets an apology pass", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* outcome, { _tag: "Completed" })
    }).pipe(Effect.provide(answer("I am sorry. ", "A colleague decides on refunds.")))
  )
})
