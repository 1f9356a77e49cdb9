import { type Cause, Effect, Exit } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Pull } from "effect/Pull"

const maxSize = 64 * 1024
const maxBatches = 16

/**
 * The seam between who produces batches (a fiber that reads a provider, or the provider's connection) and who consumes
 * them (the caller's stream): bounded, and closable from outside, which is how a timeout or a cancellation ends an
 * attempt that hangs.
 *
 * One producer, one consumer. Full means 16 batches or a size of 64 Ki characters waiting: the producer is suspended, so a
 * slow caller slows the provider down. What was offered before the end is still delivered, then the end.
 */
export class Intake<A, E> {
  private batches: Array<NonEmptyReadonlyArray<A>> = []
  private size = 0
  private exit: Exit.Exit<never, E | Cause.Done> | undefined
  private consumer: ((effect: Effect.Effect<NonEmptyReadonlyArray<A>, E | Cause.Done>) => void) | undefined
  private producer: (() => void) | undefined

  /** Whether the producer has to wait: silence is then the consumer's doing. */
  get full(): boolean {
    return this.size >= maxSize || this.batches.length >= maxBatches
  }

  /** Hands a batch over; suspends while full. After the end it is dropped. */
  offer(batch: NonEmptyReadonlyArray<A>, size: number): Effect.Effect<void> {
    return this.push(batch, size) ? Effect.void : this.room
  }

  /** The same for a producer that is no fiber: false where it should bring no more before `onRoom` tells it. */
  push(batch: NonEmptyReadonlyArray<A>, size: number): boolean {
    if (this.exit !== undefined) return true
    if (this.consumer !== undefined) {
      const resume = this.consumer
      this.consumer = undefined
      resume(Exit.succeed(batch))
      return true
    }
    this.batches.push(batch)
    this.size += size
    return !this.full
  }

  /** Tells the producer, once, that there is room again, or that nothing is wanted any more. */
  onRoom(producer: () => void): void {
    this.producer = producer
  }

  /** Suspends while it is full. */
  readonly room: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (!this.full || this.exit !== undefined) return resume(Effect.void)
    this.onRoom(() => resume(Effect.void))
    return Effect.sync(() => {
      this.producer = undefined
    })
  })

  /** Ends it; the first end counts. */
  end(exit: Exit.Exit<never, E | Cause.Done>): void {
    if (this.exit !== undefined) return
    this.exit = exit
    this.wakeProducer()
    if (this.consumer !== undefined) {
      const resume = this.consumer
      this.consumer = undefined
      resume(exit)
    }
  }

  /** Ends it at once with a failure: what waits is thrown away, an end that nobody has taken yet included. */
  fail(error: E): void {
    this.batches = []
    this.size = 0
    this.exit = undefined
    this.end(Exit.fail(error))
  }

  /** Everything that waits, or the next batch, or the end. */
  readonly take: Pull<NonEmptyReadonlyArray<A>, E> = Effect.callback<NonEmptyReadonlyArray<A>, E | Cause.Done>(
    (resume) => {
      const waiting = this.batches
      if (waiting.length > 0) {
        this.batches = []
        this.size = 0
        this.wakeProducer()
        // A non-empty list of non-empty batches flattens to a non-empty one.
        const all = waiting.length === 1 ? waiting[0]! : (waiting.flat() as unknown as NonEmptyReadonlyArray<A>)
        return resume(Exit.succeed(all))
      }
      if (this.exit !== undefined) return resume(this.exit)
      this.consumer = resume
      return Effect.sync(() => {
        this.consumer = undefined
      })
    }
  )

  private wakeProducer(): void {
    const producer = this.producer
    if (producer === undefined) return
    this.producer = undefined
    producer()
  }
}
