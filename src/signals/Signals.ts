import { Context, Duration, Effect, Layer, Metric, Option, type Scope, Tracer } from "effect"
import type { EndedCall } from "../domain/Call.ts"
import { present } from "../domain/present.ts"
import type { StorageError } from "../storage/Database.ts"
import { keepOnly, type Retention } from "../storage/Retention.ts"
import { languageNames, packsOf } from "./built-in.ts"
import { type ConversationId, conversationIdOf } from "./conversation-id.ts"
import { type Job, makeConversationReader } from "./ConversationReader.ts"
import type { LanguagePack } from "./LanguagePack.ts"
import { ReadingQueue, type Waiting } from "./ReadingQueue.ts"
import { type Reading, traceReport, unread } from "./report-telemetry.ts"
import { conversationOf } from "./Row.ts"
import { isLive, type LiveFindings, reportOf, type SignalReport } from "./SignalReport.ts"
import { type KeptReport, type ReportPosition, type SignalFilter, SignalStore } from "./SignalStore.ts"
import type { TaxonomyName } from "./Taxonomy.ts"

/** How conversations are read; what is left out has the default that is named first. */
export interface SignalSettings {
  /** `layered`, or `legacy`: fewer kinds, of what is said alone. */
  readonly taxonomy?: TaxonomyName
  /** Those that are built in, and one's own. Default: all that are built in. */
  readonly packs?: ReadonlyArray<LanguagePack>
  /** Whether reports may hold words of the conversation. Default false. */
  readonly content?: boolean
  /** Whether anything that was said in calls that these models had part in may be kept. Default: it may. */
  readonly keeps?: (models: ReadonlyArray<string>) => boolean
  /** Whether the name of the span of what is flagged ends with 🚩. Default false. */
  readonly flagSpans?: boolean
  /** When reports are removed; looked at every minute. Without it they are kept. */
  readonly retention?: Retention
  /** How many calls may wait to be read; what comes then is dropped and counted. Default 256. */
  readonly capacity?: number
  /** How long calls are gathered before they are read together. Default 100 ms. */
  readonly gather?: Duration.Input
}

/** Counts since the start, and how many calls wait now. */
export interface SignalStats {
  readonly waiting: number
  readonly read: number
  /** of those that were read, the ones with something to report */
  readonly reported: number
  /** not read, because too many waited */
  readonly dropped: number
  /** not read, or not kept, because that failed */
  readonly failed: number
}

const flushTimeout = "2 seconds"

const make = Effect.fnUntraced(function* (
  settings: SignalSettings
): Effect.fn.Return<Signals["Service"], never, SignalStore | Scope.Scope> {
  const { capacity = 256, content = false, flagSpans = false, gather = "100 millis", taxonomy = "layered" } = settings
  const store = yield* SignalStore
  const conversations = yield* makeConversationReader({ taxonomy, packs: settings.packs ?? packsOf(languageNames) })
  const queue = new ReadingQueue(capacity)
  // Where nobody takes spans they need not be made.
  const isTraced = (yield* Tracer.Tracer) !== Tracer.nativeTracer

  const isKept = ({ call, record }: EndedCall): boolean =>
    settings.keeps?.([call.request.model, ...(record.handedTo ?? []), ...(call.askedBy?.models ?? [])]) ?? true

  const read = Effect.fnUntraced(function* (batch: ReadonlyArray<Waiting>) {
    const jobs = batch.map(({ job }) => job)
    const { done, memories, reads } = yield* conversations.read(jobs)
    const kept: Array<KeptReport> = []
    const traced: Array<Effect.Effect<void>> = []
    const readings: Array<Reading> = []
    for (const [index, found] of reads.entries()) {
      if (found === undefined) continue
      if (!found.isKept && !isTraced) {
        readings.push(found.analysis)
        continue
      }
      const { identity, responseId } = jobs[index]!
      const { ended, parent } = batch[index]!
      const report = reportOf(
        { ...factsOf(ended), conversation: nameOf(identity, found.key), taxonomy },
        found.analysis,
        liveOf(ended),
        isKept(ended) ? (content ? "all" : "names") : "none"
      )
      readings.push(report)
      if (found.isKept) kept.push({ report, conversationKey: found.key, responseId })
      if (isTraced) traced.push(traceReport(report, parent, flagSpans))
    }
    if (kept.length > 0) yield* store.keep(kept, memories)
    done()
    queue.read += readings.length
    queue.reported += kept.filter(({ report }) => report.flagged || report.signals.length > 0).length
    queue.failed += batch.length - readings.length
    for (const reading of readings) queue.count(reading)
    for (const trace of traced) yield* trace
  })

  const guarded = (batch: ReadonlyArray<Waiting>) =>
    Effect.catchCause(read(batch), (cause) => {
      queue.failed += batch.length
      return Effect.logWarning("The signals of ended calls were not kept", { calls: batch.length }, cause).pipe(
        Effect.andThen(Metric.update(Metric.withAttributes(unread, { reason: "failed" }), batch.length))
      )
    })

  const dropped = Metric.withAttributes(unread, { reason: "queue full" })

  if (settings.retention !== undefined) {
    yield* Effect.forkScoped(keepOnly("signals", settings.retention, store.prune))
  }
  yield* Effect.forkScoped(queue.run(Duration.fromInputUnsafe(gather), guarded))
  yield* Effect.addFinalizer(() =>
    queue.readAll(guarded).pipe(Effect.andThen(queue.tell()), Effect.interruptible, Effect.timeoutOption(flushTimeout))
  )

  return Signals.of({
    observe: Effect.fnUntraced(function* (ended) {
      // asked first: what is dropped must cost nothing
      if (!queue.hasRoom()) return yield* Metric.update(dropped, 1)
      const job = jobOf(ended)
      const nothing = isTraced ? undefined : conversations.glance(job)
      if (nothing !== undefined) return queue.pass(nothing)
      const parent = yield* Effect.serviceOption(Tracer.ParentSpan)
      queue.push({ ended, job, parent: Option.getOrUndefined(parent) })
    }),
    get: store.get,
    list: store.list,
    sample: store.sample,
    settled: queue.settled,
    stats: Effect.sync(() => ({
      waiting: queue.waiting,
      read: queue.read,
      reported: queue.reported,
      dropped: queue.dropped,
      failed: queue.failed
    }))
  })
})

const jobOf = (ended: EndedCall): Job => {
  const { call, record } = ended
  const { response } = record
  return {
    identity: conversationIdOf(call),
    conversation: conversationOf(call.request, response),
    responseId: response === undefined || response.id === "" ? undefined : response.id,
    isKept: (record.findings ?? []).some(isLive)
  }
}

const factsOf = ({ call: { caller, request }, id, openedAt }: EndedCall) => ({
  call: id,
  openedAt,
  model: request.model,
  ...present({ key: caller.key })
})

const liveOf = ({ call: { request }, record: { findings = [] } }: EndedCall): LiveFindings => ({
  findings,
  message: request.messages.length
})

/** A conversation that was found by an earlier answer is called as it was then. */
const nameOf = ({ id, key }: ConversationId, found: string): string =>
  found === key ? id : found.slice(found.indexOf("] ") + 2)

/** What the conversations of calls show of how they go, read after each call has ended. */
export class Signals extends Context.Service<
  Signals,
  {
    /** Takes note of a call that has ended. Never waits: where too many wait to be read, the call is dropped and counted. */
    readonly observe: (call: EndedCall) => Effect.Effect<void>
    /**
     * The report of one call, once it was read. Of a call that shows nothing there is none, unless its provider keeps the
     * history of the conversation: then there is one without signals, for what the next turn goes on from.
     */
    readonly get: SignalStore["Service"]["get"]
    /** Reports, newest first. */
    readonly list: (
      filter: SignalFilter,
      limit: number,
      after: ReportPosition | undefined
    ) => Effect.Effect<ReadonlyArray<SignalReport>, StorageError>
    /** Some of the reports, evenly picked; the same ones for the same seed. */
    readonly sample: SignalStore["Service"]["sample"]
    /** Waits until everything that was observed was read and kept, which begins at once. */
    readonly settled: Effect.Effect<void>
    readonly stats: Effect.Effect<SignalStats>
  }
>()("millrace/signals/Signals") {
  /** Reads after the end of calls, what is long in a thread of its own. Closing reads what still waits, for up to 2 s. */
  static readonly layer = (settings: SignalSettings = {}): Layer.Layer<Signals, never, SignalStore> =>
    Layer.effect(Signals, make(settings))
}
