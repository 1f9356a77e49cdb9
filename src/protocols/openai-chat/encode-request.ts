import type { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import {
  isInstruction,
  type Delivery,
  type LlmRequest,
  type Message,
  type ResponseFormat
} from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { jsonInstruction, jsonIsTold, schemaInstruction, schemaIsTold } from "../JsonInstruction.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { drawnBy } from "../openai/reasoners.ts"
import { withSiblingFields } from "../openai/sibling-fields.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import type { EncodeContext, EncodedRequest, Quirks } from "../Protocol.ts"
import { choosingAmong, offeringNone, offeringOnly, unforced, withoutForeignChoice } from "../ToolSubset.ts"
import { encodeMessages } from "./encode-messages.ts"
import {
  encodeAccount,
  encodeFormat,
  encodeMetadata,
  encodeSampling,
  encodeThinking,
  isOff
} from "./encode-settings.ts"
import { encodeTool, encodeToolChoice } from "./encode-tools.ts"
import { ChatEncoding } from "./encoding.ts"
import { isOwn, ownExtension } from "./extension.ts"
import { restoredReasoning, statedReasoning } from "./reasoning-settings.ts"
import { isRefused, withoutRefused } from "./refused.ts"
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
  const body = withoutRefused(encodeBody(request, context, encoding), encoding)
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
  const request = withTakenChoice(chosen, encoding)
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
      ...encodeAccount(request, encoding),
      metadata: encodeMetadata(request.metadata, own["store"], encoding)
    }),
    ...Object.assign({}, ...(request.tools ?? []).map(searchOptions)),
    ...own
  }
}

/** A request with a choice of tools that its server takes; the same one where it takes that. */
const withTakenChoice = (chosen: LlmRequest, encoding: ChatEncoding): LlmRequest => {
  const { quirks } = encoding
  const named = quirks.noNamedCalls === true ? choosingAmong(chosen) : chosen
  const oneOffered = quirks.noAllowedTools === true || quirks.noNamedCalls === true
  const among = oneOffered ? offeringOnly(named, encoding) : named
  const offered = quirks.onlyAutoCalls === true ? offeringNone(among, encoding) : among
  const free = quirks.noForcedCalls !== true || isUnthinking(among, quirks)
  return unforced(offered, { forcedCalls: free && quirks.onlyAutoCalls !== true }, encoding)
}

/**
 * The form of the answer, and the conversation with what has to be said of it: the schema where the server knows none, and
 * that it is JSON, without which servers refuse to hold an answer to any JSON. Callers of this format know that.
 */
const formOf = (
  { messages, responseFormat: form }: LlmRequest,
  encoding: ChatEncoding
): { readonly form: ResponseFormat | undefined; readonly messages: ReadonlyArray<Message> } => {
  if (form?._tag === "Json") {
    const untold = !encoding.native && !messages.some(speaksOfJson)
    if (untold) encoding.add("emulated", jsonIsTold)
    return { form: jsonForm(form, encoding), messages: untold ? withInstruction(messages, jsonInstruction) : messages }
  }
  if (form?._tag !== "JsonSchema" || encoding.quirks.noJsonSchema !== true) return { form, messages }
  encoding.add("emulated", schemaIsTold)
  return { form: { _tag: "Json" }, messages: withInstruction(messages, schemaInstruction(form.schema)) }
}

const jsonForm = (form: ResponseFormat, encoding: ChatEncoding): ResponseFormat => {
  if (encoding.quirks.noJsonObject !== true) return form
  encoding.add("emulated", "JSON of any form: the server is given a schema that any object has")
  return { _tag: "JsonSchema", name: "answer", schema: { type: "object" } }
}

const speaksOfJson = ({ parts }: Message): boolean =>
  parts.some((part) => part._tag === "Text" && /json/i.test(part.text))

const withInstruction = (messages: ReadonlyArray<Message>, text: string): ReadonlyArray<Message> => {
  const start = messages.findIndex((message) => !isInstruction(message))
  const head = start < 0 ? messages.length : start
  return [...messages.slice(0, head), { role: "system", parts: [{ _tag: "Text", text }] }, ...messages.slice(head)]
}

/** Whether the model is told not to think, in this format's own words or in those of others. */
const isUnthinking = ({ reasoning, extensions }: LlmRequest, { thinkingSwitch }: Quirks): boolean => {
  const { [statedReasoning]: stated, enable_thinking: thinks } = ownExtension(extensions)
  const { thinking } = fieldsOf(stated)
  if (thinks === false || (isObject(thinking) && thinking["type"] === "disabled")) return true
  return thinkingSwitch === true && reasoning !== undefined && isOff(reasoning)
}
