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
  readonly #kept = new Map<string, KeptReport>()
  readonly #byResponse = new Map<string, string>()
  readonly #memories = new Map<string, Memory>()

  keep(reports: ReadonlyArray<KeptReport>, memories: ReadonlyMap<string, Memory>): void {
    for (const kept of reports) {
      const { conversationKey, report, responseId } = kept
      if (!this.#kept.has(report.call)) this.#kept.set(report.call, kept)
      if (responseId !== undefined) this.#byResponse.set(responseId, conversationKey)
    }
    for (const [key, memory] of memories) this.#memories.set(key, memory)
  }

  get(call: string): SignalReport | undefined {
    return this.#kept.get(call)?.report
  }

  recall(keys: ReadonlyArray<string>): ReadonlyMap<string, Memory> {
    return found(keys, this.#memories)
  }

  conversationsOf(ids: ReadonlyArray<string>): ReadonlyMap<string, string> {
    return found(ids, this.#byResponse)
  }

  list(filter: SignalFilter, limit: number, after: ReportPosition | undefined): ReadonlyArray<SignalReport> {
    return this.#reports()
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
    if (gone.length === 0) return 0
    for (const { call } of gone) this.#kept.delete(call)
    const staying = new Set(Array.from(this.#kept.values(), ({ conversationKey }) => conversationKey))
    for (const key of this.#memories.keys()) if (!staying.has(key)) this.#memories.delete(key)
    for (const [id, key] of this.#byResponse) if (!staying.has(key)) this.#byResponse.delete(id)
    return gone.length
  }

  #reports(): Array<SignalReport> {
    return Array.from(this.#kept.values(), ({ report }) => report)
  }

  sample(filter: SignalFilter, size: number, seed: number): ReadonlyArray<SignalReport> {
    const { factor, lots } = shuffleOf(seed)
    const place = ({ call }: SignalReport) => (lotOf(call) * factor) % lots
    return this.#reports()
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
