import type { Schema } from "effect"
import type { Extensions } from "../../domain/LlmRequest.ts"
import type { JsonObject } from "../open-document.ts"
import { openAiChatId } from "./wire.ts"

type Fields = { readonly [key: string]: Schema.Json | undefined }

/**
 * The `extensions` that keep what only this format knows. They are there even where there is nothing to keep: that says
 * that the document came in this format, so that its server takes back what others of its kind would not.
 */
export const marked = (fields: Fields | undefined): { readonly extensions: Extensions } => {
  const kept: Record<string, Schema.Json> = {}
  for (const [key, value] of Object.entries(fields ?? {})) if (value !== undefined) kept[key] = value
  return { extensions: { [openAiChatId]: kept } }
}

/** As `marked`, but nothing where there is nothing to keep. */
export const extended = (fields: Fields | undefined): { readonly extensions?: Extensions } =>
  Object.values(fields ?? {}).some((value) => value !== undefined) ? marked(fields) : {}

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[openAiChatId] ?? {}

/** Whether a document came in this format. */
export const isOwn = (extensions: Extensions | undefined): boolean => extensions?.[openAiChatId] !== undefined
