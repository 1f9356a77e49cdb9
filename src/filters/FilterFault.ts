import { Cause, Data, Duration, Effect, Metric } from "effect"
import type { FilterFailure } from "../domain/Call.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Filter, FilterContext } from "./Filter.ts"

/** What went wrong with a filter; `message` is for the log alone. */
export class FilterFault extends Data.TaggedError("FilterFault")<{
  readonly kind: FilterFailure["kind"]
  readonly message: string
}> {}

/** It took longer than it may. */
export const tooLate = (message: string): FilterFault => new FilterFault({ kind: "timeout", message })

/** Gives up what takes longer than so many milliseconds, of which 0 is no bound; `lack` is what is missing then. */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number, lack: string): Effect.Effect<A, E, R> =>
  millis === 0
    ? effect
    : Effect.timeoutOrElse(effect, {
        duration: millis,
        orElse: () => Effect.die(tooLate(`${lack} within ${millis} ms`))
      })

/** How long a filter may take that says nothing of it. */
const defaultTimeout = Duration.seconds(2)

/** How long a filter may take, in milliseconds; 0 where nobody minds. */
export const timeoutOf = ({ timeout = defaultTimeout }: Filter): number =>
  Duration.toMillis(Duration.fromInputUnsafe(timeout))

/** What it said or let out is not what a filter may say. */
export const garbage = (message: string): FilterFault => new FilterFault({ kind: "garbage", message })

const failures = Metric.counter("millrace_filter_failures_total", {
  description: "Filters that failed on a call, by name, side, kind of failure and the policy that was applied",
  incremental: true
})

/** Notes that a filter failed: in the log with its cause, in the metrics, and in the record of the call. */
export const noteFailure = (
  { name, onFailure = "closed" }: Pick<Filter, "name" | "onFailure">,
  phase: FilterFailure["phase"],
  { callId, failed }: FilterContext,
  cause: Cause.Cause<unknown>
): Effect.Effect<void> => {
  const fault = Cause.squash(cause)
  const kind = fault instanceof FilterFault ? fault.kind : "error"
  // A request cannot be left out.
  const policy = phase === "request" && onFailure === "drop" ? "closed" : onFailure
  failed({ filter: name, phase, kind, policy })
  const counter = Metric.withAttributes(failures, { filter: name, phase, kind, policy })
  return Effect.andThen(
    Effect.logError(`The filter ${name} failed on the ${phase} of the call ${callId}`, cause),
    Metric.update(counter, 1)
  )
}

/** After so many failures in a row a filter is not asked again for the rest of the stream. */
export const maxFailures = 3

/** What a caller is told where a filter failed that fails closed; why stands in the log. */
export const filterFailed = (name: string): LlmError =>
  failure({ _tag: "FilterFailed", filter: name }, `The filter ${name} failed, and nothing passes without it`)
