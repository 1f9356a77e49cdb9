import { Schema } from "effect"

const dollars = { message: "Expected an amount of US dollars greater than 0" }
const Positive = Schema.Number.annotate(dollars).check(Schema.isFinite(dollars), Schema.isGreaterThan(0, dollars))
const whole = { message: "Expected a whole number greater than 0" }
const Count = Schema.Number.annotate(whole).check(Schema.isInt(whole), Schema.isGreaterThan(0, whole))
const optional = Schema.optionalKey

/** The windows in which something is counted, aligned in UTC: whole minutes, hours, days, months; `total` is for ever. */
export const periods = ["minute", "hour", "day", "month", "total"] as const
export type Period = (typeof periods)[number]

const perPeriod = <S extends Schema.Top>(amount: S) =>
  Schema.Struct({
    minute: optional(amount),
    hour: optional(amount),
    day: optional(amount),
    month: optional(amount),
    total: optional(amount)
  })

/** The limits that there are, of whatever amounts are written as. */
export const limitFields = <C extends Schema.Top, D extends Schema.Top, F extends Schema.Top>(
  count: C,
  dollars: D,
  yesOrNo: F
) => ({
  requests: optional(perPeriod(count)),
  /** input and output together */
  tokens: optional(perPeriod(count)),
  inputTokens: optional(perPeriod(count)),
  outputTokens: optional(perPeriod(count)),
  cost: optional(perPeriod(dollars)),
  concurrent: optional(count),
  /** ends a stream that uses up what is left of tokens or cost while it runs, instead of letting it run over */
  stopStreams: optional(yesOrNo)
})

/** What may be used in each window: whole requests and tokens, money in US dollars; `concurrent` calls at once. */
export const Limits = Schema.Struct(limitFields(Count, Positive, Schema.Boolean))
export type Limits = typeof Limits.Type

/** What is counted; `concurrent` has no window. */
export const measures = ["requests", "tokens", "inputTokens", "outputTokens", "cost", "concurrent"] as const
export type Measure = (typeof measures)[number]
