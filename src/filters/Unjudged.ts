import type { Block } from "./HoldBack.ts"
import type { Decisions, TextScanner } from "./TextScanner.ts"

/** A block's text that is not judged yet. */
export class Unjudged implements TextScanner {
  readonly block: Block
  private readonly onText: (unjudged: Unjudged) => void
  text = ""
  /** whether it ends with the first half of a character; looking there each time would copy the text each time */
  private half = false
  /** how much of it was judged before and is only held back for its edge */
  judged = 0
  ended = false
  /** when what waits is to be judged at the latest, epoch milliseconds */
  dueAt = Number.POSITIVE_INFINITY
  decide: Decisions | undefined

  constructor(block: Block, onText: (unjudged: Unjudged) => void) {
    this.block = block
    this.onText = onText
  }

  /** How much of it can be judged: the other half of a character may come with the next piece. */
  get whole(): number {
    const { text, ended, half } = this
    return !ended && half ? text.length - 1 : text.length
  }

  readonly scan = (text: string, end: boolean, decide: Decisions): undefined => {
    this.text += text
    if (text !== "") this.half = isHigh(text, text.length - 1)
    this.ended ||= end
    this.decide = decide
    this.onText(this)
  }
}

const isHigh = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xd800

/** Whether a place stands between the two halves of a character. */
export const isHalf = (text: string, at: number): boolean => at < text.length && isHigh(text, at - 1)
