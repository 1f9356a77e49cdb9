import { Schema } from "effect"
import { isObject, type JsonObject } from "../open-document.ts"

/** The highest index that a block of an answer may have. */
export const maxBlockIndex = 1024

const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxBlockIndex }))
const Json = Schema.Record(Schema.String, Schema.Json)
const Typed = Schema.StructWithRest(Schema.Struct({ type: Schema.String }), [Json])

/** A block of content or a piece of one, told apart by its type. */
export type Typed = JsonObject & { readonly type: string }

/**
 * The events of a stream that mean something. The insides of messages, blocks and deltas differ by kind and are read where
 * the kind is known.
 */
export const StreamEvent = Schema.Union([
  Schema.Struct({ type: Schema.Literal("message_start"), message: Json }),
  Schema.Struct({ type: Schema.Literal("content_block_start"), index: Index, content_block: Typed }),
  Schema.Struct({ type: Schema.Literal("content_block_delta"), index: Index, delta: Typed }),
  Schema.Struct({ type: Schema.Literal("content_block_stop"), index: Index }),
  Schema.Struct({
    type: Schema.Literal("message_delta"),
    delta: Json,
    usage: Schema.optionalKey(Schema.NullOr(Json))
  }),
  Schema.Struct({ type: Schema.Literal("message_stop") }),
  Schema.Struct({ type: Schema.Literal("error"), error: Json })
])
export type StreamEvent = typeof StreamEvent.Type

const isTyped = (value: unknown): value is Typed => isObject(value) && typeof value["type"] === "string"
const isIndex = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxBlockIndex

const isStreamEvent = (event: JsonObject): boolean => {
  switch (event["type"]) {
    case "content_block_delta":
      return isIndex(event["index"]) && isTyped(event["delta"])
    case "content_block_start":
      return isIndex(event["index"]) && isTyped(event["content_block"])
    case "content_block_stop":
      return isIndex(event["index"])
    case "message_start":
      return isObject(event["message"])
    case "message_delta":
      return (
        isObject(event["delta"]) &&
        (event["usage"] === undefined || event["usage"] === null || isObject(event["usage"]))
      )
    case "message_stop":
      return true
    case "error":
      return isObject(event["error"])
    default:
      return false
  }
}

const types: ReadonlySet<unknown> = new Set(StreamEvent.members.map((member) => member.fields.type.literal))

/**
 * Reads an event out of parsed JSON, by hand because it is done for every token; a test holds it against the schema.
 * `"other"` is an event that means nothing here (a ping, what is yet to be invented), `undefined` one that is malformed.
 */
export const readStreamEvent = (value: unknown): StreamEvent | "other" | undefined => {
  if (!isObject(value)) return undefined
  // What `isStreamEvent` checked is all that the type says.
  if (isStreamEvent(value)) return value as unknown as StreamEvent
  if (types.has(value["type"])) return undefined
  // Servers that speak several formats report errors without saying of which type the document is.
  if (value["type"] === undefined && isObject(value["error"])) return { type: "error", error: value["error"] }
  return typeof value["type"] === "string" ? "other" : undefined
}
