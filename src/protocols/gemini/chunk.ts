import { Schema } from "effect"
import { isObject, nullish, type JsonObject } from "../open-document.ts"

/** The highest index that a candidate of an answer may have. */
const maxCandidateIndex = 127

const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxCandidateIndex }))
const Json = Schema.Record(Schema.String, Schema.Json)
const text = nullish(Schema.String)

const CandidateContent = Schema.StructWithRest(Schema.Struct({ parts: nullish(Schema.Array(Json)) }), [Json])

const CandidateFields = Schema.Struct({
  content: nullish(CandidateContent),
  finishReason: nullish(Schema.Union([Schema.String, Schema.Int])),
  index: nullish(Index)
})

const ChunkFields = Schema.Struct({
  candidates: nullish(Schema.Array(Schema.StructWithRest(CandidateFields, [Json]))),
  promptFeedback: nullish(Json),
  usageMetadata: nullish(Json),
  modelVersion: text,
  responseId: text,
  createTime: text
})

/**
 * A chunk of a stream, and a whole answer too. The insides of parts, and what else a candidate has, are read where they
 * are used.
 */
export const Chunk = Schema.StructWithRest(ChunkFields, [Json])
export type Chunk = typeof ChunkFields.Type & JsonObject

/** One of the answers of a chunk, or a piece of it. */
export type Candidate = typeof CandidateFields.Type & JsonObject

const isAbsent = (value: unknown): boolean => value === undefined || value === null
const isText = (value: unknown): boolean => isAbsent(value) || typeof value === "string"
const isIndex = (value: unknown): boolean =>
  isAbsent(value) || (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxCandidateIndex)

const isCandidate = (candidate: unknown): boolean => {
  if (!isObject(candidate)) return false
  const { content, finishReason, index } = candidate
  if (!isIndex(index)) return false
  if (!isText(finishReason) && !Number.isInteger(finishReason)) return false
  if (isAbsent(content)) return true
  const parts = isObject(content) ? content["parts"] : false
  return isAbsent(parts) || (Array.isArray(parts) && parts.every(isObject))
}

const isChunk = (value: JsonObject): boolean => {
  const { candidates, promptFeedback, usageMetadata } = value
  return (
    (isAbsent(candidates) || (Array.isArray(candidates) && candidates.every(isCandidate))) &&
    (isAbsent(promptFeedback) || isObject(promptFeedback)) &&
    (isAbsent(usageMetadata) || isObject(usageMetadata)) &&
    isText(value["modelVersion"]) &&
    isText(value["responseId"]) &&
    isText(value["createTime"])
  )
}

/**
 * Reads a chunk out of parsed JSON, by hand because it is done for every token; a test holds it against the schema.
 * Undefined where it is malformed.
 */
export const readChunk = (value: unknown): Chunk | undefined =>
  // What `isChunk` checked is all that the type says.
  isObject(value) && isChunk(value) ? (value as unknown as Chunk) : undefined
