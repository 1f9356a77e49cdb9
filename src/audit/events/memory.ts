import { Effect } from "effect"
import { type EventRow, type EventStore, mostEventsRead } from "./EventStore.ts"

const bytesOf = ({ body }: EventRow) => body.length

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

const inOrder = (one: EventRow, other: EventRow): number =>
  (one.at ?? 0) - (other.at ?? 0) || compare(one.owner, other.owner) || compare(one.id, other.id)

/** The events in this process. `callerOf` knows by which key a call was made, undefined where it knows no such call. */
export const memoryEvents = (callerOf: (call: string) => string | null | undefined): EventStore => {
  let kept = new Map<string, EventRow>()
  const keyOf = ({ id, owner }: EventRow) => `${owner}\n${id}`
  return {
    keep: (rows) =>
      Effect.sync(() => {
        for (const row of rows) if (!kept.has(keyOf(row))) kept.set(keyOf(row), row)
        return rows.map((row) => kept.get(keyOf(row))?.hash)
      }),
    of: (call, owners) =>
      Effect.sync(() => {
        const told = [...kept.values()].filter(({ owner }) => owners.includes(owner))
        const runs = new Set(told.flatMap((row) => (row.call === call && row.run !== null ? [row.run] : [])))
        return told
          .filter((row) => row.call === call || (row.run !== null && runs.has(row.run)))
          .toSorted(inOrder)
          .slice(0, mostEventsRead + 1)
      }),
    callersOf: (calls) =>
      Effect.sync(() => {
        const callers = calls.map((call) => [call, callerOf(call)] as const)
        return new Map(callers.flatMap(([call, caller]) => (caller === undefined ? [] : [[call, caller] as const])))
      }),
    prune: ({ maxBytes = Number.POSITIVE_INFINITY, openedFrom = 0 }) =>
      Effect.sync(() => {
        let bytes = [...kept.values()].reduce((sum, row) => sum + bytesOf(row), 0)
        const before = kept.size
        kept = new Map(
          [...kept].filter(([, row]) => {
            if (row.receivedAt >= openedFrom && bytes <= maxBytes) return true
            bytes -= bytesOf(row)
            return false
          })
        )
        return before - kept.size
      })
  }
}
