import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Schema, Scope } from "effect"
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Database, type SqlValue, type Statement } from "../../src/storage/Database.ts"
import * as Sqlite from "../../src/storage/Sqlite.ts"
import { temporaryFile, temporaryFolder } from "./temporary.ts"

const open = (filename: string) =>
  Effect.map(Layer.build(Layer.fresh(Sqlite.layer({ filename }))), Context.get(Database))

const statement = (sql: string, ...params: ReadonlyArray<SqlValue>): Statement => ({ sql, params })
const createItems = statement("create table items (seq integer primary key autoincrement, name text unique, value)")
const insert = (name: string, value: SqlValue = null) =>
  statement("insert into items (name, value) values (?, ?)", name, value)

const names = Effect.fnUntraced(function* () {
  const database = yield* Database
  const rows = yield* database.query("select name from items order by seq")
  return rows.map((row) => row["name"])
})

const openItems = Effect.fnUntraced(function* (filename: string) {
  const database = yield* open(filename)
  yield* database.batch([createItems])
  return database
})

/** Another program's connection that holds the write lock until its scope closes or it rolls back. */
const lock = (filename: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const other = new DatabaseSync(filename)
      other.exec("BEGIN IMMEDIATE")
      return other
    }),
    (other) => Effect.sync(() => other.close())
  )

describe("values", () => {
  const values: Record<string, SqlValue> = {
    text: "Grüße, 世界 🌍",
    "text with a NUL": "a\u0000b",
    "empty text": "",
    integer: 42,
    "largest exact integer": Number.MAX_SAFE_INTEGER,
    real: 0.1,
    negative: -1.5,
    "beyond a double": 2n ** 62n + 1n,
    "beyond a double, negative": 1n - 2n ** 63n,
    null: null,
    bytes: new Uint8Array([0, 1, 255]),
    "no bytes": new Uint8Array(0)
  }

  for (const [kind, value] of Object.entries(values)) {
    it.live(`${kind} comes back as it went in`, () =>
      Effect.gen(function* () {
        const database = yield* Database
        yield* database.batch([createItems, insert("it", value)])
        assert.deepStrictEqual(yield* database.query("select value from items"), [{ value }])
        assert.deepStrictEqual(yield* database.query("select ? as value", [value]), [{ value }])
      }).pipe(Effect.provide(Sqlite.layerMemory))
    )
  }

  it.effect.prop(
    "rows of any values come back",
    [Schema.Array(Schema.Struct({ text: Schema.String, integer: Schema.Int }))],
    ([rows]) =>
      Effect.gen(function* () {
        const database = yield* Database
        yield* database.batch([
          statement("create table rows (seq integer primary key, text, integer)"),
          ...rows.map(({ integer, text }) => statement("insert into rows (text, integer) values (?, ?)", text, integer))
        ])
        const expected = rows.map(({ integer, text }) => ({ text: text.toWellFormed(), integer }))
        assert.deepStrictEqual(yield* database.query("select text, integer from rows order by seq"), expected)
      }).pipe(Effect.provide(Sqlite.layerMemory)),
    { arbitrary: { runs: 20 } }
  )

  it.live("an integer is a bigint only where a number is not exact", () =>
    Effect.gen(function* () {
      const database = yield* Database
      yield* database.batch([createItems, insert("small", 7n), insert("large", 2n ** 60n)])
      assert.deepStrictEqual(yield* database.query("select seq, value from items order by seq"), [
        { seq: 1, value: 7 },
        { seq: 2, value: 2n ** 60n }
      ])
      assert.deepStrictEqual(yield* database.query("select value from items where seq = 1"), [{ value: 7 }])
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.live("a view sends its own bytes, not the buffer behind it", () =>
    Effect.gen(function* () {
      const database = yield* Database
      yield* database.batch([createItems, insert("view", new Uint8Array([1, 2, 3, 4]).subarray(1, 3))])
      yield* database.batch([insert("node", Buffer.from("pooled"))])
      const rows = yield* database.query("select value, length(value) as bytes from items order by seq")
      assert.deepStrictEqual(rows, [
        { value: new Uint8Array([2, 3]), bytes: 2 },
        { value: new Uint8Array(Buffer.from("pooled")), bytes: 6 }
      ])
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.live("the columns are those of the table as it is now", () =>
    Effect.gen(function* () {
      const database = yield* openItems(yield* temporaryFile)
      yield* database.batch([insert("a")])
      const sql = "select * from items"
      assert.deepStrictEqual(yield* database.query(sql), [{ seq: 1, name: "a", value: null }])
      yield* database.batch([statement("alter table items add column more text default 'x'")])
      assert.deepStrictEqual(yield* database.query(sql), [{ seq: 1, name: "a", value: null, more: "x" }])
    }).pipe(Effect.scoped)
  )
})

describe("batch", () => {
  it.live("tells how many rows each statement changed", () =>
    Effect.gen(function* () {
      const database = yield* Database
      const changes = yield* database.batch([
        createItems,
        insert("a"),
        statement("insert into items (name) values ('b'), ('c') returning seq"),
        statement("insert into items (name) values ('a') on conflict do nothing"),
        statement("PRAGMA foreign_keys"),
        statement("-- all\n update items set value = 1"),
        statement("create index items_value on items (value)"),
        statement("delete from items where name <> 'a'")
      ])
      assert.deepStrictEqual(changes, [0, 1, 2, 0, 0, 3, 0, 2])
      assert.deepStrictEqual(yield* database.batch([]), [])
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.live("is undone by one bad statement, and the error says which and where", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const database = yield* openItems(file)
      yield* database.batch([insert("kept")])
      const error = yield* Effect.flip(
        database.batch([insert("a"), insert("b"), insert("kept", "secret"), insert("c")])
      )
      assert.strictEqual(error.kind, "constraint")
      assert.strictEqual(error.statement, 2)
      assert.isFalse(error.retryable)
      assert.include(error.message, file)
      assert.include(error.message, "statement 3 of 4")
      assert.include(error.message, "UNIQUE constraint failed: items.name")
      assert.notInclude(error.message, "secret")
      assert.deepStrictEqual(yield* names().pipe(Effect.provideService(Database, database)), ["kept"])
      yield* database.batch([insert("later")])
    }).pipe(Effect.scoped)
  )

  it.live("refuses a text with two statements rather than running half of it", () =>
    Effect.gen(function* () {
      const database = yield* Database
      const error = yield* Effect.flip(database.batch([createItems, statement("delete from items; select 1")]))
      assert.include(error.message, "more than one statement")
      assert.deepStrictEqual(yield* database.query("select name from sqlite_master"), [])
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.live("holds 10,000 rows and more texts than are kept prepared", () =>
    Effect.gen(function* () {
      const database = yield* openItems(yield* temporaryFile)
      const expected = Array.from({ length: 10_000 }, (_, index) => `row ${index}`)
      yield* database.batch(expected.map((name) => insert(name)))
      const updates = Array.from({ length: 600 }, (_, index) =>
        statement(`update items set value = ${index % 300} where name = ?`, `row ${index}`)
      )
      assert.deepStrictEqual(
        yield* database.batch(updates),
        updates.map(() => 1)
      )
      assert.deepStrictEqual(yield* names().pipe(Effect.provideService(Database, database)), expected)
    }).pipe(Effect.scoped)
  )

  it.live("comes in the order of issue when many fibers write", () =>
    Effect.gen(function* () {
      const database = yield* openItems(yield* temporaryFile)
      const expected = Array.from({ length: 200 }, (_, index) => `fiber ${index}`)
      yield* Effect.forEach(expected, (name) => database.batch([insert(name)]), { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* names().pipe(Effect.provideService(Database, database)), expected)
    }).pipe(Effect.scoped)
  )

  it.live("enforces foreign keys", () =>
    Effect.gen(function* () {
      const database = yield* Database
      yield* database.batch([
        createItems,
        statement("create table notes (item integer not null references items (seq))")
      ])
      const error = yield* Effect.flip(database.batch([statement("insert into notes values (?)", 99)]))
      assert.strictEqual(error.kind, "constraint")
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )

  it.live("fails as full when there is no room, and works again when there is", () =>
    Effect.gen(function* () {
      const database = yield* openItems(yield* temporaryFile)
      yield* database.batch([insert("before"), statement("PRAGMA max_page_count = 20")])
      const large = new Uint8Array(200_000)
      const error = yield* Effect.flip(database.batch([insert("a"), insert("too large", large)]))
      assert.strictEqual(error.kind, "full")
      assert.isTrue(error.retryable)
      yield* database.batch([statement("PRAGMA max_page_count = 10000")])
      yield* database.batch([insert("a"), insert("large", large)])
      const stored = yield* names().pipe(Effect.provideService(Database, database))
      assert.deepStrictEqual(stored, ["before", "a", "large"])
    }).pipe(Effect.scoped)
  )

  it.live("refuses more than it can keep up with, and recovers", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const database = yield* openItems(file)
      const other = yield* lock(file)
      const waiting = yield* Effect.forEach(Array.from({ length: 5000 }), () =>
        Effect.forkChild(database.batch([insert("x")]))
      )
      yield* Effect.yieldNow
      const error = yield* Effect.flip(database.batch([insert("one more")]))
      assert.strictEqual(error.kind, "busy")
      yield* Effect.sync(() => other.exec("ROLLBACK"))
      yield* Effect.forEach(waiting, Fiber.await)
      yield* database.batch([insert("one more")])
    }).pipe(Effect.scoped)
  )
})

describe("query", () => {
  it.live("does not wait for the batch before it", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const database = yield* openItems(file)
      const other = yield* lock(file)
      const batch = yield* Effect.forkChild(database.batch([insert("late")]), { startImmediately: true })
      assert.deepStrictEqual(yield* database.query("select name from items"), [])
      yield* Effect.sync(() => other.exec("ROLLBACK"))
      yield* Fiber.join(batch)
      assert.deepStrictEqual(yield* database.query("select name from items"), [{ name: "late" }])
    }).pipe(Effect.scoped)
  )

  for (const where of ["file", "memory"]) {
    it.live(`cannot write (${where})`, () =>
      Effect.gen(function* () {
        const database = yield* openItems(where === "memory" ? ":memory:" : yield* temporaryFile)
        const error = yield* Effect.flip(database.query("insert into items (name) values ('x') returning seq"))
        assert.strictEqual(error.kind, "readonly")
        yield* database.batch([insert("written")])
        assert.deepStrictEqual(yield* database.query("select name from items"), [{ name: "written" }])
      }).pipe(Effect.scoped)
    )
  }

  it.live("says what is wrong with a statement", () =>
    Effect.gen(function* () {
      const database = yield* Database
      const error = yield* Effect.flip(database.query("select\n  a from sqlite_schema"))
      assert.strictEqual(error.kind, "other")
      assert.strictEqual(error.message, "query on :memory: (select a from sqlite_schema): no such column: a")
    }).pipe(Effect.provide(Sqlite.layerMemory))
  )
})

describe("opening", () => {
  it.live("makes the folders of the file", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "a", "b", "c.db")
      yield* openItems(file)
      assert.isTrue(existsSync(file))
    }).pipe(Effect.scoped)
  )

  it.live("fails on a file that is not a database, and leaves it alone", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* Effect.sync(() => writeFileSync(file, "a letter to my aunt, ".repeat(100)))
      const error = yield* Effect.flip(open(file))
      assert.strictEqual(error.operation, "open")
      assert.strictEqual(error.kind, "corrupt")
      assert.strictEqual(error.message, `open ${file}: file is not a database`)
    }).pipe(Effect.scoped)
  )

  it.live("fails below something that is no folder", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* Effect.sync(() => writeFileSync(file, ""))
      const error = yield* Effect.flip(open(join(file, "below", "test.db")))
      assert.strictEqual(error.kind, "unavailable")
      assert.include(error.message, "ENOTDIR")
    }).pipe(Effect.scoped)
  )

  // permissions do not bind root
  // the system says there that nothing exists and lets nothing be made
  it.live.skipIf(process.platform !== "linux")("fails at once in a folder that cannot be made", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open("/proc/nope/deeper/x.db"))
      assert.deepStrictEqual([error.operation, error.kind], ["open", "unavailable"])
      assert.include(error.message, "/proc/nope")
    }).pipe(Effect.scoped)
  )

  describe.skipIf(process.getuid?.() === 0)("without permission", () => {
    it.live("fails in a folder that cannot be written", () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* Effect.sync(() => chmodSync(folder, 0o500))
        const error = yield* Effect.flip(open(join(folder, "test.db")))
        assert.strictEqual(error.kind, "unavailable")
        assert.include(error.message, folder)
      }).pipe(Effect.scoped)
    )

    it.live("fails on a file that cannot be written", () =>
      Effect.gen(function* () {
        const file = yield* temporaryFile
        yield* Effect.scoped(openItems(file))
        yield* Effect.sync(() => chmodSync(file, 0o400))
        const error = yield* Effect.flip(open(file))
        assert.strictEqual(error.kind, "readonly")
        assert.include(error.message, file)
      }).pipe(Effect.scoped)
    )
  })
})

describe("sharing a file", () => {
  it.live("two layers of one process write without getting into each other's way", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const first = yield* openItems(file)
      const second = yield* open(file)
      const write = (database: Database["Service"], who: string) =>
        Effect.forEach(Array.from({ length: 100 }), (_, index) => database.batch([insert(`${who} ${index}`)]))
      yield* Effect.all([write(first, "first"), write(second, "second")], { concurrency: 2 })
      assert.deepStrictEqual(yield* first.query("select count(*) as rows from items"), [{ rows: 200 }])
    }).pipe(Effect.scoped)
  )
})

describe("closing", () => {
  it.live("finishes the batches that were issued and leaves one complete file", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const scope = yield* Scope.make()
      const database = yield* openItems(file).pipe(Scope.provide(scope))
      const expected = Array.from({ length: 50 }, (_, index) => `row ${index}`)
      const fibers = yield* Effect.forEach(expected, (name) =>
        Effect.forkChild(database.batch([insert(name)]), { startImmediately: true })
      )
      yield* Scope.close(scope, Exit.void)
      yield* Effect.forEach(fibers, Fiber.join)
      assert.isFalse(existsSync(`${file}-wal`))
      const again = yield* open(file)
      assert.deepStrictEqual(yield* names().pipe(Effect.provideService(Database, again)), expected)
    }).pipe(Effect.scoped)
  )

  it.live("what is asked afterwards fails", () =>
    Effect.gen(function* () {
      const database = yield* Effect.scoped(openItems(yield* temporaryFile))
      const error = yield* Effect.flip(database.batch([insert("late")]))
      assert.strictEqual(error.kind, "unavailable")
      assert.include(error.message, "the database is closed")
      assert.strictEqual((yield* Effect.flip(database.query("select 1"))).kind, "unavailable")
    }).pipe(Effect.scoped)
  )

  it.live("interrupting the caller does not take a batch back", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const database = yield* openItems(file)
      const other = yield* lock(file)
      const issued = yield* Deferred.make<void>()
      const fiber = yield* Deferred.succeed(issued, undefined).pipe(
        Effect.andThen(database.batch([insert("issued")])),
        Effect.forkChild({ startImmediately: true })
      )
      yield* Deferred.await(issued)
      yield* Fiber.interrupt(fiber)
      yield* Effect.sync(() => other.exec("ROLLBACK"))
      yield* database.batch([insert("next")])
      assert.deepStrictEqual(yield* names().pipe(Effect.provideService(Database, database)), ["issued", "next"])
    }).pipe(Effect.scoped)
  )
})

describe("in memory", () => {
  it.live("each layer is a database of its own", () =>
    Effect.gen(function* () {
      const first = yield* openItems(":memory:")
      const second = yield* openItems(":memory:")
      yield* first.batch([insert("mine")])
      assert.deepStrictEqual(yield* first.query("select name from items"), [{ name: "mine" }])
      assert.deepStrictEqual(yield* second.query("select name from items"), [])
    }).pipe(Effect.scoped)
  )
})

describe.skipIf(process.platform === "win32")("the file of a database", () => {
  const modes = (folder: string) => readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)

  it.live("is its owner's alone, and what stands beside it too", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* openItems(join(folder, "test.db"))
      assert.deepStrictEqual(modes(folder), [0o600, 0o600, 0o600])
    }).pipe(Effect.scoped)
  )

  it.live("stays as open as it was made", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "test.db"), "")
      chmodSync(join(folder, "test.db"), 0o640)
      yield* openItems(join(folder, "test.db"))
      assert.deepStrictEqual(modes(folder), [0o640, 0o640, 0o640])
    }).pipe(Effect.scoped)
  )
})
