import { Context, Duration, Effect, Latch, Layer, Metric, Option, type Scope, Tracer } from "effect"
import type { EndedCall } from "../domain/Call.ts"
import type { StorageError } from "../storage/Database.ts"
import type { Job } from "./analysis-messages.ts"
import { AnalysisThread } from "./AnalysisThread.ts"
import { languageNames, packsOf } from "./built-in.ts"
import { type ConversationId, conversationIdOf } from "./conversation-id.ts"
import type { LanguagePack } from "./LanguagePack.ts"
import { countReports, traceReport, unread } from "./report-telemetry.ts"
import { type Conversation, conversationOf } from "./Row.ts"
import { type LiveFindings, reportOf, type SignalReport } from "./SignalReport.ts"
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
  /** Whether the name of the span of what is flagged ends with 🚩. Default false. */
  readonly flagSpans?: boolean
  /** How many calls may wait to be read; what comes then is dropped and counted. Default 256. */
  readonly capacity?: number
  /** How long calls are gathered before they are read together. Default 100 ms. */
  readonly gather?: Duration.Input
}

/** Counts since the start, and how many calls wait now. */
export interface SignalStats {
  readonly waiting: number
  readonly reported: number
  /** not read, because too many waited */
  readonly dropped: number
  /** not read, or not kept, because that failed */
  readonly failed: number
}

interface Waiting {
  readonly facts: Pick<SignalReport, "call" | "openedAt" | "model"> & { readonly key?: string }
  readonly identity: ConversationId
  readonly conversation: Conversation
  readonly responseId: string | undefined
  readonly live: LiveFindings
  readonly parent: Tracer.AnySpan | undefined
}

const maxBatch = 64
const flushTimeout = "2 seconds"

/** The calls that wait to be read, and the fiber that reads them. */
class Reader {
  readonly #waiting: Array<Waiting> = []
  readonly #someoneWaits = Latch.makeUnsafe(false)
  readonly #idle = Latch.makeUnsafe(true)
  readonly #capacity: number
  dropped = 0
  failed = 0
  reported = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Completes when nothing waits and nothing is being read. */
  get settled(): Effect.Effect<void> {
    return this.#idle.await
  }

  /** Whether there is room for another; where there is not, it counts as dropped. */
  hasRoom(): boolean {
    if (this.#waiting.length < this.#capacity) return true
    this.dropped++
    return false
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#idle.closeUnsafe()
    this.#someoneWaits.openUnsafe()
  }

  /** Gathers for a while, so that many calls cost one message to the thread and one transaction, then reads what waits. */
  run(gather: Duration.Duration, read: (batch: ReadonlyArray<Waiting>) => Effect.Effect<void>): Effect.Effect<never> {
    return Effect.forever(
      Effect.gen({ self: this }, function* () {
        yield* this.#someoneWaits.await
        this.#someoneWaits.closeUnsafe()
        if (!Duration.isZero(gather)) yield* Effect.sleep(gather)
        yield* this.readAll(read)
        this.#idle.openUnsafe()
      })
    )
  }

  readAll(read: (batch: ReadonlyArray<Waiting>) => Effect.Effect<void>): Effect.Effect<void> {
    return Effect.whileLoop({
      while: () => this.#waiting.length > 0,
      body: () => read(this.#waiting.splice(0, maxBatch)),
      step: () => undefined
    })
  }
}

const make = Effect.fnUntraced(function* (
  settings: SignalSettings
): Effect.fn.Return<Signals["Service"], never, SignalStore | Scope.Scope> {
  const { capacity = 256, content = false, flagSpans = false, gather = "100 millis", taxonomy = "layered" } = settings
  const store = yield* SignalStore
  const thread = yield* AnalysisThread.make({ taxonomy, packs: settings.packs ?? packsOf(languageNames) })
  const reader = new Reader(capacity)

  /** Those that go on from an answer belong to the conversation of that answer, where it is known. */
  const keysOf = Effect.fnUntraced(function* (batch: ReadonlyArray<Waiting>) {
    const earlier = batch.flatMap(({ identity }) => (identity.earlier === undefined ? [] : [identity.earlier]))
    const known = earlier.length === 0 ? new Map<string, string>() : yield* store.conversationsOf(earlier)
    const begun = new Map<string, string>()
    return batch.map(({ identity: { earlier, key }, responseId }) => {
      const found = earlier === undefined ? key : (begun.get(earlier) ?? known.get(earlier) ?? key)
      // the next turn may be in the same batch
      if (responseId !== undefined) begun.set(responseId, found)
      return found
    })
  })

  const read = Effect.fnUntraced(function* (batch: ReadonlyArray<Waiting>) {
    const keys = yield* keysOf(batch)
    const jobs = batch.map(({ conversation, identity }, index): Job => ({
      key: keys[index]!,
      conversation,
      continues: identity.continues
    }))
    const { analyses, memories } = yield* thread.read({ jobs, memories: yield* store.recall([...new Set(keys)]) })
    const kept = batch.flatMap(({ facts, identity, live, responseId }, index): ReadonlyArray<KeptReport> => {
      const analysis = analyses[index]
      if (analysis === undefined) return []
      const report = reportOf(
        { ...facts, conversation: nameOf(identity, keys[index]!), taxonomy },
        analysis,
        live,
        content
      )
      return [{ report, conversationKey: keys[index]!, responseId }]
    })
    yield* store.keep(kept, memories)
    reader.reported += kept.length
    reader.failed += batch.length - kept.length
    const parents = new Map(batch.map(({ facts, parent }) => [facts.call, parent]))
    yield* countReports(kept.map(({ report }) => report))
    // Where nobody takes spans they need not be made.
    if ((yield* Tracer.Tracer) === Tracer.nativeTracer) return
    for (const { report } of kept) yield* traceReport(report, parents.get(report.call), flagSpans)
  })

  const guarded = (batch: ReadonlyArray<Waiting>) =>
    Effect.catchCause(read(batch), (cause) => {
      reader.failed += batch.length
      return Effect.logWarning("The signals of ended calls were not kept", { calls: batch.length }, cause).pipe(
        Effect.andThen(Metric.update(Metric.withAttributes(unread, { reason: "failed" }), batch.length))
      )
    })

  const dropped = Metric.withAttributes(unread, { reason: "queue full" })

  yield* Effect.forkScoped(reader.run(Duration.fromInputUnsafe(gather), guarded))
  yield* Effect.addFinalizer(() =>
    reader.readAll(guarded).pipe(Effect.interruptible, Effect.timeoutOption(flushTimeout))
  )

  return Signals.of({
    observe: Effect.fnUntraced(function* (ended) {
      // asked first: what is dropped must cost nothing
      if (!reader.hasRoom()) return yield* Metric.update(dropped, 1)
      const parent = yield* Effect.serviceOption(Tracer.ParentSpan)
      reader.push(waitingOf(ended, Option.getOrUndefined(parent)))
    }),
    get: store.get,
    list: store.list,
    sample: store.sample,
    settled: reader.settled,
    stats: Effect.sync(() => ({
      waiting: reader.waiting,
      reported: reader.reported,
      dropped: reader.dropped,
      failed: reader.failed
    }))
  })
})

const waitingOf = ({ call, id, openedAt, record }: EndedCall, parent: Tracer.AnySpan | undefined): Waiting => {
  const { caller, request } = call
  const { response } = record
  return {
    facts: {
      call: id,
      openedAt,
      model: request.model,
      ...(caller.key === undefined ? {} : { key: caller.key })
    },
    identity: conversationIdOf(call),
    conversation: conversationOf(request, response),
    responseId: response === undefined || response.id === "" ? undefined : response.id,
    live: { findings: record.findings ?? [], message: request.messages.length },
    parent
  }
}

/** A conversation that was found by an earlier answer is called as it was then. */
const nameOf = ({ id, key }: ConversationId, found: string): string =>
  found === key ? id : found.slice(found.indexOf("] ") + 2)

/** What the conversations of calls show of how they go, read after each call has ended. */
export class Signals extends Context.Service<
  Signals,
  {
    /** Takes note of a call that has ended. Never waits: where too many wait to be read, the call is dropped and counted. */
    readonly observe: (call: EndedCall) => Effect.Effect<void>
    /** The report of one call, once it was read. */
    readonly get: SignalStore["Service"]["get"]
    /** Reports, newest first. */
    readonly list: (
      filter: SignalFilter,
      limit: number,
      after: ReportPosition | undefined
    ) => Effect.Effect<ReadonlyArray<SignalReport>, StorageError>
    /** Some of the reports, evenly picked; the same ones for the same seed. */
    readonly sample: SignalStore["Service"]["sample"]
    /** Waits until everything that was observed was read and kept. */
    readonly settled: Effect.Effect<void>
    readonly stats: Effect.Effect<SignalStats>
  }
>()("millrace/signals/Signals") {
  /** Reads in a thread of its own. Closing reads what still waits, for up to 2 s. */
  static readonly layer = (settings: SignalSettings = {}): Layer.Layer<Signals, never, SignalStore> =>
    Layer.effect(Signals, make(settings))
}
