import type { Usage } from "../../domain/Usage.ts"
import { fieldsOf, isObject } from "../open-document.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"

/**
 * A usage object in canonical counts. What the model read and wrote stands in `tokens`, cached and reasoning tokens
 * included; `billed_units` leaves out what Cohere itself added to the prompt, and is taken where nothing else is said.
 */
export const usageOf = (usage: unknown): Usage | undefined => {
  if (!isObject(usage)) return undefined
  const { tokens, billed_units: billed, cached_tokens: cached } = usage
  const counts = isObject(tokens) ? tokens : fieldsOf(billed)
  return statedUsage({
    inputTokens: tokenCount(counts["input_tokens"]),
    outputTokens: tokenCount(counts["output_tokens"]),
    cachedTokens: tokenCount(cached),
    reasoningTokens: tokenCount(counts["reasoning_tokens"])
  })
}
