import type { Notice } from "../../domain/Call.ts"
import type { Frame } from "../../domain/Frame.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { noUsage } from "../../domain/Usage.ts"
import { firstSseFrame } from "../../wire/Sse.ts"
import type { RenderContext, StreamRenderer } from "../Dialect.ts"
import { isPiece } from "../pieces.ts"
import { eventFrame } from "./block-writer.ts"
import { errorDocument } from "./errors.ts"
import { EventRenderer, messageStop } from "./render-events.ts"
import { readStreamEvent, type StreamEvent } from "./stream-events.ts"
import { anthropicMessagesId } from "./wire.ts"

/**
 * Frames of this format that nobody changed go out as they are, between others that are rendered because a stage made or
 * changed them. What a frame says of its place (its index) was right in the provider's stream: it passes only while it is
 * right in this one too, and is rendered from its events where a block before it was left out.
 *
 * Two things are held back for a moment: a block that shows what it is only at its end, because a stage may leave it out,
 * and the stop reason, because a stage may change the ending. Both are followed at once by what decides.
 */
class MessageRenderer implements StreamRenderer {
  private readonly events: EventRenderer
  private passing: { readonly id: string; readonly index: number } | undefined
  private heldBlock: { readonly index: number; readonly text: string } | undefined
  private heldEnding = ""
  /** whether all that was sent so far is the provider's own text */
  private untouched = true
  private owesStop = false

  constructor(context: RenderContext) {
    this.events = new EventRenderer(context)
  }

  get notices(): ReadonlyArray<Notice> {
    return this.events.notices.list
  }

  event(event: LlmEvent): string {
    this.untouched = false
    return this.events.render(event)
  }

  verbatim(frame: Frame): string {
    const { raw, events } = frame
    const [first] = events
    if (raw === undefined) return this.renderAll(events)
    if (first !== undefined && events.length === 1 && isPiece(first)) {
      return this.passing?.id === first.id ? raw : this.event(first)
    }
    if (this.events.over) return ""
    return raw === "" ? this.missingEnd(events) : this.pass(raw, events)
  }

  end(): string {
    if (this.owesStop) {
      this.owesStop = false
      return messageStop
    }
    if (this.events.over) return ""
    if (this.heldEnding === "") return this.events.render({ _tag: "Finish", reason: "unknown", usage: noUsage })
    const ending = this.events.endBlocks() + this.heldEnding + messageStop
    this.events.close()
    return ending
  }

  failure(error: LlmError): string {
    if (this.events.over) return ""
    this.events.close()
    return this.insteadOfEnd(error)
  }

  insteadOfEnd(error: LlmError): string {
    const { protocol, raw } = error.fault ?? {}
    // Its clients know an error by the name of the event: a frame without that would be taken for nothing.
    if (protocol === anthropicMessagesId && raw !== undefined && firstSseFrame(raw)?.event === "error") return raw
    return eventFrame({ ...errorDocument(error, undefined), type: "error" })
  }

  private renderAll(events: ReadonlyArray<LlmEvent>): string {
    let text = ""
    for (const event of events) text += this.event(event)
    return text
  }

  private adoptAll(events: ReadonlyArray<LlmEvent>): void {
    for (const event of events) this.events.adopt(event)
  }

  private pass(raw: string, events: ReadonlyArray<LlmEvent>): string {
    const event = readEvent(raw)
    // What has no meaning in this format is the terminator of another one.
    if (event === undefined) return ""
    if (event === "other") return this.opening() + this.passOther(raw)
    // There are servers that begin without the start of the message, and no client does.
    if (event.type !== "message_start") return this.events.messageStart() + this.passEvent(event, raw, events)
    if (this.events.started) return ""
    this.adoptAll(events)
    return raw
  }

  /** The start of the message was rendered where a stage made or changed it, and then waits for what follows. */
  private opening(): string {
    return this.untouched ? "" : this.events.messageStart()
  }

  private passEvent(event: StreamEvent, raw: string, events: ReadonlyArray<LlmEvent>): string {
    switch (event.type) {
      case "content_block_start":
        return this.passStart(event.index, raw, events)
      case "content_block_delta":
        return this.passPiece(event.index, raw, events)
      case "content_block_stop":
        return this.passEnd(event.index, raw, events)
      case "message_delta":
        this.adoptAll(events)
        this.heldEnding += raw
        return ""
      case "message_stop":
        return this.passStop(raw, events)
      default:
        return ""
    }
  }

  /** Pings, and what is yet to be invented. */
  private passOther(raw: string): string {
    if (this.heldEnding !== "") this.heldEnding += raw
    else if (this.heldBlock !== undefined) this.heldBlock = { ...this.heldBlock, text: this.heldBlock.text + raw }
    else return raw
    return ""
  }

  private passStart(index: number, raw: string, events: ReadonlyArray<LlmEvent>): string {
    if (!this.events.idle || index !== this.events.blocks.nextIndex) return this.renderAll(events)
    if (events.length === 0) {
      this.heldBlock = { index, text: raw }
      return ""
    }
    this.adoptAll(events)
    const { open } = this.events.blocks
    this.passing = open === undefined ? undefined : { id: open.id, index }
    return raw
  }

  private passPiece(index: number, raw: string, events: ReadonlyArray<LlmEvent>): string {
    if (this.heldBlock?.index === index) {
      this.heldBlock = { index, text: this.heldBlock.text + raw }
      return ""
    }
    // There are servers that do not announce their blocks, and clients pass over pieces of those.
    return this.passes(index) ? raw : this.renderAll(events)
  }

  /** Whether the block that the provider gave this index is the one that is being sent as it is. */
  private passes(index: number): boolean {
    return this.passing?.index === index && this.passing.id === this.events.blocks.open?.id
  }

  private passEnd(index: number, raw: string, events: ReadonlyArray<LlmEvent>): string {
    if (this.heldBlock?.index === index) {
      const { text } = this.heldBlock
      this.heldBlock = undefined
      if (!this.events.idle || index !== this.events.blocks.nextIndex) return this.renderAll(events)
      this.adoptAll(events)
      return text + raw
    }
    if (!this.passes(index)) return this.renderAll(events)
    this.adoptAll(events)
    this.passing = undefined
    return raw + this.events.advance()
  }

  private passStop(raw: string, events: ReadonlyArray<LlmEvent>): string {
    if (this.heldEnding === "" && !this.untouched) return this.renderAll(events)
    const finished = this.untouched ? "" : this.events.endBlocks()
    this.adoptAll(events)
    return finished + this.heldEnding + raw
  }

  /** The provider's connection ended after the stop reason and without the terminator. */
  private missingEnd(events: ReadonlyArray<LlmEvent>): string {
    let text = ""
    for (const event of events) {
      if (event._tag !== "Finish") text += this.events.render(event)
      else if (this.heldEnding === "" && !this.untouched) text += this.events.render(event)
      else {
        text += this.events.endBlocks() + this.heldEnding
        this.events.adopt(event)
        this.owesStop = true
      }
    }
    return text
  }
}

const readEvent = (raw: string): StreamEvent | "other" | undefined => {
  // The decoder of this protocol read the frame before; what is not JSON it let pass as a terminator.
  try {
    return readStreamEvent(JSON.parse(firstSseFrame(raw)?.data ?? ""))
  } catch {
    return undefined
  }
}

/** Renders one stream of the Messages API. */
export const makeRenderer = (context: RenderContext): StreamRenderer => new MessageRenderer(context)
