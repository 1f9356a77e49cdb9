import { encodeTexts } from "../EmbeddingEncoding.ts"
import { isObject, present } from "../open-document.ts"
import type { Embedding } from "../Protocol.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"
import { readVectors } from "../vectors.ts"
import { pathOf, resourceOf } from "./encode-request.ts"

const valuesOf = (embedding: unknown): unknown => (isObject(embedding) ? embedding["values"] : undefined)

/** How a server of the Gemini API is asked for vectors: of one text, or of several at once. */
export const embed: Embedding = {
  most: 100,
  encode: (request, { model }) =>
    encodeTexts(request, "The Gemini API", ["taskType", "title"], ({ texts, dimensions, own }) => {
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
    }),
  read: (body) => {
    if (!isObject(body)) return undefined
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
