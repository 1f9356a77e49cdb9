import { Schema } from "effect"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"

/** The name of the wire format. */
export const cohereV2Id = "cohere-v2"

/** The highest index that a piece of an answer may have. */
const maxIndex = 1024

const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxIndex }))
const Json = Schema.Record(Schema.String, Schema.Json)

const messageDelta = <F extends Schema.Struct.Fields>(fields: F) => Schema.Struct({ message: Schema.Struct(fields) })

/**
 * The events of a stream that mean something. Content and calls are counted apart: both may have an index 0. The plan for
 * the use of tools has no beginning and no end of its own.
 */
export const StreamEvent = Schema.Union([
  Schema.Struct({ type: Schema.Literal("message-start") }),
  Schema.Struct({ type: Schema.Literal("content-start"), index: Index, delta: messageDelta({ content: Json }) }),
  Schema.Struct({ type: Schema.Literal("content-delta"), index: Index, delta: messageDelta({ content: Json }) }),
  Schema.Struct({ type: Schema.Literal("content-end"), index: Index }),
  Schema.Struct({ type: Schema.Literal("tool-plan-delta"), delta: messageDelta({ tool_plan: Schema.String }) }),
  Schema.Struct({ type: Schema.Literal("tool-call-start"), index: Index, delta: messageDelta({ tool_calls: Json }) }),
  Schema.Struct({ type: Schema.Literal("tool-call-delta"), index: Index, delta: messageDelta({ tool_calls: Json }) }),
  Schema.Struct({ type: Schema.Literal("tool-call-end"), index: Index }),
  Schema.Struct({ type: Schema.Literal("citation-start"), delta: messageDelta({ citations: Json }) }),
  Schema.Struct({ type: Schema.Literal("message-end"), delta: Json })
])
export type StreamEvent = typeof StreamEvent.Type

const isIndex = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxIndex

const pieceOf = (event: JsonObject, field: string): unknown => {
  const delta = event["delta"]
  const message = fieldsOf(delta)["message"]
  return isObject(message) ? message[field] : undefined
}

const isStreamEvent = (event: JsonObject): boolean => {
  switch (event["type"]) {
    case "content-delta":
    case "content-start":
      return isIndex(event["index"]) && isObject(pieceOf(event, "content"))
    case "tool-call-delta":
    case "tool-call-start":
      return isIndex(event["index"]) && isObject(pieceOf(event, "tool_calls"))
    case "content-end":
    case "tool-call-end":
      return isIndex(event["index"])
    case "tool-plan-delta":
      return typeof pieceOf(event, "tool_plan") === "string"
    case "citation-start":
      return isObject(pieceOf(event, "citations"))
    case "message-end":
      return isObject(event["delta"])
    default:
      return event["type"] === "message-start"
  }
}

const types: ReadonlySet<unknown> = new Set(StreamEvent.members.map((member) => member.fields.type.literal))

/**
 * Reads an event out of parsed JSON, by hand because it is done for every token; a test holds it against the schema.
 * `"other"` is an event that means nothing here (the end of a citation, what is yet to be invented), `undefined` one that
 * is malformed.
 */
export const readStreamEvent = (value: JsonObject): (StreamEvent & JsonObject) | "other" | undefined => {
  // What `isStreamEvent` checked is all that the type says.
  if (isStreamEvent(value)) return value as StreamEvent & JsonObject
  return types.has(value["type"]) || typeof value["type"] !== "string" ? undefined : "other"
}
