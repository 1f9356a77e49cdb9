import type { Retry } from "./Policy.ts"

const jitter = 100

/**
 * How long to wait before asking again, in milliseconds: twice as long every time, up to the cap. `waits` are those before
 * it in the same call; `random` (0 to 1) spreads calls that failed together.
 */
export const backoff = ({ initialDelay, maxDelay }: Retry, waits: number, random: number): number =>
  Math.min(maxDelay, Math.ceil(initialDelay * 2 ** waits + jitter * random))

const spread = 0.1
const maxSpread = 1000

/**
 * How long to wait where a provider said for how long, in milliseconds: never less, and by up to a tenth more, a second at
 * the most, so that all who were told the same moment do not come back in it. `random` is from 0 to 1.
 */
export const afterHint = (hinted: number, random: number): number =>
  Math.ceil(hinted + Math.min(maxSpread, hinted * spread) * random)
