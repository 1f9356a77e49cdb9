import { type Clock, Effect, Exit, Scope } from "effect"
import type { Call, Notice, Origin } from "../domain/Call.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import { Attempt, type AttemptRequest, type Committed } from "./Attempt.ts"
import { neededBy } from "./Capabilities.ts"
import type { Resumed } from "./Course.ts"
import { failover } from "./Failover.ts"
import { defaultPolicy, type Affinity } from "./Policy.ts"
import type { RoutePlan, Target } from "./Router.ts"
import { start } from "./startAttempt.ts"
import type { TargetStates } from "./TargetStates.ts"
import { shortened } from "./Timeouts.ts"
import type { Watchdog } from "./Watchdog.ts"

/** What attempts need of the call that they are made for. `openedAt` is epoch milliseconds. */
export interface AttemptsFor {
  readonly call: Call
  /** the caller's own document, as it goes on where nobody changed the request */
  readonly origin: Origin | undefined
  readonly openedAt: number
  /** the failure that stands for a call that was cancelled: no further attempt is made for it */
  readonly cancelled: LlmError | undefined
  /** ends a wait as soon as the call is cancelled */
  readonly whileOpen: <A>(wait: Effect.Effect<A>) => Effect.Effect<A, LlmError>
  /** takes an attempt into the call's record, before it starts */
  readonly begin: (attempt: Attempt) => void
  /** takes the attempt whose answer is the call's, or goes on with it */
  readonly answered: (attempt: Attempt) => void
  readonly notice: (notice: Notice) => void
}

/** What the process knows and attempts go by. `random` gives numbers from 0 to 1. */
export interface Surroundings {
  readonly clock: Clock.Clock
  readonly watchdog: Watchdog
  readonly random: () => number
  readonly states: TargetStates["Service"]
}

/** The attempts of one call at the targets of its plan. They live in the call's scope. */
export interface Attempts {
  readonly plan: RoutePlan
  /** how many more of them the plan allows */
  readonly left: () => number
  /**
   * Asks until one has content, and returns it at its commit point; a failure before that is decided on by its reason.
   * It may be called again after a commit point, with a request that was changed. All attempts of a call together are as
   * many as the plan allows; only a rescue has one more where none is left.
   */
  readonly next: (request: LlmRequest, rescue?: RescueFrom) => Effect.Effect<Committed, LlmError>
}

/** By which attempts an answer that broke off is gone on with: whom they ask, and what their records say. */
export interface RescueFrom extends Pick<Resumed, "among" | "once"> {
  readonly mark: NonNullable<Attempt["rescue"]>
}

export const makeAttempts = (
  state: AttemptsFor,
  plan: RoutePlan,
  scope: Scope.Scope,
  { clock, watchdog, random, states }: Surroundings
): Attempts => {
  const { call } = state
  const { affinity } = plan.policy ?? defaultPolicy
  const session = affinity === undefined ? undefined : sessionOf(call, affinity)
  const timeouts = shortened(plan.timeouts, call.timeoutMs)
  const { upstreamDelivery = call.delivery } = plan
  const { maxAttempts } = (plan.policy ?? defaultPolicy).retry
  let made = 0
  const left = () => maxAttempts - made
  return {
    plan,
    left,
    next: (request, rescue) => {
      const committed = failover({
        plan,
        states,
        clock,
        random,
        session,
        ...(rescue === undefined ? {} : { resumed: { ...rescue, attempts: Math.max(1, left()) } }),
        deadline: timeouts.total === 0 ? Infinity : state.openedAt + timeouts.total,
        needed: () => neededBy(request),
        cancelled: () => state.cancelled,
        whileOpen: state.whileOpen,
        ask: (target, waitedMs, released) => {
          made++
          const asked = {
            request,
            delivery: upstreamDelivery,
            collected: call.delivery === "whole",
            dialect: call.dialect,
            origin: request === call.request ? state.origin : undefined,
            timeouts: target.timeouts === undefined ? timeouts : shortened(target.timeouts, call.timeoutMs),
            calledAt: state.openedAt,
            waitedMs,
            notice: state.notice,
            released
          }
          return begin(state, scope, watchdog, target, asked, rescue?.mark)
        },
        discard: ({ giveUp }) => giveUp
      })
      return Effect.map(committed, (committed) => {
        // One that is to go on with another answer has to get as far as that first.
        if (rescue === undefined) state.answered(committed.attempt)
        return committed
      })
    }
  }
}

/** One attempt in a scope of its own, which closes where it does not come to its commit point. */
const begin = (
  state: AttemptsFor,
  scope: Scope.Scope,
  watchdog: Watchdog,
  target: Target,
  request: AttemptRequest,
  mark: Attempt["rescue"]
): Effect.Effect<Committed, LlmError> =>
  Effect.suspend(() => {
    const attemptScope = Scope.forkUnsafe(scope)
    const attempt = new Attempt(target, request, watchdog)
    attempt.rescue = mark
    state.begin(attempt)
    return Effect.onError(start(attempt, request, attemptScope), (cause) =>
      Scope.close(attemptScope, Exit.failCause(cause))
    )
  })

const sessionOf = ({ caller, conversation, request }: Call, affinity: Affinity): string | undefined => {
  if (affinity === "conversation" && conversation === undefined) return undefined
  return JSON.stringify([request.model, caller.tenant, caller.key, affinity === "conversation" ? conversation : null])
}
