import { Cause, Channel, type Clock, Effect, Exit, type Fiber, Pull, Scope, Stream } from "effect"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import type { AttemptRecord, Notice, Origin } from "../domain/Call.ts"
import type { Cost } from "../domain/Cost.ts"
import type { Frame } from "../domain/Frame.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { isContent, type Finish, type LlmEvent } from "../domain/LlmEvent.ts"
import type { Delivery, LlmRequest } from "../domain/LlmRequest.ts"
import { mergeUsage, noUsage, type Usage } from "../domain/Usage.ts"
import { Intake } from "./Intake.ts"
import type { Target } from "./Router.ts"
import { untilFinish } from "./untilFinish.ts"
import { watch, type Activity, type Timeouts } from "./Timeouts.ts"

/** What an attempt is asked to do. `calledAt` is when the call began, epoch milliseconds; `waitedMs` the wait before. */
export interface AttemptRequest {
  readonly request: LlmRequest
  readonly delivery: Delivery
  readonly dialect: string | undefined
  readonly origin: Origin | undefined
  readonly timeouts: Timeouts
  readonly calledAt: number
  readonly waitedMs: number
  readonly notice: (notice: Notice) => void
}

/**
 * One request to one target, metered: it sees the provider's truth before anything is changed, keeps the stamps and the
 * usage for the record, and is the place from which the attempt can be ended from outside.
 */
export class Attempt {
  readonly target: Target
  readonly startedAt: number
  readonly intake = new Intake<Frame, LlmError>()
  readonly activity: Activity
  private readonly waitedMs: number
  private readonly clock: Clock.Clock
  private firstByteAt: number | undefined
  private firstTokenAt: number | undefined
  private endedAt: number | undefined
  private status: number | undefined
  private error: LlmError | undefined
  private givenUp = false
  private finish: Finish | undefined
  /** as the provider stated it; what it did not state is estimated when the call ends */
  usage: Usage = noUsage
  cost: Cost | undefined
  /** the model as the provider names it in its answer */
  servedModel: string | undefined
  /** how much was generated, in UTF-16 code units of text, reasoning and tool arguments */
  outputLength = 0
  /** what it goes on with, where another attempt broke off in the middle of its answer */
  rescue: AttemptRecord["rescue"]
  bytes = 0
  frames = 0
  events = 0
  /** the fiber that reads the provider */
  producer: Fiber.Fiber<void, LlmError> | undefined

  constructor(target: Target, request: AttemptRequest, clock: Clock.Clock) {
    this.target = target
    this.clock = clock
    this.waitedMs = request.waitedMs
    this.startedAt = clock.currentTimeMillisUnsafe()
    this.activity = {
      startedAt: this.startedAt,
      calledAt: request.calledAt,
      connected: false,
      committed: false,
      lastAt: this.startedAt,
      held: () => this.intake.full
    }
  }

  /** whether the answer came to its end */
  get complete(): boolean {
    return this.finish !== undefined
  }

  /** Whether the provider took the request and did not decline: then something was used, whatever became of the answer. */
  get wasTaken(): boolean {
    if (this.frames > 0) return true
    if (!this.activity.connected || (this.status !== undefined && this.status >= 400)) return false
    return this.error === undefined || this.givenUp
  }

  get firstByte(): number | undefined {
    return this.firstByteAt
  }

  get firstToken(): number | undefined {
    return this.firstTokenAt
  }

  private touch(): number {
    const now = this.clock.currentTimeMillisUnsafe()
    this.activity.lastAt = now
    this.activity.connected = true
    return now
  }

  readonly observer = (notice: AttemptRequest["notice"]) => ({
    connected: () => {
      this.touch()
    },
    head: (status: number) => {
      this.firstByteAt ??= this.touch()
      this.status = status
    },
    bytes: (count: number) => {
      const now = this.touch()
      this.firstByteAt ??= now
      this.bytes += count
    },
    notice
  })

  /** Takes a batch into account and hands it on; suspends while the consumer is behind. */
  accept(batch: NonEmptyReadonlyArray<Frame>): Effect.Effect<void> {
    const now = this.touch()
    this.firstByteAt ??= now
    const wasComplete = this.finish !== undefined
    let size = 0
    for (const frame of batch) {
      size += sizeOf(frame)
      this.observe(frame, now)
    }
    const counted = this.finish === undefined ? batch : untilFinish(batch, wasComplete)
    if (!isReadonlyArrayNonEmpty(counted)) return Effect.void
    const offered = this.intake.offer(counted, size)
    // The silence while the consumer held it back is not the provider's.
    return this.intake.full ? Effect.andThen(offered, this.resumed) : offered
  }

  private readonly resumed = Effect.sync(() => {
    this.touch()
  })

  private observe(frame: Frame, now: number): void {
    this.frames++
    this.events += frame.events.length
    for (const event of frame.events) {
      switch (event._tag) {
        case "UsageReported":
          this.usage = mergeUsage(this.usage, event.usage)
          break
        case "Finish":
          this.usage = mergeUsage(this.usage, event.usage)
          this.finish ??= event
          break
        case "Started":
          this.servedModel = event.model
          break
        case "TextDelta":
        case "ReasoningDelta":
        case "ToolInputDelta":
          this.outputLength += event.text.length
          this.noteContent(event, now)
          break
        default:
          this.noteContent(event, now)
      }
    }
  }

  private noteContent(event: LlmEvent, now: number): void {
    if (this.firstTokenAt !== undefined || this.finish !== undefined || !isContent(event)) return
    this.firstTokenAt = now
    this.activity.committed = true
  }

  /** The end as the producer saw it: a stream that ends without `Finish` is incomplete, whatever its transport says. */
  ended(exit: Exit.Exit<void, LlmError>): Exit.Exit<never, LlmError | Cause.Done> {
    this.endedAt ??= this.clock.currentTimeMillisUnsafe()
    // What happens to the connection after the answer is complete is nobody's business.
    if (this.finish !== undefined) return Exit.fail(Cause.Done())
    if (this.error !== undefined) return Exit.fail(this.error)
    if (Exit.isSuccess(exit)) {
      this.error =
        this.frames === 0
          ? failure({ _tag: "IncompleteStream", kind: "empty" }, "The provider answered with an empty stream")
          : failure({ _tag: "IncompleteStream", kind: "noStop" }, "The provider's answer broke off before its end")
      return Exit.fail(this.error)
    }
    const error =
      exit.cause.reasons.find((reason) => Cause.isFailReason(reason))?.error ??
      failure({ _tag: "Internal" }, "The upstream failed in a way it does not describe")
    // An attempt that was given up did not fail.
    if (!Cause.hasInterruptsOnly(exit.cause)) this.error = error
    return Exit.fail(error)
  }

  /** Ends the attempt from outside, at once: the provider is let go, and what nobody has taken yet is thrown away. */
  abort(error: LlmError): void {
    if (this.endedAt === undefined) {
      this.error = error
      this.givenUp = true
    }
    this.stop(() => this.intake.fail(error))
  }

  /** A deadline has passed. An answer that is complete by then only lacks the end of its transport. */
  timedOut(error: LlmError): void {
    if (this.endedAt !== undefined) return
    if (this.finish === undefined) this.abort(error)
    else this.giveUp()
  }

  /** Nobody wants the rest of the answer. */
  giveUp(): void {
    this.stop(() => this.intake.end(Exit.fail(Cause.Done())))
  }

  private stop(end: () => void): void {
    this.endedAt ??= this.clock.currentTimeMillisUnsafe()
    // Not left to whoever reads the answer: a caller that takes nothing would hold the provider's connection. Before the
    // end, because that lets a producer go on that waits for room.
    this.producer?.interruptUnsafe()
    end()
  }

  /** The attempt as the call's record keeps it. */
  record(): AttemptRecord {
    const since = (at: number | undefined) => (at === undefined ? undefined : at - this.startedAt)
    const firstByteMs = since(this.firstByteAt)
    const firstTokenMs = since(this.firstTokenAt)
    const endedMs = since(this.endedAt)
    return {
      provider: this.target.provider,
      model: this.target.model,
      startedAt: this.startedAt,
      waitedMs: this.waitedMs,
      ...(firstByteMs === undefined ? {} : { firstByteMs }),
      ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
      ...(endedMs === undefined ? {} : { endedMs }),
      ...(this.status === undefined ? {} : { status: this.status }),
      ...(this.error === undefined ? {} : { failure: { reason: this.error.reason, message: this.error.message } }),
      usage: this.usage,
      ...(this.cost === undefined ? {} : { cost: this.cost }),
      ...(this.rescue === undefined ? {} : { rescue: this.rescue })
    }
  }
}

/** An attempt that has content: from here on the caller would notice if it were replaced. */
export interface Committed {
  readonly attempt: Attempt
  /** what came up to the commit point, the first content last */
  readonly held: NonEmptyReadonlyArray<Frame>
  /** what comes after it */
  readonly rest: Pull.Pull<NonEmptyReadonlyArray<Frame>, LlmError>
}

const sizeOf = (frame: Frame): number => (frame.raw === undefined ? 64 * frame.events.length : frame.raw.length)

const hasContentOrEnd = (frame: Frame): boolean =>
  frame.events.some((event) => event._tag === "Finish" || isContent(event))

/** How much may come before the first content, in characters: what is held back until then has to be bounded. */
const maxHeld = 16 * 1024 * 1024

/**
 * Starts the attempt in `scope` and waits for the commit point: the first content, or an answer that is complete without
 * any. A failure before it is the failure of the effect. Closing the scope gives the attempt up and frees what it holds.
 */
export const start = Effect.fnUntraced(function* (
  attempt: Attempt,
  request: AttemptRequest,
  scope: Scope.Scope
): Effect.fn.Return<Committed, LlmError> {
  const { target, activity } = attempt
  const streamScope = Scope.makeUnsafe()
  const stream = target.upstream.stream({
    request: request.request,
    model: target.model,
    delivery: request.delivery,
    dialect: request.dialect,
    origin: request.origin,
    observer: attempt.observer(request.notice)
  })
  const producer = yield* Channel.toPullScoped(Stream.toChannel(stream), streamScope).pipe(
    Effect.flatMap((pull) => acceptAll(attempt, pull)),
    Effect.onExit((exit) => Effect.andThen(Scope.close(streamScope, exit), () => logDefects(target.provider, exit))),
    Effect.forkIn(scope, { startImmediately: true })
  )
  attempt.producer = producer
  // Not in the fiber's own last step: who reads the end often ends the call at once, and would have to interrupt a fiber
  // that is about to exit, and to wait for it.
  producer.addObserver((exit) => attempt.intake.end(attempt.ended(exit)))
  yield* watch(request.timeouts, activity, request.delivery === "stream").pipe(
    Effect.map((error) => attempt.timedOut(error)),
    Effect.forkIn(scope, { startImmediately: true })
  )
  return yield* commit(attempt)
})

/** Reads the provider to its end. */
const acceptAll = (
  attempt: Attempt,
  pull: Pull.Pull<NonEmptyReadonlyArray<Frame>, LlmError>
): Effect.Effect<void, LlmError> => {
  const next: Pull.Pull<void, LlmError> = Effect.flatMap(pull, (batch) =>
    Effect.flatMap(attempt.accept(batch), () => next)
  )
  return Pull.catchDone(next, () => Effect.void)
}

const logDefects = (provider: string, exit: Exit.Exit<void, LlmError>): Effect.Effect<void> =>
  Exit.isFailure(exit) && Cause.hasDies(exit.cause)
    ? Effect.logError(`Upstream ${provider} failed unexpectedly`, exit.cause)
    : Effect.void

const commit = (attempt: Attempt): Effect.Effect<Committed, LlmError> => {
  const { take } = attempt.intake
  const held: Array<Frame> = []
  let size = 0
  const next: Pull.Pull<Committed, LlmError> = Effect.flatMap(take, (batch) => {
    for (const frame of batch) {
      held.push(frame)
      size += sizeOf(frame)
    }
    if (batch.some(hasContentOrEnd) && isReadonlyArrayNonEmpty(held)) {
      return Effect.succeed({ attempt, held, rest: take })
    }
    if (size <= maxHeld) return next
    const error = failure({ _tag: "InvalidOutput", kind: "tooMuch" }, "The provider sent too much before its answer")
    attempt.abort(error)
    return error
  })
  // Before the commit point the stream cannot be done: `ended` turns an early end into a failure.
  return Pull.catchDone(next, () => Effect.die("an attempt ended before its commit point"))
}
