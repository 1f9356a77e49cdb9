import { Effect } from "effect"
import { estimateInputTokens } from "../accounting/TokenEstimate.ts"
import type { Origin } from "../domain/Call.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import { Router } from "../routing/Router.ts"

/** The input tokens of a request: as its first target's provider counts them, else an estimate. */
export const countTokens = Effect.fnUntraced(function* (
  request: LlmRequest,
  origin: Origin
): Effect.fn.Return<number, LlmError, Router> {
  const router = yield* Router
  const { targets } = yield* router.plan(request.model)
  const { upstream, model } = targets[0]
  return yield* upstream.countTokens?.({ request, model, origin }) ?? estimateInputTokens(request)
})
