import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Schedule } from "effect"
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import type { Worker } from "node:worker_threads"
import { Database } from "../../src/storage/Database.ts"
import * as Sqlite from "../../src/storage/Sqlite.ts"
import { temporaryFile } from "./temporary.ts"

/** The threads that are started from now on, as Node tells of them. */
const startedThreads = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const threads: Array<Worker> = []
      const add = (thread: Worker) => {
        threads.push(thread)
      }
      process.on("worker", add)
      return { threads, add }
    }),
    ({ add }) => Effect.sync(() => process.off("worker", add))
  ),
  ({ threads }) => threads
)

const terminate = (thread: Worker | undefined) => Effect.promise(() => thread?.terminate() ?? Promise.resolve(0))

const open = (filename: string) =>
  Effect.map(Layer.build(Layer.fresh(Sqlite.layer({ filename }))), Context.get(Database))

const insert = (name: string) => ({ sql: "insert into items values (?)", params: [name] })

describe("when the writer's thread ends", () => {
  it.live("what was under way fails and is undone, and the next batch is done by a new thread", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const threads = yield* startedThreads
      const database = yield* open(file)
      yield* database.batch([{ sql: "create table items (name text)", params: [] }, insert("before")])
      assert.lengthOf(threads, 2)

      // held up by another connection, the batches are certainly unfinished when the thread ends
      const other = new DatabaseSync(file)
      other.exec("BEGIN IMMEDIATE")
      const inFlight = yield* Effect.forEach(["one", "two"], (name) =>
        Effect.forkChild(Effect.flip(database.batch([insert(name), insert(name)])), { startImmediately: true })
      )
      const ended = yield* Effect.forkChild(terminate(threads[0]), { startImmediately: true })
      other.exec("ROLLBACK")
      other.close()
      for (const fiber of inFlight) {
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error.kind, "unavailable")
        assert.isTrue(error.retryable)
        assert.include(error.message, file)
      }
      yield* database.batch([insert("after")])
      yield* Fiber.join(ended)
      const rows = yield* database.query("select name from items")
      assert.deepStrictEqual(rows, [{ name: "before" }, { name: "after" }])
      assert.lengthOf(threads, 3)
    }).pipe(Effect.scoped)
  )

  it.live("it is replaced as often as it ends", () =>
    Effect.gen(function* () {
      const threads = yield* startedThreads
      const database = yield* open(yield* temporaryFile)
      yield* database.batch([{ sql: "create table items (name text)", params: [] }])
      for (const [index, name] of ["one", "two", "three", "four"].entries()) {
        // the reader's thread was the second to start
        yield* terminate(index === 0 ? threads[0] : threads.at(-1))
        yield* database.batch([insert(name)])
      }
      assert.deepStrictEqual(yield* database.query("select count(*) as rows from items"), [{ rows: 4 }])
      assert.lengthOf(threads, 6)
    }).pipe(Effect.scoped)
  )

  it.live("a database in memory is lost and says so from then on", () =>
    Effect.gen(function* () {
      const threads = yield* startedThreads
      const database = yield* open(":memory:")
      yield* database.batch([{ sql: "create table items (name text)", params: [] }])
      yield* terminate(threads[0])
      for (const operation of [database.batch([insert("x")]), Effect.as(database.query("select * from items"), [])]) {
        const error = yield* Effect.flip(operation)
        assert.strictEqual(error.kind, "unavailable")
        assert.include(error.message, "kept in memory and is lost")
      }
      assert.lengthOf(threads, 1)
    }).pipe(Effect.scoped)
  )
})

describe("when the file is removed or replaced", () => {
  it.live("nothing is said to be written where nobody will find it, until there is a database again", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const database = yield* open(file)
      yield* database.batch([{ sql: "create table items (name text)", params: [] }, insert("kept")])
      const copy = new DatabaseSync(file)
      copy.exec(`VACUUM INTO '${file}.copy'`)
      copy.close()
      for (const part of [file, `${file}-wal`, `${file}-shm`]) rmSync(part)

      const errors = yield* Effect.forEach(["lost", "lost again"], (name) =>
        Effect.flip(database.batch([insert(name)]))
      )
      for (const error of errors) {
        assert.strictEqual(error.kind, "unavailable")
        assert.include(error.message, "was removed")
      }
      assert.isFalse(existsSync(file))

      renameSync(`${file}.copy`, file)
      yield* Effect.retry(database.batch([insert("back")]), Schedule.spaced("10 millis"))
      const names = Effect.retry(database.query("select name from items"), Schedule.spaced("10 millis"))
      assert.deepStrictEqual(yield* names, [{ name: "kept" }, { name: "back" }])
    }).pipe(Effect.scoped)
  )
})

describe("when the reader's thread ends", () => {
  it.live("the next query is answered by a new thread", () =>
    Effect.gen(function* () {
      const threads = yield* startedThreads
      const database = yield* open(yield* temporaryFile)
      yield* database.batch([{ sql: "create table items (name text)", params: [] }, insert("kept")])
      yield* terminate(threads[1])
      assert.deepStrictEqual(yield* database.query("select name from items"), [{ name: "kept" }])
    }).pipe(Effect.scoped)
  )
})

describe("when no new thread can open the file", () => {
  it.live("operations fail with the reason, and work again once it can", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const parts = [file, `${file}-wal`, `${file}-shm`]
      const threads = yield* startedThreads
      const database = yield* open(file)
      yield* database.batch([{ sql: "create table items (name text)", params: [] }])

      for (const part of parts) renameSync(part, `${part}.away`)
      writeFileSync(file, "no database ".repeat(100))
      yield* terminate(threads[0])
      const error = yield* Effect.flip(database.batch([insert("while away")]))
      assert.strictEqual(error.kind, "corrupt")

      rmSync(file)
      for (const part of parts) renameSync(`${part}.away`, part)
      yield* Effect.retry(database.batch([insert("back")]), Schedule.spaced("10 millis"))
      assert.deepStrictEqual(yield* database.query("select name from items"), [{ name: "back" }])
    }).pipe(Effect.scoped)
  )
})
