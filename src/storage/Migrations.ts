import { Clock, Effect, Schema } from "effect"
import { Database, type Dialect, type Statement, type StorageError } from "./Database.ts"

/** One step in the history of a subject's tables. What was released is never edited: add a step. */
export interface Migration {
  /** Ascending within the subject. */
  readonly id: number
  readonly name: string
  /** Run in one transaction, in order; a function where the databases need different words. */
  readonly statements: ReadonlyArray<string | ((dialect: Dialect) => string)>
}

/** The database and this program do not agree on the history of a subject's tables. Nothing was changed. */
export class MigrationError extends Schema.TaggedError<MigrationError>()("MigrationError", {
  subject: Schema.String,
  message: Schema.String
}) {}

interface Recorded {
  readonly id: number
  readonly name: string
}

const createTable = `create table if not exists millrace_migrations (
  subject text not null,
  id integer not null,
  name text not null,
  applied_at bigint not null,
  primary key (subject, id)
)`

/** PostgreSQL does not look and create in one step: of two that create "if not exists" at once, one may fail. */
const oneAtATime: Statement = { sql: "select pg_advisory_xact_lock(hashtext('millrace_migrations'))", params: [] }

const RecordedRows = Schema.Array(Schema.Struct({ id: Schema.Int, name: Schema.String }))

const readRecorded = Effect.fnUntraced(function* (subject: string) {
  const database = yield* Database
  const rows = yield* database.query("select id, name from millrace_migrations where subject = ? order by id", [
    subject
  ])
  return yield* Effect.orDie(Schema.decodeUnknownEffect(RecordedRows)(rows))
})

const describe = ({ id, name }: Recorded) => `${id} (${name})`

/** What is recorded must be how the declared history begins; anything else is refused with the reason. */
const disagreement = (recorded: ReadonlyArray<Recorded>, declared: ReadonlyArray<Migration>): string | undefined => {
  for (const [index, migration] of declared.entries()) {
    const previous = declared[index - 1]
    if (previous !== undefined && previous.id >= migration.id) {
      return `migration ${describe(migration)} is declared after ${describe(previous)}`
    }
  }
  for (const [index, done] of recorded.entries()) {
    const migration = declared[index]
    if (migration?.id === done.id && migration.name === done.name) continue
    if (migration?.id === done.id) {
      return `migration ${done.id} is "${migration.name}" here, but "${done.name}" was applied to the database`
    }
    if (migration !== undefined && migration.id < done.id) {
      return `migration ${describe(migration)} comes before ${describe(done)}, which the database has already`
    }
    return `the database is newer than this program: it has migration ${describe(done)}, which is unknown here`
  }
  return undefined
}

/** The record goes first, so that of several processes only the one whose record is accepted runs the rest. */
const statementsOf = (
  subject: string,
  { id, name, statements }: Migration,
  now: number,
  dialect: Dialect
): ReadonlyArray<Statement> => [
  {
    sql: "insert into millrace_migrations (subject, id, name, applied_at) values (?, ?, ?, ?)",
    params: [subject, id, name, now]
  },
  ...statements.map((sql) => ({ sql: typeof sql === "string" ? sql : sql(dialect), params: [] }))
]

const lostTheRace = (error: StorageError) => error.kind === "constraint" && error.statement === 0

/**
 * Brings the tables of one subject up to date and gives the ids of the migrations it applied itself. Several
 * processes may do this at once: each migration runs in one transaction, once.
 *
 * Written on `Database` rather than with `Migrator` of `effect/sql`: that one keeps a transaction open over
 * several trips to the thread, compares no names, and starts on a database newer than the program.
 */
export const migrate: (
  subject: string,
  migrations: ReadonlyArray<Migration>
) => Effect.Effect<ReadonlyArray<number>, StorageError | MigrationError, Database> = Effect.fn("storage.migrate")(
  function* (subject: string, migrations: ReadonlyArray<Migration>) {
    const database = yield* Database
    yield* database.batch([...(database.dialect === "postgres" ? [oneAtATime] : []), { sql: createTable, params: [] }])
    const applied: Array<number> = []
    for (;;) {
      const recorded = yield* readRecorded(subject)
      const message = disagreement(recorded, migrations)
      if (message !== undefined) return yield* new MigrationError({ subject, message: `${subject}: ${message}` })
      const next = migrations[recorded.length]
      if (next === undefined) return applied
      const now = yield* Clock.currentTimeMillis
      const ran = yield* database.batch(statementsOf(subject, next, now, database.dialect)).pipe(
        Effect.as(true),
        Effect.catchIf(lostTheRace, () => Effect.succeed(false))
      )
      if (ran) applied.push(next.id)
    }
  }
)
