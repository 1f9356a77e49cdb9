import type { Tool, ToolChoice } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { takesText } from "../FreeText.ts"
import { hostedTool } from "../HostedTools.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { strictOf } from "../openai/strict.ts"
import { offeredAmong } from "../ToolSubset.ts"
import { markers } from "./encode-parts.ts"
import type { ChatEncoding } from "./encoding.ts"
import { searchOptions } from "./search-options.ts"
import { openAiChatId } from "./wire.ts"

/** A tool as this API declares it; none where it is a setting here, or another format's provider runs it. */
export const encodeTool = (tool: Tool, encoding: ChatEncoding): ReadonlyArray<JsonObject> => {
  if (tool._tag === "Provider") return searchOptions(tool) === undefined ? hostedTool(tool, openAiChatId, encoding) : []
  const { function: inner, custom, ...more } = markers(tool, encoding)
  const { name, description, inputSchema, freeText } = tool
  if (freeText !== undefined) {
    const format = isObject(freeText.format) ? nestedFormat(freeText.format) : undefined
    const definition = { name, ...present({ description, format }), ...fieldsOf(custom) }
    return [{ type: "custom", custom: definition, ...more }]
  }
  const definition = { name, ...present({ description, parameters: inputSchema, strict: strictOf(tool, encoding) }) }
  return [{ type: "function", function: { ...definition, ...fieldsOf(inner) }, ...more }]
}

/** The grammar of a text stands in a field of its own here. */
const nestedFormat = ({ type, ...grammar }: JsonObject): JsonObject =>
  type === "grammar" ? { type, grammar } : { ...grammar, ...present({ type }) }

/** Which tools may be called. */
export const encodeToolChoice = (choice: ToolChoice, tools: ReadonlyArray<Tool>): string | JsonObject => {
  const named = (name: string): JsonObject =>
    takesText(tools, name) ? { type: "custom", custom: { name } } : { type: "function", function: { name } }
  switch (choice._tag) {
    case "None":
      return "none"
    case "Auto":
    case "Required": {
      const mode = choice._tag === "Auto" ? "auto" : "required"
      if (choice.among === undefined) return mode
      const names = offeredAmong(choice.among, tools, openAiChatId)
      return names.length === 0 ? "none" : { type: "allowed_tools", allowed_tools: { mode, tools: names.map(named) } }
    }
    case "Tool":
      return named(choice.name)
  }
}
