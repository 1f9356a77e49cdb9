import { Predicate } from "effect"

/** A JSON Schema, as far as one can tell of a value that is still being written. */
export type JsonSchema = { readonly [key: string]: unknown } | boolean

/** Schemas that a value may follow, each a list of those that must hold together. */
export type Alternatives = ReadonlyArray<ReadonlyArray<{ readonly [key: string]: unknown }>>

/** So many ways to be valid are told apart; a schema with more is not watched that far. */
const maxAlternatives = 64

const isSchema = (value: unknown): value is JsonSchema => typeof value === "boolean" || Predicate.isObject(value)

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const pointed = (root: JsonSchema, pointer: string): unknown => {
  if (!pointer.startsWith("#")) return true
  let at: unknown = root
  for (const segment of pointer.slice(1).split("/").slice(1)) {
    const key = decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~")
    at = Predicate.isObject(at) ? (at as { readonly [key: string]: unknown })[key] : undefined // any object has keys
  }
  return at
}

/** The ways in which a value can follow a schema: references resolved, alternatives told apart. */
export const alternativesOf = (schema: unknown, root: JsonSchema, depth = 0): Alternatives => {
  if (schema === false) return []
  // What is not understood is not held against anybody.
  if (!isSchema(schema) || typeof schema === "boolean" || depth > 32) return [[]]
  const { $ref, anyOf, oneOf, allOf, ...own } = schema
  let all: Alternatives = [[own]]
  const both = (others: Alternatives) => {
    const combined = all.flatMap((one) => others.map((other) => [...one, ...other]))
    all = combined.length > maxAlternatives ? [[]] : combined
  }
  if (typeof $ref === "string") both(alternativesOf(pointed(root, $ref), root, depth + 1))
  for (const options of [anyOf, oneOf]) {
    if (options !== undefined) both(listOf(options).flatMap((option) => alternativesOf(option, root, depth + 1)))
  }
  for (const part of listOf(allOf)) both(alternativesOf(part, root, depth + 1))
  return all
}

export type JsonType = "object" | "array" | "string" | "number" | "boolean" | "null"

const typeOf = (value: unknown): JsonType | undefined => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "array"
  const type = typeof value
  return type === "string" || type === "number" || type === "boolean" || type === "object" ? type : undefined
}

/** The values that a schema lists, where it lists any. */
const listed = (schema: { readonly [key: string]: unknown }): ReadonlyArray<unknown> | undefined =>
  "const" in schema ? [schema["const"]] : Array.isArray(schema["enum"]) ? schema["enum"] : undefined

const every = (
  alternatives: Alternatives,
  holds: (schema: { readonly [key: string]: unknown }) => boolean
): Alternatives => alternatives.filter((schemas) => schemas.every(holds))

/** What is left when the value turns out to be of a type. */
export const ofType = (alternatives: Alternatives, type: JsonType): Alternatives =>
  every(alternatives, (schema) => {
    const { type: stated } = schema
    const types = typeof stated === "string" ? [stated] : listOf(stated)
    const allowed = types.length === 0 || types.includes(type) || (type === "number" && types.includes("integer"))
    return allowed && (listed(schema)?.some((value) => typeOf(value) === type) ?? true)
  })

/** What is left when an object has a property of that name. */
export const withProperty = (alternatives: Alternatives, name: string): Alternatives =>
  every(alternatives, (schema) => propertySchema(schema, name) !== false)

const propertySchema = (schema: { readonly [key: string]: unknown }, name: string): unknown => {
  const { properties, additionalProperties, patternProperties } = schema
  const known = Predicate.isObject(properties) ? Object.getOwnPropertyDescriptor(properties, name)?.value : undefined
  if (known !== undefined) return known
  return patternProperties === undefined ? (additionalProperties ?? true) : true
}

/** The ways for the value of a property. */
export const propertyOf = (alternatives: Alternatives, name: string, root: JsonSchema): Alternatives =>
  inside(alternatives, root, (schema) => propertySchema(schema, name))

/** The ways for an item of an array. */
export const itemOf = (alternatives: Alternatives, index: number, root: JsonSchema): Alternatives =>
  inside(alternatives, root, ({ prefixItems, items }) => listOf(prefixItems)[index] ?? items ?? true)

const inside = (
  alternatives: Alternatives,
  root: JsonSchema,
  select: (schema: { readonly [key: string]: unknown }) => unknown
): Alternatives => {
  const all = alternatives.flatMap((schemas) => {
    let ways: Alternatives = [[]]
    for (const schema of schemas) {
      const selected = alternativesOf(select(schema), root)
      ways = ways.flatMap((one) => selected.map((other) => [...one, ...other]))
    }
    return ways
  })
  return all.length > maxAlternatives ? [[]] : all
}

const atMost = (limit: unknown, value: number): boolean => typeof limit !== "number" || value <= limit
const atLeast = (limit: unknown, value: number): boolean => typeof limit !== "number" || value >= limit

/** What is left when an array has begun its item of that index. */
export const withItem = (alternatives: Alternatives, index: number): Alternatives =>
  every(alternatives, (schema) => atMost(schema["maxItems"], index + 1))

/** What is left when a string has begun so. */
export const withPrefix = (alternatives: Alternatives, prefix: string): Alternatives =>
  every(
    alternatives,
    (schema) =>
      (typeof schema["maxLength"] !== "number" || atMost(schema["maxLength"], Array.from(prefix).length)) &&
      (listed(schema)?.some((value) => typeof value === "string" && value.startsWith(prefix)) ?? true)
  )

/** What is left when a value other than an object or array is complete. */
export const withValue = (alternatives: Alternatives, value: string | number | boolean | null): Alternatives =>
  every(alternatives, (schema) => {
    if (listed(schema)?.includes(value) === false) return false
    if (typeof value === "string") return atLeast(schema["minLength"], Array.from(value).length)
    if (typeof value !== "number") return true
    const { exclusiveMinimum, exclusiveMaximum, type } = schema
    const types = typeof type === "string" ? [type] : listOf(type)
    return (
      atLeast(schema["minimum"], value) &&
      atMost(schema["maximum"], value) &&
      (typeof exclusiveMinimum !== "number" || value > exclusiveMinimum) &&
      (typeof exclusiveMaximum !== "number" || value < exclusiveMaximum) &&
      (!types.includes("integer") || types.includes("number") || Number.isInteger(value))
    )
  })

/** What is left when an object with these properties, or an array of so many items, is complete. */
export const complete = (alternatives: Alternatives, names: ReadonlySet<string>, items: number): Alternatives =>
  every(
    alternatives,
    (schema) =>
      listOf(schema["required"]).every((name) => typeof name !== "string" || names.has(name)) &&
      atLeast(schema["minProperties"], names.size) &&
      atLeast(schema["minItems"], items)
  )
