import { Cause, Effect, Schema } from "effect"
import type { LlmError } from "../domain/LlmError.ts"
import { LlmRequest } from "../domain/LlmRequest.ts"
import type { Filter, FilterContext } from "./Filter.ts"
import { filterFailed, garbage, inTime, noteFailure, timeoutOf } from "./FilterFault.ts"
import { type Ending, isEnding } from "./Verdict.ts"

const isRequest = Schema.is(LlmRequest)

/**
 * The request as one filter leaves it. It is refused as an error, unless the filter says otherwise. Where the filter fails,
 * takes too long or returns what is no request, the request passes as it was (`open`) or fails.
 */
export const requestSide = (
  filter: Filter,
  request: LlmRequest,
  context: FilterContext
): Effect.Effect<LlmRequest, LlmError | Ending> => {
  if (filter.request === undefined) return Effect.succeed(request)
  const { name } = filter
  const filtered = Effect.suspend(() => filter.request?.(request, context) ?? Effect.succeed(request))
  return Effect.matchCauseEffect(inTime(filtered, timeoutOf(filter), "no answer"), {
    onSuccess: (result) =>
      result === request || isRequest(result)
        ? Effect.succeed(result)
        : failedRequest(filter, request, context, Cause.die(garbage("what it returned is no request"))),
    onFailure: (cause) => {
      const error = Cause.findErrorOption(cause)
      if (error._tag === "Some" && isEnding(error.value)) return error.value.from(name, "error")
      return Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause) : failedRequest(filter, request, context, cause)
    }
  })
}

const failedRequest = (filter: Filter, request: LlmRequest, context: FilterContext, cause: Cause.Cause<unknown>) =>
  Effect.andThen(
    noteFailure(filter, "request", context, cause),
    filter.onFailure === "open" ? Effect.succeed(request) : filterFailed(filter.name)
  )
