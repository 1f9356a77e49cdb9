import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { Signal } from "../../src/signals/Signal.ts"
import type { SignalReport } from "../../src/signals/SignalReport.ts"
import { type KeptReport, SignalStore } from "../../src/signals/SignalStore.ts"
import * as SignalStoreMemory from "../../src/signals/SignalStoreMemory.ts"
import * as SignalStoreSql from "../../src/signals/SignalStoreSql.ts"
import type { Memory } from "../../src/signals/Watermark.ts"
import { Database, type StorageError } from "../../src/storage/Database.ts"
import type { MigrationError } from "../../src/storage/Migrations.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase, type Kind } from "../storage/databases.ts"

const sqlIn = (kind: Kind) =>
  Layer.unwrap(
    Effect.map(freshDatabase(kind), (address) => Layer.provideMerge(SignalStoreSql.layer, databaseAt(address)))
  )

const quit: Signal = { type: "interaction.disengagement.quit", message: 2, confidence: 1, metadata: { match: "exact" } }

const kept = (call: string, openedAt: number, more: Partial<SignalReport> = {}, responseId?: string): KeptReport => ({
  report: {
    call,
    conversation: "c",
    openedAt,
    model: "smart",
    taxonomy: "layered",
    quality: "good",
    score: 60,
    efficiency: 1,
    flagged: false,
    turns: { human: 1, assistant: 1 },
    groups: [],
    signals: [],
    ...more
  },
  conversationKey: `key of ${more.conversation ?? "c"}`,
  responseId
})

const memory: Memory = {
  seen: [1, 2],
  courses: [{ at: 2, counts: { x: 1 }, turns: { human: 1, assistant: 1 } }]
}

const none = new Map<string, Memory>()
const calls = (reports: ReadonlyArray<SignalReport>) => reports.map(({ call }) => call)

const testStore = (store: Layer.Layer<SignalStore, StorageError | MigrationError>) => {
  it.effect("gives back what it keeps; of a call the first report, of a conversation the last memory", () =>
    Effect.gen(function* () {
      const { conversationsOf, get, keep, recall } = yield* SignalStore
      const first = kept("1", 10, { signals: [quit], key: "ci" }, "resp_1")
      yield* keep([first], new Map([["key of c", { seen: [], courses: [] }]]))
      yield* keep([kept("1", 10, { score: 1 })], new Map([["key of c", memory]]))
      assert.deepStrictEqual(yield* get("1"), first.report)
      assert.isUndefined(yield* get("2"))
      assert.deepStrictEqual(yield* recall(["key of c", "other"]), new Map([["key of c", memory]]))
      assert.deepStrictEqual(yield* conversationsOf(["resp_1", "resp_2"]), new Map([["resp_1", "key of c"]]))
    }).pipe(Effect.provide(store))
  )

  it.effect("lists the newest first, by filter and page", () =>
    Effect.gen(function* () {
      const { keep, list } = yield* SignalStore
      yield* keep(
        [
          kept("1", 10, { flagged: true, quality: "severe", signals: [quit] }),
          kept("2", 20, { conversation: "d", key: "ci" }),
          kept("3", 30, { model: "other", quality: "poor", flagged: true })
        ],
        none
      )
      assert.deepStrictEqual(calls(yield* list({}, 10, undefined)), ["3", "2", "1"])
      assert.deepStrictEqual(calls(yield* list({}, 10, { openedAt: 30, call: "3" })), ["2", "1"])
      assert.deepStrictEqual(calls(yield* list({ flagged: true }, 10, undefined)), ["3", "1"])
      assert.deepStrictEqual(calls(yield* list({ flagged: false }, 10, undefined)), ["2"])
      assert.deepStrictEqual(calls(yield* list({ quality: "poor" }, 10, undefined)), ["3"])
      assert.deepStrictEqual(calls(yield* list({ type: quit.type }, 10, undefined)), ["1"])
      assert.deepStrictEqual(calls(yield* list({ conversation: "d" }, 10, undefined)), ["2"])
      assert.deepStrictEqual(calls(yield* list({ key: "ci", model: "smart" }, 10, undefined)), ["2"])
      assert.deepStrictEqual(calls(yield* list({ openedFrom: 20, openedBefore: 30 }, 10, undefined)), ["2"])
      assert.lengthOf(yield* list({}, 2, undefined), 2)
    }).pipe(Effect.provide(store))
  )

  it.effect("samples the same for the same seed, others for others, all of them in the end", () =>
    Effect.gen(function* () {
      const { keep, sample } = yield* SignalStore
      const all = Array.from({ length: 60 }, (_, n) => kept(`call_${n}`, n, { flagged: n % 2 === 0 }))
      yield* keep(all, none)
      const once = calls(yield* sample({ flagged: true }, 8, 1))
      assert.lengthOf(once, 8)
      assert.deepStrictEqual(calls(yield* sample({ flagged: true }, 8, 1)), once)
      assert.notDeepEqual(calls(yield* sample({ flagged: true }, 8, 2)), once)
      assert.isTrue(once.every((call) => Number(call.slice(5)) % 2 === 0))
      assert.lengthOf(new Set(calls(yield* sample({ flagged: true }, 60, 3))), 30)
      assert.lengthOf(yield* sample({ quality: "severe" }, 8, 1), 0)
    }).pipe(Effect.provide(store))
  )

  it.effect("removes the oldest reports by age", () =>
    Effect.gen(function* () {
      const { get, keep, list, prune } = yield* SignalStore
      const reports = Array.from({ length: 2500 }, (_, n) => kept(`call_${10_000 + n}`, n, { signals: [quit] }))
      yield* keep(reports, none)
      assert.strictEqual(yield* prune({ openedFrom: 2300, maxBytes: undefined }), 2300)
      assert.strictEqual(yield* prune({ openedFrom: 2300, maxBytes: undefined }), 0)
      assert.strictEqual(yield* prune({ openedFrom: undefined, maxBytes: undefined }), 0)
      assert.lengthOf(yield* list({ type: quit.type }, 1000, undefined), 200)
      assert.isUndefined(yield* get("call_12299"))
      assert.isDefined(yield* get("call_12300"))
    }).pipe(Effect.provide(store))
  )

  it.effect("removes the oldest reports by size", () =>
    Effect.gen(function* () {
      const { keep, list, prune } = yield* SignalStore
      const words = { ...quit, snippet: "x".repeat(10_000) }
      yield* keep(
        Array.from({ length: 20 }, (_, n) => kept(`call_${100 + n}`, n, { signals: [words] })),
        none
      )
      assert.isAbove(yield* prune({ openedFrom: undefined, maxBytes: 60_000 }), 10)
      const left = calls(yield* list({}, 100, undefined))
      assert.strictEqual(left[0], "call_119")
      assert.isAtLeast(left.length, 4)
      assert.isAtMost(left.length, 7)
      assert.strictEqual(yield* prune({ openedFrom: undefined, maxBytes: 60_000 }), 0)
    }).pipe(Effect.provide(store))
  )
}

describe("a store of signals (memory)", () => {
  testStore(SignalStoreMemory.layer)

  it.effect("forgets with its reports what is known of a conversation, unless others of its reports stay", () =>
    Effect.gen(function* () {
      const { conversationsOf, keep, prune, recall } = yield* SignalStore
      const keys = ["key of c", "key of d"]
      const reports = [
        kept("1", 10, {}, "resp_1"),
        kept("2", 10, { conversation: "d" }, "resp_2"),
        kept("3", 30, { conversation: "d" }, "resp_3")
      ]
      yield* keep(reports, new Map(keys.map((key) => [key, memory])))
      assert.strictEqual(yield* prune({ openedFrom: 20, maxBytes: undefined }), 2)
      assert.deepStrictEqual([...(yield* recall(keys)).keys()], ["key of d"])
      assert.deepStrictEqual([...(yield* conversationsOf(["resp_1", "resp_3"])).keys()], ["resp_3"])
    }).pipe(Effect.provide(SignalStoreMemory.layer))
  )
})

describeDatabases("a store of signals", (kind) => {
  testStore(sqlIn(kind))

  it.effect("forgets with its reports what is known of a conversation, unless that went on", () =>
    Effect.gen(function* () {
      const { keep, prune, recall } = yield* SignalStore
      const keys = ["old", "new"]
      yield* keep([kept("1", 10)], new Map(keys.map((key) => [key, memory])))
      yield* TestClock.adjust("1 hour")
      yield* keep([kept("2", 3_600_000)], new Map([["new", memory]]))
      yield* prune({ openedFrom: 3_000_000, maxBytes: undefined })
      assert.deepStrictEqual([...(yield* recall(keys)).keys()], ["new"])
      const left = yield* (yield* Database).query("select call_id from signal_reports")
      assert.deepStrictEqual(left, [{ call_id: "2" }])
    }).pipe(Effect.provide(sqlIn(kind)))
  )
})
