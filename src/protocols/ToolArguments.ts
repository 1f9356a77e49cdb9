import type { Schema } from "effect"
import type { ToolCall } from "../domain/LlmEvent.ts"
import type { Notices } from "./Notices.ts"
import { isObject, type JsonObject, parseJson } from "./open-document.ts"

/**
 * The arguments of a finished tool call. Providers write nothing, `null` or the text `"null"` for a call without
 * arguments: that is `{}`. Anything else that is not a JSON object was cut or garbled and is kept as it is, not valid.
 */
export const finishedArguments = (text: string): Pick<ToolCall, "arguments" | "valid"> => {
  const trimmed = text.trim()
  if (trimmed === "" || trimmed === "null") return { arguments: "{}", valid: true }
  return { arguments: text, valid: isJsonObject(trimmed) }
}

/** Whether a text is a complete JSON object. */
export const isJsonObject = (text: string): boolean => {
  if (!text.startsWith("{") || !text.endsWith("}")) return false
  // JSON.parse is the one judge of JSON, and says no by throwing.
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/**
 * The arguments of a tool call as the object that some formats want. Text that is no JSON object (a token limit cut it) is
 * neither lost nor mended: it stands whole in an object of its own, which is said to `said`.
 */
export const argumentsObject = (
  { name, arguments: text }: { readonly name: string; readonly arguments: string },
  said?: Notices
): JsonObject => {
  const trimmed = text.trim()
  if (trimmed === "" || trimmed === "null") return {}
  const value = trimmed.startsWith("{") ? parseJson(trimmed) : undefined
  if (isObject(value)) return value
  said?.add("emulated", `the arguments of ${name} are no JSON object: they stand in "arguments"`)
  return { arguments: text }
}

/**
 * The schema of a tool's arguments as most formats want it: that of an object, said so, and an empty one where there
 * are none.
 */
export const parametersOf = (inputSchema: Schema.Json | undefined): JsonObject => ({
  type: "object",
  ...(isObject(inputSchema) ? inputSchema : { properties: {} })
})
