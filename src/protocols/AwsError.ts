import type { FailureReason, LlmError } from "../domain/LlmError.ts"
import type { WireFrame } from "../wire/Frame.ts"
import { httpReason } from "./HttpError.ts"
import { isObject, parseJson } from "./open-document.ts"
import type { ErrorAnswer } from "./Protocol.ts"
import { answeredFailure, gistOf, reportedFailure, statedStatus } from "./ToldError.ts"
import { table } from "../domain/table.ts"

/** What went wrong, as services of AWS say it: the name of the exception, and why. */
interface AwsError {
  /** without the namespace and the suffix that it may have: `ThrottlingException` */
  readonly type: string | undefined
  readonly message: string
  /** what the model's own server answered, where the failure is the model's */
  readonly originalStatus?: number
}

/** `com.amazonaws.bedrock#ValidationException`, `ValidationException:http://…`, `validationException` alike. */
const exceptionName = (text: unknown): string | undefined => {
  if (typeof text !== "string") return undefined
  const name = (text.split("#").at(-1) ?? "").split(":")[0]?.trim() ?? ""
  return name === "" ? undefined : name.charAt(0).toUpperCase() + name.slice(1)
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const readError = (document: unknown, stated: unknown): AwsError | undefined => {
  if (!isObject(document)) return undefined
  const type = exceptionName(stated) ?? exceptionName(document["__type"] ?? document["code"])
  const message = textOf(document["message"]) ?? textOf(document["Message"]) ?? textOf(document["originalMessage"])
  if (type === undefined && message === undefined) return undefined
  const status = document["originalStatusCode"]
  return {
    type,
    message: message ?? type ?? "",
    ...(typeof status === "number" ? { originalStatus: status } : {})
  }
}

const contextTooLong =
  /too long|context (window|length|limit)|exceed[^.]*context|too many (total )?(input |text )?(tokens|bytes)/i
const noSuchModel = /model identifier is invalid|on-demand throughput isn.t supported|end of its life|model.*not found/i
const blocked = /content filter|blocked by|content polic/i
/** An account that may not call is told so in the same way as a request that is wrong. */
const forbidden = /^operation not allowed|not authorized to/i
/** Up to the end of the sentence: names of fields have dots in them. */
const unsupported = /doesn.t support (?:the )?(.+?)(?:\.\s|\.?$)/im
/** A limit that no short wait would mend. */
const daily = /\bper day\b/i
const rejectedKey = /security token|signature|credential|api key|bearer token/i

/** What the message of a request that was refused says about why. */
const validationReason = (message: string): FailureReason => {
  if (contextTooLong.test(message)) return { _tag: "ContextTooLong" }
  if (noSuchModel.test(message)) {
    return { _tag: "UnknownModel", model: /model ID (\S+)/i.exec(message)?.[1] ?? "", near: [] }
  }
  if (blocked.test(message)) return { _tag: "ContentBlocked" }
  if (forbidden.test(message)) return { _tag: "PermissionDenied" }
  const feature = unsupported.exec(message)?.[1]
  return feature === undefined ? { _tag: "InvalidRequest", kind: "type" } : { _tag: "Unsupported", feature }
}

const named: { readonly [type: string]: FailureReason } = table({
  ThrottlingException: { _tag: "RateLimited" },
  TooManyRequestsException: { _tag: "RateLimited" },
  ServiceQuotaExceededException: { _tag: "QuotaExceeded" },
  // The model is being loaded.
  ModelNotReadyException: { _tag: "Overloaded" },
  ServiceUnavailableException: { _tag: "Overloaded" },
  ModelTimeoutException: { _tag: "UpstreamServer" },
  InternalServerException: { _tag: "UpstreamServer" },
  InternalFailure: { _tag: "UpstreamServer" },
  ResourceNotFoundException: { _tag: "UnknownModel", model: "", near: [] },
  ExpiredTokenException: { _tag: "Unauthorized" },
  UnrecognizedClientException: { _tag: "Unauthorized" },
  InvalidSignatureException: { _tag: "Unauthorized" },
  InvalidClientTokenId: { _tag: "Unauthorized" },
  IncompleteSignature: { _tag: "Unauthorized" },
  IncompleteSignatureException: { _tag: "Unauthorized" },
  MissingAuthenticationTokenException: { _tag: "Unauthorized" }
})

/** The status that goes with an exception outside of a stream; inside of one there is none. */
const statuses: { readonly [type: string]: number } = table({
  ValidationException: 400,
  AccessDeniedException: 403,
  ExpiredTokenException: 403,
  UnrecognizedClientException: 403,
  ResourceNotFoundException: 404,
  ModelTimeoutException: 408,
  ModelErrorException: 424,
  ModelStreamErrorException: 424,
  ThrottlingException: 429,
  TooManyRequestsException: 429,
  ModelNotReadyException: 429,
  InternalServerException: 500,
  ServiceUnavailableException: 503
})

const reasonOf = ({ type, message, originalStatus }: AwsError, status: number | undefined): FailureReason => {
  const known = named[type ?? ""]
  if (known?._tag === "RateLimited" && daily.test(message)) return { _tag: "QuotaExceeded" }
  if (known !== undefined) return known
  if (type === "ModelErrorException" || type === "ModelStreamErrorException") {
    const busy = originalStatus === 429 || (originalStatus !== undefined && originalStatus >= 500)
    return busy ? httpReason(originalStatus) : { _tag: "UpstreamServer" }
  }
  if (type === "AccessDeniedException" || (type === undefined && status === 403)) {
    return rejectedKey.test(message) ? { _tag: "Unauthorized" } : { _tag: "PermissionDenied" }
  }
  if (type === "ValidationException" || (type === undefined && status === 400)) return validationReason(message)
  return status === undefined ? { _tag: "UpstreamServer" } : httpReason(status)
}

/** Whether a frame tells a failure. */
export const isAwsException = ({ event }: WireFrame): boolean => /^(exception|error):/.test(event)

/** The failure that a stream of the format `protocol` reported; the frame's event names the exception. */
export const awsStreamError = ({ event, data, raw }: WireFrame, protocol: string): LlmError => {
  const type = event.slice(event.indexOf(":") + 1)
  const unsaid = { type: exceptionName(type), message: `the provider reported ${type}` }
  return told(readError(parseJson(data), type) ?? unsaid, protocol, raw)
}

/** The failure that a whole answer is, where it is one. */
export const awsWholeError = (body: unknown, protocol: string): LlmError | undefined => {
  const error = readError(body, undefined)
  return error === undefined ? undefined : told(error, protocol, JSON.stringify(body))
}

const told = (error: AwsError, protocol: string, raw: string): LlmError => {
  const status = error.originalStatus ?? statuses[error.type ?? ""]
  return reportedFailure({ ...error, status }, reasonOf(gistOf(error), undefined), protocol, raw)
}

/**
 * The reason of an HTTP error answer: its exception stands in a header or in the body. A body that is no error document of
 * AWS (a proxy's page) counts by its status.
 */
export const decodeAwsError =
  (protocol: string) =>
  (answer: ErrorAnswer): LlmError => {
    const { status, headers, body } = answer
    const stated = headers["x-amzn-errortype"]
    const document = readError(parseJson(body), stated)
    const error = document ?? { type: exceptionName(stated), message: statedStatus(status) }
    return answeredFailure(
      error,
      reasonOf(gistOf(error), status),
      document === undefined ? undefined : protocol,
      answer
    )
  }
