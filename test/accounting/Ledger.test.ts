import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { randomBytes } from "node:crypto"
import { Ledger } from "../../src/accounting/Ledger.ts"
import * as LedgerSql from "../../src/accounting/LedgerSql.ts"
import { migrations } from "../../src/accounting/migrations.ts"
import { Database, StorageError } from "../../src/storage/Database.ts"
import { migrate } from "../../src/storage/Migrations.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase } from "../storage/databases.ts"
import { candidate, moment, recordOf } from "./limiting.ts"

/** A process of its own that adds to the sums in a database. */
const ledgerAt = (address: string, database: Layer.Layer<Database, StorageError> = databaseAt(address)) =>
  Effect.map(Layer.build(Layer.fresh(Layer.provide(LedgerSql.layer, database))), (services) =>
    Context.get(services, Ledger)
  )

const rowsAt = (address: string) =>
  Effect.flatMap(Layer.build(databaseAt(address)), (services) =>
    Context.get(services, Database).query("select day, labels from accounting_sums")
  )

const once = recordOf({ inputTokens: 2, outputTokens: 3 }, 5)

/** A database whose word that a batch was written gets lost so many times. */
const forgetful = (address: string, times: number): Layer.Layer<Database, StorageError> => {
  let left = times
  return Layer.effect(
    Database,
    Effect.map(Database, (database) =>
      Database.of({
        ...database,
        batch: (statements) =>
          Effect.flatMap(database.batch(statements), (changed) =>
            statements[0]?.sql.startsWith("insert into accounting_writers") && left-- > 0
              ? Effect.fail(new StorageError({ operation: "batch", kind: "unavailable", message: "lost" }))
              : Effect.succeed(changed)
          )
      })
    )
  ).pipe(Layer.provide(databaseAt(address)))
}

describeDatabases("the sums of usage", (kind) => {
  it.live("are the same however many processes add to them and however often these begin anew", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const process = Effect.scoped(
        Effect.gen(function* () {
          const ledger = yield* ledgerAt(address)
          for (let calls = 0; calls < 100; calls++) {
            ledger.add(candidate({ caller: { key: "k", labels: { team: `t${calls % 3}` } } }), once)
            if (calls % 30 === 0) yield* ledger.report({ by: [] })
          }
        })
      )
      for (let starts = 0; starts < 3; starts++) yield* Effect.all([process, process], { concurrency: "unbounded" })
      const ledger = yield* ledgerAt(address)
      const { data, total } = yield* ledger.report({ by: ["label"] })
      assert.deepInclude(total, { calls: 600, inputTokens: 1200, outputTokens: 1800, microUsd: 3000 })
      assert.deepStrictEqual(
        data.map(({ calls, label }) => [label, calls]),
        [
          ["team=t0", 204],
          ["team=t1", 198],
          ["team=t2", 198]
        ]
      )
      // As many rows as there are kinds of calls, not times the processes there ever were.
      assert.strictEqual((yield* rowsAt(address)).length, 3)
    }).pipe(Effect.scoped)
  )

  it.live("count calls whose labels are too long for a row of their own", () =>
    Effect.gen(function* () {
      const ledger = yield* ledgerAt(yield* freshDatabase(kind))
      // nothing that could be written shorter
      const labels = { long: randomBytes(3000).toString("hex") }
      ledger.add(candidate({ caller: { key: "k", labels } }), once)
      ledger.add(candidate({ caller: { key: "k", labels: { team: "t" } } }), once)
      const { data } = yield* ledger.report({ by: ["label"] })
      assert.deepStrictEqual(
        data.map(({ calls, label }) => [label, calls]),
        [
          ["", 1],
          ["team=t", 1]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("are what processes of a version had counted that kept rows of their own", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const database = yield* Layer.build(databaseAt(address))
          yield* Effect.provideContext(migrate("accounting", migrations.slice(0, 3)), database)
          const row = (owner: string, key: string) => ({
            sql: "insert into accounting_usage values ('2026-11-20', ?, '', 'm', 'p', 't', '', ?, 2, 1, 3, 4, 5, 6, 7, 8, 9, 10)",
            params: [key, owner]
          })
          const rows = [row("one", "k"), row("other", "k"), row("other", "l")]
          yield* Context.get(database, Database).batch(rows)
        })
      )
      const ledger = yield* ledgerAt(address)
      ledger.add(candidate({ at: Date.UTC(2026, 10, 20) }), once)
      const { data } = yield* ledger.report({ by: ["key", "model"] })
      assert.deepInclude(data[0], { key: "k", model: "m", calls: 4, incomplete: 2, inputTokens: 6, microUsd: 20 })
      assert.deepInclude(data[1], { key: "k", model: "model", calls: 1, microUsd: 5 })
      assert.deepInclude(data[2], { key: "l", model: "m", calls: 2, unpriced: 9, estimated: 8 })
    }).pipe(Effect.scoped)
  )

  it.live("hold a call that ends after its day, and after the rest of that day was written", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const ledger = yield* ledgerAt(address)
      for (const at of [moment, moment + 86_400_000, moment]) {
        ledger.add(candidate({ at }), once)
        yield* ledger.report({ by: [] })
      }
      const { data } = yield* ledger.report({ by: ["day"] })
      assert.deepStrictEqual(
        data.map(({ calls, day }) => [day, calls]),
        [
          ["2026-11-21", 2],
          ["2026-11-22", 1]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("are added to once where it is not known whether they were", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const ledger = yield* ledgerAt(address, forgetful(address, 3))
      for (let calls = 0; calls < 5; calls++) {
        ledger.add(candidate(), once)
        yield* Effect.ignore(ledger.report({ by: [] }))
      }
      const reports = yield* Effect.all([ledger.report({ by: [] }), ledger.report({ by: [] })], {
        concurrency: "unbounded"
      })
      for (const { total } of reports) assert.deepInclude(total, { calls: 5, microUsd: 25 })
    }).pipe(Effect.scoped)
  )

  it.live("have the rest of a day under no label where labels are made up", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const ledger = yield* ledgerAt(address)
      for (let calls = 0; calls < 10_100; calls++) {
        ledger.add(candidate({ caller: { labels: { id: String(calls) } } }), once)
        if (calls % 4000 === 0) yield* ledger.report({ by: [] })
      }
      const { total } = yield* ledger.report({ by: [] })
      assert.strictEqual(total.calls, 10_100)
      assert.strictEqual((yield* rowsAt(address)).length, 10_001)
    }).pipe(Effect.scoped)
  )
})
