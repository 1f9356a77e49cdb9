import type { Ending } from "./Verdict.ts"

/** How a scanner decides about text: in order, each time about what comes next that was not decided about yet. */
export interface Decisions {
  /** The next so many code units may leave. */
  readonly keep: (length: number) => void
  /** In their place goes another text; the empty one hides them. */
  readonly replace: (length: number, text: string) => void
}

/**
 * Looks at one text as it grows, piece by piece, and decides about it as soon as what may still come cannot change the
 * decision. What it did not decide about is held back. The decisions must not depend on where the pieces are cut.
 */
export interface TextScanner {
  /**
   * Whether what it finds may begin in one block and go on in the next one of its kind, which callers may read as one text.
   * What it has not decided about when a block ends then waits for the next.
   */
  readonly crossesBlocks?: true
  /**
   * More of the text, perhaps nothing; with `end` nothing more will come, and everything is to be decided about. A
   * verdict ends the call: what was decided about before it still leaves, nothing else.
   */
  readonly scan: (text: string, end: boolean, decide: Decisions) => Ending | undefined
}

/** What a scanner makes of a whole text. */
export const scanWhole = (scanner: TextScanner, text: string): string | Ending => {
  let seen = ""
  let at = 0
  const ending = scanner.scan(text, true, {
    keep: (length) => {
      seen += text.slice(at, at + length)
      at += length
    },
    replace: (length, by) => {
      seen += by
      at += length
    }
  })
  return ending ?? seen
}
