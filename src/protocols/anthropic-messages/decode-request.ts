import { Result } from "effect"
import type { Origin } from "../../domain/Call.ts"
import { failure } from "../../domain/LlmError.ts"
import type {
  LlmRequest,
  Message,
  ReasoningSettings,
  Requirement,
  ResponseFormat,
  Sampling,
  Tool,
  ToolChoice
} from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { table } from "../../domain/table.ts"
import type { Dialect } from "../Dialect.ts"
import { documentDecoder } from "../document.ts"
import type { Fields } from "../extensions.ts"
import { searchWith } from "../HostedTools.ts"
import { unlessEmpty } from "../open-document.ts"
import { messagesOfTurn } from "../turns.ts"
import { decodeContent, marked } from "./decode-parts.ts"
import {
  betas,
  extended,
  statedDisplay,
  statedEffort,
  statedFormat,
  statedThinking,
  statedVersion,
  systemTurn,
  userProfile,
  workspace
} from "./extension.ts"
import {
  anthropicMessagesId,
  MessagesRequest,
  type RequestMessage,
  type RequestTool,
  type RequestToolChoice
} from "./wire.ts"

const readDocument = documentDecoder(MessagesRequest)

/** Reads the body of `POST /v1/messages`. */
export const decodeRequest: Dialect["decode"] = (body, _, headers = {}) =>
  Result.flatMap(readDocument(body), (document) => {
    if (document.model === "") return invalid("model", "model is required")
    if (document.messages.length === 0) return invalid("messages", "messages: at least one message is required")
    const silent = document.messages.findIndex(({ content, role }) => !content && content !== "" && role !== "system")
    if (silent >= 0) return invalid(`messages[${silent}].content`, `messages[${silent}].content is required`)
    const choice = document.tool_choice
    if (choice?.type === "tool" && !choice.name) return invalid("tool_choice.name", "tool_choice.name is required")
    return Result.succeed({
      request: requestOf(document, headers),
      delivery: document.stream === true ? "stream" : "whole"
    })
  })

/** A thread is history that the provider holds: the SDK sends all of it where it is told that there is none. */
const heldThread: Requirement = {
  protocol: anthropicMessagesId,
  feature: "thread",
  message: "thread: histories are not held here; send all messages"
}

const invalid = (path: string, message: string) =>
  Result.fail(failure({ _tag: "InvalidRequest", kind: "type", path }, message))

const requestOf = (document: MessagesRequest, headers: Origin["headers"]): LlmRequest => {
  const choice = document.tool_choice
  const disabled = choice?.disable_parallel_tool_use
  return {
    model: document.model,
    messages: [...systemOf(document), ...document.messages.flatMap(decodeMessage)],
    ...present({
      tools: document.tools?.map(decodeTool),
      toolChoice: choice ? toolChoiceOf(choice) : undefined,
      parallelToolCalls: typeof disabled === "boolean" ? !disabled : undefined,
      responseFormat: responseFormatOf(document),
      reasoning: reasoningOf(document),
      serviceTier: document.service_tier,
      user: document.metadata?.user_id,
      requires: document.rest?.["thread"] == null ? undefined : heldThread
    }),
    sampling: samplingOf(document),
    ...extended({
      ...document.rest,
      ...keptSettings(document),
      [betas]: headers[betas],
      [userProfile]: headers[userProfile],
      [workspace]: headers[workspace],
      [statedVersion]: headers["anthropic-version"]
    })
  }
}

const systemOf = ({ system }: MessagesRequest): ReadonlyArray<Message> =>
  system === undefined || system === null ? [] : [{ role: "system", parts: decodeContent(system) }]

/** One turn as the messages it stands for; encoding joins them again. */
const decodeMessage = (message: RequestMessage): ReadonlyArray<Message> => {
  const parts = decodeContent(message.content ?? [])
  // A later system message is native here and a makeshift elsewhere: the mark says that this one may stay what it is.
  const kept = extended(message.role === "system" ? { ...message.rest, [systemTurn]: true } : message.rest)
  if (message.role !== "user") return [{ role: message.role, parts, ...kept }]
  const [first, ...others] = messagesOfTurn(parts)
  return [{ ...first, ...kept }, ...others]
}

const decodeTool = (tool: RequestTool): Tool => {
  if (tool.type === undefined) {
    const { name, type, ...options } = tool.raw
    // A tool without a name of its own (a set of tools of an MCP server) goes by its type.
    const search = String(type).startsWith("web_search_") ? { webSearch: searchWith(options) } : {}
    return { _tag: "Provider", protocol: anthropicMessagesId, name: String(name ?? type), value: tool.raw, ...search }
  }
  return {
    _tag: "Function",
    name: tool.name,
    ...present({ description: tool.description, strict: tool.strict }),
    inputSchema: tool.input_schema,
    ...marked(tool.cache_control, tool.rest)
  }
}

const toolChoiceOf = (choice: RequestToolChoice): ToolChoice => {
  switch (choice.type) {
    case "auto":
      return { _tag: "Auto" }
    case "any":
      return { _tag: "Required" }
    case "none":
      return { _tag: "None" }
    case "tool":
      return { _tag: "Tool", name: choice.name ?? "" }
  }
}

const outputFormatOf = (document: MessagesRequest) => document.output_config?.format ?? document.output_format

const responseFormatOf = (document: MessagesRequest): ResponseFormat | undefined => {
  const format = outputFormatOf(document)
  // The schema has no name here, and other formats want one.
  return format?.type === "json_schema" ? { _tag: "JsonSchema", name: "output", schema: format.schema } : undefined
}

const modes: ReadonlyArray<string> = ["enabled", "disabled", "adaptive"] satisfies ReadonlyArray<
  NonNullable<ReasoningSettings["mode"]>
>
const isMode = (type: string): type is NonNullable<ReasoningSettings["mode"]> => modes.includes(type)

/** What a display of thoughts is as a wish to see a summary of them. */
const summaries: { readonly [display: string]: string } = table({ summarized: "auto", omitted: "none" })

const reasoningOf = (document: MessagesRequest): ReasoningSettings | undefined => {
  const { thinking, output_config: output } = document
  // An effort is how much work an answer is worth, and no wish to see thoughts.
  const unasked = output?.effort && !thinking ? "none" : undefined
  return unlessEmpty(
    present({
      mode: thinking && isMode(thinking.type) ? thinking.type : undefined,
      effort: output?.effort,
      budgetTokens: thinking?.budget_tokens,
      summary: summaries[thinking?.display ?? ""] ?? unasked
    })
  )
}

const samplingOf = (document: MessagesRequest): Sampling => ({
  maxOutputTokens: document.max_tokens,
  ...present({
    temperature: document.temperature,
    topP: document.top_p,
    topK: document.top_k,
    stopSequences: document.stop_sequences
  })
})

/** What the settings say beyond the canonical vocabulary. */
const keptSettings = (document: MessagesRequest): Fields => {
  const { metadata, thinking, output_config: output, tool_choice: choice } = document
  const format = outputFormatOf(document)
  const unknownFormat = format && format.type === undefined ? format.raw : undefined
  return {
    metadata: metadata?.rest,
    tool_choice: choice?.rest,
    thinking: thinking && !isMode(thinking.type) ? thinking.raw : thinking?.rest,
    output_config: unlessEmpty(present({ ...output?.rest, format: unknownFormat })),
    [statedEffort]: output?.effort ? true : undefined,
    [statedFormat]: format?.type === "json_schema" ? true : undefined,
    [statedThinking]: thinking ? true : undefined,
    [statedDisplay]: thinking?.display ?? undefined
  }
}
