import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { JsonSeries } from "../JsonSeries.ts"
import { fieldsOf } from "../open-document.ts"
import type { StreamDecoder } from "../Protocol.ts"
import { startedOf } from "../started.ts"
import { incompleteStream, isDoneSentinel, malformedFrame } from "../stream-failures.ts"
import type { Ids } from "./call-decoder.ts"
import { CandidateDecoder } from "./candidate.ts"
import { ChangedFields } from "./changed-fields.ts"
import { readChunk, type Chunk } from "./chunk.ts"
import { isErrorDocument, streamError } from "./errors.ts"
import { finishReasonOf } from "./finish-reasons.ts"
import { UsageTally } from "./usage.ts"
import { geminiId } from "./wire.ts"

const knownFields = new Set(["candidates", "usageMetadata", "modelVersion", "responseId", "createTime"])

/** Ids of one stream. Those of calls hold the id of the answer, so that two turns of a conversation do not share one. */
class StreamIds implements Ids {
  responseId = ""
  private blocks = 0
  private readonly used = new Set<string>()

  block(): string {
    return `block-${this.blocks++}`
  }

  call(stated: unknown): string {
    let id = typeof stated === "string" && stated !== "" ? stated : this.newId()
    while (this.used.has(id)) id = this.newId()
    this.used.add(id)
    return id
  }

  private newId(): string {
    const answer = this.responseId.replaceAll(/[^a-zA-Z0-9_-]/g, "")
    return answer === "" ? `call_${this.used.size}` : `call_${answer}_${this.used.size}`
  }
}

/**
 * What is known of one answer so far, be it a stream or whole. There is no terminator: the answer ends with its transport,
 * because usage and sources may still come after the finish reason.
 */
class ContentDecoder implements StreamDecoder {
  private readonly documents = new JsonSeries()
  private started = false
  private done = false
  private terminated = false
  private blockReason: string | undefined
  private readonly candidates = new Map<number, CandidateDecoder>()
  private readonly ids = new StreamIds()
  private readonly usage = new UsageTally()
  private readonly others = new ChangedFields(knownFields)

  step(frame: WireFrame, events: Array<LlmEvent>): LlmError | undefined {
    // The end of an array says nothing.
    if (frame.data === "") return undefined
    const value = this.documents.parse(frame.data)
    if (value !== undefined) return this.read(value, frame.raw, events)
    if (!isDoneSentinel(frame.data)) return malformedFrame
    this.terminated = true
    return undefined
  }

  halt(events: Array<LlmEvent>): LlmError | undefined {
    if (this.done) return undefined
    const finished = [...this.candidates.values()].some(({ finishReason }) => finishReason !== undefined)
    if (finished || this.blockReason !== undefined || (this.terminated && this.started)) {
      this.finish(events)
      return undefined
    }
    return incompleteStream(this.started)
  }

  /** Whether nothing came that would be an answer, be it one without a word. */
  get empty(): boolean {
    return this.candidates.size === 0 && this.blockReason === undefined && this.ids.responseId === ""
  }

  /** Reads a chunk. */
  read(value: unknown, raw: string, events: Array<LlmEvent>): LlmError | undefined {
    if (isErrorDocument(value)) return streamError(value, raw)
    const chunk = readChunk(value)
    if (chunk === undefined) return malformedFrame
    this.start(chunk, events)
    let position = 0
    for (const candidate of chunk.candidates ?? []) {
      const index = candidate.index ?? position
      position++
      let decoder = this.candidates.get(index)
      if (decoder === undefined) this.candidates.set(index, (decoder = new CandidateDecoder(index, this.ids)))
      if (!decoder.read(candidate, events)) return malformedFrame
    }
    this.readOthers(chunk, events)
    if (this.usage.add(chunk.usageMetadata)) events.push({ _tag: "UsageReported", usage: this.usage.usage() })
    return undefined
  }

  /** The answer is complete: ends what is open, the first choice last. */
  finish(events: Array<LlmEvent>): void {
    if (!this.started) this.start({}, events)
    for (const [index, candidate] of this.candidates) {
      candidate.end(events)
      if (index === 0) continue
      const { finishReason: rawReason, called } = candidate
      events.push({
        _tag: "ChoiceFinish",
        choice: index,
        reason: finishReasonOf(rawReason, called),
        ...present({ rawReason })
      })
    }
    this.done = true
    const first = this.candidates.get(0)
    const blocked = this.candidates.size === 0 ? this.blockReason : undefined
    events.push({
      _tag: "Finish",
      reason: blocked === undefined ? finishReasonOf(first?.finishReason, first?.called === true) : "content-filter",
      ...present({ rawReason: blocked ?? first?.finishReason }),
      usage: this.usage.usage(),
      ...this.usage.origin
    })
  }

  private start(chunk: Chunk, events: Array<LlmEvent>): void {
    if (this.started) return
    this.started = true
    const { responseId, modelVersion, createTime, usageMetadata } = chunk
    const serviceTier = fieldsOf(usageMetadata)["serviceTier"]
    this.ids.responseId = responseId ?? ""
    events.push(startedOf({ id: responseId, model: modelVersion, created: createTime, serviceTier }))
  }

  /** What else is said of the answer. A prompt that was blocked has no candidates, and that is its ending. */
  private readOthers(chunk: Chunk, events: Array<LlmEvent>): void {
    const reason = chunk.promptFeedback?.["blockReason"]
    if (reason !== undefined && reason !== null) this.blockReason = String(reason)
    const changed = this.others.read(chunk)
    if (changed !== undefined) events.push({ _tag: "Opaque", protocol: geminiId, value: { response: changed } })
  }
}

/** Decodes one stream of the Gemini API. */
export const makeStreamDecoder = (): StreamDecoder => new ContentDecoder()

/** Decodes a whole answer as the events that a stream of it would have been; one that came as an array is all its chunks. */
export const decodeWhole = (body: unknown, events: Array<LlmEvent>): LlmError | undefined => {
  const chunks: ReadonlyArray<unknown> = Array.isArray(body) ? body : [body]
  const decoder = new ContentDecoder()
  for (const chunk of chunks) {
    const error = decoder.read(chunk, JSON.stringify(chunk), events)
    if (error !== undefined) return error
  }
  if (decoder.empty) return malformedFrame
  decoder.finish(events)
  return undefined
}
