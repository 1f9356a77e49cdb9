import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { textAt, type JsonObject } from "../open-document.ts"
import { escapedText, freeTextEnd, freeTextStart } from "../FreeText.ts"
import { finishedArguments } from "../ToolArguments.ts"
import { hostedInput } from "./hosted-tools.ts"
import { MessageItem } from "./message-item.ts"
import type { DeltaEvent, DoneEvent, Typed } from "./stream-events.ts"
import { betweenParts, textOfReasoning } from "./stated-text.ts"
import { openAiResponsesId } from "./wire.ts"

type Events = Array<LlmEvent>

/** An item of an answer that has begun, whatever its kind. */
export interface OutputItem {
  delta(event: DeltaEvent, events: Events): void
  /** A piece is complete, and this is all of it: it counts where its deltas did not come. */
  piece(event: DoneEvent, text: string, events: Events): void
  /** The item is complete. `item` is all of it, where the server said it. */
  end(item: JsonObject | undefined, events: Events): void
}

/** Begins an item, of a stream or of a whole answer. `id` is its id, or one made for it, unique in the answer. */
export const beginItem = (item: Typed, id: string, events: Events): OutputItem => {
  switch (item.type) {
    case "message":
      return new MessageItem(item, id)
    case "reasoning":
      return new ReasoningItem(id, events)
    case "function_call":
    case "custom_tool_call":
      return new CallItem(item, id, events)
    default:
      return hostedInput(item) === undefined ? new OpaqueItem(item) : new HostedItem(item, id, events)
  }
}

/**
 * Reasoning, as a summary or as the thoughts themselves, in parts that begin with a heading each. What proves it stands in
 * the finished item only.
 */
class ReasoningItem implements OutputItem {
  private readonly id: string
  private readonly parts = new Set<number>()
  private last = 0

  constructor(id: string, events: Events) {
    this.id = id
    events.push({ _tag: "ReasoningStart", id })
  }

  delta(event: DeltaEvent, events: Events): void {
    this.write(partOf(event), event.delta, events)
  }

  piece(event: DoneEvent, text: string, events: Events): void {
    const part = partOf(event)
    if (!this.parts.has(part)) this.write(part, text, events)
  }

  end(item: JsonObject | undefined, events: Events): void {
    if (item !== undefined && this.parts.size === 0) this.write(0, textOfReasoning(item), events)
    const blob = item?.["encrypted_content"]
    const signed = typeof blob === "string" && blob !== "" ? { signature: blob } : {}
    events.push({ _tag: "ReasoningEnd", id: this.id, ...signed, origin: openAiResponsesId })
  }

  private write(part: number, piece: string, events: Events): void {
    if (piece === "") return
    const text = this.parts.size > 0 && part !== this.last ? betweenParts + piece : piece
    this.parts.add(part)
    this.last = part
    events.push({ _tag: "ReasoningDelta", id: this.id, text })
  }
}

/** Which part of the reasoning an event is about. */
const partOf = ({ summary_index: summary, content_index: content }: DeltaEvent | DoneEvent): number =>
  summary ?? content ?? 0

/**
 * A call of a client's tool. Its arguments come in deltas, or only when they are done (LM Studio), or only with the item.
 * The input of a custom tool is free text, which the canonical arguments have in an object.
 */
export class CallItem implements OutputItem {
  private readonly head: { readonly id: string; readonly name: string }
  private readonly custom: boolean
  private written = ""

  constructor(item: Typed, id: string, events: Events) {
    const { call_id: callId, name: _, arguments: __, input: ___, status: ____, ...rest } = item
    this.custom = item.type === "custom_tool_call"
    this.head = {
      id: typeof callId === "string" && callId !== "" ? callId : id,
      name: textAt(item, "name")
    }
    events.push({ _tag: "ToolInputStart", ...this.head, origin: { protocol: openAiResponsesId, value: rest } })
  }

  delta(event: DeltaEvent, events: Events): void {
    this.write(event.delta, events)
  }

  piece(_: DoneEvent, text: string, events: Events): void {
    if (this.written === "") this.write(text, events)
  }

  end(item: JsonObject | undefined, events: Events): void {
    if (this.written === "") this.write(textAt(item ?? {}, this.custom ? "input" : "arguments"), events)
    if (this.custom) this.send(this.written === "" ? freeTextStart + freeTextEnd : freeTextEnd, events)
    events.push({ _tag: "ToolInputEnd", id: this.head.id })
    events.push({ _tag: "ToolCall", ...this.head, ...finishedArguments(this.written) })
  }

  private write(text: string, events: Events): void {
    if (text === "") return
    this.send(this.custom ? (this.written === "" ? freeTextStart : "") + escapedText(text) : text, events)
  }

  private send(text: string, events: Events): void {
    this.written += text
    events.push({ _tag: "ToolInputDelta", id: this.head.id, text })
  }
}

/** A tool that the provider runs: call and answer are one item, so that its end is both. */
class HostedItem implements OutputItem {
  private readonly id: string
  private readonly name: string

  constructor(item: Typed, id: string, events: Events) {
    this.id = id
    this.name = item.type
    const origin = { protocol: openAiResponsesId, value: item }
    events.push({ _tag: "ToolInputStart", id, name: this.name, providerExecuted: true, origin })
  }

  delta(): void {}

  piece(): void {}

  end(item: JsonObject | undefined, events: Events): void {
    const { id, name } = this
    const text = JSON.stringify(hostedInput({ ...item, type: name }) ?? {})
    const call = { id, name, ...finishedArguments(text), providerExecuted: true }
    events.push({ _tag: "ToolInputDelta", id, text }, { _tag: "ToolInputEnd", id }, { _tag: "ToolCall", ...call })
    if (item !== undefined) {
      events.push({ _tag: "ToolResult", callId: id, protocol: openAiResponsesId, value: item })
    }
  }
}

/** An item that passes whole: hosted tools that the client runs, lists of tools, what is not known here. */
class OpaqueItem implements OutputItem {
  private readonly begun: Typed

  constructor(begun: Typed) {
    this.begun = begun
  }

  delta(): void {}

  piece(): void {}

  end(item: JsonObject | undefined, events: Events): void {
    events.push({ _tag: "Opaque", protocol: openAiResponsesId, value: item ?? this.begun })
  }
}
