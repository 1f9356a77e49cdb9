import type { Schema } from "effect"
import type { GeneratedLogprob, LlmEvent } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { CallDecoder, type Ids } from "./call-decoder.ts"
import { ChangedFields } from "./changed-fields.ts"
import type { Candidate } from "./chunk.ts"
import { readLogprobs } from "./logprobs.ts"
import { Sources } from "./sources.ts"
import { geminiId } from "./wire.ts"

interface OpenBlock {
  readonly kind: "Text" | "Reasoning"
  readonly id: string
  /** the text so far, of a text: sources count in it */
  text: string
}

/** Where the words stand that are heard in a sound. */
const heardAt = ["beside", "audioTranscription", "text"] as const

const knownFields = new Set(["content", "finishReason", "index", "tokenCount", "logprobsResult"])

/**
 * One answer, chunk by chunk. Parts of one kind that follow each other are one block, because a stream cuts where it likes;
 * a signature ends a block, because it belongs to what stands before it.
 */
export class CandidateDecoder {
  /** undefined while there is none */
  finishReason: string | undefined
  private readonly choice: { readonly choice?: number }
  private readonly ids: Ids
  private readonly calls: CallDecoder
  private readonly sources = new Sources()
  private readonly others = new ChangedFields(knownFields)
  private open: OpenBlock | undefined
  /** whether the answer went on after a finish reason, which is then no ending of what it stands on */
  private goesOn = false
  private lastCode = ""
  private readonly texts: Array<OpenBlock> = []

  constructor(index: number, ids: Ids) {
    this.choice = index === 0 ? {} : { choice: index }
    this.ids = ids
    this.calls = new CallDecoder(ids, this.choice)
  }

  /** Whether the caller has a function to run. */
  get called(): boolean {
    return this.calls.called
  }

  /** Reads what a chunk says of this answer; false where it is malformed. */
  read(candidate: Candidate, events: Array<LlmEvent>): boolean {
    const { content, finishReason } = candidate
    const told = events.length
    let logprobs = readLogprobs(candidate["logprobsResult"])
    for (const part of content?.parts ?? []) {
      if (!this.part(part, logprobs, events)) return false
      if (typeof part["text"] === "string" && part["text"] !== "" && part["thought"] !== true) logprobs = undefined
    }
    if (this.finishReason !== undefined && events.length > told) this.goesOn = true
    this.readOthers(candidate, events)
    if (finishReason !== undefined && finishReason !== null && finishReason !== "") {
      this.note(String(finishReason))
      if (!this.goesOn) this.end(events)
    }
    return true
  }

  /** There are servers that say `STOP` on every chunk, so another word after it is how the answer ended. */
  private note(finishReason: string): void {
    if (this.finishReason === undefined || this.finishReason === "STOP") this.finishReason = finishReason
  }

  /** Ends what is open. */
  end(events: Array<LlmEvent>): void {
    this.endBlock(events)
    this.calls.end(events)
  }

  private part(
    part: JsonObject,
    logprobs: ReadonlyArray<GeneratedLogprob> | undefined,
    events: Array<LlmEvent>
  ): boolean {
    const { text, thoughtSignature: signature } = part
    if (typeof text === "string") {
      if (text !== "" || part["thought"] === true) this.piece(part["thought"] === true, text, logprobs, events)
      if (typeof signature === "string" && signature !== "") this.sign(part, signature, events)
      return true
    }
    this.endBlock(events)
    if (part["functionCall"] !== undefined) return this.calls.part(part, events)
    this.calls.end(events)
    this.other(part, events)
    return true
  }

  /** The hot path: a piece of text or of thoughts. */
  private piece(
    thought: boolean,
    text: string,
    logprobs: ReadonlyArray<GeneratedLogprob> | undefined,
    events: Array<LlmEvent>
  ): void {
    const kind = thought ? "Reasoning" : "Text"
    const block = this.open?.kind === kind ? this.open : this.begin(kind, events)
    const { id } = block
    if (text === "") return
    if (thought) {
      events.push({ _tag: "ReasoningDelta", id, ...this.choice, text })
      return
    }
    block.text += text
    events.push({ _tag: "TextDelta", id, ...this.choice, text, ...(logprobs === undefined ? {} : { logprobs }) })
  }

  private begin(kind: OpenBlock["kind"], events: Array<LlmEvent>): OpenBlock {
    this.end(events)
    const id = this.ids.block()
    this.open = { kind, id, text: "" }
    events.push({ _tag: `${kind}Start`, id, ...this.choice })
    if (kind === "Text") this.texts.push(this.open)
    return this.open
  }

  private endBlock(events: Array<LlmEvent>, signature?: string): void {
    if (this.open === undefined) return
    const { kind, id } = this.open
    this.open = undefined
    if (kind === "Text") events.push({ _tag: "TextEnd", id, ...this.choice })
    else events.push({ _tag: "ReasoningEnd", id, ...this.choice, ...present({ signature }), origin: geminiId })
  }

  /** Thoughts have a place for their signature; that of a text is an event after it, and so is that of no text at all. */
  private sign({ text, thought }: JsonObject, signature: string, events: Array<LlmEvent>): void {
    if (thought === true) return this.endBlock(events, signature)
    this.endBlock(events)
    this.opaque({ part: { ...(text === "" ? { text } : {}), thoughtSignature: signature } }, events)
  }

  private other(part: JsonObject, events: Array<LlmEvent>): void {
    const { inlineData, executableCode, codeExecutionResult } = part
    if (isObject(executableCode)) return this.code(part, executableCode, events)
    if (isObject(codeExecutionResult)) {
      const { id } = codeExecutionResult
      const callId = typeof id === "string" && id !== "" ? id : this.lastCode
      events.push({ _tag: "ToolResult", ...this.choice, callId, protocol: geminiId, value: part })
      return
    }
    if (isObject(inlineData) && part["thought"] !== true) {
      const { mimeType, data } = inlineData
      if (typeof mimeType === "string" && typeof data === "string") {
        const { inlineData: _, ...beside } = part
        events.push({ _tag: "Media", ...this.choice, mediaType: mimeType, data })
        const { text } = fieldsOf(beside["audioTranscription"])
        const heard = typeof text === "string" ? { textAt: heardAt } : {}
        if (Object.keys(beside).length > 0) this.opaque({ beside }, events, heard)
        return
      }
    }
    this.opaque({ part }, events)
  }

  /** Code that the provider runs: a call that is nobody else's to run. */
  private code(part: JsonObject, { id: stated, ...input }: JsonObject, events: Array<LlmEvent>): void {
    const name = "executableCode"
    const id = this.ids.call(stated)
    const text = JSON.stringify(input)
    const head = { id, ...this.choice }
    this.lastCode = id
    events.push({
      _tag: "ToolInputStart",
      ...head,
      name,
      providerExecuted: true,
      origin: { protocol: geminiId, value: part }
    })
    events.push({ _tag: "ToolInputDelta", ...head, text })
    events.push({ _tag: "ToolInputEnd", ...head })
    events.push({ _tag: "ToolCall", ...head, name, arguments: text, valid: true, providerExecuted: true })
  }

  /** What else is said of the answer: sources as such, and all of it as it stands. */
  private readOthers(candidate: Candidate, events: Array<LlmEvent>): void {
    const changed = this.others.read(candidate)
    if (changed === undefined) return
    const { groundingMetadata, citationMetadata } = changed
    if (isObject(groundingMetadata)) events.push(...this.sources.grounding(groundingMetadata, this.texts, this.choice))
    if (isObject(citationMetadata)) events.push(...this.sources.citations(citationMetadata, this.texts, this.choice))
    this.opaque({ candidate: changed }, events)
  }

  private opaque(value: Schema.Json, events: Array<LlmEvent>, more: { readonly textAt?: typeof heardAt } = {}): void {
    events.push({ _tag: "Opaque", ...this.choice, protocol: geminiId, value, ...more })
  }
}
