import { Result, type Schema } from "effect"
import { isObject, type JsonObject } from "../../protocols/open-document.ts"
import { seeded } from "./Seeded.ts"
import { table } from "../../domain/table.ts"

/** How deep a value is filled with what the schema only allows; beyond it there is only what it requires. */
const generousDepth = 3

/** Where a schema that requires itself is given up: no value could fit it. */
const deepest = 32
const mostSteps = 10_000

/** The longest list and text that a schema can ask for. */
const longestList = 1000
const longestText = 100_000
/** A text that is longer counts as more than one step. */
const lengthOfStep = 200

/** How many steps above its lower bound a number may be. */
const spread = 40

/**
 * A value that fits a JSON Schema, the same for the same seed.
 *
 * Knows `type`, `enum`, `const`, `properties` with `required`, `items` and `prefixItems`, the bounds of numbers,
 * lengths and counts, `multipleOf`, the common formats, `allOf`, `anyOf`, `oneOf` and local `$ref`s. A `pattern` is met
 * only if the schema shows how by `default` or `examples`. What a schema does not require is left out, except where an
 * object requires nothing.
 */
export const valueFor = (schema: Schema.Json, seed: number): Schema.Json =>
  new ValueWriter(schema, seeded(seed)).value(schema, 0)

const isList = (value: unknown): value is ReadonlyArray<Schema.Json> => Array.isArray(value)

const numberAt = (schema: JsonObject, key: string): number | undefined => {
  const value = schema[key]
  return typeof value === "number" ? value : undefined
}

const samples = ["river", "stone", "wheel", "meadow", "heron", "willow", "timber", "bridge"]

const formats: { readonly [format: string]: string } = table({
  "date-time": "2026-03-14T09:26:53Z",
  date: "2026-03-14",
  time: "09:26:53Z",
  duration: "PT15M",
  email: "mill@example.com",
  hostname: "mill.example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/mill",
  url: "https://example.com/mill",
  "uri-reference": "/mill",
  uuid: "00000000-0000-4000-8000-000000000001"
})

class ValueWriter {
  private readonly root: Schema.Json
  private readonly random: () => number
  private steps = 0

  constructor(root: Schema.Json, random: () => number) {
    this.root = root
    this.random = random
  }

  value(given: Schema.Json, depth: number): Schema.Json {
    if (depth > deepest || this.steps > mostSteps) return null
    const schema = this.resolve(given, depth)
    if (schema["const"] !== undefined) return schema["const"]
    const choices = schema["enum"]
    if (isList(choices) && choices.length > 0) return this.pick(choices)
    if (isList(schema["examples"]) && schema["examples"][0] !== undefined) return schema["examples"][0]
    if (schema["default"] !== undefined) return schema["default"]
    switch (this.typeOf(schema)) {
      case "object":
        return this.object(schema, depth)
      case "array":
        return this.array(schema, depth)
      case "integer":
        return this.number(schema, true)
      case "number":
        return this.number(schema, false)
      case "boolean":
        return this.random() < 0.5
      case "null":
        return null
      default:
        return this.text(schema)
    }
  }

  /** The schema with its references followed and its combinations merged: one plain description of a value. */
  private resolve(given: Schema.Json, depth: number, hops = 0): JsonObject {
    // More hops than that are a circle of references.
    if (!isObject(given) || hops > deepest || ++this.steps > mostSteps) return {}
    const { $ref, allOf, anyOf, oneOf, ...rest } = given
    let schema: JsonObject = rest
    const merge = (other: Schema.Json | undefined) => {
      if (other !== undefined) schema = mergeSchemas(schema, this.resolve(other, depth, hops + 1))
    }
    if (typeof $ref === "string") merge(this.lookUp($ref))
    if (isList(allOf)) for (const other of allOf) merge(other)
    for (const branches of [anyOf, oneOf]) if (isList(branches)) merge(this.branch(branches, depth))
    return schema
  }

  /** The first branch that says something; where it is deep already, one that does not lead deeper. */
  private branch(branches: ReadonlyArray<Schema.Json>, depth: number): Schema.Json | undefined {
    const isNull = (branch: Schema.Json) => isObject(branch) && branch["type"] === "null"
    const isScalar = (branch: Schema.Json) =>
      isObject(branch) && typeof branch["type"] === "string" && !["object", "array"].includes(branch["type"])
    const followed = (branch: Schema.Json) =>
      isObject(branch) && typeof branch["$ref"] === "string" ? (this.lookUp(branch["$ref"]) ?? {}) : branch
    const isClosed = (branch: Schema.Json) => !JSON.stringify(followed(branch)).includes('"$ref"')
    const shallow =
      depth > generousDepth
        ? (branches.find(isNull) ?? branches.find((branch) => isScalar(followed(branch))) ?? branches.find(isClosed))
        : undefined
    return shallow ?? branches.find((branch) => !isNull(branch)) ?? branches[0]
  }

  private lookUp(reference: string): Schema.Json | undefined {
    if (!reference.startsWith("#")) return undefined
    let found: Schema.Json | undefined = this.root
    for (const segment of reference.split("/").slice(1)) {
      const key = unescapePointer(segment)
      found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined
    }
    return found
  }

  private typeOf(schema: JsonObject): string {
    const type = schema["type"]
    if (typeof type === "string") return type
    if (isList(type)) return String(type.find((name) => name !== "null") ?? "null")
    if (schema["properties"] !== undefined || schema["required"] !== undefined) return "object"
    if (schema["items"] !== undefined || schema["prefixItems"] !== undefined) return "array"
    if (schema["minimum"] !== undefined || schema["maximum"] !== undefined) return "number"
    return "string"
  }

  private object(schema: JsonObject, depth: number): Schema.Json {
    const properties = isObject(schema["properties"]) ? schema["properties"] : {}
    const required = isList(schema["required"]) ? schema["required"].map(String) : []
    const named = required.length === 0 && depth < generousDepth ? Object.keys(properties) : required
    const value: Record<string, Schema.Json> = {}
    const extra = schema["additionalProperties"] ?? {}
    for (const name of named) {
      // `__proto__` and the like are names as any other.
      const described = Object.hasOwn(properties, name) ? properties[name] : extra
      Object.defineProperty(value, name, {
        value: this.value(described ?? {}, depth + 1),
        enumerable: true,
        configurable: true,
        writable: true
      })
    }
    const least = Math.min(numberAt(schema, "minProperties") ?? 0, longestList)
    for (let index = 0; Object.keys(value).length < least; index++) {
      value[`${samples[index % samples.length]}${index}`] = this.value(extra, depth + 1)
    }
    return value
  }

  private array(schema: JsonObject, depth: number): Schema.Json {
    const prefix = isList(schema["prefixItems"]) ? schema["prefixItems"] : []
    const items = schema["items"]
    const most = numberAt(schema, "maxItems") ?? Infinity
    const wanted = depth > generousDepth || items === false ? prefix.length : Math.max(prefix.length, 1)
    const length = Math.min(Math.max(numberAt(schema, "minItems") ?? 0, Math.min(wanted, most)), longestList)
    const value: Array<Schema.Json> = []
    const seen = new Set<string>()
    for (let tries = 0; value.length < length && tries < length * 50; tries++) {
      const item = this.value(prefix[value.length] ?? items ?? {}, depth + 1)
      const text = JSON.stringify(item)
      if (schema["uniqueItems"] === true && seen.has(text)) continue
      seen.add(text)
      value.push(item)
    }
    return value
  }

  private number(schema: JsonObject, whole: boolean): number {
    const step = numberAt(schema, "multipleOf") ?? (whole ? 1 : 0.5)
    const least = highest(numberAt(schema, "minimum"), numberAt(schema, "exclusiveMinimum"))
    const most = highest(negative(numberAt(schema, "maximum")), negative(numberAt(schema, "exclusiveMaximum")))
    // The bounds in steps, both inclusive.
    let low = least.exclusive ? Math.floor(least.value / step) + 1 : Math.ceil(least.value / step)
    let high = most.exclusive ? Math.ceil(-most.value / step) - 1 : Math.floor(-most.value / step)
    if (low === -Infinity) low = high === Infinity ? 1 : high - spread
    if (high === Infinity) high = low + spread
    if (low > high) return (least.value - most.value) / 2
    return (low + Math.floor(this.random() * (Math.min(high - low, spread) + 1))) * step
  }

  private text(schema: JsonObject): string {
    const format = schema["format"]
    const known = typeof format === "string" ? formats[format] : undefined
    const least = Math.min(numberAt(schema, "minLength") ?? 0, longestText)
    const most = numberAt(schema, "maxLength") ?? Infinity
    let text = known ?? this.pick(samples)
    while (text.length < least) text += ` ${this.pick(samples)}`
    this.steps += Math.floor(text.length / lengthOfStep)
    return text.length > most ? text.slice(0, most) : text
  }

  private pick<A>(list: ReadonlyArray<A>): A {
    // The index is below the length, and no caller hands in an empty list.
    return list[Math.floor(this.random() * list.length)] as A
  }
}

const unescapePointer = (segment: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(segment)),
    () => segment
  )
    .replaceAll("~1", "/")
    .replaceAll("~0", "~")

/** The stricter of two lower bounds; an upper bound is the lower one of the negated number. */
const highest = (inclusive = -Infinity, exclusive = -Infinity): { value: number; exclusive: boolean } =>
  exclusive >= inclusive && exclusive > -Infinity
    ? { value: exclusive, exclusive: true }
    : { value: inclusive, exclusive: false }

const negative = (bound: number | undefined): number | undefined => (bound === undefined ? undefined : -bound)

/** Both schemas at once: properties and requirements are joined, of everything else the second one's word counts. */
const mergeSchemas = (first: JsonObject, second: JsonObject): JsonObject => {
  const merged: Record<string, Schema.Json> = { ...first, ...second }
  const required = [first["required"], second["required"]].flatMap((list) => (isList(list) ? list : []))
  if (required.length > 0) merged["required"] = [...new Set(required)]
  if (isObject(first["properties"]) && isObject(second["properties"])) {
    merged["properties"] = { ...first["properties"], ...second["properties"] }
  }
  return merged
}
