import { Schema } from "effect"
import { nullish, openDocument } from "../open-document.ts"

export const openAiEmbeddingsId = "openai-embeddings"

const Tokens = Schema.NonEmptyArray(Schema.Natural)

/** One text or several, one sequence of tokens or several. */
const Input = Schema.Union([
  Schema.String,
  Schema.NonEmptyArray(Schema.String),
  Tokens,
  Schema.NonEmptyArray(Tokens)
]).annotate({ message: "Expected a text, a list of texts, a list of tokens, or a list of lists of tokens, none empty" })

/** The request of the embeddings API. */
export const EmbeddingsRequest = openDocument({
  model: Schema.String.check(Schema.isMinLength(1, { message: "Expected the name of a model" })),
  input: Input,
  encoding_format: nullish(Schema.Literals(["float", "base64"])),
  dimensions: nullish(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
  user: nullish(Schema.String)
})
export type EmbeddingsRequest = typeof EmbeddingsRequest.Type
