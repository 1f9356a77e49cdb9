import { failure, type FailureReason, type LlmError } from "../../domain/LlmError.ts"
import { present } from "../../domain/present.ts"
import { httpReason } from "../HttpError.ts"
import { fieldsOf, isObject, parseJson } from "../open-document.ts"
import { decodeOpenAiError, isModelFailure } from "./errors.ts"
import type { ErrorAnswer } from "../Protocol.ts"
import { gistOf } from "../ToldError.ts"

const contextTooLong =
  /context size|too_many_prompt_tokens|total length of all messages|exceeded model token limit|input token length too long|maximum prompt length|prompt exceeds max length/i
const contextWords: ReadonlyArray<string> = ["too_many_prompt_tokens", "exceed_context_size_error"]
const blockedWords: ReadonlyArray<string> = ["content_filter", "data_inspection_failed", "1301"]
const quotaWords: ReadonlyArray<string> = ["exceeded_current_quota_error", "Arrearage"]
/** A key that is wrong, said with the status of a request that is. */
const wrongKey = /^incorrect api key/i
/** A status that also stands for a key without permission. */
const blocked = /violates usage guidelines/i
const modelWords: ReadonlyArray<string> = ["invalid_model", "DeploymentNotFound", "model_not_available"]
/** What the models of a server do not take: another server's may. */
const refusedParameters: ReadonlyArray<RegExp> = [
  /does not support (?:the )?parameter:? ?[`'"]?(\w+)/i,
  /[`'"](\w+)[`'"] is not supported (?:with|for|by) this model/i,
  /argument not supported(?: on this model)?: ?(\w+)/i,
  /property [`'"]([\w.]+)[`'"] is unsupported/i,
  /extra inputs are not permitted, field: [`'"]([\w.]+)/i,
  /invalid (\w+): only [\d.]+ is allowed for this model/i,
  /(reasoning_effort) must be one of/i,
  /does not support (thinking)/i,
  /body -> (\w+)\s+extra inputs are not permitted/i,
  /'extra_forbidden', 'loc': \('body', '(\w+)'/,
  /unsupported parameter\(s\): [`'"]?(\w+)/i,
  /\b(\w{1,64})=(?:true|false) (?:is|are) not supported by this model/i,
  /(max_tokens) > \d+ must have stream=true/i,
  /(enable_thinking) must be set to false for non-streaming/i,
  /^(tool choice) must be auto/i,
  /[`'"](response_format\.type)[`'"] must be/i,
  /invalid (tool_choice) type/i,
  /[`'"](url)[`'"] field must be a base64 encoded image/i
]
const namedModel = /model(?: not found)?: *["'`]?([\w./:-]*\w)/i

/**
 * The reason of an HTTP error answer of a server that speaks the format `protocol`, whoever it is from: what all APIs of
 * this kind say, and the words that single servers have for "the prompt is too long" and "there is no such model".
 */
export const decodeVendorError = (protocol: string): ((answer: ErrorAnswer) => LlmError) => {
  const decodeCommon = decodeOpenAiError(protocol)
  return (answer) => {
    const error = decodeCommon(answer)
    const listed = listedFault(answer.body)
    const message = listed?.message ?? error.message
    const reason = vendorReason(error, answer) ?? pathReason(error.reason, listed)
    return reason === error.reason && message === error.message
      ? error
      : failure(reason, message, present({ retryAfterMs: error.retryAfterMs, fault: error.fault }))
  }
}

const vendorReason = (error: LlmError, { status, body }: ErrorAnswer): FailureReason | undefined => {
  const { message } = gistOf(error)
  const { type = "", code = "", param } = error.fault ?? {}
  // Some give every failure the type of a failure of their own; the status knows better whose it is.
  const isMistyped = error.reason._tag === "UpstreamServer" && status >= 400 && status < 500
  const reason = isMistyped ? httpReason(status) : error.reason
  if (blockedWords.includes(type) || blockedWords.includes(code)) return { _tag: "ContentBlocked" }
  if (status === 403 && (blocked.test(message) || isModerated(body))) return { _tag: "ContentBlocked" }
  if (status === 400 && wrongKey.test(message)) return { _tag: "Unauthorized" }
  if (quotaWords.includes(type) || quotaWords.includes(code)) return { _tag: "QuotaExceeded" }
  // What the model wrote is no call, or not the JSON that it was held to: it may do better when it is asked again.
  if (isModelFailure(code)) return { _tag: "UpstreamServer" }
  if (contextWords.includes(type) || contextWords.includes(code)) return { _tag: "ContextTooLong" }
  if (reason._tag === "InvalidRequest" && contextTooLong.test(message)) return { _tag: "ContextTooLong" }
  const feature = reason._tag === "InvalidRequest" ? refusedIn(message) : undefined
  if (feature !== undefined) return { _tag: "Unsupported", feature }
  const unknown = reason._tag === "UnknownModel" && reason.model === ""
  const refused = reason._tag === "InvalidRequest" && status === 404 && param === "model"
  if (unknown || refused || modelWords.includes(type) || modelWords.includes(code)) {
    return { _tag: "UnknownModel", model: namedModel.exec(message)?.[1] ?? "", near: [] }
  }
  return isMistyped ? reason : undefined
}

const refusedIn = (message: string): string | undefined => {
  for (const refused of refusedParameters) {
    const feature = refused.exec(message)?.[1]
    if (feature !== undefined) return feature
  }
  return undefined
}

/** Whether a router found what was asked objectionable: it then says why, where others say who failed. */
const isModerated = (body: string): boolean => {
  const { error } = fieldsOf(parseJson(body))
  return Array.isArray(fieldsOf(fieldsOf(error)["metadata"])["reasons"])
}

const pathReason = (reason: FailureReason, { path, isUnknown }: Partial<ListedFault> = {}): FailureReason => {
  if (reason._tag !== "InvalidRequest" || path === undefined) return reason
  // Another server may know the field.
  return isUnknown === true ? { _tag: "Unsupported", feature: path } : { ...reason, path }
}

interface ListedFault {
  readonly message: string
  readonly path: string | undefined
  /** whether the field is none that the server knows */
  readonly isUnknown: boolean
}

/** Servers built with one popular framework answer with a list of the fields that are wrong. */
const listedFault = (body: string): ListedFault | undefined => {
  const document = parseJson(body)
  const inner = isObject(document) && isObject(document["message"]) ? document["message"] : document
  const details = fieldsOf(inner)["detail"]
  const first: unknown = Array.isArray(details) ? details[0] : undefined
  const message = isObject(first) ? (typeof first["msg"] === "string" ? first["msg"] : undefined) : undefined
  if (!isObject(first) || message === undefined) return undefined
  const steps: ReadonlyArray<unknown> = Array.isArray(first["loc"]) ? first["loc"] : []
  const path = steps
    .filter((step) => step !== "body")
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "")
  return {
    message: path === "" ? message : `${path}: ${message}`,
    path: path === "" ? undefined : path,
    isUnknown: first["type"] === "extra_forbidden"
  }
}
