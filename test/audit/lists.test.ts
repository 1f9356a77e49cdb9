import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema, Stream } from "effect"
import { AuditStore, type CallFilter, type Position } from "../../src/audit/AuditStore.ts"
import * as AuditStoreMemory from "../../src/audit/AuditStoreMemory.ts"
import * as AuditStoreSql from "../../src/audit/AuditStoreSql.ts"
import { finalRow, openedRow } from "../../src/audit/CallRecord.ts"
import { list, pages } from "../../src/audit/CallRecords.ts"
import { migrations } from "../../src/audit/migrations.ts"
import { listStatement, searchedAtOnce } from "../../src/audit/select-calls.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import { Database, type StorageError } from "../../src/storage/Database.ts"
import { migrate, type MigrationError } from "../../src/storage/Migrations.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase, type Kind } from "../storage/databases.ts"
import { finalRecord, openRecord, responseOf } from "./records.ts"

const sqlIn = (kind: Kind) =>
  Layer.unwrap(
    Effect.map(freshDatabase(kind), (address) => Layer.provideMerge(AuditStoreSql.layer, databaseAt(address)))
  )

const outcomes: ReadonlyArray<Outcome> = [
  { _tag: "Completed", finish: "stop", delivered: true },
  { _tag: "Cancelled", by: "client" },
  { _tag: "Refused", by: "guard", reason: "no" }
]

const Words = Schema.Literals(["tea", "Tea", "naïve", 'say "hi"', "a/b", "line\nbreak", "", "100%", "🦀"])
const Moment = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 }))
const maybe = Schema.UndefinedOr

/** A call as the plain model of the list sees it; without an outcome it is open. */
const Made = Schema.Struct({
  openedAt: Moment,
  model: Schema.Literals(["smart", "fast"]),
  key: maybe(Schema.Literals(["ci", "cd"])),
  team: maybe(Schema.Literals(["a", "b=c"])),
  env: maybe(Schema.Literals(["a", "%"])),
  asked: Words,
  answered: Words,
  outcome: maybe(Schema.Literals(["Completed", "Cancelled", "Refused"]))
})
type Known = typeof Made.Type & { readonly id: string }

const Filter = Schema.Struct({
  status: maybe(Schema.Literals(["open", "ended"])),
  outcome: maybe(Schema.Literals(["Completed", "Cancelled", "Failed", "Refused"])),
  model: maybe(Schema.Literals(["smart", "fast", "other"])),
  key: maybe(Schema.Literals(["ci", "cd"])),
  openedFrom: maybe(Moment),
  openedBefore: maybe(Moment),
  labels: maybe(Schema.Array(Schema.Literals(["team=a", "team=b=c", "env=%", "env=a"])).check(Schema.isMaxLength(2))),
  text: maybe(Schema.Literals(["TEA", "aïv", '"hi"', "/b", "e\nb", "0%", "🦀", "t_a"]))
})

const Made40 = Schema.Array(Made).check(Schema.isMaxLength(40))
const Filters = Schema.Array(Filter).check(Schema.isMinLength(10), Schema.isMaxLength(15))

const named = (made: typeof Made40.Type): ReadonlyArray<Known> =>
  made.map((call, index) => ({ ...call, id: `call_${String(index).padStart(3, "0")}` }))

const labelsOf = ({ env, team }: Known) => ({
  ...(team === undefined ? {} : { team }),
  ...(env === undefined ? {} : { env })
})

const lower = (text: string) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

const isChosen = (call: Known, filter: CallFilter): boolean =>
  (filter.status === undefined || filter.status === (call.outcome === undefined ? "open" : "ended")) &&
  (filter.outcome === undefined || filter.outcome === call.outcome) &&
  (filter.model === undefined || filter.model === call.model) &&
  (filter.key === undefined || filter.key === call.key) &&
  (filter.openedFrom === undefined || call.openedAt >= filter.openedFrom) &&
  (filter.openedBefore === undefined || call.openedAt < filter.openedBefore) &&
  (filter.labels ?? []).every((label) =>
    Object.entries(labelsOf(call)).some(([name, value]) => `${name}=${value}` === label)
  ) &&
  (filter.text === undefined ||
    [call.asked, ...(call.outcome === undefined ? [] : [call.answered])].some((said) =>
      lower(said).includes(lower(filter.text ?? ""))
    ))

const rowsOf = (call: Known) => {
  const { answered, asked, id, key, model, openedAt } = call
  const caller = { ...(key === undefined ? {} : { key }), labels: labelsOf(call) }
  const opened = openedRow(openRecord(id, { openedAt, model, caller, request: { said: asked } }), "full", "owner")
  const outcome = outcomes.find(({ _tag }) => _tag === call.outcome)
  if (outcome === undefined) return [opened]
  // the model's text alone is what can be found of an answer
  const response = { ...responseOf(answered), id: "", model: "" }
  return [
    opened,
    finalRow(finalRecord(id, { outcome, response }), "full", "owner", { openedAt, endedAt: openedAt + 1 })
  ]
}

/** All pages of a list; fails where they do not end. */
const allPages = Effect.fnUntraced(function* (
  filter: CallFilter,
  limit: number,
  between: Effect.Effect<void, StorageError> = Effect.void
) {
  const store = yield* AuditStore
  const ids: Array<string> = []
  let after: Position | undefined
  for (let page = 0; page < 1000; page++) {
    const found = yield* store.list(filter, { limit, after, content: "short" })
    ids.push(...found.calls.map(({ id }) => id))
    if (found.next === undefined) return ids
    after = found.next
    yield* between
  }
  return yield* Effect.die(new Error("the pages do not end"))
})

const newestFirst = (one: Known, other: Known) => other.openedAt - one.openedAt || (one.id < other.id ? 1 : -1)

const testLists = (store: Layer.Layer<AuditStore, StorageError | MigrationError>, runs: number) => {
  it.live.prop(
    "has the calls that a plain filter would choose, in the same order, whatever is asked",
    [Made40, Filters],
    ([made, asked]) =>
      Effect.gen(function* () {
        const known = named(made)
        const { commit } = yield* AuditStore
        yield* commit(known.flatMap(rowsOf))
        for (const filter of [{}, ...asked]) {
          const expected = known.filter((call) => isChosen(call, filter)).toSorted(newestFirst)
          const found = yield* allPages(filter, 7)
          assert.deepStrictEqual(
            found,
            expected.map(({ id }) => id),
            JSON.stringify({ filter, known })
          )
        }
      }).pipe(Effect.provide(Layer.fresh(store))),
    { arbitrary: { runs }, timeout: 60_000 }
  )

  it.effect("has every call once, whatever begins and ends while it is paged through", () =>
    Effect.gen(function* () {
      const { commit } = yield* AuditStore
      const known = Array.from({ length: 60 }, (_, n): Known => ({
        id: `call_${100 + n}`,
        openedAt: Math.floor(n / 7),
        model: "smart",
        key: undefined,
        team: n % 2 === 0 ? "a" : undefined,
        env: undefined,
        asked: "tea",
        answered: "tea",
        outcome: n % 3 === 0 ? "Cancelled" : "Completed"
      }))
      yield* commit(known.flatMap(rowsOf))
      let more = 0
      const write = Effect.suspend(() => {
        more++
        return commit([
          ...rowsOf({ ...known[0]!, id: `call_9${more}`, openedAt: 8 + more }),
          ...rowsOf({ ...known[0]!, id: `call_8${more}`, openedAt: 8, outcome: undefined })
        ])
      })
      const asked: ReadonlyArray<CallFilter> = [
        {},
        { text: "tea" },
        { labels: ["team=a"] },
        { outcome: "Cancelled" },
        { model: "smart", status: "ended" }
      ]
      for (const filter of asked) {
        const pages = yield* allPages(filter, 4, write)
        assert.strictEqual(new Set(pages).size, pages.length)
        const expected = known.filter((call) => isChosen(call, filter)).map(({ id }) => id)
        const found = new Set(pages)
        assert.deepStrictEqual(
          expected.filter((id) => !found.has(id)),
          []
        )
      }
    }).pipe(Effect.provide(Layer.fresh(store)))
  )

  it.effect("tells what was written since a position, each record once", () =>
    Effect.gen(function* () {
      const { changes, commit, position, positions } = yield* AuditStore
      const [first, second] = ["a", "b"].map((id): Known => ({
        id,
        openedAt: 1,
        model: id === "a" ? "smart" : "fast",
        key: undefined,
        team: undefined,
        env: undefined,
        asked: "tea",
        answered: "tea",
        outcome: "Completed"
      }))
      yield* commit(rowsOf(first!))
      const start = (yield* position) - 1
      yield* commit(rowsOf(second!))
      const written = yield* positions(start, 10)
      assert.lengthOf(written, 2)
      const found = yield* changes({}, written, "none")
      assert.deepStrictEqual(
        found.map(({ call, kind }) => [kind, call.id, call.final !== undefined, call.opened.request]),
        [
          ["Opened", "b", false, null],
          ["Final", "b", true, null]
        ]
      )
      assert.lengthOf(yield* changes({ model: "smart" }, written, "none"), 0)
      assert.lengthOf(yield* changes({ text: "tea" }, written, "none"), 2)
    }).pipe(Effect.provide(Layer.fresh(store)))
  )
}

describe("lists of calls (memory)", () => testLists(AuditStoreMemory.layer, 60))

describeDatabases("lists of calls", (kind) => {
  testLists(sqlIn(kind), 8)

  it.effect("reads long calls a few at a time, and short ones together", () =>
    Effect.gen(function* () {
      const store = yield* AuditStore
      const capture = { level: "full", maxBytes: 1e9 } as const
      const lengths = [...Array.from({ length: 30 }, () => 10), ...Array.from({ length: 6 }, () => 3_000_000)]
      for (const [n, length] of lengths.entries()) {
        const request = { said: "x".repeat(length) }
        yield* store.commit([openedRow(openRecord(`c${n}`, { openedAt: n, request }), capture, "owner")])
      }
      const read = yield* Stream.runCollect(pages({ content: "all" }))
      assert.deepStrictEqual(
        read.flat().map(({ id }) => id),
        lengths.map((_, n) => `c${35 - n}`)
      )
      assert.deepStrictEqual(
        read.map((page) => page.length),
        [1, 2, 2, 2, 2, 20, 7]
      )
    }).pipe(Effect.provide(sqlIn(kind)))
  )

  it.effect("finds a call by two of its labels that are the same text", () =>
    Effect.gen(function* () {
      const store = yield* AuditStore
      const caller = { labels: { a: "b=c", "a=b": "c" } }
      yield* store.commit([openedRow(openRecord("one", { caller }), "full", "owner")])
      const { calls } = yield* store.list({ labels: ["a=b=c"] }, { limit: 5, after: undefined, content: "none" })
      assert.deepStrictEqual(
        calls.map(({ id }) => id),
        ["one"]
      )
    }).pipe(Effect.provide(sqlIn(kind)))
  )

  it.effect("finds a text in the excerpts of what is too long to be kept", () =>
    Effect.gen(function* () {
      const { commit } = yield* AuditStore
      const long = "x".repeat(300_000)
      const request = { said: `say "hi" ${long}` }
      yield* commit([
        openedRow(openRecord("a", { request }), "full", "owner"),
        finalRow(finalRecord("a", { response: responseOf(`${long} goodbye`) }), "full", "owner", {
          openedAt: 0,
          endedAt: 1
        })
      ])
      for (const [text, count] of [
        ['say "hi"', 1],
        ["goodbye", 1],
        ["hello", 0],
        ["somewhere", 0]
      ] as const) {
        assert.lengthOf((yield* list({ text })).data, count, text)
      }
    }).pipe(Effect.provide(sqlIn(kind)))
  )

  it.live(
    "reads what indexes have, and no more calls for a text than it says",
    () =>
      Effect.gen(function* () {
        const context = yield* Layer.build(sqlIn(kind))
        const database = Context.get(context, Database)
        const { commit, keepLease, list, position } = Context.get(context, AuditStore)
        const count = 4 * searchedAtOnce
        const rows = Array.from({ length: count }, (_, n) =>
          rowsOf({
            id: `call_${100_000 + n}`,
            openedAt: n,
            model: n % 1000 === 0 ? "fast" : "smart",
            key: n % 1000 === 0 ? "ci" : "cd",
            team: n % 1000 === 0 ? "a" : "b=c",
            env: undefined,
            asked: "tea",
            answered: n === 5 ? "100%" : "tea",
            outcome: n % 1000 === 0 ? "Cancelled" : "Completed"
          })
        ).flat()
        for (let at = 0; at < rows.length; at += 1000) yield* commit(rows.slice(at, at + 1000))
        yield* keepLease({ owner: "owner", host: "here", pid: 1, heartbeatAt: 0, settledBelow: yield* position })
        if (kind === "postgres") yield* database.batch([{ sql: "analyze", params: [] }])
        const asked: ReadonlyArray<readonly [CallFilter, string]> = [
          [{}, "audit_records_newest"],
          [{ openedFrom: 5, openedBefore: 50 }, "audit_records_newest"],
          [{ model: "fast" }, "audit_records_model"],
          [{ key: "ci" }, "audit_records_key"],
          [{ outcome: "Cancelled" }, "audit_records_outcome"],
          [{ labels: ["team=a"] }, "audit_labels_newest"],
          [{ status: "open" }, kind === "sqlite" ? "INTEGER PRIMARY KEY" : "audit_records_pkey"]
        ]
        for (const [filter, index] of asked) {
          const { params, sql } = listStatement(filter, 21, { openedAt: count / 2, id: "call_" }, "short")
          const explain = kind === "sqlite" ? "explain query plan" : "explain"
          const plan = JSON.stringify(yield* database.query(`${explain} ${sql}`, params))
          assert.include(plan, index, `${JSON.stringify(filter)}: ${plan}`)
          assert.notMatch(
            plan,
            /"SCAN (?!audit_owners)|Seq Scan on audit_(?!owners)/,
            `${JSON.stringify(filter)}: ${plan}`
          )
        }
        const first = yield* list({ text: "100%" }, { limit: 20, after: undefined, content: "none" })
        assert.deepStrictEqual([first.calls.length, first.next?.openedAt], [0, count - searchedAtOnce])
        assert.deepStrictEqual(yield* Effect.provide(allPages({ text: "100%" }, 20), context), ["call_100005"])
      }).pipe(Effect.scoped),
    60_000
  )

  it.effect("finds by outcome and label what an earlier version has recorded", () =>
    Effect.gen(function* () {
      const database = databaseAt(yield* freshDatabase(kind))
      const old = {
        id: "a",
        caller: { labels: { team: "search", odd: "it's = %" } },
        model: "smart",
        delivery: "whole"
      }
      const final = finalRow(finalRecord("a", { outcome: outcomes[1]! }), "off", "o", { openedAt: 7, endedAt: 9 })
      yield* Effect.gen(function* () {
        yield* migrate("audit", migrations.slice(0, 2))
        const insert = `insert into audit_records (owner, kind, id, at, model, outcome, body) values ('o', ?, 'a', ?, ?, ?, ?)`
        yield* (yield* Database).batch([
          { sql: insert, params: ["Opened", 7, "smart", null, JSON.stringify({ ...old, openedAt: 7 })] },
          {
            sql: insert,
            params: ["Final", 9, null, "Cancelled", final.body]
          }
        ])
      }).pipe(Effect.provide(Layer.fresh(database)))
      yield* Effect.gen(function* () {
        for (const filter of [{ labels: ["team=search", "odd=it's = %"] }, { outcome: "Cancelled", openedFrom: 7 }]) {
          assert.lengthOf((yield* list(filter)).data, 1)
        }
        const { prune, commit } = yield* AuditStore
        yield* commit([openedRow(openRecord("b", { openedAt: 10 }), "full", "owner")])
        yield* prune({ openedFrom: 10, maxBytes: undefined })
        assert.lengthOf(yield* (yield* Database).query("select id from audit_labels"), 0)
      }).pipe(Effect.provide(Layer.provideMerge(AuditStoreSql.layer, Layer.fresh(database))))
    }).pipe(Effect.scoped)
  )
})
