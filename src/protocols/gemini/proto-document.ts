import { Effect, Schema, SchemaIssue, SchemaParser } from "effect"
import { ownReader, type Reader, readerOf, unread } from "../json-reader.ts"
import { isObject, type JsonObject, type Kept } from "../open-document.ts"

/** A name as JSON writes it: the API also takes the one that its own definition has, with underscores. */
export const camelCase = (name: string): string =>
  name.replaceAll(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** A field of a message as it was written, which may be named in either way. */
export const fieldOf = (written: JsonObject, name: string): Schema.Json | undefined =>
  written[name] ?? written[snakeCase(name)] ?? undefined

/** The fields of a message under the names of JSON, those that are `null` left out, because that is the same here. */
const namedFields = (
  input: JsonObject,
  fields: { readonly [name: string]: unknown }
): { readonly known: JsonObject; readonly rest: JsonObject | undefined } => {
  const known: Record<string, Schema.Json> = {}
  let rest: Record<string, Schema.Json> | undefined
  for (const [key, value] of Object.entries(input)) {
    if (value === null) continue
    const name = Object.hasOwn(fields, key) ? key : camelCase(key)
    if (Object.hasOwn(fields, name)) known[name] = value
    else (rest ??= {})[name] = value
  }
  return { known, rest }
}

/**
 * A message of the API. Its fields may be named in either way, may be `null`, and those that are not known here are kept:
 * the API grows by fields, and they go on to a provider of this format.
 */
export const message = <const F extends { readonly [name: string]: Schema.ConstraintDecoder<unknown, never> }>(
  fields: F
) => {
  const struct = Schema.Struct(fields)
  const decode = SchemaParser.decodeUnknownEffect(struct)
  const readFields = readerOf(struct)
  const read: Reader = (value) => {
    if (!isObject(value)) return unread
    const { known, rest } = namedFields(value, fields)
    const found = readFields(known)
    // What the reader of a struct gives is an object.
    return found === unread ? unread : { ...(found as object), rest, raw: value }
  }
  return Schema.declareConstructor<(typeof struct)["Type"] & Kept, JsonObject>()(
    [],
    () => (input, ast, options) => {
      if (!isObject(input)) return Effect.fail(new SchemaIssue.InvalidType(ast, input, options))
      const { known, rest } = namedFields(input, fields)
      return Effect.map(decode(known, options), (decoded) => ({ ...decoded, rest, raw: input }))
    },
    { expected: "object", [ownReader]: read }
  )
}

/** A field that holds several: one alone may stand without its brackets, as the API's own examples write it. */
export const repeated = <S extends Schema.ConstraintDecoder<unknown, never>>(item: S) => {
  const items = Schema.Array(item)
  const decode = SchemaParser.decodeUnknownEffect(items)
  const readItems = readerOf(items)
  const read: Reader = (value) => readItems(Array.isArray(value) ? value : [value])
  return Schema.declareConstructor<ReadonlyArray<S["Type"]>, Schema.Json>()(
    [],
    () => (input, _, options) => decode(Array.isArray(input) ? input : [input], options),
    { expected: "array", [ownReader]: read }
  )
}

/** The items of such a field as it was written. */
export const itemsOf = (written: Schema.Json | undefined): ReadonlyArray<Schema.Json> =>
  Array.isArray(written) ? written : written === undefined || written === null ? [] : [written]

/** A number that may also stand in quotes, as some clients write each of them and the API's own definition does 64 bits. */
export const numeric = <S extends Schema.ConstraintDecoder<number, never>>(number: S) => {
  const decode = SchemaParser.decodeUnknownEffect(number)
  return Schema.declareConstructor<S["Type"], Schema.Json>()(
    [],
    () => (input, _, options) => decode(isNumberText(input) ? Number(input) : input, options),
    { expected: "number" }
  )
}

const isNumberText = (input: unknown): input is string =>
  typeof input === "string" && /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(input)

/** A value out of a list: its name, or its number, as clients write it that speak the API's binary form too. */
export const EnumValue = Schema.Union([Schema.String, Schema.Int])
export type EnumValue = typeof EnumValue.Type

/** The name of such a value; `names` are those of the numbers. */
export const enumName = (value: EnumValue, names: ReadonlyArray<string | undefined>): string =>
  typeof value === "string" ? value : (names[value] ?? String(value))
