import type { LlmEvent, Source } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { tokenCount } from "../token-counts.ts"
import { geminiInteractionsId, isTyped, type Typed } from "./wire.ts"

type Events = Array<LlmEvent>

/** What the model says: texts with their annotations, images and sounds, in the order in which they come. */
export class OutputStep {
  /** whether the step says that it came to nothing */
  readonly failed: boolean
  private readonly id: string
  private texts = 0
  /** the open text, in pieces: annotations count in it */
  private open: { readonly id: string; readonly pieces: Array<string> } | undefined

  constructor(step: Typed, id: string, events: Events) {
    this.id = id
    const { content, error } = step
    this.failed = isObject(error)
    if (this.failed) events.push(passed(present({ type: step.type, error })))
    for (const piece of Array.isArray(content) ? content : []) {
      if (!isTyped(piece)) continue
      this.endText(events)
      this.delta(piece, events)
    }
  }

  /** A delta is like a piece of content: a text, a medium, or annotations of the text before it. */
  delta(delta: Typed, events: Events): void {
    const { annotations } = delta
    if (delta.type === "text") {
      const { text } = delta
      if (typeof text === "string" && text !== "") this.write(text, events)
    } else if (!Array.isArray(annotations)) return this.medium(delta, events)
    for (const annotation of Array.isArray(annotations) ? annotations : []) {
      if (isObject(annotation))
        events.push(isCitation(annotation) ? sourceOf(annotation, this.open) : passed(annotation))
    }
  }

  end(events: Events): void {
    this.endText(events)
  }

  private write(text: string, events: Events): void {
    if (this.open === undefined) {
      const id = this.texts === 0 ? this.id : `${this.id}-${this.texts}`
      this.texts++
      this.open = { id, pieces: [] }
      events.push({ _tag: "TextStart", id })
    }
    this.open.pieces.push(text)
    events.push({ _tag: "TextDelta", id: this.open.id, text })
  }

  private endText(events: Events): void {
    if (this.open !== undefined) events.push({ _tag: "TextEnd", id: this.open.id })
    this.open = undefined
  }

  private medium(piece: Typed, events: Events): void {
    this.endText(events)
    const { data, mime_type: mediaType } = piece
    events.push(
      typeof data === "string" && typeof mediaType === "string" ? { _tag: "Media", mediaType, data } : passed(piece)
    )
  }
}

interface CitedText {
  readonly id: string
  readonly pieces: ReadonlyArray<string>
}

/** Other annotations say who speaks, how, and when which word is heard. */
const isCitation = ({ type = "citation" }: JsonObject): boolean => String(type).endsWith("citation")

/** What this format alone has words for. */
const passed = (value: JsonObject): LlmEvent => ({ _tag: "Opaque", protocol: geminiInteractionsId, value })

/** An annotation as a source. Offsets are bytes of UTF-8 here, and code units in the event. */
const sourceOf = (annotation: JsonObject, cited: CitedText | undefined): Source => {
  const string = (...keys: ReadonlyArray<string>) =>
    keys.map((key) => annotation[key]).find((value) => typeof value === "string" && value !== "")
  const url = string("url", "document_uri")
  return {
    _tag: "Source",
    ...(cited === undefined ? {} : { block: cited.id, ...placeOf(annotation, cited.pieces) }),
    ...present({
      url: typeof url === "string" && /^https?:/i.test(url) ? url : undefined,
      // What was found is text, as `string` only finds texts.
      title: string("title", "file_name", "name") as string | undefined
    }),
    origin: { protocol: geminiInteractionsId, value: annotation }
  }
}

const placeOf = (annotation: JsonObject, pieces: ReadonlyArray<string>) => {
  const end = tokenCount(annotation["end_index"])
  if (end === undefined) return {}
  const bytes = Buffer.from(pieces.join(""))
  const units = (offset: number) => bytes.subarray(0, offset).toString().length
  return { start: units(tokenCount(annotation["start_index"]) ?? 0), end: units(end) }
}
