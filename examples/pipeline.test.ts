// A pipeline tested on a virtual clock: nothing here waits, and nothing is left to chance.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { callOf, Engine, failure, type Filter, prompt } from "millrace"
import { Script, ScriptedUpstream, testEngine } from "millrace/testing"

const call = callOf(prompt("any", "Hello"))

/** The filter under test: hides a word, also where it comes in pieces within one read. */
const hush: Filter = {
  name: "hush",
  events: () =>
    Stream.map((event) =>
      event._tag === "TextDelta" ? { ...event, text: event.text.replaceAll("secret", "******") } : event
    )
}

describe("my pipeline", () => {
  it.effect("hides the word", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { response } = yield* engine.run(call)
      assert.deepInclude(response.choices[0]?.parts[0], { text: "the ****** plan" })
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [[Script.started(), Script.text("the secret plan"), Script.finish()]],
          filters: [hush]
        })
      )
    )
  )

  it.effect("gives a silent provider two minutes, not one second more", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const running = yield* Effect.forkChild(engine.run(call))
      yield* TestClock.adjust("2 minutes")
      const { outcome } = yield* Fiber.join(running)
      assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "Timeout", phase: "firstToken" } })
      // The provider was left: nothing runs on.
      const { endings } = yield* ScriptedUpstream
      assert.deepStrictEqual(yield* endings, ["abandoned"])
    }).pipe(Effect.provide(testEngine({ scripts: [[Script.hang]] })))
  )

  it.effect("keeps what came before a failure", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { outcome, response } = yield* engine.run(call)
      assert.strictEqual(outcome._tag, "Failed")
      assert.deepInclude(response.choices[0]?.parts[0], { text: "half an ans" })
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [
            [Script.started(), Script.text("half an ans"), Script.fail(failure({ _tag: "UpstreamServer" }, "it broke"))]
          ]
        })
      )
    )
  )
})
