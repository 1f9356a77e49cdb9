import { Result, type Schema } from "effect"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { LlmRequest, Message, ResponseFormat, Sampling, Tool, ToolChoice } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { DecodedRequest } from "../Dialect.ts"
import { documentDecoder } from "../document.ts"
import { fieldsOf, isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import { decodeInput } from "./decode-items.ts"
import { decodeTools, hostedName } from "./decode-tools.ts"
import { extended, storedByDefault } from "./extension.ts"
import { chosenTool } from "./namespaces.ts"
import { storedState } from "./stored-state.ts"
import { ResponsesRequest, type RequestToolChoice, type TextFormat } from "./wire.ts"

const readDocument = documentDecoder(ResponsesRequest)

/** Reads the body of `POST /v1/responses`. */
export const decodeRequest = (body: unknown): Result.Result<DecodedRequest, LlmError> =>
  Result.flatMap(readDocument(body), (document) => {
    const { previous_response_id: previous, conversation, prompt } = document
    if (document.model === "") {
      return Result.fail(failure({ _tag: "InvalidRequest", kind: "type", path: "model" }, "model is required"))
    }
    const empty = document.input === undefined || document.input === null || document.input.length === 0
    if (empty && !previous && !conversation && !prompt && !document.instructions) {
      return Result.fail(failure({ _tag: "InvalidRequest", kind: "type", path: "input" }, "input is required"))
    }
    const request = requestOf(document)
    const requires = storedState(request)
    return Result.succeed({
      request: requires === undefined ? request : { ...request, requires },
      delivery: document.stream === true ? "stream" : "whole"
    })
  })

const requestOf = (document: ResponsesRequest): LlmRequest => {
  const { effort, format } = latestSettings(document)
  const settings = present({ effort, summary: document.reasoning?.summary })
  const tools = decodeTools(document)
  return {
    model: document.model,
    messages: [...instructionsOf(document), ...decodeInput(document.input ?? [], tools)],
    ...present({
      tools,
      toolChoice: document.tool_choice ? toolChoiceOf(document.tool_choice, tools) : undefined,
      parallelToolCalls: document.parallel_tool_calls,
      responseFormat: responseFormatOf(format),
      reasoning: unlessEmpty(settings),
      serviceTier: document.service_tier,
      user: document.user,
      metadata: document.metadata
    }),
    sampling: samplingOf(document),
    ...extended({ ...document.rest, ...keptSettings(document) })
  }
}

const instructionsOf = ({ instructions }: ResponsesRequest): ReadonlyArray<Message> =>
  instructions ? [{ role: "system", parts: [{ _tag: "Text", text: instructions }] }] : []

const toolChoiceOf = (choice: RequestToolChoice, tools: ReadonlyArray<Tool> | undefined): ToolChoice | undefined => {
  if (typeof choice === "string") {
    return choice === "auto" ? { _tag: "Auto" } : choice === "none" ? { _tag: "None" } : { _tag: "Required" }
  }
  switch (choice.type) {
    case "function":
    case "custom":
      return { _tag: "Tool", name: chosenTool(choice.name, tools) }
    case "allowed_tools":
      return {
        _tag: choice.mode === "required" ? "Required" : "Auto",
        ...present({ among: allowedNames(choice.tools)?.map((name) => chosenTool(name, tools)) })
      }
    case undefined:
      return undefined
  }
}

/** The names of a list of tools; undefined where one of them says more than which it is, or is many. */
const allowedNames = (tools: Schema.Json): ReadonlyArray<string> | undefined =>
  Array.isArray(tools) && tools.length > 0 && tools.every(isName)
    ? tools.map((tool) => hostedName(fieldsOf(tool)))
    : undefined

const isName = (tool: Schema.Json): boolean =>
  isObject(tool) && tool["type"] !== "namespace" && Object.keys(tool).every(isNaming)

const isNaming = (field: string): boolean => field === "type" || field === "name" || field === "server_label"

/** How the answer is to be and to be thought of: the input may say it anew, and the last word counts. */
const latestSettings = ({ input, reasoning, text }: ResponsesRequest) => {
  let effort = reasoning?.effort
  let format = text?.format
  for (const item of typeof input === "string" ? [] : (input ?? [])) {
    if (item.type !== "configuration_update") continue
    effort = item.reasoning?.effort ?? effort
    format = item.text?.format ?? format
  }
  return { effort, format }
}

const responseFormatOf = (format: TextFormat | null | undefined): ResponseFormat | undefined => {
  switch (format?.type) {
    case "text":
      return { _tag: "Text" }
    case "json_object":
      return { _tag: "Json" }
    case "json_schema":
      return {
        _tag: "JsonSchema",
        name: format.name,
        ...present({ description: format.description, strict: format.strict }),
        schema: format.schema
      }
    default:
      return undefined
  }
}

const logprobsInclude = "message.output_text.logprobs"
// Reasoning is always given with what proves it: a caller that asks for that asks for nothing special.
const usualIncludes: ReadonlyArray<string> = [logprobsInclude, "reasoning.encrypted_content"]

const samplingOf = (document: ResponsesRequest): Sampling =>
  present({
    maxOutputTokens: document.max_output_tokens,
    temperature: document.temperature,
    topP: document.top_p,
    logprobs: document.include?.includes(logprobsInclude) === true ? true : undefined,
    topLogprobs: document.top_logprobs
  })

type Field = JsonObject[string]

const nonEmpty = (fields: { readonly [key: string]: Field | undefined }): JsonObject | undefined => {
  const kept: Record<string, Field> = {}
  for (const [key, field] of Object.entries(fields)) if (field !== undefined && field !== null) kept[key] = field
  return unlessEmpty(kept)
}

/** Whether a choice says no more than which tool is to be called, or which of them may be. */
const namesTools = (choice: Exclude<RequestToolChoice, string>): boolean =>
  choice.type === "allowed_tools" ? allowedNames(choice.tools) !== undefined : choice.type !== undefined

/** What the settings say beyond the canonical vocabulary. What is the API's own default needs no keeping. */
const keptSettings = (document: ResponsesRequest): { readonly [key: string]: Field | undefined } => {
  const { text, tool_choice: choice, include, conversation, rest } = document
  const unknownFormat = text?.format && text.format.type === undefined ? text.format.raw : undefined
  const special = include?.filter((name) => !usualIncludes.includes(name)) ?? []
  const chosen = typeof choice === "object" && choice !== null && !namesTools(choice) ? choice.raw : undefined
  return {
    text: nonEmpty({ ...text?.rest, format: unknownFormat }),
    reasoning: nonEmpty({ ...document.reasoning?.rest }),
    tool_choice: chosen,
    include: unlessEmpty(special),
    store: document.store === true ? true : undefined,
    [storedByDefault]: typeof document.store === "boolean" ? undefined : true,
    background: document.background === true ? true : undefined,
    previous_response_id: document.previous_response_id ?? undefined,
    conversation: typeof conversation === "object" ? conversation?.raw : conversation,
    prompt: document.prompt?.raw,
    truncation: rest?.["truncation"] === "disabled" ? undefined : rest?.["truncation"]
  }
}
