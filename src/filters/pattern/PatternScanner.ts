import type { Decisions, TextScanner } from "../TextScanner.ts"
import { type Ending, isEnding } from "../Verdict.ts"
import { isWordRune } from "./words.ts"
import { Around, Op, type Program, takesRune } from "./Program.ts"

/** Something that was found: the text, and which of the patterns it is. */
export interface Match {
  readonly text: string
  readonly pattern: number
}

/** What is said in the place of a match, or how the call ends for it. */
export type OnMatch = (match: Match) => string | Ending

/** Where the search stands that goes on from a place: which instruction is next, and where the match began. */
class Threads {
  readonly pcs: Int32Array
  readonly starts: Int32Array
  count = 0

  constructor(size: number) {
    this.pcs = new Int32Array(size)
    this.starts = new Int32Array(size)
  }

  add(pc: number, start: number): void {
    this.pcs[this.count] = pc
    this.starts[this.count++] = start
  }
}

const endOfText = -1

/**
 * Finds matches in a text that comes in pieces, the leftmost first and of those the one that the pattern prefers, as
 * `replaceAll` would in the whole text. It runs all ways to match side by side, so that it takes time in proportion to the
 * text, and it knows at every moment whether what it has seen last may still become a match: only that is held back.
 */
export class PatternScanner implements TextScanner {
  readonly crossesBlocks = true
  private readonly program: Program
  private readonly onMatch: OnMatch
  /** what is not decided about; places are counted from its beginning */
  private text = ""
  private at = 0
  /** the character before `at`, and the one before the text */
  private before = endOfText
  private previous = endOfText
  private threads: Threads
  private following: Threads
  private readonly seen: Int32Array
  private readonly added: Int32Array
  private readonly stack: Int32Array
  private round = 0
  private found: { start: number; end: number; pattern: number } | undefined

  constructor(program: Program, onMatch: OnMatch) {
    this.program = program
    this.onMatch = onMatch
    const size = program.ops.length
    this.threads = new Threads(size)
    this.following = new Threads(size)
    this.seen = new Int32Array(size)
    this.added = new Int32Array(size)
    this.stack = new Int32Array(2 * size + program.starts.length)
  }

  readonly scan = (text: string, end: boolean, decide: Decisions): Ending | undefined => {
    this.text = this.text === "" ? text : this.text + text
    for (;;) {
      this.search(end)
      const { found } = this
      if (found === undefined || this.threads.count > 0) break
      const ending = this.decide(found, decide)
      if (ending !== undefined) return ending
    }
    const { found, threads, at } = this
    // Threads stand in the order in which they began.
    const safe = Math.min(at, found?.start ?? at, threads.count > 0 ? threads.starts[0]! : at)
    if (safe > 0) this.forget(safe, decide)
    return undefined
  }

  private forget(length: number, decide: Decisions): void {
    decide.keep(length)
    this.previous = runeBefore(this.text, length, this.previous)
    this.text = this.text.slice(length)
    this.at -= length
    if (this.found !== undefined) {
      this.found.start -= length
      this.found.end -= length
    }
    const { starts, count } = this.threads
    for (let index = 0; index < count; index++) starts[index]! -= length
  }

  private decide({ start, end, pattern }: { start: number; end: number; pattern: number }, decide: Decisions) {
    if (start > 0) decide.keep(start)
    const by = this.onMatch({ text: this.text.slice(start, end), pattern })
    if (isEnding(by)) return by
    decide.replace(end - start, by)
    this.previous = runeBefore(this.text, end, this.previous)
    this.before = this.previous
    this.text = this.text.slice(end)
    this.at = 0
    this.found = undefined
    return undefined
  }

  /** Goes on until a match is certain or the text is at its end. */
  private search(end: boolean): void {
    const { text, program } = this
    while (this.at < text.length) {
      if (this.threads.count === 0) {
        if (this.found !== undefined) return
        const code = text.charCodeAt(this.at)
        if (code < 128 && program.first[code] === 0) {
          this.before = code
          this.at++
          continue
        }
      }
      const rune = text.codePointAt(this.at)!
      // The other half of a pair may come with the next piece.
      if (rune >= 0xd800 && rune < 0xdc00 && this.at + 1 === text.length && !end) return
      this.step(rune, rune > 0xffff ? 2 : 1)
      this.before = rune
    }
    if (end && (this.threads.count > 0 || this.found === undefined)) this.step(endOfText, 0)
  }

  /** Takes one character: every thread goes on with it, ends in a match, or dies. */
  private step(rune: number, length: number): void {
    const { threads, following, at } = this
    this.round++
    following.count = 0
    const around = aroundOf(this.before, rune)
    let open = true
    for (let index = 0; open && index < threads.count; index++) {
      open = this.follow(threads.pcs[index]!, threads.starts[index]!, rune, length, around)
    }
    if (open && this.found === undefined && rune !== endOfText) {
      for (const start of this.program.starts) {
        if (!this.follow(start, at, rune, length, around)) break
      }
    }
    this.threads = following
    this.following = threads
    this.at += length
  }

  /** Follows one thread over everything that takes no character; false where it matched, so that what comes after it is out. */
  private follow(from: number, start: number, rune: number, length: number, around: number): boolean {
    const { stack, seen, round, program, at } = this
    const { ops, outs, args } = program
    let depth = 0
    stack[depth++] = from
    while (depth > 0) {
      const pc = stack[--depth]!
      if (seen[pc] === round) continue
      seen[pc] = round
      const op = ops[pc]!
      if (op >= Op.Rune) {
        if (rune !== endOfText && this.takes(pc, rune)) this.goOn(outs[pc]!, start, at + length)
      } else if (op === Op.Alt || op === Op.AltMatch) {
        stack[depth++] = args[pc]!
        stack[depth++] = outs[pc]!
      } else if (op === Op.Match) {
        if (at > start && this.accepts(args[pc]!, start, at)) return false
      } else if (op === Op.Empty) {
        if ((args[pc]! & ~around) === 0) stack[depth++] = outs[pc]!
      } else if (op !== Op.Fail) {
        stack[depth++] = outs[pc]!
      }
    }
    return true
  }

  private takes(pc: number, rune: number): boolean {
    return rune < 128 ? this.program.ascii[pc]![rune] === 1 : takesRune(this.program.instructions[pc]!, rune)
  }

  /** A match that grows beyond the bound ends with what it has; one that has nothing yet loses its beginning. */
  private goOn(pc: number, start: number, end: number): void {
    if (this.added[pc] === this.round) return
    const earliest = end - this.program.bounds[pc]!
    if (start < earliest && this.found !== undefined) return
    this.added[pc] = this.round
    this.following.add(pc, Math.max(start, earliest))
  }

  private accepts(pattern: number, start: number, end: number): boolean {
    const { matches } = this.program.patterns[pattern]!
    if (matches !== undefined && !matches(this.text.slice(start, end))) return false
    this.found = { start, end, pattern }
    return true
  }
}

const aroundOf = (before: number, after: number): number => {
  let around = 0
  if (before === endOfText) around |= Around.beginText | Around.beginLine
  else if (before === 10) around |= Around.beginLine
  if (after === endOfText) around |= Around.endText | Around.endLine
  else if (after === 10) around |= Around.endLine
  return around | (isWordRune(before) === isWordRune(after) ? Around.noBoundary : Around.boundary)
}

/** The character that ends before a place; `otherwise` where the text begins there. */
const runeBefore = (text: string, at: number, otherwise: number): number => {
  if (at === 0) return otherwise
  const code = text.charCodeAt(at - 1)
  return code >= 0xdc00 && code < 0xe000 && at > 1 ? text.codePointAt(at - 2)! : code
}
