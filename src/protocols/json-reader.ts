import { Result, Schema, type SchemaAST } from "effect"
import { nearestNumber } from "../domain/exact-json.ts"

/** What a reader answers about a value that it does not take: the schema has to say whether it may pass, or why not. */
export const unread: unique symbol = Symbol("unread")

/**
 * Gives what the schema would make of a value that came out of a JSON parser, or `unread`. It is a plan that is made once:
 * running a schema takes several times as long as reading the document, and every call reads one.
 */
export type Reader = (value: unknown) => unknown

/** The annotation by which a schema that is declared here brings a reader of its own. */
export const ownReader = "millrace/reader"

/** The reader of a schema. What it has no plan for is read by the schema itself. */
export const readerOf = (schema: Schema.Constraint): Reader => readerOfNode(schema.ast)

const readerOfNode = (ast: SchemaAST.AST): Reader => {
  // Nobody else sets this annotation.
  const own = ast.annotations?.[ownReader] as Reader | undefined
  const plain = ast.encoding === undefined ? (own ?? plainReader(ast)) : undefined
  return plain === undefined ? schemaReader(ast) : checked(plain, ast)
}

const schemaReader = (ast: SchemaAST.AST): Reader => {
  // The schemas that requests are read by need no services.
  const decode = Schema.decodeUnknownResult(Schema.make<Schema.ConstraintDecoder<unknown, never>>(ast))
  return (value) => Result.getOrElse(decode(value), () => unread)
}

const json = Schema.Json.ast

/** Whatever came out of a JSON parser is JSON. */
const isJson = (ast: SchemaAST.AST): boolean =>
  ast._tag === "Declaration" && json._tag === "Declaration" && ast.run === json.run

const plainReader = (ast: SchemaAST.AST): Reader | undefined => {
  if (isJson(ast)) return (value) => value
  switch (ast._tag) {
    case "String":
      return (value) => (typeof value === "string" ? value : unread)
    case "Number":
      return (value) => (typeof value === "number" ? value : (nearestNumber(value) ?? unread))
    case "Boolean":
      return (value) => (typeof value === "boolean" ? value : unread)
    case "Null":
      return (value) => (value === null ? value : unread)
    case "Literal":
      return (value) => (value === ast.literal ? value : unread)
    case "Arrays":
      return arrayReader(ast)
    case "Objects":
      return objectReader(ast)
    case "Union":
      return unionReader(ast)
    default:
      return undefined
  }
}

const checked = (read: Reader, ast: SchemaAST.AST): Reader => {
  const { checks } = ast
  if (checks === undefined) return read
  return (value) => {
    const found = read(value)
    if (found === unread) return unread
    return checks.every((check) => check._tag === "Filter" && check.run(found, ast, {}) === undefined) ? found : unread
  }
}

const arrayReader = ({ elements, rest: [item, ...more] }: SchemaAST.Arrays): Reader | undefined => {
  if (elements.length > 0 || item === undefined || more.length > 0) return undefined
  const read = readerOfNode(item)
  return (value) => {
    if (!Array.isArray(value)) return unread
    const items: Array<unknown> = []
    for (const item of value) {
      const found = read(item)
      if (found === unread) return unread
      items.push(found)
    }
    return items
  }
}

const unionReader = ({ options, types }: SchemaAST.Union): Reader | undefined => {
  if (options?.mode === "oneOf") return undefined
  const readers = types.map(readerOfNode)
  return (value) => {
    for (const read of readers) {
      const found = read(value)
      if (found !== unread) return found
    }
    return unread
  }
}

const objectReader = ({ indexSignatures, propertySignatures }: SchemaAST.Objects): Reader | undefined => {
  const [index, ...more] = indexSignatures
  if (index === undefined) return structReader(fieldsOf(propertySignatures), (known) => known)
  if (propertySignatures.length > 0 || more.length > 0 || !isJson(index.type)) return undefined
  if (index.parameter._tag !== "String" || index.parameter.checks !== undefined) return undefined
  return (value) => (isDocument(value) ? value : unread)
}

type Document = { readonly [key: string]: unknown }

const isDocument = (value: unknown): value is Document =>
  typeof value === "object" && value !== null && !Array.isArray(value)

interface Field {
  readonly read: Reader
  readonly isRequired: boolean
}

const fieldsOf = (signatures: ReadonlyArray<SchemaAST.PropertySignature>): ReadonlyMap<string, Field> =>
  // The names of what is described here are those of JSON, which are strings.
  new Map(
    signatures.map(({ name, type }) => [
      String(name),
      { read: readerOfNode(type), isRequired: type.context?.isOptional !== true }
    ])
  )

/** What is made of the known fields of a document, of the others where there are any, and of the document itself. */
type Made = (known: Record<string, unknown>, rest: Document | undefined, raw: Document) => object

/** The reader of a struct of which more is made than its fields. */
export const readerOfFields = (fields: { readonly [key: string]: Schema.Constraint }, made: Made): Reader =>
  structReader(fieldsOf(Object.entries(fields).map(([name, { ast }]) => ({ name, type: ast }))), made)

const structReader = (fields: ReadonlyMap<string, Field>, made: Made): Reader => {
  const required = [...fields.values()].filter(({ isRequired }) => isRequired).length
  return (value) => {
    if (!isDocument(value)) return unread
    const known: Record<string, unknown> = {}
    let rest: Record<string, unknown> | undefined
    let missing = required
    for (const key of Object.keys(value)) {
      const field = fields.get(key)
      if (field === undefined) {
        ;(rest ??= {})[key] = value[key]
        continue
      }
      const found = field.read(value[key])
      if (found === unread) return unread
      known[key] = found
      if (field.isRequired) missing--
    }
    return missing === 0 ? made(known, rest, value) : unread
  }
}
