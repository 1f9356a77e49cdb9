import { Clock, Context, Duration, Effect, Layer, Stream } from "effect"
import type { FinalRecord, OpenRecord } from "../domain/Call.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { StorageError } from "../storage/Database.ts"
import { keepOnly, type Keeping, type Retention } from "../storage/Retention.ts"
import { AuditSinks, SinkQueue } from "./AuditSink.ts"
import { type AuditRow, AuditStore } from "./AuditStore.ts"
import * as AuditStoreMemory from "./AuditStoreMemory.ts"
import type { CallRecord } from "./CallRecord.ts"
import { type Following, following, type Happening } from "./follow.ts"
import { type CallPage, type CallQuery, get, list, pages, type WholeQuery } from "./CallRecords.ts"
import { type Capture, captureFor, type CaptureLevel, captureOf, stricter } from "./Capture.ts"
import { EventIntake, type EventSender, type EventVerdict } from "./events/EventIntake.ts"
import { GroupCommit } from "./GroupCommit.ts"
import { type Durability, OpenCalls } from "./OpenCalls.ts"
import * as Owner from "./Owner.ts"
import type { Redaction } from "./Redaction.ts"

/** How calls are recorded; what is left out has the default that is named first. */
export interface AuditSettings {
  /**
   * What an acknowledged record survives: `standard` a power loss, for an ending once it is written, which is soon;
   * `strict` the same, and the end of an answer is held back until then; `process-safe` a crash of the process; `async`
   * nothing, since nobody waits. The first two need a database with full synchronisation.
   */
  readonly durability?: Durability
  /** What becomes of a call whose opening cannot be written in time: refused (`closed`), or served and counted. */
  readonly onFailure?: "closed" | "open"
  /** What of requests and answers goes into the record: `full`, `metadata`, or nothing; with a bound, up to which size. */
  readonly capture?: CaptureLevel | Capture
  /** The same for models of these names, as callers name them. */
  readonly modelCapture?: ReadonlyMap<string, Capture>
  /** How long an opening may wait for the store. Default 2 s. */
  readonly openTimeout?: Duration.Input
  /** How many records may wait for the store without a caller waiting for them. Default 4096, and 128 Mi characters at most. */
  readonly capacity?: number
  /** Records per transaction. Default 256. */
  readonly maxBatch?: number
  /** When records are removed; looked at every minute. Without it they are kept. */
  readonly retention?: Retention
  /** What is taken out of requests and answers before they are kept, and before their fingerprint is taken. */
  readonly redact?: Redaction
}

/** Counts since the start, and how many records and calls there are now. */
export interface AuditStats {
  /** Records that wait for the store now. */
  readonly queued: number
  /** Calls that are open now, or whose end is not yet written. */
  readonly running: number
  readonly opened: number
  readonly finalized: number
  /** Calls that were not started because they could not be recorded. */
  readonly refused: number
  /** Calls that were started before, or without ever, being recorded. */
  readonly servedUnrecorded: number
  /** Calls whose callers had their end before the record of it was written, although durability is `strict`. */
  readonly endedUnrecorded: number
  /** Records that the store refused for good. */
  readonly lost: number
  /** Calls of dead processes that were ended as `Interrupted`. */
  readonly recovered: number
  /** Records that a sink did not get because too many waited for it, or that its place refused; the store has them. */
  readonly missed: number
}

/** What was told of calls goes after their records. */
const pruned =
  (store: AuditStore["Service"]) =>
  (keeping: Keeping): Effect.Effect<number, StorageError> =>
    Effect.zipWith(store.prune(keeping), store.events.prune(keeping), (records, events) => records + events)

const flushTimeout = "5 seconds"

const make = Effect.fnUntraced(function* (settings: AuditSettings) {
  const { capacity = 4096, capture = "full", durability = "standard", maxBatch = 256, onFailure = "closed" } = settings
  const openTimeoutMillis = Duration.toMillis(settings.openTimeout ?? "2 seconds")
  const store = yield* AuditStore
  const clock = yield* Clock.Clock

  const sinks = (yield* AuditSinks).map((sink) => new SinkQueue(sink))
  const copy = (committed: ReadonlyArray<AuditRow>) => {
    for (const sink of sinks) sink.push(committed)
  }
  const rows = new GroupCommit(store.commit, maxBatch, sinks.length === 0 ? undefined : copy)
  const usual = captureOf(capture)
  const policy = {
    capacity,
    capture: captureFor(usual, settings.modelCapture),
    durability,
    onFailure,
    openTimeoutMillis,
    redact: settings.redact
  }
  const calls: OpenCalls = new OpenCalls(policy, rows, clock, () => owner.id)
  for (const sink of sinks) yield* Effect.forkScoped(sink.run)
  yield* Effect.addFinalizer(() =>
    Effect.forEach(sinks, ({ flushed }) => flushed, { concurrency: "unbounded", discard: true })
  )
  // Finalizers run from the last to the first: what waits is written, the writing stops, the lease is given back.
  const owner = yield* Owner.join({ calls, ended: copy })
  yield* Effect.forkScoped(rows.run)
  yield* Effect.forkScoped(calls.expire)
  // They may come before their call, or be about several: of no model's is more kept than it allows.
  const strictest = [...(settings.modelCapture?.values() ?? [])].reduce(stricter, usual)
  const events = new EventIntake(store.events, { capture: strictest.level, redact: settings.redact }, clock)
  yield* Effect.addFinalizer(() => Effect.sync(() => events.close()))
  yield* Effect.forkScoped(events.run)
  if (settings.retention !== undefined) yield* Effect.forkScoped(keepOnly("records", settings.retention, pruned(store)))
  yield* Effect.addFinalizer(() => {
    calls.close()
    return rows.flushed.pipe(Effect.interruptible, Effect.timeoutOption(flushTimeout))
  })

  return AuditTrail.of({
    open: (record) => Effect.suspend(() => calls.open(record)),
    seal: durability === "strict" ? (record) => Effect.suspend(() => calls.seal(record)) : undefined,
    finalize: (record) => Effect.suspend(() => calls.finalize(record)),
    tell: (items, sender) => Effect.suspend(() => events.take(items, sender)),
    get: (id) => Effect.provideService(get(id), AuditStore, store),
    list: (query) => Effect.provideService(list(query), AuditStore, store),
    pages: (query) => Stream.provideService(pages(query), AuditStore, store),
    follow: (asked) => Effect.provideService(following(asked), AuditStore, store),
    stats: Effect.sync(() => ({
      queued: rows.waiting,
      running: calls.running,
      opened: calls.opened,
      finalized: calls.finalized,
      refused: calls.refused,
      servedUnrecorded: calls.servedUnrecorded,
      endedUnrecorded: calls.endedUnrecorded,
      lost: calls.lost,
      recovered: owner.recovered(),
      missed: sinks.reduce((sum, { missed }) => sum + missed, 0)
    }))
  })
})

/** The record of every call: opened before the first byte goes to a provider, ended once, whatever happens. */
export class AuditTrail extends Context.Service<
  AuditTrail,
  {
    /**
     * Records that a call begins; durable when it returns, as far as the settings say. Call it before anything is sent
     * to a provider. Fails with `AuditUnavailable` where that is impossible and the policy is `closed`; the call is
     * then settled and needs no `finalize`.
     *
     * Gotcha: interrupting it stops the waiting only. The call counts as opened: finalize it.
     */
    readonly open: (record: OpenRecord) => Effect.Effect<void, LlmError>
    /**
     * Records how a call is about to end, for whoever holds back the end of its answer until that is durable; absent
     * unless durability is `strict`. Fails with `AuditUnavailable` where the record is not written within 5 s (10 s, while
     * the store does not answer at all), or the store will not have it, and the policy is `closed`: then the caller
     * must not be told that the call ended well.
     *
     * Gotcha: `finalize` the call all the same. Where this failed or was interrupted, the record that `finalize` gets
     * takes the place of this one, if it is not written by then.
     */
    readonly seal?: ((record: FinalRecord) => Effect.Effect<void, LlmError>) | undefined
    /**
     * Records how a call ended: the first ending counts, later ones and those of calls that are not open are ignored.
     * It never fails and, unless durability is `strict`, never waits: the record is retained until it is written.
     * Strictly it waits until then, but no longer than `seal`.
     */
    readonly finalize: (record: FinalRecord) => Effect.Effect<void>
    /**
     * Keeps what is told about calls from outside: runs, steps, scores, notes, as JSON values. A call need not be there
     * yet. Gives a verdict on each, in their order; those that are accepted are as durable as the opening of a call.
     *
     * Gotcha: the same event may be told again, after a failure too; then it is the one that is there.
     */
    readonly tell: (
      items: ReadonlyArray<unknown>,
      sender: EventSender
    ) => Effect.Effect<ReadonlyArray<EventVerdict>, StorageError>
    /** One call with all that is kept of it, and with what was told about it from outside. */
    readonly get: (id: string) => Effect.Effect<CallRecord | undefined, StorageError>
    /** Calls, newest first. Fails with `InvalidRequest` where the cursor is not one that a list has given. */
    readonly list: (query: CallQuery) => Effect.Effect<CallPage, StorageError | LlmError>
    /** All calls that match, newest first: what there is of them when each page is read. */
    readonly pages: (query: WholeQuery) => Stream.Stream<ReadonlyArray<CallRecord>, StorageError | LlmError>
    /** Begins to follow calls: what they do from when it returns, without an end. */
    readonly follow: (asked: Following) => Effect.Effect<Stream.Stream<Happening, StorageError>, StorageError>
    readonly stats: Effect.Effect<AuditStats>
  }
>()("millrace/audit/AuditTrail") {
  /**
   * Starts recording to the store, after the calls that dead processes left open were ended as `Interrupted`. Closing
   * writes what still waits, for up to 5 s; calls that are then open become `Interrupted`.
   */
  static readonly layer = (settings: AuditSettings = {}): Layer.Layer<AuditTrail, StorageError, AuditStore> =>
    Layer.effect(AuditTrail, make(settings))

  /** Keeps the records in memory. */
  static readonly layerMemory = (settings: AuditSettings = {}): Layer.Layer<AuditTrail> =>
    // a store in memory does not fail
    Layer.orDie(Layer.provide(AuditTrail.layer(settings), AuditStoreMemory.layer))
}
