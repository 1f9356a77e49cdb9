import { Duration, Effect, Latch, Semaphore, type Tracer } from "effect"
import type { EndedCall } from "../domain/Call.ts"
import type { Job } from "./ConversationReader.ts"
import { countReadings, type Reading, Tally } from "./report-telemetry.ts"

/** A call that waits to be read. */
export interface Waiting {
  readonly ended: EndedCall
  readonly job: Job
  readonly parent: Tracer.AnySpan | undefined
}

/** How many calls are read together. */
const maxBatch = 64

/** The calls that wait to be read, and the fiber that reads them. */
export class ReadingQueue {
  readonly #waiting: Array<Waiting> = []
  #tally = new Tally()
  #isTold = true
  readonly #someoneWaits = Latch.makeUnsafe(false)
  readonly #idle = Latch.makeUnsafe(true)
  /** Somebody waits for what was read: no more is gathered before. */
  readonly #hurry = Latch.makeUnsafe(false)
  /** Whoever closes waits for the batch that is being read. */
  readonly #reading = Semaphore.makeUnsafe(1)
  readonly #capacity: number
  dropped = 0
  failed = 0
  read = 0
  reported = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Has what waits read at once; completes when nothing waits and nothing is being read. */
  readonly settled: Effect.Effect<void> = Effect.suspend(() => {
    if (this.#waiting.length > 0) this.#hurry.openUnsafe()
    return this.#idle.await
  })

  /** Whether there is room for another; where there is not, it counts as dropped. */
  hasRoom(): boolean {
    if (this.#waiting.length < this.#capacity) return true
    this.dropped++
    return false
  }

  /** Takes note of a call that is done. */
  pass(reading: Reading): void {
    this.read++
    this.count(reading)
  }

  /** The metrics hear of it with the others of the same while. */
  count(reading: Reading): void {
    this.#tally.add(reading)
    if (!this.#isTold) return
    this.#isTold = false
    this.#someoneWaits.openUnsafe()
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
        if (!Duration.isZero(gather)) yield* Effect.timeoutOption(this.#hurry.await, gather)
        yield* this.readAll(read)
        this.#hurry.closeUnsafe()
        yield* this.tell()
        // Others may have come since.
        if (this.#waiting.length === 0) this.#idle.openUnsafe()
      })
    )
  }

  /** Tells the metrics what was read. */
  tell(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const tally = this.#tally
      this.#tally = new Tally()
      this.#isTold = true
      return countReadings(tally)
    })
  }

  readAll(read: (batch: ReadonlyArray<Waiting>) => Effect.Effect<void>): Effect.Effect<void> {
    return this.#reading.withPermit(
      Effect.whileLoop({
        while: () => this.#waiting.length > 0,
        body: () => read(this.#waiting.splice(0, maxBatch)),
        step: () => undefined
      })
    )
  }
}
