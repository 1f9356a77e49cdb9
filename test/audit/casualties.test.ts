import { assert, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Schedule } from "effect"
import type { Worker } from "node:worker_threads"
import * as AuditStoreSql from "../../src/audit/AuditStoreSql.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { verifyDatabase } from "../../src/audit/verify.ts"
import { Database } from "../../src/storage/Database.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase } from "../storage/databases.ts"
import { temporaryFile } from "../storage/temporary.ts"
import { finalRecord, openRecord } from "./records.ts"

const openTrail = (address: string) =>
  Layer.build(
    Layer.fresh(
      Layer.provideMerge(
        AuditTrail.layer({ durability: "strict", openTimeout: "1 minute" }),
        Layer.provideMerge(AuditStoreSql.layer, databaseAt(address))
      )
    )
  )

const endings = Effect.gen(function* () {
  const database = yield* Database
  const rows = yield* database.query("select id, outcome from audit_records where kind = 'Final'")
  const found = new Map(rows.map((row) => [String(row["id"]), row["outcome"]]))
  assert.strictEqual(found.size, rows.length)
  return found
})

const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

describeDatabases("a record that the database refuses", (kind) => {
  it.live("is the only one of its batch that is not written", () =>
    Effect.gen(function* () {
      const context = yield* openTrail(yield* freshDatabase(kind))
      const trail = Context.get(context, AuditTrail)
      const names = ids("call", 60)
      // Somebody has put a rule of their own on the table: it takes one record of this model only.
      const rule = "create unique index cursed on audit_records (model) where model = 'cursed' and kind = 'Opened'"
      yield* Context.get(context, Database).batch([{ sql: rule, params: [] }])
      yield* trail.open(openRecord("the one", { model: "cursed" }))
      const isBad = (index: number) => index % 20 === 7
      const exits = yield* Effect.forEach(
        names,
        (id, index) => Effect.exit(trail.open(openRecord(id, isBad(index) ? { model: "cursed" } : {}))),
        { concurrency: "unbounded" }
      )
      for (const [index, exit] of exits.entries()) assert.strictEqual(Exit.isSuccess(exit), !isBad(index))
      yield* Effect.forEach([...names, "the one"], (id) => trail.finalize(finalRecord(id)), {
        concurrency: "unbounded"
      })
      const found = yield* Effect.provideContext(endings, context)
      assert.strictEqual(found.size, names.length + 1 - 3)
      const { lost, queued, refused, running } = yield* trail.stats
      assert.deepStrictEqual([lost, queued, refused, running], [0, 0, 3, 0])
      assert.isUndefined((yield* Effect.provideContext(verifyDatabase, context)).broken)
    }).pipe(Effect.scoped)
  )
})

/** The threads that are started from now on, as Node tells of them. */
const startedThreads = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const threads: Array<Worker> = []
      const add = (thread: Worker) => void threads.push(thread)
      process.on("worker", add)
      return { threads, add }
    }),
    ({ add }) => Effect.sync(() => process.off("worker", add))
  ),
  ({ threads }) => threads
)

it.live("a thread that writes records and dies, again and again, takes none with it and needs no restart", () =>
  Effect.gen(function* () {
    const threads = yield* startedThreads
    const context = yield* openTrail(yield* temporaryFile)
    const trail = Context.get(context, AuditTrail)
    const acknowledged: Array<string> = []
    let count = 0
    const call = Effect.suspend(() => {
      const id = `call-${count++}`
      return trail
        .open(openRecord(id))
        .pipe(
          Effect.andThen(trail.seal?.(finalRecord(id)) ?? Effect.void),
          Effect.andThen(Effect.sync(() => acknowledged.push(id))),
          Effect.andThen(trail.finalize(finalRecord(id)))
        )
    })
    const calling = yield* Effect.forkChild(
      Effect.forEach(ids("caller", 32), () => Effect.repeat(call, { times: 40 }), {
        concurrency: "unbounded",
        discard: true
      })
    )
    for (const round of [1, 2, 3]) {
      yield* Effect.repeat(
        Effect.sync(() => acknowledged.length),
        { until: (length) => length > round * 200, schedule: Schedule.spaced("1 millis") }
      )
      // The writer's was the first to start, and is the last one since then; that of the reader lives.
      yield* Effect.promise(() => (round === 1 ? threads[0] : threads.at(-1))?.terminate() ?? Promise.resolve(0))
    }
    yield* Fiber.join(calling)
    const found = yield* Effect.provideContext(endings, context)
    assert.lengthOf(threads, 5)
    assert.strictEqual(acknowledged.length, 32 * 41)
    for (const id of acknowledged) assert.strictEqual(found.get(id), "Completed")
    assert.strictEqual((yield* trail.stats).lost, 0)
    assert.isUndefined((yield* Effect.provideContext(verifyDatabase, context)).broken)
  }).pipe(Effect.scoped)
)
