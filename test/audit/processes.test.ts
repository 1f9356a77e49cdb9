import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import { AuditStore } from "../../src/audit/AuditStore.ts"
import * as AuditStoreSql from "../../src/audit/AuditStoreSql.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { get } from "../../src/audit/CallRecords.ts"
import { verifyDatabase } from "../../src/audit/verify.ts"
import { Database } from "../../src/storage/Database.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase } from "../storage/databases.ts"

/** Runs the program that makes calls, kills it when it has reported so much, and gives what it reported. */
const runAndKill = Effect.fnUntraced(function* (address: string, name: string, reports: number) {
  const program = fileURLToPath(new URL("caller-program.ts", import.meta.url))
  const child = yield* ChildProcess.make(process.execPath, [program, address, name], { stderr: "inherit" })
  const lines: Array<string> = []
  yield* child.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((line) => {
      if (/^(opened|ended) /.test(line)) lines.push(line)
      return lines.length === reports
        ? Effect.forkScoped(child.kill({ killSignal: "SIGKILL" }), { startImmediately: true })
        : Effect.void
    })
  )
  yield* Effect.exit(child.exitCode)
  assert.isAtLeast(lines.length, reports)
  return lines
}, Effect.scoped)

const reported = (lines: ReadonlyArray<string>, what: string) =>
  lines.flatMap((line) => (line.startsWith(`${what} `) ? [line.slice(what.length + 1)] : []))

/** Starts a trail on the database, as the next process would, and hands over what is then in the database. */
const afterRecovery = Effect.fnUntraced(function* (address: string) {
  const database = databaseAt(address)
  const store = Layer.provideMerge(AuditStoreSql.layer, database)
  const context = yield* Layer.build(Layer.fresh(Layer.provideMerge(AuditTrail.layer(), store)))
  const outcomes = yield* Context.get(context, Database).query(
    `select opened.id, count(final.id) as finals, max(final.outcome) as outcome from audit_records opened
      left join audit_records final on final.id = opened.id and final.kind = 'Final'
      where opened.kind = 'Opened' group by opened.id`
  )
  const strays = yield* Context.get(context, Database).query(
    `select id from audit_records where kind = 'Final'
      and id not in (select id from audit_records where kind = 'Opened')`
  )
  assert.deepStrictEqual(strays, [])
  assert.isUndefined((yield* Effect.provideContext(verifyDatabase, context)).broken)
  const found = new Map(outcomes.map((row) => [String(row["id"]), row["outcome"]]))
  assert.deepStrictEqual(
    outcomes.filter((row) => row["finals"] !== 1),
    []
  )
  const stored = [...found.keys()][0] ?? ""
  const record = yield* Effect.provideService(get(stored), AuditStore, Context.get(context, AuditStore))
  assert.strictEqual(record?.status, "ended")
  return { outcomes: found, recovered: (yield* Context.get(context, AuditTrail).stats).recovered }
}, Effect.scoped)

const interrupted = (outcomes: ReadonlyMap<string, unknown>) =>
  [...outcomes].filter(([, outcome]) => outcome === "Interrupted").map(([id]) => id)

/** What was acknowledged is there; what was acknowledged as ended ended so, whatever happened since. */
const checkAcknowledged = (lines: ReadonlyArray<string>, outcomes: ReadonlyMap<string, unknown>) => {
  const lost = reported(lines, "opened").filter((id) => !outcomes.has(id))
  assert.deepStrictEqual(lost, [])
  const undone = reported(lines, "ended").filter((id) => outcomes.get(id) !== "Completed")
  assert.deepStrictEqual(undone, [])
}

describeDatabases("kill -9", (kind) => {
  it.live(
    "loses no record that was acknowledged, and every call has one ending after the next start",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        const lines: Array<string> = []
        let before: ReadonlyArray<string> = []
        for (const name of ["first", "second", "third", "fourth", "fifth"]) {
          lines.push(...(yield* runAndKill(address, name, 300)))
          const { outcomes, recovered } = yield* afterRecovery(address)
          checkAcknowledged(lines, outcomes)
          const orphans = interrupted(outcomes)
          // the calls that this process left open, once; those of the earlier ones stay as they are
          assert.isAtLeast(recovered, 1)
          assert.strictEqual(orphans.length, before.length + recovered)
          assert.deepStrictEqual(
            before.filter((id) => !orphans.includes(id)),
            []
          )
          before = orphans
        }
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    120_000
  )

  it.live(
    "of one of two processes on a file does not touch the calls of the other",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        // one goes on while the other dies and is followed by a third, which recovers its calls
        const [survivor, successive] = yield* Effect.all(
          [
            runAndKill(address, "survivor", 3000),
            Effect.map(
              Effect.forEach(["first", "second", "third"], (name) => runAndKill(address, name, 200)),
              (reports) => reports.flat()
            )
          ],
          { concurrency: "unbounded" }
        )
        const { outcomes } = yield* afterRecovery(address)
        checkAcknowledged([...survivor, ...successive], outcomes)
        const ended = new Set(reported(survivor, "ended"))
        assert.isAbove(ended.size, 1000)
        // none of its calls was taken for an orphan while it lived: only those that it had open at its end
        assert.isAtMost(interrupted(outcomes).filter((id) => id.startsWith("survivor")).length, 32)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    120_000
  )
})
