import { Context, Effect } from "effect"
import type { Caller, FinalRecord } from "../domain/Call.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LimitState } from "../domain/RateLimit.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"

/** A call that wants to be admitted. */
export interface Candidate {
  readonly caller: Caller
  /** the name of the model as the caller asked for it */
  readonly model: string
  /** the model whose limits it keeps, where filters chose another */
  readonly chosen?: string
  /** epoch milliseconds */
  readonly at: number
  /** who may be asked for it */
  readonly targets: ReadonlyArray<{ readonly provider: string; readonly model: string }>
  /** what is asked; of a call for vectors, the length of its input in UTF-16 code units */
  readonly request: LlmRequest | { readonly inputLength: number }
  /** the call on whose behalf Millrace itself makes this one: it is counted, but never refused */
  readonly askedBy?: string
  /** it is no call and uses nothing itself, but its filters may: of the limits it has to keep those of tokens and money */
  readonly isAside?: true
}

/** A call that may start: what it may use is reserved until it is settled. */
export interface Reservation {
  /**
   * Settles the call with what became of it, once; later settlements are ignored. Without a record the call never began,
   * and nothing is counted. It is synchronous and cannot fail.
   */
  readonly settle: (record: FinalRecord | undefined) => void
  /** what is left of the call's limits, for its caller; absent where it has none */
  readonly states?: (now: number) => ReadonlyArray<LimitState>
  /**
   * Asked as an answer grows, with its length so far in UTF-16 code units: holds more where it outgrows what was reserved,
   * and says which limit ends it, where one does.
   */
  readonly exceeds?: (outputLength: number) => "tokens" | "cost" | undefined
}

const unreserved: Effect.Effect<Reservation> = Effect.succeed({ settle: () => {} })

/**
 * Whether a call may start: asked before it is recorded and before anybody else hears of it, and once more where its filters
 * choose another model, after what was reserved is given back. A refusal is the failure that the caller is told; there is
 * then no call. Who provides nothing admits everybody, at no cost.
 *
 * Gotcha: interrupting it takes the question back. Whoever has the answer settles it.
 */
export const Admission = Context.Reference<{
  readonly admit: (candidate: Candidate) => Effect.Effect<Reservation, LlmError>
}>("millrace/accounting/Admission", { defaultValue: () => ({ admit: () => unreserved }) })
