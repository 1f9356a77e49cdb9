import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { AuditStore } from "../../src/audit/AuditStore.ts"
import * as AuditStoreSql from "../../src/audit/AuditStoreSql.ts"
import { finalRow, openedRow } from "../../src/audit/CallRecord.ts"
import { verifyDatabase } from "../../src/audit/verify.ts"
import { Database } from "../../src/storage/Database.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase, type Kind } from "../storage/databases.ts"
import { finalRecord, openRecord } from "./records.ts"

/** Two owners' records, five calls each, one batch a call, and what somebody then does to the table. */
const tampered = (kind: Kind, ...statements: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const store = Layer.provideMerge(AuditStoreSql.layer, databaseAt(yield* freshDatabase(kind)))
    const context = yield* Layer.build(store)
    const { commit } = Context.get(context, AuditStore)
    for (let call = 0; call < 5; call++) {
      for (const owner of ["one", "two"]) {
        const id = `${owner}-${call}`
        yield* commit([
          openedRow(openRecord(id, { openedAt: call, caller: { labels: { team: owner, "a=b": "c" } } }), "full", owner),
          finalRow(finalRecord(id), "full", owner, { openedAt: call, endedAt: call })
        ])
      }
    }
    const database = Context.get(context, Database)
    if (statements.length > 0) yield* database.batch(statements.map((sql) => ({ sql, params: [] })))
    return yield* Effect.provideContext(verifyDatabase, context)
  }).pipe(Effect.scoped)

const where = "where owner = 'one' and link = 5"

describeDatabases("the chains of records", (kind) => {
  it.live("are whole as they were written", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* tampered(kind), {
        records: 20,
        chains: 2,
        unlinked: 0,
        truncated: [],
        broken: undefined
      })
    })
  )

  it.live("are whole where the end of one is removed for its age while they are looked at", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(
        Layer.provideMerge(AuditStoreSql.layer, databaseAt(yield* freshDatabase(kind)))
      )
      const { commit, prune } = Context.get(context, AuditStore)
      const calls = (owner: string, count: number, openedAt: number) =>
        Array.from({ length: count }, (_, n) => openedRow(openRecord(`${owner}-${n}`, { openedAt }), "off", owner))
      yield* commit(calls("gone", 600, 0))
      yield* commit(calls("here", 1, 10))
      const database = Context.get(context, Database)
      let pages = 0
      // between the first page and the second
      const query: Database["Service"]["query"] = (sql, params) =>
        sql.includes("begun_at") && ++pages === 2
          ? Effect.andThen(prune({ openedFrom: 10, maxBytes: undefined }), database.query(sql, params))
          : database.query(sql, params)
      const verified = Effect.provideService(verifyDatabase, Database, Database.of({ ...database, query }))
      assert.deepInclude(yield* verified, { records: 501, broken: undefined })
    }).pipe(Effect.scoped)
  )

  it.live("show a long request that was changed", () =>
    Effect.gen(function* () {
      const store = Layer.provideMerge(AuditStoreSql.layer, databaseAt(yield* freshDatabase(kind)))
      const context = yield* Layer.build(store)
      const records = ["one", "two"].map((id) => openRecord(id, { request: { said: `${"x".repeat(100_000)}y` } }))
      yield* Context.get(context, AuditStore).commit(records.map((record) => openedRow(record, "full", "owner")))
      const verified = Effect.provideContext(verifyDatabase, context)
      assert.deepInclude(yield* verified, { records: 2, broken: undefined })
      const sql = "update audit_records set payload = replace(payload, 'y', 'z') where id = 'two'"
      yield* Context.get(context, Database).batch([{ sql, params: [] }])
      assert.deepInclude((yield* verified).broken, { kind: "changed", id: "two" })
    }).pipe(Effect.scoped)
  )

  it.live("are whole where names have characters that databases cannot hold", () =>
    Effect.gen(function* () {
      const store = Layer.provideMerge(AuditStoreSql.layer, databaseAt(yield* freshDatabase(kind)))
      const context = yield* Layer.build(store)
      const odd = "a\0b\ud800c"
      const record = openRecord("one", { model: odd, conversation: odd, caller: { labels: { "\ud800": "\ud800" } } })
      yield* Context.get(context, AuditStore).commit([openedRow(record, "full", "owner")])
      assert.isUndefined((yield* Effect.provideContext(verifyDatabase, context)).broken)
    }).pipe(Effect.scoped)
  )

  const changes = {
    "a body": `update audit_records set body = replace(body, 'smart', 'cheap') ${where}`,
    "a model": `update audit_records set model = 'cheap' ${where}`,
    "a time": `update audit_records set at = at + 1 ${where}`,
    "a request": `update audit_records set payload = replace(payload, 'Hello', 'Bye') ${where}`,
    "a request that is gone": `update audit_records set payload = null ${where}`,
    "an id": `update audit_records set id = 'other' ${where}`,
    "a hash": `update audit_records set hash = 'x' ${where}`
  }
  for (const [what, statement] of Object.entries(changes)) {
    it.live(`show ${what} that was changed`, () =>
      Effect.gen(function* () {
        const { broken } = yield* tampered(kind, statement)
        assert.deepStrictEqual([broken?.kind, broken?.owner, broken?.link], ["changed", "one", 5])
      })
    )
  }

  it.live("show an outcome that was changed, and the time by which it is listed", () =>
    Effect.gen(function* () {
      for (const change of ["outcome = 'Failed'", "opened_at = opened_at + 1", "opened_at = null"]) {
        const end = "where owner = 'one' and link = 6"
        const { broken } = yield* tampered(kind, `update audit_records set ${change} ${end}`)
        assert.deepStrictEqual([broken?.kind, broken?.link, broken?.id], ["changed", 6, "one-2"], change)
      }
    })
  )

  it.live("show labels that lead to other calls than those that have them", () =>
    Effect.gen(function* () {
      const one = "id = 'one-2' and label = 'team=one'"
      const changes = {
        "another label": `update audit_labels set label = 'team=two' where ${one}`,
        "another time": `update audit_labels set at = at + 1 where ${one}`,
        "a label less": `delete from audit_labels where ${one}`,
        "a label more": "insert into audit_labels (id, label, at) values ('one-2', 'stage=test', 2)"
      }
      for (const [what, statement] of Object.entries(changes)) {
        const { broken } = yield* tampered(kind, statement)
        assert.deepStrictEqual([broken?.kind, broken?.link, broken?.id], ["changed", 5, "one-2"], what)
      }
      const stray = yield* tampered(kind, "insert into audit_labels (id, label, at) values ('nobody', 'a=b', 2)")
      assert.deepStrictEqual([stray.broken?.kind, stray.broken?.id], ["missing", "nobody"])
    })
  )

  it.live("show records that are missing, in the middle, at the beginning and at the end", () =>
    Effect.gen(function* () {
      for (const link of [5, 1, 10]) {
        const { broken } = yield* tampered(kind, `delete from audit_records where owner = 'one' and link = ${link}`)
        assert.deepStrictEqual([broken?.kind, broken?.owner, broken?.link], ["missing", "one", link])
      }
    })
  )

  it.live("show records that changed places", () =>
    Effect.gen(function* () {
      const place = (link: number, position: string) =>
        `update audit_records set position = ${position} where owner = 'one' and link = ${link}`
      // an identity of PostgreSQL takes no values, so the records move and not their positions
      const swap = (from: number, to: number) =>
        `update audit_records set link = ${to} where owner = 'one' and link = ${from}`
      const moves =
        kind === "sqlite"
          ? [place(5, "-1"), place(6, "9"), place(5, "10")]
          : [swap(5, -1), swap(6, 5), `update audit_records set link = 6 where link = -1`]
      const { broken } = yield* tampered(kind, ...moves)
      assert.include(["reordered", "changed"], broken?.kind)
      assert.strictEqual(broken?.link, 5)
    })
  )

  it.live("show records that were put in", () =>
    Effect.gen(function* () {
      const copy = (link: string, id: string) => `insert into audit_records
          (owner, link, hash, kind, id, at, model, body)
        select owner, ${link}, hash, kind, '${id}', at, model, body from audit_records ${where}`
      assert.strictEqual((yield* tampered(kind, copy("link", "again"))).broken?.kind, "inserted")
      assert.strictEqual((yield* tampered(kind, copy("null", "again"))).broken?.kind, "inserted")
      assert.strictEqual((yield* tampered(kind, copy("11", "next"))).broken?.kind, "changed")
    })
  )
})
