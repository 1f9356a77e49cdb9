import type { Schema } from "effect"

/** What a model is told that is to answer in JSON and cannot be held to it. */
export const jsonInstruction =
  "Answer with one valid JSON object and nothing else: no introduction, no code fence, no comment."

/** As `jsonInstruction`, of JSON that follows a schema. */
export const schemaInstruction = (schema: Schema.Json): string =>
  `${jsonInstruction} It must match this JSON Schema:\n${JSON.stringify(schema)}`

/** What is said of JSON that the model is told of in words. */
export const jsonIsTold = "response_format json_object: the model is told to answer in JSON"

/** What is said of a schema that the model is told in words. */
export const schemaIsTold = "response_format json_schema: the model is told the schema, and not held to it"
