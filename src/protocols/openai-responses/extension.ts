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

/** Marks a tool that is declared nowhere but in the input, where it stands for this format. */
export const foundInInput = mark("found")

const itemPrefix = "item."

/** What a message's item says of itself, as it is kept with the first text of the message. */
export const ofItem = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [itemPrefix + name, value]))

/** What was kept with a text: of the item that it begins, where it begins one, and of itself. */
export const takeItem = (own: JsonObject): { readonly item: JsonObject | undefined; readonly rest: JsonObject } => {
  const ofIt = Object.entries(own).filter(([name]) => name.startsWith(itemPrefix))
  if (ofIt.length === 0) return { item: undefined, rest: own }
  return {
    item: Object.fromEntries(ofIt.map(([name, value]) => [name.slice(itemPrefix.length), value])),
    rest: Object.fromEntries(Object.entries(own).filter(([name]) => !name.startsWith(itemPrefix)))
  }
}

const keeping = extensionsOf(openAiResponsesId)

/** The `extensions` that keep what only this format knows; its clients write `null` for what they leave out. */
export const extended = (fields: Fields | undefined): { readonly extensions?: Extensions } =>
  keeping(present(fields ?? {}))

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[openAiResponsesId] ?? {}
