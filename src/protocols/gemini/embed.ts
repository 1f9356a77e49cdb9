import { present } from "../../domain/present.ts"
import { encodeTexts, type TextsToEmbed } from "../EmbeddingEncoding.ts"
import { fieldsOf, isObject } from "../open-document.ts"
import type { EncodedRequest, Embedding, ReadEmbeddings } from "../Protocol.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"
import { readVectors } from "../vectors.ts"
import { pathOf, resourceOf } from "./encode-request.ts"

const readPredictions = (predictions: ReadonlyArray<unknown>): ReadEmbeddings | undefined => {
  const given = predictions.map((prediction) => fieldsOf(prediction)["embeddings"])
  const vectors = readVectors(given.map(valuesOf))
  const counts = given.map((one) => {
    const statistics = fieldsOf(one)["statistics"]
    return isObject(statistics) ? tokenCount(statistics["token_count"]) : undefined
  })
  const inputTokens = counts.reduce<number | undefined>(
    (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
    0
  )
  return vectors === undefined ? undefined : { vectors, usage: statedUsage({ inputTokens }) ?? { source: "none" } }
}

const valuesOf = (embedding: unknown): unknown => fieldsOf(embedding)["values"]

type Encoded = Pick<EncodedRequest, "path" | "body">

const encodeContents = (model: string, { texts, dimensions, own }: TextsToEmbed): Encoded => {
  const requests = texts.map((text) => ({
    model: resourceOf(model),
    content: { parts: [{ text }] },
    ...present({ outputDimensionality: dimensions }),
    ...own
  }))
  const [only, ...others] = requests
  return only !== undefined && others.length === 0
    ? { path: pathOf(model, ":embedContent"), body: only }
    : { path: pathOf(model, ":batchEmbedContents"), body: { requests } }
}

/** Vertex AI has the models of before Gemini, and its first one, by the call that all its models once had. */
const isPredicted = (model: string): boolean => !/gemini|maas/.test(model) || /gemini-embedding-001/.test(model)

/** Texts that are too long are refused, as everywhere. */
const whole = { autoTruncate: false }

const encodeForVertex = (model: string, { texts, dimensions, own }: TextsToEmbed): Encoded => {
  const settings = present({ outputDimensionality: dimensions })
  if (!isPredicted(model)) {
    const content = { parts: texts.map((text) => ({ text })) }
    return {
      path: pathOf(model, ":embedContent"),
      body: { content, embedContentConfig: { ...whole, ...settings, ...own } }
    }
  }
  const { taskType, ...named } = own
  const instances = texts.map((content) => ({ content, ...present({ task_type: taskType }), ...named }))
  return { path: pathOf(model, ":predict"), body: { instances, parameters: { ...whole, ...settings } } }
}

/** How a server of the Gemini API is asked for vectors: of one text, or of several at once. */
export const embed: Embedding = {
  most: ({ model, quirks }) => (quirks.predicts !== true ? 100 : /gemini|maas/.test(model) ? 1 : 250),
  encode: (request, { model, quirks }) =>
    encodeTexts(request, "The Gemini API", ["taskType", "title"], (asked) =>
      quirks.predicts === true ? encodeForVertex(model, asked) : encodeContents(model, asked)
    ),
  read: (body) => {
    if (!isObject(body)) return undefined
    if (Array.isArray(body["predictions"])) return readPredictions(body["predictions"])
    const { embedding, embeddings, usageMetadata } = body
    const vectors = readVectors(
      Array.isArray(embeddings) ? embeddings.map(valuesOf) : embedding === undefined ? undefined : [valuesOf(embedding)]
    )
    const counted = isObject(usageMetadata) ? tokenCount(usageMetadata["promptTokenCount"]) : undefined
    return vectors === undefined
      ? undefined
      : { vectors, usage: statedUsage({ inputTokens: counted }) ?? { source: "none" } }
  }
}
