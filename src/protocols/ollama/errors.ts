import { failure, type FailureReason, type LlmError } from "../../domain/LlmError.ts"
import { httpReason, rateLimitHeaders, retryHint } from "../HttpError.ts"
import { isObject, parseJson, present } from "../open-document.ts"
import type { ErrorAnswer } from "../Protocol.ts"
import { ollamaId } from "./wire.ts"

interface ErrorDocument {
  readonly message: string
  /** the status that an error within a stream would have had before it */
  readonly status?: number
}

/** The document of an error, as a body and as a line: `{"error": "…"}`; a proxy in front may say it as an object. */
const readErrorDocument = (document: unknown): ErrorDocument | undefined => {
  if (!isObject(document)) return undefined
  const { error, status } = document
  const message = isObject(error) ? error["message"] : error
  if (typeof message !== "string") return undefined
  return { message, ...(typeof status === "number" ? { status } : {}) }
}

const unknownModel = /^model\b[^'"]*['"]([^'"]+)['"].*not found/i
const notAble = /does not support (\w+)|think value .* is not supported/i
const tooLong = /context (length|window|size)|input (length|is too long)|prompt (is )?too long/i
const quota = /(weekly|monthly) usage limit|insufficient credits?|requires (a )?(subscription|upgrade)/i
const busy = /server (is )?busy|overloaded/i

const reasonOf = ({ message, status: said }: ErrorDocument, answered: number | undefined): FailureReason => {
  const model = unknownModel.exec(message)?.[1]
  if (model !== undefined) return { _tag: "UnknownModel", model, near: [] }
  const ability = notAble.exec(message)
  if (ability !== null) return { _tag: "Unsupported", feature: ability[1] ?? "reasoning effort" }
  if (tooLong.test(message)) return { _tag: "ContextTooLong" }
  if (quota.test(message)) return { _tag: "QuotaExceeded" }
  if (busy.test(message)) return { _tag: "Overloaded" }
  const status = answered ?? said
  return status === undefined ? { _tag: "UpstreamServer" } : httpReason(status)
}

/** The failure that a stream reported in its own words; `raw` is the line's text. */
export const streamError = (document: unknown, raw: string): LlmError => {
  const error = readErrorDocument(document) ?? { message: "the provider reported an error" }
  const wait = retryHint({}, error.message)
  return failure(reasonOf(error, undefined), error.message, {
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    fault: { ...present({ status: error.status }), protocol: ollamaId, raw }
  })
}

/** The reason of an HTTP error answer. A body that is no error document of this API (a proxy's page) counts by its status. */
export const decodeError = ({ status, headers, body }: ErrorAnswer): LlmError => {
  const document = readErrorDocument(parseJson(body))
  const error = document ?? { message: `the provider answered with status ${status}` }
  const wait = retryHint(headers, error.message)
  return failure(reasonOf(error, status), error.message, {
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    fault: {
      status,
      ...present({ headers: rateLimitHeaders(headers) }),
      ...(document === undefined ? {} : { protocol: ollamaId, raw: body })
    }
  })
}
