import type { Schema } from "effect"
import type { Extensions } from "../domain/LlmRequest.ts"
import { fieldsOf, isObject } from "./open-document.ts"

/**
 * The name under which a format keeps how it said something that is canonical, for itself alone: that the effort came as
 * an effort, that an instruction stood where it stood. A mark is never sent, and nobody else loses anything by it.
 */
export const mark = (name: string): string => `~${name}`

/** Whether a field is a mark. */
export const isMark = (field: string): boolean => field.startsWith("~")

/** An id is the name of a piece of an answer at the provider that gave it, and means nothing to another one. */
const isName = (field: string): boolean => field === "id"

/** Claude's API says of every call who made it: that the model did, and no program, goes without saying. */
const isUsualCaller = (field: string, value: Schema.Json): boolean =>
  field === "caller" && fieldsOf(value)["type"] === "direct"

/** Whether a field means nothing to anybody but the format that has it. */
export const isOwnAffair = (field: string, value: Schema.Json): boolean =>
  isMark(field) || isName(field) || isUsualCaller(field, value)

/** Groups of fields of which only those are kept that nobody else has words for: each of them is what is lost. */
const groups: ReadonlySet<string> = new Set([
  "generationConfig",
  "media",
  "output_config",
  "source",
  "thinking",
  "toolConfig"
])

/** What is lost with a field. Of a document or a search result that is a text elsewhere, it is what stands beside the text. */
const namesIn = (field: string, value: Schema.Json): ReadonlyArray<string> => {
  if (value === null || isOwnAffair(field, value)) return []
  if (!isObject(value)) return [field]
  if (groups.has(field)) return Object.keys(value).map((name) => `${field}.${name}`)
  if (field !== "block") return [field]
  const { type, content: _, source, ...beside } = value
  const address = typeof source === "string" ? { source } : {}
  return Object.entries({ ...address, ...beside }).flatMap(([name, said]) =>
    said === null ? [] : [`${String(type)}.${name}`]
  )
}

/** The fields that other formats than `own` kept for themselves, and that are lost where this one is sent. */
export const foreignFields = (extensions: Extensions | undefined, own: string): ReadonlyArray<string> =>
  Object.entries(extensions ?? {}).flatMap(([protocol, fields]) =>
    // Clients write `null` for what they leave out.
    protocol === own ? [] : Object.entries(fields).flatMap(([field, value]) => namesIn(field, value))
  )
