import { type Clock, Deferred, Effect, Exit, Latch, Result } from "effect"
import { StorageError } from "../../storage/Database.ts"
import { type EventPolicy, eventRow } from "./eventRow.ts"
import type { EventRow, EventStore } from "./EventStore.ts"
import { type EventRefusal, readEvent } from "./readEvent.ts"

/** What became of an event that was sent: it is kept, or refused. Sent again it is told the same. */
export type EventVerdict =
  | { readonly _tag: "Accepted"; readonly id: string }
  | { readonly _tag: "Refused"; readonly id: string | undefined; readonly refusal: EventRefusal }

/** Who sends events: under which label they are kept, and whether they may be about the calls of others. */
export interface EventSender {
  readonly owner: string
  readonly onlyOwnCalls: boolean
}

interface Waiting {
  readonly rows: ReadonlyArray<EventRow>
  readonly kept: Deferred.Deferred<ReadonlyArray<string | undefined>, StorageError>
}

/** So many events are written in one transaction, unless one sender sends more; so many may wait. */
const mostTogether = 512
const mostWaiting = 8192

const busy = new StorageError({ operation: "batch", kind: "busy", message: "too many events wait to be written" })

const closed = new StorageError({ operation: "batch", kind: "unavailable", message: "the audit trail is closed" })

const conflict: EventRefusal = {
  reason: "conflict",
  path: "id",
  message: "an event of this id is there already, and says something else; give each event an id of its own"
}

const foreign = (call: string): EventRefusal => ({
  reason: "forbidden",
  path: "call",
  message: `the call ${JSON.stringify(call)} was made with another key; send this with that key, or the administrator's`
})

const idOf = (item: unknown): string | undefined => {
  const id: unknown = typeof item === "object" && item !== null ? Reflect.get(item, "id") : undefined
  return typeof id === "string" ? id : undefined
}

/** Takes events from outside: reads them, and has those that come at the same time written together. */
export class EventIntake {
  readonly #store: EventStore
  readonly #policy: EventPolicy
  readonly #clock: Clock.Clock
  #waiting: Array<Waiting> = []
  #waitingRows = 0
  #closed = false
  readonly #filled = Latch.makeUnsafe(false)

  constructor(store: EventStore, policy: EventPolicy, clock: Clock.Clock) {
    this.#store = store
    this.#policy = policy
    this.#clock = clock
  }

  /** Keeps what can be kept of the items, and says of each what became of it. See `AuditTrail.tell`. */
  take(items: ReadonlyArray<unknown>, sender: EventSender): Effect.Effect<ReadonlyArray<EventVerdict>, StorageError> {
    return Effect.gen({ self: this }, function* () {
      const now = this.#clock.currentTimeMillisUnsafe()
      const read = items.map((item) =>
        Result.map(readEvent(item, now), (event) => eventRow(event, sender.owner, now, this.#policy))
      )
      const judged = sender.onlyOwnCalls ? yield* this.#withoutForeign(read, sender.owner) : read
      const rows = judged.flatMap((one) => (Result.isSuccess(one) ? [one.success] : []))
      const kept = (yield* this.#write(rows)).values()
      return judged.map((one, index): EventVerdict => {
        if (Result.isFailure(one)) return { _tag: "Refused", id: idOf(items[index]), refusal: one.failure }
        const { hash, id } = one.success
        return kept.next().value === hash ? { _tag: "Accepted", id } : { _tag: "Refused", id, refusal: conflict }
      })
    })
  }

  /** Writes what waits, for as long as it runs. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    for (;;) {
      if (this.#waiting.length === 0) {
        this.#filled.closeUnsafe()
        yield* this.#filled.await
      }
      const together = this.#takeSome()
      const writing = this.#store.keep(together.flatMap(({ rows }) => rows))
      // also where this is interrupted: nobody is to wait for ever
      yield* Effect.exit(Effect.onExit(writing, (exit) => Effect.sync(() => this.#settle(together, exit))))
    }
  })

  /** Takes no more; who still waits is told so. */
  close(): void {
    this.#closed = true
    for (const { kept } of this.#waiting.splice(0)) Deferred.doneUnsafe(kept, Effect.fail(closed))
  }

  #settle(together: ReadonlyArray<Waiting>, exit: Exit.Exit<ReadonlyArray<string | undefined>, StorageError>): void {
    const hashes = Exit.hasInterrupts(exit) ? Effect.fail(closed) : exit
    let from = 0
    for (const { kept, rows } of together) {
      const [first, behind] = [from, (from += rows.length)]
      Deferred.doneUnsafe(
        kept,
        Effect.map(hashes, (all) => all.slice(first, behind))
      )
    }
  }

  #withoutForeign(
    read: ReadonlyArray<Result.Result<EventRow, EventRefusal>>,
    owner: string
  ): Effect.Effect<ReadonlyArray<Result.Result<EventRow, EventRefusal>>, StorageError> {
    const calls = new Set(read.flatMap((one) => (Result.isSuccess(one) ? (one.success.call ?? []) : [])))
    return Effect.map(this.#store.callersOf([...calls]), (callers) =>
      read.map((one) => {
        if (Result.isFailure(one) || one.success.call === null) return one
        const { call } = one.success
        const caller = callers.get(call)
        // of a call that is not recorded yet it is seen when somebody reads it
        return caller === undefined || caller === owner ? one : Result.fail(foreign(call))
      })
    )
  }

  #write(rows: ReadonlyArray<EventRow>): Effect.Effect<ReadonlyArray<string | undefined>, StorageError> {
    if (rows.length === 0) return Effect.succeed([])
    if (this.#closed) return Effect.fail(closed)
    if (this.#waitingRows > mostWaiting) return Effect.fail(busy)
    const kept = Deferred.makeUnsafe<ReadonlyArray<string | undefined>, StorageError>()
    this.#waiting.push({ rows, kept })
    this.#waitingRows += rows.length
    this.#filled.openUnsafe()
    return Deferred.await(kept)
  }

  /** Who came first, and those after them as far as they fit into one transaction. */
  #takeSome(): ReadonlyArray<Waiting> {
    let count = 0
    let rows = 0
    for (const waiting of this.#waiting) {
      if (count > 0 && rows + waiting.rows.length > mostTogether) break
      rows += waiting.rows.length
      count++
    }
    this.#waitingRows -= rows
    return this.#waiting.splice(0, count)
  }
}
