import { noteFreeText } from "../FreeText.ts"
import type { FunctionTool, LlmRequest, Tool, ToolChoice, WebSearch } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { ClaudeTraits } from "../claude/traits.ts"
import { heldTool } from "../claude/schema.ts"
import { hostedTool } from "../HostedTools.ts"
import type { JsonObject } from "../open-document.ts"
import { markers } from "./encode-parts.ts"
import type { MessagesEncoding } from "./encoding.ts"
import { anthropicMessagesId } from "./wire.ts"

/** A tool as this API declares it; none where another format's provider runs it. */
export const encodeTool = (tool: Tool, traits: ClaudeTraits, encoding: MessagesEncoding): ReadonlyArray<JsonObject> => {
  if (tool._tag === "Function") return [encodeFunction(tool, traits, encoding)]
  return hostedTool(tool, anthropicMessagesId, encoding, searchOf)
}

/** The API takes one list of domains or the other. */
const searchOf = ({ allowedDomains, blockedDomains, userLocation }: WebSearch): JsonObject | undefined =>
  allowedDomains !== undefined && blockedDomains !== undefined
    ? undefined
    : {
        type: "web_search_20250305",
        name: "web_search",
        ...present({ allowed_domains: allowedDomains, blocked_domains: blockedDomains, user_location: userLocation })
      }

const encodeFunction = (tool: FunctionTool, traits: ClaudeTraits, encoding: MessagesEncoding): JsonObject => {
  noteFreeText(tool, encoding)
  const { schema = {}, strict } = heldTool(tool, traits, encoding)
  return {
    name: tool.name,
    ...present({ description: tool.description }),
    // A tool without parameters is one with an empty object here, and every schema is said to be one of an object.
    input_schema: { type: "object", ...schema },
    ...present({ strict }),
    ...markers(tool, encoding)
  }
}

/** Which tools may be called, and whether several at once. */
export const encodeToolChoice = ({ toolChoice, parallelToolCalls }: LlmRequest): JsonObject | undefined => {
  if (toolChoice === undefined && parallelToolCalls !== false) return undefined
  const choice = choiceOf(toolChoice ?? { _tag: "Auto" })
  // `none` has no such switch: nothing is called.
  return parallelToolCalls === undefined || choice["type"] === "none"
    ? choice
    : { ...choice, disable_parallel_tool_use: !parallelToolCalls }
}

const choiceOf = (choice: ToolChoice): JsonObject => {
  switch (choice._tag) {
    case "Auto":
      return { type: "auto" }
    case "None":
      return { type: "none" }
    case "Required":
      return { type: "any" }
    case "Tool":
      return { type: "tool", name: choice.name }
  }
}
