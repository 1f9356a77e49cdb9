import { Schema } from "effect"
import { Usage } from "./Usage.ts"

/**
 * Why the model stopped, in one vocabulary; the provider's own word stands beside it as `rawReason`.
 *
 * `unknown` is an ending whose reason was not stated or has no counterpart here. It is never an error.
 */
export const FinishReason = Schema.Literals([
  "stop",
  "length",
  "tool-calls",
  "content-filter",
  "refusal",
  "pause",
  "error",
  "unknown"
])
export type FinishReason = typeof FinishReason.Type

/** One candidate token with its log probability; `bytes` are its UTF-8 bytes where the provider gives them. */
export const TokenLogprob = Schema.Struct({
  token: Schema.String,
  logprob: Schema.Finite,
  bytes: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.Int)))
})
export type TokenLogprob = typeof TokenLogprob.Type

/** A generated token, and the most likely ones in its place. */
export const GeneratedLogprob = Schema.Struct({
  ...TokenLogprob.fields,
  top: Schema.Array(TokenLogprob)
})
export type GeneratedLogprob = typeof GeneratedLogprob.Type

/** `choice` is the index of the answer where several were asked for (`n > 1`); absent means the first. */
const choice = { choice: Schema.optionalKey(Schema.Natural) }
const block = { id: Schema.String, ...choice }

/** The provider accepted the request and named itself. `created` is in seconds since the epoch. */
export const Started = Schema.TaggedStruct("Started", {
  id: Schema.String,
  model: Schema.String,
  created: Schema.optionalKey(Schema.Natural),
  serviceTier: Schema.optionalKey(Schema.String)
})
export type Started = typeof Started.Type

/** A block of visible text begins. `origin` is what its wire format says of it beyond that (what it is to the answer). */
export const TextStart = Schema.TaggedStruct("TextStart", {
  ...block,
  origin: Schema.optionalKey(Schema.Struct({ protocol: Schema.String, value: Schema.Json }))
})
/** The next piece of a text block; it may be cut anywhere between two UTF-16 code units. */
export const TextDelta = Schema.TaggedStruct("TextDelta", {
  ...block,
  text: Schema.String,
  logprobs: Schema.optionalKey(Schema.Array(GeneratedLogprob))
})
export type TextDelta = typeof TextDelta.Type
/** A text block is complete. */
export const TextEnd = Schema.TaggedStruct("TextEnd", block)

/** The model declines, where the provider keeps that apart from the text. */
export const RefusalDelta = Schema.TaggedStruct("RefusalDelta", { ...choice, text: Schema.String })

/** The wire format whose provider signed or encrypted reasoning: nobody else takes it back. */
const signedBy = { origin: Schema.optionalKey(Schema.String) }

/** Reasoning begins. `redacted` is the encrypted form that stands in place of text, complete. */
export const ReasoningStart = Schema.TaggedStruct("ReasoningStart", {
  ...block,
  ...signedBy,
  redacted: Schema.optionalKey(Schema.String)
})
/** The next piece of reasoning that the provider shows. */
export const ReasoningDelta = Schema.TaggedStruct("ReasoningDelta", { ...block, text: Schema.String })
/** Reasoning ends. `signature` is the provider's proof of it, byte for byte, needed in the next turn. */
export const ReasoningEnd = Schema.TaggedStruct("ReasoningEnd", {
  ...block,
  ...signedBy,
  signature: Schema.optionalKey(Schema.String)
})

/**
 * The model begins to write the arguments of a tool call. `id` is the call's id. `origin` is what its wire format says of
 * the call beyond that (the server that runs it, the program that made it), for a caller of the same format.
 */
export const ToolInputStart = Schema.TaggedStruct("ToolInputStart", {
  ...block,
  name: Schema.String,
  providerExecuted: Schema.optionalKey(Schema.Boolean),
  origin: Schema.optionalKey(Schema.Struct({ protocol: Schema.String, value: Schema.Json }))
})
/** The next piece of a tool call's arguments: JSON text, cut anywhere. */
export const ToolInputDelta = Schema.TaggedStruct("ToolInputDelta", { ...block, text: Schema.String })
/** The arguments are complete; the `ToolCall` that follows has them whole. */
export const ToolInputEnd = Schema.TaggedStruct("ToolInputEnd", block)

/**
 * A tool call is complete. `arguments` is the JSON text as the model wrote it, `{}` where it wrote nothing; `valid` is
 * false where it is not a JSON object (a token limit cut it), and such a call must never be run.
 * `providerExecuted` calls are run by the provider itself: a caller never runs them.
 */
export const ToolCall = Schema.TaggedStruct("ToolCall", {
  ...block,
  name: Schema.String,
  arguments: Schema.String,
  valid: Schema.Boolean,
  providerExecuted: Schema.optionalKey(Schema.Boolean)
})
export type ToolCall = typeof ToolCall.Type

/** What a tool run by the provider answered: its block, verbatim, for the format named by `protocol`. */
export const ToolResult = Schema.TaggedStruct("ToolResult", {
  ...choice,
  callId: Schema.String,
  protocol: Schema.String,
  value: Schema.Json
})

/**
 * A source that the answer cites. `block` is the id of the text block it belongs to, offsets count UTF-16 code units
 * of that text. `origin` is the citation as its wire format wrote it.
 */
export const Source = Schema.TaggedStruct("Source", {
  ...choice,
  block: Schema.optionalKey(Schema.String),
  url: Schema.optionalKey(Schema.String),
  title: Schema.optionalKey(Schema.String),
  citedText: Schema.optionalKey(Schema.String),
  start: Schema.optionalKey(Schema.Natural),
  end: Schema.optionalKey(Schema.Natural),
  origin: Schema.optionalKey(Schema.Struct({ protocol: Schema.String, value: Schema.Json }))
})
export type Source = typeof Source.Type

/** The model made an image or a sound. `data` is base64. */
export const Media = Schema.TaggedStruct("Media", {
  ...choice,
  mediaType: Schema.String,
  data: Schema.String
})

/**
 * A provider's block that has no canonical form, verbatim, for the format named by `protocol`. `textAt` leads through the
 * properties of `value` to the next piece of a text that goes on from event to event: the words of what is heard.
 */
export const Opaque = Schema.TaggedStruct("Opaque", {
  ...choice,
  protocol: Schema.String,
  value: Schema.Json,
  textAt: Schema.optionalKey(Schema.Array(Schema.String))
})

/** What was used so far. Statements are cumulative: per field the last one wins. */
export const UsageReported = Schema.TaggedStruct("UsageReported", { usage: Usage })

/** A further answer (`n > 1`, choice ≥ 1) is complete. The first one ends with `Finish`. */
export const ChoiceFinish = Schema.TaggedStruct("ChoiceFinish", {
  choice: Schema.Natural,
  reason: FinishReason,
  rawReason: Schema.optionalKey(Schema.String)
})

/**
 * The answer is complete. Exactly one, and the last event of every stream that ends well. `origin` is what its wire format
 * says of the answer as a whole beyond that, for a caller of the same format.
 */
export const Finish = Schema.TaggedStruct("Finish", {
  reason: FinishReason,
  rawReason: Schema.optionalKey(Schema.String),
  stopSequence: Schema.optionalKey(Schema.String),
  usage: Usage,
  origin: Schema.optionalKey(Schema.Struct({ protocol: Schema.String, value: Schema.Json }))
})
export type Finish = typeof Finish.Type

/**
 * The canonical stream event. Blocks (text, reasoning, tool input) have an id that is unique in the stream and go
 * start, deltas, end; several may be open at once. `ToolCall` follows its `ToolInputEnd`.
 */
export const LlmEvent = Schema.Union([
  Started,
  TextStart,
  TextDelta,
  TextEnd,
  RefusalDelta,
  ReasoningStart,
  ReasoningDelta,
  ReasoningEnd,
  ToolInputStart,
  ToolInputDelta,
  ToolInputEnd,
  ToolCall,
  ToolResult,
  Source,
  Media,
  Opaque,
  UsageReported,
  ChoiceFinish,
  Finish
]).pipe(Schema.toTaggedUnion("_tag"))
export type LlmEvent = typeof LlmEvent.Type

/**
 * Whether an event is the model's own content: from the first one on an attempt is committed, so that it can no longer
 * be tried elsewhere without the caller noticing.
 */
export const isContent = (event: LlmEvent): boolean => {
  switch (event._tag) {
    case "TextDelta":
    case "ReasoningDelta":
    case "RefusalDelta":
      return event.text !== ""
    case "ReasoningStart":
      return event.redacted !== undefined
    case "ToolInputStart":
    case "ToolCall":
    case "ToolResult":
    case "Media":
    case "Opaque":
      return true
    default:
      return false
  }
}

/** The end of the block that an event begins, so that an answer that is cut can be closed properly. */
export const blockEnd = (event: LlmEvent): LlmEvent | undefined => {
  switch (event._tag) {
    case "TextStart":
      return { ...event, _tag: "TextEnd" }
    case "ReasoningStart": {
      const { redacted: _, ...block } = event
      return { ...block, _tag: "ReasoningEnd" }
    }
    case "ToolInputStart": {
      const { name: _, providerExecuted: __, ...block } = event
      return { ...block, _tag: "ToolInputEnd" }
    }
    default:
      return undefined
  }
}
