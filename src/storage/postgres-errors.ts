import type { SqlError } from "effect/sql/SqlError"
import type { StorageErrorKind } from "./Database.ts"

/** SQLSTATEs, or their classes, which are their first two characters. What is not named is a mistake in the statement. */
const kinds: { readonly [code: string]: StorageErrorKind } = {
  "08": "unavailable", // connection
  "23": "constraint",
  "25006": "readonly", // read_only_sql_transaction
  "25P03": "unavailable", // the process stood still in a transaction, which the server has ended
  "25P04": "unavailable", // the transaction took longer than somebody allows
  "28": "unavailable", // authorization
  "3D": "unavailable", // there is no such database
  "40": "busy", // serialization, deadlock
  "42501": "readonly", // insufficient_privilege
  "42P01": "unavailable", // undefined_table: a backup is being put back
  "53": "unavailable", // resources
  "53100": "full", // disk_full
  "54000": "full", // program_limit_exceeded
  "55P03": "busy", // lock_not_available
  "57": "unavailable", // shutdown, cancelled
  "58": "unavailable", // the server's own input and output
  "58030": "unavailable",
  F0: "unavailable", // configuration file
  XX001: "corrupt",
  XX002: "corrupt"
}

/** A server says so when it has come to its end, and of a row that is too long for an index: then it names the table. */
const isTooLong = (code: string, cause: Error): boolean => code === "54000" && Reflect.get(cause, "table") !== undefined

/** What a failure of the driver means. */
export const failureOf = (error: SqlError): { readonly kind: StorageErrorKind; readonly message: string } => {
  const { cause } = error.reason
  if (!(cause instanceof Error)) return { kind: "unavailable", message: error.message }
  const { message } = cause
  const code: unknown = Reflect.get(cause, "code")
  // of a connection that broke there is none
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return { kind: "unavailable", message }
  if (isTooLong(code, cause)) return { kind: "other", message }
  return { kind: kinds[code] ?? kinds[code.slice(0, 2)] ?? "other", message }
}
