import { Cause, Effect, Latch, Schedule } from "effect"
import { Line, type Place } from "../domain/Line.ts"
import { StorageError } from "../storage/Database.ts"
import { Outage } from "../storage/Outage.ts"
import { type AuditRow, type AuditStore, lengthOf } from "./AuditStore.ts"

/**
 * A row on its way to the store. `settle` is called once: when it is durable, or with why the store will not have it.
 * Until then `row` may be replaced: the next attempt to write it writes what it is then.
 */
export interface Pending {
  row: AuditRow
  readonly settle: (refusal: StorageError | undefined) => void
  /** Where it waits. */
  place?: Place<Pending>
  /** In characters, when it began to wait. */
  length?: number
}

const backoff = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("1 second")])

/** This process was silent for so long that others took it for dead. */
const reportLate = (late: ReadonlyArray<AuditRow>) =>
  Effect.logWarning("Another process has ended calls of this one as interrupted, while it stood still", {
    calls: late.length
  })

/** How long a row for which nobody waits may wait for others to share a transaction with. */
const linger = "10 millis"

/** Whether the store failed, rather than refused what was written: then the same rows are tried until it is back. */
const isOutage = ({ kind }: StorageError) => kind !== "constraint" && kind !== "other"

const overtaken = new StorageError({
  operation: "batch",
  kind: "constraint",
  message: "another process has ended the call"
})

const defect = (cause: Cause.Cause<unknown>) =>
  new StorageError({ operation: "batch", kind: "other", message: Cause.pretty(cause) })

/**
 * Writes rows in the order in which they come, many in one transaction: one batch is under way, and what comes
 * meanwhile is the next. What somebody waits for waits for no timer, and nothing that was pushed is given up: while the
 * store is out of order the batch is tried again, and a row that it refuses does not keep others from being written.
 */
export class GroupCommit {
  readonly #commit: AuditStore["Service"]["commit"]
  readonly #maxBatch: number
  readonly #queue = new Line<Pending>()
  readonly #committed: ((rows: ReadonlyArray<AuditRow>) => void) | undefined
  readonly #filled = Latch.makeUnsafe(false)
  /** Open when somebody waits for a row in the queue. */
  readonly #hurry = Latch.makeUnsafe(false)
  readonly #idle = Latch.makeUnsafe(false)
  readonly #resting = Latch.makeUnsafe(true)
  #characters = 0
  #underWay = 0
  readonly #outage = new Outage({
    begun: "The audit store does not work; records are kept in memory meanwhile",
    over: "The audit store works again"
  })

  /** `committed` is told of every batch that is durable. */
  constructor(
    commit: AuditStore["Service"]["commit"],
    maxBatch: number,
    committed?: (rows: ReadonlyArray<AuditRow>) => void
  ) {
    this.#commit = commit
    this.#maxBatch = maxBatch
    this.#committed = committed
  }

  /** Rows that wait; those under way are not among them. */
  get waiting(): number {
    return this.#queue.size
  }

  /** How many characters these have. */
  get waitingCharacters(): number {
    return this.#characters
  }

  /** Hands over a row for which somebody waits; it is written by `run` at once. */
  push(pending: Pending): void {
    this.#hurry.openUnsafe()
    this.pushBehind(pending)
  }

  /** Hands over a row for which nobody waits: it goes along with the next one that is waited for, or soon by itself. */
  pushBehind(pending: Pending): void {
    pending.place = this.#queue.add(pending)
    this.#characters += pending.length = lengthOf(pending.row)
    this.#filled.openUnsafe()
  }

  /** Takes a row back, if it is not yet under way: then it will neither be written nor settled. */
  remove(pending: Pending): boolean {
    if (pending.place === undefined || !this.#queue.remove(pending.place)) return false
    this.#characters -= pending.length ?? 0
    return true
  }

  /** Writes what is pushed, for as long as it runs. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    for (;;) {
      if (this.#queue.size === 0) {
        this.#idle.openUnsafe()
        yield* this.#filled.await
      }
      if (!this.#hurry.isOpen()) yield* Effect.timeoutOption(this.#hurry.await, linger)
      // one turn, in which everything that runs now joins the batch
      yield* Effect.yieldNow
      const batch = this.#take()
      this.#underWay = batch.length
      if (batch.length > 0) yield* this.#write(batch)
      this.#underWay = 0
    }
  })

  /** Completes when nothing waits and nothing is under way. */
  readonly flushed: Effect.Effect<void> = Effect.suspend(() => {
    if (this.#queue.size + this.#underWay === 0) return Effect.void
    this.#hurry.openUnsafe()
    this.#idle.closeUnsafe()
    return this.#idle.await
  })

  /** Completes when the store is not being asked to write anything: what waits may be replaced before it is again. */
  readonly atRest: Effect.Effect<void> = Effect.suspend(() => this.#resting.await)

  #take(): ReadonlyArray<Pending> {
    const batch = this.#queue.take(this.#maxBatch)
    for (const { length = 0 } of batch) this.#characters -= length
    if (this.#queue.size === 0) {
      this.#filled.closeUnsafe()
      this.#hurry.closeUnsafe()
    }
    return batch
  }

  #write(batch: ReadonlyArray<Pending>): Effect.Effect<void> {
    let rows: ReadonlyArray<AuditRow> = []
    return Effect.suspend(() => {
      rows = batch.map((pending) => pending.row)
      this.#resting.closeUnsafe()
      return this.#commit(rows)
    }).pipe(
      // a defect must not end the one fiber that writes
      Effect.catchDefect((error) => Effect.fail(defect(Cause.die(error)))),
      Effect.tapError((error) => {
        this.#resting.openUnsafe()
        return isOutage(error) ? this.#outage.failed(error) : Effect.void
      }),
      Effect.retry({ schedule: backoff, while: isOutage }),
      Effect.matchEffect({
        onSuccess: (late) => {
          batch.forEach((pending, index) => pending.settle(late.includes(rows[index]!) ? overtaken : undefined))
          this.#resting.openUnsafe()
          this.#committed?.(late.length === 0 ? rows : rows.filter((row) => !late.includes(row)))
          const { ended } = this.#outage
          return late.length === 0 ? ended : Effect.andThen(ended, reportLate(late))
        },
        onFailure: (error) => this.#writeSingly(batch, error)
      })
    )
  }

  #writeSingly(batch: ReadonlyArray<Pending>, error: StorageError): Effect.Effect<void> {
    const [only, another] = batch
    if (only === undefined || another !== undefined) {
      return Effect.forEach(batch, (pending) => this.#write([pending]), { discard: true })
    }
    return Effect.andThen(
      Effect.logError("The audit store refuses a record", { call: only.row.id, record: only.row._tag, error }),
      Effect.sync(() => only.settle(error))
    )
  }
}
