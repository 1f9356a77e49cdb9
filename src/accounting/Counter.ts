import type { LimitState } from "../domain/RateLimit.ts"
import type { Limit } from "./LimitRules.ts"
import type { Window } from "./windows.ts"

/**
 * What one limit has counted in one window: by this process (`used` for good, `held` until calls are settled), and by
 * others, as far as is known.
 */
export class Counter {
  readonly id: string
  readonly window: Window
  used = 0
  held = 0
  others = 0
  /** whether the store has not been told of a change */
  dirty = false

  constructor(id: string, window: Window) {
    this.id = id
    this.window = window
  }

  /** All that counts against the limit. */
  get taken(): number {
    return this.used + this.held + this.others
  }

  fits(amount: number, max: number): boolean {
    return this.taken + amount <= max
  }

  /** Holds an amount, or with a negative one lets go of it. */
  hold(amount: number): void {
    this.held += amount
    this.dirty = true
  }

  /** Puts what was really used in the place of what was held. */
  settle(held: number, used: number): void {
    this.held -= held
    this.used += used
    this.dirty = true
  }
}

/** What a call takes of one limit. */
export interface Want {
  readonly limit: Limit
  readonly counter: Counter
  amount: number
}

/** What is left of a limit, as callers are told. */
export const stateOf = ({ counter, limit }: Want, now: number): LimitState => ({
  measure: limit.measure,
  limit: limit.max,
  remaining: Math.max(0, limit.max - counter.taken),
  ...(Number.isFinite(counter.window.end)
    ? { resetAt: counter.window.end, resetMs: Math.max(0, counter.window.end - now) }
    : {})
})
