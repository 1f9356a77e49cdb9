import type { Source } from "../../domain/LlmEvent.ts"
import type { JsonObject } from "../open-document.ts"
import { annotationOf, renderLogprobs } from "./annotations.ts"
import { deltaStart, type Frames } from "./frames.ts"
import { type Logprobs, type Target, Writer } from "./item-writers.ts"

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
