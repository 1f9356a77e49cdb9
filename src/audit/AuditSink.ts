import { Context, Effect, Latch, Schedule, Schema } from "effect"
import { type AuditRow, lengthOf } from "./AuditStore.ts"

/** Why a sink could not take records, for the log. */
export class AuditSinkError extends Schema.TaggedError<AuditSinkError>()("AuditSinkError", {
  message: Schema.String
}) {}

/** What is told of a failure: anything with a message, `AuditSinkError` for one. */
type Trouble = { readonly message: string }

/**
 * A further place that gets a copy of every record, once the store has it. `write` is given records in the order in
 * which they were written, and is asked again for the same ones until it succeeds: one that fails, hangs or throws
 * concerns nobody but itself. It may give the number of those that its place will never take, which are counted as missed.
 */
export interface AuditSink {
  /** Names it in logs. */
  readonly name: string
  readonly write: (rows: ReadonlyArray<AuditRow>) => Effect.Effect<number | void, Trouble>
}

/** The sinks of a program. Each layer of a sink adds itself to those that are provided to it. */
export const AuditSinks: Context.Reference<ReadonlyArray<AuditSink>> = Context.Reference("millrace/audit/AuditSinks", {
  defaultValue: (): ReadonlyArray<AuditSink> => []
})

/** So much waits for a sink, in records and in characters of them; what comes then is not copied to it, and counted. */
const capacity = { rows: 10_000, characters: 64 * 1024 * 1024 }
/** So much is handed over at once, or one record that is longer. */
const batch = { rows: 256, characters: 2 * 1024 * 1024 }
const flushTimeout = "5 seconds"
const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")])

/** What waits for one sink. */
export class SinkQueue {
  readonly #sink: AuditSink
  #waiting: Array<AuditRow> = []
  #characters = 0
  readonly #filled = Latch.makeUnsafe(false)
  readonly #idle = Latch.makeUnsafe(true)
  #failing = false
  /** Records that it did not get, or that its place refused. */
  missed = 0

  constructor(sink: AuditSink) {
    this.#sink = sink
  }

  push(rows: ReadonlyArray<AuditRow>): void {
    for (const row of rows) {
      if (this.#waiting.length >= capacity.rows || this.#characters >= capacity.characters) this.missed++
      else {
        this.#waiting.push(row)
        this.#characters += lengthOf(row)
      }
    }
    this.#idle.closeUnsafe()
    // last: whoever waits for it may run at once
    this.#filled.openUnsafe()
  }

  /** Hands over what is pushed, for as long as it runs. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    for (;;) {
      if (this.#waiting.length === 0) {
        this.#idle.openUnsafe()
        this.#filled.closeUnsafe()
        yield* this.#filled.await
      }
      const rows = this.#next()
      this.missed += (yield* this.#write(rows)) ?? 0
      this.#waiting = this.#waiting.slice(rows.length)
      for (const row of rows) this.#characters -= lengthOf(row)
    }
  })

  /** Completes when nothing waits any more, or it takes too long: what waits then is missed. */
  readonly flushed: Effect.Effect<void> = Effect.suspend(() => this.#idle.await).pipe(
    Effect.interruptible,
    Effect.timeoutOption(flushTimeout),
    Effect.andThen(() => this.#leaveRest)
  )

  #next(): ReadonlyArray<AuditRow> {
    let characters = 0
    const end = this.#waiting.findIndex((row, index) => {
      characters += lengthOf(row)
      return index === batch.rows || (index > 0 && characters > batch.characters)
    })
    // a copy: more comes while these are written
    return this.#waiting.slice(0, end < 0 ? undefined : end)
  }

  #write(rows: ReadonlyArray<AuditRow>): Effect.Effect<number | void> {
    return Effect.suspend(() => this.#sink.write(rows)).pipe(
      Effect.catchDefect((defect): Effect.Effect<never, Trouble> =>
        Effect.fail(new AuditSinkError({ message: String(defect) }))
      ),
      Effect.tapError((error) => this.#report(error)),
      Effect.retry(backoff),
      Effect.tap(() => this.#recover),
      // without an end to its retries it cannot fail
      Effect.orDie
    )
  }

  #report({ message }: Trouble): Effect.Effect<void> {
    if (this.#failing) return Effect.void
    this.#failing = true
    return Effect.logWarning(`The audit sink ${this.#sink.name} does not work and is tried again`, { message })
  }

  get #leaveRest(): Effect.Effect<void> {
    const left = this.#waiting.length
    if (left === 0) return Effect.void
    this.missed += left
    return Effect.logWarning(`The audit sink ${this.#sink.name} has not got all records at the end`, { left })
  }

  get #recover(): Effect.Effect<void> {
    if (!this.#failing) return Effect.void
    this.#failing = false
    const { missed } = this
    return Effect.logInfo(`The audit sink ${this.#sink.name} works again`, { missed })
  }
}
