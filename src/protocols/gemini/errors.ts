import { statusOf, type FailureReason, type LlmError, type ProviderFault } from "../../domain/LlmError.ts"
import { present } from "../../domain/present.ts"
import type { RenderedAnswer } from "../Dialect.ts"
import { durationMs, httpReason } from "../HttpError.ts"
import { fieldsOf, isObject, parseJson, unlessEmpty, type JsonObject } from "../open-document.ts"
import { answeredError, reportedError, type ToldError } from "../ToldError.ts"
import { frameData } from "./frames.ts"
import { geminiId } from "./wire.ts"

/** An error of this API: its type is the name of a status, its code the reason that the details give. */
interface DetailedError extends ToldError {
  readonly details?: ReadonlyArray<JsonObject>
}

/**
 * Reads the document of an error, `{"error":{"code","message","status","details"}}`. It stands alone, or in an array where the
 * answer would have been one.
 */
const read = (document: unknown): DetailedError | undefined => {
  const single: unknown = Array.isArray(document) ? document[0] : document
  const error = fieldsOf(single)["error"]
  if (!isObject(error)) return undefined
  const { status, message } = error
  const details = Array.isArray(error["details"]) ? error["details"].filter(isObject) : []
  const code = detail(details, "ErrorInfo")?.["reason"]
  const delay = detail(details, "RetryInfo")?.["retryDelay"]
  return {
    message: typeof message === "string" ? message : JSON.stringify(error),
    type: typeof status === "string" ? status : undefined,
    code: typeof code === "string" ? code : undefined,
    retryAfterMs: typeof delay === "string" ? durationMs(delay) : undefined,
    details
  }
}

const detail = (details: ReadonlyArray<JsonObject>, type: string): JsonObject | undefined =>
  details.find((entry) => String(entry["@type"]).endsWith(`google.rpc.${type}`))

const contextTooLong =
  /token count .*exceeds|exceeds the maximum number of tokens|input context is too long|context (window|length)/i
const badKey = /api key (not valid|expired|not found|.*invalid)|invalid api key/i
const outOfCredits = /credits? (are|is) depleted|billing/i
const namedModel = /models\/([^\s`'",]+)[`']? (is not found|not found)/i

const notAble =
  /([\w.]+(?: [\w.]+){0,3})`? (?:is|are) not (?:supported|enabled|available) (?:for|by|with|on) (?:this model|models\/)/i

/** What a model is said not to be able to do, where the request may do for another one; undefined where that is not said. */
export const inabilityIn = (message: string): FailureReason | undefined => {
  const feature = notAble.exec(message)?.[1]
  return feature === undefined ? undefined : { _tag: "Unsupported", feature }
}

/** A quota of a day or of a plan: nothing that a short wait would mend. */
const isLongQuota = (details: ReadonlyArray<JsonObject>): boolean => {
  const violations = detail(details, "QuotaFailure")?.["violations"]
  const ids = (Array.isArray(violations) ? violations : []).map((entry) => (isObject(entry) ? entry["quotaId"] : ""))
  return ids.length > 0 && ids.every((id) => /PerDay|PerMonth/.test(String(id)))
}

const reasonOf = (
  { message, type, code, details = [] }: DetailedError,
  httpStatus: number | undefined
): FailureReason => {
  if (code?.startsWith("API_KEY_") === true) return { _tag: "Unauthorized" }
  switch (type) {
    case "INVALID_ARGUMENT":
      if (contextTooLong.test(message)) return { _tag: "ContextTooLong" }
      if (badKey.test(message)) return { _tag: "Unauthorized" }
      return inabilityIn(message) ?? { _tag: "InvalidRequest", kind: "type" }
    case "OUT_OF_RANGE":
      return { _tag: "InvalidRequest", kind: "semantic" }
    case "UNAUTHENTICATED":
      return { _tag: "Unauthorized" }
    // Where the account may not do it (its country, a plan without billing), the request itself being in order.
    case "FAILED_PRECONDITION":
    case "PERMISSION_DENIED":
      return { _tag: "PermissionDenied" }
    case "NOT_FOUND": {
      const model = namedModel.exec(message)?.[1]
      return model === undefined
        ? { _tag: "InvalidRequest", kind: "notFound" }
        : { _tag: "UnknownModel", model, near: [] }
    }
    case "RESOURCE_EXHAUSTED":
      return isLongQuota(details) || (outOfCredits.test(message) && details.length === 0)
        ? { _tag: "QuotaExceeded" }
        : { _tag: "RateLimited" }
    case "UNAVAILABLE":
      return { _tag: "Overloaded" }
    // The server gave up in the middle of its own work: the same request may do better.
    case "DEADLINE_EXCEEDED":
      return { _tag: "Timeout", phase: "idle" }
    case "INTERNAL":
    case "UNKNOWN":
    case "ABORTED":
    case "CANCELLED":
    case "DATA_LOSS":
      return { _tag: "UpstreamServer" }
    case "UNIMPLEMENTED":
      return { _tag: "Unsupported", feature: "this method of the model" }
    default:
      return httpStatus === undefined ? { _tag: "UpstreamServer" } : httpReason(httpStatus)
  }
}

const format = { protocol: geminiId, read, reasonOf }

/** Whether a document tells an error. */
export const isErrorDocument = (document: unknown): boolean => read(document) !== undefined

/** The failure that a stream or a whole answer reported. */
export const streamError = reportedError(format)

/** The reason of an HTTP error answer. */
export const decodeError = answeredError(format)

/** The status that this API gives to a reason; one that the provider gave in this format is kept. */
const statusNameOf = (reason: FailureReason, fault: ProviderFault | undefined): string => {
  if (fault?.protocol === geminiId && fault.type !== undefined) return fault.type
  switch (reason._tag) {
    case "InvalidRequest":
      return reason.kind === "notFound" ? "NOT_FOUND" : reason.kind === "method" ? "UNIMPLEMENTED" : "INVALID_ARGUMENT"
    case "Unsupported":
    case "ContextTooLong":
    case "ContentBlocked":
      return "INVALID_ARGUMENT"
    case "Unauthorized":
      return "UNAUTHENTICATED"
    case "PermissionDenied":
      return "PERMISSION_DENIED"
    case "UnknownModel":
      return "NOT_FOUND"
    case "QuotaExceeded":
    case "RateLimited":
      return "RESOURCE_EXHAUSTED"
    case "Overloaded":
    case "NoRoute":
    case "AuditUnavailable":
      return "UNAVAILABLE"
    case "Timeout":
      return "DEADLINE_EXCEEDED"
    case "UpstreamServer":
    case "Transport":
    case "InvalidOutput":
    case "IncompleteStream":
    case "ToolFailed":
    case "FilterFailed":
    case "Internal":
      return "INTERNAL"
  }
}

/** What the provider added to its error (whose quota it was, when to come back), or what is known of it here. */
const detailsOf = ({ reason, message, fault, retryAfterMs }: LlmError): ReadonlyArray<JsonObject> => {
  if (fault?.protocol === geminiId && fault.raw !== undefined) {
    return read(parseJson(frameData(fault.raw)))?.details ?? []
  }
  const path = reason._tag === "InvalidRequest" ? reason.path : undefined
  return [
    ...(path === undefined
      ? []
      : [
          {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            fieldViolations: [{ field: path, description: message }]
          }
        ]),
    ...(retryAfterMs === undefined
      ? []
      : [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${retryAfterMs / 1000}s` }])
  ]
}

/** The document that tells a failure, in the stream or before it. */
export const errorDocument = (error: LlmError): JsonObject => {
  const details = detailsOf(error)
  return {
    error: {
      code: statusOf(error),
      message: error.message,
      status: statusNameOf(error.reason, error.fault),
      ...present({ details: unlessEmpty(details) })
    }
  }
}

/** The answer to a request that failed before its head was sent. */
export const renderError = (error: LlmError): RenderedAnswer => {
  const retryAfter = error.fault?.headers?.["retry-after"]
  const headers =
    error.retryAfterMs === undefined
      ? present({ "retry-after": retryAfter })
      : // Whole seconds, up: a client that comes back too early is refused again.
        { "retry-after": String(Math.ceil(error.retryAfterMs / 1000)) }
  return { status: statusOf(error), headers, body: errorDocument(error) }
}
