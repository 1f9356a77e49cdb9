import { Schema } from "effect"
import type { Analysis } from "./analyze.ts"
import type { Finding } from "../domain/Call.ts"
import { present } from "../domain/present.ts"
import { findingPrefix } from "./Analyzer.ts"
import { categoryOf, type Counts, countOf, qualityLevels, severityOf, type Signal } from "./Signal.ts"
import { taxonomyNames } from "./Taxonomy.ts"

const SignalSchema = Schema.Struct({
  type: Schema.String,
  message: Schema.Natural,
  confidence: Schema.Finite,
  snippet: Schema.optionalKey(Schema.String),
  metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))
})

/** What there is of one category: `count` and `severity` of this call, `total` of the whole conversation. */
export const SignalGroup = Schema.Struct({
  category: Schema.String,
  count: Schema.Natural,
  severity: Schema.Literals([0, 1, 2, 3]),
  total: Schema.Natural
})
export type SignalGroup = typeof SignalGroup.Type

const QualityLevelSchema = Schema.Literals(qualityLevels)

/**
 * What a call has shown of its conversation. `signals` are those that the call added; `quality`, `score` (0 to 100),
 * `efficiency` (0 to 1) and `turns` are of the conversation as it stands after it. `openedAt` is epoch milliseconds.
 *
 * Without leave to keep content, signals have neither snippets nor patterns.
 */
export const SignalReport = Schema.Struct({
  call: Schema.String,
  conversation: Schema.String,
  openedAt: Schema.Finite,
  model: Schema.String,
  key: Schema.optionalKey(Schema.String),
  taxonomy: Schema.Literals(taxonomyNames),
  quality: QualityLevelSchema,
  score: Schema.Finite,
  efficiency: Schema.Finite,
  flagged: Schema.Boolean,
  turns: Schema.Struct({ human: Schema.Natural, assistant: Schema.Natural }),
  groups: Schema.Array(SignalGroup),
  signals: Schema.Array(SignalSchema)
})
export type SignalReport = typeof SignalReport.Type

/** Signals without anything that somebody wrote. */
const withoutContent = (signal: Signal): Signal => {
  const { snippet: _, ...rest } = signal
  const { pattern: __, ...metadata } = signal.metadata ?? {}
  return signal.metadata === undefined ? rest : { ...rest, metadata }
}

/** How much of what somebody wrote a report may have: all, names of tools and the like, or nothing. */
export type Words = "all" | "names" | "none"

const withWords = (signal: Signal, words: Words): Signal => {
  if (words === "all") return signal
  const { confidence, message, type } = signal
  return words === "names" ? withoutContent(signal) : { type, message, confidence }
}

const groupsOf = ({ signals, totals }: Pick<Analysis, "signals" | "totals">): ReadonlyArray<SignalGroup> =>
  [...new Set(Object.keys(totals).map(categoryOf))].toSorted().map((category) => {
    const count = signals.filter(({ type }) => categoryOf(type) === category).length
    return { category, count, severity: severityOf(count), total: countOf(totals, category) }
  })

const thousandths = (value: number): number => Math.round(value * 1000) / 1000

/** Whether an analyzer noticed it, and no filter. */
export const isLive = ({ category }: Finding): boolean => category.startsWith(findingPrefix)

/** What analyzers noticed in the answer while it streamed, as signals of the message after the last. */
const liveSignals = (findings: ReadonlyArray<Finding>, message: number): ReadonlyArray<Signal> =>
  findings.filter(isLive).map(({ action, category, excerpt, filter, severity }) => ({
    type: category,
    message,
    confidence: 1,
    ...present({ snippet: excerpt }),
    metadata: { analyzer: filter, severity, action }
  }))

const countTypes = (signals: ReadonlyArray<Signal>): Counts => {
  const counts: Record<string, number> = {}
  for (const { type } of signals) counts[type] = (counts[type] ?? 0) + 1
  return counts
}

/** What was found while a call ran: by analyzers, in the answer that stands at this message. */
export interface LiveFindings {
  readonly findings: ReadonlyArray<Finding>
  readonly message: number
}

/** The report of a call, from what was found after it and while it ran. */
export const reportOf = (
  call: Pick<SignalReport, "call" | "conversation" | "openedAt" | "model" | "key" | "taxonomy">,
  analysis: Omit<Analysis, "memory">,
  { findings, message }: LiveFindings,
  words: Words
): SignalReport => {
  const live = liveSignals(findings, message)
  const signals = [...analysis.signals, ...live]
  return {
    ...call,
    quality: analysis.quality,
    score: thousandths(analysis.score),
    efficiency: thousandths(analysis.efficiency),
    flagged: analysis.flagged || live.some(({ metadata }) => metadata?.["severity"] !== "low"),
    turns: analysis.turns,
    groups: groupsOf({ signals, totals: { ...analysis.totals, ...countTypes(live) } }),
    signals: signals.map((signal) => withWords(signal, words))
  }
}
