import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../src/storage/Database.ts"
import { type Migration, migrate } from "../../src/storage/Migrations.ts"
import * as Sqlite from "../../src/storage/Sqlite.ts"

const calls: Migration = { id: 1, name: "calls", statements: ["create table calls (id text primary key)"] }
const tenants: Migration = {
  id: 2,
  name: "tenants",
  statements: ["alter table calls add column tenant text", "insert into calls values ('c1', 't1')"]
}
const index: Migration = { id: 5, name: "index", statements: ["create index calls_by_id on calls (id)"] }

const recorded = Effect.gen(function* () {
  const database = yield* Database
  return yield* database.query("select subject, id, name from millrace_migrations order by subject, id")
})

describe("migrate", () => {
  it.effect("builds the tables of a fresh database", () =>
    Effect.gen(function* () {
      const database = yield* Database
      assert.deepStrictEqual(yield* migrate("audit", [calls, tenants]), [1, 2])
      assert.deepStrictEqual(yield* database.query("select * from calls"), [{ id: "c1", tenant: "t1" }])
      assert.deepStrictEqual(yield* recorded, [
        { subject: "audit", id: 1, name: "calls" },
        { subject: "audit", id: 2, name: "tenants" }
      ])
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.effect("applies what is new, once", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* migrate("audit", [calls]), [1])
      assert.deepStrictEqual(yield* migrate("audit", [calls]), [])
      assert.deepStrictEqual(yield* migrate("audit", [calls, tenants, index]), [2, 5])
      assert.deepStrictEqual(yield* migrate("audit", [calls, tenants, index]), [])
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.effect("each subject has its own history", () =>
    Effect.gen(function* () {
      const keys: Migration = { id: 1, name: "keys", statements: ["create table keys (id text)"] }
      yield* migrate("audit", [calls])
      assert.deepStrictEqual(yield* migrate("accounting", [keys]), [1])
      assert.lengthOf(yield* recorded, 2)
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.effect("fibers that migrate at once apply each migration once", () =>
    Effect.gen(function* () {
      const applied = yield* Effect.all(
        Array.from({ length: 5 }, () => migrate("audit", [calls, tenants, index])),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        applied.flat().toSorted((a, b) => a - b),
        [1, 2, 5]
      )
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.effect("a migration that fails leaves nothing of itself, and can be mended", () =>
    Effect.gen(function* () {
      const database = yield* Database
      const broken: Migration = {
        id: 2,
        name: "more",
        statements: ["create table more (id text)", "create table calls (x)"]
      }
      const error = yield* Effect.flip(migrate("audit", [calls, broken]))
      assert.strictEqual(error._tag, "StorageError")
      assert.include(error.message, "table calls already exists")
      assert.deepStrictEqual(yield* recorded, [{ subject: "audit", id: 1, name: "calls" }])
      assert.deepStrictEqual(yield* database.query("select 1 from sqlite_master where name = 'more'"), [])
      assert.deepStrictEqual(yield* migrate("audit", [calls, tenants]), [2])
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.effect("a constraint that a migration's own statement breaks is not mistaken for another process", () =>
    Effect.gen(function* () {
      const twice: Migration = { id: 2, name: "twice", statements: ["insert into calls values ('a'), ('a')"] }
      const error = yield* Effect.flip(migrate("audit", [calls, twice]))
      assert.include(error.message, "UNIQUE constraint failed: calls.id")
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )
})

describe("migrate refuses", () => {
  const refused = (applied: ReadonlyArray<Migration>, declared: ReadonlyArray<Migration>) =>
    Effect.gen(function* () {
      yield* migrate("audit", applied)
      const before = yield* recorded
      const error = yield* Effect.flip(migrate("audit", declared))
      assert.strictEqual(error._tag, "MigrationError")
      assert.deepStrictEqual(yield* recorded, before)
      return error.message
    }).pipe(Effect.provide(Sqlite.layerMemory))

  it.effect("a database that is newer than the program", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* refused([calls, tenants], [calls]),
        "audit: the database is newer than this program: it has migration 2 (tenants), which is unknown here"
      )
    })
  )

  it.effect("a migration that was recorded by another name", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* refused([calls], [{ ...calls, name: "records" }, tenants]),
        `audit: migration 1 is "records" here, but "calls" was applied to the database`
      )
    })
  )

  it.effect("a migration that was put before one already applied", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* refused([calls, index], [calls, tenants, index]),
        "audit: migration 2 (tenants) comes before 5 (index), which the database has already"
      )
    })
  )

  it.effect("ids that do not ascend", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* refused([], [tenants, calls]),
        "audit: migration 1 (calls) is declared after 2 (tenants)"
      )
    })
  )
})
