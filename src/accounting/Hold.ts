import type { FinalRecord } from "../domain/Call.ts"
import type { LimitState } from "../domain/RateLimit.ts"
import type { Candidate, Reservation } from "./Admission.ts"
import { actual, dearest } from "./amounts.ts"
import { stateOf, type Want } from "./Counter.ts"
import type { Gate } from "./Gate.ts"
import type { Ledger } from "./Ledger.ts"
import type { Measure } from "./Limits.ts"
import type { PriceBook } from "./PriceBook.ts"

/** Text of an answer is counted on ahead in steps, in tokens and in UTF-16 code units. */
const stepTokens = 256
const lengthOfToken = 4

/** What makes up the price of going on: the measures that grow with an answer. */
const growing: ReadonlyArray<Measure> = ["tokens", "outputTokens", "cost"]
const grows = ({ limit }: Want): boolean => growing.includes(limit.measure)

/** Who is told what became of a call, and what it costs. */
export interface Books {
  readonly gate: Gate
  readonly ledger: Ledger["Service"]
  readonly prices: PriceBook
}

// Methods, not functions that are made for each call: V8 takes those for old, and with them all that a call holds.

/** A call without limits: only the ledger hears of it. */
export class FreeOfLimits implements Reservation {
  readonly #candidate: Candidate
  readonly #ledger: Ledger["Service"]
  #isSettled = false

  constructor(candidate: Candidate, ledger: Ledger["Service"]) {
    this.#candidate = candidate
    this.#ledger = ledger
  }

  settle(record: FinalRecord | undefined): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#ledger.add(this.#candidate, record)
  }
}

/** What one call holds of its limits until it is settled. */
export class Hold implements Reservation {
  readonly #candidate: Candidate
  readonly #wants: ReadonlyArray<Want>
  readonly #books: Books
  /** up to this length the answer is covered by what is held */
  #coveredLength: number
  #isSettled = false

  constructor(candidate: Candidate, wants: ReadonlyArray<Want>, outputTokens: number, books: Books) {
    this.#candidate = candidate
    this.#wants = wants
    this.#books = books
    this.#coveredLength = wants.some(grows) ? outputTokens * lengthOfToken : Infinity
  }

  settle(record: FinalRecord | undefined): void {
    if (this.#isSettled) return
    this.#isSettled = true
    const used = actual(record)
    for (const { amount, counter, limit } of this.#wants) counter.settle(amount, used[limit.measure])
    this.#books.ledger.add(this.#candidate, record)
    this.#books.gate.changed()
  }

  states(now: number): ReadonlyArray<LimitState> {
    return this.#wants.map((want) => stateOf(want, now))
  }

  exceeds(outputLength: number): "tokens" | "cost" | undefined {
    while (outputLength > this.#coveredLength && !this.#isSettled) {
      const further = this.#wants.filter(grows).map((want) => ({
        want,
        amount: want.limit.measure === "cost" ? dearest(this.#candidate, 0, stepTokens, this.#books.prices) : stepTokens
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
      this.#books.gate.changed()
    }
    return undefined
  }
}
