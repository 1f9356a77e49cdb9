import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { JsonSeries } from "../JsonSeries.ts"
import { awsStreamError, awsWholeError, isAwsException } from "../AwsError.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import type { StreamDecoder } from "../Protocol.ts"
import { startedOf } from "../started.ts"
import { incompleteStream, malformedFrame } from "../stream-failures.ts"
import { beginBlock, ToolBlock, type OpenBlock } from "./blocks.ts"
import { finishReasonOf } from "./finish-reasons.ts"
import { usageOf } from "./usage.ts"
import { bedrockConverseId, isStreamEvent } from "./wire.ts"

/** What is known of one answer so far, be it a stream or whole. */
class ConverseDecoder implements StreamDecoder {
  private readonly documents = new JsonSeries()
  private started = false
  private done = false
  private stopped = false
  private stopReason: string | undefined
  private stopSequence: string | undefined
  private calledTool = false
  private blocks = 0
  private usage: Usage = noUsage
  private readonly open = new Map<number, OpenBlock>()

  step(frame: WireFrame, events: Array<LlmEvent>): LlmError | undefined {
    if (this.done) return undefined
    if (isAwsException(frame)) return awsStreamError(frame, bedrockConverseId)
    const value = this.documents.parse(frame.data)
    return isObject(value) ? this.read(frame.event, value, events) : malformedFrame
  }

  halt(events: Array<LlmEvent>): LlmError | undefined {
    if (this.done) return undefined
    if (!this.stopped) return incompleteStream(this.started)
    this.finish(events)
    return undefined
  }

  /** A whole answer: its message, and then its end. */
  whole({ output, stopReason, usage, trace, ...body }: JsonObject, events: Array<LlmEvent>): void {
    this.start(events, fieldsOf(body["serviceTier"])["type"])
    const { content } = fieldsOf(fieldsOf(output)["message"])
    for (const block of Array.isArray(content) ? content : []) {
      if (!isObject(block)) continue
      this.begin(0, block, events)
      this.end(0, events)
    }
    this.stop(stopReason, body["additionalModelResponseFields"])
    this.report(usage, trace, events)
    if (!this.done) this.finish(events)
  }

  private read(name: string, event: JsonObject, events: Array<LlmEvent>): LlmError | undefined {
    switch (name) {
      case "contentBlockDelta":
        if (!isStreamEvent(name, event)) return malformedFrame
        if (!this.stopped) this.delta(event.contentBlockIndex, event.delta, events)
        return undefined
      case "contentBlockStart":
        if (!isStreamEvent(name, event)) return malformedFrame
        if (!this.stopped) this.begin(event.contentBlockIndex, event.start, events)
        return undefined
      case "contentBlockStop":
        if (!isStreamEvent(name, event)) return malformedFrame
        this.end(event.contentBlockIndex, events)
        return undefined
      case "messageStart":
        if (!isStreamEvent(name, event)) return malformedFrame
        this.start(events)
        return undefined
      case "messageStop":
        if (!isStreamEvent(name, event)) return malformedFrame
        this.start(events)
        this.stop(event.stopReason, event.additionalModelResponseFields)
        return undefined
      case "metadata":
        if (!isStreamEvent(name, event)) return malformedFrame
        this.start(events)
        this.report(event.usage, event.trace, events)
        return undefined
      // What is yet to be invented.
      default:
        return undefined
    }
  }

  /** Neither an id nor the model is told here. */
  private start(events: Array<LlmEvent>, serviceTier?: unknown): void {
    if (this.started) return
    this.started = true
    events.push(startedOf({ serviceTier }))
  }

  private begin(index: number, block: JsonObject, events: Array<LlmEvent>): void {
    this.start(events)
    this.end(index, events)
    const begun = beginBlock(block, `block-${this.blocks++}`, events)
    this.open.set(index, begun)
    begun.delta(block, events)
  }

  private delta(index: number, delta: JsonObject, events: Array<LlmEvent>): void {
    if (this.open.get(index)?.delta(delta, events) === true) return
    // Only tools are announced. A delta of another kind than the block's is one of a block that was not.
    this.begin(index, delta, events)
  }

  private end(index: number, events: Array<LlmEvent>): void {
    const block = this.open.get(index)
    if (block === undefined) return
    this.open.delete(index)
    block.end(events)
    if (block instanceof ToolBlock && block.client) this.calledTool = true
  }

  /** The first stop reason counts. Which sequence it was stands where Claude's own answer has it, as it was asked for. */
  private stop(reason: unknown, more: unknown): void {
    if (this.stopped || typeof reason !== "string" || reason === "") return
    this.stopped = true
    this.stopReason = reason
    const fields = fieldsOf(more)
    const sequence = fields["stop_sequence"] ?? fieldsOf(fields["delta"])["stop_sequence"]
    if (typeof sequence === "string") this.stopSequence = sequence
  }

  /** What comes last of a stream: the counts, and what a guardrail found where that was asked for. */
  private report(usage: unknown, trace: unknown, events: Array<LlmEvent>): void {
    const stated = usageOf(usage)
    if (stated.source !== "none") {
      this.usage = stated
      events.push({ _tag: "UsageReported", usage: stated })
    }
    if (this.stopped) for (const index of this.open.keys()) this.end(index, events)
    if (isObject(trace)) events.push({ _tag: "Opaque", protocol: bedrockConverseId, value: { trace } })
    if (this.stopped) this.finish(events)
  }

  private finish(events: Array<LlmEvent>): void {
    for (const index of this.open.keys()) this.end(index, events)
    this.done = true
    events.push({
      _tag: "Finish",
      reason: finishReasonOf(this.stopReason, this.calledTool),
      ...present({ rawReason: this.stopReason, stopSequence: this.stopSequence }),
      usage: this.usage
    })
  }
}

/** Decodes one stream of the Converse API. */
export const makeStreamDecoder = (): StreamDecoder => new ConverseDecoder()

/** Decodes a whole answer of the Converse API as the events that a stream of it would have been. */
export const decodeWhole = (body: unknown, events: Array<LlmEvent>): LlmError | undefined => {
  if (!isObject(body)) return malformedFrame
  if (!isObject(body["output"])) return awsWholeError(body, bedrockConverseId) ?? malformedFrame
  new ConverseDecoder().whole(body, events)
  return undefined
}
