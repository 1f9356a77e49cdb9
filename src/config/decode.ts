import { Result, Schema, SchemaIssue } from "effect"
import { Document } from "./Document.ts"
import { didYouMean, type Finding, type Path } from "./problems.ts"
import { isSection } from "./substitute.ts"

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * Decodes what a user wrote, and says everything that is wrong with it. Values are shown as `written` has them, before
 * anything of the environment was put in, and never where they are secrets.
 */
export const decodeWith = <A, I>(
  schema: Schema.Codec<A, I>
): ((value: unknown, written: unknown) => Result.Result<A, ReadonlyArray<Finding>>) => {
  const decode = Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty: "error" })
  return (value, written) => Result.mapError(decode(value), (error) => findingsOf(error.issue, [], written))
}

/** Decodes a configuration document. */
export const decodeDocument = decodeWith(Document)

/** What is wrong with a value, each with its place and how to mend it. */
export const findingsOf = (issue: SchemaIssue.Issue, path: Path = [], written?: unknown): ReadonlyArray<Finding> => {
  switch (issue._tag) {
    case "Composite":
      return issue.issues.flatMap((inner) => findingsOf(inner, path, written))
    case "AnyOf":
      return issue.issues.length === 0
        ? textsOf(issue, path, written)
        : issue.issues.flatMap((inner) => findingsOf(inner, path, written))
    case "Encoding":
      return findingsOf(issue.issue, path, written)
    case "Pointer":
      // The keys of a document are texts and numbers.
      return findingsOf(issue.issue, [...path, ...(issue.path as Path)], written)
    case "UnexpectedKey":
      return [{ path, message: unknownKey(String(path.at(-1)), knownKeys(issue.ast)) }]
    case "MissingKey":
      return typeof path.at(-1) === "number"
        ? [{ path: path.slice(0, -1), message: "is an empty list; put at least one into it" }]
        : [{ path, message: "is missing; add it" }]
    default:
      return textsOf(issue, path, written)
  }
}

const textsOf = (issue: SchemaIssue.Issue, path: Path, written: unknown): ReadonlyArray<Finding> =>
  issuesOf(issue).issues.map(({ message, path: inner = [] }) => {
    const full = [...path, ...(inner as Path)]
    return { path: full, message: explain(message, full, written) }
  })

const knownKeys = (ast: SchemaIssue.UnexpectedKey["ast"]): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

const unknownKey = (key: string, known: ReadonlyArray<string>): string => {
  const hint = didYouMean(key, known)
  return `is no known key${hint === "" ? "" : hint}${known.length === 0 ? "" : ` (known: ${known.join(", ")})`}`
}

const kinds: { readonly [expected: string]: string } = {
  object: "a section with keys of its own",
  array: "a list",
  string: "a text",
  number: "a number",
  boolean: "true or false",
  "a value with a length of at least 1": "a text that is not empty"
}

const explain = (message: string, path: Path, written: unknown): string => {
  const expected = /^Expected (.*)$/s.exec(message)?.[1]
  if (expected === undefined) return message
  return `${show(path, written)} is not accepted; write ${kinds[expected] ?? expected}`
}

const secretKeys = new Set(["apiKey", "apiKeys", "adminKey", "key", "pepper", "headers"])

/** The value at a path, short, without anything that may be a secret. */
const show = (path: Path, written: unknown): string => {
  if (path.some((segment) => secretKeys.has(String(segment)))) return "the value"
  const value = path.reduce<unknown>(
    (inner, segment) => (isSection(inner) || Array.isArray(inner) ? Reflect.get(inner, segment) : undefined),
    written
  )
  if (value === undefined) return "the value"
  if (value === null) return "nothing"
  if (isSection(value)) return "a section"
  if (Array.isArray(value)) return "a list"
  // A URL may carry a password. Numbers that JSON does not have are written as texts are.
  const text = (typeof value === "string" ? JSON.stringify(value) : String(value)).replace(/\/\/[^/@]*@/, "//…@")
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
