import { Result, Schema, SchemaIssue } from "effect"
import { Buffer } from "node:buffer"
import { isDeeper } from "../../domain/depth.ts"
import { parseMoment } from "../../domain/moment.ts"
import { NoteEvent, type OutsideEvent, RunEvent, ScoreEvent, StepEvent } from "./OutsideEvent.ts"

/** Why an event is not kept: what of it is wrong, and how to mend it. */
export interface EventRefusal {
  readonly reason: "invalid" | "conflict" | "forbidden"
  /** The field, as a path within the event. */
  readonly path?: string
  readonly message: string
}

/** An event is at most so long, as JSON in UTF-8. */
const maxEventBytes = 64 * 1024

const maxDepth = 64
const earliest = Date.UTC(2000)
const aheadMillis = 24 * 60 * 60 * 1000

const schemas = { run: RunEvent, step: StepEvent, score: ScoreEvent, note: NoteEvent }
type EventType = keyof typeof schemas
const types = Object.keys(schemas)
const isEventType = (value: unknown): value is EventType => types.includes(String(value))

const options = { errors: "all", onExcessProperty: "error" } as const
const decoders: {
  readonly [Type in EventType]: (value: unknown) => Result.Result<OutsideEvent, Schema.SchemaError>
} = {
  run: Schema.decodeUnknownResult(RunEvent, options),
  step: Schema.decodeUnknownResult(StepEvent, options),
  score: Schema.decodeUnknownResult(ScoreEvent, options),
  note: Schema.decodeUnknownResult(NoteEvent, options)
}
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const invalid = (path: string, message: string): EventRefusal => ({
  reason: "invalid",
  message,
  ...(path === "" ? {} : { path })
})

/** Reads the time of an event, in epoch milliseconds. */
const momentOf = (value: unknown, now: number): Result.Result<number, EventRefusal> => {
  const expected = "a time such as 2026-11-21T08:00:00Z, or milliseconds since 1970"
  const millis = typeof value === "number" ? value : typeof value === "string" ? parseMoment(value) : undefined
  if (millis === undefined || !Number.isFinite(millis)) return Result.fail(invalid("at", `at has to be ${expected}`))
  if (millis < earliest) {
    const mend = typeof value === "number" && millis * 1000 >= earliest ? "; it seems to be in seconds" : ""
    return Result.fail(invalid("at", `at is before the year 2000${mend}; give ${expected}`))
  }
  if (millis > now + aheadMillis) {
    return Result.fail(invalid("at", `at is more than a day ahead of this server's clock; give ${expected}`))
  }
  return Result.succeed(Math.floor(millis))
}

/** What is null says nothing: it is as if it were absent. */
const withoutNulls = (value: object): { readonly [key: string]: unknown } =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null))

const explain = (type: EventType, { issue }: Schema.SchemaError): EventRefusal => {
  const { issues } = issuesOf(issue)
  const found = issues.map(({ message, path = [] }) => {
    const field = path.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".")
    if (message === "Missing key") return { field, text: `${field} is missing` }
    if (message === "Expected no excess property") {
      const known = Object.keys(schemas[type].fields).join(", ")
      return { field, text: `${field} is no field of a ${type}, which has ${known}` }
    }
    return { field, text: `${field} is not accepted: ${message.charAt(0).toLowerCase()}${message.slice(1)}` }
  })
  const shown = found.slice(0, 3).map(({ text }) => text)
  const hidden = found.length - shown.length
  return invalid(found[0]?.field ?? "", shown.join("; ") + (hidden > 0 ? `; and ${hidden} more` : ""))
}

/** What a Schema does not say: what an event has to be about, and that it says something. */
const lack = (event: OutsideEvent): EventRefusal | undefined => {
  if (event.type === "run" || event.type === "step") return undefined
  const { call, run, step } = event
  if (call === undefined && run === undefined) {
    return invalid("call", `a ${event.type} is about something: name its call, or its run`)
  }
  if (step !== undefined && run === undefined) return invalid("run", "a step is one of a run: name the run too")
  if (event.type === "score" && event.value === undefined && event.comment === undefined) {
    return invalid("value", "a score says nothing without a value or a comment")
  }
  return undefined
}

/**
 * Reads one event as it was sent, at `now` (epoch milliseconds); `value` is decoded JSON.
 *
 * Gotcha: a key that is null is as good as absent, so that nothing is ever unsaid.
 */
export const readEvent = (value: unknown, now: number): Result.Result<OutsideEvent, EventRefusal> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return Result.fail(invalid("", "an event has to be a JSON object"))
  }
  if (isDeeper(value, maxDepth))
    return Result.fail(invalid("", `an event is at most ${maxDepth} levels deep; flatten it`))
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes > maxEventBytes) {
    const mend = "shorten it, or refer to where the content is"
    return Result.fail(invalid("", `the event has ${bytes} bytes, more than ${maxEventBytes}; ${mend}`))
  }
  const { at: said, type, ...rest } = withoutNulls(value)
  if (!isEventType(type)) return Result.fail(invalid("type", `type has to be one of ${types.join(", ")}`))
  const at: Result.Result<number | undefined, EventRefusal> =
    said === undefined ? Result.succeed(undefined) : momentOf(said, now)
  if (Result.isFailure(at)) return Result.fail(at.failure)
  const decoded = decoders[type]({ ...rest, type, ...(at.success === undefined ? {} : { at: at.success }) })
  if (Result.isFailure(decoded)) return Result.fail(explain(type, decoded.failure))
  const refusal = lack(decoded.success)
  return refusal === undefined ? Result.succeed(decoded.success) : Result.fail(refusal)
}
