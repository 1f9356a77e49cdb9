import { Schema } from "effect"
import { fieldsOf, isObject, nullish, type JsonObject } from "../open-document.ts"

/** The name of the wire format. */
export const ollamaId = "ollama"

const Json = Schema.Record(Schema.String, Schema.Json)

/**
 * A call as the model made it. The arguments are an object; servers before the end of 2025 give a call no id, and there
 * are models whose arguments arrive as text.
 */
const ToolCall = Schema.Struct({
  id: nullish(Schema.String),
  function: Schema.Struct({ name: Schema.String, arguments: nullish(Schema.Union([Json, Schema.String])) })
})
export type ToolCall = typeof ToolCall.Type

const Message = Schema.Struct({
  content: nullish(Schema.String),
  thinking: nullish(Schema.String),
  tool_calls: nullish(Schema.Array(ToolCall))
})

const TokenLogprob = Schema.Struct({
  token: Schema.String,
  logprob: Schema.Finite,
  bytes: nullish(Schema.Array(Schema.Int))
})

const Logprob = Schema.Struct({ ...TokenLogprob.fields, top_logprobs: nullish(Schema.Array(TokenLogprob)) })
export type Logprob = typeof Logprob.Type

const Count = Schema.Union([Schema.Finite, Schema.String])

/**
 * A line of a stream, or a whole answer: the same document, where `done` says that it is the last. `response` and
 * `thinking` beside a message are what `/api/generate` says instead of one.
 */
export const Chunk = Schema.Struct({
  model: nullish(Schema.String),
  created_at: nullish(Schema.String),
  message: nullish(Message),
  response: nullish(Schema.String),
  thinking: nullish(Schema.String),
  logprobs: nullish(Schema.Array(Logprob)),
  done: nullish(Schema.Boolean),
  done_reason: nullish(Schema.String),
  prompt_eval_count: nullish(Count),
  prompt_eval_cached_count: nullish(Count),
  eval_count: nullish(Count)
})
export type Chunk = typeof Chunk.Type

const isText = (value: unknown): boolean => value === undefined || value === null || typeof value === "string"
const isList = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.every(isItem))

const isCall = (value: unknown): boolean => {
  const call = fieldsOf(value)["function"]
  return (
    isObject(call) && typeof call["name"] === "string" && (isText(call["arguments"]) || isObject(call["arguments"]))
  )
}

const isMessage = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (isObject(value) && isText(value["content"]) && isText(value["thinking"]) && isList(value["tool_calls"], isCall))

const isLogprob = (value: unknown): boolean =>
  isObject(value) && typeof value["token"] === "string" && typeof value["logprob"] === "number"

const isChunk = (value: JsonObject): boolean =>
  isMessage(value["message"]) &&
  isText(value["response"]) &&
  isText(value["thinking"]) &&
  isList(value["logprobs"], isLogprob)

/**
 * Reads a line out of parsed JSON, by hand because it is done for every token; a test holds it against the schema. What is
 * not checked here is checked where it is used. Undefined where the document is none of this format.
 */
export const readChunk = (value: unknown): Chunk | undefined =>
  // What `isChunk` checked is all of the type that is relied on.
  isObject(value) && isChunk(value) ? (value as unknown as Chunk) : undefined
