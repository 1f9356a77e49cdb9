import { assert } from "@effect/vitest"
import type { TextScanner } from "../../src/filters/TextScanner.ts"
import type { Ending } from "../../src/filters/Verdict.ts"

/** What a scanner lets go of a text that comes in pieces, the most that it ever held back, and how it ended the call. */
export const scanned = (
  scanner: TextScanner,
  pieces: ReadonlyArray<string>
): { readonly left: string; readonly held: number; readonly ending: Ending | undefined } => {
  const text = pieces.join("")
  let left = ""
  let decided = 0
  let came = 0
  let held = 0
  const decide = {
    keep: (length: number) => {
      left += text.slice(decided, decided + length)
      decided += length
    },
    replace: (length: number, by: string) => {
      left += by
      decided += length
    }
  }
  for (const piece of pieces) {
    came += piece.length
    const ending = scanner.scan(piece, false, decide)
    if (ending !== undefined) return { left, held, ending }
    assert.isAtMost(decided, came, "nothing is decided about that did not come")
    held = Math.max(held, came - decided)
  }
  const ending = scanner.scan("", true, decide)
  assert.isTrue(ending !== undefined || decided === text.length, "everything is decided about at the end")
  return { left, held, ending }
}

/** What a scanner lets go of a text that comes in pieces. */
export const leaving = (scanner: TextScanner, pieces: ReadonlyArray<string>): string => scanned(scanner, pieces).left
