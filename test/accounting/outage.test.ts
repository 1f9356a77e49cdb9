import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import { type Count, CountStore } from "../../src/accounting/CountStore.ts"
import { StorageError } from "../../src/storage/Database.ts"
import { admissionOf, candidate, limiterOver, moment, recordOf } from "./limiting.ts"

/** A store that others count in too, which fails while it is told to, and the last of what it was told before and after. */
const store = () => {
  const state: { fails: boolean; isBusy: boolean; written: ReadonlyArray<Count> } = {
    fails: false,
    isBusy: false,
    written: []
  }
  const answers = Latch.makeUnsafe(true)
  const orFail = <A>(value: () => A): Effect.Effect<A, StorageError> =>
    Effect.suspend(() =>
      state.fails
        ? Effect.fail(new StorageError({ operation: "batch", kind: "unavailable", message: "gone" }))
        : Effect.sync(value)
    )
  const layer = Layer.succeed(CountStore, {
    isShared: true,
    enter: () => Effect.void,
    beat: () => orFail(() => undefined),
    leave: () => Effect.void,
    others: (_, keys) =>
      Effect.andThen(
        answers.await,
        orFail(() => keys.map(() => 0))
      ),
    write: (_, counts) =>
      Effect.andThen(
        answers.await,
        orFail(() => {
          if (state.isBusy) return "exceeded" as const
          if (counts.length > 0) state.written = counts
          return "shared" as const
        })
      ),
    breakClaims: () => Effect.void
  })
  return { state, layer, answers }
}

const rules = [{ key: "*", concurrent: 1 }]

const listening = () => {
  const said: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void said.push(`${logLevel} ${String([message].flat()[0])}`))
  return { logger, said }
}

describe("while limits cannot be looked up", () => {
  it.effect("calls that have some are refused, and those that have none are served", () =>
    Effect.gen(function* () {
      const { layer, state } = store()
      yield* TestClock.setTime(moment)
      const { admit } = yield* admissionOf(limiterOver(layer, rules))
      state.fails = true
      const error = yield* Effect.flip(admit(candidate()))
      assert.strictEqual(error.reason._tag, "AuditUnavailable")
      assert.include(error.message, "its limits cannot be looked up")
      assert.strictEqual(error.retryAfterMs, 2000)
      yield* admit(candidate({ caller: {} }))
    }).pipe(Effect.scoped)
  )

  it.effect("calls do not wait for a store that does not answer, and hold nothing when it does", () =>
    Effect.gen(function* () {
      const { answers, layer, state } = store()
      yield* TestClock.setTime(moment)
      const { admit } = yield* admissionOf(limiterOver(layer, rules))
      const before = yield* admit(candidate())
      before.settle(undefined)
      yield* answers.close
      const waiting = yield* Effect.forkChild(Effect.flip(admit(candidate())))
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual((yield* Fiber.join(waiting)).reason._tag, "AuditUnavailable")
      yield* answers.open
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(
        state.written.map(({ held }) => held),
        [0]
      )
      yield* admit(candidate())
    }).pipe(Effect.scoped)
  )

  it.effect("calls are served where that is what the configuration says, and count when it is over", () =>
    Effect.gen(function* () {
      const { layer, state } = store()
      yield* TestClock.setTime(moment)
      const daily = [{ key: "*", requests: { day: 2 } }]
      const { admit } = yield* admissionOf(limiterOver(layer, daily, { onFailure: "open" }))
      state.fails = true
      for (let call = 0; call < 3; call++) (yield* admit(candidate())).settle(recordOf({}))
      state.fails = false
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(
        state.written.map(({ used }) => used),
        [3]
      )
      assert.strictEqual((yield* Effect.flip(admit(candidate()))).reason._tag, "RateLimited")
    }).pipe(Effect.scoped)
  )

  it.effect("calls that are served so do not wait each for a store that does not answer", () =>
    Effect.gen(function* () {
      const { answers, layer } = store()
      yield* TestClock.setTime(moment)
      const { admit } = yield* admissionOf(limiterOver(layer, rules, { onFailure: "open" }))
      yield* answers.close
      const waiting = yield* Effect.forkChild(admit(candidate()))
      yield* TestClock.adjust("8 seconds")
      const first = yield* Fiber.join(waiting)
      const second = yield* admit(candidate())
      yield* answers.open
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Effect.flip(admit(candidate()))).reason._tag, "RateLimited")
      for (const reservation of [first, second]) reservation.settle(undefined)
      yield* admit(candidate())
    }).pipe(Effect.scoped)
  )

  it.effect("the log says so once, however many calls are refused, and when it is over", () => {
    const { logger, said } = listening()
    return Effect.gen(function* () {
      const { layer, state } = store()
      yield* TestClock.setTime(moment)
      const { admit } = yield* admissionOf(limiterOver(layer, rules))
      for (let outage = 0; outage < 2; outage++) {
        state.fails = true
        for (let call = 0; call < 3; call++) {
          yield* Effect.flip(admit(candidate()))
          yield* TestClock.adjust("1 second")
        }
        yield* TestClock.adjust("20 seconds")
        state.fails = false
        yield* TestClock.adjust("5 seconds")
      }
      const begun = "Warn What calls have used cannot be looked up or written; it is tried again"
      const over = "Info What calls have used can be looked up and written again"
      assert.deepStrictEqual(said, [begun, over, begun, over])
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
  })

  it.effect("calls are looked at again when the store is heard from, though nobody called meanwhile", () =>
    Effect.gen(function* () {
      const { layer, state } = store()
      yield* TestClock.setTime(moment)
      const { admit } = yield* admissionOf(limiterOver(layer, rules, { onFailure: "open" }))
      state.fails = true
      yield* TestClock.adjust("6 seconds")
      state.fails = false
      yield* TestClock.adjust("6 seconds")
      yield* admit(candidate())
      assert.strictEqual((yield* Effect.flip(admit(candidate()))).reason._tag, "RateLimited")
    }).pipe(Effect.scoped)
  )

  it.effect("a store that answers is not away, however many count the same", () => {
    const { logger, said } = listening()
    return Effect.gen(function* () {
      const { layer, state } = store()
      yield* TestClock.setTime(moment)
      const { admit } = yield* admissionOf(limiterOver(layer, rules))
      state.isBusy = true
      assert.strictEqual((yield* Effect.flip(admit(candidate()))).reason._tag, "AuditUnavailable")
      state.isBusy = false
      yield* TestClock.adjust("5 seconds")
      yield* admit(candidate())
      assert.deepStrictEqual(said, [])
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
  })

  it.effect("what was used is kept, and told as soon as they can, though nobody asks again", () =>
    Effect.gen(function* () {
      const { layer, state } = store()
      yield* TestClock.setTime(moment)
      const { admit } = yield* admissionOf(limiterOver(layer, rules))
      yield* admit(candidate())
      const other = yield* admit(candidate({ caller: { key: "other" } }))
      assert.deepStrictEqual(
        state.written.map(({ held }) => held),
        [1]
      )
      state.fails = true
      other.settle(recordOf({}))
      yield* Effect.flip(admit(candidate()))
      state.fails = false
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(
        state.written.map(({ held }) => held),
        [0]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("nothing is kept of windows that are long over", () =>
    Effect.gen(function* () {
      const { layer, state } = store()
      yield* TestClock.setTime(moment)
      const often = [{ key: "*", requests: { minute: 10 } }]
      const { admit } = yield* admissionOf(limiterOver(layer, often, { onFailure: "open" }))
      state.fails = true
      for (let minute = 0; minute < 30; minute++) {
        const asking = yield* Effect.forkChild(admit(candidate({ at: moment + minute * 60_000 })))
        yield* TestClock.adjust("1 minute")
        const reservation = yield* Fiber.join(asking)
        reservation.settle(recordOf({}))
      }
      state.fails = false
      yield* TestClock.adjust("5 seconds")
      assert.isNotEmpty(state.written)
      assert.isAtMost(state.written.length, 3)
      assert.isAbove(Math.min(...state.written.map(({ end }) => end)), moment + 27 * 60_000)
    }).pipe(Effect.scoped)
  )
})
