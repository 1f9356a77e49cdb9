import { statusOf, type FailureReason, type LlmError, type ProviderFault } from "../../domain/LlmError.ts"
import type { RenderedAnswer } from "../Dialect.ts"
import { httpReason } from "../HttpError.ts"
import { errorHeaders, openAiLimitHeaders } from "../LimitHeaders.ts"
import { fieldsOf, isObject, parseJson, type JsonObject } from "../open-document.ts"
import type { ErrorAnswer } from "../Protocol.ts"
import { answeredError, type ErrorFormat, reportedError, type ToldError } from "../ToldError.ts"
import { table } from "../../domain/table.ts"
import { present } from "../../domain/present.ts"

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined

/**
 * Reads the error that the APIs of OpenAI and of everyone who followed them share, `{error: {message, type, param, code}}`, as
 * a body and in streams, out of a document that is one: the object under `error`, the same fields at the top, a bare text,
 * or what a proxy in front of the API says (`detail`). Codes may be numbers.
 */
export const readOpenAiError = (document: unknown): ToldError | undefined => {
  const outer: unknown = Array.isArray(document) ? document[0] : document
  if (!isObject(outer)) return undefined
  const inner = outer["error"] ?? outer["detail"] ?? outer
  if (typeof inner === "string") return { message: inner }
  if (!isObject(inner)) return undefined
  const message = textOf(inner["message"]) ?? textOf(inner["msg"])
  const { type, code, param } = inner
  // A document without anything of an error is another kind of document, unless it said under `error` that it is one.
  if (message === undefined && textOf(code) === undefined && inner === outer) return undefined
  return {
    message: message === undefined ? JSON.stringify(inner) : withRelayed(message, inner["metadata"]),
    // At the top of a stream's document `type` says what the document is.
    ...present({ type: type === "error" ? undefined : textOf(type), code: textOf(code), param: textOf(param) })
  }
}

/** A router says in words of its own that the provider behind it failed, and beside them what that one said. */
const withRelayed = (message: string, metadata: unknown): string => {
  const raw = textOf(fieldsOf(metadata)["raw"])
  if (raw === undefined) return message
  const relayed = readOpenAiError(parseJson(raw))?.message ?? raw
  return message.includes(relayed) ? message : `${message}: ${relayed}`
}

/** Whether a code says that the model wrote what its server cannot make a call or an answer of. */
export const isModelFailure = (code: string): boolean => code === "tool_use_failed" || code === "json_validate_failed"

const codes: { readonly [code: string]: FailureReason } = table({
  rate_limit_exceeded: { _tag: "RateLimited" },
  insufficient_quota: { _tag: "QuotaExceeded" },
  billing_hard_limit_reached: { _tag: "QuotaExceeded" },
  billing_not_active: { _tag: "QuotaExceeded" },
  invalid_api_key: { _tag: "Unauthorized" },
  context_length_exceeded: { _tag: "ContextTooLong" },
  content_policy_violation: { _tag: "ContentBlocked" },
  content_filter: { _tag: "ContentBlocked" },
  image_content_policy_violation: { _tag: "ContentBlocked" },
  bio_policy: { _tag: "ContentBlocked" },
  misalignment_policy_violation: { _tag: "ContentBlocked" },
  // What was asked was flagged as a violation of the usage policy.
  invalid_prompt: { _tag: "ContentBlocked" },
  server_error: { _tag: "UpstreamServer" },
  vector_store_timeout: { _tag: "UpstreamServer" },
  server_is_overloaded: { _tag: "Overloaded" },
  slow_down: { _tag: "Overloaded" }
})

const types: { readonly [type: string]: FailureReason } = table({
  rate_limit_error: { _tag: "RateLimited" },
  rate_limit_exceeded: { _tag: "RateLimited" },
  // The window of a limit stands in the place of the type: tokens, requests a minute.
  tokens: { _tag: "RateLimited" },
  requests: { _tag: "RateLimited" },
  insufficient_quota: { _tag: "QuotaExceeded" },
  billing_error: { _tag: "QuotaExceeded" },
  authentication_error: { _tag: "Unauthorized" },
  permission_error: { _tag: "PermissionDenied" },
  overloaded_error: { _tag: "Overloaded" },
  service_unavailable_error: { _tag: "Overloaded" },
  server_error: { _tag: "UpstreamServer" },
  api_error: { _tag: "UpstreamServer" }
})

const contextTooLong = /context (window|length)|maximum context|prompt is too long|too many (input )?tokens/i
const noSuchModel = /model\b[^.]*\b(does not exist|not found|not exist)|no such model|unknown model/i
const outOfCredits =
  /insufficient (credits?|balance|quota|funds)|exceeded your current quota|(used all available|doesn't have any) credits/i
const overloaded = /\boverloaded\b|at capacity/i

const modelFailed: FailureReason = { _tag: "UpstreamServer" }

const reasonOf = (error: ToldError, status: number | undefined): FailureReason => {
  const { message, type = "", code = "" } = error
  if (code === "model_not_found" || ((status === 404 || status === 400) && noSuchModel.test(message))) {
    return { _tag: "UnknownModel", model: /[`'"]([^`'"]+)[`'"]/.exec(message)?.[1] ?? "", near: [] }
  }
  if (code === "unsupported_parameter" || code === "unsupported_value") {
    return { _tag: "Unsupported", feature: error.param ?? code }
  }
  const stated = isModelFailure(code) ? modelFailed : (codes[code] ?? types[type])
  if (contextTooLong.test(message) && (stated === undefined || status === 400)) return { _tag: "ContextTooLong" }
  // Others say in these words too that a limit of so many tokens a minute is reached, and mean it by the code.
  if (code !== "rate_limit_exceeded" && outOfCredits.test(message)) return { _tag: "QuotaExceeded" }
  if (stated?._tag === "UpstreamServer" && (status === 529 || overloaded.test(message))) return { _tag: "Overloaded" }
  if (stated !== undefined) return stated
  // Some put the status where the code stands, above all in streams.
  const known = status ?? (/^[45]\d\d$/.test(code) ? Number(code) : undefined)
  if (known !== undefined) return withPath(httpReason(known), error.param)
  return type === "invalid_request_error"
    ? withPath({ _tag: "InvalidRequest", kind: "type" }, error.param)
    : { _tag: "UpstreamServer" }
}

const withPath = (reason: FailureReason, path: string | undefined): FailureReason =>
  reason._tag === "InvalidRequest" && path !== undefined ? { ...reason, path } : reason

const formatOf = (protocol: string): ErrorFormat<ToldError> => ({
  protocol,
  read: readOpenAiError,
  reasonOf
})

/** Reads what a stream or a whole answer of the format `protocol` reported. */
export const openAiStreamError = (protocol: string): ((document: unknown, raw: string) => LlmError) =>
  reportedError(formatOf(protocol))

/** Reads the HTTP error answers of the format `protocol`. */
export const decodeOpenAiError = (protocol: string): ((answer: ErrorAnswer) => LlmError) =>
  answeredError(formatOf(protocol))

type Named = readonly [type: string, code?: string]

/** The type and the code that these APIs give to a reason. */
const nameOf = (reason: FailureReason): Named => {
  switch (reason._tag) {
    case "InvalidRequest":
      return ["invalid_request_error"]
    case "Unsupported":
      return ["invalid_request_error", "unsupported_parameter"]
    case "ContextTooLong":
      return ["invalid_request_error", "context_length_exceeded"]
    case "ContentBlocked":
      return ["invalid_request_error", "content_policy_violation"]
    case "UnknownModel":
      return ["invalid_request_error", "model_not_found"]
    case "Unauthorized":
      return ["authentication_error", "invalid_api_key"]
    case "PermissionDenied":
      return ["permission_error"]
    case "QuotaExceeded":
      return ["insufficient_quota", "insufficient_quota"]
    case "RateLimited":
      return ["rate_limit_error", "rate_limit_exceeded"]
    case "Overloaded":
      return ["server_error", "server_is_overloaded"]
    default:
      return ["server_error"]
  }
}

const pathOf = (reason: FailureReason): string | undefined =>
  reason._tag === "InvalidRequest"
    ? reason.path
    : reason._tag === "UnknownModel"
      ? "model"
      : reason._tag === "Unsupported"
        ? reason.feature
        : undefined

/** Whether the fault was told in an error object of this kind, so that its type and code are words of it. */
const spoken = (fault: ProviderFault | undefined): fault is ProviderFault =>
  fault?.protocol?.startsWith("openai-") === true

/** The fields of the error object that tells a failure; those that the provider gave in such an object are kept. */
export const openAiErrorObject = ({ reason, message, fault }: LlmError) => {
  const [type, code] = nameOf(reason)
  const own = spoken(fault) ? fault : undefined
  return {
    message,
    type: own?.type ?? type,
    param: own === undefined ? (pathOf(reason) ?? null) : (own.param ?? null),
    code: own === undefined ? (code ?? null) : (own.code ?? (own.type === undefined ? (code ?? null) : null))
  } satisfies JsonObject
}

/** The answer to a request that failed before its head was sent. */
export const renderOpenAiError = (error: LlmError): RenderedAnswer => {
  const headers = errorHeaders(error, /^x-ratelimit-/, openAiLimitHeaders)
  return { status: statusOf(error), headers, body: { error: openAiErrorObject(error) } }
}
