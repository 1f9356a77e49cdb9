import { Cause, Effect, type Exit, type Scope } from "effect"
import { appendAll, isReadonlyArrayNonEmpty } from "effect/Array"
import type { Call } from "../domain/Call.ts"
import type { Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import { isContent } from "../domain/LlmEvent.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import { chainOf, filterFrames } from "../filters/Chain.ts"
import type { Filter, FilterContext } from "../filters/Filter.ts"
import { FilterFault, noteFailure } from "../filters/FilterFault.ts"
import { pickHeaders } from "../filters/headers.ts"
import { requestSide } from "../filters/requestSide.ts"
import { type Ending, isEnding } from "../filters/Verdict.ts"
import type { Begun } from "../routing/Rescue.ts"
import type { RoutePlan, Router } from "../routing/Router.ts"
import { type Answer, answerOf, type FramePull } from "./Answer.ts"
import type { CallState } from "./CallState.ts"
import type { FilterNotes } from "./FilterNotes.ts"

/** The filters there are, and what they need of the engine. */
export interface Filtering {
  readonly everyCall: ReadonlyArray<Filter>
  readonly named: ReadonlyMap<string, Filter>
  /** the request headers that they want to see */
  readonly headersWanted: ReadonlyArray<string>
  /** where the models go that a filter chooses */
  readonly plan: Router["Service"]["plan"]
  /** asks the targets of a plan, up to the commit point */
  readonly begin: (filtered: Filtered, state: CallState, scope: Scope.Scope) => Effect.Effect<Begun, LlmError>
  /** asks a model on behalf of a filter of that call */
  readonly ask: (asker: Pick<Passing, "id" | "call" | "handedTo">) => FilterContext["ask"]
}

/** What passes filters: a call, or a request that no answer comes to. `request` is what they made of it so far. */
export interface Passing {
  readonly id: string
  readonly call: Call
  readonly wants: FilterContext["wants"]
  readonly filterNotes: FilterNotes
  request: LlmRequest
  /** the models that filters gave it to so far */
  readonly handedTo: ReadonlyArray<string>
  /** Notes that a filter gives it to another model; false where that was done too often already. */
  handOver(ending: Ending): boolean
}

/** A request on its way through the filters: where it goes by now, and which filters its answer will pass. */
export interface Filtered {
  readonly request: LlmRequest
  readonly plan: RoutePlan
  readonly filters: ReadonlyArray<Filter>
  readonly context: FilterContext
  /** why it cannot pass who reads what is said, where nobody here can read that */
  readonly unreadable?: LlmError
}

/** Whether any filter applies to a call of the plan. What a filter asks itself is not filtered. */
export const isFiltered = ({ everyCall }: Filtering, { call }: CallState, plan: RoutePlan): boolean =>
  call.askedBy === undefined && (everyCall.length > 0 || call.filters !== undefined || plan.filters !== undefined)

const contextOf = ({ ask, headersWanted }: Filtering, passing: Passing, scope: Scope.Scope): FilterContext => {
  const { call, id, filterNotes, wants } = passing
  return {
    wants,
    callId: id,
    requestId: call.requestId,
    dialect: call.dialect,
    delivery: call.delivery,
    caller: call.caller,
    conversation: call.conversation,
    headers: pickHeaders(call.headers ?? {}, headersWanted),
    scope,
    report: filterNotes.report,
    failed: filterNotes.failed,
    ask: ask(passing)
  }
}

/** Passes a call's request through the filters of every call, of its key, and of its model. */
export const filterCall = Effect.fnUntraced(function* (
  filtering: Filtering,
  passing: Passing,
  plan: RoutePlan,
  scope: Scope.Scope,
  unreadable?: LlmError
): Effect.fn.Return<Filtered, LlmError | Ending> {
  const { request, filters = [] } = passing.call
  const chain = yield* chainOf(filtering.everyCall, filtering.named, [...filters, ...(plan.filters ?? [])])
  const context = contextOf(filtering, passing, scope)
  const filtered = { request, plan, filters: chain, context, ...(unreadable === undefined ? {} : { unreadable }) }
  return yield* passRequest(filtering, passing, filtered, 0)
})

/** The answer to a request that passed its filters, or did not. `plan` is where it would have gone without them. */
export const filteredAnswer = (
  filtering: Filtering,
  state: CallState,
  plan: RoutePlan,
  passed: Exit.Exit<Filtered, LlmError | Ending>,
  scope: Scope.Scope
): Effect.Effect<Answer, LlmError> =>
  Effect.matchEffect(passed, {
    onSuccess: (filtered) => answerTo(filtering, state, filtered, scope),
    onFailure: (error) => {
      if (!isEnding(error)) return error
      return error.verdict._tag === "Refuse" && error.verdict.as === "answer"
        ? Effect.succeed(answerOf(state, plan.targets[0], endedByFilters(state, Effect.fail(error), Effect.die)))
        : state.refused(error)
    }
  })

const answerTo = Effect.fnUntraced(function* (
  filtering: Filtering,
  state: CallState,
  passed: Filtered,
  scope: Scope.Scope
): Effect.fn.Return<Answer, LlmError> {
  const begin = Effect.fnUntraced(function* (filtered: Filtered) {
    const begun = yield* filtering.begin(filtered, state, scope)
    const { filters, request, context } = filtered
    if (filters.some(({ changes, events }) => events !== undefined && changes !== false)) {
      state.filterNotes.isChanged = true
    }
    const frames = yield* filterFrames(filters, request, context, begun.frames, scope)
    return { target: begun.target, frames }
  })
  const { target, frames } = yield* begin(passed)
  const next = Effect.fnUntraced(function* (model: string) {
    const { target, frames } = yield* Effect.flatMap(handOver(filtering, state, passed, model), begin)
    Object.assign(answer, { target, attempts: state.allAttempts.length })
    return frames
  })
  const answer = answerOf(state, target, endedByFilters(state, frames, next))
  return answer
})

/** Hands a call to another model. Of the filters, only those that this model brings see the request: the others did. */
const handOver = Effect.fnUntraced(function* (
  filtering: Filtering,
  state: CallState,
  { filters, ...filtered }: Filtered,
  target: string
): Effect.fn.Return<Filtered, LlmError | Ending> {
  const plan = yield* filtering.plan(target)
  const chain = yield* chainOf(filters, filtering.named, plan.filters ?? [])
  const request = { ...filtered.request, model: target }
  return yield* passRequest(filtering, state, { ...filtered, request, plan, filters: chain }, filters.length)
})

/** A model that a filter chooses is looked up anew, and brings its own filters. */
const passRequest = Effect.fnUntraced(function* (
  filtering: Filtering,
  passing: Passing,
  filtered: Filtered,
  from: number
): Effect.fn.Return<Filtered, LlmError | Ending> {
  const { context, unreadable } = filtered
  let { request, plan, filters } = filtered
  for (let at = from; at < filters.length; at++) {
    const before = request
    const filter = filters[at]!
    if (unreadable !== undefined && (yield* cannotRead(filter, context, unreadable))) continue
    request = yield* requestSide(filter, before, context).pipe(
      Effect.catchTag("Ending", (ending) =>
        ending.verdict._tag === "HandOff" && passing.handOver(ending)
          ? Effect.succeed({ ...before, model: ending.verdict.target })
          : ending
      )
    )
    passing.request = request
    if (request.model === before.model) continue
    plan = yield* filtering.plan(request.model)
    filters = yield* chainOf(filters, filtering.named, plan.filters ?? [])
  }
  return { request, plan, filters, context }
})

/** Whether a request passes a filter because nobody here can read it; fails where the filter is to see all that passes. */
const cannotRead = (filter: Filter, context: FilterContext, unreadable: LlmError): Effect.Effect<boolean, LlmError> => {
  if (filter.request === undefined || filter.readsText === false) return Effect.succeed(false)
  const fault = new FilterFault({ kind: "unavailable", message: unreadable.message })
  return Effect.andThen(
    noteFailure(filter, "request", context, Cause.fail(fault)),
    filter.onFailure === "open" ? Effect.succeed(true) : unreadable
  )
}

const hasContentOrEnd = (frame: Frame): boolean =>
  frame.events.some((event) => event._tag === "Finish" || isContent(event))

/**
 * The frames of an answer as they may leave. Until a filter has released content nothing does, so that a refusal can still
 * be told as an error, and the call be handed to another model; a filter's verdict after that ends the answer.
 *
 * `next` begins the answer of another model, or fails.
 */
const endedByFilters = (
  state: CallState,
  frames: FramePull<LlmError | Ending>,
  next: (target: string) => Effect.Effect<typeof frames, LlmError | Ending>
): FramePull => {
  let current = frames
  let held: Array<Frame> | undefined = []
  const release = (frames: ReadonlyArray<Frame>): FramePull =>
    isReadonlyArrayNonEmpty(frames) ? Effect.succeed(state.take(frames)) : Cause.done()
  const pulled: FramePull = Effect.suspend(() =>
    state.cut
      ? Cause.done()
      : Effect.matchEffect(current, {
          onSuccess: (batch) => {
            if (held === undefined) return release(batch)
            for (const frame of batch) held.push(frame)
            if (!batch.some(hasContentOrEnd)) return pulled
            const all = held
            held = undefined
            return release(all)
          },
          onFailure: (error) => {
            if (isEnding(error)) return end(error)
            if (!Cause.isDone(error)) return state.failed(error)
            const left = held ?? []
            held = undefined
            return release(left)
          }
        })
  )
  const end = (ending: Ending): FramePull => {
    const { verdict } = ending
    if (held !== undefined && verdict._tag === "HandOff" && state.handOver(ending)) {
      return Effect.matchEffect(next(verdict.target), {
        onFailure: (error) => (isEnding(error) ? end(error) : state.failed(error)),
        onSuccess: (frames) => {
          current = frames
          held = []
          return pulled
        }
      })
    }
    if (held !== undefined && verdict._tag === "Refuse" && verdict.as === "error") return state.refused(ending)
    const left = held ?? []
    return Effect.sync(() => {
      const taken = isReadonlyArrayNonEmpty(left) ? state.take(left) : []
      return appendAll(taken, [state.closeWith(ending)])
    })
  }
  return pulled
}
