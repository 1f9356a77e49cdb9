import type { LimitRule } from "../accounting/LimitRules.ts"
import { type Limits, type Measure, measures } from "../accounting/Limits.ts"

const amountOf = (measure: Measure, amount: number): string =>
  measure === "cost" ? `$${amount}` : `${amount} ${measure}`

/** Limits in a line: `60 requests/minute, $100/month, 10 at once`. */
export const describeLimits = (limits: Limits): string =>
  [
    ...measures.flatMap((measure) => {
      const limit = limits[measure]
      if (limit === undefined) return []
      if (typeof limit === "number") return [`${limit} at once`]
      return Object.entries(limit).map(([period, amount]) => `${amountOf(measure, amount)}/${period}`)
    }),
    ...(limits.stopStreams === true ? ["stops streams"] : [])
  ].join(", ")

/** A rule in a line: whose calls it is about, and what these may use. */
export const describeRule = ({ key, model, tenant, ...limits }: LimitRule): string => {
  const whose = Object.entries({ key, tenant, model }).flatMap(([name, value]) =>
    value === undefined ? [] : [value === "*" ? `each ${name}` : `${name} ${value}`]
  )
  return `${whose.join(" with ") || "everybody"}: ${describeLimits(limits)}`
}
