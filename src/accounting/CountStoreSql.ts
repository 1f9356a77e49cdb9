import { Array as Arr, Effect, Layer, Schema } from "effect"
import { Database, type Statement, StorageError } from "../storage/Database.ts"
import { migrate, type MigrationError } from "../storage/Migrations.ts"
import { currentProcess, isKnownDead, Silences } from "../storage/ProcessLease.ts"
import { CountStore, type Count, type CountKey, type Written } from "./CountStore.ts"
import { migrations } from "./migrations.ts"

/** What is told of a window that is over stays for a while, for machines whose clocks are slow. */
const keptAfterEnd = 3_600_000
const keysPerQuery = 200
/** Stands for the end of what never ends. */
const never = Number.MAX_SAFE_INTEGER

// a database may give 64-bit columns as text
const Whole = Schema.Union([Schema.Int, Schema.FiniteFromString])
const OtherRows = Schema.Array(Schema.Struct({ id: Schema.String, start: Whole, taken: Whole }))
const OwnerRows = Schema.Array(
  Schema.Struct({ id: Schema.String, host: Schema.String, pid: Schema.Int, heartbeat_at: Whole })
)

const unreadable = (error: Schema.SchemaError) =>
  new StorageError({ operation: "query", kind: "corrupt", message: `what is counted: ${error.message}` })

// Whoever changes counts has this row until the change is committed, so that what is compared with a limit cannot change.
const lock: Statement = { sql: "update accounting_lock set holder = holder where id = 1", params: [] }

// A row that the table refuses undoes everything that was written with it.
const undoUnlessAlive = (owner: string): Statement => ({
  sql: "insert into accounting_guard (ok) select 0 where not exists (select 1 from accounting_owners where id = ?)",
  params: [owner]
})

const undoIfClaimed = (owner: string): Statement => ({
  sql: "insert into accounting_guard (ok) select 0 where exists (select 1 from accounting_owners where id <> ? and claimed = 1)",
  params: [owner]
})

const claimIfAlone = (owner: string): Statement => ({
  sql: `update accounting_owners set claimed = 1
    where id = ? and not exists (select 1 from accounting_owners where id <> ?)`,
  params: [owner, owner]
})

const giveUp = (owner: string): Statement => ({
  sql: "update accounting_owners set claimed = 0 where id = ?",
  params: [owner]
})

/** What it means that one of the first statements of a write was refused. */
const refusals: ReadonlyArray<Written> = ["exceeded", "disowned", "claimed"]

const undoIfExceeded = (owner: string, { held, id, start, used }: Count, max: number): Statement => ({
  sql: `insert into accounting_guard (ok) select 0 where cast(? as bigint) < cast(? as bigint) +
    coalesce((select sum(used + held) from accounting_counters where id = ? and start_at = ? and owner <> ?), 0)`,
  params: [max, used + held, id, start, owner]
})

const upsert = (owner: string, { end, held, id, start, used }: Count): Statement => ({
  sql: `insert into accounting_counters (id, start_at, owner, end_at, used, held) values (?, ?, ?, ?, ?, ?)
    on conflict (id, start_at, owner) do update set used = excluded.used, held = excluded.held`,
  params: [id, start, owner, Number.isFinite(end) ? end : never, used, held]
})

/** Who was heard of since is not gone, and whose counts were taken over already has none left: then nothing happens. */
const bury = (owner: string, heartbeatAt: number | undefined): ReadonlyArray<Statement> => [
  lock,
  heartbeatAt === undefined
    ? { sql: "delete from accounting_owners where id = ?", params: [owner] }
    : { sql: "delete from accounting_owners where id = ? and heartbeat_at = ?", params: [owner, heartbeatAt] },
  {
    sql: `insert into accounting_counters (id, start_at, owner, end_at, used, held)
      select id, start_at, '', end_at, used, 0 from accounting_counters
      where owner = ? and not exists (select 1 from accounting_owners where id = ?)
      on conflict (id, start_at, owner) do update set used = accounting_counters.used + excluded.used`,
    params: [owner, owner]
  },
  {
    sql: `delete from accounting_counters
      where owner = ? and not exists (select 1 from accounting_owners where id = ?)`,
    params: [owner, owner]
  }
]

const make = Effect.gen(function* () {
  const database = yield* Database
  yield* migrate("accounting", migrations)
  const self = yield* currentProcess
  const silences = new Silences()
  const rows = <A>(schema: Schema.Decoder<A>, sql: string, params: Statement["params"]) =>
    Effect.flatMap(database.query(sql, params), (found) =>
      Effect.mapError(Schema.decodeUnknownEffect(schema)(found), unreadable)
    )

  const othersOf = Effect.fnUntraced(function* (owner: string, keys: ReadonlyArray<CountKey>) {
    const wanted = keys.map(() => "(cast(? as text), cast(? as bigint))").join(", ")
    const found = yield* rows(
      OtherRows,
      `select id, start_at as start, sum(used + held) as taken from accounting_counters
        where owner <> ? and (id, start_at) in (values ${wanted}) group by id, start_at`,
      [owner, ...keys.flatMap(({ id, start }) => [id, start])]
    )
    const taken = new Map(found.map((row) => [`${row.id}@${row.start}`, row.taken]))
    return keys.map(({ id, start }) => taken.get(`${id}@${start}`) ?? 0)
  })

  const ownersBeside = (owner: string) =>
    Effect.map(
      rows(OwnerRows, "select id, host, pid, heartbeat_at from accounting_owners where id <> ?", [owner]),
      Arr.map(({ heartbeat_at: heartbeatAt, ...lease }) => ({ ...lease, heartbeatAt }))
    )

  /** Lets lapse what the dead hold: those of this machine at once, others when nothing was heard of them for a while. */
  const buryDead = Effect.fnUntraced(function* (owner: string, heartbeat: number | undefined) {
    const known = yield* ownersBeside(owner)
    const silent = heartbeat === undefined ? [] : silences.among(known, heartbeat)
    for (const lease of known) {
      const isDead = silent.includes(lease) || (yield* isKnownDead(lease, self))
      if (isDead) yield* database.batch(bury(lease.id, lease.heartbeatAt))
    }
  })

  const others = Effect.fnUntraced(function* (owner: string, keys: ReadonlyArray<CountKey>) {
    // A silence is only held against somebody at a heartbeat of our own.
    yield* buryDead(owner, undefined)
    const found = yield* Effect.forEach(Arr.chunksOf(keys, keysPerQuery), (some) => othersOf(owner, some))
    return found.flat()
  })

  const write = (owner: string, counts: ReadonlyArray<Count>, claim: boolean): Effect.Effect<Written, StorageError> => {
    const guards = counts.flatMap((count) => (count.max === undefined ? [] : [undoIfExceeded(owner, count, count.max)]))
    const statements = [
      lock,
      undoUnlessAlive(owner),
      undoIfClaimed(owner),
      ...guards,
      ...counts.map((count) => upsert(owner, count)),
      claim ? claimIfAlone(owner) : giveUp(owner)
    ]
    return database.batch(statements).pipe(
      Effect.map((changed): Written => (claim && changed.at(-1) === 1 ? "alone" : "shared")),
      Effect.catchIf(
        ({ kind }) => kind === "constraint",
        ({ statement = 0 }) => Effect.succeed(refusals[statement] ?? "exceeded")
      )
    )
  }

  const beat = Effect.fnUntraced(function* (owner: string, now: number) {
    yield* database.batch([
      { sql: "update accounting_owners set heartbeat_at = ? where id = ?", params: [now, owner] },
      { sql: "delete from accounting_counters where end_at < ?", params: [now - keptAfterEnd] }
    ])
    yield* buryDead(owner, now)
  })

  const enter = (owner: string, now: number): ReadonlyArray<Statement> => [
    lock,
    {
      sql: "insert into accounting_owners (id, host, pid, heartbeat_at, claimed) values (?, ?, ?, ?, 0)",
      params: [owner, self.host, self.pid, now]
    }
  ]

  return CountStore.of({
    isShared: true,
    enter: (owner, now) => Effect.asVoid(database.batch(enter(owner, now))),
    beat,
    leave: (owner) => Effect.asVoid(database.batch(bury(owner, undefined))),
    others,
    write,
    breakClaims: (owner) =>
      Effect.asVoid(
        database.batch([lock, { sql: "update accounting_owners set claimed = 0 where id <> ?", params: [owner] }])
      )
  })
})

/** Counts in the database, in tables of their own that are brought up to date first. */
export const layer: Layer.Layer<CountStore, StorageError | MigrationError, Database> = Layer.effect(CountStore, make)
