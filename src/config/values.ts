import { Schema } from "effect"

/** A key that the document has and this version does not act on: saying so beats ignoring it. */
export const notYet = Schema.optionalKey(
  Schema.Never.annotate({ message: "is not supported by this version of Millrace yet; remove it" })
)

/** One of the names that there are. */
export const oneOf = <const Names extends ReadonlyArray<string>>(names: Names) =>
  Schema.Literals(names).annotate({
    message: `Expected ${names.length === 1 ? "" : "one of "}${names.join(", ")}`
  })

/** A text that says something. `expected` says what, for whoever wrote another thing. */
export const text = (expected: string) => {
  const message = `Expected ${expected}`
  return Schema.String.annotate({ message }).check(Schema.isMinLength(1, { message }))
}

export const YesOrNo = Schema.Boolean.annotate({ message: "Expected true or false" })
