import type { Usage } from "../../domain/Usage.ts"
import { isObject } from "../open-document.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"

/** A usage object in canonical counts: its totals are inclusive too. Undefined where it states nothing. */
export const usageOf = (usage: unknown): Usage | undefined => {
  if (!isObject(usage)) return undefined
  const { prompt_tokens: prompt, completion_tokens: completion } = usage
  const { prompt_tokens_details: read, completion_tokens_details: made } = usage
  return statedUsage({
    inputTokens: tokenCount(prompt),
    outputTokens: tokenCount(completion),
    cachedTokens: isObject(read) ? tokenCount(read["cached_tokens"]) : undefined,
    reasoningTokens: isObject(made) ? tokenCount(made["reasoning_tokens"]) : undefined
  })
}
