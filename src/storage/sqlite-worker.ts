// The thread that owns one SQLite connection. Everything here is synchronous and may throw: node:sqlite is so,
// which is why it has a thread of its own.
import { closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"
import type { SqlValue } from "./Database.ts"
import { failureOf } from "./sqlite-errors.ts"
import type { BatchRequest, FromWorker, OpenOptions, QueryRequest, Result, ToWorker } from "./sqlite-messages.ts"

const busyTimeoutMillis = 5000
const cachedStatements = 256

const port = parentPort
if (port === null) throw new Error("sqlite-worker runs as a worker thread")
const reply = (message: FromWorker) => port.postMessage(message)

/** The recursion of `mkdirSync` itself never ends where a folder appears to be missing and cannot be made (`/proc/x/y`). */
const makeFolder = (folder: string) => {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  try {
    // what is stored is what people wrote: folders made for it are their owner's
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // several processes may start at once
    if (!existsSync(folder)) throw error
  }
}

/** SQLite would let everybody read a file that it makes. What it puts beside it gets the same rights. */
const makeFile = (filename: string) => {
  if (existsSync(filename)) return
  try {
    closeSync(openSync(filename, "wx", 0o600))
  } catch {
    // another process was faster, or it cannot be made, which SQLite says in its own words
  }
}

/** Which file has a name now; undefined where none has. */
const fileAt = (filename: string): number | undefined => statSync(filename, { throwIfNoEntry: false })?.ino

const connect = (options: OpenOptions): DatabaseSync => {
  if (options.again && fileAt(options.filename) === undefined) {
    throw Object.assign(new Error("the file was removed while it was in use"), { code: "ENOENT" })
  }
  if (options.access === "write") {
    makeFolder(dirname(resolve(options.filename)))
    makeFile(options.filename)
  }
  const database = new DatabaseSync(options.filename, { timeout: busyTimeoutMillis, enableForeignKeyConstraints: true })
  if (options.access === "write") prepareForWriting(database, options)
  // not opened read-only: whoever comes first after a crash, a reader too, must be able to recover the WAL
  if (options.access === "read") database.exec("PRAGMA query_only = ON")
  return database
}

const prepareForWriting = (database: DatabaseSync, { synchronous }: OpenOptions) => {
  // Records are large: half as many pages for them are half as many writes. Only a new file heeds it.
  database.exec("PRAGMA page_size = 8192; PRAGMA cache_size = -16000")
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"]
  if (mode !== "wal") {
    const message = `the file system does not support write-ahead logging (journal mode ${mode})`
    throw Object.assign(new Error(message), { code: "ENOTSUP" })
  }
  database.exec(`PRAGMA synchronous = ${synchronous}`)
  database.exec("PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864")
  // SQLite opens a file that it may not write without complaint and fails at the first write: write now
  const version = database.prepare("PRAGMA user_version").get()?.["user_version"]
  database.exec("BEGIN IMMEDIATE")
  database.exec(`PRAGMA user_version = ${version}; ROLLBACK`)
}

interface Prepared {
  readonly statement: StatementSync
  /** Whether `changes` is about this statement: after any other, SQLite repeats the number of the last write. */
  readonly writes: boolean
}

const writing = /^(?:\s|--[^\n]*\n|\/\*[^]*?\*\/)*(?:insert|update|delete|replace|with)\b/i
const prepared = new Map<string, Prepared>()

/** Most recently used last, so that the first is the one to drop. */
const prepare = (database: DatabaseSync, sql: string): Prepared => {
  const known = prepared.get(sql)
  if (known !== undefined) {
    prepared.delete(sql)
    prepared.set(sql, known)
    return known
  }
  const statement = database.prepare(sql)
  // SQLite compiles the first statement of a text and silently drops the rest
  if (sql.slice(statement.sourceSQL.length).trim() !== "") throw new Error("the text holds more than one statement")
  statement.setReturnArrays(true)
  const entry = { statement, writes: writing.test(sql) }
  prepared.set(sql, entry)
  if (prepared.size > cachedStatements) {
    for (const oldest of prepared.keys()) {
      prepared.delete(oldest)
      break
    }
  }
  return entry
}

const answer = (parts: {
  readonly changes?: Array<number>
  readonly columns?: Array<string>
  readonly rows?: Array<Array<SqlValue>>
}): Result => ({
  _tag: "Answer",
  changes: parts.changes ?? [],
  columns: parts.columns ?? [],
  rows: parts.rows ?? []
})

/** Runs the statements inside the open transaction; `starting` is told the index of each. */
const runAll = (
  database: DatabaseSync,
  { texts, values }: BatchRequest,
  starting: (statement: number) => void
): Array<number> => {
  const changes: Array<number> = []
  let offset = 0
  while (offset < values.length) {
    starting(changes.length)
    const end = offset + 2 + Number(values[offset + 1])
    const { statement, writes } = prepare(database, texts[Number(values[offset])] ?? "")
    const result = statement.run(...values.slice(offset + 2, end))
    changes.push(writes ? Number(result.changes) : 0)
    offset = end
  }
  return changes
}

const batch = (database: DatabaseSync, request: BatchRequest): Result => {
  let running: number | undefined
  try {
    database.exec("BEGIN IMMEDIATE")
    const changes = runAll(database, request, (statement) => {
      running = statement
    })
    running = undefined
    database.exec("COMMIT")
    return answer({ changes })
  } catch (error) {
    // SQLite may have rolled back itself. If this one throws, the connection is lost, and the thread ends with it.
    if (database.isTransaction) database.exec("ROLLBACK")
    return failureOf(error, running)
  }
}

const isExact = (value: SqlValue): value is bigint =>
  typeof value === "bigint" && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER

/** Reads integers as numbers, and once more as bigints when one of them is too large for that. */
const readAll = (statement: StatementSync, params: ReadonlyArray<SqlValue>): Array<Array<SqlValue>> => {
  // the statement was told to return arrays, which the type of `all` does not know
  const all = () => statement.all(...params) as unknown as Array<Array<SqlValue>>
  try {
    return all()
  } catch (error) {
    if (!(error instanceof RangeError && Reflect.get(error, "code") === "ERR_OUT_OF_RANGE")) throw error
    statement.setReadBigInts(true)
    try {
      return all().map((row) => row.map((value) => (isExact(value) ? Number(value) : value)))
    } finally {
      statement.setReadBigInts(false)
    }
  }
}

const query = (database: DatabaseSync, { access }: OpenOptions, { params, sql }: QueryRequest): Result => {
  try {
    // a database in memory has this one connection, which must be as strict as a file's reader
    if (access === "memory") database.exec("PRAGMA query_only = ON")
    const { statement } = prepare(database, sql)
    const rows = readAll(statement, params)
    return answer({ columns: statement.columns().map((column) => column.name), rows })
  } catch (error) {
    return failureOf(error)
  } finally {
    if (access === "memory") database.exec("PRAGMA query_only = OFF")
  }
}

/**
 * A file that is removed or replaced can be written to, and is gone with the last that has it open. So nothing is said to be
 * written there: the thread ends, and the next one opens what has the name by then.
 */
const stillThere = ({ access, filename }: OpenOptions): (() => void) => {
  if (access === "memory") return () => {}
  const opened = fileAt(filename)
  return () => {
    if (fileAt(filename) !== opened) throw new Error("the file was removed or replaced while it was in use")
  }
}

const serve = (database: DatabaseSync, options: OpenOptions) => {
  const checkFile = stillThere(options)
  port.on("message", (message: ToWorker) => {
    if (message === "close") {
      database.close()
      port.close()
      return
    }
    const { id, request } = message
    const result = request.operation === "batch" ? batch(database, request) : query(database, options, request)
    checkFile()
    reply({ id, result })
  })
}

const start = (options: OpenOptions) => {
  try {
    serve(connect(options), options)
    reply({ id: 0, result: answer({}) })
  } catch (error) {
    reply({ id: 0, result: failureOf(error) })
  }
}

start(workerData)
