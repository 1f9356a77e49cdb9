import type { Schema } from "effect"

/**
 * Something in a conversation that says how it goes. `type` is `<layer>.<category>.<leaf>`, `message` the index of the
 * message of the request it stands in (one past the last is the answer), `snippet` the words that raised it.
 */
export interface Signal {
  readonly type: string
  readonly message: number
  /** from 0 to 1 */
  readonly confidence: number
  readonly snippet?: string
  readonly metadata?: { readonly [key: string]: Schema.Json }
}

/** How much of a kind of signal there is: none, 1 or 2, 3 or 4, more. */
export type Severity = 0 | 1 | 2 | 3

export const severityOf = (count: number): Severity => (count === 0 ? 0 : count <= 2 ? 1 : count <= 4 ? 2 : 3)

/** How well a conversation goes, best first. */
export const qualityLevels = ["excellent", "good", "neutral", "poor", "severe"] as const
export type QualityLevel = (typeof qualityLevels)[number]

/** The level of a score from 0 to 100. */
export const levelOf = (score: number): QualityLevel =>
  score >= 75 ? "excellent" : score >= 60 ? "good" : score >= 40 ? "neutral" : score >= 25 ? "poor" : "severe"

/** The category of a type: all of it but the leaf. */
export const categoryOf = (type: string): string => type.slice(0, type.lastIndexOf("."))

/** How often each type was raised. */
export type Counts = { readonly [type: string]: number }

/** How many signals of a category, or of one type, there are. */
export const countOf = (counts: Counts, categoryOrType: string): number => {
  let sum = 0
  for (const [type, count] of Object.entries(counts)) {
    if (type === categoryOrType || type.startsWith(`${categoryOrType}.`)) sum += count
  }
  return sum
}

const previewLength = 50

/** The beginning of a text, at most 50 code points of it. */
export const preview = (text: string): string => {
  const points = Array.from(text.slice(0, 4 * previewLength).trim())
  return points.length <= previewLength ? points.join("") : `${points.slice(0, previewLength).join("")}...`
}
