import { canonicalJson } from "../domain/canonical-json.ts"
import type { Row } from "./Row.ts"
import type { Counts } from "./Signal.ts"

/** Where a course of a conversation stood when it was last seen, and what had been raised in it by then. */
export interface Course {
  /** the mark of its last row */
  readonly at: string
  readonly counts: Counts
  readonly turns: { readonly human: number; readonly assistant: number }
}

/**
 * What is kept of a conversation between two calls: marks of the rows that were seen, oldest first, and its courses, the
 * latest one last. A conversation has several where an answer was asked for again, or an earlier message was changed.
 */
export interface Memory {
  readonly seen: ReadonlyArray<string>
  readonly courses: ReadonlyArray<Course>
}

export const noMemory: Memory = { seen: [], courses: [] }

const maxSeen = 256
const maxCourses = 8

/** 53 bits are enough to tell the rows of one conversation apart. */
const digest = (text: string): string => {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    high = Math.imul(high ^ unit, 2654435761)
    low = Math.imul(low ^ unit, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36)
}

/** What a row says, whatever its blanks: clients give back what they got, but not always letter by letter. */
const contentOf = (row: Row): string =>
  row.kind === "call"
    ? `call ${row.name} ${canonicalJson(row.arguments)}`
    : `${row.kind} ${row.text.replaceAll(/\s+/g, "")}`

/**
 * A mark for every row, by what it says, what the two before it say, and how often that came before. So a row is known
 * again where the beginning of the history was cut off, and a loop has different marks for its rounds.
 */
export const marksOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const contents = rows.map((row) => digest(contentOf(row)))
  const times = new Map<string, number>()
  return contents.map((content, index) => {
    const context = `${contents[index - 2] ?? ""} ${contents[index - 1] ?? ""} ${content}`
    const time = (times.get(context) ?? 0) + 1
    times.set(context, time)
    return digest(`${context} ${time}`)
  })
}

/** The index of the first row after the last one that was seen, and the course that ended there. */
export const resume = (
  { courses, seen }: Memory,
  marks: ReadonlyArray<string>
): { readonly fresh: number; readonly course: Course | undefined } => {
  const known = new Set(seen)
  const last = marks.findLastIndex((mark) => known.has(mark))
  return { fresh: last + 1, course: last < 0 ? undefined : courses.findLast(({ at }) => at === marks[last]) }
}

/** The memory after a call; the course that it went on with is replaced. */
export const remember = (
  { courses, seen }: Memory,
  marks: ReadonlyArray<string>,
  before: Course | undefined,
  after: Course
): Memory => {
  const known = new Set(seen)
  return {
    seen: [...seen, ...marks.filter((mark) => !known.has(mark))].slice(-maxSeen),
    courses: [...courses.filter((course) => course !== before && course.at !== after.at), after].slice(-maxCourses)
  }
}
