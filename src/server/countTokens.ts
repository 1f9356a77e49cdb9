import { Effect } from "effect"
import { estimateInputTokens } from "../accounting/TokenEstimate.ts"
import type { Call } from "../domain/Call.ts"
import type { LlmError } from "../domain/LlmError.ts"
import { newCallId } from "../engine/CallId.ts"
import { Engine } from "../engine/Engine.ts"
import { Unanswered } from "../engine/Unanswered.ts"
import { refusalOf } from "../engine/verdicts.ts"
import { Router } from "../routing/Router.ts"

/** The input tokens of a request, as its filters leave it: as its first target's provider counts them where it does, else an estimate. */
export const countTokens = Effect.fnUntraced(
  function* (call: Call) {
    const router = yield* Router
    const engine = yield* Engine
    const filtered = yield* engine.passFilters(
      new Unanswered(yield* newCallId, call, "count"),
      yield* router.plan(call.request.model)
    )
    const { plan, request } = filtered
    const { upstream, model } = plan.targets[0]
    // What the caller wrote is no longer what is asked.
    const origin = request === call.request ? call.origin : undefined
    const estimate = estimateInputTokens(request)
    const counted = upstream.countTokens?.({ request, model, origin })
    return yield* counted === undefined ? estimate : Effect.catchIf(counted, isNotServed, () => estimate)
  },
  Effect.catchTag("Ending", (ending): Effect.Effect<never, LlmError> => refusalOf(ending)),
  Effect.scoped
)

/** Servers speak an API without this part of it, or count for some of their models. */
const isNotServed = ({ reason }: LlmError): boolean =>
  (reason._tag === "Unsupported" && reason.feature === "counting tokens") ||
  (reason._tag === "InvalidRequest" && (reason.kind === "notFound" || reason.kind === "method"))
