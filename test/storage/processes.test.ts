import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import { Database } from "../../src/storage/Database.ts"
import { databaseAt } from "./address.ts"
import { describeDatabases, freshDatabase } from "./databases.ts"
import { batchRows, itemsTable } from "./writer-program.ts"

const program = (name: string, ...args: ReadonlyArray<string>) =>
  ChildProcess.make(process.execPath, [fileURLToPath(new URL(name, import.meta.url)), ...args], { stderr: "inherit" })

/** Runs a program to its end, or kills it when it has printed `killAfter` lines. Gives all it printed. */
const run = Effect.fnUntraced(function* (command: ChildProcess.Command, killAfter?: number) {
  const child = yield* command
  const lines: Array<string> = []
  yield* child.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((line) => {
      lines.push(line)
      return lines.length === killAfter
        ? Effect.forkScoped(child.kill({ killSignal: "SIGKILL" }), { startImmediately: true })
        : Effect.void
    })
  )
  if (killAfter === undefined) assert.strictEqual(Number(yield* child.exitCode), 0)
  return lines
}, Effect.scoped)

const open = (address: string) => Effect.map(Layer.build(databaseAt(address)), Context.get(Database))

/** A database with the table that the writers fill. */
const databaseOfItems = Effect.fnUntraced(function* (kind: Parameters<typeof freshDatabase>[0]) {
  const address = yield* freshDatabase(kind)
  const database = yield* open(address)
  yield* database.batch([{ sql: itemsTable, params: [] }])
  return address
})

const storedBatches = Effect.fnUntraced(function* (address: string) {
  const database = yield* open(address)
  const rows = yield* database.query("select batch, count(*) as rows from items group by batch")
  return new Map(rows.map((row) => [row["batch"], row["rows"]]))
}, Effect.scoped)

describeDatabases("several processes on one database", (kind) => {
  it.live("all write, none is told that the database is busy", () =>
    Effect.gen(function* () {
      const address = yield* databaseOfItems(kind)
      const printed = yield* Effect.forEach(
        ["a", "b", "c"],
        (name) => run(program("writer-program.ts", address, name, "100")),
        { concurrency: "unbounded" }
      )
      const stored = yield* storedBatches(address)
      assert.strictEqual(stored.size, 300)
      for (const batch of printed.flat()) assert.strictEqual(stored.get(batch), batchRows)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("migrate at once, and each migration runs once", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const printed = yield* Effect.forEach(
        Array.from({ length: 4 }),
        () => run(program("migrate-program.ts", address)),
        {
          concurrency: "unbounded"
        }
      )
      const applied = printed.flat().map(Number)
      assert.deepStrictEqual(
        applied.toSorted((a, b) => a - b),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

describeDatabases("kill -9", (kind) => {
  it.live("loses nothing that was acknowledged, and leaves no batch half done", () =>
    Effect.gen(function* () {
      const address = yield* databaseOfItems(kind)
      const acknowledged: Array<string> = []
      for (const name of ["first", "second", "third", "fourth", "fifth"]) {
        const endless = "1000000"
        const lines = yield* run(program("writer-program.ts", address, name, endless), 50)
        acknowledged.push(...lines)
        const stored = yield* storedBatches(address)
        assert.deepStrictEqual(
          acknowledged.filter((batch) => stored.get(batch) !== batchRows),
          []
        )
        assert.deepStrictEqual(
          [...stored].filter(([, rows]) => rows !== batchRows),
          []
        )
      }
      assert.isAtLeast(acknowledged.length, 250)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
