import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { noUsage } from "../../domain/Usage.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { JsonSeries } from "../JsonSeries.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { openAiStreamError } from "../openai/errors.ts"
import type { StreamDecoder } from "../Protocol.ts"
import { startedOf } from "../started.ts"
import { incompleteStream, isDoneSentinel, malformedFrame } from "../stream-failures.ts"
import { saidOfAnswer } from "./answer-fields.ts"
import { finishReasonOf, rawReasonOf } from "./finish-reasons.ts"
import { isAnother, streamedOutput, type Streamed } from "./final-output.ts"
import { MessageItem } from "./message-item.ts"
import { beginItem, CallItem, type OutputItem } from "./output-items.ts"
import {
  doneFields,
  readStreamEvent,
  type DeltaEvent,
  type DoneEvent,
  type StreamEvent,
  type Typed
} from "./stream-events.ts"
import { usageOf } from "./usage.ts"
import { openAiResponsesId } from "./wire.ts"
import { table } from "../../domain/table.ts"
import { present } from "../../domain/present.ts"

/** The item that an event belongs to where its type says it and no item was announced. */
const itemTypes: { readonly [type: string]: string } = table({
  "response.output_text.delta": "message",
  "response.output_text.done": "message",
  "response.output_text.annotation.added": "message",
  "response.refusal.delta": "message",
  "response.refusal.done": "message",
  "response.content_part.added": "message",
  "response.reasoning_text.delta": "reasoning",
  "response.reasoning_text.done": "reasoning",
  "response.reasoning_summary_text.delta": "reasoning",
  "response.reasoning_summary_text.done": "reasoning"
})

/** How much of a call is kept that was not announced yet, in UTF-16 code units. */
const maxEarly = 65_536

/**
 * What is known of one answer so far, be it a stream or whole. Items are known by their place in the output, because there
 * are servers that give an item another id in every event (Copilot).
 */
class ResponseDecoder implements StreamDecoder {
  private readonly documents = new JsonSeries()
  private started = false
  private done = false
  private calledTool = false
  private lastIndex = 0
  private readonly open = new Map<number, OutputItem>()
  private readonly streamed: Array<Streamed> = []
  /** the index after the highest so far */
  private nextIndex = 0
  /** pieces of calls that came before their calls, by their index */
  private readonly early = new Map<number, DeltaEvent>()
  private readonly ids = new Set<string>()

  step(frame: WireFrame, events: Array<LlmEvent>): LlmError | undefined {
    if (this.done) return undefined
    const value = this.documents.parse(frame.data)
    if (value === undefined) return isDoneSentinel(frame.data) ? undefined : malformedFrame
    const event = readStreamEvent(value)
    if (event === undefined) return malformedFrame
    if (event === "other") return undefined
    if (event.type === "error") return streamError(value, frame.raw)
    if (event.type === "response.failed" || event.type === "response.cancelled")
      return failed(event.response, frame.raw)
    this.read(event, events)
    return undefined
  }

  halt(): LlmError | undefined {
    return this.done ? undefined : incompleteStream(this.started)
  }

  /** The end of a stream, or a whole answer: items that were not streamed, and then the ending. */
  finish(response: JsonObject, events: Array<LlmEvent>): void {
    this.start(response, events)
    for (const [item, known] of streamedOutput(response["output"], this.streamed)) {
      const index = known ?? this.nextIndex
      if (known === undefined) this.begin(index, item, events)
      this.end(index, item, events)
    }
    for (const index of this.open.keys()) this.end(index, undefined, events)
    this.done = true
    const rawReason = rawReasonOf(response)
    events.push({
      _tag: "Finish",
      reason: finishReasonOf(rawReason, this.calledTool),
      ...present({ rawReason }),
      usage: usageOf(response["usage"]) ?? noUsage,
      ...saidOfAnswer(response)
    })
  }

  private read(event: Exclude<StreamEvent, { readonly type: "error" }>, events: Array<LlmEvent>): void {
    if ("delta" in event) return this.write(event, events)
    switch (event.type) {
      case "response.output_item.added":
        return this.begin(event.output_index ?? this.nextIndex, event.item, events)
      case "response.output_item.done": {
        const index = event.output_index ?? this.lastIndex
        if (!this.isStreamed(index)) this.begin(index, event.item, events)
        return this.end(index, event.item, events)
      }
      case "response.content_part.added":
      case "response.content_part.done": {
        const item = this.item(event, events)
        if (!(item instanceof MessageItem)) return
        const index = event.content_index ?? 0
        if (event.type === "response.content_part.added") item.begin(index, event.part, events)
        else item.finish(index, event.part, events)
        return
      }
      case "response.output_text.annotation.added": {
        const item = this.item(event, events)
        if (item instanceof MessageItem) item.cite(event.content_index ?? 0, event.annotation, events)
        return
      }
      case "response.completed":
      case "response.incomplete":
        return this.finish(event.response, events)
      default:
        return "response" in event ? this.start(event.response, events) : this.piece(event, events)
    }
  }

  private write(event: DeltaEvent, events: Array<LlmEvent>): void {
    const item = this.item(event, events)
    if (item !== undefined) return item.delta(event, events)
    const index = event.output_index ?? this.lastIndex
    if (this.isStreamed(index)) return
    const before = this.early.get(index)?.delta ?? ""
    if (before.length + event.delta.length > maxEarly) return
    this.early.set(index, { ...event, delta: before + event.delta })
  }

  private start({ id, model, created_at: created, service_tier: tier }: JsonObject, events: Array<LlmEvent>): void {
    if (this.started) return
    this.started = true
    events.push(startedOf({ id, model, created, serviceTier: tier }))
  }

  private begin(index: number, item: Typed, events: Array<LlmEvent>): void {
    this.start({}, events)
    const before = this.streamed.findLast((streamed) => streamed.index === index)
    if (this.open.has(index)) {
      if (before !== undefined && !isAnother(item, before.item)) return
      this.end(index, undefined, events)
    }
    this.lastIndex = index
    this.nextIndex = Math.max(this.nextIndex, index + 1)
    this.streamed.push({ index, item })
    const begun = beginItem(item, this.idOf(item), events)
    this.open.set(index, begun)
    const early = this.early.get(index)
    if (early === undefined) return
    this.early.delete(index)
    begun.delta(early, events)
  }

  private isStreamed(index: number): boolean {
    return this.streamed.some((streamed) => streamed.index === index)
  }

  /** Ids of blocks are those of their items, so that an answer that was changed on the way keeps what callers refer to. */
  private idOf({ id, call_id: callId }: Typed): string {
    const stated =
      typeof id === "string" && id !== "" && id !== callId && !this.ids.has(id) ? id : `item-${this.ids.size}`
    this.ids.add(stated)
    return stated
  }

  private end(index: number, item: JsonObject | undefined, events: Array<LlmEvent>): void {
    const open = this.open.get(index)
    if (open === undefined) return
    this.open.delete(index)
    open.end(item, events)
    if (open instanceof CallItem) this.calledTool = true
  }

  /** The open item that an event is about; one that was never announced begins with its first event. */
  private item(event: Placed, events: Array<LlmEvent>): OutputItem | undefined {
    const index = event.output_index ?? this.lastIndex
    const open = this.open.get(index)
    if (open !== undefined) return open
    const type = itemTypes[event.type]
    if (!this.isStreamed(index) && type !== undefined) this.begin(index, { type }, events)
    return this.open.get(index)
  }

  private piece(event: DoneEvent, events: Array<LlmEvent>): void {
    // `readStreamEvent` saw that the field which says this piece whole is a text.
    const text = (event as unknown as JsonObject)[doneFields[event.type]] as string
    this.item(event, events)?.piece(event, text, events)
  }
}

interface Placed {
  readonly type: string
  readonly output_index?: number | null
}

const streamError = openAiStreamError(openAiResponsesId)

const failed = ({ status, error }: JsonObject, raw: string): LlmError =>
  streamError(
    { error: isObject(error) ? error : { message: `the provider ended the response as ${String(status)}` } },
    raw
  )

/** Decodes one stream of the Responses API. */
export const makeStreamDecoder = (): StreamDecoder => new ResponseDecoder()

/** Decodes a whole answer of the Responses API as the events that a stream of it would have been. */
export const decodeWhole = (body: unknown, events: Array<LlmEvent>): LlmError | undefined => {
  if (!isObject(body)) return malformedFrame
  const { status, error, output } = body
  if (status === "failed" || status === "cancelled" || isObject(error)) return failed(body, JSON.stringify(body))
  if (!Array.isArray(output)) return malformedFrame
  new ResponseDecoder().finish(body, events)
  return undefined
}
