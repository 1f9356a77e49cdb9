import type { Strategy } from "./Balance.ts"

/** How often a call may ask, and how long it waits between two rounds. Times are in milliseconds. */
export interface Retry {
  /** attempts in all, at whatever targets; 1 asks once */
  readonly maxAttempts: number
  /** the first wait; each further one is twice as long */
  readonly initialDelay: number
  /** the longest wait, also where a provider asks for a longer one: its target is then skipped */
  readonly maxDelay: number
}

/** When a target is left alone. Times are in milliseconds. */
export interface Breaker {
  /** failures in a row, of all calls, after which nobody asks the target; 0 never leaves it alone */
  readonly failures: number
  /** for how long at first; twice as long every time it fails its trial */
  readonly openFor: number
  readonly maxOpenFor: number
}

/** What calls that belong together have in common; they stay with one target while they can. */
export type Affinity = "conversation" | "caller"

/** Failures that are answers by themselves, and may be taken to another target nevertheless. */
export type FallbackOn = "content-blocked"

/** How the targets of a model are used. */
export interface Policy {
  readonly strategy: Strategy
  readonly retry: Retry
  readonly breaker: Breaker
  readonly affinity?: Affinity
  readonly fallbackOn?: ReadonlyArray<FallbackOn>
  /** after so many milliseconds without any content a second target is asked as well; the first content is the answer */
  readonly hedgeAfter?: number
}

/** Four attempts, the waits between them from 200 ms to 5 s. */
export const defaultRetry: Retry = { maxAttempts: 4, initialDelay: 200, maxDelay: 5000 }
/** Left alone after 5 failures in a row, for 10 s at first and 30 s at most. */
export const defaultBreaker: Breaker = { failures: 5, openFor: 10_000, maxOpenFor: 30_000 }

/** How the targets of a plan are used that does not say it: in their order. */
export const defaultPolicy: Policy = { strategy: "ordered", retry: defaultRetry, breaker: defaultBreaker }

/** Every target is asked once at most, whatever happened before: a failure is told as it is. */
export const askOnce: Policy = {
  strategy: "ordered",
  retry: { ...defaultRetry, maxAttempts: 1 },
  breaker: { ...defaultBreaker, failures: 0 }
}
