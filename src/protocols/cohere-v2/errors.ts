import { failure, type FailureReason, type LlmError } from "../../domain/LlmError.ts"
import { httpReason, rateLimitHeaders, retryHint } from "../HttpError.ts"
import { isObject, parseJson, present, type JsonObject } from "../open-document.ts"
import type { ErrorAnswer } from "../Protocol.ts"
import { cohereV2Id } from "./wire.ts"

const unknownModel = /\bmodel ['"‘`]?([^\s'"’`]+)['"’`]? (was )?(not found|does not exist)/i
const tooLong = /^too many tokens|context (length|window)|prompt is too long/i
// A trial key has a limit for the minute, which passes, and one for the month.
const quota = /\/\s*month|billing limit|insufficient (credits?|funds|balance)/i
const limited = /rate limit|too many requests/i
const busy = /\boverloaded\b|at capacity|(temporarily|service) unavailable/i
const notAble = /(\S+) is not supported (by|for|with) (the|this) (model|provided model)/i

const reasonOf = (message: string, status: number | undefined): FailureReason => {
  const model = unknownModel.exec(message)?.[1]
  if (model !== undefined) return { _tag: "UnknownModel", model, near: [] }
  if (tooLong.test(message)) return { _tag: "ContextTooLong" }
  if (quota.test(message)) return { _tag: "QuotaExceeded" }
  const feature = notAble.exec(message)?.[1]
  if (feature !== undefined) return { _tag: "Unsupported", feature }
  switch (status) {
    // A stream tells a failure in words alone.
    case undefined:
      return busy.test(message)
        ? { _tag: "Overloaded" }
        : limited.test(message)
          ? { _tag: "RateLimited" }
          : { _tag: "UpstreamServer" }
    // Its own number for what it will not read or say.
    case 498:
      return { _tag: "ContentBlocked" }
    // The server gave the request up: the same one may do better.
    case 499:
      return { _tag: "UpstreamServer" }
    default:
      return httpReason(status)
  }
}

/** The text of an error document, `{"message": "…", "id": "…"}`; a gateway in front may say it as an object or a text. */
const messageOf = (document: JsonObject): string | undefined => {
  const { error } = document
  if (typeof error === "string") return error
  const { message } = isObject(error) ? error : document
  return typeof message === "string" ? message : undefined
}

const failureOf = (message: string, reason: FailureReason, raw: string): LlmError => {
  const wait = retryHint({}, message)
  return failure(reason, message, {
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    fault: { protocol: cohereV2Id, raw }
  })
}

/** The failure that a frame of a stream, or a body, is; undefined where it is none. `raw` is its text. */
export const streamError = (document: JsonObject, raw: string): LlmError | undefined => {
  const { type } = document
  if (type !== undefined && type !== "error") return undefined
  const message = messageOf(document)
  if (message === undefined && type === undefined) return undefined
  return failureOf(message ?? "the provider reported an error", reasonOf(message ?? "", undefined), raw)
}

/** The failure that an answer ended with, where it did: its finish reason says so, and then mostly why. */
export const failedAnswer = ({ finish_reason: reason, error }: JsonObject, raw: string): LlmError | undefined => {
  if (reason !== "ERROR" && reason !== "TIMEOUT") return undefined
  const message = typeof error === "string" && error !== "" ? error : `the provider ended the answer with ${reason}`
  return failureOf(
    message,
    reason === "TIMEOUT" ? { _tag: "Timeout", phase: "idle" } : reasonOf(message, undefined),
    raw
  )
}

/** The reason of an HTTP error answer. A body that is no error document of this API (a proxy's page) counts by its status. */
export const decodeError = ({ status, headers, body }: ErrorAnswer): LlmError => {
  const document = parseJson(body)
  const said = isObject(document) ? messageOf(document) : undefined
  const message = said ?? `the provider answered with status ${status}`
  const wait = retryHint(headers, message)
  return failure(reasonOf(message, status), message, {
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    fault: {
      status,
      ...present({ headers: rateLimitHeaders(headers) }),
      ...(said === undefined ? {} : { protocol: cohereV2Id, raw: body })
    }
  })
}
