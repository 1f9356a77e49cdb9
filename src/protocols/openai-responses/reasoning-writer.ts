import { present } from "../../domain/present.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { proofFor, type Proof } from "../SealedReasoning.ts"
import { deltaStart } from "./frames.ts"
import { type Target, Writer } from "./item-writers.ts"
import { betweenParts } from "./stated-text.ts"
import { openAiResponsesId } from "./wire.ts"

/** How reasoning is told: as summaries of it, or as the thoughts themselves, which servers of open models do. */
const forms = ["summary", "content"] as const
type Form = (typeof forms)[number]

interface Words {
  readonly type: string
  readonly part: string
  readonly text: string
  readonly index: string
}

const words: { readonly [form in Form]: Words } = {
  summary: {
    type: "summary_text",
    part: "response.reasoning_summary_part",
    text: "response.reasoning_summary_text",
    index: "summary_index"
  },
  content: {
    type: "reasoning_text",
    part: "response.content_part",
    text: "response.reasoning_text",
    index: "content_index"
  }
}

/** A part of reasoning. */
interface Part {
  readonly form: Form
  readonly place: JsonObject
  readonly start: string
  text: string
}

const partOf = ({ form, text }: Part): JsonObject => ({ type: words[form].type, text })

/**
 * Reasoning. What is rendered is one summary, which is what callers show. Where the provider's own frames began to tell it
 * otherwise, in several parts or as thoughts, it goes on so: the caller knows the parts that were announced.
 */
export class ReasoningWriter extends Writer implements Target {
  text = ""
  proof: Proof = {}
  private readonly parts: Array<Part> = []
  private open: Part | undefined

  delta(text: string): string {
    const { open } = this
    const part = open ?? this.next(this.parts.at(-1)?.form ?? "summary")
    const added =
      open === undefined
        ? this.frames.event(`${words[part.form].part}.added`, { ...part.place, part: partOf(part) })
        : ""
    return added + this.frames.delta(part.start, this.write(part, text))
  }

  adopt(text: string): void {
    this.write(this.open ?? this.next("summary"), text)
  }

  /** whether the next piece goes on with a part that the caller knows */
  get goesOn(): boolean {
    return this.open !== undefined
  }

  /** Takes note of a frame of the provider's that begins or ends a part; not every server announces them. */
  adoptPart({ type, part }: JsonObject): void {
    for (const form of forms) {
      const { part: parts, text, type: kind } = words[form]
      const isIt = isObject(part) && part["type"] === kind
      if (type === `${parts}.done` && isIt) this.open = undefined
      const begins = (type === `${parts}.added` && isIt) || (type === `${text}.delta` && this.open === undefined)
      if (begins) this.next(form)
    }
  }

  item(): JsonObject {
    const told = this.status === "in_progress" ? [] : this.parts
    const content = told.filter(({ form }) => form === "content").map(partOf)
    return (
      this.final ?? {
        id: this.id,
        type: "reasoning",
        summary: told.filter(({ form }) => form === "summary").map(partOf),
        ...(content.length === 0 ? {} : { content }),
        ...present({ encrypted_content: proofFor(openAiResponsesId, this.proof) })
      }
    )
  }

  protected ending(): string {
    const { open } = this
    this.open = undefined
    if (open === undefined) return ""
    const { part, text } = words[open.form]
    return (
      this.frames.event(`${text}.done`, { ...open.place, text: open.text }) +
      this.frames.event(`${part}.done`, { ...open.place, part: partOf(open) })
    )
  }

  private next(form: Form): Part {
    const index = this.parts.filter((part) => part.form === form).length
    const place = { ...this.place, [words[form].index]: index }
    this.open = { form, place, start: deltaStart(`${words[form].text}.delta`, place), text: "" }
    this.parts.push(this.open)
    return this.open
  }

  /** Adds to a part what of a text stands in it: what stands between two parts does not. */
  private write(part: Part, text: string): string {
    const isNext = part.text === "" && this.parts.length > 1
    const own = isNext && text.startsWith(betweenParts) ? text.slice(betweenParts.length) : text
    this.text += text
    part.text += own
    return own
  }
}
