import { Clock, DateTime, Effect, Latch, Layer, Schema } from "effect"
import { randomBytes } from "node:crypto"
import { Database, type SqlValue, type Statement, StorageError } from "../storage/Database.ts"
import { migrate, type MigrationError } from "../storage/Migrations.ts"
import { Ledger } from "./Ledger.ts"
import { migrations } from "./migrations.ts"
import { reportOf, Tally, type UsageRow } from "./Tally.ts"
import type { UsageQuery } from "./Usage.ts"

/** How long what a call used may wait to be written: what ends meanwhile is written with it. */
const delay = "200 millis"

const insertRow = `insert into accounting_usage
  (day, caller_key, tenant, model, provider, target, labels, owner, calls, incomplete, input_tokens, cached_tokens,
    cache_write_tokens, output_tokens, reasoning_tokens, estimated, unpriced, micro_usd)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (day, caller_key, tenant, model, provider, target, labels, owner) do update set
    calls = excluded.calls, incomplete = excluded.incomplete, input_tokens = excluded.input_tokens,
    cached_tokens = excluded.cached_tokens, cache_write_tokens = excluded.cache_write_tokens,
    output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens,
    estimated = excluded.estimated, unpriced = excluded.unpriced, micro_usd = excluded.micro_usd`

// A row is written as a whole, under the name of its process: to write it again changes nothing.
const statementOf = (owner: string, row: UsageRow): Statement => {
  const { day, key, labels, model, provider, sums, target, tenant } = row
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
  return { sql: insertRow, params: [day, key, tenant, model, provider, target, labels, owner, ...counted] }
}

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
    `select ${[...columns, ...summed.map((column) => `coalesce(sum(${column}), 0) as ${column}`)].join(", ")} from accounting_usage` +
    (conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`) +
    (grouped.length === 0 ? "" : ` group by ${grouped.join(", ")}`)
  return { sql, params }
}

const make = Effect.gen(function* () {
  const database = yield* Database
  yield* migrate("accounting", migrations)
  const owner = yield* Effect.sync(() => randomBytes(12).toString("hex"))
  const tally = new Tally()
  const changed = Latch.makeUnsafe(false)
  let refusals = 0

  const write = Effect.suspend(() => {
    if (!tally.isChanged) return Effect.void
    const rows = tally.takeChanged()
    return Effect.onError(database.batch(rows.map((row) => statementOf(owner, row))), () =>
      Effect.sync(() => tally.putBack(rows))
    )
  })

  const writing = Effect.gen(function* () {
    yield* changed.await
    yield* Effect.sleep(delay)
    changed.closeUnsafe()
    yield* write
    tally.forgetBefore(DateTime.formatIsoDateUtc(DateTime.makeUnsafe(yield* Clock.currentTimeMillis)))
  }).pipe(
    Effect.catch((error) => {
      changed.openUnsafe()
      const warned = Effect.logWarning("What calls have used cannot be written; it is tried again", error)
      return Effect.andThen(warned, Effect.sleep("1 second"))
    }),
    Effect.forever
  )
  yield* Effect.addFinalizer(() => Effect.ignore(write))
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
