import { noUsage, type Usage } from "../../domain/Usage.ts"
import { isObject } from "../open-document.ts"
import { statedUsage, sumOf, tokenCount } from "../token-counts.ts"

/**
 * The usage of an answer. Input is counted here without what came from the cache or went into it, as the models' own APIs
 * do; the canonical total is inclusive.
 */
export const usageOf = (usage: unknown): Usage => {
  if (!isObject(usage)) return noUsage
  const cached = tokenCount(usage["cacheReadInputTokens"])
  const written = tokenCount(usage["cacheWriteInputTokens"])
  const input = tokenCount(usage["inputTokens"])
  return (
    statedUsage({
      inputTokens: input === undefined ? undefined : sumOf(input, cached, written),
      outputTokens: tokenCount(usage["outputTokens"]),
      cachedTokens: cached,
      cacheWriteTokens: written
    }) ?? noUsage
  )
}
