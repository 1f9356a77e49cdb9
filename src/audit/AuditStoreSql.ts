import { Effect, Layer, Schema } from "effect"
import { Database, type Statement, StorageError } from "../storage/Database.ts"
import { migrate, type MigrationError } from "../storage/Migrations.ts"
import { AuditStore, type Lease, type StoredCall } from "./AuditStore.ts"
import { ChainedTable } from "./ChainedTable.ts"
import { migrations as eventMigrations } from "./events/migrations.ts"
import { sqlEvents } from "./events/sql.ts"
import { migrations } from "./migrations.ts"
import { prune } from "./prune.ts"
import { listStatement, selectCall } from "./select-calls.ts"

const upsertLease = `insert into audit_owners (id, host, pid, heartbeat_at, settled_below) values (?, ?, ?, ?, ?)
  on conflict (id) do update set heartbeat_at = excluded.heartbeat_at, settled_below = excluded.settled_below`

const selectLeases = "select id, host, pid, heartbeat_at, settled_below from audit_owners"

const selectPosition = "select coalesce(max(position), 0) + 1 as position from audit_records"

// a database may give 64-bit columns as text
const Whole = Schema.Union([Schema.Int, Schema.FiniteFromString])

const CallRow = Schema.Struct({
  id: Schema.String,
  at: Whole,
  body: Schema.String,
  payload: Schema.NullOr(Schema.String),
  final_body: Schema.NullOr(Schema.String),
  final_payload: Schema.NullOr(Schema.String)
})

const LeaseRow = Schema.Struct({
  id: Schema.String,
  host: Schema.String,
  pid: Schema.Int,
  heartbeat_at: Whole,
  settled_below: Whole
})

const callOf = (row: typeof CallRow.Type): StoredCall => ({
  id: row.id,
  openedAt: row.at,
  opened: { body: row.body, request: row.payload },
  final: row.final_body === null ? undefined : { body: row.final_body, response: row.final_payload }
})

const leaseOf = (row: typeof LeaseRow.Type): Lease => ({
  owner: row.id,
  host: row.host,
  pid: row.pid,
  heartbeatAt: row.heartbeat_at,
  settledBelow: row.settled_below
})

const unreadable = (error: Schema.SchemaError) =>
  new StorageError({ operation: "query", kind: "corrupt", message: `a row of the audit trail: ${error.message}` })

const decodeCalls = Schema.decodeUnknownEffect(Schema.Array(CallRow))
const decodeLeases = Schema.decodeUnknownEffect(Schema.Array(LeaseRow))
const decodePosition = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ position: Whole })]))

const make = Effect.gen(function* () {
  const database = yield* Database
  yield* migrate("audit", migrations)
  yield* migrate("events", eventMigrations)
  const table = new ChainedTable(database)

  const calls = ({ params, sql }: Statement) =>
    database.query(sql, params).pipe(
      Effect.flatMap((rows) => Effect.mapError(decodeCalls(rows), unreadable)),
      Effect.map((rows) => rows.map(callOf))
    )

  return AuditStore.of({
    commit: table.append,
    position: database.query(selectPosition).pipe(
      Effect.flatMap((rows) => Effect.mapError(decodePosition(rows), unreadable)),
      Effect.map(([{ position }]) => position)
    ),
    get: (id) => Effect.map(calls({ sql: selectCall, params: [id] }), (found) => found[0]),
    list: (filter, limit, after) => calls(listStatement(filter, limit, after)),
    keepLease: ({ heartbeatAt, host, owner, pid, settledBelow }) =>
      Effect.asVoid(database.batch([{ sql: upsertLease, params: [owner, host, pid, heartbeatAt, settledBelow] }])),
    leases: database.query(selectLeases).pipe(
      Effect.flatMap((rows) => Effect.mapError(decodeLeases(rows), unreadable)),
      Effect.map((rows) => rows.map(leaseOf))
    ),
    endLease: table.endLease,
    events: sqlEvents(database),
    prune: (keeping) => prune(database, keeping)
  })
})

/** Keeps the records of calls in the database, in tables of their own that are brought up to date first. */
export const layer: Layer.Layer<AuditStore, StorageError | MigrationError, Database> = Layer.effect(AuditStore, make)
