import type { Decisions, TextScanner } from "../TextScanner.ts"
import type { Ending } from "../Verdict.ts"

/**
 * Reads a text twice: what the first scanner leaves as it was is read by a second one, each stretch of it as a text of its
 * own. So what the second takes for something cannot take a part of what the first one knows better.
 */
export class TwoPasses implements TextScanner {
  readonly crossesBlocks = true
  private readonly first: TextScanner
  private readonly makeSecond: () => TextScanner
  private second: TextScanner
  /** what the first has not decided about */
  private text = ""

  constructor(first: TextScanner, makeSecond: () => TextScanner) {
    this.first = first
    this.makeSecond = makeSecond
    this.second = makeSecond()
  }

  readonly scan = (text: string, end: boolean, decide: Decisions): Ending | undefined => {
    this.text += text
    let ending: Ending | undefined
    const take = (length: number): string => {
      const taken = this.text.slice(0, length)
      this.text = this.text.slice(length)
      return taken
    }
    const verdict = this.first.scan(text, end, {
      keep: (length) => {
        ending ??= this.second.scan(take(length), false, decide)
      },
      replace: (length, by) => {
        ending ??= this.second.scan("", true, decide)
        this.second = this.makeSecond()
        take(length)
        if (ending === undefined) decide.replace(length, by)
      }
    })
    if (ending === undefined && (end || verdict !== undefined)) ending = this.second.scan("", true, decide)
    return ending ?? verdict
  }
}
