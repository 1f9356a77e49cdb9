import type { Schema } from "effect"
import type { Extensions } from "../../domain/LlmRequest.ts"
import { mark } from "../foreign-fields.ts"
import type { JsonObject } from "../open-document.ts"
import { openAiResponsesId } from "./wire.ts"

/** Marks what a tool answered that takes a text, because the call need not be in the same request. */
export const answersText = mark("answersText")

/** Marks a request that leaves it to its server whether the answer is stored; it may be asked for by its id later. */
export const storedByDefault = mark("storedByDefault")

type Fields = { readonly [key: string]: Schema.Json | undefined }

/** The `extensions` that keep what only this format knows; nothing where there is nothing to keep, or only `null`. */
export const extended = (fields: Fields | undefined): { readonly extensions?: Extensions } => {
  const kept: Record<string, Schema.Json> = {}
  for (const [key, value] of Object.entries(fields ?? {})) if (value !== undefined && value !== null) kept[key] = value
  return Object.keys(kept).length === 0 ? {} : { extensions: { [openAiResponsesId]: kept } }
}

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[openAiResponsesId] ?? {}
