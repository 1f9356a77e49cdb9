import type { Notice } from "../../domain/Call.ts"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import type { Choice, LlmResponse, ResponsePart } from "../../domain/LlmResponse.ts"
import { textOf } from "../../domain/LlmResponse.ts"
import { present } from "../../domain/present.ts"
import { takesText, textOfArguments } from "../FreeText.ts"
import type { RenderContext } from "../Dialect.ts"
import { Notices } from "../Notices.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { ownFields } from "../extensions.ts"
import { dropBlock } from "../foreign-blocks.ts"
import { withToldTier } from "../openai/account.ts"
import { annotationOf } from "./annotations.ts"
import { callExtras, sealOfCall } from "./call-extras.ts"
import { renderLogprobs } from "./logprobs.ts"
import { detailOf } from "./reasoning-details.ts"
import { isLegacy, mediaOf, noCounterpart, wordOf } from "./render-events.ts"
import { renderUsage } from "./usage.ts"
import { openAiChatId } from "./wire.ts"

type PartOf<T extends ResponsePart["_tag"]> = Extract<ResponsePart, { readonly _tag: T }>

/** Renders a whole answer. */
export const renderWhole = (response: LlmResponse, context: RenderContext, notices: Array<Notice>): JsonObject => {
  const said = new Notices(noCounterpart, notices)
  const { choices } = response
  const { serviceTier } = withToldTier(response, said)
  return {
    id: response.id || context.id,
    object: "chat.completion",
    created: response.created ?? context.created,
    model: response.model || context.request.model,
    ...present({ service_tier: serviceTier }),
    choices: (choices.length === 0 ? [{ index: 0, parts: [] }] : choices).map((choice) =>
      choiceOf(choice, context, said)
    ),
    ...present({ usage: renderUsage(response.usage) }),
    ...ownFields(choices.find(({ index }) => index === 0)?.finish ?? {}, openAiChatId)
  }
}

const choiceOf = (choice: Choice, context: RenderContext, said: Notices): JsonObject => {
  const tokens = choice.parts.flatMap((part) => (part._tag === "Text" ? (part.logprobs ?? []) : []))
  said.stoppedAt(choice.finish?.stopSequence)
  return {
    index: choice.index,
    message: messageOf(choice, context, said),
    logprobs: tokens.length === 0 ? null : renderLogprobs(tokens),
    finish_reason: wordOf(choice.finish?.reason ?? "unknown", isLegacy(context), said)
  }
}

const messageOf = (choice: Choice, context: RenderContext, said: Notices): JsonObject => {
  const { parts } = choice
  const text = textOf(choice)
  const refusal = parts.map((part) => (part._tag === "Refusal" ? part.text : "")).join("")
  const calls = callsOf(parts, context.request, said)
  const annotations = annotationsOf(choice)
  const spoken = text !== "" || (calls.length === 0 && refusal === "" && parts.every((part) => part._tag !== "Opaque"))
  return {
    role: "assistant",
    content: spoken ? text : null,
    refusal: refusal === "" ? null : refusal,
    ...reasoningOf(parts.filter((part) => part._tag === "Reasoning")),
    ...(annotations.length === 0 ? {} : { annotations }),
    ...(calls.length === 0 ? {} : isLegacy(context) ? legacyCall(calls, said) : { tool_calls: calls }),
    ...passedOf(parts, annotations, said)
  }
}

const reasoningOf = (parts: ReadonlyArray<PartOf<"Reasoning">>): JsonObject => {
  const text = parts.map((part) => part.text).join("")
  const proven = parts.some((part) => part.signature !== undefined || part.redacted !== undefined)
  return {
    ...(text === "" ? {} : { reasoning_content: text }),
    ...(proven ? { reasoning_details: parts.map(detailOf) } : {})
  }
}

const callsOf = (parts: ReadonlyArray<ResponsePart>, { tools }: LlmRequest, said: Notices): ReadonlyArray<JsonObject> =>
  parts.flatMap((part): ReadonlyArray<JsonObject> => {
    if (part._tag === "ToolResult") said.dropped("the answer of a tool that the provider ran")
    if (part._tag !== "ToolCall") return []
    if (part.providerExecuted === true) {
      said.dropped("a tool call that the provider runs")
      return []
    }
    const { id, name } = part
    const extras = callExtras(part)
    return extras["type"] === "custom" || takesText(tools, name)
      ? [{ id, ...extras, type: "custom", custom: { name, input: textOfArguments(part.arguments) } }]
      : [{ id, type: "function", function: { name, arguments: part.arguments }, ...extras }]
  })

/** Callers of the API's first days know one call, without an id. */
const legacyCall = ([first, ...others]: ReadonlyArray<JsonObject>, said: Notices): JsonObject => {
  if (others.length > 0) said.dropped("a second call")
  if (first !== undefined && sealOfCall(first) !== undefined) said.dropped("the signature of a call")
  return first === undefined ? {} : { function_call: first["function"] ?? null }
}

const annotationsOf = ({ parts, sources }: Choice): ReadonlyArray<JsonObject> => {
  let shift = 0
  const annotations: Array<JsonObject> = []
  for (const part of parts) {
    if (part._tag !== "Text") continue
    for (const source of part.sources ?? []) annotations.push(annotationOf(source, shift))
    shift += part.text.length
  }
  for (const source of sources ?? []) annotations.push(annotationOf(source, 0))
  return annotations
}

/** What has no canonical form, and pictures: fields of the message. Lists of several parts are one. */
const passedOf = (
  parts: ReadonlyArray<ResponsePart>,
  annotations: ReadonlyArray<JsonObject>,
  said: Notices
): JsonObject => {
  const passed: Record<string, JsonObject[string]> = {}
  for (const part of parts) {
    const fields =
      part._tag === "Media" ? mediaOf(part, said) : part._tag === "Opaque" ? ownBlockFields(part, said) : {}
    for (const [key, value] of Object.entries(fields ?? {})) {
      const before = passed[key] ?? (key === "annotations" ? annotations : undefined)
      passed[key] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
    }
  }
  return passed
}

const ownBlockFields = (part: PartOf<"Opaque">, said: Notices): JsonObject => {
  const { protocol, value } = part
  if (protocol === openAiChatId && isObject(value) && value["content"] === undefined) return value
  dropBlock(part, said)
  return {}
}
