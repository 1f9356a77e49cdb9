import { Result, type Schema } from "effect"
import { type FinalRecord, type OpenRecord, withoutExcerpts } from "../domain/Call.ts"
import type { LlmResponse } from "../domain/LlmResponse.ts"
import type { EventContent } from "./events/OutsideEvent.ts"

/**
 * What is taken out of records before they are kept, by whoever knows what must not be: of requests, of answers, and of
 * what events from outside say. Where a function throws nothing of it is recorded.
 */
export interface Redaction {
  readonly request?: (document: Schema.Json) => Schema.Json
  readonly response?: (answer: LlmResponse) => LlmResponse
  readonly event?: (content: EventContent) => EventContent
}

/** A record without its content. */
const without = <K extends string, R extends { readonly [key in K]?: unknown }>(record: R, key: K): Omit<R, K> => {
  const { [key]: _, ...rest } = record
  return rest
}

/** The record of a call that opens, as it may be kept. */
export const redactOpening = (record: OpenRecord, { request: redact }: Redaction): OpenRecord => {
  const { requestText, ...rest } = record
  if (redact === undefined) return record
  const redacted = Result.try((): Schema.Json | undefined => {
    // a text that reached a call was read as JSON before
    const document: Schema.Json | undefined = requestText === undefined ? rest.request : JSON.parse(requestText)
    return document === undefined ? undefined : redact(document)
  })
  return Result.isSuccess(redacted) && redacted.success !== undefined
    ? { ...rest, request: redacted.success }
    : without(rest, "request")
}

/** The record of a call that ended, as it may be kept. */
export const redactEnding = (record: FinalRecord, { request, response: redact }: Redaction): FinalRecord => {
  if (request === undefined && redact === undefined) return record
  const { findings, response } = record
  // Nobody knows what of an excerpt must not be kept, be it of the request or of the answer.
  const shown = findings === undefined ? record : { ...record, findings: withoutExcerpts(findings) }
  if (redact === undefined || response === undefined) return shown
  const redacted = Result.try(() => redact(response))
  return Result.isSuccess(redacted) ? { ...shown, response: redacted.success } : without(shown, "response")
}
