import type { FunctionTool, Tool } from "../domain/LlmRequest.ts"
import type { Notices } from "./Notices.ts"
import { isObject, parseJson } from "./open-document.ts"

/**
 * Tools that take a text. Most formats know only tools that take an object: there, and in the calls of a canonical
 * request, the text is the one field of an object.
 */
export const freeTextSchema = {
  type: "object",
  properties: { input: { type: "string" } },
  required: ["input"],
  additionalProperties: false
} as const

/** How the canonical arguments of such a call begin and end, around the text as it is escaped in JSON. */
export const freeTextStart = '{"input":"'
export const freeTextEnd = '"}'

/** A piece of the text as it stands between the two. */
export const escapedText = (piece: string): string => JSON.stringify(piece).slice(1, -1)

/** The canonical arguments of a call with this text. */
export const argumentsOfText = (text: string): string => freeTextStart + escapedText(text) + freeTextEnd

/** The text that the arguments of a call hold: the one field of an object, or they themselves where they are the text. */
export const textOfArguments = (args: string): string => {
  const object = parseJson(args)
  if (!isObject(object) || Object.keys(object).length !== 1) return args
  const { input } = object
  return typeof input === "string" ? input : args
}

/** As much of the text as is told by the beginning of such arguments, or by all of them. */
export const textOfBeginning = (args: string): string => {
  const closed = isObject(parseJson(args)) ? args : args + freeTextEnd
  return isObject(parseJson(closed)) ? textOfArguments(closed) : args
}

/** Whether a name is that of a tool that takes a text. */
export const takesText = (tools: ReadonlyArray<Tool> | undefined, name: string): boolean =>
  tools?.some((tool) => tool._tag === "Function" && tool.freeText !== undefined && tool.name === name) === true

/** Says how a tool is sent by a format whose tools take objects. */
export const noteFreeText = ({ freeText, name }: FunctionTool, said: Notices): void => {
  if (freeText === undefined) return
  const unheld = freeText.format === undefined ? "" : ", which is not held to its format"
  said.add("emulated", `the tool ${name} takes a text: the model gives it in the field "input" of an object${unheld}`)
}
