import { Result, Schema, SchemaIssue } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { readerOf, unread } from "./json-reader.ts"

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

type PathSegment = PropertyKey | { readonly key: PropertyKey }

const formatPath = (path: ReadonlyArray<PathSegment>): string => {
  let text = ""
  for (const segment of path) {
    const key = typeof segment === "object" ? segment.key : segment
    text += typeof key === "number" ? `[${key}]` : text === "" ? String(key) : `.${String(key)}`
  }
  return text
}

const describe = (path: string, message: string): string =>
  path === ""
    ? message
    : message === "Missing key"
      ? `${path} is required`
      : `${path}: ${message.charAt(0).toLowerCase()}${message.slice(1)}`

/**
 * A decoder of request documents: every field that is wrong is named with its path, the first one as the `path` of the
 * `InvalidRequest`, so that a dialect can put it where its SDK looks for it.
 */
export const documentDecoder = <S extends Schema.ConstraintDecoder<unknown, never>>(
  schema: S
): ((body: unknown) => Result.Result<S["Type"], LlmError>) => {
  const read = readerOf(schema)
  const decode = Schema.decodeUnknownResult(schema, { errors: "all" })
  return (body) => {
    const found = read(body)
    // A reader gives what the schema would.
    if (found !== unread) return Result.succeed(found as S["Type"])
    return Result.mapError(decode(withPlainNumbers(body)), (error) => {
      const issues = issuesOf(error.issue).issues.map((issue) => {
        const path = formatPath(issue.path ?? [])
        return { path, text: describe(path, issue.message) }
      })
      const path = issues[0]?.path ?? ""
      const shown = issues.slice(0, 5).map((issue) => issue.text)
      const hidden = issues.length - shown.length
      return failure(
        { _tag: "InvalidRequest", kind: "type", ...(path === "" ? {} : { path }) },
        shown.join("; ") + (hidden > 0 ? `; and ${hidden} more` : "")
      )
    })
  }
}

/** To a schema a number that was kept as it is written is none. */
const withPlainNumbers = (body: unknown): unknown =>
  typeof body === "object" ? JSON.parse(JSON.stringify(body)) : body

/** The fields of a document that are not in `known`: what only its own format knows. Undefined where there are none. */
export const unknownFields = (
  document: { readonly [key: string]: unknown },
  known: { readonly [key: string]: unknown }
): Record<string, Schema.Json> | undefined => {
  let rest: Record<string, Schema.Json> | undefined
  for (const key of Object.keys(document)) {
    // The document was parsed from JSON, so what no schema field covers is JSON still.
    if (!Object.hasOwn(known, key)) (rest ??= {})[key] = document[key] as Schema.Json
  }
  return rest
}
