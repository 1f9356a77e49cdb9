import type { GeneratedLogprob } from "../../domain/LlmEvent.ts"
import { textOfBeginning } from "../FreeText.ts"
import type { JsonObject } from "../open-document.ts"
import { deltaStart, type Frames } from "./frames.ts"

export type Logprobs = ReadonlyArray<GeneratedLogprob> | undefined
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
  /** the same with what comes next */
  textWith(more: string): string
  item(): JsonObject
  added(): string
  close(status: FinalStatus): string
}

/** What all items have in common: their place, their beginning and their end. */
export abstract class Writer implements ItemWriter {
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

  textWith(more: string): string {
    return this.text + more
  }

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

/** What a call is besides its arguments: which, and what this format once said of it. */
export interface CallHead {
  readonly callId: string
  readonly name: string
  /** whether it is told a text, which the arguments have in an object: it can be told when that is complete */
  readonly custom: boolean
  readonly more: JsonObject
}

/** A call of a client's tool. */
export class CallWriter extends Writer implements Target {
  private args = ""
  /** the arguments as far as the caller was told of them */
  private told = ""
  private readonly head: CallHead
  private readonly start: string

  constructor(frames: Frames, id: string, index: number, head: CallHead) {
    super(frames, id, index)
    this.head = head
    this.start = deltaStart(`${this.event}.delta`, this.place)
  }

  get text(): string {
    return this.textWith("")
  }

  override textWith(more: string): string {
    const args = this.args + more
    return this.head.custom ? textOfBeginning(args) : args
  }

  private get event(): string {
    return this.head.custom ? "response.custom_tool_call_input" : "response.function_call_arguments"
  }

  delta(text: string): string {
    this.args += text
    if (this.head.custom) return ""
    this.told = this.args
    return this.frames.delta(this.start, text)
  }

  adopt(text: string): void {
    this.args += text
    this.told = this.args
  }

  /** The arguments are complete; what was not told of them piece by piece is one piece. */
  complete(args: string): string {
    this.args = args
    const { text } = this
    const rest = this.head.custom && this.told !== "" ? restOf(text, textOfBeginning(this.told)) : text
    return rest === "" || (this.told !== "" && !this.head.custom) ? "" : this.frames.delta(this.start, rest)
  }

  item(): JsonObject {
    const { callId, name, custom, more } = this.head
    const { status } = this
    const input = status === "in_progress" ? "" : this.text
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
        ? { ...this.place, input: this.text }
        : { ...this.place, name: this.head.name, arguments: this.text }
    )
  }
}

const restOf = (text: string, beginning: string): string =>
  text.startsWith(beginning) ? text.slice(beginning.length) : ""

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
