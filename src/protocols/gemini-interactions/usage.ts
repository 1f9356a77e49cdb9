import type { Usage } from "../../domain/Usage.ts"
import { isObject } from "../open-document.ts"
import { statedUsage, sumOf, tokenCount } from "../token-counts.ts"

/**
 * A usage object in canonical counts. The output is counted here without the thoughts, and the input without what the
 * provider's tools put into it; the canonical totals contain both.
 */
export const usageOf = (usage: unknown): Usage | undefined => {
  if (!isObject(usage)) return undefined
  const count = (name: string) => tokenCount(usage[name])
  const thoughts = count("total_thought_tokens")
  return statedUsage({
    inputTokens: sumOf(count("total_input_tokens"), count("total_tool_use_tokens")),
    outputTokens: sumOf(count("total_output_tokens"), thoughts),
    cachedTokens: count("total_cached_tokens"),
    reasoningTokens: thoughts
  })
}
