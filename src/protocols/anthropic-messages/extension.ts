import type { Schema } from "effect"
import type { Extensions } from "../../domain/LlmRequest.ts"
import type { JsonObject } from "./open-document.ts"
import { anthropicMessagesId } from "./wire.ts"

type Fields = { readonly [key: string]: Schema.Json | undefined }

/** The `extensions` that keep what only this format knows; nothing where there is nothing to keep. */
export const extended = (fields: Fields | undefined): { readonly extensions?: Extensions } => {
  const kept: Record<string, Schema.Json> = {}
  for (const [key, value] of Object.entries(fields ?? {})) if (value !== undefined) kept[key] = value
  return Object.keys(kept).length === 0 ? {} : { extensions: { [anthropicMessagesId]: kept } }
}

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[anthropicMessagesId] ?? {}

/** A struct with only those of the given fields that have a value. */
export const present = <F extends { readonly [key: string]: unknown }>(
  fields: F
): { readonly [K in keyof F]?: Exclude<F[K], undefined | null> } => {
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(fields)) if (fields[key] !== undefined && fields[key] !== null) kept[key] = fields[key]
  // Exactly the fields of `F` whose value is neither undefined nor null.
  return kept as { readonly [K in keyof F]?: Exclude<F[K], undefined | null> }
}
