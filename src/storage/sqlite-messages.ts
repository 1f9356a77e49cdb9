import type { Row, SqlValue, Statement, StorageErrorKind } from "./Database.ts"

/** What a worker opens, and as what: `memory` both reads and writes, since nobody else sees its data. */
export interface OpenOptions {
  readonly filename: string
  readonly access: "write" | "read" | "memory"
  readonly synchronous: "FULL" | "NORMAL"
  /** It was open before, so its file is not made where it is missing: an empty one would pretend that nothing had been there. */
  readonly again: boolean
}

/**
 * The statements of one transaction, flat: for each its index in `texts`, the number of its parameters, and
 * these. A batch is the same two or three texts over and over, so each is sent once, and one array of
 * primitives is the cheapest thing to clone between threads.
 */
export interface BatchRequest {
  readonly operation: "batch"
  readonly texts: ReadonlyArray<string>
  readonly values: ReadonlyArray<SqlValue>
}

/** A view of a larger buffer would be cloned with all of that buffer. */
const compact = (value: SqlValue): SqlValue =>
  value instanceof Uint8Array && value.byteLength !== value.buffer.byteLength ? new Uint8Array(value) : value

export const batchRequest = (statements: ReadonlyArray<Statement>): BatchRequest => {
  const indexes = new Map<string, number>()
  const values: Array<SqlValue> = []
  for (const { params, sql } of statements) {
    let index = indexes.get(sql)
    if (index === undefined) {
      index = indexes.size
      indexes.set(sql, index)
    }
    values.push(index, params.length)
    for (const param of params) values.push(compact(param))
  }
  return { operation: "batch", texts: [...indexes.keys()], values }
}

export interface QueryRequest {
  readonly operation: "query"
  readonly sql: string
  readonly params: ReadonlyArray<SqlValue>
}

export const queryRequest = (sql: string, params: ReadonlyArray<SqlValue>): QueryRequest => ({
  operation: "query",
  sql,
  params: params.map(compact)
})

export type Request = BatchRequest | QueryRequest

/** `"close"` comes last: what was asked before it is still done. */
export type ToWorker = { readonly id: number; readonly request: Request } | "close"

export interface Failure {
  readonly _tag: "Failure"
  readonly kind: StorageErrorKind
  readonly message: string
  /** Index in the batch. */
  readonly statement?: number
}

/** Rows travel as arrays beside their column names: a third cheaper for the receiver than objects (measured). */
export interface Answer {
  readonly _tag: "Answer"
  readonly changes: ReadonlyArray<number>
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<SqlValue>>
}

export const rowsOf = ({ columns, rows }: Answer): ReadonlyArray<Row> =>
  rows.map((values) => {
    const row: Record<string, SqlValue> = {}
    for (let index = 0; index < values.length; index++) row[columns[index] ?? ""] = values[index] ?? null
    return row
  })

export type Result = Answer | Failure

/** Answers the request with this id; the first, with id 0, says how opening went. */
export interface FromWorker {
  readonly id: number
  readonly result: Result
}
