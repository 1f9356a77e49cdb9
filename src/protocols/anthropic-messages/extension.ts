import type { Extensions } from "../../domain/LlmRequest.ts"
import { extensionsOf } from "../extensions.ts"
import { isMark, mark } from "../foreign-fields.ts"
import type { JsonObject } from "../open-document.ts"
import { anthropicMessagesId } from "./wire.ts"

/** Marks an effort that was given in this format: it is one, and not to be turned into a budget when it is sent on. */
export const statedEffort = mark("effort")

/** Marks that thinking was asked for in this format: it is as the caller wants it, also where it exceeds the output. */
export const statedThinking = mark("thinking")

/** Marks that a form of the answer was given in this format: its schema is as the API takes it, or the caller's affair. */
export const statedFormat = mark("format")

/** Marks an instruction that stood within the conversation in this format: who put it there knows that the model takes it. */
export const systemTurn = mark("role")

/** The header that asks for what is new in the API. */
export const betas = "anthropic-beta"

/** Marks the version of the API that the request was written for. */
export const statedVersion = mark("version")

/** The `extensions` that keep what only this format knows. */
export const extended = extensionsOf(anthropicMessagesId)

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[anthropicMessagesId] ?? {}

/** What of the kept fields is to be sent. */
export const withoutMarks = (own: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(own).filter(([field]) => !isMark(field)))
