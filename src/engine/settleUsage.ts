import { Effect } from "effect"
import { costOf } from "../accounting/Cost.ts"
import { fullUsage, isFullyStated } from "../accounting/Metering.ts"
import type { PriceBook } from "../accounting/PriceBook.ts"
import { textOf } from "../domain/LlmResponse.ts"
import type { Attempt } from "../routing/Attempt.ts"
import type { CallState } from "./CallState.ts"

/**
 * Completes what the attempts of a call used, where their providers did not state it, and reckons what they cost. The call
 * ends and is recorded even if that breaks.
 */
export const settleUsage = (state: CallState, prices: PriceBook): Effect.Effect<void> =>
  Effect.catchDefect(
    Effect.suspend(() => settle(state, prices)),
    (defect) => Effect.logError(`What the call ${state.id} used could not be reckoned`, defect)
  )

const settle = (state: CallState, prices: PriceBook): Effect.Effect<void> => {
  const attempts = state.allAttempts
  const untold = attempts.filter((attempt) => !isFullyStated(attempt))
  if (untold.length === 0) return Effect.sync(() => reckon(attempts, state, prices))
  const sample = textOf(state.response().choices[0])
  const complete = Effect.forEach(untold, (attempt) =>
    Effect.map(fullUsage(attempt, state.request, sample), (usage) => {
      attempt.usage = usage
    })
  )
  return Effect.map(complete, () => reckon(attempts, state, prices))
}

const reckon = (attempts: ReadonlyArray<Attempt>, { call }: CallState, prices: PriceBook): void => {
  for (const attempt of attempts) {
    const { target, servedModel: served } = attempt
    const sold = { provider: target.provider, served, upstream: target.model, requested: call.request.model }
    attempt.cost = costOf(prices, sold, attempt.usage)
  }
}
