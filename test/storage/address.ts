import { Layer, Redacted } from "effect"
import type { Database, StorageError } from "../../src/storage/Database.ts"
import * as Postgres from "../../src/storage/Postgres.ts"
import * as Sqlite from "../../src/storage/Sqlite.ts"

/**
 * The database at an address, the path of a file or the URL of a PostgreSQL database, opened anew for each layer that
 * is built.
 */
export const databaseAt = (address: string): Layer.Layer<Database, StorageError> =>
  Layer.fresh(
    address.startsWith("postgres:")
      ? Postgres.layer({ url: Redacted.make(address) })
      : Sqlite.layer({ filename: address })
  )
