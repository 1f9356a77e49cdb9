import { Clock, Effect, Layer, Schedule } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { LimitState } from "../domain/RateLimit.ts"
import { StorageError } from "../storage/Database.ts"
import { Admission, type Candidate, type Reservation } from "./Admission.ts"
import { type Amounts, expected } from "./amounts.ts"
import { Counters, stateOf, type Want } from "./Counter.ts"
import { CountStore } from "./CountStore.ts"
import { type Denied, Gate, type Unknown } from "./Gate.ts"
import { type Books, FreeOfLimits, Hold } from "./Hold.ts"
import { Keys } from "./Keys.ts"
import { Ledger } from "./Ledger.ts"
import { type Limit, limitsFor, type LimitRule } from "./LimitRules.ts"
import { Prices } from "./PriceBook.ts"
import type { VirtualKey } from "./VirtualKey.ts"

/** The rules, beside what keys say themselves. */
export interface LimiterSettings {
  readonly rules?: ReadonlyArray<LimitRule>
  /** What becomes of a call whose limits cannot be looked up: refused (`closed`, unless said), or served. */
  readonly onFailure?: "closed" | "open"
}

const beatEvery = "5 seconds"
const maxRemembered = 10_000
/** When it makes sense to come back for something of which only so much may go on at once. */
const retryConcurrentMs = 1000

interface Resolved {
  readonly key: VirtualKey | undefined
  readonly limits: ReadonlyArray<Limit>
}

/** Which limits a call has to keep, remembered by what they depend on. */
class Resolver {
  readonly #rules: ReadonlyArray<LimitRule>
  readonly #keys: Keys["Service"]
  readonly #resolved = new Map<string, Resolved>()

  constructor(rules: ReadonlyArray<LimitRule>, keys: Keys["Service"]) {
    this.#rules = rules
    this.#keys = keys
  }

  limitsOf({ caller, model: asked, chosen: model = asked }: Candidate): ReadonlyArray<Limit> {
    const key = caller.key === undefined ? undefined : this.#keys.find(caller.key)
    if (this.#rules.length === 0 && key?.limits === undefined) return none
    const name = `${caller.key ?? ""}\n${caller.tenant ?? ""}\n${model}`
    const known = this.#resolved.get(name)
    // A key that was changed is another object.
    if (known !== undefined && known.key === key) return known.limits
    const own = key?.limits === undefined ? [] : [{ key: key.name, ...key.limits }]
    const limits = limitsFor([...this.#rules, ...own], { caller, model })
    if (this.#resolved.size >= maxRemembered) this.#resolved.clear()
    this.#resolved.set(name, { key, limits })
    return limits
  }
}

const none: ReadonlyArray<Limit> = []

const measureNames: { readonly [M in Limit["measure"]]: string } = {
  requests: "requests",
  tokens: "tokens",
  inputTokens: "input tokens",
  outputTokens: "output tokens",
  cost: "US dollars",
  concurrent: "calls at once"
}

/** `1 request`, `2 requests`. */
const quantity = (measure: Limit["measure"], amount: number): string =>
  `${amount} ${amount === 1 ? measureNames[measure].replace(/s(?= |$)/, "") : measureNames[measure]}`

const amountOf = (measure: Limit["measure"], amount: number): string =>
  measure === "cost" ? `$${amount / 1_000_000}` : quantity(measure, amount)

const describe = ({ max, measure, period, whose }: Limit): string => {
  const amount = quantity(measure, measure === "cost" ? max / 1_000_000 : max)
  const window = period === undefined ? "" : period === "total" ? " in all" : ` per ${period}`
  return `${whose} may use ${amount}${window}`
}

/** What a caller is told for whom a limit has no room. */
const denial = ({ want }: Denied, states: ReadonlyArray<LimitState>, now: number): LlmError => {
  const { amount, limit } = want
  // It would have no room in any window.
  if (amount > limit.max) return tooMuch(want, states)
  const { remaining, resetMs } = stateOf(want, now)
  const retryAfterMs = limit.measure === "concurrent" ? retryConcurrentMs : resetMs
  const again = retryAfterMs === undefined ? [] : [`try again in ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s`]
  // A call that asks for less would have room; where calls have ended meanwhile, so would this one.
  const isLeft = remaining > 0 && remaining < amount
  const left = isLeft
    ? ` (${amountOf(limit.measure, remaining)} left, and the call may come to ${amountOf(limit.measure, amount)})`
    : ""
  const mends = [...(isLeft ? [mendOf(limit)] : []), ...again]
  return failure(
    limit.measure === "cost" || limit.period === "total" ? { _tag: "QuotaExceeded" } : { _tag: "RateLimited" },
    `A limit is reached: ${describe(limit)}${left}${mends.length === 0 ? "" : `; ${mends.join(", or ")}`}`,
    { limits: states, ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.max(1000, retryAfterMs) }) }
  )
}

const mendOf = ({ measure }: Limit): string => {
  if (measure === "inputTokens") return "send less"
  return measure === "outputTokens" ? "ask for fewer output tokens" : "ask for fewer output tokens, or send less"
}

const tooMuch = ({ amount, limit }: Want, states: ReadonlyArray<LimitState>): LlmError => {
  return failure(
    { _tag: "QuotaExceeded" },
    `The call may come to ${amountOf(limit.measure, amount)}, and ${describe(limit)}; ${mendOf(limit)}`,
    { limits: states }
  )
}

const unavailable = failure(
  { _tag: "AuditUnavailable" },
  "The call was not started: its limits cannot be looked up now",
  { retryAfterMs: 2000 }
)

/** No call waits longer for the store; a claim that nobody answers for is broken by then. */
const askTimeout = "8 seconds"
const unanswered: Unknown = {
  _tag: "Unknown",
  why: new StorageError({ operation: "query", kind: "unavailable", message: `no answer within ${askTimeout}` })
}

/** A database that does not answer must not keep a program from ending. */
const lastWriteTimeout = "2 seconds"

const make = Effect.fnUntraced(function* ({ onFailure = "closed", rules = [] }: LimiterSettings) {
  const keys = yield* Keys
  const store = yield* CountStore
  const ledger = yield* Ledger
  const prices = yield* Prices
  const clock = yield* Clock.Clock
  const counters = new Counters()
  const gate = new Gate(store, counters, clock)
  const resolver = new Resolver(rules, keys)
  const last = <E>(write: Effect.Effect<void, E>) =>
    write.pipe(Effect.interruptible, Effect.timeoutOption(lastWriteTimeout), Effect.ignore)
  yield* Effect.acquireRelease(gate.enter, () => last(gate.leave))
  // What is under way is written before the process takes leave.
  yield* Effect.addFinalizer(() => last(gate.flush))
  yield* Effect.forkScoped(gate.run)
  yield* gate.beat.pipe(
    Effect.catch((error) => gate.outage.failed(error)),
    Effect.repeat(Schedule.spaced(beatEvery)),
    Effect.forkScoped
  )

  const books: Books = { gate, ledger, prices }

  const admit = (candidate: Candidate): Effect.Effect<Reservation, LlmError> => {
    const limits = resolver.limitsOf(candidate)
    return limits.length === 0
      ? Effect.succeed(new FreeOfLimits(candidate, ledger))
      : Effect.suspend(() => decide(candidate, limits))
  }

  const decide = (candidate: Candidate, limits: ReadonlyArray<Limit>): Effect.Effect<Reservation, LlmError> => {
    const amounts = expected(candidate, prices)
    const wants = wantsOf(limits, amounts, counters, candidate)
    const taken = Effect.sync(() => new Hold(candidate, wants, amounts, books))
    /** without a look at whether there is room */
    const letIn = Effect.sync(() => {
      for (const { amount, counter } of wants) counter.hold(amount)
      gate.changed()
      return new Hold(candidate, wants, amounts, books)
    })
    // It belongs to a call that was let in already.
    if (candidate.askedBy !== undefined) return letIn
    const decided = gate.decide(wants)
    if (decided === "taken") return taken
    if (decided !== undefined) return deny(decided, wants)
    // Nobody waits for what is known to be away.
    if (onFailure === "open" && gate.outage.lasts) return letIn
    const asked = Effect.timeoutOrElse(gate.ask(wants), {
      duration: askTimeout,
      orElse: () => Effect.andThen(gate.outage.failed(unanswered.why), Effect.fail(unanswered))
    })
    return Effect.matchEffect(asked, {
      onSuccess: () => taken,
      onFailure: (error) => (error._tag === "Denied" ? deny(error, wants) : onFailure === "open" ? letIn : unavailable)
    })
  }

  const deny = (error: Denied, wants: ReadonlyArray<Want>) => {
    const now = clock.currentTimeMillisUnsafe()
    const states = wants.map((want) => stateOf(want, now))
    ledger.refused()
    return Effect.fail(denial(error, states, now))
  }

  return { admit }
})

const wantsOf = (
  limits: ReadonlyArray<Limit>,
  amounts: Amounts,
  counters: Counters,
  { askedBy, at, isAside }: Candidate
): ReadonlyArray<Want> => {
  const isNoCall = askedBy !== undefined || isAside === true
  const wants: Array<Want> = []
  for (const limit of limits) {
    const isOfCalls = limit.measure === "requests" || limit.measure === "concurrent"
    if (!isNoCall || !isOfCalls) wants.push({ limit, counter: counters.of(limit, at), amount: amounts[limit.measure] })
  }
  return wants
}

/**
 * Admits calls as far as their limits have room: what a call may come to is reserved before it starts, in one step for all
 * of its limits, and settled with what it came to. What every call used goes into the ledger.
 */
export const layer = (settings: LimiterSettings = {}): Layer.Layer<never, StorageError, Keys | CountStore | Ledger> =>
  Layer.effect(Admission, make(settings))
