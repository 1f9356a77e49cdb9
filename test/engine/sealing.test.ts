import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { Router } from "../../src/routing/Router.ts"
import { finish, type Script, started, text } from "../../src/testing/Script.ts"
import { ScriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import * as TroubledStore from "../audit/TroubledStore.ts"

const call = callOf(prompt("model", "hello"))
const hello: Script = [started(), text("Hello"), finish()]

const engineOver = (durability: "strict" | "standard") =>
  Engine.layer.pipe(
    Layer.provide(Router.layerSingle),
    Layer.provideMerge(Layer.merge(AuditTrail.layer({ durability }), ScriptedUpstream.layer(hello, hello))),
    Layer.provideMerge(TroubledStore.layer)
  )

const settle = Effect.forEach(Array.from({ length: 100 }), () => Effect.yieldNow, { discard: true })

/** Streams a call whose opening is recorded, and nothing from then on until `answers` opens. */
const streamed = Effect.gen(function* () {
  const engine = yield* Engine
  const { answers } = yield* TroubledStore.Troubles
  const seen: Array<LlmEvent["_tag"]> = []
  const events = Stream.runForEach(engine.stream(call), (event) =>
    Effect.sync(() => {
      if (seen.length === 0) answers.closeUnsafe()
      seen.push(event._tag)
    })
  )
  return { seen, streaming: yield* Effect.forkChild(Effect.exit(events)) }
})

const records = Effect.flatMap(AuditTrail, (trail) => Effect.map(trail.list({}), ({ data }) => data))

describe("the end of a call that a program makes itself", () => {
  it.effect("is in the stream when its record is written", () =>
    Effect.gen(function* () {
      const { answers } = yield* TroubledStore.Troubles
      const { seen, streaming } = yield* streamed
      yield* settle
      assert.include(seen, "TextDelta")
      assert.notInclude(seen, "Finish")
      yield* answers.open
      yield* Fiber.join(streaming)
      assert.strictEqual(seen.at(-1), "Finish")
      assert.deepInclude((yield* records)[0]?.outcome, { kind: "Completed", delivered: true })
    }).pipe(Effect.provide(engineOver("strict")))
  )

  it.effect("does not wait for that where durability is not strict", () =>
    Effect.gen(function* () {
      const { seen, streaming } = yield* streamed
      yield* Fiber.join(streaming)
      assert.strictEqual(seen.at(-1), "Finish")
      // so that what waits can be written when the trail closes
      yield* Effect.flatMap(TroubledStore.Troubles, ({ answers }) => answers.open)
    }).pipe(Effect.provide(engineOver("standard")))
  )

  it.effect("is a failure where that cannot be recorded, and is recorded as one", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { failures } = yield* TroubledStore.Troubles
      const running = yield* Effect.forkChild(engine.run(call))
      // the opening goes through, and nothing after it
      yield* Effect.repeat(records, { until: (found) => found.length === 1 })
      failures.push(...Array.from({ length: 30 }, () => "full" as const))
      yield* settle
      yield* TestClock.adjust("5 seconds")
      const { outcome } = yield* Fiber.join(running)
      assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "AuditUnavailable" } })
      failures.length = 0
      yield* TestClock.adjust("2 seconds")
      yield* settle
      assert.deepInclude((yield* records)[0]?.outcome, { kind: "Failed", reason: "AuditUnavailable" })
    }).pipe(Effect.provide(engineOver("strict")))
  )

  it.effect("that nobody waits for any more is recorded as not delivered", () =>
    Effect.gen(function* () {
      const { failures } = yield* TroubledStore.Troubles
      const engine = yield* Engine
      const streaming = yield* Effect.forkChild(Stream.runDrain(engine.stream(call)))
      yield* Effect.repeat(records, { until: (found) => found.length === 1 })
      failures.push(...Array.from({ length: 30 }, () => "full" as const))
      yield* settle
      yield* Fiber.interrupt(streaming)
      failures.length = 0
      yield* TestClock.adjust("2 seconds")
      yield* settle
      assert.deepInclude((yield* records)[0]?.outcome, { kind: "Completed", delivered: false })
    }).pipe(Effect.provide(engineOver("strict")))
  )
})
