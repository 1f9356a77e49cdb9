import { Clock, Effect } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"

/**
 * How long to wait for what, in milliseconds; 0 switches one off.
 *
 * `connect` until the connection stands; `firstToken` until the first content of a stream (reasoning counts; whole answers
 * are bound by `total` alone); `idle` between bytes of the provider (comments and pings are life); `total` for all.
 */
export interface Timeouts {
  readonly connect: number
  readonly firstToken: number
  readonly idle: number
  readonly total: number
}

export const defaultTimeouts: Timeouts = { connect: 10_000, firstToken: 120_000, idle: 60_000, total: 600_000 }

/** What a watchdog looks at: stamps in epoch milliseconds, written by whoever reads the provider. */
export interface Activity {
  readonly startedAt: number
  /** when the whole call began: `total` counts from here */
  readonly calledAt: number
  connected: boolean
  committed: boolean
  lastAt: number
  /** the consumer is slow and holds the provider back: silence is not the provider's */
  readonly held: () => boolean
}

type Phase = "connect" | "firstToken" | "idle" | "total"

const messages: { readonly [phase in Phase]: string } = {
  connect: "The provider could not be reached in time",
  firstToken: "The provider did not begin to answer in time",
  idle: "The provider stopped sending in the middle of its answer",
  total: "The answer took longer than the call may take"
}

const nextDeadline = (timeouts: Timeouts, activity: Activity, streaming: boolean): { phase: Phase; at: number } => {
  const { startedAt, lastAt } = activity
  const candidates: Array<{ phase: Phase; after: number; since: number }> = [
    { phase: "total", after: timeouts.total, since: activity.calledAt }
  ]
  if (!activity.connected) candidates.push({ phase: "connect", after: timeouts.connect, since: startedAt })
  if (streaming && !activity.committed)
    candidates.push({ phase: "firstToken", after: timeouts.firstToken, since: startedAt })
  if (streaming && activity.committed) candidates.push({ phase: "idle", after: timeouts.idle, since: lastAt })
  let next = { phase: "total" as Phase, at: Infinity }
  for (const { phase, after, since } of candidates) {
    if (after > 0 && since + after < next.at) next = { phase, at: since + after }
  }
  return next
}

/**
 * Watches one attempt: a single sleeping fiber that looks at the last-activity stamp when it wakes, so that nothing is
 * paid per byte. Returns the failure when a deadline has passed; never returns while none does.
 */
export const watch = (timeouts: Timeouts, activity: Activity, streaming: boolean): Effect.Effect<LlmError> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    while (true) {
      const now = clock.currentTimeMillisUnsafe()
      if (activity.held()) activity.lastAt = now
      const { phase, at } = nextDeadline(timeouts, activity, streaming)
      if (now >= at)
        return failure({ _tag: "Timeout", phase }, `${messages[phase]} (${phase} timeout, ${timeouts[phase]} ms)`)
      // The commit point sets a deadline that is not known yet: an idle timeout from now at the earliest.
      const mayCommit = streaming && !activity.committed && timeouts.idle > 0
      const next = mayCommit ? Math.min(at, now + timeouts.idle) : at
      if (next === Infinity) return yield* Effect.never
      yield* Effect.sleep(next - now)
    }
  })
