import type { LlmRequest, Tool, WebSearch } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { takesText } from "../FreeText.ts"
import { hostedTool } from "../HostedTools.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { strictOf } from "../openai/strict.ts"
import { parametersOf } from "../ToolArguments.ts"
import { offeredAmong } from "../ToolSubset.ts"
import { ownFields } from "./encode-items.ts"
import type { ResponsesEncoding } from "./encoding.ts"
import { placeOfTool, takePlace } from "./namespaces.ts"
import { openAiResponsesId } from "./wire.ts"

/** A tool as this API declares it; none where another format's provider runs it. */
export const encodeTool = (tool: Tool, encoding: ResponsesEncoding): ReadonlyArray<JsonObject> => {
  if (tool._tag === "Provider") return hostedTool(tool, openAiResponsesId, encoding, searchOf)
  const { description, inputSchema, freeText } = tool
  const { place, rest: own } = takePlace(ownFields(tool, encoding))
  const name = place?.name ?? tool.name
  if (freeText !== undefined)
    return [{ type: "custom", name, ...present({ description, format: freeText.format }), ...own }]
  return [
    {
      type: "function",
      name,
      ...present({ description }),
      parameters: parametersOf(inputSchema),
      // Left out, it would be taken for true: every argument would be required.
      strict: strictOf(tool, encoding) ?? false,
      ...own
    }
  ]
}

/** The API has a list of the only domains to search, and none of those to leave out. */
const searchOf = ({ allowedDomains, blockedDomains, userLocation }: WebSearch): JsonObject | undefined =>
  blockedDomains === undefined
    ? {
        type: "web_search",
        ...(allowedDomains === undefined ? {} : { filters: { allowed_domains: allowedDomains } }),
        ...present({ user_location: userLocation })
      }
    : undefined

/** Which tools may be called. */
export const encodeToolChoice = ({ toolChoice, tools }: LlmRequest): JsonObject[string] | undefined => {
  switch (toolChoice?._tag) {
    case "None":
      return "none"
    case "Auto":
    case "Required": {
      const mode = toolChoice._tag === "Auto" ? "auto" : "required"
      if (toolChoice.among === undefined) return mode
      const names = offeredAmong(toolChoice.among, tools, openAiResponsesId)
      if (names.length === 0) return "none"
      return { type: "allowed_tools", mode, tools: names.map((name) => namedTool(name, tools)) }
    }
    case "Tool":
      return namedTool(toolChoice.name, tools)
    default:
      return undefined
  }
}

const namedTool = (name: string, tools: LlmRequest["tools"]): JsonObject => {
  const chosen = tools?.find((tool) => tool.name === name)
  if (chosen?._tag !== "Provider" || !isObject(chosen.value)) {
    const type = takesText(tools, name) ? "custom" : "function"
    return { type, name: placeOfTool(name, tools)?.name ?? name }
  }
  if (chosen.protocol !== openAiResponsesId) return { type: "web_search" }
  return { type: chosen.value["type"] ?? name, ...present({ server_label: chosen.value["server_label"] }) }
}
