import { Clock, Effect } from "effect"
import { flatMap, isReadonlyArrayNonEmpty as isNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import { Admission, type Candidate } from "../accounting/Admission.ts"
import { estimateInputTokens } from "../accounting/TokenEstimate.ts"
import type { Call } from "../domain/Call.ts"
import type { LlmError } from "../domain/LlmError.ts"
import { newCallId } from "../engine/CallId.ts"
import { Engine } from "../engine/Engine.ts"
import { type Holder, reserve } from "../engine/reserve.ts"
import { Unanswered } from "../engine/Unanswered.ts"
import { refusalOf } from "../engine/verdicts.ts"
import { Router, type RoutePlan, type Target } from "../routing/Router.ts"
import type { CountRequest } from "../routing/Upstream.ts"

/**
 * The input tokens of a request, as its filters leave it: as the provider of its first target counts them, or of the next one
 * where that cannot be asked now; an estimate where it does not count.
 */
export const countTokens = Effect.fnUntraced(
  function* (call: Call) {
    const router = yield* Router
    const engine = yield* Engine
    const intended = yield* router.plan(call.request.model)
    yield* checkRoom(call, intended)
    const filtered = yield* engine.passFilters(new Unanswered(yield* newCallId, call, "count"), intended)
    const { plan, request } = filtered
    // What the caller wrote is no longer what is asked.
    const origin = request === call.request ? call.origin : undefined
    return yield* countAt(flatMap(plan.targets, byEachKey), { request, origin })
  },
  Effect.catchTag("Ending", (ending): Effect.Effect<never, LlmError> => refusalOf(ending)),
  Effect.scoped
)

const byEachKey = (target: Target): NonEmptyReadonlyArray<Target> => target.keys ?? [target]

const countAt = (
  [{ model, upstream }, ...others]: NonEmptyReadonlyArray<Target>,
  asked: Omit<CountRequest, "model">
): Effect.Effect<number, LlmError> => {
  const estimate = estimateInputTokens(asked.request)
  const counted = upstream.countTokens?.({ ...asked, model })
  if (counted === undefined) return estimate
  return Effect.catch(counted, (error) => {
    if (isNotServed(error)) return estimate
    return isNonEmpty(others) && error.class !== "request-permanent" ? countAt(others, asked) : Effect.fail(error)
  })
}

/** Nobody sets off filters, some of which ask models, who has used up what it may. Nothing of it is used here. */
const checkRoom = Effect.fnUntraced(function* ({ caller, request: { model } }: Call, { targets }: RoutePlan) {
  const at = yield* Clock.currentTimeMillis
  const candidate: Candidate = { caller, model, at, targets, request: { inputLength: 1 }, isAside: true }
  const holder: Holder = { reservation: undefined }
  yield* reserve(yield* Admission, holder, candidate)
  holder.reservation?.settle(undefined)
})

/** Servers speak an API without this part of it, or count for some of their models. */
const isNotServed = ({ reason }: LlmError): boolean =>
  (reason._tag === "Unsupported" && reason.feature === "counting tokens") ||
  (reason._tag === "InvalidRequest" && (reason.kind === "notFound" || reason.kind === "method"))
