import { Schema } from "effect"
import { GrowingText } from "./GrowingText.ts"
import { FinishReason, GeneratedLogprob, Source, type LlmEvent } from "./LlmEvent.ts"
import { mergeUsage, noUsage, Usage } from "./Usage.ts"

const block = { id: Schema.String }

/**
 * A piece of an answer, complete or as far as it came. `ToolCall.valid` is false where the arguments are not (yet) a
 * JSON object; `Text.sources` are the citations that belong to the block, `Reasoning.origin` the wire format that signed it.
 */
export const ResponsePart = Schema.Union([
  Schema.TaggedStruct("Text", {
    ...block,
    text: Schema.String,
    sources: Schema.optionalKey(Schema.Array(Source)),
    logprobs: Schema.optionalKey(Schema.Array(GeneratedLogprob)),
    origin: Schema.optionalKey(Schema.Struct({ protocol: Schema.String, value: Schema.Json }))
  }),
  Schema.TaggedStruct("Reasoning", {
    ...block,
    text: Schema.String,
    signature: Schema.optionalKey(Schema.String),
    redacted: Schema.optionalKey(Schema.String),
    origin: Schema.optionalKey(Schema.String)
  }),
  Schema.TaggedStruct("ToolCall", {
    ...block,
    name: Schema.String,
    arguments: Schema.String,
    valid: Schema.Boolean,
    providerExecuted: Schema.optionalKey(Schema.Boolean),
    origin: Schema.optionalKey(Schema.Struct({ protocol: Schema.String, value: Schema.Json }))
  }),
  Schema.TaggedStruct("ToolResult", { callId: Schema.String, protocol: Schema.String, value: Schema.Json }),
  Schema.TaggedStruct("Refusal", { text: Schema.String }),
  Schema.TaggedStruct("Media", { mediaType: Schema.String, data: Schema.String }),
  Schema.TaggedStruct("Opaque", { protocol: Schema.String, value: Schema.Json })
]).pipe(Schema.toTaggedUnion("_tag"))
export type ResponsePart = typeof ResponsePart.Type

/** One answer; there are several where `n > 1` was asked for. `finish` is absent while it is not complete. */
export const Choice = Schema.Struct({
  index: Schema.Natural,
  parts: Schema.Array(ResponsePart),
  sources: Schema.optionalKey(Schema.Array(Source)),
  finish: Schema.optionalKey(
    Schema.Struct({
      reason: FinishReason,
      rawReason: Schema.optionalKey(Schema.String),
      stopSequence: Schema.optionalKey(Schema.String),
      origin: Schema.optionalKey(Schema.Struct({ protocol: Schema.String, value: Schema.Json }))
    })
  )
})
export type Choice = typeof Choice.Type

/** The fold of the events of one call: what the non-streaming API returns and what the record keeps. */
export const LlmResponse = Schema.Struct({
  id: Schema.String,
  model: Schema.String,
  created: Schema.optionalKey(Schema.Natural),
  serviceTier: Schema.optionalKey(Schema.String),
  choices: Schema.Array(Choice),
  usage: Usage
})
export type LlmResponse = typeof LlmResponse.Type

/** The text of an answer: all its text blocks in order, as one string. */
export const textOf = (choice: Choice | undefined): string => {
  let text = ""
  for (const part of choice?.parts ?? []) if (part._tag === "Text") text += part.text
  return text
}

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends ReadonlyArray<infer A> | undefined ? Array<A> | Extract<T[K], undefined> : T[K]
}
type OpenChoice = {
  index: number
  parts: Array<Mutable<ResponsePart>>
  sources?: Array<Source>
  finish?: NonNullable<Choice["finish"]>
}

type GrowingPart = Mutable<Extract<ResponsePart, { readonly _tag: "Text" | "Reasoning" | "ToolCall" }>>

/** A block of the answer, and what of its text or arguments has come. */
interface OpenBlock {
  readonly part: GrowingPart
  readonly pieces: GrowingText
}

const write = ({ part, pieces }: OpenBlock): void => {
  if (part._tag === "ToolCall") part.arguments = pieces.text
  else part.text = pieces.text
}

/**
 * Folds events into an `LlmResponse`, one mutable fold per call: appending costs the size of the event, never of what
 * was accumulated. `response()` may be asked at any time, also of a stream that broke off.
 */
export class ResponseFold {
  private head: { id: string; model: string; created?: number; serviceTier?: string } = { id: "", model: "" }
  private readonly choices: Array<OpenChoice> = []
  private readonly blocks = new Map<string, OpenBlock>()
  private usage: Usage = noUsage

  /** Takes one event into account. */
  add(event: LlmEvent): void {
    switch (event._tag) {
      case "TextDelta": {
        const part = this.grow(event, "Text")
        if (event.logprobs !== undefined && part?._tag === "Text") (part.logprobs ??= []).push(...event.logprobs)
        return
      }
      case "ReasoningDelta":
        this.grow(event, "Reasoning")
        return
      case "ToolInputDelta":
        this.grow(event, "ToolCall")
        return
      case "Started":
        this.head = {
          id: event.id,
          model: event.model,
          ...(event.created === undefined ? {} : { created: event.created }),
          ...(event.serviceTier === undefined ? {} : { serviceTier: event.serviceTier })
        }
        return
      case "UsageReported":
        this.usage = mergeUsage(this.usage, event.usage)
        return
      default:
        this.addRare(event)
    }
  }

  private addRare(event: LlmEvent): void {
    switch (event._tag) {
      case "TextStart":
        return this.open(event, {
          _tag: "Text",
          id: event.id,
          text: "",
          ...(event.origin === undefined ? {} : { origin: event.origin })
        })
      case "ReasoningStart":
        return this.open(event, {
          _tag: "Reasoning",
          id: event.id,
          text: "",
          ...(event.redacted === undefined ? {} : { redacted: event.redacted }),
          ...(event.origin === undefined ? {} : { origin: event.origin })
        })
      case "ReasoningEnd": {
        const part = this.blocks.get(event.id)?.part
        if (part?._tag !== "Reasoning") return
        if (event.signature !== undefined) part.signature = event.signature
        if (event.origin !== undefined) part.origin = event.origin
        return
      }
      case "ToolInputStart":
        return this.open(event, {
          _tag: "ToolCall",
          id: event.id,
          name: event.name,
          arguments: "",
          valid: false,
          ...(event.providerExecuted === undefined ? {} : { providerExecuted: event.providerExecuted }),
          ...(event.origin === undefined ? {} : { origin: event.origin })
        })
      case "ToolCall": {
        const block = this.blocks.get(event.id)
        if (block?.part._tag === "ToolCall") {
          block.part.valid = event.valid
          block.pieces.replace(event.arguments)
        } else {
          const { choice: _, ...call } = event
          this.open(event, call)
        }
        return
      }
      case "RefusalDelta": {
        const parts = this.choice(event.choice).parts
        const last = parts.at(-1)
        if (last?._tag === "Refusal") last.text += event.text
        else parts.push({ _tag: "Refusal", text: event.text })
        return
      }
      case "Source": {
        const part = event.block === undefined ? undefined : this.blocks.get(event.block)?.part
        const owner = part?._tag === "Text" ? part : this.choice(event.choice)
        ;(owner.sources ??= []).push(event)
        return
      }
      case "Opaque": {
        const { choice, textAt: _, ...part } = event
        this.choice(choice).parts.push(part)
        return
      }
      case "ToolResult":
      case "Media": {
        const { choice, ...part } = event
        this.choice(choice).parts.push(part)
        return
      }
      case "ChoiceFinish":
        this.choice(event.choice).finish = {
          reason: event.reason,
          ...(event.rawReason === undefined ? {} : { rawReason: event.rawReason })
        }
        return
      case "Finish":
        this.usage = mergeUsage(this.usage, event.usage)
        this.choice(0).finish = {
          reason: event.reason,
          ...(event.rawReason === undefined ? {} : { rawReason: event.rawReason }),
          ...(event.stopSequence === undefined ? {} : { stopSequence: event.stopSequence }),
          ...(event.origin === undefined ? {} : { origin: event.origin })
        }
        return
    }
  }

  private choice(index = 0): OpenChoice {
    return (this.choices[index] ??= { index, parts: [] })
  }

  /** Adds a piece to its block, where that is of the kind; says which it is. */
  private grow(
    event: { readonly id: string; readonly text: string },
    kind: GrowingPart["_tag"]
  ): GrowingPart | undefined {
    const block = this.blocks.get(event.id)
    if (block?.part._tag !== kind) return undefined
    block.pieces.add(event.text)
    return block.part
  }

  private open(event: { readonly id: string; readonly choice?: number }, part: GrowingPart): void {
    const before = this.blocks.get(event.id)
    // There are providers that call twice by one id.
    if (before !== undefined) write(before)
    const pieces = new GrowingText()
    if (part._tag === "ToolCall") pieces.add(part.arguments)
    this.blocks.set(event.id, { part, pieces })
    this.choice(event.choice).parts.push(part)
  }

  /** The answer as far as it came. */
  response(): LlmResponse {
    for (const block of this.blocks.values()) write(block)
    // Holes appear where a further choice spoke before an earlier one did.
    return { ...this.head, choices: this.choices.filter((choice) => choice !== undefined), usage: this.usage }
  }
}

/** The fold of a complete list of events. */
export const foldEvents = (events: Iterable<LlmEvent>): LlmResponse => {
  const fold = new ResponseFold()
  for (const event of events) fold.add(event)
  return fold.response()
}
