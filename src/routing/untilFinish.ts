import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Frame } from "../domain/Frame.ts"

/**
 * What counts of a batch in which the answer becomes complete, or which comes after that: nothing of the answer follows
 * its `Finish`. A frame that only repeats the end or tells the usage stays, as text alone.
 */
export const untilFinish = (batch: NonEmptyReadonlyArray<Frame>, wasComplete: boolean): ReadonlyArray<Frame> => {
  let complete = wasComplete
  const counted: Array<Frame> = []
  for (const frame of batch) {
    const { events } = frame
    const end = complete ? 0 : events.findIndex((event) => event._tag === "Finish") + 1
    const extra = complete || end > 0 ? events.slice(end) : []
    complete ||= end > 0
    if (extra.length === 0) counted.push(frame)
    else if (extra.every((event) => event._tag === "UsageReported" || event._tag === "Finish"))
      counted.push({ ...frame, events: events.slice(0, end) })
    else if (end > 0) counted.push({ ...frame, raw: undefined, events: events.slice(0, end) })
  }
  return counted
}
