import { Clock, Effect, Metric, type Tracer } from "effect"
import type { SignalReport } from "./SignalReport.ts"

const raised = Metric.counter("millrace_signals_total", {
  description: "Signals that were raised, by type",
  incremental: true
})
const passes = Metric.counter("millrace_signal_reports_total", {
  description: "Conversations that were read after a call, by their quality",
  incremental: true
})
const scores = Metric.histogram("millrace_signal_score", {
  description: "The scores of conversations, from 0 to 100",
  boundaries: [25, 40, 60, 75]
})

/** Calls that were not read: the queue was full, or reading or keeping them failed. */
export const unread = Metric.counter("millrace_signals_unread_total", {
  description: "Calls whose conversation was not read, by reason",
  incremental: true
})

/** How many events a span gets; of more, their number is told. */
const maxEvents = 32

const attributesOf = (report: SignalReport): Record<string, unknown> => {
  const attributes: Record<string, unknown> = {
    "millrace.call.id": report.call,
    "gen_ai.conversation.id": report.conversation,
    "gen_ai.request.model": report.model,
    "signals.taxonomy": report.taxonomy,
    "signals.quality": report.quality,
    "signals.quality_score": report.score,
    "signals.turn_count": report.turns.human,
    "signals.efficiency_score": report.efficiency,
    "signals.flagged": report.flagged
  }
  for (const { category, count, severity } of report.groups) {
    if (count === 0) continue
    attributes[`signals.${category}.count`] = count
    attributes[`signals.${category}.severity`] = severity
  }
  const surplus = report.signals.length - maxEvents
  if (surplus > 0) attributes["signals.events_omitted"] = surplus
  return attributes
}

const eventOf = (signal: SignalReport["signals"][number]): Record<string, unknown> => ({
  "signal.type": signal.type,
  "signal.message_index": signal.message,
  "signal.confidence": signal.confidence,
  ...(signal.snippet === undefined ? {} : { "signal.snippet": signal.snippet }),
  ...(signal.metadata === undefined ? {} : { "signal.metadata": JSON.stringify(signal.metadata) })
})

/** Tells a report as a span with its events, a child of the caller's own where there was one. */
export const traceReport = (
  report: SignalReport,
  parent: Tracer.AnySpan | undefined,
  flagSpans: boolean
): Effect.Effect<void> =>
  Effect.useSpan(
    flagSpans && report.flagged ? "signals 🚩" : "signals",
    { attributes: attributesOf(report), ...(parent === undefined ? { root: true } : { parent }) },
    (span) =>
      Effect.map(Clock.currentTimeNanos, (now) => {
        for (const signal of report.signals.slice(0, maxEvents)) {
          span.event(`signal.${signal.type}`, now, eventOf(signal))
        }
      })
  )

const add = <K>(counts: Map<K, number>, name: K): void => void counts.set(name, (counts.get(name) ?? 0) + 1)

/** What the metrics are told of a call that was read. */
export type Reading = Pick<SignalReport, "flagged" | "quality" | "score" | "signals">

/** What was read since the metrics were last told, as counts: it takes no more room however much it is. */
export class Tally {
  readonly types = new Map<string, number>()
  readonly qualities = new Map<string, number>()
  readonly scores = new Map<number, number>()

  add({ flagged, quality, score, signals }: Reading): void {
    add(this.qualities, `${quality} ${flagged}`)
    add(this.scores, score)
    for (const { type } of signals) add(this.types, type)
  }
}

/** Adds what was read to the metrics: each counter is touched once for all of it. */
export const countReadings = Effect.fnUntraced(function* ({ qualities, scores: counted, types }: Tally) {
  for (const [type, count] of types) yield* Metric.update(Metric.withAttributes(raised, { type }), count)
  for (const [name, count] of qualities) {
    const [quality = "", flagged = ""] = name.split(" ")
    yield* Metric.update(Metric.withAttributes(passes, { quality, flagged }), count)
  }
  for (const [score, count] of counted) {
    for (let time = 0; time < count; time++) yield* Metric.update(scores, score)
  }
})
