import { Schema } from "effect"

/**
 * What only one wire format knows, by the name of that format: fields that the canonical vocabulary does not have, kept
 * as they were received so that the same format can send them on, and reported where another one has to leave them out.
 */
export const Extensions = Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Json))
export type Extensions = typeof Extensions.Type

/** A point up to which the provider may cache the prompt. `ttl` as the caller wrote it, e.g. `5m`, `1h`. */
export const CacheMarker = Schema.Struct({ ttl: Schema.optionalKey(Schema.String) })
export type CacheMarker = typeof CacheMarker.Type

/** Where the bytes of a media part are. Base64 is unpadded-or-padded standard base64, without a `data:` prefix. */
export const MediaSource = Schema.Union([
  Schema.TaggedStruct("Base64", { data: Schema.String }),
  Schema.TaggedStruct("Url", { url: Schema.String }),
  Schema.TaggedStruct("FileId", { id: Schema.String })
])
export type MediaSource = typeof MediaSource.Type

const common = {
  cache: Schema.optionalKey(CacheMarker),
  extensions: Schema.optionalKey(Extensions)
}

/** A piece of text. */
export const TextPart = Schema.TaggedStruct("Text", { text: Schema.String, ...common })
export type TextPart = typeof TextPart.Type

/** An image, a sound or a document. `kind` says what it is where only a URL is known; `mediaType` is e.g. `image/png`. */
export const MediaPart = Schema.TaggedStruct("Media", {
  kind: Schema.Literals(["image", "audio", "file"]),
  mediaType: Schema.optionalKey(Schema.String),
  source: MediaSource,
  filename: Schema.optionalKey(Schema.String),
  detail: Schema.optionalKey(Schema.String),
  ...common
})
export type MediaPart = typeof MediaPart.Type

/**
 * What a model thought. `signature` and `redacted` (the provider's encrypted form, in place of text) are carried byte for
 * byte: a provider accepts the next turn only with them unchanged. `origin` names the wire format that signed it.
 */
export const ReasoningPart = Schema.TaggedStruct("Reasoning", {
  text: Schema.String,
  signature: Schema.optionalKey(Schema.String),
  redacted: Schema.optionalKey(Schema.String),
  origin: Schema.optionalKey(Schema.String),
  ...common
})
export type ReasoningPart = typeof ReasoningPart.Type

/**
 * A tool call of the model. `arguments` is the JSON text as the model wrote it (`{}` where it wrote none); that of a tool
 * that takes a text is `{"input": <the text>}`.
 */
export const ToolCallPart = Schema.TaggedStruct("ToolCall", {
  id: Schema.String,
  name: Schema.String,
  arguments: Schema.String,
  freeText: Schema.optionalKey(Schema.Literal(true)),
  ...common
})
export type ToolCallPart = typeof ToolCallPart.Type

/**
 * A provider's block that the canonical vocabulary does not know, carried verbatim for the format named by `protocol`.
 * `told` is there where what it says is told in the request as well, so that others lose nothing by it.
 */
export const OpaquePart = Schema.TaggedStruct("Opaque", {
  protocol: Schema.String,
  value: Schema.Json,
  told: Schema.optionalKey(Schema.Literal(true))
})
export type OpaquePart = typeof OpaquePart.Type

/** What a tool answered. The content is text and media parts, in order; empty means the tool said nothing. */
export const ToolResultPart = Schema.TaggedStruct("ToolResult", {
  callId: Schema.String,
  name: Schema.optionalKey(Schema.String),
  content: Schema.Array(Schema.Union([TextPart, MediaPart, OpaquePart])),
  isError: Schema.optionalKey(Schema.Boolean),
  ...common
})
export type ToolResultPart = typeof ToolResultPart.Type

/** The model's refusal, where the provider keeps it apart from the text. */
export const RefusalPart = Schema.TaggedStruct("Refusal", { text: Schema.String })
export type RefusalPart = typeof RefusalPart.Type

/** A piece of a message. */
export const Part = Schema.Union([
  TextPart,
  MediaPart,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
  RefusalPart,
  OpaquePart
]).pipe(Schema.toTaggedUnion("_tag"))
export type Part = typeof Part.Type

/** Who says a message. `developer` ranks as `system` where a provider does not know it. */
export const Role = Schema.Literals(["system", "developer", "user", "assistant", "tool"])
export type Role = typeof Role.Type

/** One turn of the conversation. Tool results stand in messages of the role `tool`. */
export const Message = Schema.Struct({
  role: Role,
  parts: Schema.Array(Part),
  name: Schema.optionalKey(Schema.String),
  extensions: Schema.optionalKey(Extensions)
})
export type Message = typeof Message.Type

/** Whether a message instructs the model: who gives the instructions is for some models one of two. */
export const isInstruction = ({ role }: Pick<Message, "role">): boolean => role === "system" || role === "developer"

/**
 * A tool that the caller runs. `inputSchema` is JSON Schema. A tool with `freeText` takes a text, perhaps one of a given
 * `format`; for who knows only objects its schema is one of an object with the text in it.
 */
export const FunctionTool = Schema.TaggedStruct("Function", {
  name: Schema.String,
  description: Schema.optionalKey(Schema.String),
  inputSchema: Schema.optionalKey(Schema.Json),
  strict: Schema.optionalKey(Schema.Boolean),
  freeText: Schema.optionalKey(Schema.Struct({ format: Schema.optionalKey(Schema.Json) })),
  ...common
})
export type FunctionTool = typeof FunctionTool.Type

/**
 * A search of the web, which several providers run: where it may search, and for a user in which place. `others` are the
 * names of what else its format says of it.
 */
export const WebSearch = Schema.Struct({
  allowedDomains: Schema.optionalKey(Schema.Array(Schema.String)),
  blockedDomains: Schema.optionalKey(Schema.Array(Schema.String)),
  userLocation: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  others: Schema.optionalKey(Schema.Array(Schema.String))
})
export type WebSearch = typeof WebSearch.Type

/**
 * A tool that the provider runs itself (web search, code execution), as its own format describes it. `webSearch` is there
 * where it searches the web: other providers have a tool for that too.
 */
export const ProviderTool = Schema.TaggedStruct("Provider", {
  protocol: Schema.String,
  name: Schema.String,
  value: Schema.Json,
  webSearch: Schema.optionalKey(WebSearch)
})
export type ProviderTool = typeof ProviderTool.Type

/** What the model may call: a tool that the caller runs, or one that the provider has. */
export const Tool = Schema.Union([FunctionTool, ProviderTool])
export type Tool = typeof Tool.Type

const among = { among: Schema.optionalKey(Schema.Array(Schema.String)) }

/** Which tools the model may or must call. `among` are the names of those that it may choose from, where not from all. */
export const ToolChoice = Schema.Union([
  Schema.TaggedStruct("Auto", among),
  Schema.TaggedStruct("None", {}),
  Schema.TaggedStruct("Required", among),
  Schema.TaggedStruct("Tool", { name: Schema.String })
])
export type ToolChoice = typeof ToolChoice.Type

/** The form the answer must have. `schema` is JSON Schema. */
export const ResponseFormat = Schema.Union([
  Schema.TaggedStruct("Text", {}),
  Schema.TaggedStruct("Json", {}),
  Schema.TaggedStruct("JsonSchema", {
    name: Schema.String,
    description: Schema.optionalKey(Schema.String),
    schema: Schema.Json,
    strict: Schema.optionalKey(Schema.Boolean)
  })
])
export type ResponseFormat = typeof ResponseFormat.Type

/**
 * How much the model may think. `effort` is the caller's word (`none`, `minimal`, `low`, `medium`, `high`, …),
 * `budgetTokens` a limit in tokens; a format that knows only one of them derives it from the other. `summary` is how
 * much of the thoughts is to be shown: `none`, or the caller's word.
 */
export const ReasoningSettings = Schema.Struct({
  mode: Schema.optionalKey(Schema.Literals(["enabled", "disabled", "adaptive"])),
  effort: Schema.optionalKey(Schema.String),
  budgetTokens: Schema.optionalKey(Schema.Natural),
  summary: Schema.optionalKey(Schema.String)
})
export type ReasoningSettings = typeof ReasoningSettings.Type

/** How tokens are drawn; every field as the caller gave it, absent where the caller left it to the provider. */
export const Sampling = Schema.Struct({
  maxOutputTokens: Schema.optionalKey(Schema.Natural),
  temperature: Schema.optionalKey(Schema.Finite),
  topP: Schema.optionalKey(Schema.Finite),
  topK: Schema.optionalKey(Schema.Natural),
  // 64 bits wide with some, of which a number holds 53
  seed: Schema.optionalKey(Schema.Finite),
  frequencyPenalty: Schema.optionalKey(Schema.Finite),
  presencePenalty: Schema.optionalKey(Schema.Finite),
  stopSequences: Schema.optionalKey(Schema.Array(Schema.String)),
  choices: Schema.optionalKey(Schema.Natural),
  logprobs: Schema.optionalKey(Schema.Boolean),
  topLogprobs: Schema.optionalKey(Schema.Natural)
})
export type Sampling = typeof Sampling.Type

/**
 * What only a server of one wire format can resolve, because it holds it: an earlier response, a thread, a template.
 * Sent anywhere else the request would silently be another one, so it is refused; `message` says how to mend it.
 */
export const Requirement = Schema.Struct({ protocol: Schema.String, feature: Schema.String, message: Schema.String })
export type Requirement = typeof Requirement.Type

/**
 * The canonical request: what is asked of a model, free of any provider.
 *
 * `model` is the name that the caller asked for; which model of which provider answers is decided by routing and never
 * written back. System and developer instructions are messages of those roles, in order.
 */
export const LlmRequest = Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(Message),
  tools: Schema.optionalKey(Schema.Array(Tool)),
  toolChoice: Schema.optionalKey(ToolChoice),
  parallelToolCalls: Schema.optionalKey(Schema.Boolean),
  sampling: Sampling,
  responseFormat: Schema.optionalKey(ResponseFormat),
  reasoning: Schema.optionalKey(ReasoningSettings),
  serviceTier: Schema.optionalKey(Schema.String),
  user: Schema.optionalKey(Schema.String),
  metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  requires: Schema.optionalKey(Requirement),
  /** headers that go to the provider with the request, lower case; those of its configuration have precedence */
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  extensions: Schema.optionalKey(Extensions)
})
export type LlmRequest = typeof LlmRequest.Type

/** How the answer is to arrive: as a stream of events, or whole. */
export type Delivery = "stream" | "whole"
