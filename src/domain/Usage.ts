import { Schema, Struct } from "effect"

/**
 * Where token counts come from: stated by the provider, estimated by Millrace, or not known at all.
 */
export const UsageSource = Schema.Literals(["provider", "estimated", "none"])
export type UsageSource = typeof UsageSource.Type

const Count = Schema.optionalKey(Schema.Natural)

/**
 * Token counts of one attempt, one call or one event.
 *
 * Totals are inclusive: `inputTokens` contains `cachedTokens`, `cacheWriteTokens` and `audioInputTokens`, `outputTokens`
 * contains `reasoningTokens` and `audioOutputTokens`, whatever the provider's own arithmetic is. A key that is absent
 * was never stated; it is not zero.
 */
export const Usage = Schema.Struct({
  inputTokens: Count,
  outputTokens: Count,
  cachedTokens: Count,
  cacheWriteTokens: Count,
  reasoningTokens: Count,
  audioInputTokens: Count,
  audioOutputTokens: Count,
  source: UsageSource
})
export type Usage = typeof Usage.Type

/** Nothing is known about what was used. */
export const noUsage: Usage = { source: "none" }

/**
 * Merges two statements of one attempt's usage: per field the later one wins, a field it does not state is kept. One that
 * states nothing changes nothing.
 */
export const mergeUsage = (earlier: Usage, later: Usage): Usage =>
  earlier.source === "none" ? later : later.source === "none" ? earlier : { ...earlier, ...later }

const counts = [
  "inputTokens",
  "outputTokens",
  "cachedTokens",
  "cacheWriteTokens",
  "reasoningTokens",
  "audioInputTokens",
  "audioOutputTokens"
] as const

/** No model reads or writes so much for one request: whoever states more is mistaken, and sums could not hold it. */
const mostTokens = 1e9

/** A statement without counts that cannot be: they are taken for not stated. */
export const plausibleUsage = (usage: Usage): Usage => {
  const isWrong = (count: (typeof counts)[number]) => (usage[count] ?? 0) > mostTokens
  return counts.some(isWrong) ? Struct.omit(usage, counts.filter(isWrong)) : usage
}

/** What two attempts used together. A count that only one of them states is known in part, which is better than not. */
export const addUsage = (one: Usage, other: Usage): Usage => {
  if (one.source === "none") return other
  if (other.source === "none") return one
  const sum: { -readonly [key in keyof Usage]: Usage[key] } = {
    source: one.source === "estimated" ? one.source : other.source
  }
  for (const count of counts) {
    const [a, b] = [one[count], other[count]]
    if (a !== undefined || b !== undefined) sum[count] = (a ?? 0) + (b ?? 0)
  }
  return sum
}
