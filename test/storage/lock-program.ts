// A process that keeps all others from writing to a SQLite file until its standard input ends.
// node lock-program.ts <file>
import { DatabaseSync } from "node:sqlite"

const database = new DatabaseSync(process.argv[2] ?? "", { timeout: 30_000 })
database.exec("BEGIN IMMEDIATE")
process.stdout.write("locked\n")
process.stdin.resume().on("end", () => {
  database.exec("ROLLBACK")
  database.close()
})
