import type { NoteRecord, OutsideRecord, RunRecord, ScoreRecord, StepRecord } from "../audit/events/RunRecord.ts"

type Rows = ReadonlyArray<readonly [string, string]>

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

const short = (value: unknown): string => {
  const full = text(value).replaceAll(/\s+/g, " ")
  return full.length > 100 ? `${full.slice(0, 100)}…` : full
}

const signed = ({ by }: { readonly by?: string }): string => (by === undefined ? "" : `, by ${by}`)

const scoreRow = (score: ScoreRecord): readonly [string, string] => [
  `score ${score.name}`,
  `${score.value ?? "?"}${signed(score)}${score.comment === undefined ? "" : `: ${short(score.comment)}`}`
]

const noteRow = (note: NoteRecord): readonly [string, string] => [
  `note ${note.name}`,
  `${note.data === undefined ? "" : short(note.data)}${signed(note)}`.replace(/^, /, "")
]

const progressOf = ({ endedAt, error, id, name, startedAt, status }: RunRecord | StepRecord): string =>
  [
    name === undefined ? id : `${id} (${name})`,
    status ?? "",
    startedAt === undefined || endedAt === undefined ? "" : `${endedAt - startedAt} ms`,
    error === undefined ? "" : short(error)
  ]
    .filter((part) => part !== "")
    .join(", ")

const attachedRows = ({ notes = [], scores = [] }: OutsideRecord): Rows => [
  ...scores.map(scoreRow),
  ...notes.map(noteRow)
]

const within = (rows: Rows): Rows => rows.map(([name, value]) => [`  ${name}`, value])

const stepRows = (step: StepRecord): Rows => [
  [step.kind === undefined ? "step" : `step, ${step.kind}`, progressOf(step)],
  ...within(attachedRows(step))
]

const runRows = (run: RunRecord): Rows => [
  ["run", progressOf(run)],
  ...within([...attachedRows(run), ...run.steps.flatMap(stepRows)])
]

/** What was told about a call from outside: its runs with their steps, scores and notes. */
export const outsideRows = (call: OutsideRecord): Rows => [
  ...attachedRows(call),
  ...(call.runs ?? []).flatMap(runRows),
  ...(call.moreEvents === true ? [["…", "more was told than is shown"] as const] : [])
]
