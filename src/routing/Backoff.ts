import type { Retry } from "./Policy.ts"

const jitter = 100

/**
 * How long to wait before asking again, in milliseconds: twice as long every time, up to the cap. `waits` are those before
 * it in the same call; `random` (0 to 1) spreads calls that failed together.
 */
export const backoff = ({ initialDelay, maxDelay }: Retry, waits: number, random: number): number =>
  Math.min(maxDelay, Math.ceil(initialDelay * 2 ** waits + jitter * random))
