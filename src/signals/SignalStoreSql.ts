import { Clock, Effect, Layer, Schema } from "effect"
import { Database, type SqlValue, type Statement, type StorageError } from "../storage/Database.ts"
import { migrate, type MigrationError } from "../storage/Migrations.ts"
import { readRows } from "../storage/readRows.ts"
import { migrations } from "./migrations.ts"
import { prune } from "./prune.ts"
import { SignalReport } from "./SignalReport.ts"
import {
  type KeptReport,
  lotOf,
  type ReportPosition,
  type SignalFilter,
  shuffleOf,
  SignalStore
} from "./SignalStore.ts"
import type { Memory } from "./Watermark.ts"

const insertReport = `insert into signal_reports
  (call_id, conversation, conversation_key, response_id, opened_at, model, caller_key, quality, flagged, lot, body)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (call_id) do nothing`

const insertType =
  "insert into signal_types (call_id, type, count) values (?, ?, ?) on conflict (call_id, type) do nothing"

const upsertMemory = `insert into signal_conversations (conversation_key, memory, updated_at) values (?, ?, ?)
  on conflict (conversation_key) do update set memory = excluded.memory, updated_at = excluded.updated_at`

const reportStatements = ({ conversationKey, report, responseId }: KeptReport): ReadonlyArray<Statement> => {
  const types = new Map<string, number>()
  for (const { type } of report.signals) types.set(type, (types.get(type) ?? 0) + 1)
  return [
    {
      sql: insertReport,
      params: [
        report.call,
        report.conversation,
        conversationKey,
        responseId ?? null,
        Math.floor(report.openedAt),
        report.model,
        report.key ?? null,
        report.quality,
        report.flagged ? 1 : 0,
        lotOf(report.call),
        JSON.stringify(report)
      ]
    },
    ...Array.from(types, ([type, count]) => ({ sql: insertType, params: [report.call, type, count] }))
  ]
}

const conditions = (filter: SignalFilter, after?: ReportPosition): ReadonlyArray<Statement> => {
  const found: Array<Statement> = []
  const where = (sql: string, ...params: ReadonlyArray<SqlValue | undefined>) => {
    const given = params.filter((param) => param !== undefined)
    if (given.length === params.length) found.push({ sql, params: given })
  }
  // written out, so that the index of what is flagged serves
  if (filter.flagged !== undefined) where(`flagged = ${filter.flagged ? 1 : 0}`)
  where("quality = ?", filter.quality)
  where("call_id in (select call_id from signal_types where type = ?)", filter.type)
  where("model = ?", filter.model)
  where("caller_key = ?", filter.key)
  where("conversation = ?", filter.conversation)
  where("opened_at >= ?", filter.openedFrom)
  where("opened_at < ?", filter.openedBefore)
  where("(opened_at, call_id) < (?, ?)", after?.openedAt, after?.call)
  return found
}

const select = (found: ReadonlyArray<Statement>, order: Statement, limit: number): Statement => ({
  sql:
    `select body from signal_reports${found.length === 0 ? "" : ` where ${found.map(({ sql }) => sql).join(" and ")}`}` +
    ` order by ${order.sql} limit ?`,
  params: [...found.flatMap(({ params }) => params), ...order.params, limit]
})

const MemorySchema = Schema.Struct({
  seen: Schema.Array(Schema.Finite),
  courses: Schema.Array(
    Schema.Struct({
      at: Schema.Finite,
      counts: Schema.Record(Schema.String, Schema.Natural),
      turns: SignalReport.fields.turns
    })
  )
})

const decodeReports = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ body: Schema.fromJsonString(SignalReport) }))
)
const decodeMemories = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ conversation_key: Schema.String, memory: Schema.fromJsonString(MemorySchema) }))
)
const decodeKeys = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ response_id: Schema.String, conversation_key: Schema.String }))
)

const placeholders = (count: number): string => Array.from({ length: count }, () => "?").join(", ")

const selectMemories = (count: number): string =>
  `select conversation_key, memory from signal_conversations where conversation_key in (${placeholders(count)})`

const selectConversations = (count: number): string =>
  `select response_id, conversation_key from signal_reports where response_id in (${placeholders(count)})`

const make = Effect.gen(function* () {
  const database = yield* Database
  yield* migrate("signals", migrations)
  const read = readRows(database, "the signals")

  const reports = (statement: Statement) =>
    Effect.map(read(statement, decodeReports), (rows) => rows.map(({ body }) => body))

  return SignalStore.of({
    recall: (keys) =>
      Effect.map(
        read({ sql: selectMemories(keys.length), params: keys }, decodeMemories),
        (rows) => new Map<string, Memory>(rows.map((row) => [row.conversation_key, row.memory]))
      ),
    conversationsOf: (ids) =>
      Effect.map(
        read({ sql: selectConversations(ids.length), params: ids }, decodeKeys),
        (rows) => new Map(rows.map((row) => [row.response_id, row.conversation_key]))
      ),
    keep: Effect.fnUntraced(function* (kept, memories) {
      const now = yield* Clock.currentTimeMillis
      const learned = Array.from(memories, ([key, memory]) => ({
        sql: upsertMemory,
        params: [key, JSON.stringify(memory), now]
      }))
      yield* database.batch([...kept.flatMap(reportStatements), ...learned])
    }),
    get: (call) =>
      Effect.map(
        reports({ sql: "select body from signal_reports where call_id = ?", params: [call] }),
        ([report]) => report
      ),
    list: (filter, limit, after) =>
      reports(select(conditions(filter, after), { sql: "opened_at desc, call_id desc", params: [] }, limit)),
    sample: (filter, size, seed) => {
      const { factor, lots } = shuffleOf(seed)
      // the numbers are our own, and as parameters some databases would not know their type
      return reports(select(conditions(filter), { sql: `(lot * ${factor}) % ${lots}, call_id`, params: [] }, size))
    },
    prune: (keeping) => prune(database, keeping)
  })
})

/** Keeps reports in the database, in tables of their own that are brought up to date first. */
export const layer: Layer.Layer<SignalStore, StorageError | MigrationError, Database> = Layer.effect(SignalStore, make)
