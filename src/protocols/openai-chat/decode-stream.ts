import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { JsonSeries, type PiecePlaces } from "../JsonSeries.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { openAiStreamError } from "../openai/errors.ts"
import type { StreamDecoder } from "../Protocol.ts"
import { startedOf } from "../started.ts"
import { TextRun } from "../TextRun.ts"
import { incompleteStream, isDoneSentinel, malformedFrame } from "../stream-failures.ts"
import { listedSources } from "./annotations.ts"
import { ChoiceDecoder, type BlockIds } from "./choice.ts"
import { readChoice, textIn } from "./chunk.ts"
import { UsageTally } from "./usage.ts"
import { openAiChatId } from "./wire.ts"

const streamError = openAiStreamError(openAiChatId)

/** Some servers say of a whole document that it is an error, and put nothing under `error`. */
const isErrorDocument = ({ object }: JsonObject): boolean => object === "error"

const isStated = (value: unknown): boolean => value !== undefined && value !== null

const pieces: PiecePlaces = { piece: ["choices", 0, "delta", "content"], beside: [["obfuscation"]] }

/** What is known of one answer so far, be it a stream or whole. */
class ChatDecoder implements StreamDecoder {
  private readonly documents = new JsonSeries(pieces)
  private readonly run = new TextRun(this.documents)
  private started = false
  private done = false
  private readonly ids = new Ids()
  private readonly first = new ChoiceDecoder(0, this.ids)
  private readonly others = new Map<number, ChoiceDecoder>()
  private readonly usage = new UsageTally()
  private readonly cited = new Set<string>()
  /** what the answer says of itself as a whole, for callers of this format */
  private readonly said: Record<string, JsonObject[string]> = {}
  isLate = false

  step(frame: WireFrame, events: Array<LlmEvent>): LlmError | undefined {
    this.isLate = false
    if (this.done) return undefined
    const { data } = frame
    const piece = this.run.next(data)
    if (piece !== undefined && frame.event !== "error") {
      events.push(piece)
      return undefined
    }
    if (isDoneSentinel(data)) {
      this.done = true
      if (!this.started) return incompleteStream(false)
      this.finish(events)
      return undefined
    }
    const chunk = this.documents.parse(data)
    // After the finish reason nothing is missing that such a frame could have held.
    if (!isObject(chunk)) return this.first.finished ? undefined : malformedFrame
    const before = events.length
    const failed = this.readChunk(chunk, false, events) ?? (frame.event === "error" ? chunk : undefined)
    this.run.note(events, before)
    if (failed === undefined) return undefined
    this.done = true
    return streamError(failed, frame.raw)
  }

  /** The usage of a stream may come after its finish reason, so that the end is only known at the end. */
  halt(events: Array<LlmEvent>): LlmError | undefined {
    if (this.done) return undefined
    if (this.first.finished || [...this.others.values()].some(({ finished }) => finished)) {
      this.finish(events)
      return undefined
    }
    return incompleteStream(this.started)
  }

  /** A whole answer is one big chunk, and then its end. */
  whole(answer: JsonObject, events: Array<LlmEvent>): void {
    this.readChunk(answer, true, events)
    this.finish(events)
  }

  /** Reads a chunk. What says in it that the provider failed is returned: the chunk, or a choice of it. */
  private readChunk(chunk: JsonObject, whole: boolean, events: Array<LlmEvent>): JsonObject | undefined {
    const { choices, usage, error, moderation } = chunk
    if (isObject(moderation)) this.said["moderation"] = moderation
    let failed = isStated(error) || isErrorDocument(chunk) ? chunk : undefined
    if (Array.isArray(choices) && choices.length > 0) {
      if (!this.started) this.start(chunk, events)
      for (const choice of choices) {
        const read = readChoice(choice, whole)
        if (read === undefined) continue
        this.isLate = this.choiceAt(read.index).read(read, whole, events) === "late" || this.isLate
        if (isObject(read.usage)) this.report(read.usage, chunk, events)
        if (read.failed !== undefined) failed ??= read.failed
      }
    }
    const groq = chunk["x_groq"]
    if (isObject(usage)) this.report(usage, chunk, events)
    else if (isObject(groq)) this.report(groq["usage"], chunk, events)
    if (isObject(groq) && textIn(groq["error"]) !== undefined) failed ??= groq
    if ("citations" in chunk || "search_results" in chunk) this.cite(chunk, events)
    return failed
  }

  private choiceAt(index: number): ChoiceDecoder {
    if (index === 0) return this.first
    const known = this.others.get(index)
    if (known !== undefined) return known
    const choice = new ChoiceDecoder(index, this.ids)
    this.others.set(index, choice)
    return choice
  }

  private start(chunk: JsonObject, events: Array<LlmEvent>): void {
    this.started = true
    const { id, model, created, service_tier: tier, system_fingerprint: fingerprint } = chunk
    if (textIn(fingerprint) !== undefined) this.said["system_fingerprint"] = fingerprint ?? null
    this.ids.answer = (textIn(id) ?? "").replaceAll(/[^a-zA-Z0-9_-]/g, "").slice(-answerLength)
    events.push(startedOf({ id, model, created, serviceTier: textIn(tier) }))
  }

  private report(usage: unknown, chunk: JsonObject, events: Array<LlmEvent>): void {
    if (!this.usage.add(usage)) return
    if (!this.started) this.start(chunk, events)
    events.push({ _tag: "UsageReported", usage: this.usage.usage() })
  }

  private cite(chunk: JsonObject, events: Array<LlmEvent>): void {
    for (const source of listedSources(chunk)) {
      if (source.url === undefined || this.cited.has(source.url)) continue
      if (!this.started) this.start(chunk, events)
      this.cited.add(source.url)
      events.push(source)
    }
  }

  private finish(events: Array<LlmEvent>): void {
    if (!this.started) this.start({}, events)
    this.done = true
    for (const choice of this.others.values()) choice.finish(undefined, events)
    this.first.finish(undefined, events)
    const { reason, rawReason } = this.first
    const origin = Object.keys(this.said).length === 0 ? {} : { origin: { protocol: openAiChatId, value: this.said } }
    events.push({ _tag: "Finish", reason, ...present({ rawReason }), usage: this.usage.usage(), ...origin })
  }
}

/** The ids of a stream's blocks. A call without an id gets one of its answer's, since a conversation has many answers. */
class Ids implements BlockIds {
  /** the end of the answer's id, as far as every format takes it for an id */
  answer = ""
  private readonly taken = new Set<string>()
  private blocks = 0

  next(kind: "text" | "reasoning"): string {
    return this.free(`${kind}-${this.blocks++}`)
  }

  take(stated: string | undefined): string {
    return this.free(stated ?? `call_${this.answer === "" ? "" : `${this.answer}_`}${this.blocks++}`)
  }

  private free(wanted: string): string {
    let id = wanted
    for (let n = 2; this.taken.has(id); n++) id = `${wanted}-${n}`
    this.taken.add(id)
    return id
  }
}

/** A tool call's id may have 64 characters, and less where others stand before them. */
const answerLength = 32

/** Decodes one stream of chat completions. */
export const makeStreamDecoder = (): StreamDecoder => new ChatDecoder()

/** Decodes a whole chat completion as the events that a stream of it would have been. */
export const decodeWhole = (body: unknown, events: Array<LlmEvent>): LlmError | undefined => {
  if (!isObject(body)) return malformedFrame
  const { choices, error } = body
  const listed: ReadonlyArray<unknown> = Array.isArray(choices) ? choices : []
  const failed =
    isStated(error) || isErrorDocument(body) ? body : listed.find((choice) => readChoice(choice, true)?.failed)
  if (failed !== undefined) return streamError(failed, JSON.stringify(body))
  if (!Array.isArray(choices)) return malformedFrame
  new ChatDecoder().whole(body, events)
  return undefined
}
