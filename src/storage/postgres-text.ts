import type { SqlValue, Statement } from "./Database.ts"

const tokens = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\?/g

/** The text with its `?` as PostgreSQL numbers them. */
export const numbered = (sql: string): string => {
  let count = 0
  return sql.replaceAll(tokens, (token) => (token === "?" ? `$${++count}` : token))
}

/** Text there cannot hold a NUL. */
export const bindable = (value: SqlValue): SqlValue =>
  typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value

/** One that inserts one row of given values and lets every conflict be an error: then several rows can be one statement. */
const plainInsert = /^\s*insert\s+into\s+\w+\s*\([^()]*\)\s*values\s*(\((?:\s*\?\s*,?)+\))\s*$/i

/** Sizes are powers of two, so that there are few different texts to prepare. */
const maxRowsTogether = 64

/** How many statements from `first` on are the same text. */
const alike = (statements: ReadonlyArray<Statement>, first: number): number => {
  let end = first
  while (end - first < maxRowsTogether && statements[end]?.sql === statements[first]?.sql) end++
  return end - first
}

/** What is sent as one statement: `first` is the index of its first in the batch, `count` how many it stands for. */
export interface Sent extends Statement {
  readonly first: number
  readonly count: number
}

/** The statements of a batch in their order, with the same insertion many times over in few statements. */
export const together = (statements: ReadonlyArray<Statement>): ReadonlyArray<Sent> => {
  const sent: Array<Sent> = []
  for (let first = 0; first < statements.length;) {
    const { params, sql } = statements[first]!
    const row = plainInsert.exec(sql)?.[1]
    const count = row === undefined ? 1 : 2 ** Math.floor(Math.log2(alike(statements, first)))
    const rows = statements.slice(first, first + count)
    const text = count === 1 ? sql : sql + `, ${row}`.repeat(count - 1)
    sent.push({ first, count, sql: text, params: count === 1 ? params : rows.flatMap((statement) => statement.params) })
    first += count
  }
  return sent
}
