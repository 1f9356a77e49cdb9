import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { CountStore } from "../../src/accounting/CountStore.ts"
import { admissionOf, candidate, limiterOver, moment, recordOf } from "./limiting.ts"

/** A store in which others have taken so much of every limit, and what it was asked for. */
const sharedStore = () => {
  const state = { taken: 0 }
  const asked: Array<ReadonlyArray<string>> = []
  const layer = Layer.succeed(CountStore, {
    isShared: true,
    enter: () => Effect.void,
    beat: () => Effect.void,
    leave: () => Effect.void,
    others: (_, keys) =>
      Effect.sync(() => {
        asked.push(keys.map(({ id }) => id))
        return keys.map(() => state.taken)
      }),
    write: () => Effect.succeed("shared"),
    breakClaims: () => Effect.void
  })
  return { asked, layer, state }
}

describe("what others have taken", () => {
  it.effect("is looked up of calls that run, however many have ended", () =>
    Effect.gen(function* () {
      const { asked, layer } = sharedStore()
      yield* TestClock.setTime(moment)
      const { admit } = yield* admissionOf(limiterOver(layer, [{ tenant: "*", concurrent: 5 }]))
      for (let tenant = 0; tenant < 300; tenant++) {
        const reservation = yield* admit(candidate({ caller: { tenant: `${tenant}` } }))
        if (tenant !== 7) reservation.settle(recordOf({}))
      }
      asked.length = 0
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(asked, [["tenant=7|concurrent"], ["tenant=7|concurrent"]])
    }).pipe(Effect.scoped)
  )

  it.effect("is known to callers who come seldom, and not asked for by those who come often", () =>
    Effect.gen(function* () {
      const { asked, layer, state } = sharedStore()
      yield* TestClock.setTime(moment)
      const { admit } = yield* admissionOf(limiterOver(layer, [{ key: "*", requests: { day: 100 } }]))
      const remaining = Effect.gen(function* () {
        const reservation = yield* admit(candidate())
        reservation.settle(recordOf({}))
        return reservation.states?.(moment)[0]?.remaining
      })
      assert.strictEqual(yield* remaining, 99)
      assert.strictEqual(yield* remaining, 98)
      assert.lengthOf(asked, 1)
      state.taken = 50
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* remaining, 47)
    }).pipe(Effect.scoped)
  )
})
