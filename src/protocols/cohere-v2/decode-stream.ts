import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { noUsage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { JsonSeries } from "../JsonSeries.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import type { StreamDecoder } from "../Protocol.ts"
import { startedOf } from "../started.ts"
import { incompleteStream, isDoneSentinel, malformedFrame } from "../stream-failures.ts"
import { CallBlock, ContentBlock, sourcesOf } from "./content.ts"
import { failedAnswer, streamError } from "./errors.ts"
import { finishReasonOf } from "./finish-reasons.ts"
import { usageOf } from "./usage.ts"
import { readStreamEvent, type StreamEvent } from "./wire.ts"

type Events = Array<LlmEvent>

/** What is known of one answer so far, be it a stream or whole. */
class AnswerDecoder implements StreamDecoder {
  private readonly documents = new JsonSeries()
  private started = false
  private done = false
  private calledTool = false
  private blocks = 0
  private plan: ContentBlock | undefined
  private lastText: string | undefined
  private readonly contents = new Map<number, ContentBlock>()
  private readonly calls = new Map<number, CallBlock>()

  step(frame: WireFrame, events: Events): LlmError | undefined {
    if (this.done) return undefined
    const value = this.documents.parse(frame.data)
    if (value === undefined) return isDoneSentinel(frame.data) ? undefined : malformedFrame
    if (!isObject(value)) return malformedFrame
    const error = streamError(value, frame.raw)
    if (error !== undefined) return error
    const event = readStreamEvent(value)
    return event === undefined ? malformedFrame : event === "other" ? undefined : this.read(event, frame.raw, events)
  }

  halt(): LlmError | undefined {
    return this.done ? undefined : incompleteStream(this.started)
  }

  /** A whole answer, in the order in which a stream would have told it. */
  whole(answer: JsonObject, message: JsonObject, events: Events): LlmError | undefined {
    this.start(answer["id"], events)
    const { content, tool_plan: plan, tool_calls: calls, citations } = message
    if (typeof plan === "string") this.writePlan(plan, events)
    const contents = typeof content === "string" ? [{ type: "text", text: content }] : listOf(content)
    const firstText = contents.findIndex((piece) => ContentBlock.kindOf(piece) === "Text")
    for (const [index, piece] of contents.entries()) {
      const block = this.content(index, piece, events)
      block.write(piece, index === firstText ? answer["logprobs"] : undefined, events)
      for (const citation of listOf(citations)) {
        if ((citation["content_index"] ?? firstText) === index) events.push(...sourcesOf(citation, block.id))
      }
      this.endContent(index, events)
    }
    for (const [index, call] of listOf(calls).entries()) this.beginCall(index, call, events)
    return this.end(answer, JSON.stringify(answer), events)
  }

  private read(event: StreamEvent & JsonObject, raw: string, events: Events): LlmError | undefined {
    if (event.type === "message-start") this.start(event["id"], events)
    else if (event.type === "message-end") return this.end(event.delta, raw, events)
    else {
      if (!this.started) this.start(undefined, events)
      this.piece(event, events)
    }
    return undefined
  }

  private piece(event: Piece & JsonObject, events: Events): void {
    switch (event.type) {
      case "content-delta": {
        const { content } = event.delta.message
        return this.content(event.index, content, events).write(content, event["logprobs"], events)
      }
      case "content-start": {
        const { content } = event.delta.message
        this.endContent(event.index, events)
        return this.content(event.index, content, events).write(content, undefined, events)
      }
      case "content-end":
        return this.endContent(event.index, events)
      case "tool-plan-delta":
        return this.writePlan(event.delta.message.tool_plan, events)
      case "tool-call-start":
        return this.beginCall(event.index, event.delta.message.tool_calls, events)
      case "tool-call-delta":
        return this.calls.get(event.index)?.write(event.delta.message.tool_calls, events)
      case "tool-call-end":
        return this.endCall(event.index, events)
      case "citation-start":
        events.push(...sourcesOf(event.delta.message.citations, this.lastText))
    }
  }

  private start(id: unknown, events: Events): void {
    if (this.started) return
    this.started = true
    // Which model answers is not said.
    events.push(startedOf({ id }))
  }

  private begin(kind: ContentBlock["kind"], events: Events): ContentBlock {
    const block = new ContentBlock(kind, `block-${this.blocks++}`, events)
    if (kind === "Text") this.lastText = block.id
    return block
  }

  /** What the model says it will do before it calls tools is thinking aloud. */
  private writePlan(text: string, events: Events): void {
    if (text === "") return
    this.plan ??= this.begin("Reasoning", events)
    this.plan.write({ thinking: text }, undefined, events)
  }

  private endPlan(events: Events): void {
    this.plan?.end(events)
    this.plan = undefined
  }

  /** The open block of an index; one that was never announced begins with its first piece. */
  private content(index: number, content: JsonObject, events: Events): ContentBlock {
    const open = this.contents.get(index)
    if (open !== undefined) return open
    this.endPlan(events)
    const block = this.begin(ContentBlock.kindOf(content), events)
    this.contents.set(index, block)
    return block
  }

  private endContent(index: number, events: Events): void {
    this.contents.get(index)?.end(events)
    this.contents.delete(index)
  }

  private beginCall(index: number, call: JsonObject, events: Events): void {
    this.endPlan(events)
    this.endCall(index, events)
    this.calls.set(index, new CallBlock(call, `call_${this.blocks++}`, events))
  }

  private endCall(index: number, events: Events): void {
    const call = this.calls.get(index)
    if (call === undefined) return
    this.calls.delete(index)
    this.calledTool = true
    call.end(events)
  }

  private end(ending: JsonObject, raw: string, events: Events): LlmError | undefined {
    const failed = failedAnswer(ending, raw)
    if (failed !== undefined) return failed
    if (!this.started) this.start(undefined, events)
    this.endPlan(events)
    for (const index of this.contents.keys()) this.endContent(index, events)
    for (const index of this.calls.keys()) this.endCall(index, events)
    this.done = true
    const { finish_reason: reason, usage } = ending
    const rawReason = typeof reason === "string" && reason !== "" ? reason : undefined
    events.push({
      _tag: "Finish",
      reason: finishReasonOf(rawReason, this.calledTool),
      ...present({ rawReason }),
      usage: usageOf(usage) ?? noUsage
    })
    return undefined
  }
}

type Piece = Exclude<StreamEvent, { readonly type: "message-start" | "message-end" }>

const listOf = (value: unknown): ReadonlyArray<JsonObject> => (Array.isArray(value) ? value.filter(isObject) : [])

/** Decodes one stream of the chat API. */
export const makeStreamDecoder = (): StreamDecoder => new AnswerDecoder()

/** Decodes a whole answer of the chat API as the events that a stream of it would have been. */
export const decodeWhole = (body: unknown, events: Events): LlmError | undefined => {
  if (!isObject(body)) return malformedFrame
  const { message } = body
  return isObject(message)
    ? new AnswerDecoder().whole(body, message, events)
    : (streamError(body, JSON.stringify(body)) ?? malformedFrame)
}
