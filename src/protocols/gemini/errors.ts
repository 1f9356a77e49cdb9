import { failure, statusOf, type FailureReason, type LlmError, type ProviderFault } from "../../domain/LlmError.ts"
import type { RenderedAnswer } from "../Dialect.ts"
import { durationMs, httpReason, rateLimitHeaders, retryHint } from "../HttpError.ts"
import { isObject, parseJson, present, type JsonObject } from "../open-document.ts"
import type { ErrorAnswer } from "../Protocol.ts"
import { frameData } from "./frames.ts"
import { geminiId } from "./wire.ts"

/** The document of an error, as a body and as a frame: `{"error":{"code","message","status","details"}}`. */
interface ErrorDocument {
  readonly status: string | undefined
  readonly message: string
  readonly details: ReadonlyArray<JsonObject>
}

/** Reads an error; it stands alone, or in an array where the answer would have been one. */
export const readErrorDocument = (document: unknown): ErrorDocument | undefined => {
  const single: unknown = Array.isArray(document) ? document[0] : document
  const error = isObject(single) ? single["error"] : undefined
  if (!isObject(error)) return undefined
  const { status, message, details } = error
  return {
    status: typeof status === "string" ? status : undefined,
    message: typeof message === "string" ? message : JSON.stringify(error),
    details: Array.isArray(details) ? details.filter(isObject) : []
  }
}

const detail = (details: ReadonlyArray<JsonObject>, type: string): JsonObject | undefined =>
  details.find((entry) => String(entry["@type"]).endsWith(`google.rpc.${type}`))

const errorInfo = ({ details }: ErrorDocument): string | undefined => {
  const reason = detail(details, "ErrorInfo")?.["reason"]
  return typeof reason === "string" ? reason : undefined
}

/** The wait that the error itself asks for, in milliseconds. */
const retryDelay = ({ details }: ErrorDocument): number | undefined => {
  const delay = detail(details, "RetryInfo")?.["retryDelay"]
  return typeof delay === "string" ? durationMs(delay) : undefined
}

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
const isLongQuota = ({ details }: ErrorDocument): boolean => {
  const violations = detail(details, "QuotaFailure")?.["violations"]
  const ids = (Array.isArray(violations) ? violations : []).map((entry) => (isObject(entry) ? entry["quotaId"] : ""))
  return ids.length > 0 && ids.every((id) => /PerDay|PerMonth/.test(String(id)))
}

const reasonOf = (error: ErrorDocument, httpStatus: number | undefined): FailureReason => {
  const { message } = error
  if (errorInfo(error)?.startsWith("API_KEY_") === true) return { _tag: "Unauthorized" }
  switch (error.status) {
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
      return isLongQuota(error) || (outOfCredits.test(message) && error.details.length === 0)
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

/** The failure that an answer reported in its own words; `raw` is the text of the frame. */
export const streamError = (error: ErrorDocument, raw: string): LlmError => {
  const wait = retryDelay(error) ?? retryHint({}, error.message)
  return failure(reasonOf(error, undefined), error.message, {
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    fault: { ...present({ type: error.status, code: errorInfo(error) }), protocol: geminiId, raw }
  })
}

/** The reason of an HTTP error answer. A body that is no error document of this API (a proxy's page) counts by its status. */
export const decodeError = ({ status, headers, body }: ErrorAnswer): LlmError => {
  const document = readErrorDocument(parseJson(body))
  const error: ErrorDocument = document ?? {
    status: undefined,
    message: `the provider answered with status ${status}`,
    details: []
  }
  const wait = retryDelay(error) ?? retryHint(headers, error.message)
  return failure(reasonOf(error, status), error.message, {
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    fault: {
      status,
      ...present({ type: error.status, code: errorInfo(error), headers: rateLimitHeaders(headers) }),
      ...(document === undefined ? {} : { protocol: geminiId, raw: body })
    }
  })
}

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
    return readErrorDocument(parseJson(frameData(fault.raw)))?.details ?? []
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
      ...(details.length === 0 ? {} : { details })
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
