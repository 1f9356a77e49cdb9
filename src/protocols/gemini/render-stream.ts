import type { Notice } from "../../domain/Call.ts"
import type { Frame } from "../../domain/Frame.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import { isContent, type LlmEvent } from "../../domain/LlmEvent.ts"
import { noUsage } from "../../domain/Usage.ts"
import type { RenderContext, StreamRenderer } from "../Dialect.ts"
import { parseJson } from "../open-document.ts"
import { readChunk, type Chunk } from "./chunk.ts"
import { errorDocument } from "./errors.ts"
import { frameData } from "./frames.ts"
import { arrayFraming, eventFraming, type Framing } from "./framing.ts"
import { EventRenderer } from "./render-events.ts"
import { geminiId } from "./wire.ts"

/**
 * Frames of this format that nobody changed go out as they are, between others that are rendered because a stage made or
 * changed them: a chunk says nothing of its place in the stream.
 *
 * Two things are held back for a moment, because a stage may change what follows: the pieces of a call, until it is
 * complete, since the rest of one that was changed could not be said in pieces; and the chunk with the finish reason, until
 * the provider's connection has ended, which it does at once.
 */
class ContentRenderer implements StreamRenderer {
  private readonly events: EventRenderer
  private readonly framing: Framing
  private held: Array<Frame> = []
  /** the calls that the held frames begin and do not complete */
  private readonly openCalls = new Set<string>()
  private readonly seen = new Set<number>()
  private readonly ended = new Set<number>()
  private blocked = false
  private closed = false

  constructor(context: RenderContext, framing: Framing) {
    this.framing = framing
    this.events = new EventRenderer(context, framing)
  }

  get notices(): ReadonlyArray<Notice> {
    return this.events.notices.list
  }

  event(event: LlmEvent): string {
    return this.held.length === 0 ? this.events.render(event) : this.renderHeld() + this.events.render(event)
  }

  verbatim(frame: Frame): string {
    const { raw, events } = frame
    if (raw === undefined) return this.renderAll(events)
    if (this.events.over) return ""
    if (raw === "") return this.ending(events)
    if (this.held.length === 0 && isPieces(events)) {
      this.adoptAll(events)
      return this.framing.pass(raw)
    }
    if (events.some((event) => isOfCall(event) && this.events.hasCall(event.id))) return this.renderAll(events)
    return this.hold(frame, raw)
  }

  end(): string {
    const text = this.events.over
      ? ""
      : this.isEnding
        ? this.passHeld()
        : this.event({ _tag: "Finish", reason: "unknown", usage: noUsage })
    return text + this.close()
  }

  failure(error: LlmError): string {
    if (this.events.over) return ""
    const before = this.renderHeld()
    this.events.over = true
    this.closed = true
    return before + this.insteadOfEnd(error)
  }

  insteadOfEnd(error: LlmError): string {
    const { protocol, raw } = error.fault ?? {}
    // The body of an error answer is no frame, and is written on one line like any other chunk.
    const text =
      protocol === geminiId && raw?.startsWith("data:") === true
        ? this.framing.pass(raw)
        : this.framing.before() + JSON.stringify(errorDocument(error)) + this.framing.after
    return text + this.framing.close()
  }

  private close(): string {
    if (this.closed) return ""
    this.closed = true
    this.events.over = true
    return this.framing.close()
  }

  /** Whether all answers that have begun have ended, and their last chunk is held. */
  private get isEnding(): boolean {
    return this.held.length > 0 && (this.blocked || (this.ended.size > 0 && this.ended.size === this.seen.size))
  }

  private hold(frame: Frame, raw: string): string {
    const data = frameData(raw)
    // The end of an array, which is sent when it is known that nothing else is; or the terminator of another format.
    if (data === "") return this.framing.pass(raw)
    const chunk = readChunk(parseJson(data))
    if (chunk === undefined) return ""
    // There are servers that say on every chunk that it is the last.
    const before = this.isEnding && frame.events.some(goesOn) ? this.passHeld() : ""
    this.note(chunk)
    for (const event of frame.events) {
      if (event._tag === "ToolInputStart") this.openCalls.add(event.id)
      else if (event._tag === "ToolCall") this.openCalls.delete(event.id)
    }
    this.held.push(frame)
    return before + (this.openCalls.size > 0 || this.isEnding ? "" : this.passHeld())
  }

  private note({ candidates, promptFeedback }: Chunk): void {
    if ((promptFeedback?.["blockReason"] ?? null) !== null) this.blocked = true
    for (const [position, { index, finishReason }] of (candidates ?? []).entries()) {
      const choice = index ?? position
      this.seen.add(choice)
      if ((finishReason ?? "") !== "") this.ended.add(choice)
    }
  }

  private passHeld(): string {
    let text = ""
    for (const { raw, events } of this.takeHeld()) {
      this.adoptAll(events)
      text += this.framing.pass(raw ?? "")
    }
    for (const choice of this.ended) this.events.adoptEnding(choice)
    return text
  }

  /** A stage changed what follows: the frames that were held are said anew. */
  private renderHeld(): string {
    let text = ""
    for (const { events } of this.takeHeld()) for (const event of events) text += this.events.render(event)
    return text
  }

  private takeHeld(): ReadonlyArray<Frame> {
    const { held } = this
    this.held = []
    this.openCalls.clear()
    return held
  }

  private renderAll(events: ReadonlyArray<LlmEvent>): string {
    let text = ""
    for (const event of events) text += this.event(event)
    return text
  }

  private adoptAll(events: ReadonlyArray<LlmEvent>): void {
    for (const event of events) this.events.adopt(event)
  }

  /** The provider's connection has ended, and this is what the answer's end comes to. */
  private ending(events: ReadonlyArray<LlmEvent>): string {
    if (!this.isEnding) return this.renderAll(events)
    const text = this.passHeld()
    this.adoptAll(events)
    return text
  }
}

/** Whether a frame is no more than pieces of open blocks: a chunk that ends something has an event that says so. */
const isPieces = (events: ReadonlyArray<LlmEvent>): boolean => {
  for (const { _tag } of events) {
    if (_tag !== "TextDelta" && _tag !== "ReasoningDelta" && _tag !== "UsageReported") return false
  }
  return events[0]?._tag === "TextDelta" || events[0]?._tag === "ReasoningDelta"
}

/** Whether an event goes on with an answer; what is said of it as a whole may come after its end. */
const goesOn = (event: LlmEvent): boolean => event._tag !== "Opaque" && isContent(event)

type OfCall = Extract<LlmEvent, { readonly _tag: "ToolInputDelta" | "ToolInputEnd" | "ToolCall" }>

const isOfCall = (event: LlmEvent): event is OfCall =>
  event._tag === "ToolInputDelta" || event._tag === "ToolInputEnd" || event._tag === "ToolCall"

/** Renders one stream as server-sent events. */
export const makeRenderer = (context: RenderContext): StreamRenderer => new ContentRenderer(context, eventFraming())

/** Renders one stream as a JSON array. */
export const makeArrayRenderer = (context: RenderContext): StreamRenderer =>
  new ContentRenderer(context, arrayFraming())
