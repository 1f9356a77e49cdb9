import type { Dialect, SqlValue, Statement } from "../storage/Database.ts"
import { type CallFilter, type Content, type Position, shortPayload } from "./AuditStore.ts"
import { excerptMark, needlesOf } from "./text-search.ts"

const withFinal = "left join audit_records final on final.id = opened.id and final.kind = 'Final'"

/** How many calls, of those that everything else chooses, one page is searched for a text in. */
export const searchedAtOnce = 1000

const payloadOf = (content: Content, column: string): string => {
  if (content === "none") return "null"
  return content === "all" ? column : `case when length(${column}) <= ${shortPayload} then ${column} end`
}

const columnsOf = (content: Content): string => `opened.id, opened.at, opened.body,
    ${payloadOf(content, "opened.payload")} as payload, final.body as final_body,
    ${payloadOf(content, "final.payload")} as final_payload`

/** One call with all of it; its parameter is the id. */
export const selectCall = `select ${columnsOf("all")} from audit_records opened ${withFinal}
  where opened.kind = 'Opened' and opened.id = ?`

/**
 * Where a list is read from: an index that has what is asked for in the order of the list, so that reading can stop when
 * a page is full. `at` and `id` are the columns of that order.
 */
interface Source {
  readonly from: string
  readonly at: string
  readonly id: string
  readonly where: ReadonlyArray<Statement>
}

const newest: Source = {
  from: `audit_records opened ${withFinal}`,
  at: "opened.at",
  id: "opened.id",
  where: [{ sql: "opened.kind = 'Opened'", params: [] }]
}

const settled = "coalesce((select min(settled_below) from audit_owners), 0)"

/** Those that are open stand behind what owners vouch for, so they are few; the plus keeps the order's index out of it. */
const open: Source = {
  from: `audit_records opened ${withFinal} and final.position >= ${settled}`,
  at: "+opened.at",
  id: "opened.id",
  where: [...newest.where, { sql: `opened.position >= ${settled}`, params: [] }]
}

/** Calls that did not complete. A cross join is made from left to right by SQLite. */
const endedSo = (outcome: string): Source => ({
  from: "audit_records final cross join audit_records opened",
  at: "final.opened_at",
  id: "final.id",
  where: [
    { sql: "final.kind = 'Final' and final.outcome = ?", params: [outcome] },
    // the index is of these alone
    { sql: "final.outcome <> 'Completed'", params: [] },
    { sql: "opened.id = final.id and opened.kind = 'Opened'", params: [] }
  ]
})

const labelled = (label: string): Source => ({
  from: `audit_labels label cross join audit_records opened ${withFinal}`,
  at: "label.at",
  id: "label.id",
  where: [
    { sql: "label.label = ?", params: [label] },
    { sql: "opened.id = label.id and opened.kind = 'Opened'", params: [] }
  ]
})

const sourceOf = ({ labels = [], outcome, status }: CallFilter): Source => {
  const [label] = labels
  if (label !== undefined) return labelled(label)
  if (outcome !== undefined && outcome !== "Completed") return endedSo(outcome)
  return status === "open" ? open : newest
}

const conditions = (filter: CallFilter, source: Source, after: Position | undefined): ReadonlyArray<Statement> => {
  const found: Array<Statement> = [...source.where]
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
  for (const label of filter.labels ?? []) {
    where("exists (select 1 from audit_labels other where other.id = opened.id and other.label = ?)", label)
  }
  where(`${source.at} >= ?`, filter.openedFrom)
  where(`${source.at} < ?`, filter.openedBefore)
  where(`(${source.at}, ${source.id}) < (?, ?)`, after?.openedAt, after?.id)
  return found
}

/** Whether a text is in what is kept of a request or an answer. */
const textCondition = (text: string, dialect: Dialect): Statement => {
  const [place, ascii] = dialect === "sqlite" ? ["instr", ""] : ["strpos", ' collate "C"']
  const needles = needlesOf(text)
  const kept = ["opened", "final"].map(
    (record) => `coalesce(${record}.payload,
      case when ${place}(${record}.body, '${excerptMark}') > 0
        then substr(${record}.body, ${place}(${record}.body, '${excerptMark}')) end)`
  )
  const looked = kept.flatMap((document) => needles.map(() => `${place}(lower(${document}${ascii}), ?) > 0`))
  return { sql: `(${looked.join(" or ")})`, params: [...needles, ...needles] }
}

/** How much is read of payloads, from what. */
interface Reading {
  readonly content: Content
  readonly dialect: Dialect
}

const select = (columns: string, source: Source, found: ReadonlyArray<Statement>, limit: number): Statement => ({
  sql: `select ${columns} from ${source.from} where ${found.map(({ sql }) => sql).join(" and ")}
    order by ${source.at} desc, ${source.id} desc limit ?`,
  params: [...found.flatMap(({ params }) => params), limit]
})

/** What was written last: positions of the table, in their order. */
export const selectPositions = "select position from audit_records where position > ? order by position limit ?"

/** The records at these positions, with the calls that they are of, as far as these match. */
export const changesStatement = (
  filter: CallFilter,
  positions: ReadonlyArray<number>,
  { content, dialect }: Reading
): Statement => {
  const found = [
    { sql: `change.position in (${positions.map(() => "?").join(", ")})`, params: positions },
    { sql: "opened.id = change.id", params: [] },
    ...conditions(filter, newest, undefined),
    ...(filter.text === undefined ? [] : [textCondition(filter.text, dialect)])
  ]
  return {
    sql: `select change.position, change.kind, ${columnsOf(content)}
      from audit_records change cross join audit_records opened ${withFinal}
      where ${found.map(({ sql }) => sql).join(" and ")} order by change.position`,
    params: found.flatMap(({ params }) => params)
  }
}

/** Calls, newest first; a text that the filter has is not looked for. */
export const listStatement = (
  filter: CallFilter,
  limit: number,
  after: Position | undefined,
  content: Content
): Statement => {
  const source = sourceOf(filter)
  return select(columnsOf(content), source, conditions(filter, source, after), limit)
}

/** The places of the calls that one page is searched in, and of one more where there are more. */
export const windowStatement = (filter: CallFilter, after: Position | undefined): Statement => {
  const source = sourceOf(filter)
  const places = `${source.id} as id, ${source.at} as at`
  return select(places, source, conditions(filter, source, after), searchedAtOnce + 1)
}

/** Those of the calls from `last` on that a text is in. */
export const searchStatement = (
  filter: CallFilter & { readonly text: string },
  limit: number,
  after: Position | undefined,
  last: Position,
  { content, dialect }: Reading
): Statement => {
  const source = sourceOf(filter)
  const found = [
    ...conditions(filter, source, after),
    { sql: `(${source.at}, ${source.id}) >= (?, ?)`, params: [last.openedAt, last.id] },
    textCondition(filter.text, dialect)
  ]
  return select(columnsOf(content), source, found, limit)
}
