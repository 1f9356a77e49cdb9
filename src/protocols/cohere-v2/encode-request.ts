import type { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmRequest, Tool } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { Encoding } from "../Encoding.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import { nestedFunction } from "../function-tools.ts"
import { hostedTool } from "../HostedTools.ts"
import type { JsonObject } from "../open-document.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { offeringOnly, withoutForeignChoice } from "../ToolSubset.ts"
import { encodeMessages } from "./encode-messages.ts"
import { encodeSettings } from "./encode-settings.ts"
import { cohereV2Id } from "./wire.ts"

/**
 * Encodes a request. `extensions["cohere-v2"]` holds further fields of the body (`documents`, `citation_options`,
 * `safety_mode`, …), which win over what the request says canonically.
 */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const encoding = new Encoding(cohereV2Id, "the Cohere API")
  const body = encodeBody(request, context, encoding)
  return encoding.encoded({ path: "/v2/chat", headers: {}, body })
}

const encodeBody = (request: LlmRequest, { model, delivery }: EncodeContext, encoding: Encoding): JsonObject => {
  refuseForeignInput(request.messages, cohereV2Id, encoding)
  const own = encoding.own(request.extensions)
  return {
    model,
    messages: encodeMessages(request.messages, encoding),
    ...encodeTools(offeringOnly(withoutForeignChoice(request, cohereV2Id, encoding), encoding), encoding),
    ...encodeSettings(request, encoding),
    stream: delivery === "stream",
    ...own
  }
}

const encodeTools = ({ tools = [], toolChoice, parallelToolCalls }: LlmRequest, encoding: Encoding): JsonObject => {
  const offered = toolChoice?._tag === "Tool" ? tools.filter((tool) => tool.name === toolChoice.name) : tools
  const encoded = offered.flatMap((tool) => encodeTool(tool, encoding))
  if (encoded.length === 0) return {}
  if (parallelToolCalls === false) encoding.dropped("parallel_tool_calls")
  if (toolChoice?._tag === "Tool") {
    encoding.add("emulated", `tool_choice ${toolChoice.name}: no other tool is offered`)
  }
  return present({
    tools: encoded,
    tool_choice: choiceOf(toolChoice),
    strict_tools: strictness(offered, encoding)
  })
}

const choiceOf = (choice: LlmRequest["toolChoice"]): string | undefined => {
  switch (choice?._tag) {
    case "None":
      return "NONE"
    case "Required":
    case "Tool":
      return "REQUIRED"
    default:
      return undefined
  }
}

/** Strictness is one switch for all tools. */
const strictness = (tools: ReadonlyArray<Tool>, encoding: Encoding): true | undefined => {
  const strict = tools.filter((tool) => tool._tag === "Function" && tool.strict === true)
  if (strict.length === 0) return undefined
  if (strict.length === tools.length) return true
  encoding.dropped("strict of a tool", "it is for all tools or none")
  return undefined
}

const encodeTool = (tool: Tool, encoding: Encoding): ReadonlyArray<JsonObject> =>
  tool._tag === "Function" ? [nestedFunction(tool, encoding)] : hostedTool(tool, cohereV2Id, encoding)
