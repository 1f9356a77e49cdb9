import type { Schema } from "effect"
import { isObject, type JsonObject } from "../open-document.ts"
import { camelCase } from "./proto-document.ts"

const types = [undefined, "string", "number", "integer", "boolean", "array", "object", "null"]

/** The keywords of the API's own schemas that hold schemas, each in its way. */
const single = new Set(["items", "additionalProperties"])
const lists = new Set(["anyOf", "prefixItems"])
/** Limits that are 64-bit numbers and so may be written as text. */
const limits = new Set(["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"])

/**
 * A schema of the API's older kind (after OpenAPI: types in capitals or as numbers, `nullable`) as JSON Schema. One that is
 * JSON Schema already stays what it is.
 */
export const jsonSchemaOf = (schema: JsonObject): JsonObject => {
  const converted: Record<string, Schema.Json> = {}
  let nullable = false
  for (const [key, value] of Object.entries(schema)) {
    const keyword = camelCase(key)
    if (value === null || isUnstated(keyword, value)) continue
    if (keyword === "nullable") nullable = value === true
    else converted[keyword] = convertKeyword(keyword, value)
  }
  return nullable ? orNull(converted) : converted
}

/** What stands for "not said": the list of types begins with it, and enumerations have a format that says nothing more. */
const isUnstated = (keyword: string, value: Schema.Json): boolean =>
  (keyword === "type" && (value === 0 || value === "TYPE_UNSPECIFIED")) || (keyword === "format" && value === "enum")

const convertKeyword = (keyword: string, value: Schema.Json): Schema.Json => {
  if (keyword === "type") return typeof value === "number" ? (types[value] ?? value) : lowerCase(value)
  if (keyword === "properties" && isObject(value)) return mapValues(value)
  if (single.has(keyword) && isObject(value)) return jsonSchemaOf(value)
  if (lists.has(keyword) && Array.isArray(value))
    return value.map((item) => (isObject(item) ? jsonSchemaOf(item) : item))
  return limits.has(keyword) && typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value
}

const lowerCase = (value: Schema.Json): Schema.Json => (typeof value === "string" ? value.toLowerCase() : value)

const mapValues = (properties: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, isObject(value) ? jsonSchemaOf(value) : value])
  )

const orNull = (schema: Record<string, Schema.Json>): JsonObject => {
  const { type, enum: values, ...rest } = schema
  if (typeof type !== "string") return { anyOf: [schema, { type: "null" }] }
  return {
    ...rest,
    type: [type, "null"],
    ...(Array.isArray(values) ? { enum: values.includes(null) ? values : [...values, null] } : {})
  }
}
