// A process that changes the row of an item, and takes a moment before it ends the transaction. It tells how that went.
// node stopped-program.ts <address>
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import { Database } from "../../src/storage/Database.ts"
import { databaseAt } from "./address.ts"
import { report } from "./report.ts"

const [address = ""] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const database = yield* Database
  const changes = database.batch([
    { sql: "update items set value = value + 1", params: [] },
    { sql: "select pg_sleep(0.5)", params: [] }
  ])
  const failed = yield* Effect.match(changes, { onSuccess: () => undefined, onFailure: ({ kind }) => kind })
  if (failed !== undefined) yield* changes
  yield* Effect.sync(() => report(failed ?? "well"))
})

NodeRuntime.runMain(program.pipe(Effect.provide(databaseAt(address))))
