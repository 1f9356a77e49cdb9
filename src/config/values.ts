import { Effect, Schema, SchemaGetter } from "effect"

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

/** Also as text: what comes from an environment variable is text. */
export const YesOrNo = Schema.Union([Schema.Boolean, Schema.Literals(["true", "false"])])
  .annotate({ message: "Expected true or false" })
  .pipe(
    Schema.decodeTo(Schema.Boolean, {
      decode: SchemaGetter.transform((said: boolean | "true" | "false") => said === true || said === "true"),
      encode: SchemaGetter.transform((said: boolean) => said)
    })
  )

const isBaseUrl = (value: string): boolean => {
  const url = URL.parse(value)
  return url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "" && url.username === ""
}

/** A URL that paths are appended to. */
export const BaseUrl = text("a URL").check(
  Schema.makeFilter((value) => isBaseUrl(value), {
    message: "Expected an http:// or https:// URL without user, query and fragment"
  })
)

/** A text that is shown nowhere. */
export const Secret = Schema.RedactedFromValue(text("a text"))

/**
 * A key with a default. The default is of the decoded type: one of the encoded type would be decoded in a second pass,
 * and the errors of a section would then come in two portions.
 */
export const withDefault =
  <S extends Schema.Top>(value: S["Type"]) =>
  (schema: S) =>
    schema.pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed(value)))
