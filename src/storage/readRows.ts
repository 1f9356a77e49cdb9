import { Effect, type Schema } from "effect"
import { type Database, type Row, type Statement, StorageError } from "./Database.ts"

type Decode<A> = (rows: ReadonlyArray<Row>) => Effect.Effect<A, Schema.SchemaError>

/** Reads what a statement finds; fails as `corrupt` where that is not `what` is written there, such as "the audit trail". */
export const readRows =
  (database: Database["Service"], what: string) =>
  <A>({ params, sql }: Statement, decode: Decode<A>): Effect.Effect<A, StorageError> =>
    Effect.flatMap(database.query(sql, params), (rows) =>
      Effect.mapError(
        decode(rows),
        ({ message }) =>
          new StorageError({ operation: "query", kind: "corrupt", message: `a row of ${what}: ${message}` })
      )
    )
