import { Effect, Scope } from "effect"
import type { Drain } from "../routing/Router.ts"
import type { Watchdog, Watched } from "../routing/Watchdog.ts"
import type { CallState } from "./CallState.ts"

/** An answer that is read on though its caller left: from when it begins until its time is up, or it is over. */
class Draining implements Watched {
  private readonly state: CallState
  private readonly bounds: Drain
  private readonly watchdog: Watchdog
  private until = Infinity
  private closed = false
  seat: Watched["seat"]

  constructor(state: CallState, bounds: Drain, watchdog: Watchdog) {
    this.state = state
    this.bounds = bounds
    this.watchdog = watchdog
  }

  readonly begin = (): boolean => {
    if (this.closed || !this.state.leave(this.bounds.maxTokens)) return false
    this.until = this.watchdog.now + this.bounds.maxTime
    this.watchdog.watch(this)
    return true
  }

  look(now: number): number {
    if (now < this.until) return this.until
    this.state.cancel("client")
    return Infinity
  }

  close(): void {
    this.closed = true
    this.watchdog.unwatch(this)
  }
}

/** What is told that a call's caller left, for a call that is then read on within these bounds. */
export const drained = (
  state: CallState,
  bounds: Drain,
  watchdog: Watchdog,
  scope: Scope.Scope
): Effect.Effect<() => boolean> => {
  const draining = new Draining(state, bounds, watchdog)
  return Effect.as(
    Scope.addFinalizer(
      scope,
      Effect.sync(() => draining.close())
    ),
    draining.begin
  )
}
