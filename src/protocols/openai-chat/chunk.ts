import { Schema } from "effect"
import { isObject, nullish, type JsonObject } from "../open-document.ts"

const Loose = Schema.Record(Schema.String, Schema.Json)

/**
 * One chunk of a stream as every server of the format means it, everything optional because each leaves something out.
 * A whole answer is the same with `message` in the place of `delta`.
 */
export const ChatChunk = Schema.Struct({
  id: nullish(Schema.String),
  model: nullish(Schema.String),
  created: nullish(Schema.Finite),
  service_tier: nullish(Schema.String),
  choices: nullish(
    Schema.Array(
      Schema.Struct({
        index: nullish(Schema.Natural),
        delta: nullish(Loose),
        message: nullish(Loose),
        finish_reason: nullish(Schema.String),
        logprobs: nullish(Loose),
        usage: nullish(Loose),
        error: nullish(Schema.Json)
      })
    )
  ),
  usage: nullish(Loose),
  error: nullish(Schema.Json)
})
export type ChatChunk = typeof ChatChunk.Type

/** One choice of a chunk. `content` is its delta, or its message where the answer is whole; `finish` is never empty. */
export interface ChunkChoice {
  readonly index: number
  readonly content: JsonObject
  readonly finish: string | undefined
  readonly logprobs: unknown
  /** the usage of the whole answer, which some servers put beside the finish reason */
  readonly usage: unknown
  /** the choice, where a router says by it that the provider behind it failed */
  readonly failed?: JsonObject
}

const nothing: JsonObject = {}

/** A text that says something: a string that is not empty. */
export const textIn = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** Whether a number can stand for a place in a list. */
export const isIndex = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0

/**
 * Reads a choice by hand, every field for itself: one of the wrong type is one that is not there. Some servers fill in
 * both the delta and the message.
 */
export const readChoice = (choice: unknown, whole: boolean): ChunkChoice | undefined => {
  if (!isObject(choice)) return undefined
  const { index, finish_reason: finish, logprobs, usage, error } = choice
  const content = whole ? (choice["message"] ?? choice["delta"]) : (choice["delta"] ?? choice["message"])
  const read = {
    index: isIndex(index) ? index : 0,
    content: isObject(content) ? content : nothing,
    finish: textIn(finish),
    logprobs,
    usage
  }
  // Who ended well did not fail, whatever stands beside it.
  return isObject(error) && (read.finish ?? "error") === "error" ? { ...read, failed: choice } : read
}
