import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { finishedArguments } from "../ToolArguments.ts"
import { ArgumentPieces } from "./argument-pieces.ts"
import { filled } from "../extensions.ts"
import { geminiId } from "./wire.ts"

/** Ids for what has none on the wire, unique in a stream. */
export interface Ids {
  block(): string
  /** an id for a call: the stated one, unless it was used before */
  call(stated: unknown): string
}

type Choice = { readonly choice?: number }

/**
 * The function calls of one candidate. Nearly always a call comes whole in one part; where its arguments are streamed, the
 * name comes first, then pieces that each name their place, then a part that says nothing more.
 */
export class CallDecoder {
  /** whether a call was completed */
  called = false
  private readonly ids: Ids
  private readonly choice: Choice
  private open: { readonly id: string; readonly name: string; readonly pieces: ArgumentPieces } | undefined
  private written = ""

  constructor(ids: Ids, choice: Choice) {
    this.ids = ids
    this.choice = choice
  }

  /** Reads a part with a function call; false where it is malformed. */
  part(part: JsonObject, events: Array<LlmEvent>): boolean {
    const { functionCall, thoughtSignature } = part
    if (!isObject(functionCall)) return false
    const { id, name, args, partialArgs = [], willContinue, ...rest } = functionCall
    if (typeof name === "string" && name !== "") {
      this.end(events)
      const origin = filled({ thoughtSignature, functionCall: filled(rest) })
      this.begin(this.ids.call(id), name, origin, events)
    }
    // Servers that translate another format may pass the text of that.
    const text = typeof args === "string" ? args : isObject(args) ? JSON.stringify(args) : ""
    // Arguments for nobody would be lost without a word.
    if (text !== "" && this.open === undefined) return false
    if (this.written === "") this.write(text, events)
    if (!Array.isArray(partialArgs)) return false
    for (const piece of partialArgs) {
      const more = this.open?.pieces.write(piece)
      if (more === undefined) return false
      this.write(more, events)
    }
    if (willContinue !== true) this.end(events)
    return true
  }

  /** Ends the call that is open, if there is one. */
  end(events: Array<LlmEvent>): void {
    if (this.open === undefined) return
    const { id, name, pieces } = this.open
    this.write(pieces.end(), events)
    const head = { id, ...this.choice }
    events.push({ _tag: "ToolInputEnd", ...head })
    events.push({ _tag: "ToolCall", ...head, name, ...finishedArguments(this.written) })
    this.open = undefined
    this.called = true
  }

  private begin(id: string, name: string, origin: JsonObject | undefined, events: Array<LlmEvent>): void {
    this.open = { id, name, pieces: new ArgumentPieces() }
    this.written = ""
    events.push({
      _tag: "ToolInputStart",
      id,
      ...this.choice,
      name,
      ...(origin === undefined ? {} : { origin: { protocol: geminiId, value: origin } })
    })
  }

  private write(text: string, events: Array<LlmEvent>): void {
    if (this.open === undefined || text === "") return
    this.written += text
    events.push({ _tag: "ToolInputDelta", id: this.open.id, ...this.choice, text })
  }
}
