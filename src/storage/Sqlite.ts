import { Effect, Layer } from "effect"
import { Database, StorageError } from "./Database.ts"
import { batchRequest, type Failure, type OpenOptions, queryRequest, rowsOf } from "./sqlite-messages.ts"
import * as SqliteConnection from "./SqliteConnection.ts"

/** Where the database is, and what an acknowledged batch survives. */
export interface SqliteOptions {
  /** A file, made with its folders if absent; `:memory:` for what `layerMemory` gives. */
  readonly filename: string
  /** Both survive a crash of the process; after a power loss `NORMAL` may miss the last batches. Default `FULL`. */
  readonly synchronous?: "FULL" | "NORMAL"
}

const abbreviate = (sql: string) => {
  const line = sql.replaceAll(/\s+/g, " ").trim()
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}

/** `where` names the statement, `failure` has SQLite's words. */
const storageError = (operation: StorageError["operation"], where: string, failure: Failure) =>
  new StorageError({
    operation,
    kind: failure.kind,
    message: `${operation} ${where}: ${failure.message}`,
    ...(failure.statement === undefined ? {} : { statement: failure.statement })
  })

/**
 * Two connections, each in a thread of its own: SQLite is synchronous, so on the main thread a commit would
 * stop every stream, and on the writer's thread a query would wait for the batches before it.
 */
const make = Effect.fnUntraced(function* ({ filename, synchronous = "FULL" }: SqliteOptions) {
  const open = (access: OpenOptions["access"]) =>
    Effect.mapError(SqliteConnection.make({ filename, access, synchronous }), (failure) =>
      storageError("open", filename, failure)
    )
  const inMemory = filename === ":memory:"
  const writer = yield* open(inMemory ? "memory" : "write")
  const reader = inMemory ? writer : yield* open("read")

  return Database.of({
    dialect: "sqlite",
    batch: (statements) =>
      writer.send(batchRequest(statements)).pipe(
        Effect.map((answer) => answer.changes),
        Effect.mapError((failure) => {
          const index = failure.statement
          if (index === undefined) return storageError("batch", `on ${filename}`, failure)
          const where = `statement ${index + 1} of ${statements.length} on ${filename}`
          return storageError("batch", `${where} (${abbreviate(statements[index]?.sql ?? "")})`, failure)
        })
      ),
    query: (sql, params = []) =>
      reader.send(queryRequest(sql, params)).pipe(
        Effect.map(rowsOf),
        Effect.mapError((failure) => storageError("query", `on ${filename} (${abbreviate(sql)})`, failure))
      )
  })
})

/**
 * The database in one SQLite file (WAL), shared safely with other processes on this machine. Fails with
 * `operation: "open"` when the file is not a database or cannot be written. When a thread of it dies, what was
 * under way fails as `unavailable` and a new thread takes over. Closing finishes the batches that were issued.
 */
export const layer = (options: SqliteOptions): Layer.Layer<Database, StorageError> =>
  Layer.effect(Database, make(options))

/**
 * A database of this process that is forgotten with its scope: for trials and tests. It has one thread, so
 * queries wait for batches; when that thread dies the data is gone and every later operation fails.
 */
export const layerMemory: Layer.Layer<Database, StorageError> = layer({ filename: ":memory:" })
