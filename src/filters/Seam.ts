import type { HeldBlock } from "./HoldBack.ts"
import type { Decisions, TextScanner } from "./TextScanner.ts"
import type { Ending } from "./Verdict.ts"

/** A block and what scans it. While the block before it is not decided about to its end, there is a seam between them. */
export interface Scanned {
  readonly held: HeldBlock
  readonly scanner: TextScanner
  seam: Seam | undefined
}

/** A block that waits for the seam before it. `hidden` of its text belongs to what was found at the seam. */
interface Following {
  readonly scanned: Scanned
  text: string
  hidden: number
  ended: boolean
}

/**
 * Where one block ends with what may be the beginning of something and the next one begins. Callers see them apart or as
 * one text, by their API, so it is read both ways: each block as a text of its own, and what is found across the seam.
 */
export class Seam {
  private readonly before: Scanned
  /** what reads the block before as if nothing followed */
  private readonly alone: TextScanner
  private readonly following: Array<Following> = []
  private readonly rest: string
  /** how far the scanner has decided, from where the block before was not decided about */
  private at = 0
  private across: { readonly start: number; readonly end: number; readonly text: string } | undefined

  constructor(before: Scanned, alone: TextScanner) {
    this.before = before
    this.alone = alone
    this.rest = before.held.rest
  }

  /** Whether it is known if something stands across the seam. */
  get settled(): boolean {
    return this.at >= this.rest.length
  }

  join(scanned: Scanned): void {
    this.following.push({ scanned, text: "", hidden: 0, ended: false })
  }

  /** The latest block that joined is at its end. */
  endLast(): void {
    const last = this.following.at(-1)
    if (last !== undefined) last.ended = true
  }

  /** More text of the latest block that joined; with `end` no other comes. */
  scan(text: string, end: boolean): Ending | undefined {
    const last = this.following.at(-1)
    if (last !== undefined) last.text += text
    const ending = this.before.scanner.scan(text, end, this)
    // What is found after the seam its own block finds by itself.
    if (this.settled || ending === undefined) return undefined
    return this.decide(this.at) ?? ending
  }

  readonly keep: Decisions["keep"] = (length) => {
    this.at += length
  }

  readonly replace: Decisions["replace"] = (length, text) => {
    const start = this.at
    this.at += length
    const seam = this.rest.length
    if (start < seam && this.at > seam) this.across = { start, end: this.at, text }
  }

  /** Decides about the block before, and gives those that follow, with how much of them is decided about as well. */
  settle(): ReadonlyArray<Following> | Ending {
    const { across, rest, before, following } = this
    const ending = this.decide(across?.start ?? rest.length)
    if (ending !== undefined) return ending
    if (across === undefined) return following
    before.held.replace(rest.length - across.start, across.text)
    let beyond = across.end - rest.length
    for (const one of following) {
      one.hidden = Math.min(beyond, one.text.length)
      if (one.hidden > 0) one.scanned.held.replace(one.hidden, "")
      beyond -= one.hidden
    }
    return following
  }

  private decide(length: number): Ending | undefined {
    return length === 0 ? undefined : this.alone.scan(this.rest.slice(0, length), true, this.before.held)
  }
}
