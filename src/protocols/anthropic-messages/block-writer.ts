import type { LlmEvent, Source } from "../../domain/LlmEvent.ts"
import { sseFrame } from "../../wire/Sse.ts"
import { callFields } from "../CallOrigin.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { openingBlock, signatureOf } from "./thinking.ts"
import { anthropicMessagesId } from "./wire.ts"

type EventOf<T extends LlmEvent["_tag"]> = Extract<LlmEvent, { readonly _tag: T }>

/** What the pieces of a block are: the type of their deltas and the field that holds them. */
const pieces = {
  text: ["text_delta", "text"],
  thinking: ["thinking_delta", "thinking"],
  input: ["input_json_delta", "partial_json"],
  none: ["", ""]
} as const
type PieceKind = keyof typeof pieces

/** The block that is being written; `delta` is the text of its deltas up to the piece itself. */
interface WrittenBlock {
  readonly id: string
  readonly index: number
  readonly kind: PieceKind
  readonly delta: string
  /** who signed the reasoning, where its beginning said so */
  readonly origin: string | undefined
}

/** A frame of the stream: the clients want the type twice, in the document and as the name of the event. */
export const eventFrame = (event: JsonObject & { readonly type: string }): string =>
  sseFrame(JSON.stringify(event), event.type)

const deltaEnd = "}}\n\n"

const deltaStart = (index: number, [type, field]: readonly [string, string]): string =>
  `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"${type}","${field}":`

/**
 * Writes content blocks one after the other with dense indices. It is told only what it can write now: the start of a
 * block when none is open, pieces and end of the open one, and blocks that come whole.
 */
export class BlockWriter {
  open: WrittenBlock | undefined
  nextIndex = 0

  /** The frames of an event. */
  write(event: LlmEvent): string {
    switch (event._tag) {
      case "TextDelta":
      case "ReasoningDelta":
      case "ToolInputDelta":
        return this.piece(event.text)
      case "TextStart":
        return this.begin(event.id, "text", { type: "text", text: "" })
      case "ReasoningStart":
        return this.begin(event.id, thoughtKind(event), openingBlock(event), event.origin)
      case "ToolInputStart":
        return this.begin(event.id, "input", { ...toolBlock(event), input: {} })
      case "ReasoningEnd":
        return this.signature(event) + this.end()
      case "TextEnd":
      case "ToolInputEnd":
        return this.end()
      case "Source":
        return this.delta({ type: "citations_delta", citation: citationOf(event) })
      case "ToolResult":
      case "Opaque":
        return isObject(event.value) ? this.whole(event.value) : ""
      default:
        return ""
    }
  }

  /** Takes note of an event whose frames were sent already, as the provider wrote them. */
  adopt(event: LlmEvent): void {
    switch (event._tag) {
      case "TextStart":
        return this.enter(event.id, "text")
      case "ReasoningStart":
        return this.enter(event.id, thoughtKind(event), event.origin)
      case "ToolInputStart":
        return this.enter(event.id, "input")
      case "TextEnd":
      case "ReasoningEnd":
      case "ToolInputEnd":
        this.open = undefined
        return
      case "ToolResult":
      case "Opaque":
        this.nextIndex++
        return
    }
  }

  /** A piece of the open block: the one thing that is done for every token. */
  piece(text: string): string {
    return this.open === undefined ? "" : this.open.delta + JSON.stringify(text) + deltaEnd
  }

  end(): string {
    if (this.open === undefined) return ""
    const { index } = this.open
    this.open = undefined
    return eventFrame({ type: "content_block_stop", index })
  }

  private begin(id: string, kind: PieceKind, block: JsonObject, origin?: string): string {
    const index = this.nextIndex
    this.enter(id, kind, origin)
    return eventFrame({ type: "content_block_start", index, content_block: block })
  }

  private enter(id: string, kind: PieceKind, origin?: string): void {
    const index = this.nextIndex++
    this.open = { id, index, kind, delta: deltaStart(index, pieces[kind]), origin }
  }

  private delta(delta: JsonObject): string {
    return this.open === undefined ? "" : eventFrame({ type: "content_block_delta", index: this.open.index, delta })
  }

  private signature(event: EventOf<"ReasoningEnd">): string {
    const { origin, kind } = this.open ?? {}
    if (kind !== "thinking") return ""
    const signature = signatureOf(origin === undefined ? event : { origin, ...event })
    return signature === undefined ? "" : this.delta({ type: "signature_delta", signature })
  }

  private whole(block: JsonObject): string {
    const { type, content, encrypted_content: encrypted } = block
    // The clients that know this block take its summary only from a delta.
    if (type !== "compaction" || typeof content !== "string") return this.begin("", "none", block) + this.end()
    const summary = {
      type: "compaction_delta",
      content,
      ...(encrypted === undefined ? {} : { encrypted_content: encrypted })
    }
    return this.begin("", "none", { ...block, content: null }) + this.delta(summary) + this.end()
  }
}

const thoughtKind = ({ redacted }: EventOf<"ReasoningStart">): PieceKind =>
  redacted === undefined ? "thinking" : "none"

type ToolStart = Pick<EventOf<"ToolInputStart">, "id" | "name" | "providerExecuted" | "origin">

/** The block of a tool call but for its input: as this format once described it, or as its own plainest one. */
export const toolBlock = (call: ToolStart): JsonObject => ({
  type: call.providerExecuted === true ? "server_tool_use" : "tool_use",
  id: call.id,
  name: call.name,
  ...callFields(call, anthropicMessagesId)
})

/** The citation as this format once wrote it; a source from elsewhere is a result of a web search. */
export const citationOf = ({ origin, url, title, citedText }: Source): JsonObject =>
  origin?.protocol === anthropicMessagesId && isObject(origin.value)
    ? origin.value
    : {
        type: "web_search_result_location",
        url: url ?? "",
        title: title ?? null,
        cited_text: citedText ?? "",
        // The provider's own pointer to the passage: clients want the field, and nobody else can fill it.
        encrypted_index: ""
      }
