import type { Schema } from "effect"
import type { Extensions } from "../domain/LlmRequest.ts"
import { fieldsOf } from "./open-document.ts"

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

/** The fields that other formats than `own` kept for themselves, and that are lost where this one is sent. */
export const foreignFields = (extensions: Extensions | undefined, own: string): ReadonlyArray<string> =>
  Object.entries(extensions ?? {}).flatMap(([protocol, fields]) =>
    // Clients write `null` for what they leave out.
    protocol === own
      ? []
      : Object.entries(fields).flatMap(([field, value]) => (value === null || isOwnAffair(field, value) ? [] : [field]))
  )
