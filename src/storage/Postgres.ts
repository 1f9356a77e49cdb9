import { PgClient } from "@effect/sql-pg"
import { Cause, Effect, Fiber, Layer, type Redacted, Schema, Scope, Semaphore } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlError } from "effect/sql/SqlError"
import { Database, type Row, type SqlValue, type Statement, StorageError } from "./Database.ts"
import { failureOf } from "./postgres-errors.ts"
import { bindable, numbered, type Sent, together } from "./postgres-text.ts"

/** Where the database is, and what an acknowledged batch survives. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, with `?sslmode=require` and the like. */
  readonly url: Redacted.Redacted
  /** Whether a commit waits for the server's disk. Without it the last batches may be lost when the server crashes. */
  readonly synchronousCommit?: boolean
}

/** Nobody waits longer for rows. A batch is waited for: what became of it cannot be known before the connection ends. */
const queryTimeout = "30 seconds"
const keepAlive = "10 seconds"
const connectTimeout = "5 seconds"
/**
 * So long may a process stand still in the middle of a transaction, which holds what it has changed: one that was stopped, or
 * whose machine is gone, would hold up all others that change the same. The server ends its connection then, and it begins anew.
 */
const mostIdleInTransaction = "10s"
/** A server that does not answer must not keep a program from ending. */
const closeTimeout = "2 seconds"
/** What others change at the same time is waited for. Stricter transactions, which may be the usual there, fail instead. */
const isolation = "read committed"
const readers = 4
/** Encodings of a database in which whatever people write can be kept; the second one takes bytes as they are. */
const holdsEveryText: ReadonlyArray<unknown> = ["UTF8", "SQL_ASCII"]
const knownTexts = 512

/** Integers of 64 bits come as bigints; the port gives numbers where these are exact. */
const valueOf = (value: unknown): SqlValue => {
  if (typeof value === "bigint") {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }
  if (typeof value === "boolean") return value ? 1 : 0
  if (value instanceof Date) return value.getTime()
  return typeof value === "number" || typeof value === "string" || value instanceof Uint8Array ? value : null
}

const rowOf = (row: object): Row =>
  Object.fromEntries(Object.entries(row).map(([column, value]) => [column, valueOf(value)]))

const rowCountOf = (result: unknown): number => {
  const count: unknown = typeof result === "object" && result !== null ? Reflect.get(result, "rowCount") : undefined
  return typeof count === "number" ? count : 0
}

const writes = /^(?:\s|--[^\n]*\n)*(?:insert|update|delete|with)\b/i

const storageError = (operation: StorageError["operation"], where: string, error: SqlError, statement?: number) => {
  const { kind, message } = failureOf(error)
  return new StorageError({
    operation,
    kind,
    message: `${operation} ${where}: ${message}`,
    ...(statement === undefined ? {} : { statement })
  })
}

const isSqlError = Schema.is(SqlError)
const isStorageError = Schema.is(StorageError)

/** A transaction on a connection that broke cannot be rolled back either, which the driver takes for a defect. */
const brokenConnection = (where: string, cause: Cause.Cause<StorageError>): Effect.Effect<never, StorageError> => {
  for (const reason of cause.reasons) {
    if (Cause.isFailReason(reason)) return Effect.fail(reason.error)
    if (!Cause.isDieReason(reason)) continue
    if (isStorageError(reason.defect)) return Effect.fail(reason.defect)
    if (isSqlError(reason.defect)) return Effect.fail(storageError("batch", where, reason.defect))
  }
  return Effect.failCause(cause)
}

/** A scope that is closed with the current one, which waits for that, but not for long. */
const hurriedScope = Effect.acquireRelease(Scope.make(), (scope, exit) =>
  Effect.flatMap(Effect.forkDetach(Scope.close(scope, exit)), (closing) =>
    Fiber.await(closing).pipe(Effect.interruptible, Effect.timeoutOption(closeTimeout))
  )
)

const make = Effect.fnUntraced(function* ({ synchronousCommit = true, url }: PostgresOptions) {
  const where = "on PostgreSQL"
  const connections = yield* hurriedScope
  const connect = (maxConnections: number, parameters: Record<string, string>) => {
    const startupParameters = { ...parameters, default_transaction_isolation: isolation }
    return Scope.provide(
      PgClient.make({ url, applicationName: "millrace", connectTimeout, keepAlive, maxConnections, startupParameters }),
      connections
    )
  }
  const writer = yield* connect(1, {
    synchronous_commit: synchronousCommit ? "on" : "off",
    idle_in_transaction_session_timeout: mostIdleInTransaction
  })
  const reader = yield* connect(readers, { default_transaction_read_only: "on" })
  // the order in which batches were issued is that in which they are committed
  const writing = yield* Semaphore.make(1)
  const silent = new StorageError({
    operation: "query",
    kind: "unavailable",
    message: `query ${where}: no answer within ${queryTimeout}`
  })
  const texts = new Map<string, string>()

  const textOf = (sql: string): string => {
    const known = texts.get(sql)
    if (known !== undefined) return known
    const text = numbered(sql)
    if (texts.size < knownTexts) texts.set(sql, text)
    return text
  }

  const send = ({ count, first, params, sql }: Sent): Effect.Effect<ReadonlyArray<number>, StorageError> =>
    writer.unsafe(textOf(sql), params.map(bindable)).raw.pipe(
      Effect.map((result) =>
        count > 1 ? Array.from({ length: count }, () => 1) : [writes.test(sql) ? rowCountOf(result) : 0]
      ),
      Effect.mapError((error) => storageError("batch", `statement ${first + 1} ${where}`, error, first))
    )

  const transaction = (statements: ReadonlyArray<Statement>) =>
    Effect.forEach(together(statements), send).pipe(
      writer.withTransaction,
      Effect.catchTag("SqlError", (error) => Effect.fail(storageError("batch", where, error))),
      Effect.map((changes) => changes.flat()),
      Effect.catchCause((cause) => brokenConnection(where, cause))
    )

  const query = (sql: string, params: ReadonlyArray<SqlValue> = []) =>
    reader.unsafe(textOf(sql), params.map(bindable)).pipe(
      Effect.mapBoth({
        onSuccess: (rows) => rows.map(rowOf),
        onFailure: (error) => storageError("query", where, error)
      }),
      Effect.timeoutOrElse({ duration: queryTimeout, orElse: () => Effect.fail(silent) })
    )

  const [first] = yield* query("select current_setting('server_encoding') as encoding").pipe(
    Effect.mapError(({ kind, message }) => new StorageError({ operation: "open", kind, message }))
  )
  const encoding = first?.["encoding"]
  if (!holdsEveryText.includes(encoding)) {
    const message = `the database has texts as ${String(encoding)}; make one for Millrace with the encoding UTF8`
    return yield* new StorageError({ operation: "open", kind: "other", message })
  }

  // what was issued is done before the connections are closed
  yield* Effect.addFinalizer(() =>
    writing.withPermit(Effect.void).pipe(Effect.interruptible, Effect.timeoutOption(closeTimeout))
  )

  return Database.of({
    dialect: "postgres",
    // in a fiber of its own: one that is interrupted would have to be undone first, by a server that may not answer
    batch: (statements) => Effect.flatMap(Effect.forkDetach(writing.withPermit(transaction(statements))), Fiber.join),
    query
  })
})

/**
 * The database on a PostgreSQL server (14 or newer), shared safely with other processes on any machine. Fails with
 * `operation: "open"` when it cannot be reached. A connection that breaks is replaced; what was under way fails as
 * `unavailable`.
 *
 * Gotcha: text there cannot hold a NUL; one that is written comes back as U+FFFD.
 */
export const layer = (options: PostgresOptions): Layer.Layer<Database, StorageError> =>
  Layer.effect(
    Database,
    Effect.mapError(make(options), (error) =>
      error._tag === "StorageError" ? error : storageError("open", "PostgreSQL", error)
    )
  ).pipe(Layer.provide(Reactivity.layer))
