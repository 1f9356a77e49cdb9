import { Clock, Effect, Latch, Layer, Schema } from "effect"
import { randomBytes } from "node:crypto"
import { Database, type SqlValue, type Statement, StorageError } from "../storage/Database.ts"
import { migrate, type MigrationError } from "../storage/Migrations.ts"
import { Outage } from "../storage/Outage.ts"
import { Ledger } from "./Ledger.ts"
import { migrations } from "./migrations.ts"
import { reportOf, Tally, type UsageRow } from "./Tally.ts"
import type { UsageQuery } from "./Usage.ts"

/** How long what a call used may wait to be written: what ends meanwhile is written with it. */
const delay = "200 millis"

/** A database that does not answer must not keep a program from ending. */
const lastWriteTimeout = "5 seconds"

/** After so long nobody asks any more whether a process has written something. */
const writersKept = 7 * 86_400_000

const addRow = `insert into accounting_sums
  (day, caller_key, tenant, model, provider, target, labels, calls, incomplete, input_tokens, cached_tokens,
    cache_write_tokens, output_tokens, reasoning_tokens, estimated, unpriced, micro_usd)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (day, caller_key, tenant, model, provider, target, labels) do update set
    calls = accounting_sums.calls + excluded.calls,
    incomplete = accounting_sums.incomplete + excluded.incomplete,
    input_tokens = accounting_sums.input_tokens + excluded.input_tokens,
    cached_tokens = accounting_sums.cached_tokens + excluded.cached_tokens,
    cache_write_tokens = accounting_sums.cache_write_tokens + excluded.cache_write_tokens,
    output_tokens = accounting_sums.output_tokens + excluded.output_tokens,
    reasoning_tokens = accounting_sums.reasoning_tokens + excluded.reasoning_tokens,
    estimated = accounting_sums.estimated + excluded.estimated,
    unpriced = accounting_sums.unpriced + excluded.unpriced,
    micro_usd = accounting_sums.micro_usd + excluded.micro_usd`

const additionOf = ({ day, key, labels, model, provider, sums, target, tenant }: UsageRow): Statement => {
  const counted = [
    sums.calls,
    sums.incomplete,
    sums.inputTokens,
    sums.cachedTokens,
    sums.cacheWriteTokens,
    sums.outputTokens,
    sums.reasoningTokens,
    sums.estimated,
    sums.unpriced,
    sums.microUsd
  ]
  return { sql: addRow, params: [day, key, tenant, model, provider, target, labels, ...counted] }
}

/** What a process adds to the sums in one step, the number of which says whether that was done already. */
interface Addition {
  readonly sequence: number
  readonly rows: ReadonlyArray<UsageRow>
}

/** Which statement of an addition fails where it was made before. */
const repeated = 1

// The writer's own row is held from the first statement on, so that an addition that is under way twice is made once.
const statementsOf = (writer: string, now: number, { rows, sequence }: Addition): ReadonlyArray<Statement> => [
  {
    sql: `insert into accounting_writers (id, sequence, written_at) values (?, 0, ?)
      on conflict (id) do update set written_at = excluded.written_at`,
    params: [writer, now]
  },
  {
    sql: "insert into accounting_guard (ok) select 0 where exists (select 1 from accounting_writers where id = ? and sequence >= ?)",
    params: [writer, sequence]
  },
  { sql: "update accounting_writers set sequence = ? where id = ?", params: [sequence, writer] },
  ...rows.map(additionOf)
]

// a database may give 64-bit columns and sums as text
const Whole = Schema.Union([Schema.Natural, Schema.FiniteFromString])
const Rows = Schema.Array(
  Schema.Struct({
    day: Schema.String,
    caller_key: Schema.String,
    tenant: Schema.String,
    model: Schema.String,
    provider: Schema.String,
    target: Schema.String,
    labels: Schema.String,
    calls: Whole,
    incomplete: Whole,
    input_tokens: Whole,
    cached_tokens: Whole,
    cache_write_tokens: Whole,
    output_tokens: Whole,
    reasoning_tokens: Whole,
    estimated: Whole,
    unpriced: Whole,
    micro_usd: Whole
  })
)

const rowOf = (row: (typeof Rows.Type)[number]): UsageRow => ({
  day: row.day,
  key: row.caller_key,
  tenant: row.tenant,
  model: row.model,
  provider: row.provider,
  target: row.target,
  labels: row.labels,
  sums: {
    calls: row.calls,
    incomplete: row.incomplete,
    inputTokens: row.input_tokens,
    cachedTokens: row.cached_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    outputTokens: row.output_tokens,
    reasoningTokens: row.reasoning_tokens,
    estimated: row.estimated,
    unpriced: row.unpriced,
    microUsd: row.micro_usd
  }
})

const unreadable = (error: Schema.SchemaError) =>
  new StorageError({ operation: "query", kind: "corrupt", message: `what was used: ${error.message}` })

const dimensions = {
  day: "day",
  key: "caller_key",
  tenant: "tenant",
  model: "model",
  provider: "provider",
  target: "target",
  labels: "labels"
} as const

const summed = [
  "calls",
  "incomplete",
  "input_tokens",
  "cached_tokens",
  "cache_write_tokens",
  "output_tokens",
  "reasoning_tokens",
  "estimated",
  "unpriced",
  "micro_usd"
]

/** Sums up in the database as far as a report allows: what it is not divided by is left out. */
const selectRows = (query: UsageQuery): Statement => {
  const needed = new Set<string>(query.by.map((dimension) => (dimension === "label" ? "labels" : dimension)))
  if (needed.has("target")) needed.add("provider")
  if (query.from !== undefined || query.to !== undefined) needed.add("day")
  for (const filter of ["key", "tenant", "model"] as const) if (query[filter] !== undefined) needed.add(filter)
  const grouped = Object.entries(dimensions).flatMap(([name, column]) => (needed.has(name) ? [column] : []))
  const columns = Object.entries(dimensions).map(([name, column]) => (needed.has(name) ? column : `'' as ${column}`))
  const conditions: Array<string> = []
  const params: Array<SqlValue> = []
  const where = (condition: string, value: string | undefined) => {
    if (value === undefined) return
    conditions.push(condition)
    params.push(value)
  }
  where("day >= ?", query.from)
  where("day <= ?", query.to)
  where("caller_key = ?", query.key)
  where("tenant = ?", query.tenant)
  where("model = ?", query.model)
  const sql =
    `select ${[...columns, ...summed.map((column) => `coalesce(sum(${column}), 0) as ${column}`)].join(", ")} from accounting_sums` +
    (conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`) +
    (grouped.length === 0 ? "" : ` group by ${grouped.join(", ")}`)
  return { sql, params }
}

const make = Effect.gen(function* () {
  const database = yield* Database
  yield* migrate("accounting", migrations)
  const clock = yield* Clock.Clock
  const writer = yield* Effect.sync(() => randomBytes(12).toString("hex"))
  const forgotten = clock.currentTimeMillisUnsafe() - writersKept
  yield* database.batch([{ sql: "delete from accounting_writers where written_at < ?", params: [forgotten] }])
  const tally = new Tally()
  const changed = Latch.makeUnsafe(false)
  const outage = new Outage({
    begun: "The sums of usage cannot be written; it is tried again",
    over: "The sums of usage can be written again"
  })
  let refusals = 0
  let sequence = 0
  /** what was begun to be written, and goes first, as it is, until it is known to be */
  let begun: Addition | undefined

  const writeBegun: Effect.Effect<void, StorageError> = Effect.suspend(() => {
    const addition = begun
    if (addition === undefined) return Effect.void
    return database.batch(statementsOf(writer, clock.currentTimeMillisUnsafe(), addition)).pipe(
      Effect.catchIf(
        ({ kind, statement }) => kind === "constraint" && statement === repeated,
        () => Effect.void
      ),
      Effect.map(() => {
        if (begun === addition) begun = undefined
      })
    )
  })

  const writeRest = Effect.suspend(() => {
    const rows = begun === undefined ? tally.take() : []
    if (rows.length > 0) begun = { sequence: ++sequence, rows }
    return writeBegun
  })

  const write = Effect.andThen(writeBegun, writeRest)

  const writing = Effect.gen(function* () {
    yield* changed.await
    yield* Effect.sleep(delay)
    changed.closeUnsafe()
    yield* write
  }).pipe(
    Effect.andThen(outage.ended),
    Effect.catch((error) => {
      changed.openUnsafe()
      return Effect.andThen(outage.failed(error), Effect.sleep("1 second"))
    }),
    Effect.forever
  )
  yield* Effect.addFinalizer(() =>
    write.pipe(Effect.interruptible, Effect.timeoutOption(lastWriteTimeout), Effect.ignore)
  )
  yield* Effect.forkScoped(writing)

  return Ledger.of({
    add: (candidate, record) => {
      if (record === undefined) return
      tally.add(candidate, record)
      changed.openUnsafe()
    },
    refused: () => void refusals++,
    refusals: Effect.sync(() => refusals),
    report: Effect.fnUntraced(function* (query) {
      yield* write
      const { params, sql } = selectRows(query)
      const found = yield* Effect.flatMap(database.query(sql, params), (rows) =>
        Effect.mapError(Schema.decodeUnknownEffect(Rows)(rows), unreadable)
      )
      return reportOf(found.map(rowOf), query)
    })
  })
})

/** Keeps the sums in the database, in a table of its own that is brought up to date first. */
export const layer: Layer.Layer<Ledger, StorageError | MigrationError, Database> = Layer.effect(Ledger, make)
