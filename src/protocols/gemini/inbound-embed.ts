import { Result, Schema } from "effect"
import type { EmbeddingAnswer, EmbeddingRequest } from "../../domain/Embedding.ts"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import { present } from "../../domain/present.ts"
import { documentDecoder } from "../document.ts"
import type { JsonObject } from "../open-document.ts"
import type { Embed } from "../Surface.ts"
import { decodeVector } from "../vectors.ts"
import { message, numeric, repeated } from "./proto-document.ts"
import { Content } from "./wire.ts"

const format = "gemini-embeddings"

/** One text to be embedded, and what its vector is for. */
const EmbedContentRequest = message({
  content: Content,
  outputDimensionality: Schema.optionalKey(numeric(Schema.Natural))
})
type EmbedContentRequest = typeof EmbedContentRequest.Type

const decodeOne = documentDecoder(EmbedContentRequest)
const decodeBatch = documentDecoder(message({ requests: repeated(EmbedContentRequest) }))

const unsupported = (feature: string, why: string): Result.Result<never, LlmError> =>
  Result.fail(failure({ _tag: "Unsupported", feature }, why))

/** What a request says beside its text; the model was named by the path. */
const settingsOf = ({ outputDimensionality, rest }: EmbedContentRequest) => {
  const { model: _, ...others }: JsonObject = rest ?? {}
  return { ...present({ dimensions: outputDimensionality }), rest: others }
}

/** The canonical request for all of them: a vector is asked for in one way for all texts. */
const requestOf = (
  model: string,
  asked: ReadonlyArray<EmbedContentRequest>
): Result.Result<EmbeddingRequest, LlmError> => {
  const [first, ...others] = asked
  if (first === undefined) {
    return Result.fail(
      failure({ _tag: "InvalidRequest", kind: "type", path: "requests" }, "requests: at least one is required")
    )
  }
  const parts = asked.flatMap(({ content }) => content.parts ?? [])
  if (parts.some(({ text }) => text === undefined)) return unsupported("content", "only texts are embedded here")
  const settings = settingsOf(first)
  const stated = JSON.stringify(settings)
  if (others.some((other) => JSON.stringify(settingsOf(other)) !== stated)) {
    return unsupported("requests", "requests with different settings cannot be asked together: send them one by one")
  }
  const texts = asked.map(({ content }) => (content.parts ?? []).map(({ text }) => text).join(""))
  return Result.succeed({ model, input: { _tag: "Texts", texts }, encoding: "float", ...settings })
}

const embeddingsOf = ({ vectors }: EmbeddingAnswer): ReadonlyArray<JsonObject> =>
  vectors.map((vector) => ({ values: typeof vector === "string" ? decodeVector(vector) : vector }))

const usageOf = ({ usage: { inputTokens } }: EmbeddingAnswer): JsonObject =>
  inputTokens === undefined ? {} : { usageMetadata: { promptTokenCount: inputTokens } }

/** `:embedContent`: the vector of one text. */
export const embedContent = (model: string): Embed => ({
  _tag: "Embed",
  format,
  decode: (body) => Result.flatMap(decodeOne(body), (asked) => requestOf(model, [asked])),
  render: (answer) => JSON.stringify({ embedding: embeddingsOf(answer)[0] ?? { values: [] }, ...usageOf(answer) })
})

/** `:batchEmbedContents`: the vectors of several texts. */
export const batchEmbedContents = (model: string): Embed => ({
  _tag: "Embed",
  format,
  decode: (body) => Result.flatMap(decodeBatch(body), ({ requests }) => requestOf(model, requests)),
  render: (answer) => JSON.stringify({ embeddings: embeddingsOf(answer), ...usageOf(answer) })
})
