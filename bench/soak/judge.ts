/** Holds the records of a soak against what its clients saw. */
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import type { SeenCall } from "./client.ts"
import type { Held } from "./inside.ts"
import type { SoakCall } from "./workload.ts"

type Judged = Pick<CallRecord, "id" | "status" | "outcome" | "response" | "requestId">

/** What is wrong with the record of a call, or with the call; nothing where all is well. */
const faultOf = (call: SoakCall, seen: SeenCall, record: Judged): string | undefined => {
  const { outcome, response } = record
  if (record.status !== "ended" || outcome === undefined) return "has not ended"
  if (outcome.kind === "Interrupted") return "was interrupted"
  if (outcome.kind === "Failed" && outcome.reason === "Internal") return "failed because of a defect"
  if (seen.ending === "left") return undefined
  if (seen.ending === "cut") return `was cut without a word, and is recorded as ${outcome.kind}`
  if (seen.ending === "told") {
    const isCancelled = outcome.kind === "Cancelled" && outcome.by === "caller" && call.cancelsAfter !== undefined
    return outcome.kind === "Failed" || isCancelled ? undefined : `failed, and is recorded as ${outcome.kind}`
  }
  if (outcome.kind !== "Completed" || outcome["delivered"] !== true)
    return `is whole, and is recorded as ${outcome.kind}`
  if (!call.model.answers.includes(seen.text)) return `is whole, and is no answer of its model: ${seen.text}`
  if (response?.text !== seen.text) return "is recorded with another text"
  return undefined
}

/**
 * What a server holds at the end that it did not hold once it was warm. A timer or a fiber more or less is that of a
 * housekeeping, and the heap breathes: a leak is as large as the number of calls.
 */
export const leaks = (held: ReadonlyArray<Held>): ReadonlyArray<string> => {
  const [first] = held
  const last = held.at(-1)
  if (first === undefined || last === undefined) return ["nobody looked at the server"]
  const bounds: Held = {
    calls: 0,
    attempts: 0,
    fibers: first.fibers + 5,
    timers: first.timers + 5,
    files: first.files + 5,
    heapBytes: 1.2 * first.heapBytes
  }
  return (Object.keys(bounds) as Array<keyof Held>).flatMap((name) =>
    last[name] <= bounds[name] ? [] : [`the server holds ${last[name]} ${name}; there were ${first[name]}`]
  )
}

/** Everything that is wrong: every call that was admitted is recorded, once, as what its client saw. */
export const judge = (
  made: ReadonlyArray<readonly [SoakCall, SeenCall]>,
  records: ReadonlyArray<Judged>
): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const byRequest = new Map<string, Judged>()
  for (const record of records) {
    const id = record.requestId ?? record.id
    if (byRequest.has(id)) faults.push(`${id} is recorded twice`)
    byRequest.set(id, record)
  }
  for (const [call, seen] of made) {
    const record = byRequest.get(call.id)
    // A client may leave before its call is one.
    if (record === undefined && seen.ending === "left") continue
    const fault =
      record === undefined ? `is not recorded (${seen.status}, ${seen.ending})` : faultOf(call, seen, record)
    if (fault !== undefined) faults.push(`${call.id} (${call.api}, ${call.model.name}) ${fault}`)
  }
  return faults
}
