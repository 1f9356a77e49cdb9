import { present } from "../../domain/present.ts"
import { encodeTexts } from "../EmbeddingEncoding.ts"
import { fieldsOf, isObject } from "../open-document.ts"
import type { Embedding } from "../Protocol.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"
import { readVectors } from "../vectors.ts"

/**
 * How Cohere is asked for vectors. Its models want to know what the texts are for, which other APIs do not say: documents to
 * be searched, unless the caller has `input_type`. A text that is too long is refused, not cut, unless the caller says so.
 */
export const embed: Embedding = {
  most: () => 96,
  encode: (request, { model }) =>
    encodeTexts(request, "Cohere", ["input_type", "truncate", "max_tokens"], ({ texts, dimensions, own }) => ({
      path: "/v2/embed",
      body: {
        model,
        texts,
        input_type: "search_document",
        embedding_types: ["float"],
        truncate: "NONE",
        ...present({ output_dimension: dimensions }),
        ...own
      }
    })),
  read: (body) => {
    if (!isObject(body) || !isObject(body["embeddings"])) return undefined
    const vectors = readVectors(body["embeddings"]["float"])
    const { meta } = body
    const billed = fieldsOf(meta)["billed_units"]
    const counted = isObject(billed) ? tokenCount(billed["input_tokens"]) : undefined
    return vectors === undefined
      ? undefined
      : { vectors, usage: statedUsage({ inputTokens: counted }) ?? { source: "none" } }
  }
}
