import type { FunctionTool, LlmRequest, Tool, ToolChoice } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { heldTool } from "../claude/schema.ts"
import { noteFreeText } from "../FreeText.ts"
import { hostedTool } from "../HostedTools.ts"
import type { JsonObject } from "../open-document.ts"
import type { ConverseEncoding } from "./encoding.ts"
import { bedrockConverseId } from "./wire.ts"

/** The tools of a request, whether the model has to call one, and what it has to be told in words. */
export interface Tools {
  readonly toolConfig?: JsonObject
  readonly forced: boolean
  readonly instruction?: string
  /** what is said of them in the fields of the model's own API */
  readonly modelFields?: JsonObject
}

/**
 * The tools and the choice among them. A choice without tools is none. That calls come one at a time can be said to Claude
 * alone, since the generation that can be held to schemas.
 */
export const encodeTools = (request: LlmRequest, encoding: ConverseEncoding): Tools => {
  const oneByOne = request.parallelToolCalls === false
  const saysOneByOne = encoding.traits.family === "claude" && encoding.traits.schemas
  if (oneByOne && !saysOneByOne) encoding.dropped("parallel_tool_calls")
  const stated = request.tools?.flatMap((tool) => encodeTool(tool, encoding)) ?? []
  const earlier = calledTools(request)
  if (earlier.length === 0 && stated.length === 0) return { forced: false }
  if (earlier.length === 0 && request.toolChoice?._tag === "None") {
    encoding.add("emulated", "tool_choice none: the tools are not offered")
    return { forced: false }
  }
  const tools = stated.length > 0 ? stated : earlier.map((name) => placeholder(name, encoding))
  if (request.toolChoice?._tag === "None" || stated.length === 0) {
    if (stated.length > 0) encoding.add("emulated", "tool_choice none: the model is told to call no tool")
    return { toolConfig: { tools }, forced: false, instruction: "Do not call any tool: answer in words." }
  }
  // That goes without saying, and there are models that know no choice at all.
  const toolChoice = request.toolChoice?._tag === "Auto" ? undefined : request.toolChoice
  // The API's own choice is put into the same field of the model's, which must not have two types.
  const type = toolChoice === undefined ? { type: "auto" } : {}
  return {
    toolConfig: { tools, ...(toolChoice === undefined ? {} : { toolChoice: choiceOf(toolChoice) }) },
    forced: toolChoice?._tag === "Required" || toolChoice?._tag === "Tool",
    ...(oneByOne && saysOneByOne ? { modelFields: { tool_choice: { ...type, disable_parallel_tool_use: true } } } : {})
  }
}

/** The tools that were called in the conversation. */
const calledTools = ({ messages }: LlmRequest): ReadonlyArray<string> => [
  ...new Set(messages.flatMap(({ parts }) => parts.flatMap((part) => (part._tag === "ToolCall" ? [part.name] : []))))
]

/** The API refuses a conversation with calls of tools where no tool is declared. */
const placeholder = (name: string, encoding: ConverseEncoding): JsonObject => {
  encoding.add("emulated", `the tool ${name}, called before, is declared without its schema`)
  return { toolSpec: { name, inputSchema: { json: { type: "object" } } } }
}

const encodeTool = (tool: Tool, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  if (tool._tag === "Function") return encodeFunction(tool, encoding)
  return hostedTool(tool, bedrockConverseId, encoding)
}

const encodeFunction = (tool: FunctionTool, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  noteFreeText(tool, encoding)
  encoding.own(tool.extensions)
  const { schema = {}, strict } = heldTool(tool, encoding.traits, encoding)
  const toolSpec = {
    name: tool.name,
    ...present({ description: tool.description || undefined }),
    // A tool without parameters is one with an empty object here, and every schema is said to be one of an object.
    inputSchema: { json: { type: "object", ...schema } },
    ...(strict === true ? { strict } : {})
  }
  return [{ toolSpec }, ...encoding.cachePoint(tool.cache, "tools")]
}

const choiceOf = (choice: ToolChoice): JsonObject =>
  choice._tag === "Tool" ? { tool: { name: choice.name } } : { any: {} }
