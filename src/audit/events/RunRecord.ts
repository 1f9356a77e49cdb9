import { Schema } from "effect"
import { EventStatus } from "./OutsideEvent.ts"

const optional = Schema.optionalKey
const Moment = Schema.Finite

/** What somebody thinks. `by` is the label of the key that it was sent with, `at` epoch milliseconds. */
export const ScoreRecord = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  value: optional(Schema.Union([Schema.Finite, Schema.Boolean, Schema.String])),
  comment: optional(Schema.String),
  call: optional(Schema.String),
  at: optional(Moment),
  by: optional(Schema.String)
})
export type ScoreRecord = typeof ScoreRecord.Type

/** Something else that happened. */
export const NoteRecord = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  data: optional(Schema.Json),
  call: optional(Schema.String),
  at: optional(Moment),
  by: optional(Schema.String)
})
export type NoteRecord = typeof NoteRecord.Type

const progress = {
  id: Schema.String,
  name: optional(Schema.String),
  status: optional(EventStatus),
  startedAt: optional(Moment),
  endedAt: optional(Moment),
  input: optional(Schema.Json),
  output: optional(Schema.Json),
  error: optional(Schema.String),
  /** the calls that were made in it, as far as they were named */
  calls: optional(Schema.Array(Schema.String)),
  scores: optional(Schema.Array(ScoreRecord)),
  notes: optional(Schema.Array(NoteRecord))
}

/** A step of a run. */
export const StepRecord = Schema.Struct({ ...progress, parent: optional(Schema.String), kind: optional(Schema.String) })
export type StepRecord = typeof StepRecord.Type

/** A run as far as it was told of; times are epoch milliseconds. */
export const RunRecord = Schema.Struct({ ...progress, steps: Schema.Array(StepRecord) })
export type RunRecord = typeof RunRecord.Type

/** What was told about a call from outside; what nobody said is absent. */
export const OutsideRecord = Schema.Struct({
  runs: optional(Schema.Array(RunRecord)),
  scores: optional(Schema.Array(ScoreRecord)),
  notes: optional(Schema.Array(NoteRecord)),
  /** there is more than is shown */
  moreEvents: optional(Schema.Literal(true))
})
export type OutsideRecord = typeof OutsideRecord.Type
