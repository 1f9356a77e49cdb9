/** Keeps the records of a baseline's calls as Millrace keeps those of its own by default, in a SQLite file. */
import { join } from "node:path"
import { Effect, Layer, ManagedRuntime } from "effect"
import { layer as sqlStore } from "../src/audit/AuditStoreSql.ts"
import { AuditTrail } from "../src/audit/AuditTrail.ts"
import { layer as sqlite } from "../src/storage/Sqlite.ts"
import { finalRecord, openRecord, type RecordedCall } from "./call-records.ts"
import { type Conversion, tapOnly } from "./conversions.ts"

/**
 * Records that a call begins, and when that is durable calls `serve` with what reads its answer and records its end,
 * which nobody waits for.
 */
export type Recording = (
  request: Pick<RecordedCall, "model" | "request" | "requestText">,
  serve: (conversion: Conversion) => void
) => void

export const startRecording = async (folder: string): Promise<Recording> => {
  const store = Layer.provide(sqlStore, sqlite({ filename: join(folder, "raw-record.db") }))
  const trail = await ManagedRuntime.make(Layer.provide(AuditTrail.layer(), store)).runPromise(AuditTrail)
  let made = 0
  return (request, serve) => {
    const id = `call-${String(made++).padStart(20, "0")}`
    const call: RecordedCall = { ...request, id, delivery: "whole", openedAt: Date.now() }
    const whole = (body: Buffer): Buffer => {
      const { choices } = JSON.parse(body.toString())
      Effect.runFork(trail.finalize(finalRecord(call, choices[0].message.content)))
      return body
    }
    Effect.runFork(trail.open(openRecord(call))).addObserver(() => serve({ ...tapOnly, whole }))
  }
}
