import { noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { Notices } from "../Notices.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { statedUsage, tokenCount } from "../token-counts.ts"

/**
 * The usage of one answer, told in pieces: a part when it begins, a part when it ends. What a later statement says wins
 * key by key, because some servers begin with zeros and others do not repeat at the end what they said first. Input is
 * counted here without what came from the cache or went into it; the canonical total is inclusive, and can only be
 * computed from the merged pieces.
 */
export class UsageTally {
  private input: number | undefined
  private output: number | undefined
  private cacheRead: number | undefined
  private cacheWrite: number | undefined
  private thinking: number | undefined

  /** Takes a usage object into account; false where it is none. */
  add(usage: unknown): usage is JsonObject {
    if (!isObject(usage)) return false
    const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage
    const details = usage["output_tokens_details"]
    this.input = tokenCount(input_tokens) ?? this.input
    this.output = tokenCount(output_tokens) ?? this.output
    this.cacheRead = tokenCount(cache_read_input_tokens) ?? this.cacheRead
    this.cacheWrite = tokenCount(cache_creation_input_tokens) ?? this.cacheWrite
    this.thinking = (isObject(details) ? tokenCount(details["thinking_tokens"]) : undefined) ?? this.thinking
    return true
  }

  /** All that was stated so far. */
  usage(): Usage {
    return (
      statedUsage({
        inputTokens: this.input === undefined ? undefined : this.input + (this.cacheRead ?? 0) + (this.cacheWrite ?? 0),
        outputTokens: this.output,
        cachedTokens: this.cacheRead,
        cacheWriteTokens: this.cacheWrite,
        reasoningTokens: this.thinking
      }) ?? noUsage
    )
  }
}

/** The input side of a usage object: what is known, with the cached tokens taken out of the total. */
const inputCounts = ({ inputTokens, cachedTokens, cacheWriteTokens }: Usage) =>
  present({
    input_tokens:
      inputTokens === undefined ? undefined : Math.max(0, inputTokens - (cachedTokens ?? 0) - (cacheWriteTokens ?? 0)),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens
  })

/** What clients want to be there, known or not. */
const unknown = {
  cache_creation: null,
  cache_creation_input_tokens: null,
  cache_read_input_tokens: null,
  inference_geo: null,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: null,
  speed: null
} as const

/**
 * The usage at the beginning of a stream. There are clients that add its `output_tokens` to the count at the end, and
 * every client wants both keys: what is not known yet is zero, and corrected at the end.
 */
export const openingUsage = (usage: Usage, serviceTier: string | undefined, said: Notices): JsonObject => ({
  ...unknown,
  input_tokens: 0,
  ...inputCounts(usage),
  output_tokens: 0,
  ...present({ service_tier: serviceTierOf(serviceTier, said) })
})

/** The usage at the end of a stream: cumulative, without what is not known. */
export const closingUsage = (usage: Usage, said: Notices): JsonObject => {
  const { audioInputTokens = 0, audioOutputTokens = 0 } = usage
  if (audioInputTokens + audioOutputTokens > 0) said.dropped("the count of tokens of sound")
  return { ...inputCounts(usage), ...outputCounts(usage) }
}

/** The usage of a whole answer. */
export const wholeUsage = (usage: Usage, serviceTier: string | undefined, said: Notices): JsonObject => ({
  ...unknown,
  input_tokens: 0,
  ...closingUsage(usage, said),
  ...present({ service_tier: serviceTierOf(serviceTier, said) })
})

const outputCounts = ({ outputTokens, reasoningTokens }: Usage): JsonObject => ({
  output_tokens: outputTokens ?? 0,
  ...(reasoningTokens === undefined ? {} : { output_tokens_details: { thinking_tokens: reasoningTokens } })
})

/** The tiers that this API names. */
const serviceTierOf = (tier: string | undefined, said: Notices): string | undefined => {
  if (tier === undefined || tier === "standard" || tier === "priority" || tier === "batch") return tier
  if (tier === "default") return "standard"
  said.dropped(`the service tier ${tier}`)
  return undefined
}
