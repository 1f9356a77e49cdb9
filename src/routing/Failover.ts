import { Cause, Effect, Exit, Scope } from "effect"
import type { Call, Notice } from "../domain/Call.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import { Attempt, type Committed } from "./Attempt.ts"
import type { RoutePlan, Target } from "./Router.ts"
import { start } from "./startAttempt.ts"
import type { Timeouts } from "./Timeouts.ts"
import type { Watchdog } from "./Watchdog.ts"

/** What attempts need of the call that they are made for. `openedAt` is epoch milliseconds. */
export interface AttemptsFor {
  readonly call: Call
  readonly openedAt: number
  /** the failure that stands for a call that was cancelled: no further attempt is made for it */
  readonly cancelled: LlmError | undefined
  /** takes an attempt into the call's record, before it starts */
  readonly begin: (attempt: Attempt) => void
  readonly notice: (notice: Notice) => void
}

/** The attempts of one call at the targets of its plan. They live in the call's scope. */
export interface Attempts {
  readonly plan: RoutePlan
  /**
   * Asks until one has content, and returns it at its commit point; a failure before that is decided on by its reason.
   * `among` narrows the plan's targets. It may be called again after a commit point, with a request that was changed:
   * attempts are counted and recorded wherever they come from.
   */
  readonly next: (request: LlmRequest, among?: (target: Target) => boolean) => Effect.Effect<Committed, LlmError>
}

/** Asks the plan's targets in order until one has content; what cannot succeed elsewhere ends it at once. */
export const makeAttempts = (
  state: AttemptsFor,
  plan: RoutePlan,
  scope: Scope.Scope,
  watchdog: Watchdog
): Attempts => ({
  plan,
  next: (request, among) => ask(state, plan, scope, watchdog, request, among)
})

const ask = Effect.fnUntraced(function* (
  state: AttemptsFor,
  plan: RoutePlan,
  scope: Scope.Scope,
  watchdog: Watchdog,
  request: LlmRequest,
  among: ((target: Target) => boolean) | undefined
): Effect.fn.Return<Committed, LlmError> {
  const { call } = state
  let failed: LlmError | undefined
  for (const target of plan.targets) {
    if (among !== undefined && !among(target)) continue
    if (state.cancelled !== undefined) return yield* state.cancelled
    const attemptRequest = {
      request,
      delivery: plan.upstreamDelivery ?? call.delivery,
      dialect: call.dialect,
      origin: request === call.request ? call.origin : undefined,
      timeouts: shortened(plan.timeouts, call.timeoutMs),
      calledAt: state.openedAt,
      waitedMs: 0,
      notice: state.notice
    }
    const attempt = new Attempt(target, attemptRequest, watchdog)
    state.begin(attempt)
    const attemptScope = Scope.forkUnsafe(scope)
    const exit = yield* Effect.exit(start(attempt, attemptRequest, attemptScope))
    if (Exit.isSuccess(exit)) return exit.value
    yield* Scope.close(attemptScope, exit)
    const error = Cause.findErrorOption(exit.cause)
    if (error._tag === "None") return yield* exit
    failed = error.value
    if (failed.class === "request-permanent" || failed.class === "internal") break
  }
  return yield* failed ?? failure({ _tag: "NoRoute" }, "No target can take the call")
})

/** The call's own bound on its time, where that is shorter than what it may take anyway. */
const shortened = (timeouts: Timeouts, total: number | undefined): Timeouts =>
  total === undefined || total === 0 || (timeouts.total > 0 && timeouts.total <= total)
    ? timeouts
    : { ...timeouts, total }
