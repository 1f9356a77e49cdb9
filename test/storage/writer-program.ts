// A process that writes batches of three rows and reports each when it is acknowledged.
// node writer-program.ts <address> <name> <batches>
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import { Database } from "../../src/storage/Database.ts"
import { databaseAt } from "./address.ts"
import { report } from "./report.ts"

export const batchRows = 3

/** What it writes to. PostgreSQL has processes that create the same table at once fail, `if not exists` or not. */
export const itemsTable = "create table items (batch text not null, row integer)"

const [address = "", name = "", batches = "0"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const database = yield* Database
  const write = (index: number) => {
    const batch = `${name} ${index}`
    const rows = Array.from({ length: batchRows }, (_, row) => row)
    return database
      .batch(rows.map((row) => ({ sql: "insert into items values (?, ?)", params: [batch, row] })))
      .pipe(Effect.tap(() => Effect.sync(() => report(`${batch}`))))
  }
  const indexes = Array.from({ length: Number(batches) }, (_, index) => index)
  yield* Effect.forEach(indexes, write, { concurrency: 8, discard: true })
})

if (import.meta.main) NodeRuntime.runMain(program.pipe(Effect.provide(databaseAt(address))))
