import { fieldsOf, isObject, parseJson, type JsonObject } from "../open-document.ts"

const fields = (item: JsonObject, keys: ReadonlyArray<string>): JsonObject => {
  const found: Record<string, JsonObject[string]> = {}
  for (const key of keys) {
    const value = item[key]
    if (value !== undefined && value !== null) found[key] = value
  }
  return found
}

/**
 * The input of a tool that the provider runs itself, as far as its item tells; undefined for items that are no such call.
 * Tools that run in the provider's name at the client (shells, computers, patches) are none.
 */
export const hostedInput = (item: JsonObject): JsonObject | undefined => {
  switch (item["type"]) {
    case "web_search_call":
      return fieldsOf(item["action"])
    case "file_search_call":
      return fields(item, ["queries"])
    case "code_interpreter_call":
      return fields(item, ["code", "container_id"])
    case "image_generation_call":
      return fields(item, ["revised_prompt"])
    case "mcp_call": {
      const text = item["arguments"]
      const input = typeof text === "string" ? parseJson(text) : undefined
      return isObject(input) ? input : fields(item, ["arguments"])
    }
    default:
      return undefined
  }
}
