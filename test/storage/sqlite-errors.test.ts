import { assert, describe, it } from "@effect/vitest"
import { failureOf } from "../../src/storage/sqlite-errors.ts"

/** As `node:sqlite` throws: the extended result code, whose low byte is the primary one. */
const sqliteError = (errcode: number) => Object.assign(new Error("words"), { code: "ERR_SQLITE_ERROR", errcode })
const systemError = (code: string) => Object.assign(new Error("words"), { code })

describe("failureOf", () => {
  it.each([
    ["SQLITE_BUSY", 5, "busy"],
    ["SQLITE_BUSY_SNAPSHOT", 517, "busy"],
    ["SQLITE_LOCKED", 6, "busy"],
    ["SQLITE_FULL", 13, "full"],
    ["SQLITE_CONSTRAINT_UNIQUE", 2067, "constraint"],
    ["SQLITE_READONLY_DBMOVED", 1032, "readonly"],
    ["SQLITE_IOERR_FSYNC", 1034, "unavailable"],
    ["SQLITE_CANTOPEN", 14, "unavailable"],
    ["SQLITE_CORRUPT_INDEX", 779, "corrupt"],
    ["SQLITE_NOTADB", 26, "corrupt"],
    ["SQLITE_ERROR", 1, "other"],
    ["SQLITE_RANGE", 25, "other"]
  ] as const)("%s", (_, errcode, kind) => {
    assert.deepStrictEqual(failureOf(sqliteError(errcode), 2), {
      _tag: "Failure",
      kind,
      message: "words",
      statement: 2
    })
  })

  it("a table that is not there may come back", () => {
    const missing = Object.assign(new Error("no such table: audit_records"), { code: "ERR_SQLITE_ERROR", errcode: 1 })
    assert.strictEqual(failureOf(missing).kind, "unavailable")
  })

  it.each([
    ["ENOSPC", "full"],
    ["EACCES", "unavailable"],
    ["EROFS", "unavailable"],
    ["ERR_INVALID_ARG_TYPE", "other"]
  ] as const)("%s", (code, kind) => {
    assert.deepStrictEqual(failureOf(systemError(code)), { _tag: "Failure", kind, message: "words" })
  })
})
