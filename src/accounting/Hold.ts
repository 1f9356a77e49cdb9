import type { FinalRecord } from "../domain/Call.ts"
import type { LimitState } from "../domain/RateLimit.ts"
import type { Reservation } from "./Admission.ts"
import { actual } from "./amounts.ts"
import { stateOf, type Want } from "./Counter.ts"
import type { Measure } from "./Limits.ts"

/** Text of an answer is counted on ahead in steps, in tokens and in UTF-16 code units. */
const stepTokens = 256
const lengthOfToken = 4

/** What makes up the price of going on: the measures that grow with an answer. */
const growing: ReadonlyArray<Measure> = ["tokens", "outputTokens", "cost"]

/** What a hold tells about. */
export interface HoldSettings {
  readonly wants: ReadonlyArray<Want>
  /** the output that is held, in tokens */
  readonly outputTokens: number
  /** what so many tokens of output cost, in millionths of a dollar */
  readonly costOf: (outputTokens: number) => number
  readonly changed: () => void
  readonly settled: (record: FinalRecord | undefined) => void
}

/** What one call holds of its limits until it is settled. */
export class Hold implements Reservation {
  readonly #settings: HoldSettings
  readonly #growing: ReadonlyArray<Want>
  /** up to this length the answer is covered by what is held */
  #coveredLength: number
  #isSettled = false

  constructor(settings: HoldSettings) {
    this.#settings = settings
    this.#growing = settings.wants.filter(({ limit }) => growing.includes(limit.measure))
    this.#coveredLength = this.#growing.length === 0 ? Infinity : settings.outputTokens * lengthOfToken
  }

  readonly settle = (record: FinalRecord | undefined): void => {
    if (this.#isSettled) return
    this.#isSettled = true
    const used = actual(record)
    for (const { amount, counter, limit } of this.#settings.wants) counter.settle(amount, used[limit.measure])
    this.#settings.settled(record)
    this.#settings.changed()
  }

  states(now: number): ReadonlyArray<LimitState> {
    return this.#settings.wants.map((want) => stateOf(want, now))
  }

  readonly exceeds = (outputLength: number): "tokens" | "cost" | undefined => {
    while (outputLength > this.#coveredLength && !this.#isSettled) {
      const further = this.#growing.map((want) => ({
        want,
        amount: want.limit.measure === "cost" ? this.#settings.costOf(stepTokens) : stepTokens
      }))
      const stop = further.find(
        ({ amount, want: { counter, limit } }) => limit.stopsStreams && !counter.fits(amount, limit.max)
      )
      if (stop !== undefined) return stop.want.limit.measure === "cost" ? "cost" : "tokens"
      for (const { amount, want } of further) {
        want.counter.hold(amount)
        want.amount += amount
      }
      this.#coveredLength += stepTokens * lengthOfToken
      this.#settings.changed()
    }
    return undefined
  }
}
