import { present } from "../../domain/present.ts"
import { encodeTexts } from "../EmbeddingEncoding.ts"
import { isObject } from "../open-document.ts"
import type { Embedding } from "../Protocol.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"
import { readVectors } from "../vectors.ts"

/** How an Ollama server is asked for vectors. A text that is too long is refused, not cut, unless the caller says so. */
export const embed: Embedding = {
  encode: (request, { model }) =>
    encodeTexts(request, "Ollama", ["truncate", "keep_alive", "options"], ({ texts, dimensions, own }) => ({
      path: "/api/embed",
      body: { model, input: texts, truncate: false, ...present({ dimensions }), ...own }
    })),
  read: (body) => {
    if (!isObject(body)) return undefined
    const vectors = readVectors(body["embeddings"])
    const { model, prompt_eval_count: counted } = body
    return vectors === undefined
      ? undefined
      : {
          vectors,
          usage: statedUsage({ inputTokens: tokenCount(counted) }) ?? { source: "none" },
          ...(typeof model === "string" ? { model } : {})
        }
  }
}
