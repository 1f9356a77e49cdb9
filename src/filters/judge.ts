import { Cause, type Clock, Duration, Effect, Exit, Fiber, type Pull, type Scope, Stream } from "effect"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import { endsWell } from "./eventSteps.ts"
import type { FailurePolicy, Filter, FilterContext } from "./Filter.ts"
import { filterFailed, garbage, inTime, maxFailures, noteFailure, timeoutOf } from "./FilterFault.ts"
import type { BlockKind } from "./HoldBack.ts"
import { isVerdict } from "./isVerdict.ts"
import { LateArguments } from "./LateArguments.ts"
import { ScanSteps } from "./ScanSteps.ts"
import { isHalf, Unjudged } from "./Unjudged.ts"
import { Ending, type Verdict } from "./Verdict.ts"

/** A piece of an answer that is held back until there is a verdict about it. */
export interface TextWindow {
  readonly kind: BlockKind
  /** the tool whose arguments it is */
  readonly tool: string | undefined
  readonly choice: number
  readonly text: string
  /** whether the block ends with it */
  readonly end: boolean
}

/**
 * How much is judged at once: every delta by itself (`event`), so many characters or as many as come in so much time
 * (`window`, by default 256 and 100 ms), or the whole of a block (`final`). `overlap` characters of a window that passed
 * are held back and judged with the next one again, so that nothing hides at its edge.
 */
export interface WindowSettings {
  readonly mode: "event" | "window" | "final"
  readonly characters?: number
  readonly wait?: Duration.Input
  readonly overlap?: number
}

/** Judges answers, window by window, one at a time and in order. */
export interface Judge {
  readonly name: string
  readonly windows: WindowSettings
  /** which texts are judged; by default those of every kind but values */
  readonly kinds?: ReadonlyArray<BlockKind>
  readonly judge: (window: TextWindow, request: LlmRequest, context: FilterContext) => Effect.Effect<Verdict, Error>
  readonly onFailure?: FailurePolicy
  /** of each verdict; 2 seconds by default */
  readonly timeout?: Duration.Input
}

type Batches = Pull.Pull<NonEmptyReadonlyArray<LlmEvent>, LlmError | Ending>

/** A filter of answers by verdicts that take their time. What nobody has judged has not left. */
export const judgeAnswers = (judge: Judge): Filter => ({
  name: judge.name,
  // Every verdict has its own time; what comes between them does not wait.
  timeout: 0,
  events: (request, context) => (self) =>
    Stream.transformPull(self, (pull, scope) =>
      Effect.clockWith((clock) => Effect.succeed(new Judging(judge, request, context, pull, scope, clock).next))
    )
})

class Judging {
  private readonly judge: Judge
  private readonly request: LlmRequest
  private readonly context: FilterContext
  private readonly upstream: Batches
  private readonly scope: Scope.Scope
  private readonly clock: Clock.Clock
  private readonly timeout: number
  private readonly size: number
  private readonly wait: number
  private readonly overlap: number
  private readonly kinds: ReadonlyArray<BlockKind>
  private readonly steps: ScanSteps
  private readonly waiting = new Set<Unjudged>()
  private readonly late = new LateArguments()
  private events: Array<LlmEvent> = []
  private out: Array<LlmEvent> = []
  private end: Cause.Cause<LlmError | Ending | Cause.Done> | undefined
  private reading: Fiber.Fiber<NonEmptyReadonlyArray<LlmEvent>, LlmError | Ending | Cause.Done> | undefined
  private failures = 0

  constructor(
    judge: Judge,
    request: LlmRequest,
    context: FilterContext,
    upstream: Batches,
    scope: Scope.Scope,
    clock: Clock.Clock
  ) {
    const { mode, characters = 256, wait = "100 millis", overlap = 0 } = judge.windows
    this.judge = judge
    this.request = request
    this.context = context
    this.upstream = upstream
    this.scope = scope
    this.clock = clock
    this.timeout = timeoutOf(judge)
    this.size = mode === "window" ? characters : mode === "event" ? 1 : Number.POSITIVE_INFINITY
    this.wait = mode === "window" ? Duration.toMillis(Duration.fromInputUnsafe(wait)) : Number.POSITIVE_INFINITY
    this.overlap = mode === "window" ? Math.min(overlap, characters - 1) : 0
    this.kinds = judge.kinds ?? ["text", "reasoning", "toolArguments"]
    this.steps = new ScanSteps((block) =>
      block.kind === "value" || !this.kinds.includes(block.kind) ? undefined : new Unjudged(block, this.wants)
    )
  }

  private readonly wants = (unjudged: Unjudged): void => {
    if (unjudged.whole <= unjudged.judged && !unjudged.ended) return
    if (!this.waiting.has(unjudged)) this.waitFor(unjudged)
  }

  /** Texts take turns, so that none waits for another longer than for its own time. */
  private waitFor(unjudged: Unjudged): void {
    this.waiting.add(unjudged)
    unjudged.dueAt = this.clock.currentTimeMillisUnsafe() + this.wait
  }

  readonly next: Batches = Effect.suspend(() => {
    if (isReadonlyArrayNonEmpty(this.out)) {
      const { out } = this
      this.out = []
      return Effect.succeed(out)
    }
    const ready = this.ready()
    if (ready !== undefined) return this.judgeNext(ready.unjudged, ready.window)
    const event = this.events.shift()
    if (event !== undefined) {
      this.steps.step(event, this.out)
      return this.next
    }
    return this.end === undefined ? this.read : Effect.failCause(this.end)
  })

  /** The window that can be judged now, if there is one: what is full, what has ended, what has waited long enough. */
  private ready(): { readonly unjudged: Unjudged; readonly window: TextWindow } | undefined {
    const now = this.waiting.size === 0 ? 0 : this.clock.currentTimeMillisUnsafe()
    for (const unjudged of this.waiting) {
      const { text, whole, ended, judged, block } = unjudged
      const due = now >= unjudged.dueAt && whole > judged
      if (!ended && !due && (whole < this.size || whole <= judged)) continue
      const cut = this.judge.windows.mode === "event" ? whole : Math.min(whole, this.size)
      const length = isHalf(text, cut) ? cut + 1 : cut
      const end = ended && length >= text.length
      if (length <= judged && !end) continue
      const { kind, tool, choice } = block
      return { unjudged, window: { kind, tool, choice, text: text.slice(0, length), end } }
    }
    return undefined
  }

  private judgeNext(unjudged: Unjudged, window: TextWindow): Batches {
    // The end of a block without anything new in it needs no verdict.
    if (window.text.length <= unjudged.judged) {
      this.decided(unjudged, window, { _tag: "Pass" })
      return this.next
    }
    return Effect.flatMap(this.verdict(window), (verdict) => {
      if (verdict._tag !== "Pass" && verdict._tag !== "Replace") return new Ending({ verdict, by: undefined })
      this.decided(unjudged, window, verdict)
      return this.next
    })
  }

  private decided(
    unjudged: Unjudged,
    { text, end }: TextWindow,
    verdict: Extract<Verdict, { _tag: "Pass" | "Replace" }>
  ): void {
    const { decide } = unjudged
    if (verdict._tag === "Replace") {
      decide?.replace(text.length, verdict.text)
      unjudged.text = unjudged.text.slice(text.length)
      unjudged.judged = 0
    } else {
      const kept = end ? text.length : Math.max(0, text.length - this.overlap)
      const safe = isHalf(text, kept) ? kept + 1 : kept
      if (safe > 0) decide?.keep(safe)
      unjudged.text = unjudged.text.slice(safe)
      unjudged.judged = text.length - safe
    }
    this.waiting.delete(unjudged)
    if (unjudged.whole > unjudged.judged && !end) this.waitFor(unjudged)
    this.steps.drain(this.out)
  }

  /** The verdict about a window, or what the policy says where there is none. */
  private verdict(window: TextWindow): Effect.Effect<Verdict, LlmError> {
    const { name, onFailure = "closed", judge } = this.judge
    const without: Effect.Effect<Verdict, LlmError> =
      onFailure === "closed"
        ? filterFailed(name)
        : Effect.succeed(onFailure === "open" ? { _tag: "Pass" } : { _tag: "Replace", text: "" })
    if (this.failures >= maxFailures) return without
    const asked = Effect.suspend(() => judge(window, this.request, this.context))
    return Effect.matchCauseEffect(inTime(asked, this.timeout, "no verdict"), {
      onSuccess: (verdict) => {
        if (!isVerdict(verdict)) return this.failed(Cause.die(garbage("what it returned is no verdict")), without)
        this.failures = 0
        return Effect.succeed(verdict)
      },
      onFailure: (cause) => (Cause.hasInterruptsOnly(cause) ? Effect.interrupt : this.failed(cause, without))
    })
  }

  private failed(
    cause: Cause.Cause<unknown>,
    without: Effect.Effect<Verdict, LlmError>
  ): Effect.Effect<Verdict, LlmError> {
    this.failures++
    return Effect.andThen(noteFailure(this.judge, "answer", this.context, cause), without)
  }

  /** Reads on; gives up waiting when text has waited for long enough, and comes back to what it was reading. */
  private readonly read: Batches = Effect.suspend(() => {
    const dueAt = Math.min(...Array.from(this.waiting, (unjudged) => unjudged.dueAt))
    if (dueAt === Number.POSITIVE_INFINITY) {
      const { reading } = this
      return this.readExit(reading === undefined ? Effect.exit(this.upstream) : Fiber.await(reading))
    }
    const begun =
      this.reading === undefined
        ? Effect.forkIn(this.upstream, this.scope, { startImmediately: true })
        : Effect.succeed(this.reading)
    return Effect.flatMap(begun, (fiber) => {
      this.reading = fiber
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return this.readExit(Effect.succeed(exit))
      const left = Math.max(0, dueAt - this.clock.currentTimeMillisUnsafe())
      const due = Effect.as(this.clock.sleep(Duration.millis(left)), undefined)
      return Effect.flatMap(Effect.raceFirst(Fiber.await(fiber), due), (exit) =>
        exit === undefined ? this.next : this.readExit(Effect.succeed(exit))
      )
    })
  })

  private readExit(
    exit: Effect.Effect<Exit.Exit<NonEmptyReadonlyArray<LlmEvent>, LlmError | Ending | Cause.Done>>
  ): Batches {
    return Effect.flatMap(exit, (exit) => {
      this.reading = undefined
      if (Exit.isSuccess(exit)) this.events.push(...this.told(exit.value))
      else {
        this.end = exit.cause
        // Of an answer that failed nothing leaves that nobody has judged.
        if (endsWell(exit.cause)) this.steps.halt(this.out)
        else this.waiting.clear()
      }
      return this.next
    })
  }

  private told(events: ReadonlyArray<LlmEvent>): ReadonlyArray<LlmEvent> {
    return this.kinds.includes("toolArguments") ? events.flatMap((event) => this.late.told(event)) : events
  }
}
