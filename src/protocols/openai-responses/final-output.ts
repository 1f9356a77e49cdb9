import { isObject, type JsonObject } from "../open-document.ts"
import type { Typed } from "./stream-events.ts"

const isTyped = (item: unknown): item is Typed => isObject(item) && typeof item["type"] === "string"

const hasSame = (field: string, one: JsonObject, other: JsonObject): boolean =>
  typeof one[field] === "string" && one[field] !== "" && one[field] === other[field]

/** An item as it was announced in a stream. Servers may give all of them one index. */
export interface Streamed {
  readonly index: number
  readonly item: Typed
}

/** Whether what is announced is another item than the one that is open at its index, and not that one once more. */
export const isAnother = (item: Typed, open: Typed): boolean =>
  item.type !== open.type || (item["call_id"] !== undefined && item["call_id"] !== open["call_id"])

/**
 * The items of a finished output, each with the index that it was streamed by; without one where it was not. Servers count
 * items of a stream from another number on, or leave some out of it that they list in the end, so that the place in the
 * list says nothing: items are known by their ids, and those whose id is another one each time by their type, in order.
 */
export const streamedOutput = (
  output: unknown,
  streamed: ReadonlyArray<Streamed>
): ReadonlyArray<readonly [item: Typed, index: number | undefined]> => {
  const items: ReadonlyArray<unknown> = Array.isArray(output) ? output : []
  const left = new Set(streamed)
  const take = (isIt: (other: Typed) => boolean): number | undefined => {
    for (const other of left) if (isIt(other.item) && left.delete(other)) return other.index
    return undefined
  }
  const typed = items.filter(isTyped)
  const known = typed.map((item) =>
    take((other) => item.type === other.type && (hasSame("call_id", item, other) || hasSame("id", item, other)))
  )
  return typed.map((item, at) => [item, known[at] ?? take(({ type }) => type === item.type)])
}
