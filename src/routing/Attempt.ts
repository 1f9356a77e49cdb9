import { Cause, type Effect, Exit, type Fiber, type Pull } from "effect"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import type { AttemptRecord, Notice, Origin } from "../domain/Call.ts"
import type { Cost } from "../domain/Cost.ts"
import type { Frame } from "../domain/Frame.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { isContent, type Finish, type LlmEvent } from "../domain/LlmEvent.ts"
import type { Delivery, LlmRequest } from "../domain/LlmRequest.ts"
import { mergeUsage, noUsage, plausibleUsage, type Usage } from "../domain/Usage.ts"
import { describedIn } from "./describedIn.ts"
import { Intake } from "./Intake.ts"
import { nameProvider } from "./nameProvider.ts"
import type { Target } from "./Router.ts"
import { untilFinish } from "./untilFinish.ts"
import { overdue, type Activity, type Timeouts } from "./Timeouts.ts"
import type { AttemptObserver, Feed, FrameSink } from "./Upstream.ts"
import type { Watchdog, Watched } from "./Watchdog.ts"

/** What an attempt is asked to do. `calledAt` is when the call began, epoch milliseconds; `waitedMs` the wait before. */
export interface AttemptRequest {
  readonly request: LlmRequest
  readonly delivery: Delivery
  /** whether nobody has a use for a part of the answer: then its commit point is its end */
  readonly collected?: boolean
  readonly dialect: string | undefined
  readonly origin: Origin | undefined
  readonly timeouts: Timeouts
  readonly calledAt: number
  readonly waitedMs: number
  readonly notice: (notice: Notice) => void
  /**
   * Called when the provider is let go, whichever way the attempt ended, perhaps more than once; after whoever reads it was
   * told the end, so that what a failure says is known when its place is another's. `failure` is the provider's own.
   */
  readonly released?: (failure: LlmError | undefined) => void
}

/**
 * One request to one target, metered: it sees the provider's truth before anything is changed, keeps the stamps and the
 * usage for the record, and is the place from which the attempt can be ended from outside.
 */
export class Attempt implements FrameSink, Activity, Watched {
  readonly target: Target
  readonly startedAt: number
  readonly calledAt: number
  readonly intake = new Intake<Frame, LlmError>()
  private readonly waitedMs: number
  private readonly timeouts: Timeouts
  private readonly streaming: boolean
  readonly watchdog: Watchdog
  seat: Watched["seat"]
  connected = false
  answered = false
  committed = false
  lastAt: number
  completedAt: number | undefined
  refusedAt: number | undefined
  private firstByteAt: number | undefined
  private firstTokenAt: number | undefined
  private endedAt: number | undefined
  private status: number | undefined
  private error: LlmError | undefined
  /** what it was given up for */
  private abandoned: LlmError | undefined
  private interrupted = false
  /** it was ended from outside, whatever for */
  private wasStopped = false
  private readonly released: AttemptRequest["released"]
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
  /** who reads the provider: a fiber, or its connection itself */
  producer: Fiber.Fiber<void, LlmError> | undefined
  feed: Feed | undefined

  constructor(target: Target, request: AttemptRequest, watchdog: Watchdog) {
    this.target = target
    this.watchdog = watchdog
    this.waitedMs = request.waitedMs
    this.timeouts = request.timeouts
    this.streaming = request.delivery === "stream"
    this.startedAt = watchdog.now
    this.lastAt = this.startedAt
    this.calledAt = request.calledAt
    this.released = request.released
  }

  /** whether the answer came to its end */
  get complete(): boolean {
    return this.finish !== undefined
  }

  /** Whether the provider took the request and did not decline: then something was used, whatever became of the answer. */
  get wasTaken(): boolean {
    if (this.frames > 0) return true
    if (!this.connected || (this.status !== undefined && this.status >= 400)) return false
    return this.error === undefined || this.wasStopped
  }

  get wasRateLimited(): boolean {
    return this.error?.reason._tag === "RateLimited"
  }

  get firstByte(): number | undefined {
    return this.firstByteAt
  }

  get firstToken(): number | undefined {
    return this.firstTokenAt
  }

  get isOver(): boolean {
    return this.endedAt !== undefined
  }

  held(): boolean {
    return this.intake.full
  }

  look(now: number): number {
    const found = overdue(this.timeouts, this, this.streaming, now)
    if (typeof found === "number") return found
    this.timedOut(found)
    return Infinity
  }

  private touch(): number {
    const { now } = this.watchdog
    this.lastAt = now
    this.connected = true
    return now
  }

  readonly observer = (notice: AttemptRequest["notice"]): AttemptObserver => ({
    connected: () => {
      this.touch()
    },
    head: (status) => {
      const now = this.touch()
      this.firstByteAt ??= now
      this.answered = true
      this.status = status
      if (status >= 400) this.refused(now)
    },
    bytes: (count) => {
      const now = this.touch()
      this.firstByteAt ??= now
      this.answered = true
      this.bytes += count
    },
    notice
  })

  private refused(now: number): void {
    this.refusedAt = now
    // What it says is due earlier than anything was.
    if (this.endedAt === undefined) this.watchdog.watch(this)
  }

  /** Takes a batch into account and hands it on; false while the consumer is behind, until `feed` is told to go on. */
  accept(batch: NonEmptyReadonlyArray<Frame>): boolean {
    const now = this.touch()
    this.firstByteAt ??= now
    const wasComplete = this.finish !== undefined
    let size = 0
    for (const frame of batch) {
      size += sizeOf(frame)
      this.observe(frame, now)
    }
    const counted = this.finish === undefined ? batch : untilFinish(batch, wasComplete)
    if (!isReadonlyArrayNonEmpty(counted) || this.intake.push(counted, size)) return true
    if (this.feed !== undefined) this.intake.onRoom(this.resumed)
    return false
  }

  /** There is room again. The silence while the consumer held it back is not the provider's. */
  readonly resumed = (): void => {
    this.touch()
    this.feed?.resume()
  }

  private observe(frame: Frame, now: number): void {
    this.frames++
    this.events += frame.events.length
    for (const event of frame.events) {
      switch (event._tag) {
        case "UsageReported":
          this.usage = mergeUsage(this.usage, plausibleUsage(event.usage))
          break
        case "Finish":
          this.usage = mergeUsage(this.usage, plausibleUsage(event.usage))
          this.completed(event, now)
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
    this.committed = true
  }

  private completed(finish: Finish, now: number): void {
    if (this.finish !== undefined) return
    this.finish = finish
    this.completedAt = now
    // The end of the transport is due earlier than anything was.
    if (this.endedAt === undefined) this.watchdog.watch(this)
  }

  /** The provider was read to its end, or the reading was broken off. */
  end(exit: Exit.Exit<void, LlmError>): void {
    this.intake.end(this.ended(exit))
    this.released?.(this.error)
  }

  /** The end as the producer saw it: a stream that ends without `Finish` is incomplete, whatever its transport says. */
  private ended(exit: Exit.Exit<void, LlmError>): Exit.Exit<never, LlmError | Cause.Done> {
    this.over()
    // What happens to the connection after the answer is complete is nobody's business.
    if (this.finish !== undefined) return Exit.fail(Cause.Done())
    const known = this.abandoned ?? this.error
    if (known !== undefined) return Exit.fail(known)
    if (Exit.isSuccess(exit)) {
      const { kind, message } = this.frames === 0 ? nothingCame : brokeOff
      this.error = this.named(failure({ _tag: "IncompleteStream", kind }, message))
      return Exit.fail(this.error)
    }
    const error = this.named(
      describedIn(exit.cause) ?? failure({ _tag: "Internal" }, "The upstream failed in a way it does not describe")
    )
    // An attempt that was given up did not fail.
    if (Cause.hasInterruptsOnly(exit.cause)) this.interrupted = true
    else this.error = error
    return Exit.fail(error)
  }

  /**
   * Gives the attempt up, at once: the provider is let go, and what nobody has taken yet is thrown away. Whoever reads it
   * is told `error`; it is no failure of the provider.
   */
  abort(error: LlmError): void {
    if (this.endedAt === undefined) this.abandoned = error
    this.stop(() => this.intake.fail(error))
  }

  /** Ends the attempt from outside because the provider failed: as `abort`, with a failure that is the provider's. */
  fail(error: LlmError): void {
    if (this.endedAt === undefined) this.error = error
    this.stop(() => this.intake.fail(error))
  }

  /** A deadline has passed. An answer that is complete by then only lacks the end of its transport. */
  timedOut(error: LlmError): void {
    if (this.endedAt === undefined && this.finish === undefined) this.feed?.conclude()
    if (this.endedAt !== undefined) return
    if (this.finish === undefined) this.fail(this.named(error))
    else this.giveUp()
  }

  /** Nobody wants the rest of the answer. */
  giveUp(): void {
    if (this.endedAt === undefined && this.finish === undefined) this.interrupted = true
    this.stop(() => this.intake.end(Exit.fail(Cause.Done())))
  }

  private named(error: LlmError): LlmError {
    return nameProvider(error, this.target.provider)
  }

  private stop(end: () => void): void {
    this.wasStopped ||= this.endedAt === undefined
    this.over()
    // Not left to whoever reads the answer: a caller that takes nothing would hold the provider's connection. Before the
    // end, because that lets a producer go on that waits for room.
    this.producer?.interruptUnsafe()
    this.feed?.stop()
    end()
    this.released?.(this.error)
  }

  private over(): void {
    this.endedAt ??= this.watchdog.now
    this.watchdog.unwatch(this)
  }

  /** The attempt as the call's record keeps it. */
  record(): AttemptRecord {
    const since = (at: number | undefined) => (at === undefined ? undefined : at - this.startedAt)
    const firstByteMs = since(this.firstByteAt)
    const firstTokenMs = since(this.firstTokenAt)
    // A record may be made before the connection of a complete answer has ended.
    const endedMs = since(this.endedAt ?? this.completedAt)
    return {
      provider: this.target.provider,
      model: this.target.model,
      ...(this.target.key === undefined ? {} : { key: this.target.key }),
      startedAt: this.startedAt,
      waitedMs: this.waitedMs,
      ...(firstByteMs === undefined ? {} : { firstByteMs }),
      ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
      ...(endedMs === undefined ? {} : { endedMs }),
      ...(this.status === undefined ? {} : { status: this.status }),
      ...(this.error === undefined ? {} : { failure: { reason: this.error.reason, message: this.error.message } }),
      ...(this.abandoned !== undefined || this.interrupted ? { abandoned: true } : {}),
      usage: this.usage,
      ...(this.cost === undefined ? {} : { cost: this.cost }),
      ...(this.rescue === undefined ? {} : { rescue: this.rescue })
    }
  }
}

const nothingCame = { kind: "empty", message: "The provider answered with an empty stream" } as const
const brokeOff = { kind: "noStop", message: "The provider's answer broke off before its end" } as const

/** An attempt that has content: from here on the caller would notice if it were replaced. */
export interface Committed {
  readonly attempt: Attempt
  /** what came up to the commit point, the first content last */
  readonly held: NonEmptyReadonlyArray<Frame>
  /** what comes after it */
  readonly rest: Pull.Pull<NonEmptyReadonlyArray<Frame>, LlmError>
  /** lets the provider go, where nobody will read the rest */
  readonly giveUp: Effect.Effect<void>
}

/** How much room a frame takes while it waits, in characters. */
export const sizeOf = (frame: Frame): number => (frame.raw === undefined ? 64 * frame.events.length : frame.raw.length)
