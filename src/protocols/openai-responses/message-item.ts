import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { logprobsOf, sourceOf } from "./annotations.ts"
import type { OutputItem } from "./output-items.ts"
import type { DeltaEvent, DoneEvent, Typed } from "./stream-events.ts"
import { openAiResponsesId } from "./wire.ts"

type Events = Array<LlmEvent>

type TextStart = Extract<LlmEvent, { readonly _tag: "TextStart" }>

/** What a message says of itself besides what it holds: whether it is the answer, or only on the way to it. */
export const saidOfMessage = (item: JsonObject): JsonObject | undefined => {
  const { id: _, type: __, role: ___, status: ____, content: _____, ...more } = item
  const said = Object.entries(more).filter(([, value]) => value !== null)
  return said.length === 0 ? undefined : Object.fromEntries(said)
}

/** A piece of a message: a text block, or a refusal, which has no block. */
interface Piece {
  readonly id: string
  readonly text: boolean
  open: boolean
  written: boolean
  sources: number
}

/**
 * A message. Its pieces are known by the index that the server gives them, which need not be their place in the list
 * (Bedrock counts on from the item before).
 */
export class MessageItem implements OutputItem {
  private readonly id: string
  private readonly origin: Pick<TextStart, "origin">
  private readonly pieces = new Map<number, Piece>()

  constructor(item: Typed, id: string) {
    this.id = id
    const more = saidOfMessage(item)
    this.origin = more === undefined ? {} : { origin: { protocol: openAiResponsesId, value: more } }
  }

  delta(event: DeltaEvent, events: Events): void {
    const index = event.content_index ?? 0
    if (event.type === "response.refusal.delta") return this.refuse(index, event.delta, events)
    const logprobs = "logprobs" in event ? logprobsOf(event.logprobs) : undefined
    this.write(this.text(index, events), event.delta, logprobs, events)
  }

  piece(event: DoneEvent, text: string, events: Events): void {
    this.told(event.content_index ?? 0, text, event.type === "response.refusal.done", events)
  }

  /** All of a piece, which counts where its deltas did not come. */
  private told(index: number, text: string, refusal: boolean, events: Events): void {
    if (this.pieces.get(index)?.written === true) return
    if (refusal) this.refuse(index, text, events)
    else this.write(this.text(index, events), text, undefined, events)
  }

  /** A piece is announced, before its deltas. */
  begin(index: number, part: Typed, events: Events): void {
    if (part.type === "output_text") this.text(index, events)
  }

  /** A piece is complete. */
  finish(index: number, part: Typed, events: Events): void {
    this.complete(index, part, events)
    this.close(this.pieces.get(index), events)
  }

  cite(index: number, annotation: JsonObject, events: Events): void {
    const piece = this.text(index, events)
    piece.sources++
    events.push(sourceOf(annotation, piece.id))
  }

  end(item: JsonObject | undefined, events: Events): void {
    const content = item?.["content"]
    const indices = [...this.pieces.keys()]
    for (const [at, part] of (Array.isArray(content) ? content : []).entries()) {
      if (!isObject(part)) continue
      const index = indices[at] ?? at
      this.complete(index, part, events)
      this.close(this.pieces.get(index), events)
    }
    for (const piece of this.pieces.values()) this.close(piece, events)
  }

  /** What the finished piece holds beyond what was streamed of it. */
  private complete(index: number, part: JsonObject, events: Events): void {
    const { type, text, refusal, annotations, logprobs } = part
    if (type === "refusal" && typeof refusal === "string") return this.told(index, refusal, true, events)
    if (type !== "output_text" || typeof text !== "string") return
    const piece = this.text(index, events)
    if (!piece.written) this.write(piece, text, logprobsOf(logprobs), events)
    for (const annotation of Array.isArray(annotations) ? annotations.slice(piece.sources) : []) {
      if (isObject(annotation)) this.cite(index, annotation, events)
    }
  }

  private text(index: number, events: Events): Piece {
    const known = this.pieces.get(index)
    if (known !== undefined) return known
    const id = this.pieces.size === 0 ? this.id : `${this.id}#${this.pieces.size}`
    const piece = { id, text: true, open: true, written: false, sources: 0 }
    this.pieces.set(index, piece)
    events.push({ _tag: "TextStart", id, ...this.origin })
    return piece
  }

  private write(piece: Piece, text: string, logprobs: ReturnType<typeof logprobsOf>, events: Events): void {
    if ((text === "" && logprobs === undefined) || !piece.open) return
    piece.written = true
    events.push({ _tag: "TextDelta", id: piece.id, text, ...(logprobs === undefined ? {} : { logprobs }) })
  }

  private refuse(index: number, text: string, events: Events): void {
    const piece = this.pieces.get(index) ?? { id: "", text: false, open: false, written: false, sources: 0 }
    this.pieces.set(index, piece)
    if (text === "") return
    piece.written = true
    events.push({ _tag: "RefusalDelta", text })
  }

  private close(piece: Piece | undefined, events: Events): void {
    if (piece?.open !== true) return
    piece.open = false
    events.push({ _tag: "TextEnd", id: piece.id })
  }
}
