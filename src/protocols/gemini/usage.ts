import type { Finish } from "../../domain/LlmEvent.ts"
import { noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { Notices } from "../Notices.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { statedUsage, sumOf, tokenCount } from "../token-counts.ts"
import { geminiId } from "./wire.ts"

/** The counts that are read, each under its name in `usageMetadata`. */
const counts = [
  "promptTokenCount",
  "toolUsePromptTokenCount",
  "cachedContentTokenCount",
  "candidatesTokenCount",
  "thoughtsTokenCount"
] as const
type Counts = { [K in (typeof counts)[number]]?: number }

/** The tokens of a modality, where the counts are told for each of them. */
const ofModality = (details: unknown, modality: string): number | undefined => {
  if (!Array.isArray(details)) return undefined
  const found: unknown = details.find((detail) => isObject(detail) && detail["modality"] === modality)
  return isObject(found) ? tokenCount(found["tokenCount"]) : undefined
}

/**
 * The usage of one answer, told again on many chunks. What a later chunk says wins key by key. What the answer was is
 * counted here without the thoughts, and the prompt without what the provider's tools put into it; the canonical totals
 * contain both.
 */
export class UsageTally {
  private readonly counts: Counts = {}
  private audioInput: number | undefined
  private audioOutput: number | undefined
  private last: JsonObject = {}

  /** Takes a chunk's usage into account; says whether anything of it was new. */
  add(usage: unknown): boolean {
    if (!isObject(usage)) return false
    this.last = usage
    let changed = false
    for (const name of counts) {
      const value = tokenCount(usage[name])
      if (value === undefined || value === this.counts[name]) continue
      this.counts[name] = value
      changed = true
    }
    this.audioInput = ofModality(usage["promptTokensDetails"], "AUDIO") ?? this.audioInput
    this.audioOutput = ofModality(usage["candidatesTokensDetails"], "AUDIO") ?? this.audioOutput
    return changed
  }

  /** All that was stated so far. */
  usage(): Usage {
    const { promptTokenCount: prompt, candidatesTokenCount: answer, thoughtsTokenCount: thoughts } = this.counts
    return (
      statedUsage({
        inputTokens: sumOf(prompt, this.counts.toolUsePromptTokenCount),
        outputTokens: sumOf(answer, thoughts),
        cachedTokens: this.counts.cachedContentTokenCount,
        reasoningTokens: thoughts,
        audioInputTokens: this.audioInput,
        audioOutputTokens: this.audioOutput
      }) ?? noUsage
    )
  }

  /** What was stated last beyond that, as an ending has it. */
  get origin(): Pick<Finish, "origin"> {
    const others = Object.entries(this.last).filter(([name]) => !known.has(name))
    if (others.length === 0) return {}
    return { origin: { protocol: geminiId, value: { usageMetadata: Object.fromEntries(others) } } }
  }
}

/** What the canonical counts and the beginning of the answer say. */
const known: ReadonlySet<string> = new Set([
  ...counts.filter((count) => count !== "toolUsePromptTokenCount"),
  "totalTokenCount",
  "serviceTier"
])

/**
 * The usage as this API states it, with what it alone said of it (`own`: how tokens divide, which traffic they are); nothing
 * where nothing is known.
 */
export const usageMetadata = (
  usage: Usage,
  serviceTier: string | undefined,
  said: Notices,
  own: JsonObject = {}
): JsonObject | undefined => {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens = 0, reasoningTokens } = usage
  if (usage.source === "none") return undefined
  const audio = (tokens: number | undefined) =>
    tokens === undefined ? undefined : [{ modality: "AUDIO", tokenCount: tokens }]
  if (cacheWriteTokens > 0) said.dropped("the count of tokens that were written to the cache")
  const byTools = tokenCount(own["toolUsePromptTokenCount"]) ?? 0
  return present({
    promptTokensDetails: audio(usage.audioInputTokens),
    candidatesTokensDetails: audio(usage.audioOutputTokens),
    ...own,
    promptTokenCount: inputTokens === undefined ? undefined : Math.max(0, inputTokens - byTools),
    candidatesTokenCount: outputTokens === undefined ? undefined : Math.max(0, outputTokens - (reasoningTokens ?? 0)),
    totalTokenCount: sumOf(inputTokens, outputTokens),
    cachedContentTokenCount: cachedTokens,
    thoughtsTokenCount: reasoningTokens,
    serviceTier
  })
}
