import type { GeneratedLogprob, Source } from "../../domain/LlmEvent.ts"
import { textOfArguments } from "../FreeText.ts"
import { present, type JsonObject } from "../open-document.ts"
import { proofFor, type Proof } from "../SealedReasoning.ts"
import { annotationOf, renderLogprobs } from "./annotations.ts"
import { deltaStart, type Frames } from "./frames.ts"
import { openAiResponsesId } from "./wire.ts"

type Logprobs = ReadonlyArray<GeneratedLogprob> | undefined
export type FinalStatus = "completed" | "incomplete"
type ItemStatus = "in_progress" | FinalStatus

/** What takes the pieces of a block: renders them, or only takes note of those that were sent as the provider wrote them. */
export interface Target {
  delta(text: string, logprobs: Logprobs): string
  adopt(text: string, logprobs: Logprobs): void
}

/** An item of the output that is being written. Several may be open at once: each event names its place. */
export interface ItemWriter {
  readonly id: string
  readonly index: number
  /** the item as the provider ended it, where that was sent */
  final: JsonObject | undefined
  status: ItemStatus
  /** all that the model said in it */
  readonly text: string
  item(): JsonObject
  added(): string
  close(status: FinalStatus): string
}

abstract class Writer implements ItemWriter {
  readonly id: string
  readonly index: number
  final: JsonObject | undefined
  status: ItemStatus = "in_progress"
  protected readonly frames: Frames

  constructor(frames: Frames, id: string, index: number) {
    this.frames = frames
    this.id = id
    this.index = index
  }

  abstract readonly text: string
  abstract item(): JsonObject
  protected abstract ending(): string

  added(): string {
    return this.frames.event("response.output_item.added", { output_index: this.index, item: this.item() })
  }

  close(status: FinalStatus): string {
    if (this.status !== "in_progress") return ""
    const ending = this.ending()
    this.status = status
    return ending + this.frames.event("response.output_item.done", { output_index: this.index, item: this.item() })
  }

  protected get place(): JsonObject {
    return { item_id: this.id, output_index: this.index }
  }
}

/** A piece of a message. */
export class MessagePart implements Target {
  readonly message: MessageWriter
  text = ""
  open = true
  readonly annotations: Array<JsonObject> = []
  private readonly logprobs: Array<JsonObject> = []
  readonly refusal: boolean
  private readonly frames: Frames
  private readonly place: JsonObject
  private readonly start: string

  constructor(message: MessageWriter, frames: Frames, place: JsonObject, refusal: boolean) {
    this.message = message
    this.frames = frames
    this.place = place
    this.refusal = refusal
    this.start = deltaStart(refusal ? "response.refusal.delta" : "response.output_text.delta", place)
  }

  added(): string {
    return this.frames.event("response.content_part.added", { ...this.place, part: this.part() })
  }

  delta(text: string, logprobs: Logprobs): string {
    this.adopt(text, logprobs)
    if (this.refusal) return this.frames.delta(this.start, text)
    const stated = logprobs === undefined ? "[]" : JSON.stringify(renderLogprobs(logprobs))
    return this.frames.delta(this.start, text, `,"logprobs":${stated}`)
  }

  adopt(text: string, logprobs: Logprobs): void {
    this.text += text
    if (logprobs !== undefined) this.logprobs.push(...renderLogprobs(logprobs))
  }

  cite(source: Source): string {
    const annotation = annotationOf(source)
    const annotation_index = this.annotations.push(annotation) - 1
    const type = "response.output_text.annotation.added"
    return this.frames.event(type, { ...this.place, annotation_index, annotation })
  }

  close(): string {
    if (!this.open) return ""
    this.open = false
    const done = this.refusal
      ? this.frames.event("response.refusal.done", { ...this.place, refusal: this.text })
      : this.frames.event("response.output_text.done", { ...this.place, text: this.text, logprobs: this.logprobs })
    return done + this.frames.event("response.content_part.done", { ...this.place, part: this.part() })
  }

  part(): JsonObject {
    return this.refusal
      ? { type: "refusal", refusal: this.text }
      : { type: "output_text", annotations: [...this.annotations], logprobs: [...this.logprobs], text: this.text }
  }
}

/** A message of the model: texts and refusals one after the other. */
export class MessageWriter extends Writer {
  readonly parts: Array<MessagePart> = []
  /** nothing is added any more: the message is over when its open texts are */
  sealed = false
  private readonly more: JsonObject

  constructor(frames: Frames, id: string, index: number, more: JsonObject) {
    super(frames, id, index)
    this.more = more
  }

  get text(): string {
    return this.parts.map((part) => part.text).join("")
  }

  get idle(): boolean {
    return this.parts.every((part) => !part.open)
  }

  begin(refusal: boolean, index = this.parts.length): MessagePart {
    const part = new MessagePart(this, this.frames, { ...this.place, content_index: index }, refusal)
    this.parts.push(part)
    return part
  }

  item(): JsonObject {
    const { id, status } = this
    const content = status === "in_progress" ? [] : this.parts.map((part) => part.part())
    return this.final ?? { id, type: "message", status, content, role: "assistant", ...this.more }
  }

  protected ending(): string {
    return this.parts.map((part) => part.close()).join("")
  }
}

/** Reasoning, told as a summary, which is what callers show. */
export class ReasoningWriter extends Writer implements Target {
  text = ""
  proof: Proof = {}
  private summarised = false
  private readonly start = deltaStart("response.reasoning_summary_text.delta", this.summary)

  delta(text: string): string {
    const added = this.summarised
      ? ""
      : this.frames.event("response.reasoning_summary_part.added", { ...this.summary, part: summaryPart("") })
    this.adopt(text)
    return added + this.frames.delta(this.start, text)
  }

  adopt(text: string): void {
    this.summarised = true
    this.text += text
  }

  item(): JsonObject {
    return (
      this.final ?? {
        id: this.id,
        type: "reasoning",
        summary: this.summarised && this.status !== "in_progress" ? [summaryPart(this.text)] : [],
        ...present({ encrypted_content: proofFor(openAiResponsesId, this.proof) })
      }
    )
  }

  protected ending(): string {
    if (!this.summarised) return ""
    const { text } = this
    return (
      this.frames.event("response.reasoning_summary_text.done", { ...this.summary, text }) +
      this.frames.event("response.reasoning_summary_part.done", { ...this.summary, part: summaryPart(text) })
    )
  }

  private get summary(): JsonObject {
    return { ...this.place, summary_index: 0 }
  }
}

const summaryPart = (text: string): JsonObject => ({ type: "summary_text", text })

/** What a call is besides its arguments: which, and what this format once said of it. */
export interface CallHead {
  readonly callId: string
  readonly name: string
  readonly custom: boolean
  /** whether the text of a custom tool stands in an object, out of which it can be told when it is complete */
  readonly wrapped: boolean
  readonly more: JsonObject
}

/** A call of a client's tool. */
export class CallWriter extends Writer implements Target {
  text = ""
  private told = false
  private input: string | undefined
  private readonly head: CallHead
  private readonly start: string

  constructor(frames: Frames, id: string, index: number, head: CallHead) {
    super(frames, id, index)
    this.head = head
    this.start = deltaStart(`${this.event}.delta`, this.place)
  }

  private get event(): string {
    return this.head.custom ? "response.custom_tool_call_input" : "response.function_call_arguments"
  }

  delta(text: string): string {
    this.text += text
    if (this.head.wrapped) return ""
    this.told = true
    return this.frames.delta(this.start, text)
  }

  adopt(text: string): void {
    this.text += text
    this.told = true
  }

  /** The input is complete; what was never told piece by piece is one piece. */
  complete(input: string): string {
    this.input = input
    const { whole } = this
    return this.told || whole === "" ? "" : this.frames.delta(this.start, whole)
  }

  private get whole(): string {
    const input = this.input ?? this.text
    return this.head.wrapped ? textOfArguments(input) : input
  }

  item(): JsonObject {
    const { callId, name, custom, more } = this.head
    const { status } = this
    const input = status === "in_progress" ? "" : this.whole
    return (
      this.final ?? {
        ...more,
        id: this.id,
        type: custom ? "custom_tool_call" : "function_call",
        status,
        ...(custom ? { input } : { arguments: input }),
        call_id: callId,
        name
      }
    )
  }

  protected ending(): string {
    return this.frames.event(
      `${this.event}.done`,
      this.head.custom
        ? { ...this.place, input: this.whole }
        : { ...this.place, name: this.head.name, arguments: this.whole }
    )
  }
}

/** An item that comes whole: what it is when it begins, and what it is when it is done. */
export class WholeWriter extends Writer {
  readonly text = ""
  private readonly begun: JsonObject

  constructor(frames: Frames, id: string, index: number, begun: JsonObject) {
    super(frames, id, index)
    this.begun = begun
  }

  item(): JsonObject {
    return this.final ?? this.begun
  }

  override added(): string {
    const item = "status" in this.begun ? { ...this.begun, status: "in_progress" } : this.begun
    return this.frames.event("response.output_item.added", { output_index: this.index, item })
  }

  protected ending(): string {
    return ""
  }
}
