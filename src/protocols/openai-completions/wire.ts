import { Schema } from "effect"
import { isObject, nullish, type JsonObject } from "../open-document.ts"

/** The name of the wire format. */
export const openAiCompletionsId = "openai-completions"

/** The highest index that an answer may have. */
const maxIndex = 1024

const Json = Schema.Record(Schema.String, Schema.Json)
const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxIndex }))

const ChunkChoice = Schema.Struct({
  text: nullish(Schema.String),
  index: nullish(Index),
  finish_reason: nullish(Schema.String),
  /** the stop sequence that ended the text, where a server says it (vLLM); another may give the number of a token */
  stop_reason: nullish(Schema.Union([Schema.String, Schema.Finite])),
  logprobs: nullish(Json)
})
export type ChunkChoice = typeof ChunkChoice.Type

/** A chunk of a stream, or a whole answer: the same document, with the texts in pieces or complete. */
export const Chunk = Schema.Struct({
  id: nullish(Schema.String),
  model: nullish(Schema.String),
  created: nullish(Schema.Finite),
  choices: Schema.Array(ChunkChoice),
  usage: nullish(Json)
})
export type Chunk = typeof Chunk.Type

const isText = (value: unknown): boolean => value === undefined || value === null || typeof value === "string"
const isIndex = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxIndex)

const isChoice = (value: unknown): boolean =>
  isObject(value) && isText(value["text"]) && isIndex(value["index"]) && isText(value["finish_reason"])

const isChunk = (value: JsonObject): boolean =>
  isText(value["id"]) && isText(value["model"]) && Array.isArray(value["choices"]) && value["choices"].every(isChoice)

/**
 * Reads a chunk out of parsed JSON, by hand because it is done for every token; a test holds it against the schema. What is
 * not checked here is checked where it is used. Undefined where the document is none of this format.
 */
export const readChunk = (value: unknown): Chunk | undefined =>
  // What `isChunk` checked is all of the type that is relied on.
  isObject(value) && isChunk(value) ? (value as unknown as Chunk) : undefined
