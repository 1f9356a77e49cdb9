import { Result, type Schema } from "effect"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { FunctionTool, LlmRequest, ResponseFormat, Sampling, Tool, ToolChoice } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { freeTextSchema } from "../FreeText.ts"
import type { DecodedRequest } from "../Dialect.ts"
import { documentDecoder } from "../document.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { decodeMessages, messageFault, storedSound } from "./decode-messages.ts"
import { cacheOf } from "./decode-parts.ts"
import { extended, marked } from "./extension.ts"
import { takeReasoning } from "./reasoning-settings.ts"
import { takeSearch } from "./search-options.ts"
import {
  ChatRequest,
  openAiChatId,
  type FunctionDefinition,
  type RequestFormat,
  type RequestTool,
  type TextFormat,
  type RequestToolChoice
} from "./wire.ts"

const readDocument = documentDecoder(ChatRequest)

/** Reads the body of `POST /v1/chat/completions`. */
export const decodeRequest = (body: unknown): Result.Result<DecodedRequest, LlmError> =>
  Result.flatMap(readDocument(body), (document) => {
    const fault = faultOf(document)
    return fault === undefined
      ? Result.succeed({ request: requestOf(document), delivery: document.stream === true ? "stream" : "whole" })
      : Result.fail(fault)
  })

/** What the API refuses in documents that are well-formed. */
const faultOf = (document: ChatRequest): LlmError | undefined => {
  if (document.model === "") return invalid("type", "model", "model is required")
  if (document.messages.length === 0) return invalid("type", "messages", "messages: at least one message is required")
  if (document.n === 0) return invalid("type", "n", "n: at least one answer has to be asked for")
  const choice = document.tool_choice
  if (choice && choice !== "none" && choice !== "auto" && !document.tools?.length) {
    return invalid("semantic", "tool_choice", "tool_choice is only allowed when tools are specified")
  }
  if (document.top_logprobs && document.logprobs !== true) {
    return invalid("semantic", "top_logprobs", "top_logprobs is only allowed when logprobs is true")
  }
  return messageFault(document.messages)
}

const invalid = (kind: "type" | "semantic", path: string, message: string): LlmError =>
  failure({ _tag: "InvalidRequest", kind, path }, message)

const requestOf = (document: ChatRequest): LlmRequest => {
  const { tool_choice: choice, response_format: format, function_call: legacy } = document
  const { reasoning, rest } = takeReasoning(document)
  const search = takeSearch(rest)
  const tools = [...toolsOf(document), ...search.tools]
  const unknownFormat = format && format.type === undefined ? format.raw : undefined
  return {
    model: document.model,
    messages: decodeMessages(document.messages),
    ...present({
      tools: tools.length === 0 && !document.tools ? undefined : tools,
      toolChoice: choice ? toolChoiceOf(choice) : legacy ? legacyChoiceOf(legacy) : undefined,
      parallelToolCalls: document.parallel_tool_calls,
      responseFormat: format ? formatOf(format) : undefined,
      reasoning,
      serviceTier: document.service_tier,
      user: document.user,
      metadata: document.metadata,
      requires: storedSound(document.messages)
    }),
    sampling: samplingOf(document),
    ...marked({
      ...search.rest,
      stream_options: document.stream_options?.rest,
      tool_choice: choice ? keptChoice(choice) : undefined,
      response_format: unknownFormat
    })
  }
}

const toolsOf = ({ tools, functions }: ChatRequest): ReadonlyArray<Tool> => [
  ...(tools ?? []).map(decodeTool),
  ...(tools?.length ? [] : (functions ?? [])).map((definition) => decodeFunction(definition))
]

const decodeTool = (tool: RequestTool): Tool => {
  switch (tool.type) {
    case "function":
      return { ...decodeFunction(tool.function, tool.rest), ...cacheOf(tool.cache_control) }
    case "custom": {
      const { name, description, format, rest } = tool.custom
      return {
        _tag: "Function",
        name,
        ...present({ description }),
        inputSchema: freeTextSchema,
        freeText: present({ format: format ? flatFormat(format) : undefined }),
        ...extended({ ...tool.rest, custom: rest })
      }
    }
    case undefined: {
      // A tool without a name of its own goes by its type.
      const { type, name } = tool.raw
      return { _tag: "Provider", protocol: openAiChatId, name: String(name ?? type), value: tool.raw }
    }
  }
}

/** A format of text in its canonical form, where its grammar does not stand in a field of its own. */
const flatFormat = (format: TextFormat): JsonObject =>
  format.type === "grammar" ? { ...format.rest, type: format.type, ...format.grammar } : format.raw

const decodeFunction = (definition: FunctionDefinition, rest?: JsonObject): FunctionTool => ({
  _tag: "Function",
  name: definition.name,
  ...present({
    description: definition.description,
    inputSchema: definition.parameters,
    strict: definition.strict
  }),
  ...extended({ ...rest, function: definition.rest })
})

const toolChoiceOf = (choice: RequestToolChoice): ToolChoice | undefined => {
  if (choice === "none") return { _tag: "None" }
  if (choice === "auto") return { _tag: "Auto" }
  if (choice === "required" || choice === "any") return { _tag: "Required" }
  switch (choice.type) {
    case "function":
      return { _tag: "Tool", name: choice.function.name }
    case "custom":
      return { _tag: "Tool", name: choice.custom.name }
    case "allowed_tools": {
      const { mode, tools } = choice.allowed_tools
      return { _tag: mode === "required" ? "Required" : "Auto", ...present({ among: allowedNames(tools) }) }
    }
    case undefined:
      return undefined
  }
}

/** The names of a list of tools; undefined where it has none, or one of them. */
const allowedNames = (tools: Schema.Json): ReadonlyArray<string> | undefined => {
  const names = (Array.isArray(tools) ? tools : []).map((tool) => {
    const inner = isObject(tool) && typeof tool["type"] === "string" ? tool[tool["type"]] : undefined
    return fieldsOf(inner)["name"]
  })
  return names.length > 0 && names.every((name) => typeof name === "string") ? names : undefined
}

/** A choice that says more than its canonical form. */
const keptChoice = (choice: RequestToolChoice): JsonObject | string | undefined => {
  if (typeof choice === "string") return choice === "any" ? choice : undefined
  if (choice.type === undefined || choice.rest !== undefined) return choice.raw
  const told =
    choice.type !== "allowed_tools" ||
    (choice.allowed_tools.rest === undefined && allowedNames(choice.allowed_tools.tools) !== undefined)
  return told ? undefined : choice.raw
}

const legacyChoiceOf = (choice: NonNullable<ChatRequest["function_call"]>): ToolChoice =>
  choice === "none" ? { _tag: "None" } : choice === "auto" ? { _tag: "Auto" } : { _tag: "Tool", name: choice.name }

const formatOf = (format: RequestFormat): ResponseFormat | undefined => {
  switch (format.type) {
    case "text":
      return { _tag: "Text" }
    case "json_object":
      return { _tag: "Json" }
    case "json_schema": {
      const { name, description, schema, strict } = format.json_schema
      return { _tag: "JsonSchema", name, schema: schema ?? {}, ...present({ description, strict }) }
    }
    case undefined:
      return undefined
  }
}

const samplingOf = (document: ChatRequest): Sampling => {
  const { stop, top_k: topK } = document
  return present({
    maxOutputTokens: document.max_completion_tokens ?? document.max_tokens,
    temperature: document.temperature,
    topP: document.top_p,
    // Servers that know it take -1 for "all".
    topK: topK !== null && topK !== undefined && topK >= 0 ? topK : undefined,
    seed: document.seed,
    frequencyPenalty: document.frequency_penalty,
    presencePenalty: document.presence_penalty,
    stopSequences: typeof stop === "string" ? [stop] : stop,
    choices: document.n,
    logprobs: document.logprobs,
    topLogprobs: document.top_logprobs
  })
}
