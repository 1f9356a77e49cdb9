import { Predicate, Result } from "effect"

/** A JSON Schema, as far as one can tell of a value that is still being written. */
export type JsonSchema = { readonly [key: string]: unknown } | boolean

/** Schemas that a value may follow, each a list of those that must hold together. */
export type Alternatives = ReadonlyArray<ReadonlyArray<{ readonly [key: string]: unknown }>>

/** So many ways to be valid are told apart; a schema with more is not watched that far. */
const maxAlternatives = 64

/** So many parts of schemas are looked at to tell them apart: references and alternatives multiply each other. */
const maxParts = 256

/** Whatever comes follows it: what is not understood, or is too much, is not held against anybody. */
const anything: Alternatives = [[]]

const isSchema = (value: unknown): value is JsonSchema => typeof value === "boolean" || Predicate.isObject(value)

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const segmentOf = (written: string): string => {
  const decoded = Result.getOrElse(
    Result.try(() => decodeURIComponent(written)),
    () => written
  )
  return decoded.replaceAll("~1", "/").replaceAll("~0", "~")
}

const pointed = (root: JsonSchema, pointer: string): unknown => {
  if (!pointer.startsWith("#")) return true
  let at: unknown = root
  for (const segment of pointer.slice(1).split("/").slice(1)) {
    const key = segmentOf(segment)
    at = Predicate.isObject(at) ? (at as { readonly [key: string]: unknown })[key] : undefined // any object has keys
  }
  return at
}

/** The ways in which both hold. */
const both = (some: Alternatives, others: Alternatives): Alternatives =>
  some.length * others.length > maxAlternatives
    ? anything
    : some.flatMap((one) => others.map((other) => [...one, ...other]))

/** The ways in which a value can follow a schema: references resolved, alternatives told apart. */
export const alternativesOf = (schema: unknown, root: JsonSchema): Alternatives => new Resolving(root).ways(schema, 0)

class Resolving {
  private readonly root: JsonSchema
  private parts = 0

  constructor(root: JsonSchema) {
    this.root = root
  }

  ways(schema: unknown, depth: number): Alternatives {
    if (schema === false) return []
    if (!isSchema(schema) || typeof schema === "boolean" || depth > 32 || ++this.parts > maxParts) return anything
    const { $ref, anyOf, oneOf, allOf, ...own } = schema
    let all: Alternatives = [[own]]
    if (typeof $ref === "string") all = both(all, this.ways(pointed(this.root, $ref), depth + 1))
    for (const options of [anyOf, oneOf]) {
      if (options !== undefined) all = both(all, this.anyOf(listOf(options), depth + 1))
    }
    for (const part of listOf(allOf)) {
      if (this.parts > maxParts) break
      all = both(all, this.ways(part, depth + 1))
    }
    return all
  }

  private anyOf(options: ReadonlyArray<unknown>, depth: number): Alternatives {
    const all: Array<Alternatives[number]> = []
    for (const option of options) {
      all.push(...this.ways(option, depth))
      if (all.length > maxAlternatives) return anything
    }
    return all
  }
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
  const resolving = new Resolving(root)
  const all = alternatives.flatMap((schemas) =>
    schemas.reduce((ways: Alternatives, schema) => both(ways, resolving.ways(select(schema), 0)), anything)
  )
  return all.length > maxAlternatives ? anything : all
}

const atMost = (limit: unknown, value: number): boolean => typeof limit !== "number" || value <= limit
const atLeast = (limit: unknown, value: number): boolean => typeof limit !== "number" || value >= limit

/** What is left when an array has begun its item of that index. */
export const withItem = (alternatives: Alternatives, index: number): Alternatives =>
  every(alternatives, (schema) => atMost(schema["maxItems"], index + 1))

/** Whether a text has at most so many characters. They are counted only where it may have more: it is asked for every one. */
const isWithin = (limit: unknown, text: string): boolean =>
  typeof limit !== "number" || text.length <= limit || Array.from(text).length <= limit

/** What is left when a string has begun so. */
export const withPrefix = (alternatives: Alternatives, prefix: string): Alternatives =>
  every(
    alternatives,
    (schema) =>
      isWithin(schema["maxLength"], prefix) &&
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
