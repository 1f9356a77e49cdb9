import type { Result } from "effect"
import { noteFreeText } from "../FreeText.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import type { FunctionTool, LlmRequest, Tool } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { Encoding } from "../Encoding.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import { parametersOf } from "../ToolArguments.ts"
import { withoutForeignChoice } from "../ToolSubset.ts"
import { maySearch } from "../gemini/models.ts"
import { hostedTool, plainSearch, type SearchOf } from "../HostedTools.ts"
import { fieldsOf, unlessEmpty, type JsonObject } from "../open-document.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { encodeInput } from "./encode-input.ts"
import { encodeSettings } from "./encode-settings.ts"
import { geminiInteractionsId } from "./wire.ts"

/**
 * Encodes a request. `extensions["gemini-interactions"]` holds further fields of the body (`previous_interaction_id`,
 * `response_modalities`, …) and of its `generation_config`, which win over what the request says canonically.
 */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const encoding = new Encoding(geminiInteractionsId, "the Interactions API")
  const body = encodeBody(request, context, encoding)
  return encoding.encoded({ path: "/v1beta/interactions", headers: {}, body })
}

const encodeBody = (request: LlmRequest, { model, delivery }: EncodeContext, encoding: Encoding): JsonObject => {
  refuseForeignInput(request.messages, geminiInteractionsId, encoding)
  const { generation_config: config, ...own } = encoding.own(request.extensions)
  const searchOf = maySearch(model, request) ? plainSearch({ type: "google_search" }) : undefined
  const tools = request.tools?.flatMap((tool) => encodeTool(tool, searchOf, encoding)) ?? []
  if (tools.length > 0 && request.parallelToolCalls === false) encoding.dropped("parallel_tool_calls")
  const { generation_config: settings, ...more } = encodeSettings(
    withoutForeignChoice(request, geminiInteractionsId, encoding),
    model,
    tools.length > 0,
    encoding
  )
  const generation = { ...settings, ...fieldsOf(config) }
  return {
    model,
    ...encodeInput(request.messages, encoding),
    ...present({ tools: unlessEmpty(tools), generation_config: unlessEmpty(generation) }),
    ...more,
    // The provider keeps every conversation where it is not told otherwise.
    store: false,
    stream: delivery === "stream",
    ...own
  }
}

const encodeTool = (tool: Tool, searchOf: SearchOf | undefined, encoding: Encoding): ReadonlyArray<JsonObject> => {
  if (tool._tag === "Function") return [encodeFunction(tool, encoding)]
  return hostedTool(tool, geminiInteractionsId, encoding, searchOf)
}

const encodeFunction = (tool: FunctionTool, encoding: Encoding): JsonObject => {
  noteFreeText(tool, encoding)
  if (tool.strict === true) encoding.dropped("strict of a tool")
  return {
    type: "function",
    name: tool.name,
    ...present({ description: tool.description }),
    parameters: parametersOf(tool.inputSchema),
    ...encoding.unmarked(tool)
  }
}
