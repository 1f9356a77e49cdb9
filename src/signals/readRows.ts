import { Effect, type Schema } from "effect"
import { type Database, type Row, type Statement, StorageError } from "../storage/Database.ts"

const unreadable = (error: Schema.SchemaError) =>
  new StorageError({ operation: "query", kind: "corrupt", message: `a row of the signals: ${error.message}` })

/** What a statement finds in the tables of the signals; fails as `corrupt` where that is not what is written there. */
export const readRows = <A>(
  database: Database["Service"],
  { params, sql }: Statement,
  decode: (rows: ReadonlyArray<Row>) => Effect.Effect<A, Schema.SchemaError>
): Effect.Effect<A, StorageError> =>
  Effect.flatMap(database.query(sql, params), (rows) => Effect.mapError(decode(rows), unreadable))
