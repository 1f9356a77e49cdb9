import { Schema } from "effect"
import { isObject, type JsonObject } from "../open-document.ts"

/** The name of the wire format, as a protocol. */
export const bedrockConverseId = "bedrock-converse"

/** The highest index that a block of an answer may have. */
export const maxBlockIndex = 1024

const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxBlockIndex }))
const Json = Schema.Record(Schema.String, Schema.Json)

/** The fields that hold an object, where there are such fields. */
const optionalObject = Schema.optionalKey(Schema.NullOr(Json))

/**
 * The events of a stream by their names. What a block starts with and its deltas are objects with one field, which says
 * of what kind they are; they are read where the kind is known. Random padding in `p` is passed over.
 */
export const streamEvents = {
  messageStart: Schema.Struct({ role: Schema.optionalKey(Schema.String) }),
  contentBlockStart: Schema.Struct({ contentBlockIndex: Index, start: Json }),
  contentBlockDelta: Schema.Struct({ contentBlockIndex: Index, delta: Json }),
  contentBlockStop: Schema.Struct({ contentBlockIndex: Index }),
  messageStop: Schema.Struct({
    stopReason: Schema.optionalKey(Schema.String),
    additionalModelResponseFields: optionalObject
  }),
  metadata: Schema.Struct({ usage: optionalObject, trace: optionalObject })
}

export type EventName = keyof typeof streamEvents
export type StreamEvent<N extends EventName> = (typeof streamEvents)[N]["Type"]

const isIndex = (value: unknown): boolean =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxBlockIndex
const isText = (value: unknown): boolean => value === undefined || typeof value === "string"
const isObjectOrNothing = (value: unknown): boolean => value === undefined || value === null || isObject(value)

const isEvent = (name: EventName, event: JsonObject): boolean => {
  switch (name) {
    case "contentBlockDelta":
      return isIndex(event["contentBlockIndex"]) && isObject(event["delta"])
    case "contentBlockStart":
      return isIndex(event["contentBlockIndex"]) && isObject(event["start"])
    case "contentBlockStop":
      return isIndex(event["contentBlockIndex"])
    case "messageStart":
      return isText(event["role"])
    case "messageStop":
      return isText(event["stopReason"]) && isObjectOrNothing(event["additionalModelResponseFields"])
    case "metadata":
      return isObjectOrNothing(event["usage"]) && isObjectOrNothing(event["trace"])
  }
}

/** Whether a document is the event of this name, by hand because it is asked for every token; a test holds it to the schemas. */
export const isStreamEvent = <N extends EventName>(name: N, value: unknown): value is StreamEvent<N> =>
  isObject(value) && isEvent(name, value)
