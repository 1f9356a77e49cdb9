import { Duration, Effect } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"

/**
 * How long to wait for what, in milliseconds; 0 switches one off.
 *
 * `connect` until the connection stands; `firstToken` until the first content of a stream (reasoning counts); `idle`
 * between bytes of the provider (comments and pings are life); `total` for all. Whole answers are bound by `total` alone,
 * unless `wholeFirstByte` is given.
 */
export interface Timeouts {
  readonly connect: number
  readonly firstToken: number
  readonly idle: number
  readonly total: number
  /** until the first byte of an answer that is asked for as a whole; such an answer is usually sent when all is written */
  readonly wholeFirstByte?: number
}

/** What holds where nobody says otherwise: 10 s, 2 min, 60 s, 10 min. */
export const defaultTimeouts: Timeouts = { connect: 10_000, firstToken: 120_000, idle: 60_000, total: 600_000 }

/** The call's own bound on its time, where that is shorter than what it may take anyway. */
export const shortened = (timeouts: Timeouts, total: number | undefined): Timeouts =>
  total === undefined || total === 0 || (timeouts.total > 0 && timeouts.total <= total)
    ? timeouts
    : { ...timeouts, total }

/** What a watchdog looks at: stamps in epoch milliseconds, written by whoever reads the provider. */
export interface Activity {
  readonly startedAt: number
  /** when the whole call began: `total` counts from here */
  readonly calledAt: number
  connected: boolean
  /** the first byte came */
  answered: boolean
  committed: boolean
  lastAt: number
  /** when the answer was complete: only the end of its transport is missing since */
  completedAt?: number | undefined
  /** when the head of a refusal came: only what it says beside its status is missing since */
  refusedAt?: number | undefined
  /** the consumer is slow and holds the provider back: silence is not the provider's */
  readonly held: () => boolean
}

/**
 * How long the end of the transport is awaited after the end of the answer, so that the connection can be used again, in
 * milliseconds.
 */
const linger = 250
/** How long the words of a refusal are awaited after its status, in milliseconds. */
export const refusalPatience = 5000

type Phase = "connect" | "firstToken" | "idle" | "total"

const messages: { readonly [phase in Phase]: string } = {
  connect: "The provider could not be reached in time",
  firstToken: "The provider did not begin to answer in time",
  idle: "The provider stopped sending in the middle of its answer",
  total: "The answer took longer than the call may take"
}

/** The earliest deadline that an attempt has now; `Infinity` where it has none. */
class Deadline {
  phase: Phase = "total"
  at = Infinity

  before(phase: Phase, since: number, after: number): void {
    if (after > 0 && since + after < this.at) {
      this.phase = phase
      this.at = since + after
    }
  }
}

const nextDeadline = (timeouts: Timeouts, activity: Activity, streaming: boolean): Deadline => {
  const { startedAt, lastAt, committed, completedAt, refusedAt } = activity
  const deadline = new Deadline()
  if (completedAt !== undefined) deadline.before("idle", completedAt, linger)
  if (refusedAt !== undefined) deadline.before("idle", refusedAt, refusalPatience)
  deadline.before("total", activity.calledAt, timeouts.total)
  if (!activity.connected) deadline.before("connect", startedAt, timeouts.connect)
  if (streaming && !committed) deadline.before("firstToken", startedAt, timeouts.firstToken)
  if (!streaming && !activity.answered) deadline.before("firstToken", startedAt, timeouts.wholeFirstByte ?? 0)
  if (streaming && committed) deadline.before("idle", lastAt, timeouts.idle)
  return deadline
}

/**
 * The failure of a deadline that has passed at `now`, else when to look again. `now` also counts as the last activity of
 * a provider that is held back.
 */
export const overdue = (timeouts: Timeouts, activity: Activity, streaming: boolean, now: number): LlmError | number => {
  if (activity.held()) activity.lastAt = now
  const { phase, at } = nextDeadline(timeouts, activity, streaming)
  if (now >= at) {
    return failure({ _tag: "Timeout", phase }, `${messages[phase]} (${phase} timeout, ${timeouts[phase]} ms)`)
  }
  // The commit point sets a deadline that is not known yet: an idle timeout from now at the earliest.
  const mayCommit = streaming && !activity.committed && timeouts.idle > 0
  return mayCommit ? Math.min(at, now + timeouts.idle) : at
}

/** Waits for the first deadline that passes, and returns its failure; never returns while none does. */
export const watch = (timeouts: Timeouts, activity: Activity, streaming: boolean): Effect.Effect<LlmError> =>
  Effect.clockWith((clock) => {
    const look: Effect.Effect<LlmError> = Effect.suspend(() => {
      const now = clock.currentTimeMillisUnsafe()
      const found = overdue(timeouts, activity, streaming, now)
      if (typeof found !== "number") return Effect.succeed(found)
      return Effect.flatMap(clock.sleep(Duration.millis(found - now)), () => look)
    })
    return look
  })
