import { Cause, type Clock, Duration, Effect, Fiber, type Pull, Scope, Stream } from "effect"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import { Grammar } from "../domain/Grammar.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { EventStream, Filter, FilterContext } from "./Filter.ts"
import { filterFailed, garbage, maxFailures, noteFailure, timeoutOf, tooLate } from "./FilterFault.ts"
import { type Ending, isEnding } from "./Verdict.ts"

const isOwnFailure = (error: LlmError | Ending | Cause.Done, name: string): boolean =>
  "reason" in error && error.reason._tag === "FilterFailed" && error.reason.filter === name

type Batches = Pull.Pull<NonEmptyReadonlyArray<LlmEvent>, LlmError | Ending>

/** What remains of an event whose content is left out: the structure of the answer, or nothing. */
const withoutContent = (event: LlmEvent): LlmEvent | undefined => {
  switch (event._tag) {
    case "TextDelta":
    case "ReasoningDelta":
    case "ToolInputDelta":
    case "RefusalDelta":
    case "ToolResult":
    case "Source":
    case "Media":
    case "Opaque":
      return undefined
    case "ReasoningStart": {
      const { redacted: _, ...start } = event
      return start
    }
    case "ToolCall":
      return { ...event, arguments: "", valid: false }
    default:
      return event
  }
}

/**
 * The event side of one filter, held to its policy: whether it throws, keeps events to itself for too long, or lets out
 * what is no answer any more, the stream goes on as the policy says.
 */
export const eventSide = (
  filter: Filter,
  context: FilterContext,
  change: () => (self: EventStream) => EventStream
): ((self: EventStream) => EventStream) => {
  return (self) =>
    Stream.transformPull(self, (pull, scope) =>
      Effect.clockWith((clock) => new Supervised(filter, context, change, pull, scope, clock).begin())
    )
}

class Supervised {
  private readonly filter: Filter
  private readonly context: FilterContext
  private readonly change: () => (self: EventStream) => EventStream
  private readonly upstream: Batches
  private readonly scope: Scope.Scope
  private readonly clock: Clock.Clock
  private readonly timeout: number
  private readonly grammar = new Grammar()
  /** what the filter took and was not seen again */
  private pending: Array<LlmEvent> = []
  /** what the filter is given one by one, so that no more is lost than it failed on */
  private waiting: Array<LlmEvent> = []
  private end: Cause.Cause<LlmError | Ending | Cause.Done> | undefined
  /** whether the filter waits for more, so that what takes its time is not the filter */
  private asks = false
  /** since when it has been asked and asked for nothing itself, epoch milliseconds */
  private busySince: number | undefined
  private failures = 0
  private filtered: Batches = Effect.never

  constructor(
    filter: Filter,
    context: FilterContext,
    change: () => (self: EventStream) => EventStream,
    upstream: Batches,
    scope: Scope.Scope,
    clock: Clock.Clock
  ) {
    this.filter = filter
    this.context = context
    this.change = change
    this.upstream = upstream
    this.scope = scope
    this.clock = clock
    this.timeout = timeoutOf(filter)
  }

  begin(): Effect.Effect<Batches> {
    return Effect.as(this.start, this.next)
  }

  private readonly start: Effect.Effect<void> = Effect.suspend(() => {
    this.asks = false
    const source = Stream.fromPull(Effect.succeed(this.source))
    return Effect.map(
      Scope.provide(
        Effect.suspend(() => Stream.toPull(Stream.suspend(() => this.change()(source)))),
        this.scope
      ),
      (pull) => {
        this.filtered = pull
      }
    )
  })

  /** What the filter reads. */
  private readonly source: Batches = Effect.suspend(() => {
    this.asks = true
    this.busySince = undefined
    const [next, ...others] = this.waiting
    if (next !== undefined) {
      this.waiting = others
      return this.given([next])
    }
    if (this.end !== undefined) return this.ended(this.end)
    return Effect.matchCauseEffect(this.upstream, {
      onSuccess: (batch): Batches => {
        if (this.filter.onFailure === undefined || this.filter.onFailure === "closed") return this.given(batch)
        this.waiting = [...batch]
        return this.source
      },
      onFailure: (cause) => this.ended(cause)
    })
  })

  private given(batch: NonEmptyReadonlyArray<LlmEvent>): Batches {
    // One by one: what is spread has to have room on the stack.
    for (const event of batch) this.pending.push(event)
    this.isBusy()
    return Effect.succeed(batch)
  }

  private ended(cause: Cause.Cause<LlmError | Ending | Cause.Done>): Batches {
    this.end = cause
    this.isBusy()
    return Effect.failCause(cause)
  }

  private isBusy(): void {
    this.asks = false
    this.busySince = this.clock.currentTimeMillisUnsafe()
  }

  private readonly next: Batches = Effect.suspend(() =>
    this.failures >= maxFailures
      ? this.unfiltered
      : Effect.matchCauseEffect(this.timeout === 0 ? this.filtered : this.timed, {
          onSuccess: (batch) => this.take(batch),
          onFailure: (cause) => this.halt(cause)
        })
  )

  /** How the answer itself failed, if it did. */
  private get failure(): LlmError | Ending | undefined {
    if (this.end === undefined) return undefined
    const error = Cause.findErrorOption(this.end)
    return error._tag === "Some" && !Cause.isDone(error.value) ? error.value : undefined
  }

  private take(batch: NonEmptyReadonlyArray<LlmEvent>): Batches {
    for (const event of batch) {
      // No filter can make up for what is missing of an answer.
      if (this.failure !== undefined && event._tag === "Finish") return this.failure
      const fault = this.grammar.fault(event)
      if (fault !== undefined) return this.failed(Cause.die(garbage(fault)))
    }
    this.failures = 0
    const last = batch[batch.length - 1]!
    const at = this.pending.lastIndexOf(last)
    // What was let out was made of what was taken before, if it was not taken itself.
    this.pending = at < 0 ? [] : this.pending.slice(at + 1)
    return Effect.succeed(batch)
  }

  private halt(cause: Cause.Cause<LlmError | Ending | Cause.Done>): Batches {
    const error = Cause.findErrorOption(cause)
    if (error._tag === "Some" && isEnding(error.value)) return Effect.failCause(cause)
    if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
    const done = error._tag === "Some" && Cause.isDone(error.value)
    // It has held itself to its policy.
    if (error._tag === "Some" && isOwnFailure(error.value, this.filter.name)) return Effect.failCause(cause)
    const { failure } = this
    // A failure of the answer is no failure of the filter.
    if (failure !== undefined && (done || (error._tag === "Some" && error.value === failure))) return failure
    if (done && this.grammar.finished) return Effect.failCause(cause)
    return this.failed(done ? Cause.die(garbage("it let the answer end without its end")) : cause)
  }

  private failed(cause: Cause.Cause<unknown>): Batches {
    const { name, onFailure = "closed" } = this.filter
    const noted = noteFailure(this.filter, "answer", this.context, cause)
    if (onFailure === "closed") return Effect.andThen(noted, filterFailed(name))
    this.failures++
    const left = this.pending
    this.pending = []
    const out = this.remainsOf(left)
    const going = this.failures < maxFailures ? Effect.andThen(noted, this.start) : noted
    return Effect.andThen(going, isReadonlyArrayNonEmpty(out) ? Effect.succeed(out) : this.next)
  }

  /** Events that the filter does not touch any more. */
  private remainsOf(events: ReadonlyArray<LlmEvent>): ReadonlyArray<LlmEvent> {
    const open = this.filter.onFailure === "open"
    const out: Array<LlmEvent> = []
    for (const event of events) {
      const left = open ? event : withoutContent(event)
      if (left !== undefined && this.grammar.fault(left) === undefined) out.push(left)
    }
    return out
  }

  private readonly unfiltered: Batches = Effect.suspend(() => {
    const out = this.remainsOf(this.waiting)
    this.waiting = []
    if (isReadonlyArrayNonEmpty(out)) return Effect.succeed(out)
    if (this.end !== undefined) return Effect.failCause(this.end)
    return Effect.flatMap(this.upstream, (batch): Batches => {
      this.waiting = [...batch]
      return this.unfiltered
    })
  })

  /** One pull of the filter, given up when it has been busy for too long. A pull that is over at once costs no timer. */
  private readonly timed: Batches = Effect.suspend(() => {
    // The time that the reader took is not the filter's.
    if (!this.asks) this.isBusy()
    return Effect.flatMap(Effect.forkChild(this.filtered, { startImmediately: true }), (fiber) => {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      return Effect.flatMap(Effect.raceFirst(Fiber.await(fiber), this.tooLong), (exit) => {
        if (exit !== undefined) return exit
        fiber.interruptUnsafe()
        return Effect.die(tooLate(`it kept events to itself for ${this.timeout} ms`))
      })
    })
  })

  /** Returns when the filter has been busy for too long. */
  private readonly tooLong: Effect.Effect<undefined> = Effect.suspend(() => {
    const now = this.clock.currentTimeMillisUnsafe()
    const left = (this.busySince ?? now) + this.timeout - now
    return left <= 0
      ? Effect.succeed(undefined)
      : Effect.flatMap(this.clock.sleep(Duration.millis(left)), () => this.tooLong)
  })
}
