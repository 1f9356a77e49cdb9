import { Effect, Schema, SchemaIssue, SchemaParser } from "effect"
import { parseExactly } from "../domain/exact-json.ts"
import { unknownFields } from "./document.ts"
import { ownReader, type Reader, readerOf, readerOfFields, unread } from "./json-reader.ts"

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Schema.Json }

/** Whether a value is a JSON object, given that it came out of a JSON parser. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const nothing: JsonObject = {}

/** The fields of a value that may be an object; none where it is none. */
export const fieldsOf = (value: unknown): JsonObject => (isObject(value) ? value : nothing)

/** The text of a field; empty where the field is not there, or no text. */
export const textAt = (object: JsonObject, key: string): string => {
  const value = object[key]
  return typeof value === "string" ? value : ""
}

/** What an open document keeps beside its known fields: the unknown ones, and the whole of it as it was received. */
export interface Kept {
  readonly rest: JsonObject | undefined
  readonly raw: JsonObject
}

/** A field that may be left out or be `null`, which this API takes for the same. */
export const nullish = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/**
 * A struct whose unknown fields are kept. The API grows by fields and by kinds of blocks, and what is not known here is
 * still the caller's: it goes on to a provider of this format and is reported where another has to leave it out.
 */
export const openDocument = <const F extends { readonly [key: string]: Schema.ConstraintDecoder<unknown, never> }>(
  fields: F
) => {
  const struct = Schema.Struct(fields)
  const decode = SchemaParser.decodeUnknownEffect(struct)
  return Schema.declareConstructor<(typeof struct)["Type"] & Kept, JsonObject>()(
    [],
    () => (input, ast, options) =>
      isObject(input)
        ? Effect.map(decode(input, options), (known) => ({ ...known, rest: unknownFields(input, fields), raw: input }))
        : Effect.fail(new SchemaIssue.InvalidType(ast, input, options)),
    {
      expected: "object",
      [ownReader]: readerOfFields(fields, (known, rest, raw) => Object.assign(known, { rest, raw }))
    }
  )
}

/** A document of a kind that has no schema here. */
export interface UnknownKind {
  readonly type: undefined
  readonly raw: JsonObject
}

/**
 * Documents told apart by their `type`. One schema is chosen before it is tried, so that a wrong field is reported for
 * what the caller meant; a type that is not listed is an `UnknownKind`. `absent` says what one
 * without any type is.
 */
export const byType = <const S extends { readonly [type: string]: Schema.ConstraintDecoder<unknown, never> }>(
  schemas: S,
  absent?: (document: JsonObject) => keyof S & string
) => {
  type Known = { [K in keyof S & string]: { readonly type: K } & Omit<S[K]["Type"], "type"> }[keyof S & string]
  const decoders = new Map(
    Object.entries(schemas).map(([type, schema]) => [type, SchemaParser.decodeUnknownEffect(schema)])
  )
  const typeless = SchemaParser.decodeUnknownEffect(Schema.Struct({ type: Schema.String }))
  return Schema.declareConstructor<Known | UnknownKind, JsonObject>()(
    [],
    () => (input, ast, options) => {
      if (!isObject(input)) return Effect.fail(new SchemaIssue.InvalidType(ast, input, options))
      const type = input["type"] ?? absent?.(input)
      if (typeof type !== "string") return Effect.as(typeless(input, options), unknownKind(input))
      const decode = decoders.get(type)
      return decode === undefined
        ? Effect.succeed(unknownKind(input))
        : // The decoder was chosen by `type`, so that what it returns is the member of `Known` with this type.
          Effect.map(decode(input, options), (known) => ({ ...(known as object), type }) as Known)
    },
    { expected: "object", [ownReader]: readerByType(schemas, absent) }
  )
}

const readerByType = (
  schemas: { readonly [type: string]: Schema.Constraint },
  absent: ((document: JsonObject) => string) | undefined
): Reader => {
  const readers = new Map(Object.entries(schemas).map(([type, schema]) => [type, readerOf(schema)]))
  return (value) => {
    if (!isObject(value)) return unread
    const type = value["type"] ?? absent?.(value)
    if (typeof type !== "string") return unread
    const read = readers.get(type)
    if (read === undefined) return unknownKind(value)
    const known = read(value)
    // What the readers of objects give is an object.
    return known === unread ? unread : { ...(known as object), type }
  }
}

const unknownKind = (raw: JsonObject): UnknownKind => ({ type: undefined, raw })

/** A list or an object that holds something; undefined where it is empty. */
export const unlessEmpty = <A extends object>(value: A): A | undefined =>
  (Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0) ? undefined : value

/** A text as the JSON value it is; undefined where it is none. */
export const parseJson = (text: string): unknown => {
  // JSON.parse is the one judge of JSON, and says no by throwing.
  try {
    return parseExactly(text)
  } catch {
    return undefined
  }
}
