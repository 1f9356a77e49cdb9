import type { SqlValue, Statement } from "../storage/Database.ts"
import { type CallFilter, listedPayloadLimit, type Position } from "./AuditStore.ts"

const join = `from audit_records opened
  left join audit_records final on final.id = opened.id and final.kind = 'Final'
  where opened.kind = 'Opened'`

/** One call with all of it; its parameter is the id. */
export const selectCall = `select opened.id, opened.at, opened.body, opened.payload,
    final.body as final_body, final.payload as final_payload ${join} and opened.id = ?`

const listed = (column: string) => `case when length(${column}) <= ${listedPayloadLimit} then ${column} end`

const selectCalls = `select opened.id, opened.at, opened.body, ${listed("opened.payload")} as payload,
    final.body as final_body, ${listed("final.payload")} as final_payload ${join}`

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
  where("opened.at >= ?", filter.openedFrom)
  where("opened.at < ?", filter.openedBefore)
  where("(opened.at, opened.id) < (?, ?)", after?.openedAt, after?.id)
  return found
}

/** Calls, newest first, without their long payloads. */
export const listStatement = (filter: CallFilter, limit: number, after: Position | undefined): Statement => {
  const found = conditions(filter, after)
  return {
    sql: `${[selectCalls, ...found.map(({ sql }) => sql)].join(" and ")} order by opened.at desc, opened.id desc limit ?`,
    params: [...found.flatMap(({ params }) => params), limit]
  }
}
