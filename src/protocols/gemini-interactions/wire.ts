import { Schema } from "effect"
import { isObject, type JsonObject } from "../open-document.ts"

/** The name of the wire format. */
export const geminiInteractionsId = "gemini-interactions"

/** The highest index that a step of an answer may have. */
const maxIndex = 1024

const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxIndex }))
const Json = Schema.Record(Schema.String, Schema.Json)
const Typed = Schema.StructWithRest(Schema.Struct({ type: Schema.String }), [Json])

/** A step, a piece of one or of its content, told apart by its type. */
export type Typed = JsonObject & { readonly type: string }

/**
 * The events of a stream that mean something. The insides of steps and deltas differ by kind and are read where the kind
 * is known. Usage may stand beside any event, in its `metadata`.
 */
export const StreamEvent = Schema.Union([
  Schema.Struct({ event_type: Schema.Literal("interaction.created"), interaction: Json }),
  Schema.Struct({ event_type: Schema.Literal("step.start"), index: Index, step: Typed }),
  Schema.Struct({ event_type: Schema.Literal("step.delta"), index: Index, delta: Typed }),
  Schema.Struct({ event_type: Schema.Literal("step.stop"), index: Index }),
  Schema.Struct({ event_type: Schema.Literal("interaction.completed"), interaction: Json }),
  Schema.Struct({ event_type: Schema.Literal("error"), error: Json })
])
export type StreamEvent = typeof StreamEvent.Type

/** Whether a document says of which kind it is. */
export const isTyped = (value: unknown): value is Typed => isObject(value) && typeof value["type"] === "string"

const isIndex = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxIndex

const isStreamEvent = (event: JsonObject): boolean => {
  switch (event["event_type"]) {
    case "step.delta":
      return isIndex(event["index"]) && isTyped(event["delta"])
    case "step.start":
      return isIndex(event["index"]) && isTyped(event["step"])
    case "step.stop":
      return isIndex(event["index"])
    case "interaction.created":
    case "interaction.completed":
      return isObject(event["interaction"])
    case "error":
      return isObject(event["error"])
    default:
      return false
  }
}

const types: ReadonlySet<unknown> = new Set(StreamEvent.members.map((member) => member.fields.event_type.literal))

/**
 * Reads an event out of parsed JSON, by hand because it is done for every token; a test holds it against the schema.
 * `"other"` is an event that means nothing here (a change of status, what is yet to be invented), `undefined` one that is
 * malformed.
 */
export const readStreamEvent = (value: unknown): (StreamEvent & JsonObject) | "other" | undefined => {
  if (!isObject(value)) return undefined
  // What `isStreamEvent` checked is all that the type says.
  if (isStreamEvent(value)) return value as StreamEvent & JsonObject
  if (types.has(value["event_type"])) return undefined
  // What fails before the stream begins may be told without saying of which kind the document is.
  if (value["event_type"] === undefined && isObject(value["error"])) {
    return { ...value, event_type: "error", error: value["error"] }
  }
  return typeof value["event_type"] === "string" ? "other" : undefined
}
