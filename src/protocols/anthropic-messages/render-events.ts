import type { Finish, LlmEvent, Source, Started } from "../../domain/LlmEvent.ts"
import { mergeUsage, noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import { isForeignRun, sealEvents } from "../CallOrigin.ts"
import type { RenderContext } from "../Dialect.ts"
import { ownFields } from "../extensions.ts"
import { Notices } from "../Notices.ts"
import { dropBlock } from "../foreign-blocks.ts"
import { fieldsOf, isObject } from "../open-document.ts"
import { unsaid } from "./answer-fields.ts"
import { BlockWriter, eventFrame } from "./block-writer.ts"
import { stopReasonOf } from "./finish-reasons.ts"
import { closingUsage, openingUsage } from "./usage.ts"
import { anthropicMessagesId, noCounterpart, refusalIsText } from "./wire.ts"

type ToolInputStart = Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>

/** A block that began while another one was being written: its events, kept until its turn. */
interface WaitingBlock {
  readonly id: string
  readonly events: Array<LlmEvent>
  ended: boolean
}

/** The blocks of what has none of its own; no provider's id begins with a space. They end where another one begins. */
const refusalId = " refusal"
const sourcesId = " sources"
const makeshift = [refusalId, sourcesId]

/**
 * Renders events. Blocks stand one after the other here, so where several are open at once (the inputs of parallel tool
 * calls), the one that began first is streamed and the others wait in the order in which they began: nothing is merged,
 * nothing lost, and no more is kept than arrived.
 */
export class EventRenderer {
  readonly notices = new Notices(noCounterpart)
  readonly blocks = new BlockWriter()
  /** whether `message_start` was sent */
  started = false
  /** whether the stream has ended, well or not */
  over = false
  private readonly context: RenderContext
  private head: Started | undefined
  private usage: Usage = noUsage
  private refused = false
  /** why the model declined, as far as that was told in the provider's own text, which may yet be put otherwise */
  private explanation = ""
  private readonly called = new Set<string>()
  private readonly waiting: Array<WaitingBlock> = []

  constructor(context: RenderContext) {
    this.context = context
  }

  /** Whether a block could begin now. */
  get idle(): boolean {
    return this.blocks.open === undefined && this.waiting.length === 0
  }

  render(event: LlmEvent): string {
    if (event._tag === "TextDelta" && event.id === this.blocks.open?.id && event.logprobs === undefined) {
      return this.blocks.piece(event.text)
    }
    if (this.over) return ""
    if ("choice" in event && event.choice !== undefined && event.choice > 0) {
      this.notices.dropped("choices after the first")
      return ""
    }
    return this.place(event)
  }

  /** Takes note of an event that was sent as the provider wrote it. */
  adopt(event: LlmEvent): void {
    if (event._tag === "Started") this.started = true
    else if (event._tag === "UsageReported") this.usage = mergeUsage(this.usage, event.usage)
    else if (event._tag === "Finish") this.close()
    else if (event._tag === "RefusalDelta") this.explanation += event.text
    else {
      if (event._tag === "ToolInputStart") this.called.add(event.id)
      this.blocks.adopt(event)
    }
  }

  /** Nothing more is sent. */
  close(): void {
    this.over = true
    this.blocks.open = undefined
    this.waiting.length = 0
  }

  /** Ends the open block and all that wait. */
  endBlocks(): string {
    let text = this.advance()
    while (this.blocks.open !== undefined) text += this.blocks.end() + this.advance()
    return text
  }

  /** Writes the blocks that waited for their turn, as far as it has come. */
  advance(): string {
    let text = ""
    while (this.blocks.open === undefined) {
      const next = this.waiting.shift()
      if (next === undefined) break
      text += this.writeAll(next.events)
    }
    return text
  }

  private place(event: LlmEvent): string {
    switch (event._tag) {
      case "Started":
        // Sent together with what comes next, because the usage of the input may come directly after it.
        this.head = event
        return ""
      case "UsageReported":
        this.usage = mergeUsage(this.usage, event.usage)
        return ""
      case "Finish":
        return this.finish(event)
      case "TextStart":
      case "ReasoningStart":
        return this.begin(event.id, [event], false)
      case "ToolInputStart":
        this.called.add(event.id)
        if (isForeignRun(event, anthropicMessagesId)) return this.leaveOut(event.name)
        return this.seal(event) + this.begin(event.id, [event], false)
      case "TextDelta":
        if (event.logprobs !== undefined) this.notices.dropped("logprobs")
        return this.continue(event.id, event)
      case "ReasoningDelta":
      case "ToolInputDelta":
        return this.continue(event.id, event)
      case "TextEnd":
      case "ReasoningEnd":
      case "ToolInputEnd":
        return this.end(event.id, event)
      default:
        return this.placeWhole(event)
    }
  }

  private placeWhole(event: LlmEvent): string {
    switch (event._tag) {
      case "ToolCall": {
        if (this.called.has(event.id)) return ""
        const { arguments: text, valid: _, _tag, ...call } = event
        return this.begin(
          event.id,
          [
            { _tag: "ToolInputStart", ...call },
            { _tag: "ToolInputDelta", id: event.id, text },
            { _tag: "ToolInputEnd", id: event.id }
          ],
          true
        )
      }
      case "RefusalDelta":
        return this.refuse(event.text)
      case "Source":
        return this.cite(event)
      case "ToolResult":
      case "Opaque":
        if (event.protocol === anthropicMessagesId) return this.begin("", [event], true)
        dropBlock(event, this.notices)
        return ""
      case "Media":
        this.notices.dropped(`${event.mediaType} made by the model`)
        return ""
      default:
        return ""
    }
  }

  private begin(id: string, events: Array<LlmEvent>, ended: boolean): string {
    let before = ""
    for (const other of makeshift) if (other !== id) before += this.end(other, { _tag: "TextEnd", id: other })
    if (this.idle) return before + this.writeAll(events)
    this.waiting.push({ id, events, ended })
    return before
  }

  /** What another format's provider said of a call stands before it, as thoughts with nothing but a proof. */
  private seal(call: ToolInputStart): string {
    const events = sealEvents(call, anthropicMessagesId)
    return events.length === 0 ? "" : this.begin("", events, true)
  }

  /** Its result would have to stand with it, and no provider of this format would take the call back without one. */
  private leaveOut(name: string): string {
    this.notices.dropped(`a call of ${name}, which the provider ran`)
    return ""
  }

  private continue(id: string, event: LlmEvent): string {
    if (this.blocks.open?.id === id) return this.blocks.write(event)
    this.waitingBlock(id)?.events.push(event)
    return ""
  }

  private end(id: string, event: LlmEvent): string {
    if (this.blocks.open?.id === id) return this.blocks.write(event) + this.advance()
    const block = this.waitingBlock(id)
    if (block !== undefined) {
      block.events.push(event)
      block.ended = true
    }
    return ""
  }

  private waitingBlock(id: string): WaitingBlock | undefined {
    return this.waiting.find((block) => block.id === id && !block.ended)
  }

  /** A refusal is text here, in a block of its own; the stop reason says what it is. */
  private refuse(text: string): string {
    this.refused = true
    this.notices.add("emulated", refusalIsText)
    return this.add(refusalId, { _tag: "TextDelta", id: refusalId, text })
  }

  private add(id: string, event: LlmEvent): string {
    const begun = this.blocks.open?.id === id || this.waitingBlock(id) !== undefined
    return (begun ? "" : this.begin(id, [{ _tag: "TextStart", id }], false)) + this.continue(id, event)
  }

  /** Sources whose text has been sent already get an empty block: a citation cannot stand outside one. */
  private cite(event: Source): string {
    const { block } = event
    if (block !== undefined && (this.blocks.open?.id === block || this.waitingBlock(block) !== undefined)) {
      return this.continue(block, event)
    }
    if (block === undefined && this.blocks.open?.kind === "text") return this.blocks.write(event)
    return this.add(sourcesId, event)
  }

  private writeAll(events: ReadonlyArray<LlmEvent>): string {
    let text = this.messageStart()
    for (const event of events) text += this.blocks.write(event)
    return text
  }

  /** `message_start`, where it was not sent. */
  messageStart(): string {
    if (this.started) return ""
    this.started = true
    const { head, context } = this
    return eventFrame({
      type: "message_start",
      message: {
        id: head?.id || context.id,
        type: "message",
        role: "assistant",
        model: head?.model || context.request.model,
        content: [],
        ...unsaid,
        stop_reason: null,
        stop_sequence: null,
        usage: openingUsage(this.usage, head?.serviceTier, this.notices)
      }
    })
  }

  private finish(finish: Finish): string {
    const begun = this.messageStart() + this.endBlocks()
    this.close()
    const { container, stop_details: details, usage, ...more } = ownFields(finish, anthropicMessagesId)
    const explained = isObject(details) && this.explanation !== "" ? { explanation: this.explanation } : {}
    return (
      begun +
      eventFrame({
        type: "message_delta",
        delta: {
          stop_reason: stopReasonOf(finish, this.refused, this.notices),
          stop_sequence: present(finish).stopSequence ?? null,
          stop_details: isObject(details) ? { ...details, ...explained } : null,
          ...present({ container })
        },
        ...more,
        usage: { ...closingUsage(mergeUsage(this.usage, finish.usage), this.notices), ...fieldsOf(usage) }
      }) +
      messageStop
    )
  }
}

/** The terminator of a stream that ended well. */
export const messageStop = eventFrame({ type: "message_stop" })
