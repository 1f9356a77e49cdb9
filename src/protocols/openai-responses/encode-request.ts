import type { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type {
  LlmRequest,
  Message,
  ReasoningSettings,
  ResponseFormat,
  Sampling,
  Tool,
  WebSearch
} from "../../domain/LlmRequest.ts"
import { takesText } from "../FreeText.ts"
import { strictOf } from "../openai/strict.ts"
import { hostedTool } from "../HostedTools.ts"
import { dropSettings } from "../LackingSettings.ts"
import { fieldsOf, isObject, present, unlessEmpty, type JsonObject } from "../open-document.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { endUser, tierFor } from "../openai/account.ts"
import { drawnBy, effortFor, isOfOpenAi, isReasoner } from "../openai/reasoners.ts"
import { encodeItems, ownFields } from "./encode-items.ts"
import { ResponsesEncoding } from "./encoding.ts"
import { storedByDefault } from "./extension.ts"
import { withSiblingFields } from "../openai/sibling-fields.ts"
import { inNamespaces, placeOfTool, takePlace } from "./namespaces.ts"
import { parametersOf } from "../ToolArguments.ts"
import { offeredAmong } from "../ToolSubset.ts"
import { openAiResponsesId } from "./wire.ts"
import { takeableInput } from "./written-items.ts"

const path = "/responses"

/** Encodes a request: as it came where it came in this format and nobody changed it, else from the canonical one. */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const { origin, model, delivery, quirks } = context
  const encoding = new ResponsesEncoding(model)
  if (origin !== undefined) {
    const stream = delivery === "stream" ? { stream: true } : "stream" in origin.body ? { stream: false } : {}
    const body = {
      ...origin.body,
      model,
      ...stream,
      ...(quirks.takesSeals === true ? {} : takeableInput(origin.body, encoding))
    }
    return encoding.encoded({ path, headers: origin.headers, body })
  }
  const body = encodeBody(request, context, encoding)
  return encoding.encoded({ path, headers: {}, body })
}

/** What the API has no word for. */
const lacking = ["top_k", "seed", "frequency_penalty", "presence_penalty", "stop sequences", "n"] as const

const encodeBody = (
  request: LlmRequest,
  { model, delivery, quirks }: EncodeContext,
  encoding: ResponsesEncoding
): JsonObject => {
  refuseForeignInput(request.messages, openAiResponsesId, encoding)
  const extensions = withSiblingFields(request.extensions, openAiResponsesId)
  const { text, reasoning, tool_choice: choice, include, [storedByDefault]: stored, ...own } = encoding.own(extensions)
  const { instructions, messages } = withoutInstructions(request.messages)
  const tools = inNamespaces(request.tools ?? [], (tool) => encodeTool(tool, encoding))
  const form = { ...fieldsOf(text), ...present({ format: formatOf(request.responseFormat) }) }
  const thought = {
    ...fieldsOf(reasoning),
    ...encodeReasoning(request.reasoning ?? {}, model, encoding)
  }
  const input = encodeItems(messages, quirks, encoding)
  dropSettings(request, lacking, encoding)
  return {
    model,
    ...present({ instructions }),
    input,
    ...(delivery === "stream" ? { stream: true } : {}),
    // Callers of other APIs send the whole conversation: nothing has to be kept for them elsewhere.
    ...(stored === true ? {} : { store: false }),
    ...encodeSampling(drawnBy(model, thought.effort, request.sampling, encoding), encoding),
    ...(tools.length === 0
      ? {}
      : present({
          tools,
          tool_choice: choice ?? choiceOf(request),
          parallel_tool_calls: request.parallelToolCalls
        })),
    ...present({ text: unlessEmpty(form), reasoning: unlessEmpty(thought) }),
    ...encodeIncludes(include, request, model, input),
    ...present({
      metadata: request.metadata,
      service_tier: tierFor(request.serviceTier),
      user: endUser(request.user, encoding)
    }),
    ...own
  }
}

interface Instructed {
  readonly instructions: string | undefined
  readonly messages: ReadonlyArray<Message>
}

/** The instructions at the head of the conversation have a field of their own, which every server of this format knows. */
const withoutInstructions = (messages: ReadonlyArray<Message>): Instructed => {
  const [first, ...others] = messages
  const plain = first?.parts.every((part) => part._tag === "Text" && !part.extensions && !part.cache) === true
  if (first?.role !== "system" || !plain || first.extensions !== undefined || first.name !== undefined) {
    return { instructions: undefined, messages }
  }
  const text = first.parts.map((part) => (part._tag === "Text" ? part.text : "")).join("\n\n")
  return { instructions: text, messages: others }
}

const encodeTool = (tool: Tool, encoding: ResponsesEncoding): ReadonlyArray<JsonObject> => {
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

const choiceOf = ({ toolChoice, tools }: LlmRequest): JsonObject[string] | undefined => {
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

const formatOf = (format: ResponseFormat | undefined): JsonObject | undefined => {
  switch (format?._tag) {
    case "Text":
      return { type: "text" }
    case "Json":
      return { type: "json_object" }
    case "JsonSchema": {
      const { name, description, schema, strict } = format
      return { type: "json_schema", name, ...present({ description, strict }), schema }
    }
    default:
      return undefined
  }
}

/** What a budget for thinking is worth as an effort. */
const effortOf = (budgetTokens: number): string =>
  budgetTokens >= 16_384 ? "high" : budgetTokens >= 4096 ? "medium" : "low"

const encodeReasoning = (settings: ReasoningSettings, model: string, encoding: ResponsesEncoding): JsonObject => {
  const { mode, effort, budgetTokens, summary } = settings
  if (effort === undefined && mode === "disabled") {
    encoding.dropped("reasoning switched off", "the models of the Responses API decide themselves, or take an effort")
    return present({ summary })
  }
  const stated = effort === undefined ? undefined : effortFor(model, effort, encoding)
  return present({ effort: stated ?? (budgetTokens === undefined ? undefined : effortOf(budgetTokens)), summary })
}

/** OpenAI refuses a smaller limit, by which callers of other APIs ask whether a model answers at all. */
const leastOutput = 16

const limitFor = (model: string, limit: number | undefined, encoding: ResponsesEncoding): number | undefined => {
  if (limit === undefined || limit >= leastOutput || !isOfOpenAi(model)) return limit
  encoding.add("changed", `a limit of ${limit} output tokens is one of ${leastOutput}: the Responses API takes no less`)
  return leastOutput
}

const encodeSampling = (sampling: Sampling, encoding: ResponsesEncoding): JsonObject =>
  present({
    max_output_tokens: limitFor(encoding.model, sampling.maxOutputTokens, encoding),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_logprobs: sampling.topLogprobs
  })

/**
 * What the answer is to contain besides the usual. Models that do not reason refuse a request for encrypted reasoning, so
 * it is made only of those that are known to, or where the caller speaks of reasoning, or the conversation holds some.
 */
const encodeIncludes = (
  own: unknown,
  request: LlmRequest,
  model: string,
  input: ReadonlyArray<JsonObject>
): JsonObject => {
  const reasons =
    isReasoner(model) ||
    (request.reasoning !== undefined && request.reasoning.effort !== "none" && request.reasoning.mode !== "disabled") ||
    input.some((item) => item["type"] === "reasoning")
  const include = [
    ...(Array.isArray(own) ? own : []),
    ...(request.sampling.logprobs === true ? ["message.output_text.logprobs"] : []),
    ...(reasons ? ["reasoning.encrypted_content"] : [])
  ]
  return include.length === 0 ? {} : { include }
}
