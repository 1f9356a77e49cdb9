import { Schema } from "effect"

const optional = Schema.optionalKey

/** So long may a name or an id be. */
const maxNameLength = 200

const nameRule = `Expected a text of 1 to ${maxNameLength} characters without control characters`
const Name = Schema.String.annotate({ message: nameRule }).check(
  Schema.isPattern(new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${maxNameLength}}$`, "u"), { message: nameRule })
)

const Said = Schema.String.annotate({ message: "Expected a text" })

/** How a run or a step stands; all but `running` are endings. */
export const EventStatus = Schema.Literals(["running", "completed", "failed", "cancelled"]).annotate({
  message: "Expected one of running, completed, failed, cancelled"
})
export type EventStatus = typeof EventStatus.Type

/** What is said in an event beside names and states: kept as far as content is captured. */
const content = { input: optional(Schema.Json), output: optional(Schema.Json), error: optional(Said) }

const attached = {
  /** the sender's own: sent again, the event is the same one */
  id: Name,
  /** when it happened, in epoch milliseconds */
  at: optional(Schema.Finite),
  /** the id of a call that it is about */
  call: optional(Name)
}

const progress = { name: optional(Name), status: optional(EventStatus), ...content }

/** Something about a run of an agent or a workflow: that it began, how it ended, what is known of it since. */
export const RunEvent = Schema.Struct({ type: Schema.Literal("run"), ...attached, run: Name, ...progress })

/** The same about a step of a run; `parent` is the step that it is a part of, `kind` what it is (`tool`, `retrieval`, …). */
export const StepEvent = Schema.Struct({
  type: Schema.Literal("step"),
  ...attached,
  run: Name,
  step: Name,
  parent: optional(Name),
  kind: optional(Name),
  ...progress
})

/** What somebody thinks of a call, a run or a step. Events of one `score` are about the same one; without it, each is its own. */
export const ScoreEvent = Schema.Struct({
  type: Schema.Literal("score"),
  ...attached,
  run: optional(Name),
  step: optional(Name),
  score: optional(Name),
  name: Name,
  value: optional(
    Schema.Union([Schema.Finite, Schema.Boolean, Name]).annotate({
      message: `Expected a number, true, false, or a text of 1 to ${maxNameLength} characters`
    })
  ),
  comment: optional(Said)
})

/** Anything else that happened and should stand with the call, the run or the step. */
export const NoteEvent = Schema.Struct({
  type: Schema.Literal("note"),
  ...attached,
  run: optional(Name),
  step: optional(Name),
  name: Name,
  data: optional(Schema.Json)
})

/** What an application tells about calls from outside. It is kept as it was said; what is shown is made of all that was said. */
export const OutsideEvent = Schema.Union([RunEvent, StepEvent, ScoreEvent, NoteEvent])
export type OutsideEvent = typeof OutsideEvent.Type

/** The keys of an event that hold what people and models said. */
export const contentKeys = ["input", "output", "error", "comment", "data"] as const

/** What people and models said, of one event. */
export type EventContent = { readonly [Key in (typeof contentKeys)[number]]?: Schema.Json }
