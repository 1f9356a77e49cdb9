// A process that brings a database up to date and prints the ids of the migrations it applied.
// node migrate-program.ts <address>
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import { type Migration, migrate } from "../../src/storage/Migrations.ts"
import { databaseAt } from "./address.ts"
import { report } from "./report.ts"

const [address = ""] = process.argv.slice(2)

const migrations: ReadonlyArray<Migration> = Array.from({ length: 10 }, (_, index) => ({
  id: index + 1,
  name: `table ${index + 1}`,
  statements: [`create table table_${index + 1} (id integer primary key)`, `insert into table_${index + 1} values (1)`]
}))

if (import.meta.main) {
  const program = migrate("items", migrations).pipe(
    Effect.tap((applied) => Effect.sync(() => applied.forEach((id) => report(`${id}`))))
  )
  NodeRuntime.runMain(program.pipe(Effect.provide(databaseAt(address))))
}
