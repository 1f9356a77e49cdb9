import { Schema } from "effect"
import { limitFields, measures } from "../accounting/Limits.ts"
import { asksForKeys } from "./authentication.ts"
import type { Finding } from "./problems.ts"
import { isSection } from "./substitute.ts"
import { Amount, Dollars } from "./units.ts"
import { text, YesOrNo } from "./values.ts"

const documented = limitFields(Amount, Dollars, YesOrNo)
const Whom = Schema.optionalKey(text("a name, or * for each"))

/** The limits of a key, and a rule, as documents have them: amounts may come from the environment, as texts. */
export const KeyLimits = Schema.Struct(documented)
export const LimitRule = Schema.Struct({ key: Whom, tenant: Whom, model: Whom, ...documented })

/** Whether there is an amount, or one for a window. */
const isSaid = (limit: unknown): boolean =>
  limit !== undefined && !(isSection(limit) && Object.keys(limit).length === 0)

/** Rules that would never limit anything. */
export const checkLimits = (document: unknown): ReadonlyArray<Finding> => {
  const rules = isSection(document) ? document["limits"] : undefined
  if (!Array.isArray(rules)) return []
  return rules.flatMap((rule: unknown, index): ReadonlyArray<Finding> => {
    if (!isSection(rule)) return []
    const path = ["limits", index]
    if (!measures.some((measure) => isSaid(rule[measure]))) {
      return [{ path, message: `limits nothing; add one of ${measures.join(", ")}` }]
    }
    return rule["key"] !== undefined && !asksForKeys(document)
      ? [{ path: [...path, "key"], message: "means nothing while nobody is asked for a key; see auth" }]
      : []
  })
}
