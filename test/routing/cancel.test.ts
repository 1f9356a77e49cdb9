import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Engine } from "../../src/engine/Engine.ts"
import { TargetStates } from "../../src/routing/TargetStates.ts"
import { emit, fail, hang, type Script, started, text } from "../../src/testing/Script.ts"
import { call, engineOver, errorOf, fails, place, reasons, records, type Place, type RouteOptions } from "./routes.ts"

const limits = { concurrency: 1, queue: 10, maxWait: 10_000 }

/** A phase that a call comes to in a moment and stays in: its targets, and how many attempts were made by then. */
interface Phase {
  readonly places: () => ReadonlyArray<Place>
  readonly options?: RouteOptions
  /** how much time passes until the call is there, in milliseconds */
  readonly after?: number
  /** a call that came before */
  readonly behind?: true
  readonly attempts: number
  /** how many of them had failed of themselves */
  readonly failed?: number
}

/** An answer that breaks off, and a target that goes on with it as far as `second`. */
const rescue = (second: Script): Phase => ({
  places: () => [place("a", [[text("one "), fail(errorOf(reasons.reset))]]), place("b", [second])],
  attempts: 2,
  failed: 1
})

const phases: { readonly [name: string]: Phase } = {
  "in the queue of a target": { places: () => [place("a", [[hang]], { limits })], behind: true, attempts: 0 },
  "while it waits to ask again": { places: () => [place("a", [fails(reasons.server)])], attempts: 1, failed: 1 },
  "while a target wants to be left alone": {
    places: () => [place("a", [fails(reasons.rateLimited, { retryAfterMs: 4000 })])],
    attempts: 1,
    failed: 1
  },
  "before anything came": { places: () => [place("a", [[hang]])], attempts: 1 },
  "before the first content": { places: () => [place("a", [[started(), hang]])], attempts: 1 },
  "in the middle of the answer": { places: () => [place("a", [[text("a"), hang]])], attempts: 1 },
  "in the middle of a tool call": {
    places: () => [place("a", [[emit({ _tag: "ToolInputStart", id: "1", name: "look" }), hang]])],
    attempts: 1
  },
  "while two targets are asked": {
    places: () => [place("a", [[hang]]), place("b", [[hang]])],
    options: { policy: { hedgeAfter: 500 } },
    after: 600,
    attempts: 2
  },
  "while a target is asked to go on with an answer": rescue([hang]),
  "while what it says was said already": rescue([started(), text("on"), hang]),
  "while it goes on with the answer": rescue([started(), text("one two"), hang])
}

/** Brings a call into a phase. */
const inPhase = ({ after = 1, behind }: Phase) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const before = behind === undefined ? undefined : yield* Effect.forkChild(engine.run(call))
    yield* TestClock.adjust("1 millis")
    const fiber = yield* Effect.forkChild(engine.run(call))
    yield* TestClock.adjust(after)
    return { engine, fiber, before }
  })

/** Nothing is left of any call: no connection to a provider, no place taken. */
const nothingLeft = (places: ReadonlyArray<Place>) =>
  Effect.gen(function* () {
    for (const { scripted } of places) {
      for (const ending of yield* scripted.endings) assert.isDefined(ending)
    }
    const states = yield* TargetStates
    for (const { inFlight, queued } of yield* states.all) assert.deepStrictEqual([inFlight, queued], [0, 0])
    assert.strictEqual(yield* (yield* Engine).active, 0)
  })

describe("a call that is cancelled ends at once, whatever it waits for", () => {
  for (const [name, phase] of Object.entries(phases)) {
    for (const by of ["somebody", "its caller's leaving"] as const) {
      it.effect(`${name}, by ${by}`, () =>
        Effect.suspend(() => {
          const places = phase.places()
          return Effect.gen(function* () {
            const { engine, fiber, before } = yield* inPhase(phase)
            const open = (yield* records).at(-1)!
            assert.strictEqual(open.status, "open")
            // No time passes from here on.
            if (by === "somebody") assert.isTrue(yield* engine.cancel(open.id))
            yield* by === "somebody" ? Fiber.await(fiber) : Fiber.interrupt(fiber)
            const ended = (yield* records).find(({ id }) => id === open.id)
            assert.deepInclude(ended?.outcome, { kind: "Cancelled", by: by === "somebody" ? "caller" : "client" })
            assert.strictEqual(ended?.attempts.length, phase.attempts)
            // What its provider did not do is not laid to it.
            for (const attempt of ended?.attempts.slice(phase.failed ?? 0) ?? []) {
              assert.isUndefined(attempt.failure)
              assert.isTrue(attempt.abandoned)
            }
            if (before !== undefined) yield* Fiber.interrupt(before)
            yield* nothingLeft(places)
          }).pipe(Effect.provide(engineOver(places, phase.options)))
        })
      )
    }
  }
})
