import { Effect, Layer } from "effect"
import type { Keeping } from "../storage/Retention.ts"
import type { SignalReport } from "./SignalReport.ts"
import {
  type KeptReport,
  lotOf,
  type ReportPosition,
  type SignalFilter,
  shuffleOf,
  SignalStore
} from "./SignalStore.ts"
import type { Memory } from "./Watermark.ts"

const matches = (filter: SignalFilter, report: SignalReport): boolean =>
  (filter.flagged === undefined || report.flagged === filter.flagged) &&
  (filter.quality === undefined || report.quality === filter.quality) &&
  (filter.type === undefined || report.signals.some(({ type }) => type === filter.type)) &&
  (filter.model === undefined || report.model === filter.model) &&
  (filter.key === undefined || report.key === filter.key) &&
  (filter.conversation === undefined || report.conversation === filter.conversation) &&
  (filter.openedFrom === undefined || report.openedAt >= filter.openedFrom) &&
  (filter.openedBefore === undefined || report.openedAt < filter.openedBefore)

const isBefore = (one: ReportPosition, other: ReportPosition) =>
  one.openedAt === other.openedAt ? one.call < other.call : one.openedAt < other.openedAt

class Reports {
  readonly #reports = new Map<string, SignalReport>()
  readonly #byResponse = new Map<string, string>()
  readonly #memories = new Map<string, Memory>()

  keep(reports: ReadonlyArray<KeptReport>, memories: ReadonlyMap<string, Memory>): void {
    for (const { conversationKey, report, responseId } of reports) {
      if (!this.#reports.has(report.call)) this.#reports.set(report.call, report)
      if (responseId !== undefined) this.#byResponse.set(responseId, conversationKey)
    }
    for (const [key, memory] of memories) this.#memories.set(key, memory)
  }

  get(call: string): SignalReport | undefined {
    return this.#reports.get(call)
  }

  recall(keys: ReadonlyArray<string>): ReadonlyMap<string, Memory> {
    return found(keys, this.#memories)
  }

  conversationsOf(ids: ReadonlyArray<string>): ReadonlyMap<string, string> {
    return found(ids, this.#byResponse)
  }

  list(filter: SignalFilter, limit: number, after: ReportPosition | undefined): ReadonlyArray<SignalReport> {
    return [...this.#reports.values()]
      .filter((report) => matches(filter, report) && (after === undefined || isBefore(report, after)))
      .toSorted((one, other) => (isBefore(one, other) ? 1 : -1))
      .slice(0, limit)
  }

  prune({ maxBytes = Number.POSITIVE_INFINITY, openedFrom = 0 }: Keeping): number {
    const newestFirst = this.list({}, Number.POSITIVE_INFINITY, undefined)
    let bytes = 0
    const gone = newestFirst.filter((report) => {
      bytes += JSON.stringify(report).length
      return report.openedAt < openedFrom || bytes > maxBytes
    })
    for (const { call } of gone) this.#reports.delete(call)
    return gone.length
  }

  sample(filter: SignalFilter, size: number, seed: number): ReadonlyArray<SignalReport> {
    const { factor, lots } = shuffleOf(seed)
    const place = ({ call }: SignalReport) => (lotOf(call) * factor) % lots
    return [...this.#reports.values()]
      .filter((report) => matches(filter, report))
      .toSorted((one, other) => place(one) - place(other) || (one.call < other.call ? -1 : 1))
      .slice(0, size)
  }
}

const found = <A>(keys: ReadonlyArray<string>, among: ReadonlyMap<string, A>): ReadonlyMap<string, A> => {
  const entries = new Map<string, A>()
  for (const key of keys) {
    const value = among.get(key)
    if (value !== undefined) entries.set(key, value)
  }
  return entries
}

/** Keeps reports in this process and forgets them with it: for tests and programs without a database. */
export const layer: Layer.Layer<SignalStore> = Layer.sync(SignalStore, () => {
  const reports = new Reports()
  return SignalStore.of({
    recall: (keys) => Effect.sync(() => reports.recall(keys)),
    conversationsOf: (ids) => Effect.sync(() => reports.conversationsOf(ids)),
    keep: (kept, memories) => Effect.sync(() => reports.keep(kept, memories)),
    get: (call) => Effect.sync(() => reports.get(call)),
    list: (filter, limit, after) => Effect.sync(() => reports.list(filter, limit, after)),
    sample: (filter, size, seed) => Effect.sync(() => reports.sample(filter, size, seed)),
    prune: (keeping) => Effect.sync(() => reports.prune(keeping))
  })
})
