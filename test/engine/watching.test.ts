import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Metric, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { watching } from "../../src/engine/watching.ts"
import { redact } from "../../src/filters/stock/redact.ts"
import type { Analyzer } from "../../src/signals/Analyzer.ts"
import { repetition } from "../../src/signals/analyzers/repetition.ts"
import { stall } from "../../src/signals/analyzers/stall.ts"
import { finish, hang, type Script, started, text, wait } from "../../src/testing/Script.ts"
import { ScriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import { testEngine } from "../../src/testing/TestEngine.ts"

const call = callOf(prompt("model", "hello"))
const loop = "round and round it goes and nobody knows when. "
const rounds = text(["It begins well. ", ...Array<string>(40).fill(loop)])
const looping: Script = [started(), rounds, finish()]

const engineWith = (analyzers: ReadonlyArray<Analyzer>, ...scripts: ReadonlyArray<Script>) =>
  testEngine({ scripts, filters: [watching(analyzers)] })

const recordOf = Effect.fnUntraced(function* (id: string) {
  const audit = yield* AuditTrail
  return yield* audit.get(id)
})

const textOf = (parts: ReadonlyArray<{ readonly _tag: string; readonly text?: string }> | undefined) =>
  (parts ?? []).map((part) => part.text ?? "").join("")

const broken: Analyzer = {
  name: "broken",
  watch: () => ({
    event: () => {
      throw new Error("a bug")
    }
  })
}

describe("an analyzer that observes", () => {
  it.effect("tells what it notices once, and changes nothing", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { id, outcome, response } = yield* engine.run(call)
      assert.deepInclude(outcome, { _tag: "Completed" })
      assert.strictEqual(textOf(response.choices[0]?.parts), `It begins well. ${loop.repeat(40)}`)
      const findings = (yield* recordOf(id))?.findings ?? []
      assert.lengthOf(findings, 1)
      assert.deepInclude(findings[0], {
        filter: "loops",
        category: "stream.repetition",
        phase: "answer",
        action: "observed"
      })
    }).pipe(Effect.provide(engineWith([repetition("loops")], looping)))
  )

  it.effect("quotes nothing of what filters may hide", () =>
    Effect.gen(function* () {
      const { id, response } = yield* (yield* Engine).run(call)
      const record = yield* recordOf(id)
      assert.include(JSON.stringify(response), "[EMAIL]")
      assert.notInclude(JSON.stringify(record), "jane@example.com")
      assert.deepStrictEqual(
        record?.findings?.map(({ filter }) => filter),
        ["loops", "pii"]
      )
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [[started(), text(Array<string>(60).fill("jane@example.com ")), finish()]],
          filters: [watching([repetition("loops")]), Result.getOrThrow(redact({ name: "pii" }))]
        })
      )
    )
  )

  it.effect("that throws is counted, and neither the answer nor the others notice", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { id, outcome } = yield* engine.run(call)
      assert.deepInclude(outcome, { _tag: "Completed" })
      assert.deepStrictEqual(
        (yield* recordOf(id))?.findings?.map(({ filter }) => filter),
        ["loops"]
      )
      const counted = yield* Metric.snapshot
      assert.isTrue(
        counted.some(
          ({ attributes, id }) => id === "millrace_analyzer_failures_total" && attributes?.["analyzer"] === "broken"
        )
      )
    }).pipe(Effect.provide(engineWith([broken, repetition("loops")], looping)))
  )

  it.effect("that cannot even begin is left out", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { outcome } = yield* engine.run(call)
      assert.deepInclude(outcome, { _tag: "Completed" })
    }).pipe(
      Effect.provide(
        engineWith(
          [
            {
              name: "buggy",
              watch: () => {
                throw new Error("a bug")
              }
            }
          ],
          looping
        )
      )
    )
  )
})

describe("an analyzer that stops", () => {
  it.effect("cuts the answer where it noticed something; the event that showed it is not handed on", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { id, outcome, response } = yield* engine.run(call)
      assert.deepStrictEqual(outcome, { _tag: "Limited", by: "filter", filter: "loops", reason: "repetition" })
      const said = textOf(response.choices[0]?.parts)
      assert.isBelow(said.length, 600)
      assert.isTrue(`It begins well. ${loop.repeat(40)}`.startsWith(said))
      assert.deepInclude((yield* recordOf(id))?.findings?.[0], { action: "stopped" })
      assert.strictEqual(response.choices[0]?.finish?.reason, "length")
      const { endings } = yield* ScriptedUpstream
      assert.deepStrictEqual(yield* endings, ["abandoned"])
    }).pipe(Effect.provide(engineWith([repetition("loops", "stop")], [started(), rounds, hang])))
  )

  it.effect("ends an answer that falls silent, on the clock", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const running = yield* Effect.forkChild(engine.run(call))
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(yield* engine.active, 1)
      yield* TestClock.adjust("1 second")
      const { outcome, response } = yield* Fiber.join(running)
      assert.deepInclude(outcome, { _tag: "Limited", filter: "quiet", reason: "stall" })
      assert.strictEqual(textOf(response.choices[0]?.parts), "so far")
    }).pipe(Effect.provide(engineWith([stall("quiet", "stop", 10_000)], [started(), text("so far"), hang])))
  )
})

describe("a silence", () => {
  it.effect("is noticed as it happens, and the answer goes on", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const running = yield* Effect.forkChild(engine.run(call))
      yield* TestClock.adjust("40 seconds")
      const { id, outcome } = yield* Fiber.join(running)
      assert.deepInclude(outcome, { _tag: "Completed" })
      assert.deepStrictEqual(
        (yield* recordOf(id))?.findings?.map(({ category }) => category),
        ["stream.stall"]
      )
    }).pipe(
      Effect.provide(
        engineWith([stall("quiet", "observe", 10_000)], [started(), text("so far"), wait("30 seconds"), finish()])
      )
    )
  )

  it.effect("of whoever reads is not the provider's", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const reading = engine.stream(call).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.sleep("20 seconds")),
        Stream.runDrain
      )
      const running = yield* Effect.forkChild(reading)
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(running)
      const audit = yield* AuditTrail
      const { data } = yield* audit.list({})
      assert.deepStrictEqual(data[0]?.findings ?? [], [])
    }).pipe(
      Effect.provide(engineWith([stall("quiet", "observe", 10_000)], [started(), text(["a", "b", "c"]), finish()]))
    )
  )
})
