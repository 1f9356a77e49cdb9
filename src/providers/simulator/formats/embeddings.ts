import { Result, Schema } from "effect"
import type { EmbeddingRequest, Vector } from "../../../domain/Embedding.ts"
import { present } from "../../../domain/present.ts"
import { documentDecoder } from "../../../protocols/document.ts"
import { nullish } from "../../../protocols/open-document.ts"
import type { Embed } from "../../../protocols/Surface.ts"
import { decodeVector } from "../../../protocols/vectors.ts"

const numbersOf = (vector: Vector): ReadonlyArray<number> =>
  typeof vector === "string" ? decodeVector(vector) : vector

const requestOf = (
  model: string,
  texts: ReadonlyArray<string>,
  dimensions: number | null | undefined
): EmbeddingRequest => ({
  model,
  input: { _tag: "Texts", texts },
  encoding: "float",
  ...present({ dimensions }),
  rest: {}
})

const decodeCohere = documentDecoder(
  Schema.Struct({ model: Schema.String, texts: Schema.Array(Schema.String), output_dimension: nullish(Schema.Natural) })
)

/** Cohere's `/v2/embed`. */
export const cohereEmbed: Embed = {
  _tag: "Embed",
  format: "cohere-embeddings",
  decode: (body) =>
    Result.map(decodeCohere(body), ({ model, texts, output_dimension }) => requestOf(model, texts, output_dimension)),
  render: ({ usage, vectors }) =>
    JSON.stringify({
      id: "sim-embed",
      embeddings: { float: vectors.map(numbersOf) },
      meta: { billed_units: { input_tokens: usage.inputTokens ?? 0 } }
    })
}

const decodeOllama = documentDecoder(
  Schema.Struct({
    model: Schema.String,
    input: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
    dimensions: nullish(Schema.Natural)
  })
)

/** Ollama's `/api/embed`. */
export const ollamaEmbed: Embed = {
  _tag: "Embed",
  format: "ollama-embeddings",
  decode: (body) =>
    Result.map(decodeOllama(body), ({ dimensions, input, model }) =>
      requestOf(model, typeof input === "string" ? [input] : input, dimensions)
    ),
  render: ({ model, usage, vectors }) =>
    JSON.stringify({ model, embeddings: vectors.map(numbersOf), prompt_eval_count: usage.inputTokens ?? 0 })
}
