import type { ProviderTool, Tool } from "../../domain/LlmRequest.ts"
import { searchWith } from "../HostedTools.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { openAiChatId } from "./wire.ts"

/** A search of the web is no tool of this API but a setting, which its models for searching know. */
const field = "web_search_options"

/** Where the user is stands here under how exactly it is said. */
const placeOf = (location: unknown): JsonObject => {
  const place = fieldsOf(location)["approximate"]
  return isObject(place) ? { user_location: { type: "approximate", ...place } } : {}
}

/** The search that a request asks for, as the tool that it is in other formats, and the other fields. */
export const takeSearch = (
  rest: JsonObject | undefined
): { readonly tools: ReadonlyArray<ProviderTool>; readonly rest: JsonObject | undefined } => {
  const { [field]: options, ...others } = rest ?? {}
  if (!isObject(options)) return { tools: [], rest }
  const { user_location: location, ...settings } = options
  const webSearch = searchWith({ ...settings, ...placeOf(location) })
  const tool = { protocol: openAiChatId, name: "web_search", value: { [field]: options }, webSearch }
  return { tools: [{ _tag: "Provider", ...tool }], rest: others }
}

/** The setting that a tool stands for; undefined where it is a tool here. */
export const searchOptions = (tool: Tool): JsonObject | undefined =>
  tool._tag === "Provider" && tool.protocol === openAiChatId && isObject(tool.value) && isObject(tool.value[field])
    ? tool.value
    : undefined
