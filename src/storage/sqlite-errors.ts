import type { StorageErrorKind } from "./Database.ts"
import type { Failure } from "./sqlite-messages.ts"

/** SQLite's primary result codes. What is not named is a mistake in the statement. */
const kinds: Readonly<Record<number, StorageErrorKind>> = {
  3: "readonly", // PERM
  5: "busy", // BUSY
  6: "busy", // LOCKED
  7: "unavailable", // NOMEM
  8: "readonly", // READONLY
  9: "unavailable", // INTERRUPT
  10: "unavailable", // IOERR
  11: "corrupt", // CORRUPT
  13: "full", // FULL
  14: "unavailable", // CANTOPEN
  15: "busy", // PROTOCOL: lost too many races for a lock
  19: "constraint", // CONSTRAINT
  23: "readonly", // AUTH
  26: "corrupt" // NOTADB
}

const property = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined

/** Migrations have made every table: where one is missing, a backup is being put back. */
const lacksTable = (error: unknown): boolean => error instanceof Error && error.message.startsWith("no such table")

/** Only `ERR_…` codes are Node's complaints about an argument; the others (`EACCES`, `ENOSPC`) are the system's. */
const kindOf = (error: unknown): StorageErrorKind => {
  if (lacksTable(error)) return "unavailable"
  const errcode = property(error, "errcode")
  // the low byte is the primary code, the rest of an extended code says more about it
  if (typeof errcode === "number") return kinds[errcode & 0xff] ?? "other"
  const code = property(error, "code")
  if (code === "ENOSPC" || code === "EDQUOT") return "full"
  return typeof code === "string" && !code.startsWith("ERR_") ? "unavailable" : "other"
}

/** Reads what `node:sqlite` or `node:fs` threw. */
export const failureOf = (error: unknown, statement?: number): Failure => ({
  _tag: "Failure",
  kind: kindOf(error),
  message: error instanceof Error ? error.message : String(error),
  ...(statement === undefined ? {} : { statement })
})
