import type { Effect } from "effect"
import { Context, Schema } from "effect"

/**
 * What a column holds. Booleans are stored as 0 and 1, times as integer milliseconds, JSON as text.
 *
 * Gotcha: text is UTF-8, so half of a surrogate pair comes back as U+FFFD.
 */
export type SqlValue = string | number | bigint | null | Uint8Array

/** A row by column name. An integer is a `number` where that is exact, else a `bigint`. */
export type Row = Readonly<Record<string, SqlValue>>

/** One SQL statement and the values of its `?` placeholders, in order. */
export interface Statement {
  readonly sql: string
  readonly params: ReadonlyArray<SqlValue>
}

/** The SQL that a database speaks, for the few places where one text does not suit both. */
export type Dialect = "sqlite" | "postgres"

/**
 * Why the store failed, in the terms a caller decides by.
 *
 * - `busy`: others hold the write lock, or too many operations wait already.
 * - `full`: no space left on the device, or the database's own size limit is reached.
 * - `constraint`: a unique, foreign key, not null or check constraint refused a row.
 * - `readonly`: the file or the connection does not permit writing.
 * - `corrupt`: the file is damaged or is not a database.
 * - `unavailable`: the file or a table of it is not there, or the store stopped while it worked.
 * - `other`: the statement itself is wrong.
 */
export const StorageErrorKind = Schema.Literals([
  "busy",
  "full",
  "constraint",
  "readonly",
  "corrupt",
  "unavailable",
  "other"
])
export type StorageErrorKind = typeof StorageErrorKind.Type

/**
 * The one failure of a `Database`.
 *
 * After `unavailable` it is not known whether a batch was committed: statements that may be repeated
 * harmlessly (`on conflict do nothing`) make a retry safe.
 */
export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  operation: Schema.Literals(["open", "batch", "query"]),
  kind: StorageErrorKind,
  /** What failed and where: the database, the statement, and the store's own words. Never a parameter's value. */
  message: Schema.String,
  /** Index in the batch of the statement that failed, where one statement is to blame. */
  statement: Schema.optionalKey(Schema.Int)
}) {
  /** Whether the same operation may succeed later without anything being changed. */
  get retryable(): boolean {
    return this.kind === "busy" || this.kind === "full" || this.kind === "unavailable"
  }
}

/**
 * The port to the database that keeps what must outlive a call. It knows no tables: each subject brings its
 * own statements and its own migrations.
 */
export class Database extends Context.Service<
  Database,
  {
    readonly dialect: Dialect
    /**
     * Runs all statements in one write transaction, all or nothing, and gives the number of rows that each
     * changed. When it succeeds the rows are durable, to the degree the layer was opened with, and every
     * later `query` sees them. Batches are committed in the order in which they were issued.
     *
     * Gotchas: a statement must not begin or end a transaction itself. Interrupting the caller stops the
     * waiting, not the batch, which may still be committed.
     */
    readonly batch: (statements: ReadonlyArray<Statement>) => Effect.Effect<ReadonlyArray<number>, StorageError>
    /**
     * All rows of one reading statement, in one consistent view. Does not wait for batches under way, cannot
     * write (`readonly`), and holds its whole answer in memory: bound it with `limit`.
     */
    readonly query: (sql: string, params?: ReadonlyArray<SqlValue>) => Effect.Effect<ReadonlyArray<Row>, StorageError>
  }
>()("millrace/storage/Database") {}
