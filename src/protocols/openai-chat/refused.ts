import { isObject, type JsonObject } from "../open-document.ts"
import type { Quirks } from "../Protocol.ts"
import type { ChatEncoding } from "./encoding.ts"
import { isShortId } from "./short-ids.ts"
import { repeatsRole, speaksAfterTools } from "./turn-order.ts"

/**
 * Whether a request of this format, as a caller wrote it, holds something that a server with these quirks is known to
 * refuse, and that can be said to it in another way.
 */
export const isRefused = (body: JsonObject, quirks: Quirks): boolean => {
  // Most servers have none.
  for (const quirk in quirks) {
    const find = finders[quirk]
    if (find?.(body) === true) return true
  }
  return false
}

type Finder = (body: JsonObject) => boolean

const anyMessage =
  (find: (message: JsonObject) => boolean): Finder =>
  ({ messages }) =>
    Array.isArray(messages) && messages.some((message) => isObject(message) && find(message))

const hasAny =
  (...fields: ReadonlyArray<string>) =>
  (document: JsonObject): boolean =>
    fields.some((field) => document[field] !== undefined && document[field] !== null)

const hasType = (value: unknown, type: string): boolean => isObject(value) && value["type"] === type

/** The fields that a server refuses, by the quirk that says so, and that are left out for it. */
const refusedFields = {
  noLogprobs: ["logprobs", "top_logprobs", "logit_bias"],
  noPenalties: ["frequency_penalty", "presence_penalty"],
  noStop: ["stop"],
  fixedSampling: ["temperature", "top_p"],
  noUser: ["service_tier", "user"]
} satisfies { readonly [Q in keyof Quirks]?: ReadonlyArray<string> }

/** A request without the fields that its server refuses. */
export const withoutRefused = (body: JsonObject, encoding: ChatEncoding): JsonObject => {
  const { quirks } = encoding
  const refused = Object.entries(refusedFields)
    .flatMap(([quirk, fields]) => (quirks[quirk as keyof typeof refusedFields] === true ? fields : [])) // its own keys
    .filter((field) => body[field] !== undefined)
  if (refused.length === 0) return body
  for (const field of refused) encoding.refused(field)
  return Object.fromEntries(Object.entries(body).filter(([field]) => !refused.includes(field)))
}

const isForced = (choice: unknown): boolean => choice === "required" || choice === "any" || hasType(choice, "function")

const finders: { readonly [quirk: string]: Finder } = {
  legacyMaxTokens: hasAny("max_completion_tokens"),
  noDeveloperRole: anyMessage(({ role }) => role === "developer"),
  noJsonSchema: ({ response_format: format }) => hasType(format, "json_schema"),
  noJsonObject: ({ response_format: format }) => hasType(format, "json_object"),
  noAllowedTools: ({ tool_choice: choice }) => hasType(choice, "allowed_tools"),
  wantsReasoning: (body) =>
    !hasType(body["thinking"], "disabled") &&
    anyMessage((message) => hasAny("tool_calls")(message) && !hasAny("reasoning_content")(message))(body),
  effortSwitch: ({ reasoning_effort: effort }) =>
    typeof effort === "string" && effort !== "none" && effort !== "default",
  noReasoningEffort: hasAny("reasoning_effort"),
  noForcedCalls: ({ tool_choice: choice, thinking, enable_thinking: thinks }) =>
    !hasType(thinking, "disabled") && thinks !== false && isForced(choice),
  noNamedCalls: ({ tool_choice: choice }) => isObject(choice),
  onlyAutoCalls: ({ tool_choice: choice }) => choice !== undefined && choice !== null && choice !== "auto",
  noReasoningContent: anyMessage(hasAny("reasoning_content", "reasoning_details")),
  thinkingParts: anyMessage(hasAny("reasoning_content", "reasoning", "reasoning_details")),
  shortCallIds: anyMessage(
    ({ tool_call_id: id, tool_calls: calls }) =>
      isLongId(id) || (Array.isArray(calls) && calls.some((call) => isObject(call) && isLongId(call["id"])))
  ),
  wantsContent: anyMessage(
    (message) => message["role"] === "assistant" && (!hasAny("content")(message) || isEmptyList(message["content"]))
  ),
  noUserAfterTools: ({ messages }) => Array.isArray(messages) && speaksAfterTools(messages),
  alternatingTurns: ({ messages }) => Array.isArray(messages) && repeatsRole(messages),
  randomSeed: hasAny("seed"),
  noLogprobs: hasAny(...refusedFields.noLogprobs),
  noPenalties: hasAny(...refusedFields.noPenalties),
  noStop: hasAny(...refusedFields.noStop),
  fixedSampling: hasAny(...refusedFields.fixedSampling),
  noNames: anyMessage((message) => message["role"] !== "tool" && hasAny("name")(message)),
  noUser: hasAny(...refusedFields.noUser)
} satisfies { readonly [Q in keyof Quirks]: Finder }

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

const isLongId = (id: unknown): boolean => typeof id === "string" && !isShortId(id)
