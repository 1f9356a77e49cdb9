import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import type { LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { Script, testEngine } from "../../src/testing.ts"

const started: LlmEvent = { _tag: "Started", id: "1", model: "mine" }
const begin: LlmEvent = { _tag: "TextStart", id: "t" }
const text: LlmEvent = { _tag: "TextDelta", id: "t", text: "hello" }
const end: LlmEvent = { _tag: "TextEnd", id: "t" }
const finish: LlmEvent = { _tag: "Finish", reason: "stop", usage: { source: "none" } }

/** Answers two calls, both with these events. */
const answering = (batches: ReadonlyArray<ReadonlyArray<LlmEvent>>) => {
  const script = batches.map((events) => Script.emit(...events))
  return testEngine({ scripts: [script, script] })
}

const call = callOf(prompt("mine", "say hello"))

/** All events at once, and one by one: what becomes of them is the same. */
const readings = (events: ReadonlyArray<LlmEvent>) => [[events], events.map((event) => [event])]

describe("an upstream of events", () => {
  const unreadable: ReadonlyArray<readonly [string, ReadonlyArray<LlmEvent>, RegExp]> = [
    ["goes on with a block that did not begin", [started, text, finish], /the block t is not open/],
    ["begins a block twice", [started, begin, begin, text, end, finish], /began the block t twice/],
    ["ends a block twice", [started, begin, text, end, end, finish], /the block t is not open/]
  ]
  for (const [name, events, message] of unreadable) {
    for (const batches of readings(events)) {
      it.effect(`that ${name} has failed, and what came before is kept (${batches.length} batches)`, () =>
        Effect.gen(function* () {
          const engine = yield* Engine
          const { outcome, response } = yield* engine.run(call)
          assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "InvalidOutput", kind: "malformedFrame" } })
          assert.match(outcome._tag === "Failed" ? outcome.message : "", message)
          const told = yield* Effect.flip(Stream.runDrain(engine.stream(call)))
          assert.strictEqual(told.reason._tag, "InvalidOutput")
          const written = events.slice(0, 4).includes(end) ? [{ _tag: "Text" as const, id: "t", text: "hello" }] : []
          assert.deepStrictEqual(response.choices[0]?.parts ?? [], written)
        }).pipe(Effect.provide(answering(batches)))
      )
    }
  }

  for (const batches of readings([started, begin, text, end, finish, text, finish])) {
    it.effect(`that goes on after its end has ended there (${batches.length} batches)`, () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const { outcome, response } = yield* engine.run(call)
        assert.deepInclude(outcome, { _tag: "Completed", finish: "stop" })
        assert.deepInclude(response.choices[0]?.parts[0], { text: "hello" })
      }).pipe(Effect.provide(answering(batches)))
    )
  }

  const before: ReadonlyArray<readonly [string, ReadonlyArray<LlmEvent>]> = [
    ["before anything came", []],
    ["in the middle", [started, begin, text]]
  ]
  for (const [when, events] of before) {
    it.effect(`that fails ${when} with what is no failure of Millrace's ends the call all the same`, () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const running = yield* Effect.forkChild(engine.run(call))
        yield* TestClock.adjust("1 second")
        const { outcome } = yield* Fiber.join(running)
        assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "Internal" } })
      }).pipe(
        Effect.provide(
          // What an SDK throws, taken for what it is not.
          testEngine({
            scripts: [
              [Script.emit(...events), Script.wait("1 second"), Script.fail(new Error("socket hang up") as LlmError)]
            ]
          })
        )
      )
    )
  }
})
