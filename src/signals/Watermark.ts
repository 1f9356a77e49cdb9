import { canonicalJson } from "../domain/canonical-json.ts"
import type { Row } from "./Row.ts"
import type { Counts } from "./Signal.ts"

/** What a row is known again by: a whole number of 53 bits, enough to tell the rows of one conversation apart. */
export type Mark = number

/** Where a course of a conversation stood when it was last seen, and what had been raised in it by then. */
export interface Course {
  /** the mark of its last row */
  readonly at: Mark
  readonly counts: Counts
  readonly turns: { readonly human: number; readonly assistant: number }
}

/**
 * What is kept of a conversation between two calls: marks of the rows that were seen, oldest first, and its courses, the
 * latest one last. A conversation has several where an answer was asked for again, or an earlier message was changed.
 */
export interface Memory {
  readonly seen: ReadonlyArray<Mark>
  readonly courses: ReadonlyArray<Course>
}

export const noMemory: Memory = { seen: [], courses: [] }

const maxSeen = 256
const maxCourses = 8

/** Of a longer text the beginning and the end tell it from the others. */
const digested = 256
const blank = 32
const unbreakable = 0xa0

const finish = (one: number, other: number): Mark => {
  const high = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(other ^ (other >>> 13), 3266489909)
  const low = Math.imul(other ^ (other >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return 4294967296 * (2097151 & low) + (high >>> 0)
}

/** The digest of a text, without its blanks; `seed` tells the kinds of texts apart. */
const digest = (text: string, seed: number): Mark => {
  let high = 0x1eadbeef ^ seed
  let low = 0x41c6ce57
  const skipsFrom = text.length > 2 * digested ? digested : text.length
  for (let at = 0; at < text.length; at++) {
    if (at === skipsFrom) at = text.length - digested
    const unit = text.charCodeAt(at)
    if (unit <= blank || unit === unbreakable) continue
    high = Math.imul(high ^ unit, 0x5f356495)
    low = Math.imul(low ^ unit, 0x5f34d4b5)
  }
  return finish(high, low)
}

const high32 = (mark: Mark): number => (mark / 4294967296) | 0

/** The digest of two marks, in this order. */
const pair = (one: Mark, other: Mark): Mark => {
  let high = Math.imul(0x1eadbeef ^ (one | 0), 0x5f356495)
  let low = Math.imul(0x41c6ce57 ^ high32(one), 0x5f34d4b5)
  high = Math.imul(high ^ low ^ (other | 0), 0x5f356495)
  low = Math.imul(low ^ high ^ high32(other), 0x5f34d4b5)
  return finish(high, low)
}

/** What a row says, whatever its blanks: clients give back what they got, but not always letter by letter. */
const contentOf = (row: Row): Mark => {
  const seed = row.kind.charCodeAt(0)
  return row.kind === "call"
    ? pair(digest(row.name, seed), digest(canonicalJson(row.arguments), seed))
    : digest(row.text, seed)
}

/**
 * A mark for every row, by what it says, what the two before it say, and how often that came before. So a row is known
 * again where the beginning of the history was cut off, and a loop has different marks for its rounds.
 */
export const marksOf = (rows: ReadonlyArray<Row>): ReadonlyArray<Mark> => {
  const contents = rows.map(contentOf)
  const times = new Map<Mark, number>()
  return contents.map((content, index) => {
    const context = pair(pair(contents[index - 2] ?? 0, contents[index - 1] ?? 0), content)
    const time = (times.get(context) ?? 0) + 1
    times.set(context, time)
    return time === 1 ? context : pair(context, time)
  })
}

/** The index of the first row after the last one that was seen, and the course that ended there. */
export const resume = (
  { courses, seen }: Memory,
  marks: ReadonlyArray<Mark>
): { readonly fresh: number; readonly course: Course | undefined } => {
  const known = new Set(seen)
  const last = marks.findLastIndex((mark) => known.has(mark))
  return { fresh: last + 1, course: last < 0 ? undefined : courses.findLast(({ at }) => at === marks[last]) }
}

/** The memory after a call; the course that it went on with is replaced. */
export const remember = (
  { courses, seen }: Memory,
  marks: ReadonlyArray<Mark>,
  before: Course | undefined,
  after: Course
): Memory => ({
  seen: joined(seen, marks),
  courses: [...courses.filter((course) => course !== before && course.at !== after.at), after].slice(-maxCourses)
})

/** What two who read the same conversation know of it together; of the same course, what `own` knows. */
export const together = (own: Memory, theirs: Memory): Memory => ({
  seen: joined(theirs.seen, own.seen),
  courses: [
    ...theirs.courses.filter(({ at }) => own.courses.every((course) => course.at !== at)),
    ...own.courses
  ].slice(-maxCourses)
})

const joined = (seen: ReadonlyArray<Mark>, more: ReadonlyArray<Mark>): ReadonlyArray<Mark> => {
  const known = new Set(seen)
  const added = more.filter((mark) => !known.has(mark))
  return added.length === 0 ? seen : [...seen, ...added].slice(-maxSeen)
}
