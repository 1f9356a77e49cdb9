import { Schema } from "effect"

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
