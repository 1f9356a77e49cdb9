import type { Schema } from "effect"
import type { LlmEvent, Source } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { finishedArguments } from "../ToolArguments.ts"
import { fieldsOf, isObject, textAt } from "../open-document.ts"
import type { Typed } from "./stream-events.ts"
import { anthropicMessagesId } from "./wire.ts"

/** A block of an answer that has begun, whatever its kind. */
export interface OpenBlock {
  delta(delta: Typed, events: Array<LlmEvent>): void
  end(events: Array<LlmEvent>): void
}

/**
 * Begins a block, of a stream or of a whole answer: a block may come with all its content, or empty and filled by deltas.
 * `id` is for the blocks that have none of their own.
 */
export const beginBlock = (block: Typed, id: string, events: Array<LlmEvent>): OpenBlock => {
  switch (block.type) {
    case "text":
      return new TextBlock(block, id, events)
    case "thinking":
      return new ThinkingBlock(block, id, events)
    case "redacted_thinking":
      events.push({ _tag: "ReasoningStart", id, redacted: textAt(block, "data"), origin: anthropicMessagesId })
      return { delta: () => {}, end: (events) => void events.push({ _tag: "ReasoningEnd", id }) }
    default:
      // `tool_use`, `server_tool_use`, `mcp_tool_use`, and their kin to come.
      return block.type.endsWith("tool_use") ? new ToolBlock(block, id, events) : new OpaqueBlock(block)
  }
}

class TextBlock implements OpenBlock {
  private readonly id: string

  constructor(block: Typed, id: string, events: Array<LlmEvent>) {
    this.id = id
    events.push({ _tag: "TextStart", id })
    const text = textAt(block, "text")
    if (text !== "") events.push({ _tag: "TextDelta", id, text })
    const citations = block["citations"]
    if (Array.isArray(citations)) for (const citation of citations) events.push(sourceOf(citation, id))
  }

  delta(delta: Typed, events: Array<LlmEvent>): void {
    if (delta.type === "text_delta") {
      const text = textAt(delta, "text")
      if (text !== "") events.push({ _tag: "TextDelta", id: this.id, text })
    } else if (delta.type === "citations_delta") {
      events.push(sourceOf(delta["citation"] ?? null, this.id))
    }
  }

  end(events: Array<LlmEvent>): void {
    events.push({ _tag: "TextEnd", id: this.id })
  }
}

/** A citation belongs to its block; the offsets it may have are those of the cited document. */
const sourceOf = (citation: Schema.Json, block: string): Source => {
  const fields = fieldsOf(citation)
  const string = (key: string) => (typeof fields[key] === "string" ? fields[key] : undefined)
  const url = string("url") ?? string("source")
  return {
    _tag: "Source",
    block,
    ...present({
      url: url !== undefined && /^https?:/i.test(url) ? url : undefined,
      title: string("title") ?? string("document_title"),
      citedText: string("cited_text")
    }),
    origin: { protocol: anthropicMessagesId, value: citation }
  }
}

/** The signature stands in the block or comes as a delta of its own, also where the thinking itself is left empty. */
class ThinkingBlock implements OpenBlock {
  private readonly id: string
  private signature: string

  constructor(block: Typed, id: string, events: Array<LlmEvent>) {
    this.id = id
    this.signature = textAt(block, "signature")
    events.push({ _tag: "ReasoningStart", id })
    const text = textAt(block, "thinking")
    if (text !== "") events.push({ _tag: "ReasoningDelta", id, text })
  }

  delta(delta: Typed, events: Array<LlmEvent>): void {
    if (delta.type === "thinking_delta") {
      const text = textAt(delta, "thinking")
      if (text !== "") events.push({ _tag: "ReasoningDelta", id: this.id, text })
    } else if (delta.type === "signature_delta") {
      this.signature = textAt(delta, "signature")
    }
  }

  end(events: Array<LlmEvent>): void {
    const signed = this.signature === "" ? {} : { signature: this.signature }
    events.push({ _tag: "ReasoningEnd", id: this.id, ...signed, origin: anthropicMessagesId })
  }
}

/**
 * A tool call. Its input is written by deltas, or stands in the block where the call was made by a program and not written
 * by the model; an input of `{}` is the sign that it is to come.
 */
export class ToolBlock implements OpenBlock {
  /** whether the client is to run it */
  readonly client: boolean
  private readonly id: string
  private readonly name: string
  private readonly stated: string
  private written = ""

  constructor(block: Typed, id: string, events: Array<LlmEvent>) {
    const { type, id: callId, name, input, ...rest } = block
    this.client = type === "tool_use"
    this.id = typeof callId === "string" && callId !== "" ? callId : id
    this.name = typeof name === "string" ? name : ""
    this.stated =
      isObject(input) && Object.keys(input).length === 0 ? "" : input === undefined ? "" : JSON.stringify(input)
    const usual = type === "tool_use" || type === "server_tool_use"
    events.push({
      _tag: "ToolInputStart",
      ...this.head,
      ...(usual && Object.keys(rest).length === 0
        ? {}
        : { origin: { protocol: anthropicMessagesId, value: { type, ...rest } } })
    })
  }

  private get head() {
    return { id: this.id, name: this.name, ...(this.client ? {} : { providerExecuted: true }) }
  }

  delta(delta: Typed, events: Array<LlmEvent>): void {
    if (delta.type !== "input_json_delta") return
    const text = textAt(delta, "partial_json")
    if (text === "") return
    this.written += text
    events.push({ _tag: "ToolInputDelta", id: this.id, text })
  }

  end(events: Array<LlmEvent>): void {
    if (this.written === "" && this.stated !== "") {
      events.push({ _tag: "ToolInputDelta", id: this.id, text: this.stated })
    }
    events.push({ _tag: "ToolInputEnd", id: this.id })
    events.push({ _tag: "ToolCall", ...this.head, ...finishedArguments(this.written || this.stated) })
  }
}

/** A block that passes whole: what a tool of the provider answered, a compaction, what is not known here. */
class OpaqueBlock implements OpenBlock {
  private readonly value: Record<string, Schema.Json>

  constructor(block: Typed) {
    this.value = { ...block }
  }

  /**
   * A delta holds pieces of the block's own fields: texts grow, anything else is set. That of a compaction has all of them as
   * they are in the end.
   */
  delta(delta: Typed): void {
    const { type, ...pieces } = delta
    for (const [key, piece] of Object.entries(pieces)) {
      const before = type === "compaction_delta" ? undefined : this.value[key]
      this.value[key] = typeof before === "string" && typeof piece === "string" ? before + piece : piece
    }
  }

  end(events: Array<LlmEvent>): void {
    const { type, tool_use_id: callId } = this.value
    const passed = { protocol: anthropicMessagesId, value: this.value }
    events.push(
      typeof callId === "string" && String(type).endsWith("_tool_result")
        ? { _tag: "ToolResult", callId, ...passed }
        : { _tag: "Opaque", ...passed }
    )
  }
}
