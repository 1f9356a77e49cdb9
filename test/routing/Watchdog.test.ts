import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Watchdog } from "../../src/routing/Watchdog.ts"

/** Something that wants to be looked at at these times, and notes when it was. */
const wanting = (...times: ReadonlyArray<number>) => {
  const looks: Array<number> = []
  return {
    looks,
    look: (now: number) => {
      looks.push(now)
      return times.find((time) => time > now) ?? Infinity
    }
  }
}

describe("a watchdog", () => {
  it.effect("looks at once, and then at each when its time comes", () =>
    Effect.gen(function* () {
      const watchdog = yield* Watchdog.make
      const late = wanting(5000, 9000)
      const early = wanting(1000, 2500)
      watchdog.watch(late)
      watchdog.watch(early)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(late.looks, [0, 5000, 9000])
      assert.deepStrictEqual(early.looks, [0, 1000, 2500])
    })
  )

  it.effect("wakes for who comes while it sleeps or after it had nothing to do, and for a time that came nearer", () =>
    Effect.gen(function* () {
      const watchdog = yield* Watchdog.make
      const first = wanting(10_000)
      watchdog.watch(first)
      yield* TestClock.adjust("20 seconds")
      const second = wanting(30_000)
      watchdog.watch(second)
      const looks: Array<number> = []
      let wanted = Infinity
      const nearer = {
        look: (now: number) => {
          looks.push(now)
          return wanted > now ? wanted : Infinity
        }
      }
      watchdog.watch(nearer)
      wanted = 25_000
      watchdog.watch(nearer)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(first.looks, [0, 10_000])
      assert.deepStrictEqual(second.looks, [20_000, 30_000])
      assert.deepStrictEqual(looks, [20_000, 20_000, 25_000])
    })
  )

  it.effect("looks at all others where one breaks", () =>
    Effect.gen(function* () {
      const watchdog = yield* Watchdog.make
      let broke = 0
      watchdog.watch({
        look: (now) => {
          if (now === 0) return 1000
          broke++
          throw new Error("it broke")
        }
      })
      const other = wanting(1000, 2000)
      watchdog.watch(other)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(other.looks, [0, 1000, 2000])
      assert.strictEqual(broke, 1)
    })
  )

  it.effect("may be told of others, and to forget, while it looks", () =>
    Effect.gen(function* () {
      const watchdog = yield* Watchdog.make
      const other = wanting(1500)
      const watched = {
        look: (now: number) => {
          if (now === 1000) {
            watchdog.unwatch(watched)
            watchdog.watch(other)
          }
          return now < 1000 ? 1000 : 1200
        }
      }
      watchdog.watch(watched)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(other.looks, [1000, 1500])
    })
  )

  it.effect("looks at nothing that it was told to forget, nor after its scope has closed", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const watchdog = yield* Scope.provide(Watchdog.make, scope)
      const forgotten = wanting(1000)
      const watched = wanting(2000, 3000)
      watchdog.watch(forgotten)
      watchdog.watch(watched)
      watchdog.unwatch(forgotten)
      yield* TestClock.adjust("2 seconds")
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(forgotten.looks, [0])
      assert.deepStrictEqual(watched.looks, [0, 2000])
    })
  )
})
