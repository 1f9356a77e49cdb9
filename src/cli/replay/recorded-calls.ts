import { Effect, Option } from "effect"
import type { AuditStore, CallFilter } from "../../audit/AuditStore.ts"
import type { CallRecord } from "../../audit/CallRecord.ts"
import { get, list } from "../../audit/CallRecords.ts"
import type { Call } from "../../domain/Call.ts"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import type { Choice, LlmResponse, ResponsePart } from "../../domain/LlmResponse.ts"
import { requestOf } from "../../server/recorded-request.ts"
import type { StorageError } from "../../storage/Database.ts"
import type { Moment, Recording, Recordings, Skipped } from "./Recording.ts"

/** The latest calls of the audit trail that a filter chooses, at most `limit` of them. */
export const recordedCalls = Effect.fnUntraced(function* (
  filter: CallFilter,
  limit: number
): Effect.fn.Return<Recordings, StorageError | LlmError, AuditStore> {
  const recordings: Array<Recording> = []
  const skipped: Array<Skipped> = []
  let cursor: string | undefined
  do {
    const page = yield* list({ ...filter, status: "ended", limit: Math.min(100, limit - recordings.length), cursor })
    for (const { id } of page.data) {
      // lists leave long requests and answers out
      const record = yield* get(id)
      const read = record === undefined ? { id, reason: "it is gone" } : recordingOf(record)
      if ("reason" in read) skipped.push(read)
      else recordings.push(read)
    }
    cursor = page.nextCursor
  } while (cursor !== undefined && recordings.length < limit)
  return { recordings, skipped }
})

const recordingOf = (record: CallRecord): Recording | Skipped => {
  const { caller, conversation, delivery, dialect, id, response, timings } = record
  const request = requestOf(record)
  if (Option.isNone(request)) return { id, reason: unreadable(record) }
  const call: Call = {
    request: request.value,
    delivery,
    caller,
    ...(dialect === undefined ? {} : { dialect }),
    ...(conversation === undefined ? {} : { conversation })
  }
  if (response?.answer === undefined) {
    return { id, reason: unanswered(record) }
  }
  const { answer } = response
  const total = timings.totalMs ?? 0
  const first = delivery === "whole" ? total : Math.min(timings.firstTokenMs ?? total, total)
  const finish = answer.choices.find(({ index }) => index === 0)?.finish
  return {
    id,
    openedAt: timings.openedAt,
    call,
    answer: moments(answer, first, total),
    failure:
      finish === undefined
        ? failure({ _tag: "IncompleteStream", kind: "noStop" }, record.outcome?.message ?? "The answer has no end")
        : undefined
  }
}

const unreadable = ({ request }: CallRecord): string =>
  request?.body === undefined ? "its request was not kept" : "its request is for vectors, or cannot be read"

const unanswered = ({ outcome }: CallRecord): string => {
  if (outcome?.kind === "Interrupted") return "it was interrupted"
  return outcome?.kind === "Failed" ? "nothing was answered" : "its answer was not kept"
}

/** The pieces that a text is taken to have come in: a word and the blanks after it each. */
const pieces = (text: string): ReadonlyArray<string> => text.match(/\s*\S+\s*/g) ?? (text === "" ? [] : [text])

/** An answer as a stream of it might have been: its words evenly between the first and the end. */
const moments = (answer: LlmResponse, first: number, total: number): ReadonlyArray<Moment> => {
  const head: LlmEvent = { _tag: "Started", id: answer.id, model: answer.model }
  const content = answer.choices.flatMap((choice) => choice.parts.flatMap((part) => eventsOf(part, choice)))
  const step = content.length <= 1 ? 0 : (total - first) / content.length
  return [
    { at: first, events: [head] },
    ...content.map((events, index) => ({ at: Math.round(first + index * step), events })),
    { at: total, events: endings(answer) }
  ]
}

const endings = ({ choices, usage }: LlmResponse): ReadonlyArray<LlmEvent> => {
  const first = choices.find(({ index }) => index === 0)?.finish
  const others = choices.flatMap(({ finish, index }): ReadonlyArray<LlmEvent> =>
    index === 0 || finish === undefined ? [] : [{ _tag: "ChoiceFinish", choice: index, reason: finish.reason }]
  )
  return first === undefined ? others : [...others, { _tag: "Finish", ...first, usage }]
}

/** A part of an answer as the events of it, a list for each moment. */
const eventsOf = (part: ResponsePart, { index }: Choice): ReadonlyArray<ReadonlyArray<LlmEvent>> => {
  const choice = index === 0 ? {} : { choice: index }
  switch (part._tag) {
    case "Text": {
      const block = { id: part.id, ...choice }
      return [
        [{ _tag: "TextStart", ...block }],
        ...pieces(part.text).map((text) => [{ _tag: "TextDelta" as const, ...block, text }]),
        [...(part.sources ?? []), { _tag: "TextEnd", ...block }]
      ]
    }
    case "Reasoning": {
      const { id, origin, redacted, signature, text } = part
      const block = { id, ...choice }
      const signed = origin === undefined ? {} : { origin }
      return [
        [{ _tag: "ReasoningStart", ...block, ...signed, ...(redacted === undefined ? {} : { redacted }) }],
        ...pieces(text).map((piece) => [{ _tag: "ReasoningDelta" as const, ...block, text: piece }]),
        [{ _tag: "ReasoningEnd", ...block, ...signed, ...(signature === undefined ? {} : { signature }) }]
      ]
    }
    case "ToolCall": {
      const { arguments: written, id, name, origin, providerExecuted, valid } = part
      const block = { id, ...choice }
      const run = providerExecuted === undefined ? {} : { providerExecuted }
      return [
        [{ _tag: "ToolInputStart", ...block, name, ...run, ...(origin === undefined ? {} : { origin }) }],
        [{ _tag: "ToolInputDelta", ...block, text: written }],
        [
          { _tag: "ToolInputEnd", ...block },
          { _tag: "ToolCall", ...block, name, arguments: written, valid, ...run }
        ]
      ]
    }
    case "Refusal":
      return [[{ _tag: "RefusalDelta", text: part.text, ...choice }]]
    case "ToolResult":
    case "Media":
    case "Opaque":
      return [[{ ...part, ...choice }]]
  }
}
