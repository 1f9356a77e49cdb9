import { Effect, Layer, Schema } from "effect"
import { Database, type Statement, type StorageError } from "../storage/Database.ts"
import { migrate, type MigrationError } from "../storage/Migrations.ts"
import { readRows } from "../storage/readRows.ts"
import {
  AuditStore,
  type CallFilter,
  type Change,
  type Found,
  type Lease,
  type Span,
  type StoredCall
} from "./AuditStore.ts"
import { ChainedTable } from "./ChainedTable.ts"
import { migrations as eventMigrations } from "./events/migrations.ts"
import { sqlEvents } from "./events/sql.ts"
import { migrations } from "./migrations.ts"
import { prune } from "./prune.ts"
import {
  changesStatement,
  listStatement,
  searchedAtOnce,
  searchStatement,
  selectCall,
  selectPositions,
  windowStatement
} from "./select-calls.ts"

const upsertLease = `insert into audit_owners (id, host, pid, heartbeat_at, settled_below) values (?, ?, ?, ?, ?)
  on conflict (id) do update set heartbeat_at = excluded.heartbeat_at, settled_below = excluded.settled_below`

const selectLeases = "select id, host, pid, heartbeat_at, settled_below from audit_owners"

const selectPosition = "select coalesce(max(position), 0) + 1 as position from audit_records"

const CallRow = Schema.Struct({
  id: Schema.String,
  at: Schema.Int,
  body: Schema.String,
  payload: Schema.NullOr(Schema.String),
  final_body: Schema.NullOr(Schema.String),
  final_payload: Schema.NullOr(Schema.String)
})

const ChangeRow = Schema.Struct({
  ...CallRow.fields,
  position: Schema.Int,
  kind: Schema.Literals(["Opened", "Final"])
})

const LeaseRow = Schema.Struct({
  id: Schema.String,
  host: Schema.String,
  pid: Schema.Int,
  heartbeat_at: Schema.Int,
  settled_below: Schema.Int
})

const callOf = (row: typeof CallRow.Type): StoredCall => ({
  id: row.id,
  openedAt: row.at,
  opened: { body: row.body, request: row.payload },
  final: row.final_body === null ? undefined : { body: row.final_body, response: row.final_payload }
})

/** A call that began is told of as it was then. */
const changeOf = (row: typeof ChangeRow.Type): Change => {
  const call = callOf(row)
  const { kind, position } = row
  return { position, kind, call: kind === "Opened" ? { ...call, final: undefined } : call }
}

const leaseOf = (row: typeof LeaseRow.Type): Lease => ({
  owner: row.id,
  host: row.host,
  pid: row.pid,
  heartbeatAt: row.heartbeat_at,
  settledBelow: row.settled_below
})

const decodeCalls = Schema.decodeUnknownEffect(Schema.Array(CallRow))
const decodePlaces = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Schema.String, at: Schema.Int })))
const decodePositions = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ position: Schema.Int })))
const decodeChanges = Schema.decodeUnknownEffect(Schema.Array(ChangeRow))
const decodeLeases = Schema.decodeUnknownEffect(Schema.Array(LeaseRow))
const decodePosition = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ position: Schema.Int })]))

const make = Effect.gen(function* () {
  const database = yield* Database
  yield* migrate("audit", migrations)
  yield* migrate("events", eventMigrations)
  const table = new ChainedTable(database)

  const read = readRows(database, "the audit trail")

  const calls = (statement: Statement) => Effect.map(read(statement, decodeCalls), (rows) => rows.map(callOf))

  /** A page out of one call more than it may have, which shows whether there are others. */
  const page = (found: ReadonlyArray<StoredCall>, limit: number): Found => {
    const shown = found.slice(0, limit)
    return { calls: shown, next: found.length > limit ? shown.at(-1) : undefined }
  }

  const search = Effect.fnUntraced(function* (text: string, filter: CallFilter, { after, content, limit }: Span) {
    const places = yield* read(windowStatement(filter, after), decodePlaces)
    const last = places[Math.min(places.length, searchedAtOnce) - 1]
    if (last === undefined) return { calls: [], next: undefined }
    const end = { openedAt: last.at, id: last.id }
    const reading = { content, dialect: database.dialect }
    const found = page(yield* calls(searchStatement({ ...filter, text }, limit + 1, after, end, reading)), limit)
    return found.next === undefined && places.length > searchedAtOnce ? { ...found, next: end } : found
  })

  return AuditStore.of({
    commit: table.append,
    position: Effect.map(read({ sql: selectPosition, params: [] }, decodePosition), ([{ position }]) => position),
    get: (id) => Effect.map(calls({ sql: selectCall, params: [id] }), (found) => found[0]),
    list: (filter, span) => {
      const { after, content, limit } = span
      if (filter.text !== undefined) return search(filter.text, filter, span)
      return Effect.map(calls(listStatement(filter, limit + 1, after, content)), (found) => page(found, limit))
    },
    positions: (behind, limit) =>
      Effect.map(read({ sql: selectPositions, params: [behind, limit] }, decodePositions), (rows) =>
        rows.map(({ position }) => position)
      ),
    changes: (filter, positions, content) => {
      const statement = changesStatement(filter, positions, { content, dialect: database.dialect })
      return Effect.map(read(statement, decodeChanges), (rows) => rows.map(changeOf))
    },
    keepLease: ({ heartbeatAt, host, owner, pid, settledBelow }) =>
      Effect.asVoid(database.batch([{ sql: upsertLease, params: [owner, host, pid, heartbeatAt, settledBelow] }])),
    leases: Effect.map(read({ sql: selectLeases, params: [] }, decodeLeases), (rows) => rows.map(leaseOf)),
    endLease: table.endLease,
    events: sqlEvents(database),
    prune: (keeping) => prune(database, keeping)
  })
})

/** Keeps the records of calls in the database, in tables of their own that are brought up to date first. */
export const layer: Layer.Layer<AuditStore, StorageError | MigrationError, Database> = Layer.effect(AuditStore, make)
