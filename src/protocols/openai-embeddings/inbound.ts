import { Result, type Schema } from "effect"
import type { EmbeddingAnswer, EmbeddingInput, EmbeddingRequest, Vector } from "../../domain/Embedding.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import { present } from "../../domain/present.ts"
import { documentDecoder } from "../document.ts"
import { fieldsOf, parseJson, type JsonObject } from "../open-document.ts"
import type { Embed } from "../Surface.ts"
import { decodeVector, encodeVector } from "../vectors.ts"
import { EmbeddingsRequest, openAiEmbeddingsId } from "./wire.ts"

const decodeDocument = documentDecoder(EmbeddingsRequest)

const inputOf = (input: EmbeddingsRequest["input"]): EmbeddingInput => {
  if (typeof input === "string") return { _tag: "Texts", texts: [input] }
  const texts = input.filter((entry) => typeof entry === "string")
  if (texts.length > 0) return { _tag: "Texts", texts }
  const tokens = input.filter((entry) => typeof entry === "number")
  if (tokens.length > 0) return { _tag: "Tokens", sequences: [tokens] }
  return { _tag: "Tokens", sequences: input.filter((entry) => typeof entry === "object") }
}

/** Reads a request for vectors, or says which field is wrong. */
export const decodeRequest = (body: Schema.Json): Result.Result<EmbeddingRequest, LlmError> =>
  Result.map(decodeDocument(body), ({ model, input, encoding_format: encoding, dimensions, user, rest }) => ({
    model,
    input: inputOf(input),
    encoding: encoding ?? "float",
    ...present({ dimensions, user }),
    rest: rest ?? {}
  }))

const encoded = (vector: Vector, encoding: EmbeddingRequest["encoding"]): Vector => {
  if (encoding === "float") return typeof vector === "string" ? decodeVector(vector) : vector
  return typeof vector === "string" ? vector : encodeVector(vector)
}

const isAsAsked = ({ vectors }: EmbeddingAnswer, { encoding }: EmbeddingRequest): boolean =>
  vectors.every((vector) => (typeof vector === "string") === (encoding === "base64"))

/**
 * The answer's text: the provider's own where it is of this format and its vectors are as they were asked for. Servers that
 * do not know base64 answer with numbers, which SDKs that asked for base64 misread: those are put into it.
 */
export const renderAnswer = (answer: EmbeddingAnswer, request: EmbeddingRequest): string => {
  const { origin, vectors, usage, model } = answer
  const own = origin?.protocol === openAiEmbeddingsId ? origin.text : undefined
  if (own !== undefined && isAsAsked(answer, request)) return own
  const inputTokens = usage.inputTokens ?? 0
  const document = {
    object: "list",
    model,
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
    ...ownDocument(own)
  }
  return JSON.stringify({
    ...document,
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: encoded(vector, request.encoding)
    }))
  })
}

const ownDocument = (text: string | undefined): JsonObject => {
  const document = text === undefined ? undefined : parseJson(text)
  return fieldsOf(document)
}

/** OpenAI's embeddings API, as an action of a surface. */
export const openAiEmbeddings: Embed = {
  _tag: "Embed",
  format: openAiEmbeddingsId,
  decode: decodeRequest,
  render: renderAnswer
}
