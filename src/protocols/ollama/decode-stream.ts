import type { LlmError } from "../../domain/LlmError.ts"
import type { GeneratedLogprob, LlmEvent } from "../../domain/LlmEvent.ts"
import { noUsage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { JsonSeries } from "../JsonSeries.ts"
import { isObject } from "../open-document.ts"
import type { StreamDecoder } from "../Protocol.ts"
import { startedOf } from "../started.ts"
import { incompleteStream, malformedFrame } from "../stream-failures.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"
import { finishedArguments } from "../ToolArguments.ts"
import { streamError } from "./errors.ts"
import { finishReasonOf } from "./finish-reasons.ts"
import { ollamaId, readChunk, type Chunk, type Logprob, type ToolCall } from "./wire.ts"

type BlockKind = "Text" | "Reasoning"

/**
 * What is known of one answer so far, be it a stream or whole. Lines are pieces without a word about blocks: a piece of
 * another kind ends the block before it.
 */
class AnswerDecoder implements StreamDecoder {
  private readonly documents = new JsonSeries()
  private started = false
  private done = false
  private calls = 0
  private blocks = 0
  private open: { readonly kind: BlockKind; readonly id: string } | undefined

  step(frame: WireFrame, events: Events): LlmError | undefined {
    if (this.done) return undefined
    const value = this.documents.parse(frame.data)
    if (value === undefined) return malformedFrame
    return isError(value) ? streamError(value, frame.raw) : this.read(value, events)
  }

  halt(): LlmError | undefined {
    return this.done ? undefined : incompleteStream(this.started)
  }

  /** A whole answer, which is its own last line. */
  whole(value: unknown, events: Events): LlmError | undefined {
    return this.read(isObject(value) ? { ...value, done: true } : value, events)
  }

  private read(value: unknown, events: Events): LlmError | undefined {
    const chunk = readChunk(value)
    if (chunk === undefined) return malformedFrame
    if (!this.started) this.start(chunk, events)
    const { message, response, logprobs } = chunk
    this.reasoning(message?.thinking ?? chunk.thinking ?? "", events)
    this.text(message?.content ?? response ?? "", logprobs ?? undefined, events)
    for (const call of message?.tool_calls ?? []) this.call(call, chunk.created_at ?? "", events)
    if (chunk.done === true) this.finish(chunk, events)
    return undefined
  }

  private start({ model, created_at: createdAt }: Chunk, events: Events): void {
    this.started = true
    events.push(startedOf({ model, created: createdAt }))
  }

  private reasoning(text: string, events: Events): void {
    if (text === "") return
    events.push({ _tag: "ReasoningDelta", id: this.block("Reasoning", events), text })
  }

  private text(text: string, logprobs: ReadonlyArray<Logprob> | undefined, events: Events): void {
    if (text === "") return
    const id = this.block("Text", events)
    if (logprobs === undefined || logprobs.length === 0) events.push({ _tag: "TextDelta", id, text })
    else events.push({ _tag: "TextDelta", id, text, logprobs: logprobs.map(generatedLogprob) })
  }

  /**
   * Calls come whole. One without an id gets one of the moment in which it was made and its place in the answer: the same
   * for the same bytes, another for a call of a later turn.
   */
  private call({ id: stated, function: { name, arguments: input } }: ToolCall, moment: string, events: Events): void {
    this.endBlock(events)
    const id = typeof stated === "string" && stated !== "" ? stated : `call_${letters(moment)}_${this.calls}`
    this.calls++
    const text = typeof input === "string" ? input : input === undefined || input === null ? "" : JSON.stringify(input)
    events.push({ _tag: "ToolInputStart", id, name })
    if (text !== "") events.push({ _tag: "ToolInputDelta", id, text })
    events.push({ _tag: "ToolInputEnd", id }, { _tag: "ToolCall", id, name, ...finishedArguments(text) })
  }

  private block(kind: BlockKind, events: Events): string {
    if (this.open?.kind === kind) return this.open.id
    this.endBlock(events)
    const id = `block-${this.blocks++}`
    this.open = { kind, id }
    events.push({ _tag: `${kind}Start`, id })
    return id
  }

  private endBlock(events: Events): void {
    if (this.open === undefined) return
    const { id, kind } = this.open
    if (kind === "Text") events.push({ _tag: "TextEnd", id })
    // Nobody signs thoughts here, and only servers of this format take them back.
    else events.push({ _tag: "ReasoningEnd", id, origin: ollamaId })
    this.open = undefined
  }

  private finish({ done_reason: rawReason, ...counts }: Chunk, events: Events): void {
    this.endBlock(events)
    this.done = true
    const usage = statedUsage({
      inputTokens: tokenCount(counts.prompt_eval_count),
      cachedTokens: tokenCount(counts.prompt_eval_cached_count),
      outputTokens: tokenCount(counts.eval_count)
    })
    events.push({
      _tag: "Finish",
      reason: finishReasonOf(rawReason ?? undefined, this.calls > 0),
      ...present({ rawReason: rawReason === "" ? undefined : rawReason }),
      usage: usage ?? noUsage
    })
  }
}

type Events = Array<LlmEvent>

const letters = (text: string): string => text.replaceAll(/[^0-9a-zA-Z]/g, "")

const isError = (value: unknown): boolean =>
  isObject(value) && value["error"] !== undefined && value["error"] !== null && value["error"] !== ""

const generatedLogprob = ({ top_logprobs: top, ...token }: Logprob): GeneratedLogprob => ({
  ...tokenLogprob(token),
  top: (top ?? []).map(tokenLogprob)
})

const tokenLogprob = ({ token, logprob, bytes }: Omit<Logprob, "top_logprobs">) => ({
  token,
  logprob,
  ...present({ bytes })
})

/** Decodes one stream of the chat API. */
export const makeStreamDecoder = (): StreamDecoder => new AnswerDecoder()

/** Decodes a whole answer of the chat API as the events that a stream of it would have been. */
export const decodeWhole = (body: unknown, events: Events): LlmError | undefined => {
  if (isError(body)) return streamError(body, JSON.stringify(body))
  if (!isObject(body) || (!isObject(body["message"]) && typeof body["response"] !== "string")) return malformedFrame
  return new AnswerDecoder().whole(body, events)
}
