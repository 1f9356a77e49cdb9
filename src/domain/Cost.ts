import { Schema } from "effect"

/** What an attempt or a call costs by the price book. */
export const Cost = Schema.Struct({
  /** in millionths of a US dollar, rounded once; null where nobody knows the price of a model that was used */
  microUsd: Schema.NullOr(Schema.Natural),
  /** the version of the price book that it was reckoned with */
  prices: Schema.optionalKey(Schema.String)
})
export type Cost = typeof Cost.Type

/** The cost of several things together: not known where one of them is not; absent where none of them cost anything. */
export const sumOfCosts = (costs: ReadonlyArray<Cost>): Cost | undefined => {
  const [first] = costs
  if (first === undefined) return undefined
  const microUsd = costs.reduce<number | null>(
    (sum, cost) => (sum === null || cost.microUsd === null ? null : sum + cost.microUsd),
    0
  )
  return { ...first, microUsd }
}
