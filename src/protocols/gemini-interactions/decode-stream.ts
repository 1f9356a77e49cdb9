import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { mergeUsage, noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { JsonSeries } from "../JsonSeries.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import type { StreamDecoder } from "../Protocol.ts"
import { startedOf } from "../started.ts"
import { incompleteStream, isDoneSentinel, malformedFrame } from "../stream-failures.ts"
import { failedInteraction, streamError } from "./errors.ts"
import { finishReasonOf } from "./finish-reasons.ts"
import { OutputStep } from "./output-step.ts"
import { beginStep, CallStep, type Step } from "./steps.ts"
import { usageOf } from "./usage.ts"
import { isTyped, readStreamEvent, type StreamEvent, type Typed } from "./wire.ts"

type Events = Array<LlmEvent>

/** What is known of one answer so far, be it a stream or whole. */
class InteractionDecoder implements StreamDecoder {
  private readonly documents = new JsonSeries()
  private started = false
  private done = false
  private calledTool = false
  private failed = false
  private begun = 0
  private usage: Usage = noUsage
  private readonly open = new Map<number, Step>()

  step(frame: WireFrame, events: Events): LlmError | undefined {
    if (this.done) return undefined
    const value = this.documents.parse(frame.data)
    if (value === undefined) return isDoneSentinel(frame.data) ? undefined : malformedFrame
    const event = readStreamEvent(value)
    if (event === undefined) return malformedFrame
    if (event === "other") {
      if (this.started && isObject(value)) this.reportIn(value, events)
      return undefined
    }
    if (event.event_type === "error") return streamError(value, frame.raw)
    return this.read(event, frame.raw, events)
  }

  halt(): LlmError | undefined {
    return this.done ? undefined : incompleteStream(this.started)
  }

  /** A whole answer: its steps, and then its end. */
  whole(interaction: JsonObject, steps: ReadonlyArray<unknown>, events: Events): LlmError | undefined {
    this.start(interaction, events)
    for (const step of steps) {
      if (!isTyped(step)) continue
      this.begin(-1, step, events)
      this.end(-1, events)
    }
    return this.complete(interaction, JSON.stringify(interaction), events)
  }

  private read(event: Exclude<StreamEvent, Failure> & JsonObject, raw: string, events: Events): LlmError | undefined {
    if (event.event_type === "interaction.completed") return this.complete(event.interaction, raw, events)
    if (event.event_type === "interaction.created") this.start(event.interaction, events)
    else {
      this.start({}, events)
      if (event.event_type === "step.delta") this.delta(event.index, event.delta, events)
      else if (event.event_type === "step.start") this.begin(event.index, event.step, events)
      else this.end(event.index, events)
    }
    this.reportIn(event, events)
    return undefined
  }

  private start({ id, model, created, service_tier: tier }: JsonObject, events: Events): void {
    if (this.started) return
    this.started = true
    // Without a record at the provider there is no id.
    events.push(startedOf({ id, model, created, serviceTier: tier }))
  }

  /** Usage may stand on any event, or in the metadata of one. */
  private reportIn({ usage, metadata }: JsonObject, events: Events): void {
    const { usage: inner, total_usage: total } = fieldsOf(metadata)
    const stated = usageOf(usage ?? total ?? inner)
    if (stated === undefined) return
    this.usage = mergeUsage(this.usage, stated)
    events.push({ _tag: "UsageReported", usage: this.usage })
  }

  private begin(index: number, step: Typed, events: Events): void {
    this.end(index, events)
    this.open.set(index, beginStep(step, `step-${this.begun++}`, events))
  }

  /** A delta of a step that was not announced is one of the answer. */
  private delta(index: number, delta: Typed, events: Events): void {
    if (!this.open.has(index)) {
      const type = delta.type === "thought_summary" || delta.type === "thought_signature" ? "thought" : "model_output"
      this.begin(index, { type }, events)
    }
    this.open.get(index)?.delta(delta, events)
  }

  private end(index: number, events: Events): void {
    const step = this.open.get(index)
    if (step === undefined) return
    this.open.delete(index)
    step.end(events)
    if (step instanceof CallStep) this.calledTool = true
    if (step instanceof OutputStep && step.failed) this.failed = true
  }

  private complete(interaction: JsonObject, raw: string, events: Events): LlmError | undefined {
    const failed = failedInteraction(interaction, raw)
    if (failed !== undefined) return failed
    this.start(interaction, events)
    for (const index of this.open.keys()) this.end(index, events)
    this.done = true
    const stated = usageOf(interaction["usage"])
    if (stated !== undefined) this.usage = mergeUsage(this.usage, stated)
    const status = interaction["status"]
    const rawReason = typeof status === "string" && status !== "" ? status : undefined
    events.push({
      _tag: "Finish",
      reason: finishReasonOf(rawReason, this.calledTool, this.failed),
      ...present({ rawReason }),
      usage: this.usage
    })
    return undefined
  }
}

type Failure = { readonly event_type: "error" }

/** Decodes one stream of the Interactions API. */
export const makeStreamDecoder = (): StreamDecoder => new InteractionDecoder()

/** Decodes a whole answer of the Interactions API as the events that a stream of it would have been. */
export const decodeWhole = (body: unknown, events: Events): LlmError | undefined => {
  if (!isObject(body)) return malformedFrame
  const { status, steps, error } = body
  if (isObject(error) && status === undefined) return streamError(body, JSON.stringify(body))
  if (typeof status !== "string" || (steps !== undefined && !Array.isArray(steps))) return malformedFrame
  return new InteractionDecoder().whole(body, steps ?? [], events)
}
