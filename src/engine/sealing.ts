import { type Clock, Effect } from "effect"
import type { PriceBook } from "../accounting/PriceBook.ts"
import type { AuditTrail } from "../audit/AuditTrail.ts"
import type { LlmError } from "../domain/LlmError.ts"
import { failedWith } from "../domain/Outcome.ts"
import type { CallState } from "./CallState.ts"
import { settleUsage } from "./settleUsage.ts"

/**
 * Has the record of a call's end written before the caller is told that it ended: whoever sends the answer asks for it when
 * all but the end was sent and the call's `delivery` says what it will have been, and sends the end when this is done.
 * `error` is what the caller is told instead of a good end. Fails where the record cannot be written and the policy is that
 * then nothing ends well: that failure is then what the caller is told. Asked again it does nothing.
 */
export type Seal = (error?: LlmError) => Effect.Effect<void, LlmError>

/** What makes the `Seal` of a call; undefined where the trail lets calls end before that is written. */
export const sealing = (
  { seal }: AuditTrail["Service"],
  prices: PriceBook,
  clock: Clock.Clock
): ((state: CallState) => Seal) | undefined =>
  seal === undefined
    ? undefined
    : (state) => (error) =>
        Effect.suspend(() => {
          if (state.wasSealed) return Effect.void
          state.wasSealed = true
          if (error !== undefined) state.settle(failedWith(error))
          return Effect.flatMap(settleUsage(state, prices), () => {
            const record = state.finalRecord(clock.currentTimeMillisUnsafe())
            return Effect.mapBoth(seal(record), {
              onSuccess: () => {
                state.sealed = record
              },
              onFailure: state.unsealed
            })
          })
        })
