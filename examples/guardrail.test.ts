// A filter and a guardrail tested over a scripted model: nothing here waits, and nothing is left to chance.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { callOf, Engine, prompt } from "millrace"
import { Script, testEngine } from "millrace/testing"
import { hideMail, noPromises } from "./guardrail.ts"

const call = callOf(prompt("any", "Hello"))

describe("the guardrail", () => {
  it.effect("lets nothing of a promise leave, in whatever pieces it comes", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const events = yield* Stream.runCollect(engine.stream(call))
      assert.notInclude(JSON.stringify(events), "guarant")
      assert.deepInclude(events.at(-1), { _tag: "Finish", reason: "content-filter" })
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [[Script.started(), Script.text(["It is gua", "rante", "ed to work"]), Script.finish()]],
          filters: [noPromises]
        })
      )
    )
  )
})

describe("the filter", () => {
  it.effect("hides an address that comes in pieces", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { response } = yield* engine.run(call)
      assert.deepInclude(response.choices[0]?.parts[0], { text: "write to [EMAIL] now" })
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [[Script.started(), Script.text(["write to ja", "ne@exam", "ple.com now"]), Script.finish()]],
          filters: [hideMail]
        })
      )
    )
  )
})
