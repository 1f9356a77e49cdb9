import type { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import {
  isInstruction,
  type Delivery,
  type LlmRequest,
  type Message,
  type ReasoningSettings,
  type ResponseFormat,
  type Sampling,
  type Tool,
  type ToolChoice
} from "../../domain/LlmRequest.ts"
import { takesText } from "../FreeText.ts"
import { hostedTool } from "../HostedTools.ts"
import { strictOf } from "../openai/strict.ts"
import { jsonInstruction, jsonIsTold, schemaInstruction, schemaIsTold } from "../JsonInstruction.ts"
import { fieldsOf, isObject, present, type JsonObject } from "../open-document.ts"
import { endUser, tierFor } from "../openai/account.ts"
import { drawnBy, effortFor } from "../openai/reasoners.ts"
import { withSiblingFields } from "../openai/sibling-fields.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import type { EncodeContext, EncodedRequest, Quirks } from "../Protocol.ts"
import { offeredAmong, offeringOnly, unforced, withoutForeignChoice } from "../ToolSubset.ts"
import { encodeMessages } from "./encode-messages.ts"
import { markers } from "./encode-parts.ts"
import { ChatEncoding } from "./encoding.ts"
import { isOwn, ownExtension } from "./extension.ts"
import { restoredReasoning, statedReasoning } from "./reasoning-settings.ts"
import { isRefused } from "./refused.ts"
import { searchOptions } from "./search-options.ts"
import { openAiChatId } from "./wire.ts"
import { takeableMessages } from "./written-messages.ts"

const path = "/chat/completions"

/**
 * Encodes a request: as it came where it came in this format, nobody changed it, and the server is not known to refuse
 * something in it; else from the canonical one.
 */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const { origin, model, delivery, quirks } = context
  const encoding = new ChatEncoding(isOwn(request.extensions), context)
  if (origin !== undefined && !isRefused(origin.body, quirks)) {
    const { stream: _, stream_options: options, ...body } = origin.body
    const streaming = streamFields(delivery, options, quirks)
    const unsaid = delivery === "whole" && "stream" in origin.body ? { stream: false } : {}
    const taken = quirks.takesSeals === true ? {} : takeableMessages(body, encoding)
    return encoding.encoded({
      path,
      headers: origin.headers,
      body: { ...body, model, ...unsaid, ...streaming, ...taken }
    })
  }
  const body = encodeBody(request, context, encoding)
  return encoding.encoded({ path, headers: {}, body })
}

/** The usage of a stream is always asked for, whether the caller asked or not: the record of the call needs it. */
const streamFields = (delivery: Delivery, options: unknown, quirks: Quirks): JsonObject => {
  if (delivery === "whole") return {}
  return quirks.noStreamOptions === true
    ? { stream: true }
    : { stream: true, stream_options: { ...fieldsOf(options), include_usage: true } }
}

const encodeBody = (asked: LlmRequest, context: EncodeContext, encoding: ChatEncoding): JsonObject => {
  const { model, delivery, quirks } = context
  refuseForeignInput(asked.messages, openAiChatId, encoding)
  const chosen = withoutForeignChoice(asked, openAiChatId, encoding)
  const among = quirks.noAllowedTools === true ? offeringOnly(chosen, encoding) : chosen
  const request = unforced(
    among,
    { forcedCalls: quirks.noForcedCalls !== true || isUnthinking(among, quirks) },
    encoding
  )
  // Who does not know this role is another vendor's, and may refuse settings that it does not know.
  const extensions =
    quirks.noDeveloperRole === true ? request.extensions : withSiblingFields(request.extensions, openAiChatId)
  const {
    stream_options: options,
    tool_choice: ownChoice,
    [statedReasoning]: stated,
    ...own
  } = encoding.own(extensions)
  const tools = request.tools?.flatMap((tool) => encodeTool(tool, encoding))
  const choice =
    // It says what was asked for, which may not be what can be.
    (request === chosen ? ownChoice : undefined) ??
    (request.toolChoice === undefined ? undefined : encodeToolChoice(request.toolChoice, request.tools ?? []))
  const { form, messages } = formOf(request, encoding)
  const callable = tools !== undefined && tools.length > 0
  const { fields, reasoning } = restoredReasoning(stated, request.reasoning)
  const thought = reasoning === undefined ? {} : encodeThinking(reasoning, model, encoding)
  const { sampling } = request
  const drawn = encoding.native ? sampling : drawnBy(model, thought["reasoning_effort"], sampling, encoding)
  return {
    model,
    messages: encodeMessages(messages, encoding),
    ...streamFields(delivery, options, quirks),
    ...encodeSampling(drawn, encoding),
    ...present({
      tools: callable ? tools : undefined,
      tool_choice: callable ? choice : undefined,
      parallel_tool_calls: callable ? request.parallelToolCalls : undefined,
      response_format: form === undefined ? undefined : encodeFormat(form),
      ...thought,
      ...fields,
      ...account(request, encoding),
      metadata: request.metadata
    }),
    ...Object.assign({}, ...(request.tools ?? []).map(searchOptions)),
    ...own
  }
}

const encodeTool = (tool: Tool, encoding: ChatEncoding): ReadonlyArray<JsonObject> => {
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

const encodeToolChoice = (choice: ToolChoice, tools: ReadonlyArray<Tool>): string | JsonObject => {
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

/**
 * The form of the answer, and the conversation with what has to be said of it: the schema where the server knows none, and
 * that it is JSON, without which servers refuse to hold an answer to any JSON. Callers of this format know that.
 */
const formOf = (
  { messages, responseFormat: form }: LlmRequest,
  encoding: ChatEncoding
): { readonly form: ResponseFormat | undefined; readonly messages: ReadonlyArray<Message> } => {
  if (form?._tag === "Json" && !encoding.native && !messages.some(speaksOfJson)) {
    encoding.add("emulated", jsonIsTold)
    return { form, messages: withInstruction(messages, jsonInstruction) }
  }
  if (form?._tag !== "JsonSchema" || encoding.quirks.noJsonSchema !== true) return { form, messages }
  encoding.add("emulated", schemaIsTold)
  return { form: { _tag: "Json" }, messages: withInstruction(messages, schemaInstruction(form.schema)) }
}

const speaksOfJson = ({ parts }: Message): boolean =>
  parts.some((part) => part._tag === "Text" && /json/i.test(part.text))

const withInstruction = (messages: ReadonlyArray<Message>, text: string): ReadonlyArray<Message> => {
  const start = messages.findIndex((message) => !isInstruction(message))
  const head = start < 0 ? messages.length : start
  return [...messages.slice(0, head), { role: "system", parts: [{ _tag: "Text", text }] }, ...messages.slice(head)]
}

const encodeFormat = (format: ResponseFormat): JsonObject => {
  switch (format._tag) {
    case "Text":
      return { type: "text" }
    case "Json":
      return { type: "json_object" }
    case "JsonSchema": {
      const { name, description, schema, strict } = format
      return { type: "json_schema", json_schema: { name, ...present({ description, strict }), schema } }
    }
  }
}

/** Whether the model is told not to think, in this format's own words or in those of others. */
const isUnthinking = ({ reasoning, extensions }: LlmRequest, { thinkingSwitch }: Quirks): boolean => {
  const { thinking } = fieldsOf(ownExtension(extensions)[statedReasoning])
  if (isObject(thinking) && thinking["type"] === "disabled") return true
  return thinkingSwitch === true && reasoning !== undefined && isOff(reasoning)
}

const isOff = ({ mode, effort }: ReasoningSettings): boolean =>
  effort === undefined ? mode === "disabled" : effort === "none"

/** Whether to think, where the server is told that by itself, and how much. */
const encodeThinking = (reasoning: ReasoningSettings, model: string, encoding: ChatEncoding): JsonObject => {
  const { mode, effort } = reasoning
  const { noReasoningEffort, thinkingSwitch } = encoding.quirks
  if (thinkingSwitch === true && isOff(reasoning)) return { thinking: { type: "disabled" } }
  const wanted = mode === "enabled" || effort !== undefined
  const thinking = thinkingSwitch === true && wanted ? { type: "enabled" } : undefined
  if (noReasoningEffort !== true) return present({ thinking, reasoning_effort: effortOf(reasoning, model, encoding) })
  if (wanted) encoding.refused("reasoning_effort")
  return present({ thinking })
}

/** An effort as the caller gave it; a budget of tokens is worth the effort that would have been given so many. */
const effortOf = (
  { mode, effort, budgetTokens, summary }: ReasoningSettings,
  model: string,
  encoding: ChatEncoding
): string | undefined => {
  if (summary !== undefined) encoding.dropped("reasoning summary")
  if (effort !== undefined) return effortFor(model, effort, encoding)
  if (mode === "disabled") {
    encoding.dropped("reasoning disabled", "Chat Completions leaves it to the model")
    return undefined
  }
  if (budgetTokens === undefined) return mode === "enabled" ? "medium" : undefined
  const worth = budgetTokens <= 1024 ? "low" : budgetTokens <= 4096 ? "medium" : "high"
  encoding.add("changed", `a reasoning budget of ${budgetTokens} tokens is the effort ${worth}`)
  return worth
}

/** What of a request concerns the account that it is for. */
const account = ({ serviceTier, user }: LlmRequest, encoding: ChatEncoding): JsonObject => {
  const fields = encoding.native
    ? present({ service_tier: serviceTier, user })
    : present({ service_tier: tierFor(serviceTier), user: endUser(user, encoding) })
  if (encoding.quirks.noUser !== true) return fields
  for (const field of Object.keys(fields)) encoding.refused(field)
  return {}
}

const encodeSampling = (sampling: Sampling, encoding: ChatEncoding): JsonObject => {
  const { maxOutputTokens, topK } = sampling
  const { quirks } = encoding
  if (topK !== undefined && !encoding.native) encoding.dropped("top_k")
  const legacy = quirks.legacyMaxTokens === true
  const logprobs = present({ logprobs: sampling.logprobs, top_logprobs: sampling.topLogprobs })
  if (quirks.noLogprobs === true) for (const field of Object.keys(logprobs)) encoding.refused(field)
  return present({
    max_tokens: legacy ? maxOutputTokens : undefined,
    max_completion_tokens: legacy ? undefined : maxOutputTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: encoding.native ? topK : undefined,
    [quirks.randomSeed === true ? "random_seed" : "seed"]: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    stop: sampling.stopSequences,
    n: sampling.choices,
    ...(quirks.noLogprobs === true ? {} : logprobs)
  })
}
