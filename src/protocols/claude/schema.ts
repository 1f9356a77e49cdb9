import type { Schema } from "effect"
import type { FunctionTool } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { Notices } from "../Notices.ts"
import { isObject, type JsonObject } from "../open-document.ts"

type Json = Schema.Json

/** Keywords that say nothing of what fits. */
const silent: ReadonlySet<string> = new Set(["$schema", "$id", "$comment"])
/** Keywords that say something about values and hold them to nothing. */
const annotations: ReadonlySet<string> = new Set([
  "default",
  "examples",
  "example",
  "deprecated",
  "readOnly",
  "writeOnly"
])
/** Keywords that are looked at below, or pass as they are. */
const known: ReadonlySet<string> = new Set([
  "type",
  "title",
  "description",
  "enum",
  "const",
  "anyOf",
  "oneOf",
  "allOf",
  "$defs",
  "definitions",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "minItems",
  "format"
])
const formats: ReadonlySet<unknown> = new Set([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "uri",
  "ipv4",
  "ipv6",
  "uuid"
])

/** So many parts may a closed schema have: what is of several kinds is closed once for each, and so is what is within it. */
const mostParts = 5000

const isPlain = (value: Json): boolean => value === null || typeof value !== "object"

/**
 * Makes a schema one that Claude can be held to. Its API takes closed objects alone and a part of the keywords, and refuses
 * a request with any other: objects are closed, which leaves fewer answers and none that would not fit, and what cannot be
 * held is told in the description. Mutable, one for each schema.
 */
class Closing {
  /** keywords that are only told */
  readonly told = new Set<string>()
  /** a part that can be neither held nor told (an object of any fields, a schema within itself), or too many parts */
  failed = false
  private readonly references = new Map<string, Set<string>>()
  private within = ""
  private parts = 0

  root(schema: JsonObject): JsonObject {
    const closed = this.close(schema)
    if ([...this.references.keys()].some((name) => this.reaches(name, name, new Set()))) this.failed = true
    return closed
  }

  private close(schema: Json | undefined): JsonObject {
    if (!isObject(schema) || ++this.parts > mostParts) return this.fail()
    const defs = { ...this.definitions(schema, "$defs"), ...this.definitions(schema, "definitions") }
    const { $ref: reference, type } = schema
    if (reference !== undefined) return { ...defs, ...this.refer(reference) }
    if (Array.isArray(type) && (type.includes("object") || type.includes("array"))) return this.split(schema, type)
    const told: Record<string, Json> = {}
    const closed = { ...defs, ...this.shape(schema, told) }
    for (const [key, value] of Object.entries(schema)) {
      if (known.has(key) || silent.has(key)) continue
      told[key] = value
      if (!annotations.has(key)) this.told.add(key)
    }
    if (Object.keys(told).length === 0) return closed
    const { description } = schema
    const before = typeof description === "string" ? `${description}\n\n` : ""
    return { ...closed, description: before + JSON.stringify(told) }
  }

  private definitions(schema: JsonObject, key: "$defs" | "definitions"): JsonObject {
    const defs = schema[key]
    if (!isObject(defs)) return {}
    const closed = Object.entries(defs).map(([name, definition]) => {
      const outside = this.within
      this.within = `#/${key}/${name}`
      const entry = [name, this.close(definition)] as const
      this.within = outside
      return entry
    })
    return { [key]: Object.fromEntries(closed) }
  }

  private refer(reference: Json): JsonObject {
    if (typeof reference !== "string" || !/^#\/(\$defs|definitions)\/[^/]+$/.test(reference)) return this.fail()
    const found = this.references.get(this.within) ?? new Set()
    this.references.set(this.within, found.add(reference))
    return { $ref: reference }
  }

  private reaches(from: string, name: string, seen: Set<string>): boolean {
    for (const next of this.references.get(from) ?? []) {
      if (next === name) return true
      if (seen.has(next)) continue
      if (this.reaches(next, name, seen.add(next))) return true
    }
    return false
  }

  /** What is one of several kinds is said to be any of them. */
  private split(schema: JsonObject, types: ReadonlyArray<Json>): JsonObject {
    const { title, description, type: _, ...rest } = schema
    const kinds = types.map((type) => this.close(type === "null" ? { type } : { ...rest, type }))
    return {
      ...present({ title, description }),
      anyOf: kinds
    }
  }

  /** The keywords that are held; what of them is not goes into `told`. */
  private shape(schema: JsonObject, told: Record<string, Json>): JsonObject {
    const { title, description, type, anyOf, oneOf = anyOf, allOf, enum: values, const: value } = schema
    const shape: Record<string, Json> = {}
    if (type !== undefined) shape["type"] = type
    if (title !== undefined) shape["title"] = title
    if (description !== undefined) shape["description"] = description
    if (Array.isArray(values) && values.every(isPlain)) shape["enum"] = values
    else if (values !== undefined) this.tell("enum", values, told)
    if (value !== undefined && isPlain(value)) shape["const"] = value
    else if (value !== undefined) this.tell("const", value, told)
    if (Array.isArray(oneOf)) shape["anyOf"] = oneOf.map((variant) => this.close(variant))
    if (Array.isArray(allOf)) shape["allOf"] = allOf.map((part) => this.close(part))
    if (type === "object" || (type === undefined && isObject(schema["properties"]))) {
      Object.assign(shape, { type: "object" }, this.object(schema))
    }
    if (type === "array") this.array(schema, shape, told)
    if (schema["format"] !== undefined) {
      if (formats.has(schema["format"])) shape["format"] = schema["format"]
      else this.tell("format", schema["format"], told)
    }
    const says = ["type", "enum", "const", "anyOf", "allOf"].some((key) => key in shape)
    return says ? shape : this.fail()
  }

  private object({ properties, required, additionalProperties }: JsonObject): JsonObject {
    const fields = isObject(properties) ? Object.entries(properties) : []
    const open = additionalProperties !== undefined && additionalProperties !== false
    if (fields.length === 0 && (open || (properties === undefined && additionalProperties === undefined))) this.fail()
    return {
      properties: Object.fromEntries(fields.map(([name, field]) => [name, this.close(field)])),
      ...present({ required }),
      additionalProperties: false
    }
  }

  private array({ items, minItems }: JsonObject, shape: Record<string, Json>, told: Record<string, Json>): void {
    if (items !== undefined) shape["items"] = this.close(items)
    if (minItems === 0 || minItems === 1) shape["minItems"] = minItems
    else if (minItems !== undefined) this.tell("minItems", minItems, told)
  }

  private tell(key: string, value: Json, told: Record<string, Json>): void {
    told[key] = value
    this.told.add(key)
  }

  private fail(): JsonObject {
    this.failed = true
    return {}
  }
}

/** A schema as Claude can be held to it; undefined where it cannot. What is told and not held is said to `said`. */
export const closedSchema = (schema: Json | undefined, said: Notices): JsonObject | undefined => {
  if (!isObject(schema)) return undefined
  const closing = new Closing()
  const closed = closing.root(schema)
  if (closing.failed) return undefined
  if (closing.told.size > 0) {
    said.add("changed", `${[...closing.told].join(", ")} of a schema: the model is told, and not held to it`)
  }
  return closed
}

/** The schema of a tool's input, and whether its calls are held to it. */
export interface HeldTool {
  readonly schema?: JsonObject
  readonly strict?: boolean
}

/**
 * A tool as the model takes it: one whose calls are to be held to a schema has one that they can be held to, or is not
 * strict.
 */
export const heldTool = (
  { inputSchema, name, strict }: FunctionTool,
  { schemas }: { readonly schemas: boolean },
  said: Notices
): HeldTool => {
  const stated = isObject(inputSchema) ? inputSchema : { properties: {} }
  if (strict !== true) return { schema: stated, ...(strict === undefined || !schemas ? {} : { strict }) }
  const closed = schemas ? closedSchema({ type: "object", ...stated }, said) : undefined
  if (closed !== undefined) return { schema: closed, strict }
  said.dropped(`strict of the tool ${name}`, "the model cannot be held to its schema")
  return { schema: stated }
}
