import type { FailureReason } from "../../domain/LlmError.ts"
import { httpReason } from "../HttpError.ts"
import { isObject } from "../open-document.ts"
import { answeredError, reportedError, type ToldError } from "../ToldError.ts"
import { ollamaId } from "./wire.ts"

/** Reads the document of an error, as a body and as a line: `{"error": "…"}`; a proxy in front may say it as an object. */
const read = (document: unknown): ToldError | undefined => {
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

const reasonOf = ({ message, status: said }: ToldError, answered: number | undefined): FailureReason => {
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

const format = { protocol: ollamaId, read, reasonOf }

/** The failure that a stream or a whole answer reported. */
export const streamError = reportedError(format)

/** The reason of an HTTP error answer. */
export const decodeError = answeredError(format)
