import { Result } from "effect"
import type { EmbeddingRequest } from "../../domain/Embedding.ts"
import { present } from "../../domain/present.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import type { Embedding } from "../Protocol.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"
import { readVectors } from "../vectors.ts"
import { openAiEmbeddingsId } from "./wire.ts"

const bodyOf = ({ input, encoding, dimensions, user, rest }: EmbeddingRequest): JsonObject => ({
  ...rest,
  input: input._tag === "Texts" ? input.texts : input.sequences,
  ...present({ encoding_format: encoding === "base64" ? encoding : undefined, dimensions, user })
})

const indexOf = (entry: unknown, otherwise: number): number => {
  const index = fieldsOf(entry)["index"]
  return typeof index === "number" ? index : otherwise
}

/** How servers of OpenAI's APIs are asked for vectors: with the caller's own document where it is one of this format. */
export const openAiEmbedding: Embedding = {
  format: openAiEmbeddingsId,
  encode: (request, { model, origin }) =>
    Result.succeed({
      path: "/embeddings",
      headers: {},
      body: { ...(origin?.protocol === openAiEmbeddingsId ? origin.body : bodyOf(request)), model },
      notices: []
    }),
  read: (body) => {
    if (!isObject(body) || !Array.isArray(body["data"])) return undefined
    const { data, model, usage } = body
    const entries = data.map((entry, at) => ({ entry, index: indexOf(entry, at) }))
    const inOrder = entries.toSorted((left, right) => left.index - right.index).map(({ entry }) => entry)
    const vectors = readVectors(inOrder.map((entry) => fieldsOf(entry)["embedding"]))
    if (vectors === undefined) return undefined
    const counted = isObject(usage) ? tokenCount(usage["prompt_tokens"]) : undefined
    return {
      vectors,
      usage: statedUsage({ inputTokens: counted }) ?? { source: "none" },
      ...(typeof model === "string" ? { model } : {})
    }
  }
}
