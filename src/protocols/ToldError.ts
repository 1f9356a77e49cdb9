import { failure, type FailureReason, type LlmError } from "../domain/LlmError.ts"
import { present } from "../domain/present.ts"
import { rateLimitHeaders, retryHint } from "./HttpError.ts"
import { parseJson } from "./open-document.ts"
import type { ErrorAnswer } from "./Protocol.ts"

/** An error in a provider's own words, as far as it has words for it. */
export interface ToldError {
  readonly message: string
  readonly type?: string | undefined
  readonly code?: string | undefined
  readonly param?: string | undefined
  /** the status that goes with an error which was told without one */
  readonly status?: number | undefined
  /** how long it asks to wait beside what its message says, in milliseconds */
  readonly retryAfterMs?: number | undefined
}

/** How the errors of a wire format are read. */
export interface ErrorFormat<E extends ToldError> {
  readonly protocol: string
  /** undefined where the document is no error of the format */
  readonly read: (document: unknown) => E | undefined
  /** `status` is that of the answer; undefined where the error was told in a stream or in the place of a whole answer */
  readonly reasonOf: (error: E | ToldError, status: number | undefined) => FailureReason
}

/** So much of a message is read for its meaning, in UTF-16 code units: some providers repeat in it all that was asked. */
const mostRead = 4096

/** An error with as much of its message as is read for its meaning. */
export const gistOf = <E extends { readonly message: string }>(error: E): E =>
  error.message.length <= mostRead ? error : { ...error, message: error.message.slice(0, mostRead) }

const untold = "the provider reported an error"

/** The failure that an error is which was told in a stream, or in the place of a whole answer; `raw` is the exact text. */
export const reportedFailure = (
  { message, retryAfterMs, type, code, param, status }: ToldError,
  reason: FailureReason,
  protocol: string,
  raw: string
): LlmError =>
  failure(reason, message, {
    ...present({ retryAfterMs: retryAfterMs ?? retryHint({}, message) }),
    fault: { ...present({ status, type, code, param }), protocol, raw }
  })

/** The failure that an HTTP answer is; `protocol` is the format of its body, undefined where that is none that is known. */
export const answeredFailure = (
  { message, retryAfterMs, type, code, param }: ToldError,
  reason: FailureReason,
  protocol: string | undefined,
  { status, headers, body }: ErrorAnswer
): LlmError =>
  failure(reason, message, {
    ...present({ retryAfterMs: retryAfterMs ?? retryHint(headers, message) }),
    fault: {
      status,
      ...present({ type, code, param, headers: rateLimitHeaders(headers) }),
      ...(protocol === undefined ? {} : { protocol, raw: body })
    }
  })

/** Reads what a stream, or a whole answer, reported in its own words. */
export const reportedError =
  <E extends ToldError>({ protocol, read, reasonOf }: ErrorFormat<E>) =>
  (document: unknown, raw: string): LlmError => {
    const error = read(document) ?? { message: untold }
    return reportedFailure(error, reasonOf(gistOf(error), undefined), protocol, raw)
  }

/** What is told of an HTTP answer whose body says nothing that can be read. */
export const statedStatus = (status: number): string => {
  const why = status < 400 ? ", which leads elsewhere: something else is at its baseUrl than its API" : ""
  return `the provider answered with status ${status}${why}`
}

/** Reads HTTP error answers. A body that is no error document of the format (a proxy's page) counts by its status. */
export const answeredError =
  <E extends ToldError>({ protocol, read, reasonOf }: ErrorFormat<E>) =>
  (answer: ErrorAnswer): LlmError => {
    const { status, body } = answer
    const document = read(parseJson(body))
    const error = document ?? { message: statedStatus(status) }
    return answeredFailure(
      error,
      reasonOf(gistOf(error), status),
      document === undefined ? undefined : protocol,
      answer
    )
  }
