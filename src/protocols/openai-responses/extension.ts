import type { Extensions } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { extensionsOf, type Fields } from "../extensions.ts"
import { mark } from "../foreign-fields.ts"
import type { JsonObject } from "../open-document.ts"
import { openAiResponsesId } from "./wire.ts"

/** Marks what a tool answered that takes a text, because the call need not be in the same request. */
export const answersText = mark("answersText")

/** Marks a request that leaves it to its server whether the answer is stored; it may be asked for by its id later. */
export const storedByDefault = mark("storedByDefault")

const keeping = extensionsOf(openAiResponsesId)

/** The `extensions` that keep what only this format knows; its clients write `null` for what they leave out. */
export const extended = (fields: Fields | undefined): { readonly extensions?: Extensions } =>
  keeping(present(fields ?? {}))

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[openAiResponsesId] ?? {}
