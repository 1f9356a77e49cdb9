import { Schema } from "effect"
import { hash } from "node:crypto"
import type { Caller } from "../domain/Call.ts"
import { Limits, type Measure, measures, type Period } from "./Limits.ts"

const optional = Schema.optionalKey
const Whom = optional(Schema.NonEmptyString)

/**
 * Whose calls a rule is about: all that have these. `*` stands for any value, each of which is counted by itself; what is
 * not said makes no difference.
 */
export const LimitRule = Schema.Struct({ key: Whom, tenant: Whom, model: Whom, ...Limits.fields })
export type LimitRule = typeof LimitRule.Type

/** One number that must not be passed. */
export interface Limit {
  /** whose it is, what is counted, in which window: the same wherever it comes from */
  readonly id: string
  readonly measure: Measure
  /** undefined for what is counted at this moment */
  readonly period: Period | undefined
  /** in whole units; money in millionths of a US dollar */
  readonly max: number
  readonly stopsStreams: boolean
  /** whose it is, for people */
  readonly whose: string
}

/** What rules look at. */
export interface Subject {
  readonly caller: Caller
  readonly model: string
}

/** What a rule counts for a call: undefined where it is about others, else the values by which it counts. */
const valuesOf = (
  rule: LimitRule,
  { caller, model }: Subject
): ReadonlyArray<readonly [string, string]> | undefined => {
  const values: Array<readonly [string, string]> = []
  for (const [name, wanted, value] of [
    ["key", rule.key, caller.key],
    ["tenant", rule.tenant, caller.tenant],
    ["model", rule.model, model]
  ] as const) {
    if (wanted === undefined) continue
    if (value === undefined || (wanted !== "*" && wanted !== value)) return undefined
    values.push([name, value])
  }
  return values
}

const microUsdPerUsd = 1_000_000

/** An index of a database has no room for longer ones. */
const longestPrefix = 500

const prefixOf = (values: ReadonlyArray<readonly [string, string]>): string => {
  // Half of a character is nothing that could be encoded.
  const prefix = values.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join("&")
  return prefix.length > longestPrefix ? `sha256:${hash("sha256", prefix)}` : prefix
}

const limitsOf = (rule: LimitRule, values: ReadonlyArray<readonly [string, string]>): ReadonlyArray<Limit> => {
  const whose = values.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(", ")
  const prefix = prefixOf(values)
  const common = { stopsStreams: rule.stopStreams === true, whose: whose === "" ? "everybody" : `the ${whose}` }
  return measures.flatMap((measure): ReadonlyArray<Limit> => {
    const limit = rule[measure]
    if (limit === undefined) return []
    if (typeof limit === "number")
      return [{ ...common, id: `${prefix}|${measure}`, measure, period: undefined, max: limit }]
    return Object.entries(limit).map(([period, amount]) => ({
      ...common,
      id: `${prefix}|${measure}|${period}`,
      measure,
      // The keys of a window are periods.
      period: period as Period,
      max: measure === "cost" ? Math.min(Math.round(amount * microUsdPerUsd), Number.MAX_SAFE_INTEGER) : amount
    }))
  })
}

/** Every limit that a call has to keep; where several rules say the same of the same, the strictest of them. */
export const limitsFor = (rules: ReadonlyArray<LimitRule>, subject: Subject): ReadonlyArray<Limit> => {
  const found = new Map<string, Limit>()
  for (const rule of rules) {
    const values = valuesOf(rule, subject)
    if (values === undefined) continue
    for (const limit of limitsOf(rule, values)) {
      const other = found.get(limit.id)
      const stopsStreams = limit.stopsStreams || other?.stopsStreams === true
      found.set(limit.id, { ...limit, stopsStreams, max: Math.min(limit.max, other?.max ?? Infinity) })
    }
  }
  return [...found.values()]
}
