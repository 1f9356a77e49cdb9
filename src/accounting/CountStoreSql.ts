import { Array as Arr, Effect, Layer, Schema } from "effect"
import { Database, type Statement, StorageError } from "../storage/Database.ts"
import { migrate, type MigrationError } from "../storage/Migrations.ts"
import { CountStore, type Count, type CountKey } from "./CountStore.ts"
import { migrations } from "./migrations.ts"

/** A process that was not heard of for so long is dead. */
const leaseMillis = 15_000
/** What is told of a window that is over stays for a while, for calls that end late. */
const keptAfterEnd = 24 * 3_600_000
const keysPerQuery = 200
/** Stands for the end of what never ends. */
const never = Number.MAX_SAFE_INTEGER

// a database may give 64-bit columns as text
const Whole = Schema.Union([Schema.Int, Schema.FiniteFromString])
const OtherRows = Schema.Array(Schema.Struct({ id: Schema.String, start: Whole, taken: Whole }))
const OwnerRows = Schema.Array(Schema.Struct({ id: Schema.String, heartbeat_at: Whole }))

const unreadable = (error: Schema.SchemaError) =>
  new StorageError({ operation: "query", kind: "corrupt", message: `what is counted: ${error.message}` })

// Whoever changes counts has this row until the change is committed, so that what is compared with a limit cannot change.
const lock: Statement = { sql: "update accounting_lock set holder = holder where id = 1", params: [] }

// A row that the table refuses undoes everything that was written with it.
const undoUnlessAlive = (owner: string): Statement => ({
  sql: "insert into accounting_guard (ok) select 0 where not exists (select 1 from accounting_owners where id = ?)",
  params: [owner]
})

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

  const others = (owner: string, keys: ReadonlyArray<CountKey>) =>
    Effect.map(
      Effect.forEach(Arr.chunksOf(keys, keysPerQuery), (some) => othersOf(owner, some)),
      (found) => found.flat()
    )

  const write = (owner: string, counts: ReadonlyArray<Count>) => {
    const guards = counts.flatMap((count) => (count.max === undefined ? [] : [undoIfExceeded(owner, count, count.max)]))
    const statements = [lock, undoUnlessAlive(owner), ...guards, ...counts.map((count) => upsert(owner, count))]
    return database.batch(statements).pipe(
      Effect.as("written" as const),
      Effect.catchIf(
        ({ kind }) => kind === "constraint",
        ({ statement }) => Effect.succeed(statement === 1 ? ("disowned" as const) : ("exceeded" as const))
      )
    )
  }

  const beat = Effect.fnUntraced(function* (owner: string, now: number) {
    yield* database.batch([
      { sql: "update accounting_owners set heartbeat_at = ? where id = ?", params: [now, owner] },
      { sql: "delete from accounting_counters where end_at < ?", params: [now - keptAfterEnd] }
    ])
    const silent = yield* rows(OwnerRows, "select id, heartbeat_at from accounting_owners where heartbeat_at < ?", [
      now - leaseMillis
    ])
    for (const { heartbeat_at, id } of silent) yield* database.batch(bury(id, heartbeat_at))
  })

  return CountStore.of({
    isShared: true,
    enter: (owner, now) =>
      Effect.asVoid(
        database.batch([
          { sql: "insert into accounting_owners (id, heartbeat_at) values (?, ?)", params: [owner, now] }
        ])
      ),
    beat,
    leave: (owner) => Effect.asVoid(database.batch(bury(owner, undefined))),
    others,
    write
  })
})

/** Counts in the database, in tables of their own that are brought up to date first. */
export const layer: Layer.Layer<CountStore, StorageError | MigrationError, Database> = Layer.effect(CountStore, make)
