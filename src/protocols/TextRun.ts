import type { LlmEvent, TextDelta } from "../domain/LlmEvent.ts"
import type { JsonSeries } from "./JsonSeries.ts"

/**
 * The run of documents of a stream that are pieces of one text and nothing else, as nearly all are. What the first of them
 * turned out to be, all are that differ from it in the piece alone, as long as no other document comes between: they need
 * not be read.
 */
export class TextRun {
  private readonly documents: JsonSeries
  /** the block that the last document was a piece of, where it was nothing else */
  private block: string | undefined

  constructor(documents: JsonSeries) {
    this.documents = documents
  }

  /** The event of a document that goes on with the run; undefined where it does not, and is to be parsed. */
  next(document: string): TextDelta | undefined {
    const id = this.block
    if (id === undefined) return undefined
    this.block = undefined
    const text = this.documents.piece(document)
    if (text === undefined) return undefined
    this.block = id
    return { _tag: "TextDelta", id, text }
  }

  /** Takes note of a document that was parsed: of its events, which begin at `from`. */
  note(events: ReadonlyArray<LlmEvent>, from: number): void {
    const event = events.length === from + 1 ? events[from] : undefined
    if (event?._tag !== "TextDelta" || event.choice !== undefined || event.logprobs !== undefined) return
    this.block = event.id
  }
}
