import type { FailureReason, LlmError } from "../../domain/LlmError.ts"
import { inabilityIn } from "../gemini/errors.ts"
import { durationMs, httpReason } from "../HttpError.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { answeredError, reportedError, type ToldError } from "../ToldError.ts"
import { geminiInteractionsId } from "./wire.ts"
import { table } from "../../domain/table.ts"

/**
 * Reads the document of an error, as a body and in a stream: `{"error":{"code","message"}}`. The servers in front of the API
 * still tell their errors with a number as code, the word for it in `status`.
 */
const read = (document: unknown): ToldError | undefined => {
  const single: unknown = Array.isArray(document) ? document[0] : document
  const error = fieldsOf(single)["error"]
  if (!isObject(error)) return undefined
  const { code, status, message } = error
  const word = typeof code === "string" ? code : status
  return {
    code: typeof word === "string" ? word.toLowerCase() : undefined,
    message: typeof message === "string" ? message : JSON.stringify(error),
    retryAfterMs: retryDelay(error)
  }
}

const retryDelay = ({ details }: JsonObject): number | undefined => {
  const info = (Array.isArray(details) ? details : []).find((entry) => isObject(entry) && "retryDelay" in entry)
  const delay = fieldsOf(info)["retryDelay"]
  return typeof delay === "string" ? durationMs(delay) : undefined
}

const codes: { readonly [code: string]: FailureReason } = table({
  out_of_range: { _tag: "InvalidRequest", kind: "semantic" },
  authentication: { _tag: "Unauthorized" },
  unauthenticated: { _tag: "Unauthorized" },
  payment_required: { _tag: "QuotaExceeded" },
  permission_denied: { _tag: "PermissionDenied" },
  // The account may not do it (its country, a plan without billing), the request itself being in order.
  failed_precondition: { _tag: "PermissionDenied" },
  rate_limit_exceeded: { _tag: "RateLimited" },
  too_many_requests: { _tag: "RateLimited" },
  resource_exhausted: { _tag: "RateLimited" },
  quota_exceeded: { _tag: "QuotaExceeded" },
  unavailable: { _tag: "Overloaded" },
  service_unavailable: { _tag: "Overloaded" },
  overloaded: { _tag: "Overloaded" },
  // The server gave up in the middle of its own work: the same request may do better.
  deadline_exceeded: { _tag: "Timeout", phase: "idle" },
  gateway_timeout: { _tag: "Timeout", phase: "idle" },
  timeout: { _tag: "Timeout", phase: "idle" },
  aborted: { _tag: "UpstreamServer" },
  cancelled: { _tag: "UpstreamServer" },
  internal: { _tag: "UpstreamServer" },
  internal_error: { _tag: "UpstreamServer" }
})

const badRequests = new Set(["invalid_request", "invalid_argument", "parameter_unknown"])
const contextTooLong = /token count .*exceeds|exceeds the maximum number of tokens|context (window|length)|too long/i
const badKey = /api key (not valid|expired|not found|.*invalid)|invalid api key/i
const blocked = /safety|blocked|blocklist|prohibited|recitation/i
const namedModel = /models?[/ ]['"`]?([^\s`'",]+)['"`]? (is |was )?(not found|not supported)/i

const reasonOf = ({ code = "", message }: ToldError, status: number | undefined): FailureReason => {
  const model = namedModel.exec(message)?.[1]
  if (code === "model_not_found" || (code === "not_found" && model !== undefined)) {
    return { _tag: "UnknownModel", model: model ?? "", near: [] }
  }
  if (badRequests.has(code)) {
    if (contextTooLong.test(message)) return { _tag: "ContextTooLong" }
    if (badKey.test(message)) return { _tag: "Unauthorized" }
    return inabilityIn(message) ?? { _tag: "InvalidRequest", kind: "type" }
  }
  if (blocked.test(code)) return { _tag: "ContentBlocked" }
  return codes[code] ?? (status === undefined ? { _tag: "UpstreamServer" } : httpReason(status))
}

const format = { protocol: geminiInteractionsId, read, reasonOf }

/** The failure that a stream or a whole answer reported. */
export const streamError = reportedError(format)

/** The failure that an interaction ended with, where it did: its status says so, and sometimes an error why. */
export const failedInteraction = (interaction: JsonObject, raw: string): LlmError | undefined => {
  const { status, errors } = interaction
  const error = interaction["error"] ?? (Array.isArray(errors) ? errors[0] : undefined)
  if (status !== "failed" && status !== "cancelled") return undefined
  return streamError(
    { error: isObject(error) ? error : { message: `the provider ended the interaction as ${status}` } },
    raw
  )
}

/** The reason of an HTTP error answer. */
export const decodeError = answeredError(format)
