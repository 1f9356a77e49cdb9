import { noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import { isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"

const within = (value: unknown, key: string): number | undefined =>
  isObject(value) ? tokenCount(value[key]) : undefined

/**
 * The usage of one answer. It may be stated on every chunk or more than once; what a later statement says wins field by
 * field. Prompt tokens contain the cached ones. Completion tokens contain those of reasoning, except for servers whose
 * total shows that they do not: there the three make up the total.
 */
export class UsageTally {
  private input: number | undefined
  private output: number | undefined
  private total: number | undefined
  private cached: number | undefined
  private cacheWrite: number | undefined
  private reasoning: number | undefined
  private audioInput: number | undefined
  private audioOutput: number | undefined

  /** Takes a usage object into account; false where it is none. */
  add(usage: unknown): boolean {
    if (!isObject(usage)) return false
    const input = usage["prompt_tokens_details"]
    const output = usage["completion_tokens_details"]
    this.input = tokenCount(usage["prompt_tokens"]) ?? this.input
    this.output = tokenCount(usage["completion_tokens"]) ?? this.output
    this.total = tokenCount(usage["total_tokens"]) ?? this.total
    this.cached =
      within(input, "cached_tokens") ??
      tokenCount(usage["prompt_cache_hit_tokens"]) ??
      tokenCount(usage["cached_tokens"]) ??
      tokenCount(usage["cache_read_input_tokens"]) ??
      this.cached
    this.cacheWrite =
      within(input, "cache_write_tokens") ?? tokenCount(usage["cache_creation_input_tokens"]) ?? this.cacheWrite
    this.reasoning = within(output, "reasoning_tokens") ?? tokenCount(usage["reasoning_tokens"]) ?? this.reasoning
    // Nearly all answers say that there was none of it.
    this.audioInput = within(input, "audio_tokens") || this.audioInput
    this.audioOutput = within(output, "audio_tokens") || this.audioOutput
    return true
  }

  /** All that was stated so far. */
  usage(): Usage {
    const { input, output, total, reasoning } = this
    const apart = reasoning !== undefined && reasoning > 0 && total === (input ?? 0) + (output ?? 0) + reasoning
    return (
      statedUsage({
        inputTokens: input,
        outputTokens: apart ? (output ?? 0) + reasoning : output,
        cachedTokens: this.cached,
        cacheWriteTokens: this.cacheWrite,
        reasoningTokens: reasoning,
        audioInputTokens: this.audioInput,
        audioOutputTokens: this.audioOutput
      }) ?? noUsage
    )
  }
}

/** The usage object of this format; undefined where nothing is known. */
export const renderUsage = (usage: Usage): JsonObject | undefined => {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens, source } = usage
  if (source === "none") return undefined
  const input = present({
    cached_tokens: cachedTokens,
    cache_write_tokens: cacheWriteTokens,
    audio_tokens: usage.audioInputTokens
  })
  const output = present({ reasoning_tokens: reasoningTokens, audio_tokens: usage.audioOutputTokens })
  return {
    prompt_tokens: inputTokens ?? 0,
    completion_tokens: outputTokens ?? 0,
    total_tokens: (inputTokens ?? 0) + (outputTokens ?? 0),
    ...present({ prompt_tokens_details: unlessEmpty(input), completion_tokens_details: unlessEmpty(output) })
  }
}
