import type { Decisions, TextScanner } from "../TextScanner.ts"
import { type Ending, isEnding } from "../Verdict.ts"
import { aroundOf, edgeOfText, runeBefore } from "./around.ts"
import { groupsIn } from "./groups.ts"
import { isAlternative, Op, type Program, takesRune } from "./Program.ts"
import { noThreads, type Threads } from "./Threads.ts"

/** Something that was found: the text, which of the patterns it is, and what its groups took, the first of them at 1. */
export interface Match {
  readonly text: string
  readonly pattern: number
  readonly groups: () => ReadonlyArray<string | undefined>
}

interface Found {
  start: number
  end: number
  readonly pattern: number
}

/** What is said in the place of a match, or how the call ends for it. */
export type OnMatch = (match: Match) => string | Ending

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
  private before = edgeOfText
  private previous = edgeOfText
  private threads = noThreads
  private found: Found | undefined

  constructor(program: Program, onMatch: OnMatch) {
    this.program = program
    this.onMatch = onMatch
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
    const safe = Math.min(at, found?.start ?? at, threads.earliest)
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
    if (this.threads.count > 0) this.threads.moveBack(length)
  }

  private decide({ start, end, pattern }: Found, decide: Decisions): Ending | undefined {
    if (start > 0) decide.keep(start)
    const { text, previous, program } = this
    const groups = () => groupsIn(program, { pattern, text, start, end, before: previous })
    const by = this.onMatch({ text: text.slice(start, end), pattern, groups })
    if (isEnding(by)) return by
    decide.replace(end - start, by)
    this.previous = runeBefore(text, end, previous)
    this.before = this.previous
    this.text = text.slice(end)
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
        if (code < 128 && program.startsWith[code]!.length === 0) {
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
    if (end && (this.threads.count > 0 || this.found === undefined)) this.step(edgeOfText, 0)
  }

  /** Takes one character: every thread goes on with it, ends in a match, or dies. */
  private step(rune: number, length: number): void {
    const { threads, at } = this
    const { scratch, starts, startsWith } = this.program
    const following = scratch.begin()
    const around = aroundOf(this.before, rune)
    let open = true
    for (let index = 0; open && index < threads.count; index++) {
      open = this.follow(threads.pcs[index]!, threads.starts[index]!, rune, length, around, following)
    }
    if (open && this.found === undefined && rune !== edgeOfText) {
      for (const start of rune < 128 ? startsWith[rune]! : starts) {
        if (!this.follow(start, at, rune, length, around, following)) break
      }
    }
    scratch.release(threads)
    if (following.count === 0) scratch.release(following)
    this.threads = following.count === 0 ? noThreads : following
    this.at += length
  }

  /** Follows one thread over everything that takes no character; false where it matched, so that what comes after it is out. */
  private follow(
    from: number,
    start: number,
    rune: number,
    length: number,
    around: number,
    following: Threads
  ): boolean {
    const { at, program } = this
    const { ops, outs, args, scratch } = program
    const { stack } = scratch
    let depth = 0
    stack[depth++] = from
    while (depth > 0) {
      const pc = stack[--depth]!
      if (!scratch.isNew(pc, start)) continue
      const op = ops[pc]!
      if (op >= Op.Rune) {
        if (rune !== edgeOfText && this.takes(pc, rune)) this.goOn(outs[pc]!, start, at + length, following)
      } else if (isAlternative(op)) {
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
  private goOn(pc: number, start: number, end: number, following: Threads): void {
    const { bounds, scratch } = this.program
    const earliest = end - bounds[pc]!
    if (start < earliest && this.found !== undefined) return
    const from = Math.max(start, earliest)
    if (scratch.goesOn(pc, from)) following.add(pc, from)
  }

  private accepts(pattern: number, start: number, end: number): boolean {
    const { matches } = this.program.patterns[pattern]!
    if (matches !== undefined && !matches(this.text.slice(start, end))) return false
    this.found = { start, end, pattern }
    return true
  }
}
