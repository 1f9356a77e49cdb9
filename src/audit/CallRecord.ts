import { Effect, Option, Schema } from "effect"
import { AttemptRecord, Caller, FinalRecord, Finding, Notice, OpenRecord } from "../domain/Call.ts"
import { isDeeper, mostLevels } from "../domain/depth.ts"
import { FinishReason } from "../domain/LlmEvent.ts"
import { type Choice, LlmResponse, textOf } from "../domain/LlmResponse.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { noUsage, Usage } from "../domain/Usage.ts"
import type { FinalRow, OpenedRow, StoredCall } from "./AuditStore.ts"
import { OutsideRecord } from "./events/RunRecord.ts"
import { ToolCallRecord, toolCallOf, Transcript } from "./Transcript.ts"
import { withoutWords } from "./withoutWords.ts"
import { abridge, capture, captureText, type Capture, type CaptureLevel, captureOf, Payload } from "./Capture.ts"

const optional = Schema.optionalKey

/**
 * How a call ended, flat: `kind` is the outcome's tag. Of a failure, `reason` is the tag of its reason and the keys
 * after `status` are what the reason says more; its own `kind` is called `detail` here.
 */
export const OutcomeRecord = Schema.Struct({
  kind: Schema.Literals([
    "Completed",
    "Refused",
    "HandedOff",
    "Limited",
    "Cancelled",
    "Failed",
    "Interrupted"
  ] satisfies ReadonlyArray<Outcome["_tag"]>),
  by: optional(Schema.String),
  reason: optional(Schema.String),
  finish: optional(FinishReason),
  delivered: optional(Schema.Boolean),
  target: optional(Schema.String),
  message: optional(Schema.String),
  status: optional(Schema.Int),
  phase: optional(Schema.String),
  detail: optional(Schema.String),
  path: optional(Schema.String),
  model: optional(Schema.String),
  near: optional(Schema.Array(Schema.String)),
  feature: optional(Schema.String),
  tool: optional(Schema.String),
  filter: optional(Schema.String)
})
export type OutcomeRecord = typeof OutcomeRecord.Type

/** The request as the caller sent it; `body` is present where it was captured whole and can be shown as JSON. */
export const RequestRecord = Schema.Struct({ ...Payload.fields, body: optional(Schema.Json) })
export type RequestRecord = typeof RequestRecord.Type

/** A tool call of an answer. What follows its arguments is known of an answer that is not kept whole. */
const ToolCall = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  arguments: Schema.String,
  omittedBytes: ToolCallRecord.fields.omittedBytes,
  complete: optional(Schema.Boolean)
})

/**
 * The answer. `text`, `reasoning`, `refusal` and `toolCalls` are those of its first choice, `answer` is all of it.
 * Of an answer that is too long to be kept whole there are an excerpt, an abridged `text`, and the tool calls, each
 * with up to 64 KiB of arguments.
 */
export const ResponseRecord = Schema.Struct({
  ...Payload.fields,
  text: optional(Schema.String),
  reasoning: optional(Schema.String),
  refusal: optional(Schema.String),
  toolCalls: optional(Schema.Array(ToolCall)),
  answer: optional(LlmResponse)
})
export type ResponseRecord = typeof ResponseRecord.Type

/**
 * One call as users read it. `timings.openedAt` is epoch milliseconds, the others count from the call's arrival. What
 * is not known (yet) is absent: an open call has no outcome, an interrupted one neither counts nor a total time.
 */
export const CallRecord = Schema.Struct({
  id: Schema.String,
  requestId: optional(Schema.String),
  dialect: optional(Schema.String),
  model: Schema.String,
  delivery: OpenRecord.fields.delivery,
  status: Schema.Literals(["open", "ended"]),
  outcome: optional(OutcomeRecord),
  finishReason: optional(FinishReason),
  target: FinalRecord.fields.target,
  usage: optional(Usage),
  cost: FinalRecord.fields.cost,
  timings: Schema.Struct({
    openedAt: Schema.Finite,
    firstByteMs: optional(Schema.Finite),
    firstTokenMs: optional(Schema.Finite),
    totalMs: optional(Schema.Finite)
  }),
  response: optional(ResponseRecord),
  request: optional(RequestRecord),
  attempts: Schema.Array(AttemptRecord),
  retries: FinalRecord.fields.retries,
  rateLimited: FinalRecord.fields.rateLimited,
  notices: Schema.Array(Notice),
  findings: optional(Schema.Array(Finding)),
  filterFailures: FinalRecord.fields.filterFailures,
  upstream: optional(FinalRecord.fields.upstream),
  delivered: optional(FinalRecord.fields.delivered),
  conversation: optional(Schema.String),
  askedBy: OpenRecord.fields.askedBy,
  handedTo: FinalRecord.fields.handedTo,
  caller: Caller,
  // what follows stands in single calls, not in lists
  ...Transcript.fields,
  ...OutsideRecord.fields
})
export type CallRecord = typeof CallRecord.Type

// What the bodies of the rows hold: the domain's records, with what is known of a payload in place of its content.
const { requestText: _, ...openFields } = OpenRecord.fields
const Opened = Schema.Struct({ ...openFields, request: optional(Payload) })
const Final = Schema.Struct({
  ...FinalRecord.fields,
  response: optional(
    Schema.Struct({ ...Payload.fields, text: optional(Schema.String), toolCalls: optional(Schema.Array(ToolCall)) })
  )
})

const decodeOpened = Schema.decodeUnknownEffect(Schema.fromJsonString(Opened))
const decodeFinal = Schema.decodeUnknownEffect(Schema.fromJsonString(Final))
const readJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))
const decodeRequest = Schema.decodeUnknownOption(Schema.Json)
const decodeAnswer = Schema.decodeUnknownOption(LlmResponse)

/**
 * Reads a document that was kept whole. What providers wrote may be deeper than anybody can show, or have numbers that
 * are none: that must not keep anybody from the rest of the record, and from the records beside it.
 */
const readDocument = <A>(text: string | null, decode: (value: unknown) => Option.Option<A>): A | undefined => {
  const document = text === null ? Option.none() : readJson(text)
  return Option.isNone(document) || isDeeper(document.value, mostLevels)
    ? undefined
    : Option.getOrUndefined(decode(document.value))
}

// Records are written without their Schema: they are plain JSON by type, and every call writes two.

const noLabels: ReadonlyArray<string> = []

/** Each once: that a key calls `a` with the value `b=c`, and `a=b` with the value `c`, is the same text. */
const labelsOf = ({ labels }: Caller): ReadonlyArray<string> =>
  labels === undefined ? noLabels : [...new Set(Object.entries(labels).map(([name, value]) => `${name}=${value}`))]

/** The row of a call that begins. */
export const openedRow = (record: OpenRecord, kept: CaptureLevel | Capture, owner: string): OpenedRow => {
  const { requestText } = record
  const { payload, text } = requestText === undefined ? capture(kept, record.request) : captureText(kept, requestText)
  return {
    _tag: "Opened",
    id: record.id,
    owner,
    openedAt: Math.floor(record.openedAt),
    requestId: record.requestId ?? null,
    model: record.model,
    key: record.caller.key ?? null,
    conversation: record.conversation ?? null,
    labels: labelsOf(record.caller),
    // JSON leaves out a key that is undefined
    body: JSON.stringify({ ...record, request: payload, requestText: undefined }),
    request: text
  }
}

/** What is kept of an answer that is too long to be kept whole. */
const abridged = (choice: Choice | undefined, maxBytes: number): Pick<ResponseRecord, "text" | "toolCalls"> => {
  const toolCalls = (choice?.parts ?? []).flatMap((part) =>
    part._tag === "ToolCall" ? [toolCallOf(part, maxBytes)] : []
  )
  return { text: abridge(textOf(choice), maxBytes), ...(toolCalls.length === 0 ? {} : { toolCalls }) }
}

/** The row of a call that ended; its times are epoch milliseconds. */
export const finalRow = (
  record: FinalRecord,
  kept: CaptureLevel | Capture,
  owner: string,
  { endedAt, openedAt }: Pick<FinalRow, "openedAt" | "endedAt">
): FinalRow => {
  const { level, maxBytes } = captureOf(kept)
  const { payload, text } = capture(kept, record.response)
  const response =
    payload?.excerpt === undefined ? payload : { ...payload, ...abridged(record.response?.choices[0], maxBytes) }
  return {
    _tag: "Final",
    id: record.id,
    owner,
    outcome: record.outcome._tag,
    openedAt: Math.floor(openedAt),
    endedAt,
    body: JSON.stringify({ ...(level === "full" ? record : withoutWords(record)), response }),
    response: text
  }
}

/** A terminal record of a call of which nothing is known but how it ended. */
export const bareFinal = (id: string, outcome: Outcome, totalMs: number): FinalRecord => ({
  id,
  outcome,
  usage: noUsage,
  totalMs,
  upstream: { bytes: 0, frames: 0, events: 0 },
  delivered: { bytes: 0 },
  attempts: [],
  notices: []
})

/** The row of a call whose owner `by` found dead at `endedAt` (epoch milliseconds). */
export const interruptedRow = (
  { id, openedAt }: Pick<OpenedRow, "id" | "openedAt">,
  by: string,
  endedAt: number
): FinalRow => finalRow(bareFinal(id, { _tag: "Interrupted" }, 0), "off", by, { openedAt, endedAt })

const outcomeRecord = (outcome: Outcome): OutcomeRecord => {
  const { _tag: kind } = outcome
  switch (outcome._tag) {
    case "Completed":
      return { kind, finish: outcome.finish, delivered: outcome.delivered }
    case "Refused":
      return { kind, by: outcome.by, reason: outcome.reason }
    case "HandedOff":
      return { kind, target: outcome.target, ...(outcome.reason === undefined ? {} : { reason: outcome.reason }) }
    case "Limited":
      return {
        kind,
        by: outcome.by,
        ...(outcome.filter === undefined ? {} : { filter: outcome.filter }),
        ...(outcome.reason === undefined ? {} : { reason: outcome.reason })
      }
    case "Cancelled":
      return { kind, by: outcome.by }
    case "Interrupted":
      return { kind }
    case "Failed": {
      const { _tag: reason, ...details } = outcome.reason
      return {
        ...details,
        ...("kind" in details ? { detail: details.kind } : {}),
        kind,
        reason,
        message: outcome.message,
        ...(outcome.status === undefined ? {} : { status: outcome.status })
      }
    }
  }
}

const requestRecord = (payload: Payload, text: string | null): RequestRecord => {
  const body = readDocument(text, decodeRequest)
  return body === undefined ? payload : { ...payload, body }
}

const speech = (choice: Choice | undefined): Partial<ResponseRecord> => {
  const parts = choice?.parts ?? []
  const reasoning = parts.flatMap((part) => (part._tag === "Reasoning" ? [part.text] : []))
  const refusals = parts.flatMap((part) => (part._tag === "Refusal" ? [part.text] : []))
  const toolCalls = parts.flatMap((part) =>
    part._tag === "ToolCall" ? [{ id: part.id, name: part.name, arguments: part.arguments }] : []
  )
  return {
    text: textOf(choice),
    ...(reasoning.length === 0 ? {} : { reasoning: reasoning.join("") }),
    ...(refusals.length === 0 ? {} : { refusal: refusals.join("") }),
    ...(toolCalls.length === 0 ? {} : { toolCalls })
  }
}

const responseRecord = (payload: NonNullable<typeof Final.Type.response>, text: string | null): ResponseRecord => {
  const answer = readDocument(text, decodeAnswer)
  return answer === undefined ? payload : { ...payload, ...speech(answer.choices[0]), answer }
}

/** What a call's end adds to its record. */
const ending = Effect.fnUntraced(function* (stored: NonNullable<StoredCall["final"]>) {
  const { id: _, firstByteMs, firstTokenMs, totalMs, outcome, response, ...final } = yield* decodeFinal(stored.body)
  const { attempts, delivered, notices, upstream, usage, ...rest } = final
  const record = { status: "ended", outcome: outcomeRecord(outcome), usage, attempts, notices } as const
  // nothing was counted: the process that could have is gone
  if (outcome._tag === "Interrupted") return { ...record, timings: {} }
  return {
    ...record,
    ...rest,
    upstream,
    delivered,
    ...(outcome._tag === "Completed" ? { finishReason: outcome.finish } : {}),
    timings: {
      ...(firstByteMs === undefined ? {} : { firstByteMs }),
      ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
      totalMs
    },
    ...(response === undefined ? {} : { response: responseRecord(response, stored.response) })
  }
})

const unended = { status: "open", attempts: [], notices: [], timings: {} } as const

/** Reads a call back; fails where what is stored is not a record. */
export const fromStored: (stored: StoredCall) => Effect.Effect<CallRecord, Schema.SchemaError> = Effect.fnUntraced(
  function* (stored: StoredCall) {
    const { openedAt, request, ...opened } = yield* decodeOpened(stored.opened.body)
    const end = stored.final === undefined ? unended : yield* ending(stored.final)
    return {
      ...opened,
      ...end,
      timings: { openedAt, ...end.timings },
      ...(request === undefined ? {} : { request: requestRecord(request, stored.opened.request) })
    }
  }
)
