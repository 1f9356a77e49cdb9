import type { Schema } from "effect"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { isObject, textAt, type JsonObject } from "../open-document.ts"
import { finishedArguments } from "../ToolArguments.ts"
import { sourceOf } from "./citations.ts"
import { decodeRedacted } from "./redacted.ts"
import { bedrockConverseId } from "./wire.ts"

/** A block of an answer that has begun, whatever its kind. */
export interface OpenBlock {
  /** Takes content, a delta or that of a block that came whole; false where it is that of a block of another kind. */
  delta(delta: JsonObject, events: Array<LlmEvent>): boolean
  end(events: Array<LlmEvent>): void
}

/**
 * The block that an object with one field begins: the start of a block in a stream, the first delta of a block that was not
 * announced (only tools are), or a block of a whole answer. Whatever content it has is still to be taken. `id` is for the
 * blocks that have none of their own.
 */
export const beginBlock = (block: JsonObject, id: string, events: Array<LlmEvent>): OpenBlock => {
  const { text, citation, reasoningContent, toolUse, toolResult, image } = block
  if (isObject(toolUse)) return new ToolBlock(toolUse, id, events)
  if (isObject(toolResult)) return new ToolResultBlock(toolResult)
  if (text !== undefined || citation !== undefined || isObject(block["citationsContent"])) return new TextBlock(id)
  if (isObject(reasoningContent)) return new ReasoningBlock(id)
  return isObject(image) ? new ImageBlock(image) : new OpaqueBlock()
}

/** Text, which is said to begin with its first letter. Citations may come before it, or without any. */
class TextBlock implements OpenBlock {
  private readonly id: string
  private begun = false
  private readonly early: Array<Schema.Json> = []

  constructor(id: string) {
    this.id = id
  }

  delta({ text, citation, citationsContent }: JsonObject, events: Array<LlmEvent>): boolean {
    if (typeof text === "string") this.text(text, events)
    else if (citation !== undefined) this.cite(citation, events)
    else if (isObject(citationsContent)) this.cited(citationsContent, events)
    else return false
    return true
  }

  private text(text: string, events: Array<LlmEvent>): void {
    if (text === "") return
    if (!this.begun) this.begin(events)
    events.push({ _tag: "TextDelta", id: this.id, text })
  }

  private begin(events: Array<LlmEvent>): void {
    this.begun = true
    events.push({ _tag: "TextStart", id: this.id })
    for (const citation of this.early) events.push(sourceOf(citation, this.id))
  }

  private cite(citation: Schema.Json, events: Array<LlmEvent>): void {
    if (this.begun) events.push(sourceOf(citation, this.id))
    else this.early.push(citation)
  }

  /** How a whole answer says it. */
  private cited({ content, citations }: JsonObject, events: Array<LlmEvent>): void {
    for (const citation of Array.isArray(citations) ? citations : []) this.cite(citation, events)
    for (const piece of Array.isArray(content) ? content : []) {
      if (isObject(piece)) this.text(textAt(piece, "text"), events)
    }
  }

  end(events: Array<LlmEvent>): void {
    if (this.begun) events.push({ _tag: "TextEnd", id: this.id })
    else for (const citation of this.early) events.push(sourceOf(citation, undefined))
  }
}

/** Reasoning: text with a signature at its end, or encrypted. An empty one is none. */
class ReasoningBlock implements OpenBlock {
  private readonly id: string
  private begun = false
  private encrypted = false
  private signature = ""

  constructor(id: string) {
    this.id = id
  }

  delta({ reasoningContent: piece }: JsonObject, events: Array<LlmEvent>): boolean {
    if (!isObject(piece)) return false
    // A whole answer has text and signature together.
    const { reasoningText } = piece
    const { text, signature } = isObject(reasoningText) ? reasoningText : piece
    const { redactedContent } = piece
    if (typeof redactedContent === "string") this.begin(events, redactedContent)
    if (typeof text === "string" && text !== "") {
      this.begin(events)
      events.push({ _tag: "ReasoningDelta", id: this.id, text })
    }
    if (typeof signature === "string" && signature !== "") {
      this.begin(events)
      this.signature += signature
    }
    return true
  }

  private begin(events: Array<LlmEvent>, redactedContent?: string): void {
    if (this.begun) return
    this.begun = true
    this.encrypted = redactedContent !== undefined
    const redacted = redactedContent === undefined ? {} : decodeRedacted(redactedContent)
    events.push({ _tag: "ReasoningStart", id: this.id, ...redacted })
  }

  end(events: Array<LlmEvent>): void {
    if (!this.begun) return
    const signed = this.signature === "" ? {} : { signature: this.signature }
    // What is encrypted said at its start in whose form it is.
    const origin = this.encrypted ? {} : { origin: bedrockConverseId }
    events.push({ _tag: "ReasoningEnd", id: this.id, ...signed, ...origin })
  }
}

/** A tool call: its input is written as text by deltas, or an object where the answer came whole. */
export class ToolBlock implements OpenBlock {
  /** whether the client is to run it */
  readonly client: boolean
  private readonly head: { readonly id: string; readonly name: string; readonly providerExecuted?: true }
  private written = ""

  constructor({ type, toolUseId, name }: JsonObject, id: string, events: Array<LlmEvent>) {
    this.client = type !== "server_tool_use"
    this.head = {
      id: typeof toolUseId === "string" && toolUseId !== "" ? toolUseId : id,
      name: typeof name === "string" ? name : "",
      ...(this.client ? {} : { providerExecuted: true })
    }
    events.push({ _tag: "ToolInputStart", ...this.head })
  }

  delta({ toolUse }: JsonObject, events: Array<LlmEvent>): boolean {
    if (!isObject(toolUse)) return false
    const { input = "" } = toolUse
    const text = typeof input === "string" ? input : JSON.stringify(input)
    if (text === "") return true
    this.written += text
    events.push({ _tag: "ToolInputDelta", id: this.head.id, text })
    return true
  }

  end(events: Array<LlmEvent>): void {
    events.push({ _tag: "ToolInputEnd", id: this.head.id })
    events.push({ _tag: "ToolCall", ...this.head, ...finishedArguments(this.written) })
  }
}

/** What a tool that the provider ran answered: passed whole, its content gathered. */
class ToolResultBlock implements OpenBlock {
  private readonly head: JsonObject
  private readonly content: Array<Schema.Json> = []

  constructor(head: JsonObject) {
    this.head = head
  }

  delta({ toolResult }: JsonObject): boolean {
    const content = isObject(toolResult) ? toolResult["content"] : toolResult
    if (Array.isArray(content)) this.content.push(...content)
    return toolResult !== undefined
  }

  end(events: Array<LlmEvent>): void {
    const value = { toolResult: { ...this.head, content: this.content } }
    events.push({ _tag: "ToolResult", callId: textAt(this.head, "toolUseId"), protocol: bedrockConverseId, value })
  }
}

/** A picture that the model made, whose bytes may come in pieces, each in base64. */
class ImageBlock implements OpenBlock {
  private readonly format: string
  private readonly pieces: Array<Buffer> = []

  constructor(image: JsonObject) {
    this.format = textAt(image, "format") || "png"
  }

  delta({ image }: JsonObject): boolean {
    if (!isObject(image)) return false
    const { source } = image
    if (isObject(source)) this.pieces.push(Buffer.from(textAt(source, "bytes"), "base64"))
    return true
  }

  end(events: Array<LlmEvent>): void {
    const data = Buffer.concat(this.pieces).toString("base64")
    if (data !== "") events.push({ _tag: "Media", mediaType: `image/${this.format}`, data })
  }
}

/** A block that is not known here: passed as it came whole, or as it was announced with its deltas beside it. */
class OpaqueBlock implements OpenBlock {
  private readonly pieces: Array<JsonObject> = []

  delta(piece: JsonObject): boolean {
    this.pieces.push(piece)
    return true
  }

  end(events: Array<LlmEvent>): void {
    const [first, ...deltas] = this.pieces
    const value = deltas.length === 0 ? { ...first } : { ...first, deltas }
    events.push({ _tag: "Opaque", protocol: bedrockConverseId, value })
  }
}
