import { Cause, Duration, Effect, Exit, Scope } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Breaker } from "./Policy.ts"

type Store = CircuitBreaker.CircuitBreakerStore["Service"]

/** What this process knows of the circuit of a target; what all processes know is in the store. */
export class Circuit {
  readonly key: string
  /** how a circuit that is closed, and at which nothing has failed since a success, lets calls in */
  calm: CircuitBreaker.Admission | undefined
  /** until when it is open, epoch milliseconds */
  openUntil = 0
  /** how often this process opened it */
  openings = 0
  /** how often this process found it open, or opened it */
  seenOpen = 0

  constructor(key: string) {
    this.key = key
  }
}

/** Nobody is let in: the circuit is open, or one call is trying whether it can be closed. */
export class CircuitRefused {
  readonly _tag = "CircuitRefused"
  readonly error: LlmError

  constructor(key: string, retryAfterMs: number) {
    this.error = failure({ _tag: "NoRoute" }, `${key} failed too often of late and is left alone for a while`, {
      retryAfterMs
    })
  }
}

type Outcome = "Success" | "Failure" | "Ignored"

/** What a failure says of the health of a target: a request that was refused for what it is was answered well. */
const outcomeOf = (exit: Exit.Exit<unknown, LlmError>, givenUp: boolean): Outcome => {
  if (Exit.isSuccess(exit)) return "Success"
  const error = Cause.findErrorOption(exit.cause)
  if (givenUp || error._tag === "None") return "Ignored"
  switch (error.value.class) {
    case "transient":
    case "busy":
    case "silent":
      return "Failure"
    case "request-permanent":
      return "Success"
    case "target-permanent":
    case "internal":
      return "Ignored"
  }
}

const openFor = ({ openFor, maxOpenFor }: Breaker, openings: number): Duration.Duration =>
  Duration.millis(Math.min(maxOpenFor, openFor * 2 ** openings))

/** How long a caller is told to stay away where another call tries the target at this moment, in milliseconds. */
const whileTried = 1000

/**
 * Runs `self` as an attempt that the circuit guards, or refuses to. A circuit that is calm costs nothing: the store is
 * asked from the first failure on, until a success. A store that cannot be reached lets everybody in.
 *
 * To be run where it is uninterruptible, with `self` interruptible; `givenUp` says that the attempt ended by our own doing.
 */
export const guarded = <A>(
  store: Store,
  circuit: Circuit,
  breaker: Breaker,
  now: () => number,
  givenUp: () => boolean,
  self: Effect.Effect<A, LlmError>
): Effect.Effect<A, LlmError | CircuitRefused> => {
  if (breaker.failures === 0) return self
  const { calm, seenOpen } = circuit
  if (calm !== undefined) {
    return Effect.onExit(self, (exit) => {
      if (Exit.isSuccess(exit) && circuit.calm === calm) return Effect.void
      return record(store, circuit, breaker, now, { admission: calm, seenOpen }, outcomeOf(exit, givenUp()))
    })
  }
  return Effect.scopedWith((scope) =>
    Effect.matchEffect(Scope.provide(store.admit(circuit.key), scope), {
      onFailure: ({ reason }): Effect.Effect<A, LlmError | CircuitRefused> => {
        switch (reason._tag) {
          case "CircuitBreakerStoreError":
            return self
          case "CircuitHalfOpen":
            return Effect.fail(new CircuitRefused(circuit.key, whileTried))
          case "CircuitOpen": {
            const millis = Math.ceil(Duration.toMillis(reason.retryAfter))
            circuit.openUntil = now() + millis
            circuit.seenOpen++
            return Effect.fail(new CircuitRefused(circuit.key, millis))
          }
        }
      },
      onSuccess: (admission) =>
        Effect.onExit(self, (exit) =>
          record(store, circuit, breaker, now, { admission, seenOpen }, outcomeOf(exit, givenUp()))
        )
    })
  )
}

interface Admitted {
  readonly admission: CircuitBreaker.Admission
  /** `Circuit.seenOpen` at the time */
  readonly seenOpen: number
}

const record = (
  store: Store,
  circuit: Circuit,
  breaker: Breaker,
  now: () => number,
  { admission, seenOpen }: Admitted,
  outcome: Outcome
): Effect.Effect<void> => {
  if (outcome === "Ignored" && !admission.probe) return Effect.void
  // The success of a call that was let in before the circuit opened says nothing of it now.
  const isCalm = outcome === "Success" && !admission.probe && seenOpen === circuit.seenOpen
  circuit.calm = isCalm && admission.consecutiveOpenings === 0 ? admission : undefined
  const recorded = store.record({
    key: circuit.key,
    generation: admission.generation,
    outcome,
    tripPolicy: CircuitBreaker.consecutive(breaker.failures),
    openFor: openFor(breaker, admission.consecutiveOpenings)
  })
  return Effect.matchEffect(recorded, {
    onFailure: () => Effect.void,
    onSuccess: (transition) => {
      if (transition?.to !== "Open") return Effect.void
      circuit.openUntil = now() + Duration.toMillis(transition.retryAfter)
      circuit.openings++
      circuit.seenOpen++
      return Effect.logWarning(
        `${circuit.key} failed too often and is left alone for ${Duration.format(transition.retryAfter)}`
      )
    }
  })
}
