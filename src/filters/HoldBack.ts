import type { LlmEvent } from "../domain/LlmEvent.ts"
import { textAt, withTextAt } from "./json-values.ts"

/**
 * What a piece of text is. Refusals are text too; `value` is a text within a value, complete: a citation, or what a
 * provider's own tool answered.
 */
export type BlockKind = "text" | "reasoning" | "toolArguments" | "value"

/** A block of generated text: `tool` is the name of the tool whose arguments it holds. */
export interface Block {
  readonly kind: BlockKind
  readonly id: string
  readonly choice: number
  readonly tool: string | undefined
}

export type Opaque = Extract<LlmEvent, { readonly _tag: "Opaque" }>

/** An event with a piece of text in it. */
export type Delta = Extract<LlmEvent, { readonly text: string }> | Opaque

/**
 * An event in the queue. `said` is its text, as it came; `undecided` is how much of that nobody has decided about, `text`
 * what of it may go.
 */
interface Item {
  readonly event: LlmEvent
  readonly said: string
  /** what it becomes when its turn has come */
  readonly late: (() => LlmEvent) | undefined
  undecided: number
  text: string
  intact: boolean
}

/** The text of an event, as far as it is a piece of a longer one. */
export const spokenIn = (event: Delta): string => {
  if (event._tag !== "Opaque") return event.text
  return event.textAt === undefined ? "" : (textAt(event.value, event.textAt) ?? "")
}

const deltaOf = (event: Delta, text: string): LlmEvent => {
  if (event._tag === "Opaque") return { ...event, value: withTextAt(event.value, event.textAt ?? [], text) }
  if (event._tag !== "TextDelta") return { ...event, text }
  // What is known of its tokens would tell what they were.
  const { logprobs: _, ...rest } = event
  return { ...rest, text }
}

/**
 * The events of one choice that wait for a decision about text, in order. What is decided leaves at once: an event that
 * was kept whole as the same object, one that was kept in part as what is left of it, and nothing overtakes anything.
 */
export class HoldBack {
  private readonly queue: Array<Item> = []

  /** Lets an event wait its turn; `late` is asked then what it has become. */
  push(event: LlmEvent, out: Array<LlmEvent>, late?: () => LlmEvent): void {
    if (this.queue.length === 0) out.push(late?.() ?? event)
    else this.queue.push({ event, said: "", late, undecided: 0, text: "", intact: true })
  }

  /** Holds a delta until its text was decided about. */
  hold(event: Delta): Item {
    const said = spokenIn(event)
    const item = { event, said, late: undefined, undecided: said.length, text: "", intact: true }
    this.queue.push(item)
    return item
  }

  /** Lets go what is decided. */
  drain(out: Array<LlmEvent>): void {
    let gone = 0
    for (const item of this.queue) {
      if (item.undecided > 0) {
        if (item.text !== "" && "text" in item.event) {
          out.push(deltaOf(item.event, item.text))
          item.text = ""
          item.intact = false
        }
        break
      }
      gone++
      if (item.intact) out.push(item.late?.() ?? item.event)
      else if (item.event._tag === "Opaque") out.push(deltaOf(item.event, item.text))
      else if (item.text !== "" && "text" in item.event) out.push(deltaOf(item.event, item.text))
    }
    if (gone > 0) this.queue.splice(0, gone)
  }
}

/**
 * The text of one open block, and the decisions about it: they are taken in order, each about the next so many code units
 * that were not decided about yet.
 */
export class HeldBlock {
  readonly block: Block
  private readonly holdBack: HoldBack
  private items: Array<Item> = []
  /** how many of them are decided about */
  private settled = 0
  /** whether anything of the text was changed */
  changed = false
  /** how long the text is, as it came, and how much at its end nobody has decided about */
  length = 0
  undecided = 0
  /** what may leave of the text so far; kept for tool arguments, which are told again when they are complete */
  released = ""

  constructor(block: Block, holdBack: HoldBack) {
    this.block = block
    this.holdBack = holdBack
  }

  add(event: Delta): void {
    const item = this.holdBack.hold(event)
    this.length += item.undecided
    this.undecided += item.undecided
    this.items.push(item)
  }

  /** What nobody has decided about. */
  get rest(): string {
    return this.items
      .slice(this.settled)
      .map((item) => item.said.slice(item.said.length - item.undecided))
      .join("")
  }

  /** The next `length` code units may go as they are. */
  readonly keep = (length: number): void => {
    this.undecided -= length
    let left = length
    while (left > 0) {
      const item = this.next()
      if (item === undefined) return
      const count = Math.min(left, item.undecided)
      const { said } = item
      const from = said.length - item.undecided
      const kept = from === 0 && count === said.length ? said : said.slice(from, from + count)
      item.text += kept
      if (this.block.kind === "toolArguments") this.released += kept
      item.undecided -= count
      left -= count
    }
    this.settle()
  }

  /** In the place of the next `length` code units goes another text. */
  readonly replace = (length: number, text: string): void => {
    this.changed = true
    this.undecided -= length
    if (this.block.kind === "toolArguments") this.released += text
    let left = length
    let said = text
    while (left > 0 || said !== "") {
      const item = this.next()
      if (item === undefined) return
      const count = Math.min(left, item.undecided)
      item.intact = false
      item.text += said
      said = ""
      item.undecided -= count
      left -= count
    }
    this.settle()
  }

  /** The delta that the next decision is about: of one that is decided about as far as it goes, only an empty one. */
  private next(): Item | undefined {
    this.settle()
    return this.items[this.settled]
  }

  private settle(): void {
    while (this.items[this.settled]?.undecided === 0) this.settled++
    // Few at a time would move all the others each time.
    if (this.settled * 2 <= this.items.length) return
    this.items = this.items.slice(this.settled)
    this.settled = 0
  }
}
