import type { Frame } from "../domain/Frame.ts"
import { GrowingText } from "../domain/GrowingText.ts"
import { blockEnd, type LlmEvent, type Source, type TextDelta } from "../domain/LlmEvent.ts"
import type { RescueMatch } from "./RescueMatch.ts"

/** What of an answer was handed on so far. Mutable, because it is touched for every event. */
export class Sent {
  private readonly words = new GrowingText()
  /** how many blocks of text there were */
  texts = 0
  /** thoughts were among it */
  reasoned = false
  /** something was among it that no other answer can go on from: a tool call, a refusal, a further choice */
  final = false
  /** the beginnings of the blocks that have not ended, by their ids */
  readonly open = new Map<string, LlmEvent>()
  readonly ids = new Set<string>()

  get text(): string {
    return this.words.text
  }

  add(batch: ReadonlyArray<Frame>): void {
    for (const { events } of batch) {
      for (const event of events) {
        if (event._tag === "TextDelta") this.words.add(event.text)
        else if (event._tag !== "ReasoningDelta") this.addRare(event)
      }
    }
  }

  private addRare(event: LlmEvent): void {
    switch (event._tag) {
      case "TextStart":
        this.texts++
        return this.begin(event)
      case "ReasoningStart":
        this.reasoned = true
        return this.begin(event)
      case "TextEnd":
      case "ReasoningEnd":
        this.open.delete(event.id)
        return
      case "Started":
      case "UsageReported":
      case "Source":
        return
      default:
        this.final = true
    }
  }

  private begin(event: Extract<LlmEvent, { readonly _tag: "TextStart" | "ReasoningStart" }>): void {
    this.final ||= event.choice !== undefined && event.choice > 0
    this.open.set(event.id, event)
    this.ids.add(event.id)
  }
}

/**
 * Joins a second answer to what was sent of the first: nothing of it until it goes on where that broke off, then its
 * events, in the block that is open and under ids that nothing has yet.
 */
export class Splice {
  private readonly sent: Sent
  private readonly match: RescueMatch
  /** whether offsets into the second text are offsets into the joined one */
  private readonly aligned: boolean
  /** what the blocks of the second answer are called in the joined one */
  private readonly names = new Map<string, string>()
  /** its blocks of thoughts about what was sent already */
  private readonly dropped = new Set<string>()
  /** its block of text that came last */
  private latest: Pick<TextDelta, "id" | "choice"> = { id: "text" }
  private out: Array<LlmEvent> = []
  /** whether anything of the second answer was handed on */
  joined = false

  constructor(sent: Sent, match: RescueMatch, aligned: boolean) {
    this.sent = sent
    this.match = match
    this.aligned = aligned
  }

  /** What of a batch is handed on; `undefined` where the second answer turns out to be another one. */
  take(batch: ReadonlyArray<Frame>): ReadonlyArray<LlmEvent> | undefined {
    this.out = []
    for (const { events } of batch) for (const event of events) if (!this.accept(event)) return undefined
    return this.out
  }

  private accept(event: LlmEvent): boolean {
    switch (event._tag) {
      case "Started":
      // A block of text begins with the first text in it that is new.
      case "TextStart":
        return true
      case "UsageReported":
        this.out.push(event)
        return true
      case "TextDelta":
        return this.write(event)
      case "TextEnd":
        return this.endText(event)
      case "ReasoningStart":
      case "ReasoningDelta":
      case "ReasoningEnd":
        this.think(event)
        return true
      case "Source":
        if (this.joined) this.out.push(this.moved(event))
        return true
      default:
        if (!this.flush()) return false
        this.closeOpen()
        this.push(event)
        return true
    }
  }

  private write(event: TextDelta): boolean {
    if (event.text === "") return true
    const text = this.match.take(event.text)
    if (text === undefined) return false
    this.latest = event
    if (text === event.text) this.push({ ...event, id: this.blockOf(event) })
    else this.say(text)
    return true
  }

  private say(text: string): void {
    if (text !== "") this.push({ ...choiceOf(this.latest), _tag: "TextDelta", id: this.blockOf(this.latest), text })
  }

  private endText(event: Extract<LlmEvent, { readonly _tag: "TextEnd" }>): boolean {
    // What a continuation held back is decided with its block; a restart may need several blocks to get as far.
    this.say(this.match.end() ?? "")
    if (this.names.has(event.id)) this.push(event)
    return true
  }

  /** Thoughts about what was sent already are not sent, whether they led to it before or do so once more. */
  private think(event: Extract<LlmEvent, { readonly _tag: `Reasoning${string}`; readonly id: string }>): void {
    const goesOn = this.joined || (this.match.passed && this.sent.text !== "")
    if (event._tag === "ReasoningStart" && !goesOn) this.dropped.add(event.id)
    if (this.dropped.has(event.id)) return
    if (event._tag === "ReasoningStart") this.closeOpen()
    this.push(event)
  }

  /** No more text comes for now: false where what came does not reach as far as what was sent. */
  private flush(): boolean {
    const text = this.match.end()
    if (text === undefined) return false
    this.say(text)
    return true
  }

  /** The block that text of the second answer goes to: the one that is still open, else one of its own. */
  private blockOf(theirs: Pick<TextDelta, "id" | "choice">): string {
    const known = this.names.get(theirs.id)
    if (known !== undefined) return known
    for (const [id, start] of this.sent.open) {
      if (start._tag !== "TextStart") continue
      this.sent.open.delete(id)
      this.closeOpen()
      this.names.set(theirs.id, id)
      return id
    }
    this.closeOpen()
    const id = this.named(theirs.id)
    this.out.push({ ...choiceOf(theirs), _tag: "TextStart", id })
    return id
  }

  /** Ends the blocks of the first answer that the second one does not go on with. */
  private closeOpen(): void {
    for (const start of this.sent.open.values()) {
      const end = blockEnd(start)
      if (end !== undefined) this.out.push(end)
    }
    this.sent.open.clear()
  }

  private push(event: LlmEvent): void {
    this.joined = true
    if ("callId" in event) this.out.push({ ...event, callId: this.names.get(event.callId) ?? event.callId })
    else if (!("id" in event) || event._tag === "TextDelta") this.out.push(event)
    else this.out.push({ ...event, id: this.names.get(event.id) ?? this.named(event.id) })
  }

  /** A name for a block of the second answer that no block of the first one has. */
  private named(theirs: string): string {
    let name = theirs
    while (this.sent.ids.has(name)) name = `rescue-${name}`
    this.names.set(theirs, name)
    return name
  }

  private moved(event: Source): Source {
    const { block, start, end, origin, ...source } = event
    const name = block === undefined ? undefined : this.names.get(block)
    return {
      ...source,
      ...(name === undefined ? {} : { block: name }),
      ...(this.aligned && start !== undefined ? { start } : {}),
      ...(this.aligned && end !== undefined ? { end } : {}),
      ...(this.aligned && origin !== undefined ? { origin } : {})
    }
  }
}

const choiceOf = ({ choice }: Pick<TextDelta, "choice">) => (choice === undefined ? {} : { choice })
