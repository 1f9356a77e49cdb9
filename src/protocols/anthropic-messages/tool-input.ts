import { isJsonObject } from "../ToolArguments.ts"
import type { JsonObject } from "../open-document.ts"

/**
 * The arguments of a tool call as the object that this API wants. Text that is no JSON object (a token limit cut it) is
 * neither lost nor mended: it stands whole in an object of its own, with `intact` false.
 */
export const toolInput = (text: string): { readonly input: JsonObject; readonly intact: boolean } => {
  const trimmed = text.trim()
  if (trimmed === "" || trimmed === "null") return { input: {}, intact: true }
  return isJsonObject(trimmed)
    ? { input: JSON.parse(trimmed) as JsonObject, intact: true }
    : { input: { arguments: text }, intact: false }
}
