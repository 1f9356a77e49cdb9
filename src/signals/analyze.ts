import type { Lexicon } from "./Lexicon.ts"
import type { Conversation, Row } from "./Row.ts"
import { type Counts, type QualityLevel, qualityLevels, type Signal } from "./Signal.ts"
import { type Assessment, SeenRow, type Taxonomy } from "./Taxonomy.ts"
import { type Course, type Mark, marksOf, type Memory, remember, resume } from "./Watermark.ts"

/** What one call adds to its conversation, and how that goes by now. */
export interface Analysis extends Assessment {
  /** those that were not raised before */
  readonly signals: ReadonlyArray<Signal>
  /** how often each type was raised in the whole conversation */
  readonly totals: Counts
  readonly turns: Conversation["turns"]
  readonly flagged: boolean
  readonly memory: Memory
}

/** How a conversation is read. */
export interface Reading {
  readonly taxonomy: Taxonomy
  readonly lexicon: Lexicon
}

const add = (counts: Counts, found: ReadonlyArray<Signal>): Counts => {
  const sums: Record<string, number> = { ...counts }
  for (const { type } of found) sums[type] = (sums[type] ?? 0) + 1
  return sums
}

const turnsOf = (rows: ReadonlyArray<SeenRow>): Conversation["turns"] => {
  const count = (kind: SeenRow["kind"]) => rows.filter((row) => row.kind === kind).length
  return { human: count("human"), assistant: count("assistant") }
}

/** How far a conversation was read before. */
export interface Standing {
  readonly conversation: Conversation
  readonly memory: Memory
  readonly marks: ReadonlyArray<Mark>
  /** the index of the first row that was not seen */
  readonly fresh: number
  /** the course that it goes on with */
  readonly course: Course | undefined
}

/**
 * Finds out how far a conversation was read. `continues` says that the history before these rows is kept by somebody else:
 * then all rows are new, and what is known of the conversation is what its latest course left.
 */
export const standingOf = (conversation: Conversation, memory: Memory, continues: boolean): Standing => {
  const marks = marksOf(conversation.rows)
  const place = continues ? { course: memory.courses.at(-1), fresh: 0 } : resume(memory, marks)
  return { conversation, memory, marks, ...place }
}

/** How much there is to read, in characters. */
export const lengthOf = ({ conversation: { rows }, course, fresh }: Standing): number => {
  // what was seen is read again where it is not known what it had raised
  const from = course === undefined ? 0 : fresh
  let length = 0
  for (let at = from; at < rows.length; at++) length += textLengthOf(rows[at]!)
  return length
}

const textLengthOf = (row: Row): number => (row.kind === "call" ? row.arguments.length : row.text.length)

/** Reads what is new in a conversation. */
export const readOn = (
  { conversation, course, fresh, marks, memory }: Standing,
  { lexicon, taxonomy }: Reading
): Analysis => {
  const rows = conversation.rows.map((row) => new SeenRow(row))
  const added = turnsOf(rows.slice(fresh))
  const turns =
    course === undefined
      ? conversation.turns
      : { human: course.turns.human + added.human, assistant: course.turns.assistant + added.assistant }
  const before = course?.counts ?? raisedBefore(rows.slice(0, fresh), { lexicon, taxonomy })
  const earlier =
    fresh === 0 && course === undefined ? undefined : taxonomy.assess(before, course?.turns ?? turns).quality
  const signals = taxonomy.find({ rows, fresh, before, turns, lexicon })
  const totals = add(before, signals)
  const assessment = taxonomy.assess(totals, turns)
  const after: Course = { at: marks.at(-1) ?? 0, counts: totals, turns }
  return {
    ...assessment,
    signals,
    totals,
    turns,
    flagged: taxonomy.flags(signals, totals) || sank(earlier, assessment.quality),
    memory: remember(memory, marks, course, after)
  }
}

/** Reads a conversation as it stands after a call. Only rows that are not in its memory raise signals. */
export const analyze = (conversation: Conversation, memory: Memory, reading: Reading, continues = false): Analysis =>
  readOn(standingOf(conversation, memory, continues), reading)

/** What rows that were seen had raised, where no course of the conversation ended with them. */
const raisedBefore = (rows: ReadonlyArray<SeenRow>, { lexicon, taxonomy }: Reading): Counts =>
  rows.length === 0 ? {} : add({}, taxonomy.find({ rows, fresh: 0, before: {}, turns: turnsOf(rows), lexicon }))

/** Whether a conversation became poor or severe that was not so bad before. */
const sank = (before: QualityLevel | undefined, quality: QualityLevel): boolean =>
  (quality === "poor" || quality === "severe") &&
  (before === undefined || qualityLevels.indexOf(before) < qualityLevels.indexOf(quality))
