import { Schema } from "effect"

/** By what a report can be divided. `model` is the name that callers used, `target` who was asked for it. */
export const Dimension = Schema.Literals(["day", "key", "tenant", "model", "provider", "target", "label"])
export type Dimension = typeof Dimension.Type

/** What is summed up. Tokens are those of all attempts; totals include their parts. */
export const UsageSums = Schema.Struct({
  calls: Schema.Natural,
  /** of these, so many did not end with a complete answer */
  incomplete: Schema.Natural,
  inputTokens: Schema.Natural,
  cachedTokens: Schema.Natural,
  cacheWriteTokens: Schema.Natural,
  outputTokens: Schema.Natural,
  reasoningTokens: Schema.Natural,
  /** attempts whose tokens were estimated, and attempts whose model has no price */
  estimated: Schema.Natural,
  unpriced: Schema.Natural,
  /** of what has a price, in millionths of a US dollar */
  microUsd: Schema.Natural
})
export type UsageSums = typeof UsageSums.Type

/** The sums in the order in which they are kept. */
export const sums = Object.keys(UsageSums.fields) as ReadonlyArray<keyof UsageSums>

/** Nothing was used. */
export const noSums = (): { -readonly [Name in keyof UsageSums]: number } => ({
  calls: 0,
  incomplete: 0,
  inputTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  estimated: 0,
  unpriced: 0,
  microUsd: 0
})

const Divided = Schema.optionalKey(Schema.String)

/** One line of a report: what it is about (a label as `team=search`), and the sums. */
export const UsageLine = Schema.Struct({
  day: Divided,
  key: Divided,
  tenant: Divided,
  model: Divided,
  provider: Divided,
  target: Divided,
  label: Divided,
  ...UsageSums.fields
})
export type UsageLine = typeof UsageLine.Type

/** What to report: divided by these, of the days from and to (both included, `2026-11-21`), of a key, tenant or model. */
export interface UsageQuery {
  readonly by: ReadonlyArray<Dimension>
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly key?: string | undefined
  readonly tenant?: string | undefined
  readonly model?: string | undefined
}

/** A report. What was divided by label counts calls without labels under the empty one, and those with several in each. */
export const UsageReport = Schema.Struct({ data: Schema.Array(UsageLine), total: UsageSums })
export type UsageReport = typeof UsageReport.Type
