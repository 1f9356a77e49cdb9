import type { Extensions } from "../../domain/LlmRequest.ts"
import { extensionsOf, type Fields } from "../extensions.ts"
import type { JsonObject } from "../open-document.ts"
import { openAiChatId } from "./wire.ts"

/** The `extensions` that keep what only this format knows. */
export const extended = extensionsOf(openAiChatId)

/**
 * As `extended`, and there even where there is nothing to keep: that says that the document came in this format, so that its
 * server takes back what others of its kind would not.
 */
export const marked = (fields: Fields | undefined): { readonly extensions: Extensions } => ({
  extensions: { [openAiChatId]: {} },
  ...extended(fields)
})

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[openAiChatId] ?? {}

/** Whether a document came in this format. */
export const isOwn = (extensions: Extensions | undefined): boolean => extensions?.[openAiChatId] !== undefined
