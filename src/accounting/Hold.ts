import type { FinalRecord } from "../domain/Call.ts"
import type { LimitState } from "../domain/RateLimit.ts"
import type { Candidate, Reservation } from "./Admission.ts"
import { actual, type Amounts, dearest } from "./amounts.ts"
import { stateOf, type Want } from "./Counter.ts"
import type { Gate } from "./Gate.ts"
import type { Ledger } from "./Ledger.ts"
import type { Measure } from "./Limits.ts"
import type { PriceBook } from "./PriceBook.ts"

/** Text of an answer is counted on ahead in steps of so many tokens, or of fewer where there is no room for these. */
const steps = [256, 64, 16, 4, 1]
/** Of how many UTF-16 code units a token is taken to be: the usual number. */
const lengthOfToken = 4
/**
 * The same of an answer whose caller said how long it may be: its provider counts better than this, and ends it there. Only
 * one that is much longer is from a provider that does not.
 */
const lengthOfPromisedToken = 8

/** What makes up the price of going on: the measures that grow with an answer. */
const growing: ReadonlyArray<Measure> = ["tokens", "outputTokens", "cost"]
const lengthOf = ({ request }: Candidate): number =>
  "sampling" in request && request.sampling.maxOutputTokens !== undefined ? lengthOfPromisedToken : lengthOfToken
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
  readonly #inputTokens: number
  /** for how many tokens of the answer there is room in what is held, and up to which length it is covered by them */
  #outputTokens: number
  #coveredLength: number
  #isSettled = false

  constructor(candidate: Candidate, wants: ReadonlyArray<Want>, { inputTokens, outputTokens }: Amounts, books: Books) {
    this.#candidate = candidate
    this.#wants = wants
    this.#books = books
    this.#inputTokens = inputTokens
    this.#outputTokens = outputTokens
    this.#coveredLength = wants.some(grows) ? outputTokens * lengthOf(candidate) : Infinity
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
      const stop = this.#goOn()
      if (stop !== undefined) return stop
    }
    return undefined
  }

  /** Holds more, as much as there is room for, or says what ends the answer. */
  #goOn(): "tokens" | "cost" | undefined {
    let stop: Want | undefined
    for (const tokens of steps) {
      const further = this.#wants.filter(grows).map((want) => ({ want, amount: this.#further(want, tokens) }))
      stop = further.find(
        ({ amount, want: { counter, limit } }) => limit.stopsStreams && !counter.fits(amount, limit.max)
      )?.want
      if (stop !== undefined) continue
      for (const { amount, want } of further) {
        want.counter.hold(amount)
        want.amount += amount
      }
      this.#outputTokens += tokens
      this.#coveredLength += tokens * lengthOfToken
      this.#books.gate.changed()
      return undefined
    }
    return stop?.limit.measure === "cost" ? "cost" : "tokens"
  }

  /**
   * What so many further tokens are. Their price is what the call costs more with them: the tokens of many models cost less
   * than a millionth of a dollar each, and by themselves would never cost anything.
   */
  #further({ limit }: Want, tokens: number): number {
    if (limit.measure !== "cost") return tokens
    return this.#costOf(this.#outputTokens + tokens) - this.#costOf(this.#outputTokens)
  }

  #costOf(outputTokens: number): number {
    return dearest(this.#candidate, this.#inputTokens, outputTokens, this.#books.prices)
  }
}
