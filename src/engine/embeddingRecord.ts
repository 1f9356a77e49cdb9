import { Cause, Exit } from "effect"
import type { Reservation } from "../accounting/Admission.ts"
import type { AttemptRecord, FinalRecord } from "../domain/Call.ts"
import { sumOfCosts } from "../domain/Cost.ts"
import type { EmbeddingRequest } from "../domain/Embedding.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { failedWith, type Outcome } from "../domain/Outcome.ts"
import { noUsage } from "../domain/Usage.ts"
import type { CancelledBy } from "./cancellation.ts"
import type { Embedded, EmbeddingCall, OpenEmbedding } from "./embed.ts"
import type { Unanswered } from "./Unanswered.ts"

/** What is known of such a call, written as it happens. */
export interface EmbeddingTrace {
  /** what filters have to say of it */
  readonly passing: Unanswered
  readonly attempts: Array<AttemptRecord>
  readonly delivery: OpenEmbedding["delivery"]
  reservation: Reservation | undefined
  /** whether the audit trail was asked to open it */
  opening: boolean
  /** whether the audit trail took it */
  opened: boolean
  embedded: Embedded | undefined
  error: LlmError | undefined
  /** how a filter ended it */
  refused: Outcome | undefined
  cancelledBy: CancelledBy | undefined
}

/** The record of a call for vectors that begins: what filters changed of its request is recorded as they left it. */
export const openRecord = (
  id: string,
  call: EmbeddingCall,
  openedAt: number,
  { call: asked, handedTo }: EmbeddingTrace["passing"]
) => ({
  id,
  ...(call.requestId === undefined ? {} : { requestId: call.requestId }),
  ...(call.dialect === undefined ? {} : { dialect: call.dialect }),
  model: asked.request.model,
  delivery: "whole" as const,
  caller: call.caller,
  ...(call.conversation === undefined ? {} : { conversation: call.conversation }),
  openedAt,
  ...(handedTo.length === 0 ? {} : { handedTo }),
  ...(call.origin === undefined
    ? { request: recordable(call.request) }
    : { request: call.origin.body, requestText: call.origin.text })
})

/** Headers may let somebody in. */
const recordable = (request: EmbeddingRequest) => {
  const { headers: _, input, ...rest } = request
  return { ...rest, input: input._tag === "Texts" ? input.texts : input.sequences }
}

const outcomeOf = (
  { cancelledBy, delivery, embedded, error, passing, refused }: EmbeddingTrace,
  exit: Exit.Exit<unknown, unknown>
): Outcome => {
  if (cancelledBy !== undefined && embedded === undefined) return { _tag: "Cancelled", by: cancelledBy }
  if (refused !== undefined) return refused
  if (embedded !== undefined && passing.handedOver !== undefined) return passing.handedOver
  if (embedded !== undefined) return { _tag: "Completed", finish: "stop", delivered: delivery.complete }
  if (error !== undefined) return failedWith(error)
  if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) {
    return failedWith(failure({ _tag: "Internal" }, "Millrace failed to handle the call; its log says why"))
  }
  return { _tag: "Cancelled", by: "client" }
}

/** Its terminal record: whatever is known at `now`, epoch milliseconds. */
export const finalRecord = (
  id: string,
  trace: EmbeddingTrace,
  exit: Exit.Exit<unknown, unknown>,
  openedAt: number,
  now: number
): FinalRecord => {
  const last = trace.attempts.at(-1)
  const cost = sumOfCosts(trace.attempts.flatMap((attempt) => attempt.cost ?? []))
  return {
    id,
    outcome: outcomeOf(trace, exit),
    ...(last === undefined ? {} : { target: { provider: last.provider, model: last.model } }),
    usage: last?.usage ?? noUsage,
    ...(cost === undefined ? {} : { cost }),
    totalMs: now - openedAt,
    upstream: { bytes: 0, frames: 0, events: 0 },
    delivered: { bytes: trace.delivery.bytes },
    attempts: trace.attempts,
    ...(trace.passing.handedTo.length === 0 ? {} : { handedTo: trace.passing.handedTo }),
    ...trace.passing.filterNotes.record,
    notices: trace.embedded?.answer.notices ?? []
  }
}
