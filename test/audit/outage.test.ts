import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Schedule, Scope } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as AuditStoreSql from "../../src/audit/AuditStoreSql.ts"
import { type AuditSettings, AuditTrail } from "../../src/audit/AuditTrail.ts"
import { verifyDatabase } from "../../src/audit/verify.ts"
import { Database, type StorageError } from "../../src/storage/Database.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase, type Kind } from "../storage/databases.ts"
import { noOwnServer, ownPostgres } from "../storage/own-postgres.ts"
import { temporaryFile } from "../storage/temporary.ts"
import { finalRecord, openRecord } from "./records.ts"

/** A database, and how it is put out of order and in order again. */
interface Frail {
  readonly address: string
  readonly breakDown: Effect.Effect<unknown, StorageError, Database | Scope.Scope>
  readonly recover: Effect.Effect<unknown, StorageError, Database>
}

const pragma = (text: string) =>
  Effect.flatMap(Database, (database) => database.batch([{ sql: `PRAGMA ${text}`, params: [] }]))

/** A disk that is full: the file may not grow. */
const full: Effect.Effect<Frail, never, Scope.Scope> = Effect.map(temporaryFile, (address) => ({
  address,
  // below what it has already, which SQLite takes for what it has
  breakDown: pragma("max_page_count = 1"),
  recover: pragma("max_page_count = 1000000")
}))

/** A neighbour that holds the lock for longer than anybody waits for it. */
const locked: Effect.Effect<Frail, never, Scope.Scope> = Effect.map(temporaryFile, (address) => {
  const program = fileURLToPath(new URL("../storage/lock-program.ts", import.meta.url))
  let release = () => {}
  return {
    address,
    breakDown: Effect.callback<void>((resume) => {
      const child = spawn(process.execPath, [program, address], { stdio: ["pipe", "pipe", "inherit"] })
      child.stdout.once("data", () => resume(Effect.void))
      release = () => child.stdin.end()
      return Effect.sync(() => child.kill("SIGKILL"))
    }),
    recover: Effect.sync(() => release())
  }
})

const frozen: Effect.Effect<Frail, never, Scope.Scope> = Effect.map(ownPostgres, ({ freeze, thaw, url }) => ({
  address: url,
  breakDown: freeze,
  recover: thaw
}))

const killed: Effect.Effect<Frail, never, Scope.Scope> = Effect.map(ownPostgres, ({ kill, start, url }) => ({
  address: url,
  breakDown: kill,
  recover: start
}))

const rename = (from: string, to: string) =>
  Effect.flatMap(Database, (database) => database.batch([{ sql: `alter table ${from} rename to ${to}`, params: [] }]))

/** A table that is gone while a backup is put back. */
const tableless = (kind: Kind): Effect.Effect<Frail, never, Scope.Scope> =>
  Effect.map(freshDatabase(kind), (address) => ({
    address,
    breakDown: rename("audit_records", "audit_records_elsewhere"),
    recover: rename("audit_records_elsewhere", "audit_records")
  }))

const settings = { openTimeout: "1 second", capacity: 50, maxBatch: 16 } as const

const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

// Too long for what a page of a file that cannot grow has left.
const request = { messages: [{ role: "user", content: "A long story. ".repeat(1000) }] }

const openAll = (trail: AuditTrail["Service"], names: ReadonlyArray<string>) =>
  Effect.forEach(names, (id) => Effect.exit(trail.open(openRecord(id, { request }))), { concurrency: "unbounded" })

const until = (
  trail: AuditTrail["Service"],
  holds: (stats: Effect.Success<AuditTrail["Service"]["stats"]>) => boolean
) => Effect.repeat(trail.stats, { until: holds, schedule: Schedule.spaced("10 millis") })

/** The outcomes in the database by the ids of the calls; of one that is open it is null. */
const outcomes = Effect.gen(function* () {
  const database = yield* Database
  const rows = yield* database.query(
    `select opened.id, count(final.id) as finals, max(final.outcome) as outcome from audit_records opened
      left join audit_records final on final.id = opened.id and final.kind = 'Final'
      where opened.kind = 'Opened' group by opened.id`
  )
  for (const row of rows) assert.isAtMost(Number(row["finals"]), 1)
  return new Map(rows.map((row) => [String(row["id"]), row["outcome"]]))
})

const withTrail = <A, E>(
  frail: Frail,
  more: AuditSettings,
  body: (trail: AuditTrail["Service"]) => Effect.Effect<A, E, Database | Scope.Scope>
) =>
  Effect.gen(function* () {
    const store = Layer.provideMerge(AuditStoreSql.layer, databaseAt(frail.address))
    const layer = Layer.provideMerge(AuditTrail.layer({ ...settings, ...more }), store)
    const context = yield* Layer.build(Layer.fresh(layer))
    return yield* Effect.provideContext(Effect.flatMap(AuditTrail, body), context)
  })

const calls = 30

/** Calls that are open when the database breaks down, and end while it is away. */
const underWay = (trail: AuditTrail["Service"], { breakDown }: Frail) =>
  Effect.gen(function* () {
    const names = ids("under way", calls)
    assert.isTrue((yield* openAll(trail, names)).every(Exit.isSuccess))
    yield* breakDown
    for (const id of names) yield* trail.finalize(finalRecord(id))
    return names
  })

const recovered = (trail: AuditTrail["Service"], { recover }: Frail) =>
  Effect.gen(function* () {
    yield* recover
    yield* until(trail, ({ queued, running }) => queued + running === 0)
    // nothing has to be started again
    yield* trail.open(openRecord("later"))
    yield* trail.finalize(finalRecord("later"))
    yield* until(trail, ({ running }) => running === 0)
    assert.isUndefined((yield* verifyDatabase).broken)
    const found = yield* outcomes
    assert.strictEqual(found.get("later"), "Completed")
    assert.notInclude([...found.values()], null)
    return found
  })

const closed = (make: Effect.Effect<Frail, never, Scope.Scope>) =>
  Effect.gen(function* () {
    const frail = yield* make
    yield* withTrail(frail, {}, (trail) =>
      Effect.gen(function* () {
        const ended = yield* underWay(trail, frail)
        // those that find out, and those that come when it is known
        const [first, second] = [ids("first", 200), ids("second", 2000)]
        const refusals = [...(yield* openAll(trail, first))]
        const later = yield* Effect.forkChild(openAll(trail, second), { startImmediately: true })
        yield* Effect.yieldNow
        assert.isAtMost((yield* trail.stats).queued, settings.capacity + settings.maxBatch)
        refusals.push(...(yield* Fiber.join(later)))
        for (const exit of refusals) assert.isTrue(Exit.isFailure(exit))
        const { lost, queued, refused } = yield* trail.stats
        assert.deepStrictEqual([lost, refused], [0, first.length + second.length])
        assert.isAtMost(queued, calls + settings.maxBatch)

        const found = yield* recovered(trail, frail)
        for (const id of ended) assert.strictEqual(found.get(id), "Completed")
        // What was on its way when it was given up is there, as what became of it.
        for (const id of [...first, ...second]) if (found.has(id)) assert.strictEqual(found.get(id), "Failed")
        assert.isAtMost(found.size, calls + 1 + settings.maxBatch)
        assert.strictEqual((yield* trail.stats).lost, 0)
      })
    )
  }).pipe(Effect.scoped)

const open = (make: Effect.Effect<Frail, never, Scope.Scope>) =>
  Effect.gen(function* () {
    const frail = yield* make
    yield* withTrail(frail, { onFailure: "open" }, (trail) =>
      Effect.gen(function* () {
        const ended = yield* underWay(trail, frail)
        const served = ids("served", 500)
        const [one, ...others] = served
        assert.isTrue((yield* openAll(trail, [one!])).every(Exit.isSuccess))
        assert.isTrue((yield* openAll(trail, others)).every(Exit.isSuccess))
        for (const id of served) yield* trail.finalize(finalRecord(id))
        const { lost, queued, servedUnrecorded } = yield* trail.stats
        assert.deepStrictEqual([lost, servedUnrecorded], [0, served.length])
        // an opening for which there was room brings an ending with it
        assert.isAtMost(queued, 2 * settings.capacity + calls)

        const found = yield* recovered(trail, frail)
        for (const id of ended) assert.strictEqual(found.get(id), "Completed")
        const kept = served.filter((id) => found.has(id))
        assert.isAtLeast(kept.length, 1)
        assert.isBelow(kept.length, served.length)
        for (const id of kept) assert.strictEqual(found.get(id), "Completed")
        assert.strictEqual((yield* trail.stats).servedUnrecorded, served.length)
      })
    )
  }).pipe(Effect.scoped)

const timeout = 60_000

const testOutage = (make: Effect.Effect<Frail, never, Scope.Scope>) => {
  it.live(
    "has new calls refused, loses nothing that was acknowledged, and is all that has to be mended",
    () => closed(make),
    timeout
  )
  it.live("where the policy is to serve keeps what there is room for, and counts", () => open(make), timeout)
}

describeDatabases("a table that is put back", (kind) => testOutage(tableless(kind)))
describe("a disk that is full (sqlite)", () => testOutage(full))
describe("a file that another process has locked (sqlite)", () => testOutage(locked))

/** How a program ends whose database has no answer for it. */
const ending = (make: Effect.Effect<Frail, never, Scope.Scope>) =>
  Effect.gen(function* () {
    const frail = yield* make
    const scope = yield* Scope.make()
    const store = Layer.provideMerge(AuditStoreSql.layer, databaseAt(frail.address))
    const context = yield* Layer.buildWithScope(
      Layer.fresh(Layer.provideMerge(AuditTrail.layer(settings), store)),
      scope
    )
    const trail = Context.get(context, AuditTrail)
    yield* Effect.provideContext(underWay(trail, frail), context)
    // its heartbeat waits for an answer too
    yield* Effect.sleep("6 seconds")
    yield* Scope.close(scope, Exit.void)
    yield* Effect.provideContext(frail.recover, context)
  }).pipe(Effect.scoped)

const suffix = noOwnServer === undefined ? "" : `: ${noOwnServer}`
describe.skipIf(noOwnServer !== undefined)(`a server that stands still (postgres${suffix})`, () => {
  testOutage(frozen)
  it.live("does not keep a program from ending", () => ending(frozen), timeout)
})
describe.skipIf(noOwnServer !== undefined)(`a server that is killed and started again (postgres${suffix})`, () =>
  testOutage(killed)
)
