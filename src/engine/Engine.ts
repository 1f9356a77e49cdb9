import { Cause, Clock, Context, Effect, Exit, Layer, Pull, Random, Scope, Stream } from "effect"
import { Admission, type Candidate } from "../accounting/Admission.ts"
import { Prices } from "../accounting/PriceBook.ts"
import { AuditTrail } from "../audit/AuditTrail.ts"
import type { Call, FinalRecord, Notice } from "../domain/Call.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { LimitState } from "../domain/RateLimit.ts"
import type { Frame } from "../domain/Frame.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { LlmResponse } from "../domain/LlmResponse.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { Roster } from "../domain/Roster.ts"
import { Filters, NamedFilters } from "../filters/Filter.ts"
import { headersWanted } from "../filters/headers.ts"
import type { Ending } from "../filters/Verdict.ts"
import { makeAttempts, type Surroundings } from "../routing/Attempts.ts"
import { begin } from "../routing/Rescue.ts"
import { Router, type RoutePlan } from "../routing/Router.ts"
import { TargetStates } from "../routing/TargetStates.ts"
import { Watchdog } from "../routing/Watchdog.ts"
import { type Answer, answerOf, type Asked, type FramePull } from "./Answer.ts"
import { newCallId } from "./CallId.ts"
import { CallObservers, tell } from "./CallObservers.ts"
import { drained } from "./Draining.ts"
import { asItWent, asRead, openRecordOf } from "./openRecord.ts"
import { type Seal, sealing } from "./sealing.ts"
import { reserve, reserveAnew } from "./reserve.ts"
import { settleUsage } from "./settleUsage.ts"
import { type CallDelivery, CallState } from "./CallState.ts"
import type { CancelledBy } from "./cancellation.ts"
import { filterCall, type Filtered, filteredAnswer, type Filtering, isFiltered, type Passing } from "./Filtering.ts"

/** A call that was admitted and is in the audit trail. It ends when the scope it was opened in closes. */
export interface OpenCall {
  readonly id: string
  /** Goes up to the commit point: fails while a failure can still be told with a status of its own. Run once. */
  readonly answer: Effect.Effect<Answer, LlmError>
  /** for whoever sends the answer */
  readonly delivery: CallDelivery
  /**
   * To be told that the caller left, there where the plan has the answer read on without it. True says that it is: keep the
   * scope open and read the answer to its end, which the plan bounds. False says that there is nothing to read.
   */
  readonly left: (() => boolean) | undefined
  /** There where the end of an answer waits for its record. */
  readonly seal: Seal | undefined
  /** Adds to the record what the caller should know, such as a part of the answer that its dialect cannot express. */
  readonly notice: (notice: Notice) => void
  /** whether filters changed the request, so far */
  readonly requestChanged: () => boolean
  /** what is left of the caller's limits */
  readonly limits: ReadonlyArray<LimitState>
  /** how many were asked so far, and who was the last, or answers */
  readonly asked: () => Asked
}

/** How a call that a program made itself went: its outcome, and the answer as far as it came. */
export interface CallResult {
  readonly id: string
  readonly outcome: Outcome
  readonly response: LlmResponse
}

/** Bounds of every call. `maxText` is in UTF-16 code units of generated text, reasoning and tool arguments. */
export const EngineLimits = Context.Reference<{ readonly maxText: number }>("millrace/engine/EngineLimits", {
  defaultValue: () => ({ maxText: 4 * 1024 * 1024 })
})

/** A call that can be ended from outside. */
export interface Cancellable {
  readonly call: Pick<Call, "caller">
  cancel(by: CancelledBy): void
}

/** A call that is in the audit trail, and what became of its request if it has filters. */
interface Admitted {
  readonly state: CallState
  readonly plan: RoutePlan
  readonly filtered: Exit.Exit<Filtered, LlmError | Ending> | undefined
}

/**
 * The life of a call, from the audit trail's opening to the one outcome that is recorded for it.
 */
export class Engine extends Context.Service<
  Engine,
  {
    /** Opens a call in the current scope; it is finalized, once, when that scope closes. */
    readonly open: (call: Call) => Effect.Effect<OpenCall, LlmError, Scope.Scope>
    /** The events of one call; it ends with the stream, whichever way that ends. */
    readonly stream: (call: Call) => Stream.Stream<LlmEvent, LlmError>
    /** Runs a call to its end and says how it went. Fails only where the call was not admitted. */
    readonly run: (call: Call) => Effect.Effect<CallResult, LlmError>
    /** Cancels an open call, where `key` is given only one of that key; false where there is none. */
    readonly cancel: (id: string, key?: string) => Effect.Effect<boolean>
    /** Cancels every open call because the process ends. */
    readonly shutdown: Effect.Effect<void>
    /** of a request's headers, those that its filters want to see: what `Call.headers` is to have, lower case */
    readonly headersWanted: ReadonlyArray<string>
    /**
     * Passes a request to which no answer comes through the request side of its filters. `unreadable` says why it does not
     * pass those that read what is said, where nobody here can read that. What filters hold open lives as long as the scope.
     */
    readonly passFilters: (
      passing: Passing,
      plan: RoutePlan,
      unreadable?: LlmError
    ) => Effect.Effect<Filtered, LlmError | Ending, Scope.Scope>
    /** Counts a call that runs beside the engine among the open ones, as long as the scope is open. */
    readonly attend: (id: string, call: Cancellable) => Effect.Effect<void, never, Scope.Scope>
    /** how many calls are open */
    readonly active: Effect.Effect<number>
  }
>()("millrace/engine/Engine") {
  static readonly layer: Layer.Layer<Engine, never, AuditTrail | Router> = Layer.effect(
    Engine,
    Effect.gen(function* () {
      const audit = yield* AuditTrail
      const router = yield* Router
      const observers = yield* CallObservers
      const { maxText } = yield* EngineLimits
      const admission = yield* Admission
      const prices = yield* Prices
      const clock = yield* Clock.Clock
      const sealOf = sealing(audit, prices, clock)
      const random = yield* Random.Random
      const surroundings: Surroundings = {
        watchdog: yield* Watchdog.make,
        clock,
        random: () => random.nextDoubleUnsafe(),
        states: yield* TargetStates.shared
      }
      const calls = new Roster<Cancellable>()

      const everyCall = yield* Filters
      const named = yield* NamedFilters
      const filtering: Filtering = {
        everyCall,
        named,
        headersWanted: headersWanted([...everyCall, ...named.values()]),
        plan: router.plan,
        begin: ({ request, plan }, state, scope) =>
          begin(state, makeAttempts(state, plan, scope, surroundings), request),
        ask: (state) => (request) =>
          Effect.flatMap(
            run({ request, delivery: "whole", caller: state.call.caller, askedBy: askerOf(state) }),
            ({ outcome, response }) =>
              outcome._tag === "Completed"
                ? Effect.succeed(response)
                : failure({ _tag: "UpstreamServer" }, `The model ${request.model} did not answer`)
          )
      }

      const answer = ({ state, plan, filtered }: Admitted, scope: Scope.Scope): Effect.Effect<Answer, LlmError> =>
        filtered === undefined
          ? Effect.map(
              begin(state, makeAttempts(state, plan, scope, surroundings), state.call.request),
              ({ target, frames }) => answerOf(state, target, recorded(state, frames))
            )
          : filteredAnswer(filtering, state, plan, filtered, scope)

      const record = (state: CallState) =>
        Effect.suspend(() => {
          state.opening = true
          return Effect.mapBoth(audit.open(openRecordOf(state)), {
            onSuccess: () => {
              state.admitted = true
            },
            onFailure: (error) => {
              state.wasRefused = true
              return error
            }
          })
        })

      const ended = (state: CallState) =>
        state.wasRefused
          ? Effect.sync(() => state.reservation?.settle(undefined))
          : state.sealed !== undefined
            ? recordEnd(state, state.sealed)
            : Effect.flatMap(settleUsage(state, prices), () =>
                recordEnd(state, state.finalRecord(clock.currentTimeMillisUnsafe()))
              )

      const recordEnd = (state: CallState, record: FinalRecord) => {
        state.reservation?.settle(record)
        const finalized = audit.finalize(record)
        if (observers.length === 0 || !state.admitted) return finalized
        const { id, openedAt } = state
        return Effect.andThen(finalized, tell(observers, { id, call: asItWent(state), openedAt, record }))
      }

      const finalize = (state: CallState, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
        calls.remove(state.id)
        if (state.reservation === undefined) return Effect.void
        if (Exit.isFailure(exit)) state.broke(exit.cause)
        // A call that ends while its filters look at the request has its record all the same.
        return state.opening
          ? ended(state)
          : Effect.andThen(
              Effect.ignore(record(state)),
              Effect.suspend(() => ended(state))
            )
      }

      const admit = Effect.fnUntraced(function* (call: Call, scope: Scope.Scope): Effect.fn.Return<Admitted, LlmError> {
        const plan = yield* router.plan(call.request.model)
        const state = new CallState(yield* newCallId, call, clock.currentTimeMillisUnsafe(), maxText)
        // First of all: a call whose client leaves while the trail writes is open, and needs its ending.
        yield* Scope.addFinalizerExit(scope, (exit) => finalize(state, exit))
        yield* reserve(admission, state, candidate(state, plan))
        calls.add(state.id, state)
        // Before the call is recorded: what filters hide stands in no record.
        const filtered = isFiltered(filtering, state, plan)
          ? yield* Effect.exit(filterCall(filtering, state, plan, scope))
          : undefined
        if (filtered !== undefined && call.origin !== undefined) state.origin = asRead(call.origin)
        if (filtered !== undefined && Exit.isSuccess(filtered) && state.request.model !== call.request.model) {
          yield* reserveAnew(admission, state, candidate(state, filtered.value.plan))
        }
        yield* record(state)
        return { state, plan, filtered }
      })

      const open = Effect.fnUntraced(function* (call: Call) {
        const scope = yield* Effect.scope
        const admitted = yield* admit(call, scope)
        const { state, plan } = admitted
        return {
          id: state.id,
          answer: Effect.mapError(answer(admitted, scope), state.failed),
          left: plan.drain === undefined ? undefined : yield* drained(state, plan.drain, surroundings.watchdog, scope),
          delivery: state.delivery,
          seal: sealOf?.(state),
          limits: state.reservation?.states?.(clock.currentTimeMillisUnsafe()) ?? [],
          notice: state.notice,
          requestChanged: () => state.request !== call.request,
          asked: () => state.asked
        } satisfies OpenCall
      })

      const events = (opened: OpenCall) =>
        Stream.unwrap(Effect.map(opened.answer, ({ frames }) => heldBack(frames, opened))).pipe(
          Stream.map((frame) => frame.events),
          Stream.flattenIterable,
          Stream.concat(
            Stream.suspend(() => {
              opened.delivery.complete = true
              return Stream.empty
            })
          )
        )

      const cancel = (state: Cancellable, by: CancelledBy) => Effect.sync(() => state.cancel(by))

      const runToEnd = Effect.fnUntraced(function* (call: Call) {
        const scope = yield* Effect.scope
        const admitted = yield* admit(call, scope)
        const { state } = admitted
        yield* answer(admitted, scope).pipe(
          Effect.mapError(state.failed),
          Effect.flatMap(({ pull }) => drain(pull)),
          Effect.ignore
        )
        state.delivery.complete = true
        if (sealOf !== undefined) yield* Effect.ignore(sealOf(state)())
        return state
      })

      const run = Effect.fnUntraced(function* (call: Call): Effect.fn.Return<CallResult, LlmError> {
        const state = yield* Effect.scoped(runToEnd(call))
        const { outcome } = state.sealed ?? state.finalRecord(clock.currentTimeMillisUnsafe())
        return { id: state.id, outcome, response: state.response() }
      })

      return Engine.of({
        open,
        stream: (call) => Stream.unwrap(Effect.map(open(call), events)),
        run,
        cancel: (id, key) =>
          Effect.suspend(() => {
            const state = calls.get(id)
            const isMeant = state !== undefined && (key === undefined || state.call.caller.key === key)
            return !isMeant ? Effect.succeed(false) : Effect.as(cancel(state, "caller"), true)
          }),
        shutdown: Effect.suspend(() =>
          Effect.forEach(calls.all, (state) => cancel(state, "shutdown"), { discard: true })
        ),
        headersWanted: filtering.headersWanted,
        passFilters: (passing, plan, unreadable) =>
          Effect.flatMap(Effect.scope, (scope) => filterCall(filtering, passing, plan, scope, unreadable)),
        attend: (id, call) =>
          Effect.acquireRelease(
            Effect.sync(() => calls.add(id, call)),
            () => Effect.sync(() => void calls.remove(id))
          ),
        active: Effect.sync(() => calls.size)
      })
    })
  )
}

const askerOf = ({ call, handedTo, id }: Parameters<Filtering["ask"]>[0]) => ({
  call: id,
  models: [call.request.model, ...handedTo]
})

const candidate = ({ call, openedAt, request }: CallState, { targets }: RoutePlan): Candidate => ({
  caller: call.caller,
  model: call.request.model,
  ...(request.model === call.request.model ? {} : { chosen: request.model }),
  at: openedAt,
  targets,
  request,
  ...(call.askedBy === undefined ? {} : { askedBy: call.askedBy.call })
})

/** The frames, the last one when the record of that end is written, where it waits for that. */
const heldBack = (frames: Stream.Stream<Frame, LlmError>, { delivery, seal }: OpenCall): typeof frames =>
  seal === undefined
    ? frames
    : Stream.mapEffect(frames, (frame) => {
        if (frame.events.at(-1)?._tag !== "Finish") return Effect.succeed(frame)
        delivery.complete = true
        return Effect.onError(Effect.as(seal(), frame), () => Effect.sync(() => void (delivery.complete = false)))
      })

const drain = (pull: FramePull): Effect.Effect<void, LlmError> => {
  const next: FramePull<LlmError> = Effect.flatMap(pull, () => next)
  return Pull.catchDone(next, () => Effect.void)
}

/** Writes the answer into the call's state as it leaves; ends it where a limit cuts it. */
const recorded = (state: CallState, pull: FramePull): FramePull => {
  const taken: FramePull = Effect.matchEffect(pull, {
    onSuccess: (batch) => Effect.succeed(state.take(batch)),
    onFailure: (error): FramePull => (Cause.isDone(error) ? Cause.done() : state.failed(error))
  })
  return Effect.suspend((): FramePull => {
    if (!state.cut) return taken
    return state.spent === undefined ? Cause.done() : Effect.fail(state.spent)
  })
}
