import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { AuditStore } from "../../src/audit/AuditStore.ts"
import * as AuditStoreMemory from "../../src/audit/AuditStoreMemory.ts"
import { finalRow, openedRow } from "../../src/audit/CallRecord.ts"
import { following } from "../../src/audit/follow.ts"
import { StorageError } from "../../src/storage/Database.ts"
import { finalRecord, openRecord } from "./records.ts"

const away = new StorageError({ operation: "query", kind: "unavailable", message: "away" })

/** The ids of the calls that ended while the store was away for so long in the middle of it, in seconds. */
const followed = Effect.fnUntraced(function* (seconds: number) {
  const memory = yield* AuditStore
  let isAway = false
  const unlessAway = <A>(found: Effect.Effect<A, StorageError>) => Effect.suspend(() => (isAway ? away : found))
  const store = AuditStore.of({
    ...memory,
    positions: (behind, limit) => unlessAway(memory.positions(behind, limit)),
    changes: (...asked) => unlessAway(memory.changes(...asked))
  })
  const ending = (id: string) =>
    memory.commit([
      openedRow(openRecord(id), "full", "owner"),
      finalRow(finalRecord(id), "full", "owner", { openedAt: 0, endedAt: 0 })
    ])
  yield* ending("before")
  const asked = { filter: {}, content: "none", kinds: ["Final"] } as const
  const happenings = yield* Effect.provideService(following(asked), AuditStore, store)
  const told: Array<string> = []
  const telling = yield* Effect.forkChild(
    Stream.runForEach(happenings, ({ record }) => Effect.sync(() => void told.push(record.id)))
  )
  yield* ending("first")
  yield* TestClock.adjust("1 second")
  isAway = true
  yield* ending("second")
  yield* TestClock.adjust(`${seconds} seconds`)
  isAway = false
  yield* TestClock.adjust("2 seconds")
  const exit = telling.pollUnsafe()
  yield* Fiber.interrupt(telling)
  return { told, exit }
}, Effect.provide(AuditStoreMemory.layer))

describe("following calls", () => {
  it.effect("goes on when the store is back, and leaves out nothing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* followed(30), { told: ["first", "second"], exit: undefined })
    })
  )

  it.effect("ends where the store stays away", () =>
    Effect.gen(function* () {
      const { exit, told } = yield* followed(90)
      assert.deepStrictEqual(told, ["first"])
      assert.deepStrictEqual(exit, Exit.fail(away))
    })
  )
})
