import { Context, type Duration, type Effect, type Scope, type Stream } from "effect"
import type { Caller, FilterFailure, Finding } from "../domain/Call.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { Delivery, LlmRequest } from "../domain/LlmRequest.ts"
import type { LlmResponse } from "../domain/LlmResponse.ts"
import type { Ending } from "./Verdict.ts"

/** The events of one answer, on their way through the filters. */
export type EventStream = Stream.Stream<LlmEvent, LlmError | Ending>

/** What a filter knows of the call that it is applied to, the same object on the way there and back. */
export interface FilterContext {
  readonly callId: string
  readonly requestId: string | undefined
  readonly dialect: string | undefined
  readonly delivery: Delivery
  /** what the request is for: where it is vectors, or only its own size, no events follow that a filter could look at */
  readonly wants: "answer" | "vectors" | "count"
  readonly caller: Caller
  readonly conversation: string | undefined
  /** of the request's headers those that some filter names (`Filter.headers`), lower case; never credentials or cookies */
  readonly headers: { readonly [name: string]: string }
  /** lives as long as the call */
  readonly scope: Scope.Scope
  /** Notes something that was found, for the call's record. */
  readonly report: (finding: Finding) => void
  /** Notes in the call's record that a filter failed; whoever holds filters to their policies calls it. */
  readonly failed: (failure: FilterFailure) => void
  /** Asks a model by its Millrace name. It is a call of its own, which no filter touches. */
  readonly ask: (request: LlmRequest) => Effect.Effect<LlmResponse, LlmError>
}

/**
 * What becomes of what a filter failed on: it passes as the filter found it (`open`), the call fails (`closed`), or it is
 * left out (`drop`; a request cannot be left out, so that one fails). After three failures in a row a filter is not asked
 * again for the rest of the stream.
 */
export type FailurePolicy = "open" | "closed" | "drop"

/**
 * Changes what flows: the request on its way to the model, the events on their way to the caller, or both.
 *
 * One definition serves streams and whole answers in every dialect. `events` must give the same result however the text
 * is split into deltas, and passes an event that it leaves alone as the same object: that is how Millrace knows that a
 * frame is unchanged and can be sent verbatim. It is applied afresh for every call, so its state belongs in `mapAccum` or
 * `Stream.suspend`. Either side fails with an `Ending` to refuse, hand off or stop; any other failure is the filter's own,
 * and what then happens is its policy.
 */
export interface Filter {
  readonly name: string
  readonly request?: (request: LlmRequest, context: FilterContext) => Effect.Effect<LlmRequest, LlmError | Ending>
  readonly events?: (request: LlmRequest, context: FilterContext) => (self: EventStream) => EventStream
  /** request headers that it wants to see in its context; of those that let somebody in it is told nothing */
  readonly headers?: ReadonlyArray<string>
  /**
   * false says that the request side looks at nothing that is said, so that it may pass what nobody here can read, such as
   * tokens to be embedded; any other filter fails on that
   */
  readonly readsText?: false
  /** false says that the event side only looks: every event passes as it is */
  readonly changes?: false
  /** closed by default */
  readonly onFailure?: FailurePolicy
  /** how long it may take for a request, or keep events to itself without asking for more; 2 seconds by default */
  readonly timeout?: Duration.Input
}

/** The filters that every call passes, in order: requests first to last, events likewise. */
export const Filters = Context.Reference<ReadonlyArray<Filter>>("millrace/filters/Filters", { defaultValue: () => [] })

/** The filters that a model or a key may name, which its calls pass after those of every call. */
export const NamedFilters = Context.Reference<ReadonlyMap<string, Filter>>("millrace/filters/NamedFilters", {
  defaultValue: () => new Map()
})
