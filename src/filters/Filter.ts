import { Context, type Effect, type Stream } from "effect"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"

/** The events of one answer. */
export type EventStream = Stream.Stream<LlmEvent, LlmError>

/**
 * Changes what flows: the request on its way to the model, the events on their way to the caller, or both.
 *
 * One definition serves streams and whole answers in every dialect. `events` must give the same result however the text
 * is split into deltas, and passes an event that it leaves alone as the same object: that is how Millrace knows that a
 * frame is unchanged and can be sent verbatim. It is applied afresh for every call, so its state belongs in `mapAccum` or
 * `Stream.suspend`.
 */
export interface Filter {
  readonly name: string
  readonly request?: (request: LlmRequest) => Effect.Effect<LlmRequest, LlmError>
  readonly events?: (request: LlmRequest) => (self: EventStream) => EventStream
}

/** The filters that every call passes, in order: requests first to last, events likewise. */
export const Filters = Context.Reference<ReadonlyArray<Filter>>("millrace/filters/Filters", { defaultValue: () => [] })
