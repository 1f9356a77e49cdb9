import type { Schema } from "effect"
import type { Extensions } from "../../domain/LlmRequest.ts"
import { mark } from "../foreign-fields.ts"
import type { JsonObject } from "../open-document.ts"
import { geminiId } from "./wire.ts"

/** Marks thinking that was asked for in this format, so that it is not taken for what another one leaves to the target. */
export const statedThinking = mark("thinkingConfig")

/** Marks the answer of a function that stood beside the function's name. */
export const wrappedWithName = mark("wrappedWithName")

type Fields = { readonly [key: string]: Schema.Json | undefined }

/** The `extensions` that keep what only this format knows; nothing where there is nothing to keep. */
export const extended = (fields: Fields | undefined): { readonly extensions?: Extensions } => {
  const kept = filled(fields ?? {})
  return kept === undefined ? {} : { extensions: { [geminiId]: kept } }
}

/** An object of the given fields that have a value; undefined where none has. */
export const filled = (fields: Fields): JsonObject | undefined => {
  let kept: Record<string, Schema.Json> | undefined
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) (kept ??= {})[key] = value
  return kept
}

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[geminiId] ?? {}
