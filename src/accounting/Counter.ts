import type { LimitState } from "../domain/RateLimit.ts"
import type { Limit } from "./LimitRules.ts"
import { windowAt, type Window } from "./windows.ts"

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
  /** when `others` was looked up, in epoch milliseconds */
  lookedAt = Number.NEGATIVE_INFINITY
  /** in which of this process's claims of the counts `others` was looked up: within one nobody else can change it */
  knownIn = 0
  /** what the store was last told that this process has used */
  told = 0
  /** those that the store has not been told of, this one among them where that is so */
  readonly #untold: Set<Counter>

  constructor(id: string, window: Window, untold: Set<Counter>) {
    this.id = id
    this.window = window
    this.#untold = untold
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
    this.#untold.add(this)
  }

  /** Puts what was really used in the place of what was held. */
  settle(held: number, used: number): void {
    this.held -= held
    this.used += used
    this.#untold.add(this)
  }
}

/** So long after the end of a window somebody may still count in it, whose clock is slow. */
const lateMillis = 120_000

/** The counters that this process has to do with. */
export class Counters {
  readonly #counters = new Map<string, Counter>()
  /** the counters of limits in the windows that they were asked for last: mostly those that are asked for next */
  readonly #latest = new WeakMap<Limit, Counter>()
  /** those that the store has not been told of */
  readonly untold = new Set<Counter>()

  /** The counter of a limit in the window of a moment. */
  of(limit: Limit, now: number): Counter {
    const latest = this.#latest.get(limit)
    if (latest !== undefined && now >= latest.window.start && now < latest.window.end) return latest
    const counter = this.#find(limit, now)
    this.#latest.set(limit, counter)
    return counter
  }

  #find({ id, period }: Limit, now: number): Counter {
    const window = windowAt(period, now)
    const key = `${id}@${window.start}`
    let counter = this.#counters.get(key)
    if (counter === undefined) {
      counter = new Counter(id, window, this.untold)
      this.#counters.set(key, counter)
    }
    return counter
  }

  get all(): ReadonlyArray<Counter> {
    return [...this.#counters.values()]
  }

  /** Forgets windows that are over, and of which there is nothing to tell, or nobody any more who would want to know. */
  prune(now: number): void {
    for (const [key, counter] of this.#counters) {
      const { held, window } = counter
      if (window.end >= now || held !== 0) continue
      if (this.untold.has(counter) && window.end >= now - lateMillis) continue
      this.untold.delete(counter)
      this.#counters.delete(key)
    }
    // A write that was under way when they were forgotten has failed with them.
    for (const counter of this.untold) {
      if (counter.held === 0 && counter.window.end < now - lateMillis) this.untold.delete(counter)
    }
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
