import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { AuditStore, type CallFilter } from "../../src/audit/AuditStore.ts"
import * as AuditStoreMemory from "../../src/audit/AuditStoreMemory.ts"
import * as AuditStoreSql from "../../src/audit/AuditStoreSql.ts"
import { finalRow, openedRow } from "../../src/audit/CallRecord.ts"
import { type CallQuery, get, list } from "../../src/audit/CallRecords.ts"
import { verifyDatabase } from "../../src/audit/verify.ts"
import type { FinalRecord, OpenRecord } from "../../src/domain/Call.ts"
import type { StorageError } from "../../src/storage/Database.ts"
import type { MigrationError } from "../../src/storage/Migrations.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase, type Kind } from "../storage/databases.ts"
import { finalRecord, openRecord, responseOf } from "./records.ts"

const sqlIn = (kind: Kind) =>
  Layer.unwrap(Effect.map(freshDatabase(kind), (address) => Layer.provide(AuditStoreSql.layer, databaseAt(address))))

const opened = (id: string, more: Partial<OpenRecord> = {}, owner = "owner") =>
  openedRow(openRecord(id, more), "full", owner)
const ended = (id: string, more: Partial<FinalRecord> = {}) =>
  finalRow(finalRecord(id, more), "full", "owner", { openedAt: 0, endedAt: 0 })

const lease = { owner: "owner", host: "here", pid: 1, heartbeatAt: 1000, settledBelow: 0 }

const listedIds = (query: CallQuery) => Effect.map(list(query), ({ data }) => data.map((record) => record.id))

/** All pages from the first to the last. */
const allPages = Effect.fnUntraced(function* (limit: number) {
  const pages: Array<ReadonlyArray<string>> = []
  let cursor: string | undefined
  do {
    const page = yield* list({ limit, cursor })
    pages.push(page.data.map((record) => record.id))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return pages
})

const testStore = (store: Layer.Layer<AuditStore, StorageError | MigrationError>) => {
  it.effect("keeps the first opening and the first ending of a call", () =>
    Effect.gen(function* () {
      const { commit } = yield* AuditStore
      yield* commit([opened("a"), ended("a"), opened("a", { model: "other" })])
      yield* commit([ended("a", { outcome: { _tag: "Cancelled", by: "client" } })])
      const record = yield* get("a")
      assert.strictEqual(record?.model, "smart")
      assert.strictEqual(record?.outcome?.kind, "Completed")
      assert.isUndefined(yield* get("b"))
    }).pipe(Effect.provide(store))
  )

  it.effect("lists the newest first, each once, however the pages are cut", () =>
    Effect.gen(function* () {
      const { commit } = yield* AuditStore
      // several calls of the same millisecond
      yield* commit(Array.from({ length: 25 }, (_, n) => opened(`c${100 + n}`, { openedAt: Math.floor(n / 4) })))
      const expected = Array.from({ length: 25 }, (_, n) => `c${124 - n}`)
      for (const limit of [1, 3, 4, 24, 25, 26]) {
        const pages = yield* allPages(limit)
        assert.deepStrictEqual(pages.flat(), expected)
        assert.strictEqual(pages.length, Math.ceil(25 / limit))
      }
    }).pipe(Effect.provide(store))
  )

  it.effect("does not move the next page when calls begin meanwhile", () =>
    Effect.gen(function* () {
      const { commit } = yield* AuditStore
      yield* commit([1, 2, 3, 4].map((n) => opened(`c${n}`, { openedAt: n })))
      const first = yield* list({ limit: 2 })
      yield* commit([opened("c5", { openedAt: 5 }), ended("c2")])
      assert.deepStrictEqual(
        first.data.map((record) => record.id),
        ["c4", "c3"]
      )
      assert.deepStrictEqual(yield* listedIds({ limit: 2, cursor: first.nextCursor }), ["c2", "c1"])
    }).pipe(Effect.provide(store))
  )

  it.effect("finds calls by what is known of them", () =>
    Effect.gen(function* () {
      const { commit } = yield* AuditStore
      yield* commit([
        opened("a", { openedAt: 1, requestId: "r1", caller: { key: "ci" } }),
        ended("a"),
        opened("b", { openedAt: 2, model: "fast", conversation: "talk", caller: {} }),
        ended("b", { outcome: { _tag: "Cancelled", by: "client" } }),
        opened("c", { openedAt: 3, requestId: "r1", caller: { key: "cd" } })
      ])
      const found = (filter: CallFilter) => listedIds(filter)
      assert.deepStrictEqual(yield* found({}), ["c", "b", "a"])
      assert.deepStrictEqual(yield* found({ status: "open" }), ["c"])
      assert.deepStrictEqual(yield* found({ status: "ended" }), ["b", "a"])
      assert.deepStrictEqual(yield* found({ outcome: "Cancelled" }), ["b"])
      assert.deepStrictEqual(yield* found({ model: "fast" }), ["b"])
      assert.deepStrictEqual(yield* found({ key: "ci" }), ["a"])
      assert.deepStrictEqual(yield* found({ requestId: "r1" }), ["c", "a"])
      assert.deepStrictEqual(yield* found({ requestId: "r1", status: "ended" }), ["a"])
      assert.deepStrictEqual(yield* found({ conversation: "talk" }), ["b"])
      assert.deepStrictEqual(yield* found({ openedFrom: 2 }), ["c", "b"])
      assert.deepStrictEqual(yield* found({ openedBefore: 2 }), ["a"])
      assert.deepStrictEqual(yield* found({ requestId: "' or 1=1 --" }), [])
    }).pipe(Effect.provide(store))
  )

  it.effect("lists short payloads, and of long ones that they are there", () =>
    Effect.gen(function* () {
      const { commit } = yield* AuditStore
      yield* commit([opened("a"), ended("a", { response: responseOf("long ".repeat(5000)) })])
      const { data } = yield* list({})
      assert.isDefined(data[0]?.request?.body)
      assert.isUndefined(data[0]?.response?.answer)
      assert.isAbove(data[0]?.response?.bytes ?? 0, 25_000)
      assert.strictEqual((yield* get("a"))?.response?.text?.length, 25_000)
    }).pipe(Effect.provide(store))
  )

  it.effect("refuses a cursor that it has not given", () =>
    Effect.gen(function* () {
      for (const cursor of ["", "x", "12", "12.", "-1.a", "9999999999999999.a"]) {
        const error = yield* Effect.flip(list({ cursor }))
        assert.strictEqual(error._tag === "LlmError" && error.reason._tag, "InvalidRequest")
      }
      const ofCallThatIsGone = "12.a"
      assert.deepStrictEqual(yield* listedIds({ cursor: ofCallThatIsGone }), [])
    }).pipe(Effect.provide(store))
  )

  it.effect("bounds a page", () =>
    Effect.gen(function* () {
      const { commit } = yield* AuditStore
      yield* commit(Array.from({ length: 120 }, (_, n) => opened(`c${n}`)))
      for (const [limit, size] of [
        [0, 1],
        [-5, 1],
        [1000, 100],
        [undefined, 20]
      ] as const) {
        assert.lengthOf((yield* list({ limit })).data, size)
      }
    }).pipe(Effect.provide(store))
  )

  it.effect("ends the open calls of an owner with its lease, and nobody else's", () =>
    Effect.gen(function* () {
      const store = yield* AuditStore
      yield* store.keepLease(lease)
      yield* store.keepLease({ ...lease, owner: "other" })
      yield* store.commit([opened("a"), opened("b"), ended("b"), opened("c", {}, "other")])
      assert.lengthOf(yield* store.endLease(lease, "heir", 5), 1)
      assert.lengthOf(yield* store.endLease(lease, "heir", 5), 0)
      assert.strictEqual((yield* get("a"))?.outcome?.kind, "Interrupted")
      assert.strictEqual((yield* get("b"))?.outcome?.kind, "Completed")
      assert.strictEqual((yield* get("c"))?.status, "open")
      assert.deepStrictEqual(
        (yield* store.leases).map((lease) => lease.owner),
        ["other"]
      )
    }).pipe(Effect.provide(store))
  )

  it.effect("keeps a lease that was renewed since it was read", () =>
    Effect.gen(function* () {
      const store = yield* AuditStore
      yield* store.keepLease(lease)
      yield* store.commit([opened("a")])
      // clocks may be set back
      for (const heartbeatAt of [2000, 500]) {
        const renewed = { ...lease, heartbeatAt }
        yield* store.keepLease(renewed)
        assert.lengthOf(yield* store.endLease(lease, "heir", 5), 0)
        assert.strictEqual((yield* get("a"))?.status, "open")
        assert.deepStrictEqual(yield* store.leases, [renewed])
      }
    }).pipe(Effect.provide(store))
  )

  it.effect("removes the oldest records by age, and none of a call that is open", () =>
    Effect.gen(function* () {
      const { commit, prune } = yield* AuditStore
      for (let n = 0; n < 6; n++) yield* commit([opened(`c${n}`, { openedAt: n }), ended(`c${n}`)])
      assert.strictEqual(yield* prune({ openedFrom: 2, maxBytes: undefined }), 4)
      assert.deepStrictEqual(yield* listedIds({}), ["c5", "c4", "c3", "c2"])
      assert.strictEqual(yield* prune({ openedFrom: 2, maxBytes: undefined }), 0)
      assert.strictEqual(yield* prune({ openedFrom: undefined, maxBytes: undefined }), 0)
    }).pipe(Effect.provide(store))
  )

  it.effect("removes the oldest records by size", () =>
    Effect.gen(function* () {
      const { commit, prune } = yield* AuditStore
      const response = responseOf("x".repeat(10_000))
      for (let n = 0; n < 20; n++) yield* commit([opened(`c${n}`, { openedAt: n }), ended(`c${n}`, { response })])
      assert.isAbove(yield* prune({ openedFrom: undefined, maxBytes: 60_000 }), 20)
      const kept = yield* listedIds({})
      assert.strictEqual(kept[0], "c19")
      assert.isAtLeast(kept.length, 3)
      assert.isAtMost(kept.length, 7)
    }).pipe(Effect.provide(store))
  )
}

describe("a store of calls (memory)", () => testStore(AuditStoreMemory.layer))

describeDatabases("a store of calls", (kind) => testStore(sqlIn(kind)))

describeDatabases("the store in a database", (kind) => {
  it.effect("looks for open calls only from where the owner said that all before are settled", () =>
    Effect.gen(function* () {
      const store = yield* AuditStore
      yield* store.commit([opened("a")])
      yield* store.keepLease({ ...lease, settledBelow: yield* store.position })
      yield* store.commit([opened("b")])
      assert.lengthOf(yield* store.endLease(lease, "heir", 5), 1)
      assert.strictEqual((yield* get("a"))?.status, "open")
    }).pipe(Effect.provide(sqlIn(kind)))
  )

  it.effect("keeps the chain of an owner whole that ends the calls of a dead one while its own go on", () =>
    Effect.gen(function* () {
      const database = databaseAt(yield* freshDatabase(kind))
      const context = yield* Layer.build(Layer.provideMerge(AuditStoreSql.layer, database))
      const { commit, endLease, keepLease } = Context.get(context, AuditStore)
      yield* commit([opened("own", {}, "heir")])
      for (const round of [1, 2, 3]) {
        const dead = `dead-${round}`
        yield* keepLease({ ...lease, owner: dead })
        yield* commit([1, 2, 3].map((n) => opened(`${dead} ${n}`, {}, dead)))
        const [interrupted] = yield* Effect.all(
          [
            endLease({ ...lease, owner: dead }, "heir", 5),
            commit([opened(`own ${round}`, {}, "heir")]),
            commit([{ ...ended(`own ${round}`), owner: "heir" }])
          ],
          { concurrency: "unbounded" }
        )
        assert.lengthOf(interrupted, 3)
      }
      const { broken, records } = yield* Effect.provideContext(verifyDatabase, context)
      assert.isUndefined(broken)
      assert.strictEqual(records, 1 + 3 * 8)
    }).pipe(Effect.scoped)
  )

  it.effect("says which endings came after that of another owner, and keeps those of the same batch that did not", () =>
    Effect.gen(function* () {
      const { commit, endLease, keepLease } = yield* AuditStore
      yield* keepLease(lease)
      yield* commit(["a", "b", "c"].map((id) => opened(id)))
      yield* commit([ended("c")])
      yield* endLease(lease, "heir", 5)
      const batch = [ended("a"), opened("d"), ended("c"), ended("d"), ended("b")]
      const late = yield* commit(batch)
      assert.deepStrictEqual(
        late.map(({ id }) => id),
        ["a", "b"]
      )
      assert.strictEqual((yield* get("a"))?.outcome?.kind, "Interrupted")
      assert.strictEqual((yield* get("d"))?.outcome?.kind, "Completed")
      assert.deepStrictEqual(
        (yield* commit(batch)).map(({ id }) => id),
        ["a", "b"]
      )
    }).pipe(Effect.provide(sqlIn(kind)))
  )

  it.live("keeps every chain whole where several processes remove records at once", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const stores = yield* Effect.forEach([1, 2, 3], () =>
        Layer.build(Layer.fresh(Layer.provideMerge(AuditStoreSql.layer, databaseAt(address))))
      )
      const [first] = stores
      const { commit } = Context.get(first!, AuditStore)
      for (let round = 0; round < 10; round++) {
        const calls = Array.from({ length: 60 }, (_, n) => round * 60 + n)
        const rows = calls.flatMap((n) => [opened(`c${n}`, { openedAt: n }), { ...ended(`c${n}`), openedAt: n }])
        yield* commit(rows)
        yield* Effect.forEach(
          stores,
          (store, index) =>
            Context.get(store, AuditStore).prune({ openedFrom: round * 60 + 50 - 20 * index, maxBytes: undefined }),
          { concurrency: "unbounded" }
        )
        assert.isUndefined((yield* Effect.provideContext(verifyDatabase, first!)).broken)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("measures records in bytes, whatever is written in them", () =>
    Effect.gen(function* () {
      const { commit, prune } = yield* AuditStore
      // of three bytes each
      const response = responseOf("語".repeat(3_333))
      for (let n = 0; n < 20; n++) yield* commit([opened(`c${n}`, { openedAt: n }), ended(`c${n}`, { response })])
      yield* prune({ openedFrom: undefined, maxBytes: 60_000 })
      assert.isAtMost((yield* listedIds({})).length, 7)
    }).pipe(Effect.provide(sqlIn(kind)))
  )

  it.effect("keeps the records of calls that are open, and every chain whole", () =>
    Effect.gen(function* () {
      const database = databaseAt(yield* freshDatabase(kind))
      const context = yield* Layer.build(Layer.provideMerge(AuditStoreSql.layer, database))
      const { commit, keepLease, position, prune } = Context.get(context, AuditStore)
      const verified = Effect.provideContext(verifyDatabase, context)
      yield* keepLease({ ...lease, owner: "two" })
      for (let n = 0; n < 6; n++) {
        for (const owner of ["one", "two"]) {
          const id = `${owner}-${n}`
          yield* commit([opened(id, { openedAt: n }, owner), { ...ended(id), owner, openedAt: n }])
          if (n === 3 && owner === "one") yield* keepLease({ ...lease, owner: "two", settledBelow: yield* position })
        }
      }
      assert.strictEqual(yield* prune({ openedFrom: 5, maxBytes: undefined }), 14)
      const { broken, records, truncated } = yield* verified
      assert.isUndefined(broken)
      assert.strictEqual(records, 10)
      assert.deepStrictEqual(
        truncated.toSorted((a, b) => a.owner.localeCompare(b.owner)),
        [
          { owner: "one", link: 8 },
          { owner: "two", link: 6 }
        ]
      )
      yield* commit([opened("more", { openedAt: 9 }, "two")])
      assert.isUndefined((yield* verified).broken)
    }).pipe(Effect.scoped)
  )

  it.effect("gives back what it was given", () =>
    Effect.gen(function* () {
      const store = yield* AuditStore
      const texts = ["", "\0", "a\0b", "\ud800", "漢字🦀", "'; drop table audit_final; --", '\u2028\n\r\t\\"']
      for (const [index, text] of texts.entries()) {
        const id = `call ${index} '"%_`
        yield* store.commit([opened(id), ended(id, { response: responseOf(text) })])
        assert.strictEqual((yield* get(id))?.response?.text, text)
      }
    }).pipe(Effect.provide(sqlIn(kind)))
  )

  it.effect("takes up where the last process left off", () =>
    Effect.gen(function* () {
      const layer = Layer.fresh(Layer.provide(AuditStoreSql.layer, databaseAt(yield* freshDatabase(kind))))
      yield* AuditStore.use((store) => store.commit([opened("a")])).pipe(Effect.provide(layer))
      const record = yield* get("a").pipe(Effect.provide(layer))
      assert.strictEqual(record?.status, "open")
    }).pipe(Effect.scoped)
  )
})
