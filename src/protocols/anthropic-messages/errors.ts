import { statusOf, type FailureReason, type LlmError, type ProviderFault } from "../../domain/LlmError.ts"
import type { RenderedAnswer } from "../Dialect.ts"
import { httpReason } from "../HttpError.ts"
import { anthropicLimitHeaders, errorHeaders } from "../LimitHeaders.ts"
import { fieldsOf, isObject, parseJson, type JsonObject } from "../open-document.ts"
import { answeredError, reportedError, type ToldError } from "../ToldError.ts"
import { anthropicMessagesId } from "./wire.ts"

/**
 * Reads the document of an error, as a body and as a frame: `{"type":"error","error":{"type","message"}}`. Google, where it
 * serves Claude, puts it into a list.
 */
const read = (document: unknown): ToldError | undefined => {
  const single: unknown = Array.isArray(document) ? document[0] : document
  const error = fieldsOf(single)["error"]
  if (!isObject(error)) return undefined
  const { type, message } = error
  return {
    type: typeof type === "string" ? type : undefined,
    message: typeof message === "string" ? message : JSON.stringify(error)
  }
}

const contextTooLong = /prompt is too long|context (window|length|limit)|exceed[^.]*context|too many (input )?tokens/i
const outOfCredits = /credit balance|usage limits?\b/i
const blocked = /content filter/i

const reasonOf = ({ type, message }: ToldError, status: number | undefined): FailureReason => {
  switch (type) {
    case "rate_limit_error":
      return { _tag: "RateLimited" }
    case "overloaded_error":
      return { _tag: "Overloaded" }
    case "api_error":
      return { _tag: "UpstreamServer" }
    case "authentication_error":
      return { _tag: "Unauthorized" }
    case "permission_error":
      return { _tag: "PermissionDenied" }
    case "billing_error":
      return { _tag: "QuotaExceeded" }
    case "request_too_large":
      return { _tag: "InvalidRequest", kind: "tooLarge" }
    // The server gave up in the middle of its own work: the same request may do better.
    case "timeout_error":
      return { _tag: "Timeout", phase: "idle" }
    case "not_found_error": {
      const model = /^model: *(\S+)/.exec(message)?.[1]
      return model === undefined
        ? { _tag: "InvalidRequest", kind: "notFound" }
        : { _tag: "UnknownModel", model, near: [] }
    }
    case "invalid_request_error":
      if (contextTooLong.test(message)) return { _tag: "ContextTooLong" }
      if (outOfCredits.test(message)) return { _tag: "QuotaExceeded" }
      if (blocked.test(message)) return { _tag: "ContentBlocked" }
      return { _tag: "InvalidRequest", kind: "type" }
    default:
      return status === undefined ? { _tag: "UpstreamServer" } : httpReason(status)
  }
}

const format = { protocol: anthropicMessagesId, read, reasonOf }

/** The failure that a stream or a whole answer reported. */
export const streamError = reportedError(format)

/** The reason of an HTTP error answer. */
export const decodeError = answeredError(format)

/** The type that this API gives to a reason; one that the provider gave in this format is kept. */
const errorTypeOf = (reason: FailureReason, fault: ProviderFault | undefined): string => {
  if (fault?.protocol === anthropicMessagesId && fault.type !== undefined) return fault.type
  switch (reason._tag) {
    case "InvalidRequest":
      return reason.kind === "tooLarge"
        ? "request_too_large"
        : reason.kind === "notFound"
          ? "not_found_error"
          : "invalid_request_error"
    case "Unsupported":
    case "ContextTooLong":
    case "ContentBlocked":
      return "invalid_request_error"
    case "Unauthorized":
      return "authentication_error"
    case "PermissionDenied":
      return "permission_error"
    case "UnknownModel":
      return "not_found_error"
    case "QuotaExceeded":
      return fault?.status === 402 ? "billing_error" : "rate_limit_error"
    case "RateLimited":
      return "rate_limit_error"
    case "Overloaded":
    case "NoRoute":
    case "AuditUnavailable":
      return "overloaded_error"
    case "Timeout":
      return "timeout_error"
    case "UpstreamServer":
    case "Transport":
    case "InvalidOutput":
    case "IncompleteStream":
    case "ToolFailed":
    case "FilterFailed":
    case "Internal":
      return "api_error"
  }
}

/** The clients of this API send the whole history again when they are told so in this way. */
const threadDetails = { error_code: "thread_unsupported_request" }

/** What the provider added to its error object beside type and message (`details` tell its SDK how to go on). */
const providerDetails = (fault: ProviderFault | undefined): JsonObject => {
  if (fault?.protocol !== anthropicMessagesId || fault.raw === undefined) return {}
  const document = parseJson(fault.raw)
  const error = fieldsOf(document)["error"]
  return isObject(error) && isObject(error["details"]) ? { details: error["details"] } : {}
}

/** The document that tells a failure, in the stream or before it. */
export const errorDocument = ({ reason, message, fault }: LlmError, requestId: string | undefined): JsonObject => ({
  type: "error",
  error: {
    type: errorTypeOf(reason, fault),
    message,
    ...providerDetails(fault),
    ...(reason._tag === "Unsupported" && reason.feature === "thread" ? { details: threadDetails } : {})
  },
  ...(requestId === undefined ? {} : { request_id: requestId })
})

/** The answer to a request that failed before its head was sent. */
export const renderError = (error: LlmError, requestId: string): RenderedAnswer => {
  const headers = errorHeaders(error, /^anthropic-ratelimit-/, anthropicLimitHeaders)
  return { status: statusOf(error), headers, body: errorDocument(error, requestId) }
}
