import { Cause, Clock, Effect, Exit, Pull, Scope, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { AttemptRecord, Notice, Origin } from "../domain/Call.ts"
import type { Frame } from "../domain/Frame.ts"
import { failure, LlmError } from "../domain/LlmError.ts"
import { isContent, type Finish } from "../domain/LlmEvent.ts"
import type { Delivery, LlmRequest } from "../domain/LlmRequest.ts"
import { mergeUsage, noUsage, type Usage } from "../domain/Usage.ts"
import { Intake } from "./Intake.ts"
import type { Target } from "./Router.ts"
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
  private finish: Finish | undefined
  usage: Usage = noUsage
  bytes = 0
  frames = 0
  events = 0

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
      this.firstByteAt ??= this.touch()
      this.touch()
      this.bytes += count
    },
    notice
  })

  /** Takes a batch into account; false once the answer is complete: what comes after it does not count. */
  observe(batch: ReadonlyArray<Frame>): number {
    const now = this.touch()
    this.firstByteAt ??= now
    let size = 0
    this.frames += batch.length
    for (const frame of batch) {
      size += frame.raw === undefined ? 64 * frame.events.length : frame.raw.length
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
          default:
            if (this.firstTokenAt === undefined && isContent(event)) {
              this.firstTokenAt = now
              this.activity.committed = true
            }
        }
      }
    }
    return size
  }

  /** The end as the producer saw it: a stream that ends without `Finish` is incomplete, whatever its transport says. */
  ended(exit: Exit.Exit<void, LlmError>): Exit.Exit<never, LlmError | Cause.Done> {
    this.endedAt = this.clock.currentTimeMillisUnsafe()
    // What happens to the connection after the answer is complete is nobody's business.
    if (this.finish !== undefined) return Exit.fail(Cause.Done())
    if (Exit.isSuccess(exit)) {
      this.error =
        this.frames === 0
          ? failure({ _tag: "IncompleteStream", kind: "empty" }, "The provider answered with an empty stream")
          : failure({ _tag: "IncompleteStream", kind: "noStop" }, "The provider's answer broke off before its end")
      return Exit.fail(this.error)
    }
    const error = exit.cause.reasons.find((reason) => Cause.isFailReason(reason))?.error
    this.error = error ?? failure({ _tag: "Internal" }, "The upstream failed in a way it does not describe")
    return Exit.fail(this.error)
  }

  /** Ends the attempt from outside. */
  abort(error: LlmError): void {
    this.error ??= error
    this.endedAt ??= this.clock.currentTimeMillisUnsafe()
    this.intake.fail(error)
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
      usage: this.usage
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

const hasContentOrEnd = (frame: Frame): boolean =>
  frame.events.some((event) => event._tag === "Finish" || isContent(event))

/**
 * Starts the attempt in `scope` and waits for the commit point: the first content, or an answer that is complete without
 * any. A failure before it is the failure of the effect. Closing the scope gives the attempt up and frees what it holds.
 */
export const start = (
  attempt: Attempt,
  request: AttemptRequest,
  scope: Scope.Scope
): Effect.Effect<Committed, LlmError> =>
  Effect.gen(function* () {
    const { intake, target, activity } = attempt
    yield* target.upstream
      .stream({
        request: request.request,
        model: target.model,
        delivery: request.delivery,
        dialect: request.dialect,
        origin: request.origin,
        observer: attempt.observer(request.notice)
      })
      .pipe(
        Stream.runForEachArray((batch) => intake.offer(batch, attempt.observe(batch))),
        Effect.tapCause((cause) =>
          Cause.hasDies(cause) ? Effect.logError(`Upstream ${target.provider} failed unexpectedly`, cause) : Effect.void
        ),
        Effect.onExit((exit) => Effect.sync(() => intake.end(attempt.ended(exit)))),
        Effect.forkIn(scope, { startImmediately: true })
      )
    yield* watch(request.timeouts, activity, request.delivery === "stream").pipe(
      Effect.map((error) => attempt.abort(error)),
      Effect.forkIn(scope, { startImmediately: true })
    )
    return yield* commit(attempt)
  })

const commit = Effect.fnUntraced(function* (attempt: Attempt): Effect.fn.Return<Committed, LlmError> {
  const held: Array<Frame> = []
  while (true) {
    // Before the commit point the stream cannot be done: `ended` turns an early end into a failure.
    const batch = yield* Effect.catchTag(attempt.intake.take, "Done", () =>
      Effect.die("an attempt ended before its commit point")
    )
    held.push(...batch)
    if (batch.some(hasContentOrEnd)) {
      // At least the batch that brought the content is in it.
      return { attempt, held: held as unknown as NonEmptyReadonlyArray<Frame>, rest: attempt.intake.take }
    }
  }
})
