import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { JsonSeries, type PiecePlaces } from "../JsonSeries.ts"
import type { StreamDecoder } from "../Protocol.ts"
import { startedOf } from "../started.ts"
import { TextRun } from "../TextRun.ts"
import { incompleteStream, isDoneSentinel, malformedFrame } from "../stream-failures.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { AnswerFields } from "./answer-fields.ts"
import { beginBlock, ToolBlock, type OpenBlock } from "./blocks.ts"
import { streamError } from "./errors.ts"
import { finishReasonOf } from "./finish-reasons.ts"
import { readStreamEvent, type StreamEvent, type Typed } from "./stream-events.ts"
import { UsageTally } from "./usage.ts"

const pieces: PiecePlaces = { piece: ["delta", "text"] }

/** What is known of one answer so far, be it a stream or whole. */
class MessageDecoder implements StreamDecoder {
  private readonly documents = new JsonSeries(pieces)
  private readonly run = new TextRun(this.documents)
  private started = false
  private done = false
  private stopped = false
  private stopReason: string | undefined
  private stopSequence: string | undefined
  private calledTool = false
  private blocks = 0
  private readonly open = new Map<number, OpenBlock>()
  private readonly usage = new UsageTally()
  private readonly answer = new AnswerFields()
  isLate = false

  step(frame: WireFrame, events: Array<LlmEvent>): LlmError | undefined {
    this.isLate = false
    if (this.done) return undefined
    const piece = this.run.next(frame.data)
    if (piece !== undefined) {
      events.push(piece)
      return undefined
    }
    const value = this.documents.parse(frame.data)
    if (value === undefined) return isDoneSentinel(frame.data) ? undefined : malformedFrame
    const event = readStreamEvent(value)
    if (event === undefined) return malformedFrame
    if (event === "other") return undefined
    if (event.type === "error") return streamError(value, frame.raw)
    const before = events.length
    this.read(event, events)
    this.run.note(events, before)
    return undefined
  }

  halt(events: Array<LlmEvent>): LlmError | undefined {
    if (this.done) return undefined
    if (this.stopped) {
      this.finish(events)
      return undefined
    }
    return incompleteStream(this.started)
  }

  /** A whole answer: its message, and then its end. */
  whole(message: JsonObject, events: Array<LlmEvent>): void {
    this.start(message, events)
    this.stop(message, events)
    this.finish(events)
  }

  private read(event: Exclude<StreamEvent, { readonly type: "error" }>, events: Array<LlmEvent>): void {
    switch (event.type) {
      case "content_block_delta":
        this.isLate = this.stopped
        if (!this.stopped) this.delta(event.index, event.delta, events)
        return
      case "content_block_start":
        this.isLate = this.stopped
        if (!this.stopped) this.begin(event.index, event.content_block, events)
        return
      case "content_block_stop":
        this.isLate = this.stopped && !this.open.has(event.index)
        return this.end(event.index, events)
      case "message_start":
        return this.start(event.message, events)
      case "message_delta":
        this.ensureStarted(events)
        this.stop(event.delta, events)
        // What is told beside the ending stands around it or in it.
        this.answer.add(fieldsOf(event))
        this.answer.add(event.delta)
        return this.report(event.usage, events)
      case "message_stop":
        return this.finish(events)
    }
  }

  private start(message: JsonObject, events: Array<LlmEvent>): void {
    if (this.started) return
    this.started = true
    const { id, model, usage, content } = message
    events.push(startedOf({ id, model, serviceTier: fieldsOf(usage)["service_tier"] }))
    this.answer.add(message)
    this.report(usage, events)
    // A stream's message is empty when it starts, except where a program called a tool: then all of it is there at once.
    if (!Array.isArray(content) || content.length === 0) return
    for (const block of content) {
      if (!isObject(block) || typeof block["type"] !== "string") continue
      this.begin(-1, { ...block, type: block["type"] }, events)
      this.end(-1, events)
    }
    this.stop(message, events)
  }

  private ensureStarted(events: Array<LlmEvent>): void {
    if (!this.started) this.start({}, events)
  }

  private report(usage: unknown, events: Array<LlmEvent>): void {
    if (!this.usage.add(usage)) return
    this.answer.addUsage(usage)
    events.push({ _tag: "UsageReported", usage: this.usage.usage() })
  }

  private begin(index: number, block: Typed, events: Array<LlmEvent>): void {
    this.ensureStarted(events)
    this.end(index, events)
    this.open.set(index, beginBlock(block, `block-${this.blocks++}`, events))
  }

  private delta(index: number, delta: Typed, events: Array<LlmEvent>): void {
    const block = this.open.get(index)
    if (block !== undefined) return block.delta(delta, events)
    // There are servers that do not announce their blocks.
    const type = delta.type === "text_delta" ? "text" : delta.type === "thinking_delta" ? "thinking" : undefined
    if (type === undefined) return
    this.begin(index, { type }, events)
    this.open.get(index)?.delta(delta, events)
  }

  private end(index: number, events: Array<LlmEvent>): void {
    const block = this.open.get(index)
    if (block === undefined) return
    this.open.delete(index)
    block.end(events)
    if (block instanceof ToolBlock && block.client) this.calledTool = true
  }

  /** The first stop reason counts. Why the model declined stands beside it, apart from any text. */
  private stop(ending: JsonObject, events: Array<LlmEvent>): void {
    const { stop_reason: reason, stop_sequence: sequence, stop_details: details } = ending
    if (this.stopped || typeof reason !== "string" || reason === "") return
    this.stopped = true
    this.stopReason = reason
    if (typeof sequence === "string") this.stopSequence = sequence
    const explanation = isObject(details) && reason === "refusal" ? details["explanation"] : undefined
    if (typeof explanation === "string" && explanation !== "") events.push({ _tag: "RefusalDelta", text: explanation })
  }

  private finish(events: Array<LlmEvent>): void {
    this.ensureStarted(events)
    for (const index of this.open.keys()) this.end(index, events)
    this.done = true
    events.push({
      _tag: "Finish",
      reason: finishReasonOf(this.stopReason, this.calledTool),
      ...present({ rawReason: this.stopReason, stopSequence: this.stopSequence }),
      usage: this.usage.usage(),
      ...this.answer.origin
    })
  }
}

/** Decodes one stream of the Messages API. */
export const makeStreamDecoder = (): StreamDecoder => new MessageDecoder()

/** Decodes a whole answer of the Messages API as the events that a stream of it would have been. */
export const decodeWhole = (body: unknown, events: Array<LlmEvent>): LlmError | undefined => {
  if (!isObject(body)) return malformedFrame
  if (isObject(body["error"])) return streamError(body, JSON.stringify(body))
  if (!Array.isArray(body["content"])) return malformedFrame
  new MessageDecoder().whole(body, events)
  return undefined
}
