import { Option, Result, Schema } from "effect"
import type { CallRecord } from "../audit/CallRecord.ts"
import { transcriptOf } from "../audit/Transcript.ts"
import { LlmRequest } from "../domain/LlmRequest.ts"
import { allSurfaces } from "../protocols/surfaces.ts"

const decodeRequest = Schema.decodeUnknownOption(LlmRequest)

const dialects = new Map(allSurfaces.map(({ dialect }) => [dialect.id, dialect]))

/** The request of a recorded call: in the dialect's words, or in our own where filters changed it; none where it was not kept. */
export const requestOf = ({ delivery, dialect, model, request }: CallRecord): Option.Option<LlmRequest> => {
  const body = request?.body
  if (body === undefined) return Option.none()
  // our own words are in no dialect, but a dialect may make something of them
  const own = decodeRequest(body)
  const known = dialect === undefined ? undefined : dialects.get(dialect)
  if (Option.isSome(own) || known === undefined) return own
  return Option.map(Result.getSuccess(known.decode(body, { model, delivery })), ({ request }) => request)
}

/**
 * A call with its messages and tool calls, numbered. They are read from what was recorded of its request and its answer
 * when somebody asks: a record that says everything once need not say it twice.
 */
export const withTranscript = (record: CallRecord): CallRecord => ({
  ...record,
  ...transcriptOf(Option.getOrUndefined(requestOf(record)), record.response ?? {})
})
