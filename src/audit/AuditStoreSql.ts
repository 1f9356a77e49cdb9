import { Effect, Layer, Schema } from "effect"
import { Database, type SqlValue, type Statement, StorageError } from "../storage/Database.ts"
import { migrate, type MigrationError } from "../storage/Migrations.ts"
import {
  type AuditRow,
  AuditStore,
  type CallFilter,
  type Lease,
  listedPayloadLimit,
  type Position,
  type StoredCall
} from "./AuditStore.ts"
import { interruptedBody } from "./CallRecord.ts"
import { migrations } from "./migrations.ts"

const insertOpened = `insert into audit_opened
  (id, owner, sequence, opened_at, request_id, model, caller_key, conversation, body, request)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`

// the first terminal record wins, whoever wrote it
const insertFinal = `insert into audit_final (id, outcome, ended_at, body, response)
  values (?, ?, ?, ?, ?) on conflict (id) do nothing`

const upsertLease = `insert into audit_owners (id, host, pid, heartbeat_at, settled_below) values (?, ?, ?, ?, ?)
  on conflict (id) do update set heartbeat_at = excluded.heartbeat_at, settled_below = excluded.settled_below`

// The lease is looked at again inside the statement: its owner may have renewed it since it was read.
const interruptCalls = `insert into audit_final (id, outcome, ended_at, body)
  select opened.id, 'Interrupted', ?, ?
  from audit_owners owner join audit_opened opened on opened.owner = owner.id
  where owner.id = ? and owner.heartbeat_at <= ? and opened.sequence >= owner.settled_below
    and not exists (select 1 from audit_final final where final.id = opened.id)
  on conflict (id) do nothing`

const deleteLease = "delete from audit_owners where id = ? and heartbeat_at <= ?"

const selectLeases = "select id, host, pid, heartbeat_at, settled_below from audit_owners"

const selectCall = `select opened.id, opened.opened_at, opened.body, opened.request,
    final.body as final_body, final.response
  from audit_opened opened left join audit_final final on final.id = opened.id where opened.id = ?`

const listed = (column: string) => `case when length(${column}) <= ${listedPayloadLimit} then ${column} end`

const selectCalls = `select opened.id, opened.opened_at, opened.body, ${listed("opened.request")} as request,
    final.body as final_body, ${listed("final.response")} as response
  from audit_opened opened left join audit_final final on final.id = opened.id`

const statementOf = (row: AuditRow): Statement =>
  row._tag === "Opened"
    ? {
        sql: insertOpened,
        params: [
          row.id,
          row.owner,
          row.sequence,
          row.openedAt,
          row.requestId,
          row.model,
          row.key,
          row.conversation,
          row.body,
          row.request
        ]
      }
    : { sql: insertFinal, params: [row.id, row.outcome, row.endedAt, row.body, row.response] }

const conditions = (filter: CallFilter, after: Position | undefined): ReadonlyArray<Statement> => {
  const found: Array<Statement> = []
  const where = (sql: string, ...params: ReadonlyArray<SqlValue | undefined>) => {
    const given = params.filter((param) => param !== undefined)
    if (given.length === params.length) found.push({ sql, params: given })
  }
  if (filter.status !== undefined) where(`final.id is ${filter.status === "open" ? "null" : "not null"}`)
  where("final.outcome = ?", filter.outcome)
  where("opened.model = ?", filter.model)
  where("opened.caller_key = ?", filter.key)
  where("opened.request_id = ?", filter.requestId)
  where("opened.conversation = ?", filter.conversation)
  where("opened.opened_at >= ?", filter.openedFrom)
  where("opened.opened_at < ?", filter.openedBefore)
  where("(opened.opened_at, opened.id) < (?, ?)", after?.openedAt, after?.id)
  return found
}

const listStatement = (filter: CallFilter, limit: number, after: Position | undefined): Statement => {
  const found = conditions(filter, after)
  const where = found.length === 0 ? "" : ` where ${found.map((condition) => condition.sql).join(" and ")}`
  return {
    sql: `${selectCalls}${where} order by opened.opened_at desc, opened.id desc limit ?`,
    params: [...found.flatMap((condition) => condition.params), limit]
  }
}

// a database may give 64-bit columns as text
const Whole = Schema.Union([Schema.Int, Schema.FiniteFromString])

const CallRow = Schema.Struct({
  id: Schema.String,
  opened_at: Whole,
  body: Schema.String,
  request: Schema.NullOr(Schema.String),
  final_body: Schema.NullOr(Schema.String),
  response: Schema.NullOr(Schema.String)
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
  openedAt: row.opened_at,
  opened: { body: row.body, request: row.request },
  final: row.final_body === null ? undefined : { body: row.final_body, response: row.response }
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

const make = Effect.gen(function* () {
  const database = yield* Database
  yield* migrate("audit", migrations)

  const calls = ({ params, sql }: Statement) =>
    database.query(sql, params).pipe(
      Effect.flatMap((rows) => Effect.mapError(decodeCalls(rows), unreadable)),
      Effect.map((rows) => rows.map(callOf))
    )

  return AuditStore.of({
    commit: (rows) => Effect.asVoid(database.batch(rows.map(statementOf))),
    get: (id) => Effect.map(calls({ sql: selectCall, params: [id] }), (found) => found[0]),
    list: (filter, limit, after) => calls(listStatement(filter, limit, after)),
    keepLease: ({ heartbeatAt, host, owner, pid, settledBelow }) =>
      Effect.asVoid(database.batch([{ sql: upsertLease, params: [owner, host, pid, heartbeatAt, settledBelow] }])),
    leases: database.query(selectLeases).pipe(
      Effect.flatMap((rows) => Effect.mapError(decodeLeases(rows), unreadable)),
      Effect.map((rows) => rows.map(leaseOf))
    ),
    endLease: ({ heartbeatAt, owner }, at) =>
      database
        .batch([
          { sql: interruptCalls, params: [at, interruptedBody, owner, heartbeatAt] },
          { sql: deleteLease, params: [owner, heartbeatAt] }
        ])
        .pipe(Effect.map(([interrupted]) => interrupted ?? 0))
  })
})

/** Keeps the records of calls in the database, in tables of their own that are brought up to date first. */
export const layer: Layer.Layer<AuditStore, StorageError | MigrationError, Database> = Layer.effect(AuditStore, make)
