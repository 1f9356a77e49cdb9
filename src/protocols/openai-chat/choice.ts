import type { Schema } from "effect"
import type { GeneratedLogprob, LlmEvent } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { readAnnotations } from "./annotations.ts"
import { textIn, type ChunkChoice } from "./chunk.ts"
import { finishReasonOf } from "./finish-reasons.ts"
import { readLogprobs } from "./logprobs.ts"
import { opaqueFormat, plainFormat, servedOrigin } from "./reasoning-details.ts"
import { ToolCalls, type CallIds } from "./tool-calls.ts"
import { openAiChatId } from "./wire.ts"

/** The ids of a stream: those of calls as the provider gave them, the others made here. */
export interface BlockIds extends CallIds {
  next(kind: "text" | "reasoning"): string
}

interface OpenReasoning {
  readonly id: string
  text: string
  format: unknown
}

const written = ["content", "reasoning", "reasoning_content", "refusal", "tool_calls", "function_call"]

const isWritten = (content: JsonObject): boolean =>
  written.some((field) => {
    const value = content[field]
    return typeof value === "string" || Array.isArray(value) ? value.length > 0 : isObject(value)
  })

/**
 * One answer of a stream, of which there are several where `n > 1` was asked for. Text and reasoning take turns: what
 * begins ends what was open. Calls may be open together.
 */
export class ChoiceDecoder {
  readonly index: number
  finished = false
  rawReason: string | undefined
  private readonly ids: BlockIds
  private readonly choice: { readonly choice?: number }
  private readonly tools: ToolCalls
  private text: string | undefined
  /** the text that citations belong to: they may come when it has ended, and say places in it */
  private lastText: string | undefined
  private reasoning: OpenReasoning | undefined

  constructor(index: number, ids: BlockIds) {
    this.index = index
    this.ids = ids
    this.choice = index === 0 ? {} : { choice: index }
    this.tools = new ToolCalls(ids, this.choice)
  }

  /** The canonical reason of the ending, as far as it is known. */
  get reason() {
    return finishReasonOf(this.rawReason, this.tools.called)
  }

  /** Reads a chunk's choice, unless it comes too late, which is said. `whole` says that it is all of the answer. */
  read({ content, finish, logprobs }: ChunkChoice, whole: boolean, events: Array<LlmEvent>): "late" | undefined {
    // The first finish counts, and what is written after it does not.
    if (this.finished) return isWritten(content) ? "late" : undefined
    this.readContent(content, logprobs, whole, events)
    if (finish !== undefined) this.finish(finish, events)
    return undefined
  }

  /** Ends the answer, with the provider's reason where it gave one. */
  finish(rawReason: string | undefined, events: Array<LlmEvent>): void {
    if (this.finished) return
    this.finished = true
    this.rawReason = rawReason
    this.endText(events)
    this.endReasoning(undefined, events)
    this.tools.close(events)
    if (this.index > 0) {
      events.push({ _tag: "ChoiceFinish", choice: this.index, reason: this.reason, ...present({ rawReason }) })
    }
  }

  private readContent(delta: JsonObject, logprobs: unknown, whole: boolean, events: Array<LlmEvent>): void {
    const { content, tool_calls: calls, refusal } = delta
    this.readReasoning(delta, whole, events)
    const tokens = logprobs === null || logprobs === undefined ? undefined : readLogprobs(logprobs)
    if (typeof content === "string") this.addText(content, tokens, events)
    else if (Array.isArray(content)) for (const part of content) this.readPart(part, events)
    if (typeof refusal === "string" && refusal !== "") {
      this.endText(events)
      this.endReasoning(undefined, events)
      this.tools.settle(events)
      events.push({ _tag: "RefusalDelta", ...this.choice, text: refusal })
    }
    if (Array.isArray(calls)) calls.forEach((call, at) => this.addCall(call, whole ? at : undefined, events))
    if (isObject(delta["function_call"])) this.readLegacyCall(delta["function_call"], events)
    this.readRare(delta, events)
  }

  private addText(text: string, logprobs: ReadonlyArray<GeneratedLogprob> | undefined, events: Array<LlmEvent>): void {
    if (text === "" && logprobs === undefined) return
    if (this.text === undefined) {
      this.endReasoning(undefined, events)
      this.tools.settle(events)
      this.text = this.ids.next("text")
      this.lastText = this.text
      events.push({ _tag: "TextStart", id: this.text, ...this.choice })
    }
    const { text: id } = this
    if (logprobs !== undefined) events.push({ _tag: "TextDelta", id, ...this.choice, text, logprobs })
    else if (this.index === 0) events.push({ _tag: "TextDelta", id, text })
    else events.push({ _tag: "TextDelta", id, choice: this.index, text })
  }

  private addReasoning(text: string, format: unknown, events: Array<LlmEvent>): void {
    this.reasoning ??= this.startReasoning(events)
    this.reasoning.text += text
    this.reasoning.format ??= format
    if (text !== "") events.push({ _tag: "ReasoningDelta", id: this.reasoning.id, ...this.choice, text })
  }

  private startReasoning(events: Array<LlmEvent>): OpenReasoning {
    this.endText(events)
    this.tools.settle(events)
    const id = this.ids.next("reasoning")
    events.push({ _tag: "ReasoningStart", id, ...this.choice })
    return { id, text: "", format: undefined }
  }

  private endText(events: Array<LlmEvent>): void {
    if (this.text === undefined) return
    events.push({ _tag: "TextEnd", id: this.text, ...this.choice })
    this.text = undefined
  }

  private endReasoning(signature: string | undefined, events: Array<LlmEvent>): void {
    if (this.reasoning === undefined) return
    const { id, format } = this.reasoning
    this.reasoning = undefined
    events.push({ _tag: "ReasoningEnd", id, ...this.choice, ...present({ signature }), origin: servedOrigin(format) })
  }

  /** The text of reasoning has three names, and stands in the details again where there are any. */
  private readReasoning(delta: JsonObject, whole: boolean, events: Array<LlmEvent>): void {
    const details = delta["reasoning_details"]
    const entries: ReadonlyArray<unknown> = Array.isArray(details) ? details : []
    const [text, named] = statedReasoning(delta)
    // A whole answer's details are the same text in the blocks that it was thought in.
    const detailed = whole && text !== undefined && entries.map(detailText).join("") === text
    // Details say themselves what they are.
    if (text !== undefined && !detailed) this.addReasoning(text, entries.length === 0 ? named : undefined, events)
    for (const entry of entries) this.readDetail(entry, text === undefined || detailed, events)
    const proof = textIn(delta["reasoning_opaque"])
    if (proof !== undefined) this.sign(proof, opaqueFormat, events)
  }

  private readDetail(entry: unknown, told: boolean, events: Array<LlmEvent>): void {
    if (!isObject(entry)) return
    const { data, format } = entry
    const redacted = textIn(data)
    if (redacted !== undefined) return this.addRedacted(redacted, format, events)
    const signature = textIn(entry["signature"])
    const text = detailText(entry)
    // With its signature the text of the whole block may come again.
    const again = signature !== undefined && this.reasoning?.text === text
    if (told && text !== "" && !again) this.addReasoning(text, format, events)
    else if (this.reasoning !== undefined) this.reasoning.format ??= format
    if (signature !== undefined) this.sign(signature, format, events)
  }

  /** Ends what was thought with the proof of it, which may come alone. */
  private sign(signature: string, format: unknown, events: Array<LlmEvent>): void {
    if (this.reasoning === undefined) this.addReasoning("", format, events)
    this.endReasoning(signature, events)
  }

  private addRedacted(redacted: string, format: unknown, events: Array<LlmEvent>): void {
    this.endText(events)
    this.endReasoning(undefined, events)
    this.tools.settle(events)
    const block = { id: this.ids.next("reasoning"), ...this.choice, origin: servedOrigin(format) }
    events.push({ _tag: "ReasoningStart", ...block, redacted }, { _tag: "ReasoningEnd", ...block })
  }

  /** Content in parts, as some servers send it in streams too: text, thinking in parts of its own, references. */
  private readPart(part: unknown, events: Array<LlmEvent>): void {
    if (!isObject(part)) return
    const { text, thinking } = part
    if (part["type"] === "thinking") {
      const pieces: ReadonlyArray<unknown> = Array.isArray(thinking) ? thinking : [{ text: textIn(thinking) ?? null }]
      for (const piece of pieces) {
        const thought = isObject(piece) ? textIn(piece["text"]) : undefined
        if (thought !== undefined) this.addReasoning(thought, undefined, events)
      }
      const signature = textIn(part["signature"])
      if (signature !== undefined) this.endReasoning(signature, events)
    } else if (typeof text === "string") this.addText(text, undefined, events)
    else this.pass({ content: [part] }, events)
  }

  private addCall(call: unknown, position: number | undefined, events: Array<LlmEvent>): void {
    this.endText(events)
    this.endReasoning(undefined, events)
    this.tools.add(call, position, events)
  }

  /** The one call of the API's first days, which has no id. */
  private readLegacyCall(call: JsonObject, events: Array<LlmEvent>): void {
    if (textIn(call["name"]) === undefined && textIn(call["arguments"]) === undefined) return
    this.addCall({ index: 0, function: call }, undefined, events)
  }

  private readRare(delta: JsonObject, events: Array<LlmEvent>): void {
    const { annotations, images, audio, extra_content: extra } = delta
    if (Array.isArray(annotations)) {
      const { sources, others } = readAnnotations(annotations)
      const block = this.lastText === undefined ? {} : { block: this.lastText }
      for (const source of sources) events.push({ ...source, ...this.choice, ...block })
      if (others.length > 0) this.pass({ annotations: others }, events)
    }
    if (Array.isArray(images)) for (const image of images) this.readImage(image, events)
    if (isObject(audio) && ["id", "data", "transcript"].some((key) => textIn(audio[key]) !== undefined)) {
      this.pass({ audio }, events, typeof audio["transcript"] === "string" ? { textAt: transcriptAt } : {})
    }
    if (isObject(extra)) this.pass({ extra_content: extra }, events)
  }

  private readImage(image: Schema.Json, events: Array<LlmEvent>): void {
    const at = fieldsOf(image)["image_url"]
    const url = isObject(at) ? (textIn(at["url"]) ?? "") : ""
    const [, mediaType, data] = /^data:([^;,]+);base64,([^]*)$/.exec(url) ?? []
    if (mediaType === undefined || data === undefined) return this.pass({ images: [image] }, events)
    events.push({ _tag: "Media", ...this.choice, mediaType, data })
  }

  /** What has no canonical form: the fields of a delta, for a caller of this format. */
  private pass(value: JsonObject, events: Array<LlmEvent>, more: Pick<Opaque, "textAt"> = {}): void {
    events.push({ _tag: "Opaque", ...this.choice, protocol: openAiChatId, value, ...more })
  }
}

type Opaque = Extract<LlmEvent, { readonly _tag: "Opaque" }>

/** The text of reasoning, and the format by which it goes back as it came. */
const statedReasoning = (delta: JsonObject): readonly [text: string | undefined, format: string | undefined] => {
  const text = textIn(delta["reasoning_content"])
  if (text !== undefined) return [text, undefined]
  const plain = textIn(delta["reasoning"])
  return plain === undefined ? [textIn(delta["reasoning_text"]), opaqueFormat] : [plain, plainFormat]
}

const transcriptAt = ["audio", "transcript"]

const detailText = (entry: unknown): string =>
  isObject(entry) ? (textIn(entry["text"]) ?? textIn(entry["summary"]) ?? "") : ""
