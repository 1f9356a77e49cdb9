import { type Clock, Deferred, Effect, Latch } from "effect"
import type { FinalRecord, OpenRecord } from "../domain/Call.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { Line, type Place } from "../domain/Line.ts"
import { failedWith } from "../domain/Outcome.ts"
import { Roster } from "../domain/Roster.ts"
import type { StorageError } from "../storage/Database.ts"
import { type Capture, stricter } from "./Capture.ts"
import type { FinalRow } from "./AuditStore.ts"
import { bareFinal, finalRow, openedRow } from "./CallRecord.ts"
import type { GroupCommit, Pending } from "./GroupCommit.ts"
import { type Redaction, redactEnding, redactOpening } from "./Redaction.ts"

/** When a record counts as written. */
export type Durability = "strict" | "standard" | "process-safe" | "async"

export interface Policy {
  readonly durability: Durability
  readonly onFailure: "closed" | "open"
  /** what may be kept of what belongs to all of these models */
  readonly capture: (models: ReadonlyArray<string>) => Capture
  readonly redact: Redaction | undefined
  readonly openTimeoutMillis: number
  /** How many rows may wait for the store without anybody waiting for them. */
  readonly capacity: number
}

interface OpenCall {
  readonly id: string
  readonly openedAt: number
  readonly capture: Capture
  readonly sequence: number
  /** Epoch milliseconds. */
  readonly deadline: number
  /** Done when the opening is durable, or the caller was refused. */
  readonly opened: Deferred.Deferred<void, LlmError>
  /** Where it stands among those whose callers wait for the opening. */
  waiting: Place<OpenCall> | undefined
  opening: Pending
  ending: Pending | undefined
  /** The ending was written ahead of the call's end: until it is durable, it may turn out to be another. */
  provisional: boolean
}

/** So many characters may wait for the store without anybody waiting for them, besides `Policy.capacity`. */
const mostCharacters = 128 * 1024 * 1024

/** A store that hangs must not keep calls, and with them a shutdown, from ending: twice as long at most. */
const strictTimeout = "5 seconds"

/** Stores that are away are tried again about as often. */
const retryAfterMs = 2000

const unavailable = (message: string) => failure({ _tag: "AuditUnavailable" }, message, { retryAfterMs })
const late = unavailable("The call was not started: its record could not be written in time")
const refused = unavailable("The call was not started: its record could not be written")
const crowded = unavailable("The call was not started: too many records wait to be written")
const closed = unavailable("The call was not started: the audit trail is closed")
const unsealed = unavailable("The answer came to its end, but the record of that could not be written")

/**
 * The calls of this process from their opening to the durable record of their end: who waits for what, for how long,
 * and what becomes of a call whose record cannot be written.
 */
export class OpenCalls {
  readonly #policy: Policy
  readonly #rows: GroupCommit
  readonly #clock: Clock.Clock
  readonly #owner: () => string
  /** In the order of their sequence. */
  readonly #calls = new Roster<OpenCall>()
  /** Those whose callers wait for the opening, in the order of their deadlines. */
  readonly #waiting = new Line<OpenCall>()
  readonly #someoneWaits = Latch.makeUnsafe(false)
  #nextSequence = 0
  #closed = false
  /** The last thing known of the store is that it did not answer in time. */
  #stalled = false
  opened = 0
  finalized = 0
  refused = 0
  servedUnrecorded = 0
  endedUnrecorded = 0
  lost = 0

  constructor(policy: Policy, rows: GroupCommit, clock: Clock.Clock, owner: () => string) {
    this.#policy = policy
    this.#rows = rows
    this.#clock = clock
    this.#owner = owner
  }

  /** Calls that are open, or whose end is not yet durable. */
  get running(): number {
    return this.#calls.size
  }

  /** That of the next call to be opened. */
  get nextSequence(): number {
    return this.#nextSequence
  }

  /** All calls with a lower sequence number are settled: their end is durable, or they were never written. */
  get settledBelow(): number {
    return this.#calls.first?.sequence ?? this.#nextSequence
  }

  /** Records that a call begins. See `AuditTrail.open`. */
  open(record: OpenRecord): Effect.Effect<void, LlmError> {
    if (this.#closed) return this.#refuse(closed)
    const servesAnyway = this.#servesAnyway
    const hasRoom = this.#rows.waiting < this.#policy.capacity && this.#rows.waitingCharacters < mostCharacters
    if (!hasRoom && this.#stalled && !servesAnyway) return this.#refuse(crowded)
    if (servesAnyway) this.servedUnrecorded++
    if (servesAnyway && !hasRoom) return Effect.void
    const call = this.#admit(record)
    if (servesAnyway || (this.#policy.durability === "async" && hasRoom)) return Effect.void
    call.waiting = this.#waiting.add(call)
    this.#someoneWaits.openUnsafe()
    return Deferred.await(call.opened)
  }

  /** See `AuditTrail.seal`. */
  seal(record: FinalRecord): Effect.Effect<void, LlmError> {
    const call = this.#calls.get(record.id)
    if (call === undefined || call.ending !== undefined) return Effect.void
    call.provisional = true
    return this.#endDurably(call, record)
  }

  /** Records how a call ended; only the first ending of an open call counts. See `AuditTrail.finalize`. */
  finalize(record: FinalRecord): Effect.Effect<void> {
    const call = this.#calls.get(record.id)
    if (call === undefined) return Effect.void
    const { ending, provisional } = call
    call.provisional = false
    if (ending !== undefined) {
      if (provisional) ending.row = this.#finalRow(call, record)
      return Effect.void
    }
    if (this.#policy.durability === "strict") return Effect.ignore(this.#endDurably(call, record))
    this.#end(call, record, undefined)
    return Effect.void
  }

  /** Gives up waiting for openings whose time has run out, for as long as it runs. */
  readonly expire: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    for (;;) {
      const oldest = this.#waiting.first
      if (oldest === undefined) {
        yield* this.#someoneWaits.await
        this.#someoneWaits.closeUnsafe()
        continue
      }
      const left = oldest.deadline - this.#clock.currentTimeMillisUnsafe()
      if (left > 0) yield* Effect.sleep(left)
      else this.#giveUp(oldest)
    }
  })

  /** Opens no more calls. */
  close(): void {
    this.#closed = true
  }

  /** The store does not answer, and nobody is to wait for it. */
  get #servesAnyway(): boolean {
    return this.#stalled && this.#policy.onFailure === "open"
  }

  get #leaveUnsealed(): Effect.Effect<void> {
    this.endedUnrecorded++
    return Effect.void
  }

  /** Ends a call, and fails where the record of that is not durable in time and the policy does not allow that. */
  #endDurably(call: OpenCall, record: FinalRecord): Effect.Effect<void, LlmError> {
    const durable = Deferred.makeUnsafe<void, LlmError>()
    this.#end(call, record, durable)
    if (this.#servesAnyway) return this.#leaveUnsealed
    // interruptible for the timeout alone: a call ends where nothing can be interrupted
    return Deferred.await(durable).pipe(
      Effect.interruptible,
      Effect.timeoutOrElse({ duration: strictTimeout, orElse: () => this.#unlessUnderWay(durable) }),
      Effect.catch((error) => (this.#policy.onFailure === "open" ? this.#leaveUnsealed : Effect.fail(error)))
    )
  }

  /** Gives up waiting for an ending, but not while it is being written: then it may be durable all the same. */
  #unlessUnderWay(durable: Deferred.Deferred<void, LlmError>): Effect.Effect<void, LlmError> {
    return Effect.raceFirst(Effect.exit(Deferred.await(durable)), this.#rows.atRest).pipe(
      Effect.interruptible,
      Effect.timeoutOption(strictTimeout),
      Effect.flatMap(() => {
        if (Deferred.isDoneUnsafe(durable)) return Deferred.await(durable)
        this.#stalled = true
        return Effect.fail(unsealed)
      })
    )
  }

  #refuse(error: LlmError): Effect.Effect<never, LlmError> {
    this.refused++
    return Effect.fail(error)
  }

  #admit(record: OpenRecord): OpenCall {
    const { askedBy, handedTo = [], model } = record
    const capture = this.#policy.capture([model, ...handedTo, ...(askedBy?.models ?? [])])
    const { redact } = this.#policy
    const sequence = this.#nextSequence++
    const call: OpenCall = {
      id: record.id,
      openedAt: record.openedAt,
      capture,
      sequence,
      deadline: this.#clock.currentTimeMillisUnsafe() + this.#policy.openTimeoutMillis,
      opened: Deferred.makeUnsafe(),
      waiting: undefined,
      opening: {
        row: openedRow(redact === undefined ? record : redactOpening(record, redact), capture, this.#owner()),
        settle: (refusal) => (refusal === undefined ? this.#onOpened(call) : this.#onRefused(call))
      },
      ending: undefined,
      provisional: false
    }
    this.#calls.add(record.id, call)
    this.#rows.push(call.opening)
    return call
  }

  #onOpened(call: OpenCall): void {
    this.opened++
    this.#stalled = false
    this.#stopWaiting(call)
    Deferred.doneUnsafe(call.opened, Effect.void)
  }

  /** The store will not have the opening, so there is nothing that could be ended. */
  #onRefused(call: OpenCall): void {
    this.#forget(call)
    if (!this.#stopWaiting(call)) return this.#countLost()
    if (this.#policy.onFailure === "open") this.#serve(call)
    else this.#turnAway(call, refused)
  }

  /** False where nobody waited for the opening. */
  #stopWaiting({ waiting }: OpenCall): boolean {
    return waiting !== undefined && this.#waiting.remove(waiting)
  }

  #countLost(): void {
    this.lost++
  }

  #giveUp(call: OpenCall): void {
    this.#stalled = true
    this.#stopWaiting(call)
    if (this.#policy.onFailure === "open") {
      if (this.#rows.waiting > this.#policy.capacity || this.#rows.waitingCharacters > mostCharacters)
        this.#withdraw(call)
      return this.#serve(call)
    }
    // A row under way may be written yet: then the call needs an ending.
    if (!this.#withdraw(call) && call.ending === undefined) {
      const totalMs = Math.max(0, this.#clock.currentTimeMillisUnsafe() - call.openedAt)
      this.#end(call, bareFinal(call.id, failedWith(late), totalMs), undefined)
    }
    this.#turnAway(call, late)
  }

  #serve(call: OpenCall): void {
    this.servedUnrecorded++
    Deferred.doneUnsafe(call.opened, Effect.void)
  }

  #turnAway(call: OpenCall, error: LlmError): void {
    this.refused++
    Deferred.doneUnsafe(call.opened, Effect.fail(error))
  }

  /** Forgets a call of which nothing has been sent to the store. */
  #withdraw(call: OpenCall): boolean {
    if (!this.#rows.remove(call.opening)) return false
    this.#forget(call)
    return true
  }

  #forget(call: OpenCall): void {
    if (call.ending !== undefined) this.#rows.remove(call.ending)
    this.#calls.remove(call.id)
  }

  /** Has the ending written. `durable` is for whoever waits for that; it fails where the store will not have it. */
  #end(call: OpenCall, record: FinalRecord, durable: Deferred.Deferred<void, LlmError> | undefined): void {
    const settle = (refusal: StorageError | undefined) => {
      if (refusal === undefined) this.#onEnded()
      else this.lost++
      this.#calls.remove(call.id)
      if (durable !== undefined)
        Deferred.doneUnsafe(durable, refusal === undefined ? Effect.void : Effect.fail(unsealed))
    }
    call.ending = { row: this.#finalRow(call, record), settle }
    if (durable === undefined) this.#rows.pushBehind(call.ending)
    else this.#rows.push(call.ending)
  }

  #onEnded(): void {
    this.finalized++
    this.#stalled = false
  }

  #finalRow({ capture: opened, openedAt }: OpenCall, record: FinalRecord): FinalRow {
    const { handedTo } = record
    const { redact } = this.#policy
    const capture = handedTo === undefined ? opened : stricter(opened, this.#policy.capture(handedTo))
    const kept = redact === undefined ? record : redactEnding(record, redact)
    const endedAt = this.#clock.currentTimeMillisUnsafe()
    return finalRow(kept, capture, this.#owner(), { openedAt, endedAt })
  }
}
