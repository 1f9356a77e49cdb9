import type { Schema } from "effect"
import type { Notices } from "../Notices.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { isUnchanged } from "../unchanged.ts"
import { claudeGeneration } from "./traits.ts"

type Json = Schema.Json

/** Whether the clouds keep for longer than five minutes what a model read: before 4.5 they refuse to be asked. */
export const cachesLong = (model: string): boolean => (claudeGeneration(model) ?? Infinity) >= 4.5

/**
 * A request of the Messages API as the clouds take it, which know less of caching and refuse the rest: of a marker neither
 * for whom the prompt is kept nor, with older models, for how long; and no wish to cache the prompt as a whole, in whose place
 * the end is marked. What has nothing of that stays the same object.
 */
export const cacheForClouds = (body: JsonObject, model: string, said: Notices): JsonObject => {
  const marked = markedEnd(body)
  const long = cachesLong(model)
  const fields = ["system", "tools", "messages"].flatMap((name) => {
    const value = marked[name]
    const plain = value === undefined ? value : plainMarks(value, long, said)
    return plain === undefined || plain === value ? [] : [[name, plain] as const]
  })
  return fields.length === 0 ? marked : { ...marked, ...Object.fromEntries(fields) }
}

/** The same value with plain markers at its blocks and at those within them. */
const plainMarks = (value: Json, long: boolean, said: Notices): Json => {
  if (Array.isArray(value)) {
    const items = value.map((item) => plainMarks(item, long, said))
    return isUnchanged(items, value) ? value : items
  }
  if (!isObject(value)) return value
  const { cache_control: control, content } = value
  const inner = Array.isArray(content) ? plainMarks(content, long, said) : content
  const mark = isObject(control) ? plainMark(control, long, said) : control
  if (inner === content && mark === control) return value
  return {
    ...value,
    ...(inner === content || inner === undefined ? {} : { content: inner }),
    ...(mark === control || mark === undefined ? {} : { cache_control: mark })
  }
}

const plainMark = (control: JsonObject, long: boolean, said: Notices): JsonObject => {
  const { scope, ttl, ...others } = control
  if (scope === undefined && (long || ttl === undefined)) return control
  if (scope !== undefined) said.dropped("the scope of a cache marker", "the provider does not know it")
  if (!long && ttl !== undefined && ttl !== "5m") said.add("changed", `a cache marker for ${String(ttl)} is one for 5m`)
  return { ...others, ...(long && ttl !== undefined ? { ttl } : {}) }
}

/** What a marker may stand at. */
const isMarkable = (block: Json | undefined): block is JsonObject =>
  isObject(block) && block["type"] !== "thinking" && block["type"] !== "redacted_thinking"

const markedEnd = (body: JsonObject): JsonObject => {
  const { cache_control: control, ...others } = body
  if (control === undefined) return body
  const { messages } = others
  const last = Array.isArray(messages) ? messages.at(-1) : undefined
  if (!Array.isArray(messages) || !isObject(last) || !isObject(control)) return others
  const { content } = last
  const blocks: ReadonlyArray<Json> =
    typeof content === "string" ? [{ type: "text", text: content }] : Array.isArray(content) ? content : []
  const at = blocks.findLastIndex(isMarkable)
  const block = blocks[at]
  if (!isMarkable(block) || block["cache_control"] !== undefined || block["text"] === "") return others
  const marked = blocks.with(at, { ...block, cache_control: control })
  return { ...others, messages: [...messages.slice(0, -1), { ...last, content: marked }] }
}
