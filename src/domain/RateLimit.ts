import { Schema } from "effect"

/** How much is left of a limit, for callers who want to know before they reach it. */
export const LimitState = Schema.Struct({
  /** what is counted; money in millionths of a US dollar */
  measure: Schema.Literals(["requests", "tokens", "inputTokens", "outputTokens", "cost", "concurrent"]),
  limit: Schema.Natural,
  remaining: Schema.Natural,
  /** when it is counted anew, in epoch milliseconds, and how long that is from now; absent where it never is */
  resetAt: Schema.optionalKey(Schema.Finite),
  resetMs: Schema.optionalKey(Schema.Natural)
})
export type LimitState = typeof LimitState.Type
