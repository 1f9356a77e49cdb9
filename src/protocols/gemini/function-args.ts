import { isObject, parseJson, type JsonObject } from "../open-document.ts"

/**
 * The arguments of a call as the object that this API wants. Text that is no JSON object (a token limit cut it) is neither
 * lost nor mended: it stands whole in an object of its own, with `intact` false.
 */
export const functionArgs = (text: string): { readonly args: JsonObject; readonly intact: boolean } => {
  const trimmed = text.trim()
  if (trimmed === "" || trimmed === "null") return { args: {}, intact: true }
  const value = parseJson(trimmed)
  return isObject(value) ? { args: value, intact: true } : { args: { arguments: text }, intact: false }
}
