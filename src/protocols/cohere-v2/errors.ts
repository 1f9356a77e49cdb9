import type { FailureReason, LlmError } from "../../domain/LlmError.ts"
import { httpReason } from "../HttpError.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { answeredError, reportedError, reportedFailure, type ToldError } from "../ToldError.ts"
import { cohereV2Id } from "./wire.ts"

const unknownModel = /\bmodel ['"‘`]?([^\s'"’`]+)['"’`]? (was )?(not found|does not exist)/i
const tooLong = /^too many tokens|context (length|window)|prompt is too long/i
// A trial key has a limit for the minute, which passes, and one for the month.
const quota = /\/\s*month|billing limit|insufficient (credits?|funds|balance)/i
const limited = /rate limit|too many requests/i
const busy = /\boverloaded\b|at capacity|(temporarily|service) unavailable/i
const notAble = /(\S+) is not supported (by|for|with) (the|this) (model|provided model)/i

const reasonOf = ({ message }: ToldError, status: number | undefined): FailureReason => {
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

/** Reads an error document, `{"message": "…", "id": "…"}`; a gateway in front may say it as an object or a text. */
const read = (document: unknown): ToldError | undefined => {
  if (!isObject(document)) return undefined
  const { error } = document
  if (typeof error === "string") return { message: error }
  const { message } = isObject(error) ? error : document
  return typeof message === "string" ? { message } : undefined
}

const format = { protocol: cohereV2Id, read, reasonOf }

const reported = reportedError(format)

/** The failure that a frame of a stream, or a body, is; undefined where it is none. `raw` is its text. */
export const streamError = (document: JsonObject, raw: string): LlmError | undefined => {
  const { type } = document
  if (type === undefined ? read(document) === undefined : type !== "error") return undefined
  return reported(document, raw)
}

/** The failure that an answer ended with, where it did: its finish reason says so, and then mostly why. */
export const failedAnswer = ({ finish_reason: reason, error }: JsonObject, raw: string): LlmError | undefined => {
  if (reason !== "ERROR" && reason !== "TIMEOUT") return undefined
  const message = typeof error === "string" && error !== "" ? error : `the provider ended the answer with ${reason}`
  const meant: FailureReason =
    reason === "TIMEOUT" ? { _tag: "Timeout", phase: "idle" } : reasonOf({ message }, undefined)
  return reportedFailure({ message }, meant, cohereV2Id, raw)
}

/** The reason of an HTTP error answer. */
export const decodeError = answeredError(format)
