import type { Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"

/** A usage object in canonical counts: the totals are inclusive here too. Undefined where it states nothing. */
export const usageOf = (usage: unknown): Usage | undefined => {
  if (!isObject(usage)) return undefined
  const { input_tokens: input, output_tokens: output, input_tokens_details: read, output_tokens_details: made } = usage
  return statedUsage({
    inputTokens: tokenCount(input),
    outputTokens: tokenCount(output),
    cachedTokens: isObject(read) ? tokenCount(read["cached_tokens"]) : undefined,
    cacheWriteTokens: isObject(read) ? tokenCount(read["cache_write_tokens"]) : undefined,
    reasoningTokens: isObject(made) ? tokenCount(made["reasoning_tokens"]) : undefined,
    audioInputTokens: isObject(read) ? tokenCount(read["audio_tokens"]) : undefined,
    audioOutputTokens: isObject(made) ? tokenCount(made["audio_tokens"]) : undefined
  })
}

/**
 * The usage object of an answer; `null` where nothing is known of it. Callers add its counts up, so that it has all of
 * them or none: what is not known beside the others is zero, but for tokens of sound, which are rare.
 */
export const renderUsage = (usage: Usage): JsonObject | null => {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens, source } = usage
  const { audioInputTokens, audioOutputTokens } = usage
  if (source === "none") return null
  return {
    input_tokens: inputTokens ?? 0,
    input_tokens_details: {
      cached_tokens: cachedTokens ?? 0,
      cache_write_tokens: cacheWriteTokens ?? 0,
      ...present({ audio_tokens: audioInputTokens })
    },
    output_tokens: outputTokens ?? 0,
    output_tokens_details: { reasoning_tokens: reasoningTokens ?? 0, ...present({ audio_tokens: audioOutputTokens }) },
    total_tokens: (inputTokens ?? 0) + (outputTokens ?? 0)
  }
}
