import { Effect } from "effect"
import type { Admission, Candidate, Reservation } from "../accounting/Admission.ts"
import type { LlmError } from "../domain/LlmError.ts"

/** A call, as far as its admission goes; without a reservation it never began. */
export interface Holder {
  reservation: Reservation | undefined
}

/** Admits a call. An admission that was given is taken, even if the caller leaves in this moment: it has to be settled. */
export const reserve = (
  admission: typeof Admission.Service,
  holder: Holder,
  candidate: Candidate
): Effect.Effect<void, LlmError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.map(restore(admission.admit(candidate)), (reservation) => {
      holder.reservation = reservation
    })
  )

/**
 * Admits a call anew whose filters chose another model, the limits of which it has to keep. They are asked once more rather
 * than after the filters alone: what a filter does, such as asking a model, is for those who may call.
 */
export const reserveAnew = (
  admission: typeof Admission.Service,
  holder: Holder,
  candidate: Candidate
): Effect.Effect<void, LlmError> => {
  holder.reservation?.settle(undefined)
  return Effect.tapError(reserve(admission, holder, candidate), () =>
    Effect.sync(() => {
      holder.reservation = undefined
    })
  )
}
