import type { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmRequest, Tool } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { Encoding } from "../Encoding.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import { nestedFunction } from "../function-tools.ts"
import { hostedTool } from "../HostedTools.ts"
import { fieldsOf, unlessEmpty, type JsonObject } from "../open-document.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { offeringOnly, withoutForeignChoice } from "../ToolSubset.ts"
import { encodeMessages } from "./encode-messages.ts"
import { encodeSettings } from "./encode-settings.ts"
import { ollamaId } from "./wire.ts"

/**
 * Encodes a request. `extensions.ollama` holds further fields of the body (`keep_alive`, `think`, …) and of its `options`
 * (`num_ctx`, …), which win over what the request says canonically.
 */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const encoding = new Encoding(ollamaId, "the Ollama API")
  const body = encodeBody(request, context, encoding)
  return encoding.encoded({ path: "/api/chat", headers: {}, body })
}

const encodeBody = (request: LlmRequest, { model, delivery }: EncodeContext, encoding: Encoding): JsonObject => {
  refuseForeignInput(request.messages, ollamaId, encoding)
  const { options, ...own } = encoding.own(request.extensions)
  const tools = encodeTools(offeringOnly(withoutForeignChoice(request, ollamaId, encoding), encoding), encoding)
  const { options: sampling, ...settings } = encodeSettings(request, model, encoding)
  return {
    model,
    messages: encodeMessages(request.messages, encoding),
    ...present({ tools: unlessEmpty(tools) }),
    ...settings,
    options: { ...sampling, ...fieldsOf(options) },
    // A stream is what this API answers where it is not told otherwise.
    stream: delivery === "stream",
    ...own
  }
}

const encodeTools = (request: LlmRequest, encoding: Encoding): ReadonlyArray<JsonObject> => {
  const { toolChoice, parallelToolCalls, tools = [] } = request
  if (tools.length === 0) return []
  if (parallelToolCalls === false) encoding.dropped("parallel_tool_calls")
  return offered(tools, toolChoice, encoding).flatMap((tool) => encodeTool(tool, encoding))
}

/** There is no choice of tools here. Which tools are offered says some of it, that one has to be called cannot be said. */
const offered = (
  tools: ReadonlyArray<Tool>,
  choice: LlmRequest["toolChoice"],
  encoding: Encoding
): ReadonlyArray<Tool> => {
  switch (choice?._tag) {
    case "None":
      encoding.add("emulated", "tool_choice none: the tools are not offered")
      return []
    case "Required":
      encoding.dropped("tool_choice required")
      return tools
    case "Tool":
      encoding.add("emulated", `tool_choice ${choice.name}: no other tool is offered`)
      return tools.filter((tool) => tool.name === choice.name)
    default:
      return tools
  }
}

const encodeTool = (tool: Tool, encoding: Encoding): ReadonlyArray<JsonObject> => {
  if (tool._tag !== "Function") return hostedTool(tool, ollamaId, encoding)
  if (tool.strict === true) encoding.dropped("strict of a tool")
  return [nestedFunction(tool, encoding)]
}
