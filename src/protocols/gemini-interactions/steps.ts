import type { Schema } from "effect"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { isObject, textAt, type JsonObject } from "../open-document.ts"
import { finishedArguments } from "../ToolArguments.ts"
import { OutputStep } from "./output-step.ts"
import { geminiInteractionsId, type Typed } from "./wire.ts"

type Events = Array<LlmEvent>

/** A step of an answer that has begun, whatever its kind. */
export interface Step {
  delta(delta: Typed, events: Events): void
  end(events: Events): void
}

/**
 * Begins a step, of a stream or of a whole answer: a step may come with all that is in it, or empty and filled by deltas.
 * `id` is unique in the answer, for what has no id of its own.
 */
export const beginStep = (step: Typed, id: string, events: Events): Step => {
  switch (step.type) {
    case "model_output":
      return new OutputStep(step, id, events)
    case "thought":
      return new ThoughtStep(step, id, events)
    case "function_call":
      return new CallStep(step, id, events)
    case "user_input":
      return echo
    default:
      return step.type.endsWith("_call") ? new HostedCallStep(step, id, events) : new PassedStep(step)
  }
}

/** What the caller said himself may be told back. */
const echo: Step = { delta: () => {}, end: () => {} }

/** Thinking: summaries where they were asked for, and a signature, which may come in several tries, the first ones empty. */
class ThoughtStep implements Step {
  private readonly id: string
  private signature: string

  constructor(step: Typed, id: string, events: Events) {
    this.id = id
    this.signature = textAt(step, "signature")
    events.push({ _tag: "ReasoningStart", id })
    const { summary } = step
    for (const piece of Array.isArray(summary) ? summary : []) if (isObject(piece)) this.write(piece, events)
  }

  delta(delta: Typed, events: Events): void {
    if (delta.type === "thought_summary") {
      if (isObject(delta["content"])) this.write(delta["content"], events)
    } else if (delta.type === "thought_signature") this.signature = textAt(delta, "signature") || this.signature
  }

  end(events: Events): void {
    const signed = this.signature === "" ? {} : { signature: this.signature }
    events.push({ _tag: "ReasoningEnd", id: this.id, ...signed, origin: geminiInteractionsId })
  }

  private write(piece: JsonObject, events: Events): void {
    const { type = "text" } = piece
    const text = textAt(piece, "text")
    if (text !== "") events.push({ _tag: "ReasoningDelta", id: this.id, text })
    // A summary may be drawn.
    else if (type !== "text") events.push({ _tag: "Opaque", protocol: geminiInteractionsId, value: piece })
  }
}

/** A call of a client's tool. Its arguments are an object where they come with it, and text where they are streamed. */
export class CallStep implements Step {
  private readonly head: { readonly id: string; readonly name: string }
  private readonly stated: string
  private written = ""

  constructor(step: Typed, id: string, events: Events) {
    const { type: _, id: callId, name, arguments: input, signature, ...rest } = step
    this.head = {
      id: typeof callId === "string" && callId !== "" ? callId : id,
      name: typeof name === "string" ? name : ""
    }
    const isEmpty = isObject(input) && Object.keys(input).length === 0
    this.stated = typeof input === "string" ? input : isObject(input) && !isEmpty ? JSON.stringify(input) : ""
    const origin = signature === undefined || signature === "" ? rest : { signature, ...rest }
    events.push({
      _tag: "ToolInputStart",
      ...this.head,
      ...(Object.keys(origin).length === 0 ? {} : { origin: { protocol: geminiInteractionsId, value: origin } })
    })
  }

  delta(delta: Typed, events: Events): void {
    if (delta.type !== "arguments_delta") return
    const text = textAt(delta, "arguments")
    if (text === "") return
    this.written += text
    events.push({ _tag: "ToolInputDelta", id: this.head.id, text })
  }

  end(events: Events): void {
    const { id } = this.head
    if (this.written === "" && this.stated !== "") events.push({ _tag: "ToolInputDelta", id, text: this.stated })
    events.push({ _tag: "ToolInputEnd", id })
    events.push({ _tag: "ToolCall", ...this.head, ...finishedArguments(this.written || this.stated) })
  }
}

/** A step that grows by the fields of its deltas: texts get longer, anything else is set. */
class GrowingStep {
  protected readonly value: Record<string, Schema.Json>

  constructor(step: Typed) {
    this.value = { ...step }
  }

  delta(delta: Typed): void {
    for (const [key, piece] of Object.entries(delta)) {
      if (key === "type") continue
      const before = this.value[key]
      this.value[key] = typeof before === "string" && typeof piece === "string" ? before + piece : piece
    }
  }
}

/** A tool that the provider runs. Calls of searches and the like have no name besides the type of their step. */
class HostedCallStep extends GrowingStep implements Step {
  private readonly head: { readonly id: string; readonly name: string; readonly providerExecuted: true }

  constructor(step: Typed, id: string, events: Events) {
    super(step)
    this.head = {
      id: textAt(step, "id") || id,
      name: textAt(step, "name") || step.type,
      providerExecuted: true
    }
    events.push({ _tag: "ToolInputStart", ...this.head, origin: { protocol: geminiInteractionsId, value: step } })
  }

  end(events: Events): void {
    const { id } = this.head
    const text = JSON.stringify(this.value["arguments"] ?? {})
    events.push({ _tag: "ToolInputDelta", id, text }, { _tag: "ToolInputEnd", id })
    events.push({ _tag: "ToolCall", ...this.head, ...finishedArguments(text) })
  }
}

/** A step that passes whole: what a tool of the provider answered, what is not known here. */
class PassedStep extends GrowingStep implements Step {
  end(events: Events): void {
    const { type, call_id: callId } = this.value
    const passed = { protocol: geminiInteractionsId, value: this.value }
    events.push(
      typeof callId === "string" && String(type).endsWith("_result")
        ? { _tag: "ToolResult", callId, ...passed }
        : { _tag: "Opaque", ...passed }
    )
  }
}
