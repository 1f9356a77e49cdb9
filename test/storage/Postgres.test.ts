import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Redacted, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import { Database, type SqlValue, type Statement } from "../../src/storage/Database.ts"
import { type Migration, migrate } from "../../src/storage/Migrations.ts"
import * as Postgres from "../../src/storage/Postgres.ts"
import { numbered, together } from "../../src/storage/postgres-text.ts"
import { databaseAt } from "./address.ts"
import { describeDatabases, describePostgres, freshDatabase } from "./databases.ts"

const statement = (sql: string, ...params: ReadonlyArray<SqlValue>): Statement => ({ sql, params })
const createItems = statement(
  "create table items (name text primary key, value bigint, bytes bytea, number double precision)"
)
const insert = (name: string, value: SqlValue = null) =>
  statement("insert into items (name, value) values (?, ?)", name, value)

const openItems = Effect.gen(function* () {
  const database = Context.get(yield* Layer.build(databaseAt(yield* freshDatabase("postgres"))), Database)
  yield* database.batch([createItems])
  return database
})

describe("statements for PostgreSQL", () => {
  it("number their places, but not question marks in texts", () => {
    assert.strictEqual(
      numbered(`select '?' as "a?b", ? -- ?\n from items where name = ? and value = 'it''s ?'`),
      `select '?' as "a?b", $1 -- ?\n from items where name = $2 and value = 'it''s ?'`
    )
  })

  it("are sent together where the same insertion follows itself, in their order", () => {
    const other = statement("delete from items where name = ?", "a")
    const upsert = statement("insert into items (name) values (?) on conflict (name) do nothing", "a")
    const batch = [insert("a"), insert("b"), insert("c"), other, insert("d"), upsert, upsert]
    assert.deepStrictEqual(
      together(batch).map(({ count, first, params }) => [first, count, params]),
      [
        [0, 2, ["a", null, "b", null]],
        [2, 1, ["c", null]],
        [3, 1, ["a"]],
        [4, 1, ["d", null]],
        [5, 1, ["a"]],
        [6, 1, ["a"]]
      ]
    )
  })
})

describeDatabases("a database", (kind) => {
  it.live("gives back what it was given, and the number of rows that each statement changed", () =>
    Effect.gen(function* () {
      const database = Context.get(yield* Layer.build(databaseAt(yield* freshDatabase(kind))), Database)
      yield* database.batch([statement("create table items (name text primary key, value bigint)")])
      const many = Array.from({ length: 100 }, (_, index) => insert(`item ${index}`, index))
      const changes = yield* database.batch([
        ...many,
        statement("update items set value = value + 1 where value >= ?", 90),
        statement("select 1")
      ])
      assert.deepStrictEqual(changes, [...many.map(() => 1), 10, 0])
      const large = 2n ** 62n + 1n
      yield* database.batch([insert("large", large), insert("Grüße, 世界 🌍", Number.MAX_SAFE_INTEGER)])
      const rows = yield* database.query("select name, value from items where value > ? order by value", [1000])
      assert.deepStrictEqual(
        rows.map((row) => ({ ...row })),
        [
          { name: "Grüße, 世界 🌍", value: Number.MAX_SAFE_INTEGER },
          { name: "large", value: large }
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("keeps all of a batch or nothing, and lets no query write", () =>
    Effect.gen(function* () {
      const database = Context.get(yield* Layer.build(databaseAt(yield* freshDatabase(kind))), Database)
      yield* database.batch([statement("create table items (name text primary key, value bigint)"), insert("a")])
      const taken = yield* Effect.flip(
        database.batch([insert("b"), statement("delete from items"), insert("a"), insert("a")])
      )
      assert.strictEqual(taken.kind, "constraint")
      assert.strictEqual((yield* Effect.flip(database.batch([statement("no sql")]))).kind, "other")
      assert.strictEqual((yield* Effect.flip(database.query("delete from items"))).kind, "readonly")
      assert.lengthOf(yield* database.query("select name from items"), 1)
    }).pipe(Effect.scoped)
  )
})

describePostgres("a server", () => {
  it.live("keeps bytes and numbers, and no NUL in texts", () =>
    Effect.gen(function* () {
      const database = yield* openItems
      const bytes = new Uint8Array([0, 1, 255])
      yield* database.batch([statement("insert into items (name, bytes, number) values (?, ?, ?)", "a\0b", bytes, 0.1)])
      const [row] = yield* database.query("select * from items")
      assert.deepStrictEqual({ ...row }, { name: "a\uFFFDb", value: null, bytes, number: 0.1 })
    }).pipe(Effect.scoped)
  )

  it.live("replaces connections that the server ends", () =>
    Effect.gen(function* () {
      const database = yield* openItems
      const sleeping = yield* Effect.forkChild(
        Effect.exit(database.batch([statement("select pg_sleep(30)"), insert("a")]))
      )
      const asleep = "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
      yield* Effect.repeat(database.query(asleep), { until: (rows) => rows.length === 1 })
      const ended = yield* database.query(`select pg_terminate_backend(pid) from (${asleep}) as sleeping`)
      assert.lengthOf(ended, 1)
      const exit = yield* Fiber.join(sleeping)
      assert.include(JSON.stringify(exit), `"kind":"unavailable"`)
      yield* Effect.retry(database.batch([insert("b")]), { while: ({ retryable }) => retryable, times: 10 })
      assert.deepStrictEqual(
        (yield* database.query("select name from items")).map((row) => row["name"]),
        ["b"]
      )
    }).pipe(Effect.scoped)
  )
})

describePostgres("a database that somebody else has set up", () => {
  it.live("is shared as any other where its transactions are stricter than usual", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase("postgres")
      const opened = Effect.map(Layer.build(databaseAt(address)), Context.get(Database))
      const setting = "alter database %I set default_transaction_isolation = serializable"
      yield* Effect.flatMap(opened, ({ batch }) =>
        batch([
          createItems,
          insert("shared", 0),
          statement(`do $$ begin execute format('${setting}', current_database()); end $$`)
        ])
      ).pipe(Effect.scoped)
      const others = yield* Effect.all([opened, opened])
      const add = statement("update items set value = value + 1")
      yield* Effect.forEach(others, ({ batch }) => Effect.repeat(batch([add, add]), { times: 29 }), {
        concurrency: "unbounded"
      })
      const [row] = yield* others[0].query("select value from items")
      assert.strictEqual(row?.["value"], 120)
    }).pipe(Effect.scoped)
  )

  it.live("is refused where it cannot hold what people write", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase("postgres", "encoding 'LATIN1' locale 'C' template template0")
      const error = yield* Effect.flip(Layer.build(databaseAt(address)))
      assert.strictEqual(error.operation, "open")
      assert.include(error.message, "the database has texts as LATIN1; make one for Millrace with the encoding UTF8")
    }).pipe(Effect.scoped)
  )
})

describePostgres("a process that is stopped in the middle of a transaction", () => {
  it.live(
    "does not hold up the others, and begins anew when it goes on",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase("postgres")
        const database = Context.get(yield* Layer.build(databaseAt(address)), Database)
        yield* database.batch([createItems, insert("shared", 0)])
        const program = fileURLToPath(new URL("stopped-program.ts", import.meta.url))
        const child = yield* ChildProcess.make(process.execPath, [program, address], { stderr: "inherit" })
        const asleep = "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
        yield* Effect.repeat(database.query(asleep), { until: (rows) => rows.length === 1 })
        process.kill(child.pid, "SIGSTOP")
        yield* database.batch([statement("update items set value = value + 10")])
        assert.deepStrictEqual(
          (yield* database.query("select value from items")).map(({ value }) => value),
          [10]
        )
        process.kill(child.pid, "SIGCONT")
        const said = yield* Stream.mkString(Stream.decodeText(child.stdout))
        assert.strictEqual(said.trim(), "unavailable")
        assert.deepStrictEqual(
          (yield* database.query("select value from items")).map(({ value }) => value),
          [11]
        )
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )
})

describePostgres("a new database of which many make tables at once", () => {
  it.live("has them once, and nobody fails", () =>
    Effect.gen(function* () {
      for (let round = 0; round < 5; round++) {
        const address = yield* freshDatabase("postgres")
        const programs = yield* Effect.forEach(Array.from({ length: 8 }), () => Layer.build(databaseAt(address)), {
          concurrency: "unbounded"
        })
        const items: Migration = { id: 1, name: "items", statements: [createItems.sql] }
        const applied = yield* Effect.forEach(
          programs,
          (program) => Effect.provide(migrate("items", [items]), program),
          {
            concurrency: "unbounded"
          }
        )
        assert.deepStrictEqual(applied.flat(), [1])
      }
    }).pipe(Effect.scoped)
  )
})

describe("a PostgreSQL server that is not there", () => {
  it.live("is an error that says so, without the password", () =>
    Effect.gen(function* () {
      const url = Redacted.make("postgres://somebody:secret@127.0.0.1:1/records")
      const error = yield* Effect.flip(Layer.build(Postgres.layer({ url })))
      assert.deepStrictEqual([error.operation, error.kind], ["open", "unavailable"])
      assert.notInclude(error.message, "secret")
    }).pipe(Effect.scoped)
  )
})
