import { Schema } from "effect"
import { nullish, openDocument } from "../open-document.ts"

export const openAiEmbeddingsId = "openai-embeddings"

type Tokens = ReadonlyArray<number>
type Input = string | ReadonlyArray<string> | Tokens | ReadonlyArray<Tokens>

const isListOf = <A>(value: unknown, isEntry: (entry: unknown) => entry is A): value is ReadonlyArray<A> =>
  Array.isArray(value) && value.length > 0 && value.every(isEntry)

const isText = (value: unknown): value is string => typeof value === "string"
const isToken = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isTokens = (value: unknown): value is Tokens => isListOf(value, isToken)

/** One text or several, one sequence of tokens or several: one thing to say about whatever is none of these. */
const Input = Schema.declare(
  (value): value is Input => isText(value) || isListOf(value, isText) || isTokens(value) || isListOf(value, isTokens),
  { message: "Expected a text, a list of texts, a list of tokens, or a list of lists of tokens; no list may be empty" }
)

/** The request of the embeddings API. */
export const EmbeddingsRequest = openDocument({
  model: Schema.String.check(Schema.isMinLength(1, { message: "Expected the name of a model" })),
  input: Input,
  encoding_format: nullish(Schema.Literals(["float", "base64"])),
  dimensions: nullish(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
  user: nullish(Schema.String)
})
export type EmbeddingsRequest = typeof EmbeddingsRequest.Type
