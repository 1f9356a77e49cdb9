import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { mergeUsage, noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { JsonSeries } from "../JsonSeries.ts"
import { isObject } from "../open-document.ts"
import { openAiStreamError } from "../openai/errors.ts"
import type { StreamDecoder } from "../Protocol.ts"
import { startedOf } from "../started.ts"
import { incompleteStream, isDoneSentinel, malformedFrame } from "../stream-failures.ts"
import { finishReasonOf } from "./finish-reasons.ts"
import { logprobsOf } from "./logprobs.ts"
import { usageOf } from "./usage.ts"
import { openAiCompletionsId, readChunk, type Chunk, type ChunkChoice } from "./wire.ts"

type Events = Array<LlmEvent>

/** One answer of several: a single text. */
class Answer {
  readonly index: number
  private readonly choice: { readonly choice?: number }
  private readonly id: string
  private open = false
  private ended: { readonly rawReason?: string; readonly stopSequence?: string } | undefined

  constructor(index: number) {
    this.index = index
    this.choice = index === 0 ? {} : { choice: index }
    this.id = `text-${index}`
  }

  /** How the text ended, once it did. */
  get ending() {
    return this.ended
  }

  piece({ text, logprobs, finish_reason: reason, stop_reason: sequence }: ChunkChoice, events: Events): void {
    // A reason may be told again with the usage; the first one counts, and nothing is said after it.
    if (this.ended !== undefined) return
    if (typeof text === "string" && text !== "") this.write(text, logprobs, events)
    if (typeof reason !== "string" || reason === "") return
    this.end(events)
    const stopSequence = typeof sequence === "string" ? sequence : undefined
    this.ended = { rawReason: reason, ...present({ stopSequence }) }
    if (this.index > 0) events.push(this.choiceFinish(this.index, reason))
  }

  /** The stream is over: what did not end of itself ends now. */
  close(events: Events): void {
    if (this.ended !== undefined) return
    this.end(events)
    this.ended = {}
    if (this.index > 0) events.push(this.choiceFinish(this.index, undefined))
  }

  private write(text: string, logprobs: unknown, events: Events): void {
    const block = { id: this.id, ...this.choice }
    if (!this.open) events.push({ _tag: "TextStart", ...block })
    this.open = true
    if (logprobs === undefined || logprobs === null) events.push({ _tag: "TextDelta", ...block, text })
    else events.push({ _tag: "TextDelta", ...block, text, ...present({ logprobs: logprobsOf(logprobs) }) })
  }

  private end(events: Events): void {
    if (this.open) events.push({ _tag: "TextEnd", id: this.id, ...this.choice })
    this.open = false
  }

  private choiceFinish(choice: number, rawReason: string | undefined): LlmEvent {
    return { _tag: "ChoiceFinish", choice, reason: finishReasonOf(rawReason), ...present({ rawReason }) }
  }
}

const streamError = openAiStreamError(openAiCompletionsId)

/** What is known of the answers so far, be they streams or whole. */
class AnswersDecoder implements StreamDecoder {
  private readonly documents = new JsonSeries()
  private started = false
  private done = false
  private usage: Usage = noUsage
  private readonly answers = new Map<number, Answer>()

  step(frame: WireFrame, events: Events): LlmError | undefined {
    if (this.done) return undefined
    const value = this.documents.parse(frame.data)
    if (value === undefined) return isDoneSentinel(frame.data) ? this.terminate(events) : malformedFrame
    return this.read(value, frame.raw, events)
  }

  /** The terminator is often missing; the usage comes after the reason, so that only the end of the stream is its end. */
  halt(events: Events): LlmError | undefined {
    if (this.done) return undefined
    if (this.answers.get(0)?.ending === undefined) return incompleteStream(this.started)
    this.finish(events)
    return undefined
  }

  read(value: unknown, raw: string, events: Events): LlmError | undefined {
    if (isObject(value) && value["error"] !== undefined && value["error"] !== null) {
      return streamError(value, raw)
    }
    const chunk = readChunk(value)
    if (chunk === undefined) return malformedFrame
    const usage = usageOf(chunk.usage)
    // A first chunk may only tell what a filter thought of the prompt, with neither id nor model (Azure).
    if (chunk.choices.length === 0 && usage === undefined) return undefined
    if (!this.started) this.start(chunk, events)
    for (const [at, choice] of chunk.choices.entries()) this.answer(choice.index ?? at).piece(choice, events)
    if (usage === undefined) return undefined
    this.usage = mergeUsage(this.usage, usage)
    events.push({ _tag: "UsageReported", usage: this.usage })
    return undefined
  }

  finish(events: Events): void {
    this.answer(0)
    for (const answer of this.answers.values()) answer.close(events)
    this.done = true
    const ending = this.answer(0).ending
    events.push({ _tag: "Finish", reason: finishReasonOf(ending?.rawReason), ...ending, usage: this.usage })
  }

  private terminate(events: Events): LlmError | undefined {
    if (!this.started) return incompleteStream(false)
    this.finish(events)
    return undefined
  }

  private start({ id, model, created }: Chunk, events: Events): void {
    this.started = true
    events.push(startedOf({ id, model, created }))
  }

  private answer(index: number): Answer {
    const known = this.answers.get(index)
    if (known !== undefined) return known
    const answer = new Answer(index)
    this.answers.set(index, answer)
    return answer
  }
}

/** Decodes one stream of the completions API. */
export const makeStreamDecoder = (): StreamDecoder => new AnswersDecoder()

/** Decodes a whole answer of the completions API as the events that a stream of it would have been. */
export const decodeWhole = (body: unknown, events: Events): LlmError | undefined => {
  const decoder = new AnswersDecoder()
  const raw = isObject(body) && body["error"] !== undefined ? JSON.stringify(body) : ""
  const failed = decoder.read(body, raw, events)
  if (failed !== undefined) return failed
  if (events.length === 0) return malformedFrame
  decoder.finish(events)
  return undefined
}
