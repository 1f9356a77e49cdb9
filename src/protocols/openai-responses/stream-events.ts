import { Schema } from "effect"
import { isObject, nullish, type JsonObject } from "../open-document.ts"

/** The highest index that an item of an answer, or a piece of it, may have. */
export const maxIndex = 1024

const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxIndex }))
const Json = Schema.Record(Schema.String, Schema.Json)
const Typed = Schema.StructWithRest(Schema.Struct({ type: Schema.String }), [Json])

/** An item of the output or a piece of one, told apart by its type. */
export type Typed = JsonObject & { readonly type: string }

const lifecycle = [
  "response.created",
  "response.queued",
  "response.in_progress",
  "response.completed",
  "response.incomplete",
  "response.failed",
  "response.cancelled"
] as const
const items = ["response.output_item.added", "response.output_item.done"] as const
const parts = ["response.content_part.added", "response.content_part.done"] as const
const deltas = [
  "response.output_text.delta",
  "response.refusal.delta",
  "response.reasoning_summary_text.delta",
  "response.reasoning_text.delta",
  "response.function_call_arguments.delta",
  "response.custom_tool_call_input.delta"
] as const
const annotation = "response.output_text.annotation.added"

/** What a piece of text is a piece of; the field that says it whole when it is done. */
export const doneFields = {
  "response.output_text.done": "text",
  "response.refusal.done": "refusal",
  "response.reasoning_summary_text.done": "text",
  "response.reasoning_text.done": "text",
  "response.function_call_arguments.done": "arguments",
  "response.custom_tool_call_input.done": "input"
} as const
export type DoneType = keyof typeof doneFields

const place = { output_index: nullish(Index), content_index: nullish(Index), summary_index: nullish(Index) }

/**
 * The events of a stream that mean something. Items and pieces differ by type and are read where the type is known. There
 * are servers that leave indices out, or have `null` for them, where there is only one item.
 */
export const StreamEvent = Schema.Union([
  Schema.Struct({ type: Schema.Literals(lifecycle), response: Json }),
  Schema.Struct({ type: Schema.Literals(items), output_index: nullish(Index), item: Typed }),
  Schema.Struct({ type: Schema.Literals(parts), ...place, part: Typed }),
  Schema.Struct({ type: Schema.Literals(deltas), ...place, delta: Schema.String }),
  Schema.Struct({
    type: Schema.Literals([
      "response.output_text.done",
      "response.reasoning_summary_text.done",
      "response.reasoning_text.done"
    ]),
    ...place,
    text: Schema.String
  }),
  Schema.Struct({ type: Schema.Literal("response.refusal.done"), ...place, refusal: Schema.String }),
  Schema.Struct({ type: Schema.Literal("response.function_call_arguments.done"), ...place, arguments: Schema.String }),
  Schema.Struct({ type: Schema.Literal("response.custom_tool_call_input.done"), ...place, input: Schema.String }),
  Schema.Struct({ type: Schema.Literal(annotation), ...place, annotation: Json }),
  Schema.Struct({ type: Schema.Literal("error") })
])
export type StreamEvent = typeof StreamEvent.Type

/** An event about a piece of an item: the next part of it, or that it is complete. */
export type DeltaEvent = Extract<StreamEvent, { readonly delta: string }>
export type DoneEvent = Extract<StreamEvent, { readonly type: DoneType }>

const isTyped = (value: unknown): value is Typed => isObject(value) && typeof value["type"] === "string"
const isPlace = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxIndex)

type Kind = "lifecycle" | "item" | "part" | "delta" | "done" | "annotation" | "error"

const kinds = new Map<unknown, Kind>([
  ...lifecycle.map((type) => [type, "lifecycle"] as const),
  ...items.map((type) => [type, "item"] as const),
  ...parts.map((type) => [type, "part"] as const),
  ...deltas.map((type) => [type, "delta"] as const),
  ...Object.keys(doneFields).map((type) => [type, "done"] as const),
  [annotation, "annotation"],
  ["error", "error"]
])

/** What an event says of the answer. */
const saidIn = (event: JsonObject, kind: Exclude<Kind, "error">): unknown => {
  switch (kind) {
    case "delta":
      return event["delta"]
    case "done":
      // The kind says that the type is one of these.
      return event[doneFields[event["type"] as DoneType]]
    case "item":
      return event["item"]
    case "part":
      return event["part"]
    case "annotation":
      return event["annotation"]
    case "lifecycle":
      return event["response"]
  }
}

const isSaid = (said: unknown, kind: Exclude<Kind, "error">): boolean =>
  kind === "delta" || kind === "done"
    ? typeof said === "string"
    : kind === "item" || kind === "part"
      ? isTyped(said)
      : isObject(said)

/**
 * Reads an event out of parsed JSON, by hand because it is done for every token; a test holds it against the schema.
 * `"other"` is an event that means nothing here (the progress of a hosted tool, what is yet to be invented, a piece that
 * is `null`), `undefined` one that is malformed.
 */
export const readStreamEvent = (value: unknown): StreamEvent | "other" | undefined => {
  if (!isObject(value)) return undefined
  const kind = kinds.get(value["type"])
  if (kind === undefined) {
    // Servers that speak several formats report errors without saying of which type the document is.
    if (value["type"] === undefined && isObject(value["error"])) return { type: "error" }
    return typeof value["type"] === "string" ? "other" : undefined
  }
  const { output_index: item, content_index: part, summary_index: summary } = value
  if (!isPlace(item) || !isPlace(part) || !isPlace(summary)) return undefined
  if (kind !== "error") {
    const said = saidIn(value, kind)
    // A field that is filled in with nothing says nothing, and is no reason to give up an answer.
    if (said === null && kind !== "lifecycle") return "other"
    if (!isSaid(said, kind)) return undefined
  }
  // What was checked is all that the type says.
  return value as unknown as StreamEvent
}
