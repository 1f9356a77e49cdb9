import type { Extensions } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { ThinkingCircumstances } from "../claude/thinking.ts"
import { extensionsOf } from "../extensions.ts"
import { isMark, mark } from "../foreign-fields.ts"
import { fieldsOf, unlessEmpty, type JsonObject } from "../open-document.ts"
import { anthropicMessagesId } from "./wire.ts"

/** Marks an effort that was given in this format: it is one, and not to be turned into a budget when it is sent on. */
export const statedEffort = mark("effort")

/** Marks that thinking was asked for in this format: it is as the caller wants it, also where it exceeds the output. */
export const statedThinking = mark("thinking")

/** Marks how much of the thoughts was to be shown, in the words of this format. */
export const statedDisplay = mark("display")

/** Marks that a form of the answer was given in this format: its schema is as the API takes it, or the caller's affair. */
export const statedFormat = mark("format")

/** Marks an instruction that stood within the conversation in this format: who put it there knows that the model takes it. */
export const systemTurn = mark("role")

/** The header that asks for what is new in the API. */
export const betas = "anthropic-beta"

/** The header that says for whom, among the customers of the caller, a request is made. */
export const userProfile = "anthropic-user-profile-id"

/** The header that says in which workspace of the key a request is made. */
export const workspace = "anthropic-workspace-id"

/** Marks the version of the API that the request was written for. */
export const statedVersion = mark("version")

/** The `extensions` that keep what only this format knows. */
export const extended = extensionsOf(anthropicMessagesId)

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[anthropicMessagesId] ?? {}

/** What of the kept fields is to be sent. */
export const withoutMarks = (own: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(own).filter(([field]) => !isMark(field)))

/** What the request says of thinking in the words of this format. */
export const thinkingWords = (own: JsonObject): Partial<ThinkingCircumstances> => {
  const { thinking, [statedDisplay]: display } = own
  return {
    ...present({ own: unlessEmpty({ ...fieldsOf(thinking), ...present({ display }) }) }),
    ownThinking: own[statedThinking] === true,
    ownEffort: own[statedEffort] === true
  }
}
