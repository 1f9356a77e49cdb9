import { Cause, type Clock, Duration, Effect, Exit } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { type CircuitRefused, guarded } from "./Circuits.ts"
import { Course, type Candidate, type CourseFor, type Move } from "./Course.ts"
import { hedged } from "./Hedge.ts"
import { type InFlight, waitInLine } from "./InFlight.ts"
import type { Target } from "./Router.ts"

/** What a call has to have done by one of its targets, and what it says while it goes on. */
export interface Work<A> extends CourseFor {
  readonly clock: Clock.Clock
  /** the failure that stands for a call that was cancelled: nobody is asked for it any more */
  readonly cancelled: () => LlmError | undefined
  /** ends a wait as soon as the call is cancelled */
  readonly whileOpen: <B>(wait: Effect.Effect<B>) => Effect.Effect<B, LlmError>
  /**
   * Asks one target. `waitedMs` is how long the call waited for it, `release` is to be called once it is let go, with its
   * failure if it failed.
   */
  readonly ask: (target: Target, waitedMs: number, release: Release) => Effect.Effect<A, LlmError>
  /** lets an answer go that came beside another one */
  readonly discard: (answer: A) => Effect.Effect<void>
}

export type Release = (failure?: LlmError) => void

/**
 * What became of an attempt. Nobody was asked where it was refused, because all that might be are busy or left alone, or
 * where it was put off, because what is known of the targets is another thing after the wait for a place.
 */
export type Attempted<A> =
  | { readonly _tag: "Answered"; readonly candidate: Candidate; readonly answer: A }
  | { readonly _tag: "Failed"; readonly candidate: Candidate; readonly error: LlmError }
  | { readonly _tag: "Refused"; readonly candidates: ReadonlyArray<Candidate>; readonly error: LlmError }
  | { readonly _tag: "PutOff" }

/**
 * Asks targets until one answers: choose, wait, let in (concurrency, circuit), ask, decide by the failure what is next.
 * Fails with what is worth telling of what went wrong.
 */
export const failover = Effect.fnUntraced(function* <A>(work: Work<A>): Effect.fn.Return<A, LlmError> {
  const { clock } = work
  const course = new Course(work)
  let waitedSince: number | undefined
  for (;;) {
    const cancelled = work.cancelled()
    if (cancelled !== undefined) return yield* cancelled
    const now = clock.currentTimeMillisUnsafe()
    const move = course.next(now)
    if (move._tag === "End") return yield* move.error
    if (move._tag === "Wait") {
      waitedSince ??= now
      yield* work.whileOpen(clock.sleep(Duration.millis(move.millis)))
      continue
    }
    if (move._tag === "Queue") waitedSince ??= now
    for (const attempted of yield* attempts(work, course, move, waitedSince)) {
      switch (attempted._tag) {
        case "Answered":
          return attempted.answer
        case "Refused":
          course.refuse(attempted.candidates, attempted.error)
          break
        case "Failed":
          waitedSince = undefined
          course.fail(attempted.candidate, attempted.error, clock.currentTimeMillisUnsafe())
      }
    }
  }
})

const attempts = <A>(
  work: Work<A>,
  course: Course,
  move: Exclude<Move, { readonly _tag: "Wait" | "End" }>,
  waitedSince: number | undefined
): Effect.Effect<ReadonlyArray<Attempted<A>>, LlmError> => {
  const first = attempt(work, course, move, waitedSince)
  const { hedgeAfter } = course.policy
  if (hedgeAfter === undefined || move._tag === "Queue") return Effect.map(first, (attempted) => [attempted])
  return hedged(first, hedgeAfter, work.discard, () => {
    const candidate = course.beside(move.candidate, work.clock.currentTimeMillisUnsafe())
    return candidate === undefined ? undefined : attempt(work, course, { _tag: "Ask", candidate }, undefined)
  })
}

/**
 * One attempt, from the place in line on. It holds its place, and the circuit's trial, until the provider is let go: so
 * that neither is lost, nothing but the waiting itself can be interrupted.
 */
const attempt = <A>(
  work: Work<A>,
  course: Course,
  move: Exclude<Move, { readonly _tag: "Wait" | "End" }>,
  waitedSince: number | undefined
): Effect.Effect<Attempted<A>, LlmError> =>
  Effect.uninterruptibleMask((restore) => {
    if (move._tag === "Ask") {
      move.candidate.whole.slots.take()
      return letIn(work, course, move.candidate, waitedSince, restore)
    }
    return Effect.flatMap(placeInLine(work, move, restore), (line) => {
      const now = work.clock.currentTimeMillisUnsafe()
      if (line === undefined) return Effect.succeed(unplaced<A>(move, now))
      const candidate = course.readyAt(line, move.candidates, now)
      if (candidate !== undefined) return letIn(work, course, candidate, waitedSince, restore)
      line.release()
      return Effect.succeed<Attempted<A>>({ _tag: "PutOff" })
    })
  })

type Restore = <B, E>(effect: Effect.Effect<B, E>) => Effect.Effect<B, E>
type Queue = Extract<Move, { readonly _tag: "Queue" }>

/** Why nobody was asked who waited in line: something else can be done by now, or all were busy for too long. */
const unplaced = <A>({ candidates, until }: Queue, now: number): Attempted<A> =>
  now >= until ? { _tag: "PutOff" } : { _tag: "Refused", candidates, error: allBusy(candidates) }

/** The line in which there was a place; undefined where too many wait already, or the wait took too long. */
const placeInLine = <A>(
  work: Work<A>,
  { candidates, since, until }: Queue,
  restore: Restore
): Effect.Effect<InFlight | undefined, LlmError> => {
  const now = work.clock.currentTimeMillisUnsafe()
  const open = candidates.filter(({ whole, target }) => whole.slots.queued < (target.limits?.queue ?? 0))
  if (open.length === 0) return Effect.undefined
  const longest = Math.max(...open.map(({ target }) => target.limits?.maxWait ?? 0))
  const patience = Math.max(0, Math.min(since + longest, until, work.deadline) - now)
  return waitInLine(
    open.map(({ whole }) => whole.slots),
    (wait) =>
      restore(work.whileOpen(Effect.timeoutOrElse(wait, { duration: patience, orElse: () => Effect.undefined })))
  )
}

const letIn = <A>(
  work: Work<A>,
  course: Course,
  candidate: Candidate,
  waitedSince: number | undefined,
  restore: Restore
): Effect.Effect<Attempted<A>> => {
  const { clock } = work
  const { target, state, whole } = candidate
  const givenUp = () => work.cancelled() !== undefined
  let held = true
  let isAnswered = false
  let brokeOff = false
  const release: Release = (failure) => {
    if (!held) return
    held = false
    brokeOff = failure !== undefined
    if (isAnswered && brokeOff) countFailure(candidate)
    whole.slots.release()
  }
  const asked = Effect.suspend(() => {
    const cancelled = work.cancelled()
    if (cancelled !== undefined) return cancelled
    const startedAt = clock.currentTimeMillisUnsafe()
    course.asked(candidate)
    return Effect.onExit(
      restore(work.ask(target, waitedSince === undefined ? 0 : startedAt - waitedSince, release)),
      (exit) =>
        Effect.sync(() => {
          const now = clock.currentTimeMillisUnsafe()
          if (Exit.isSuccess(exit)) {
            isAnswered = true
            // It may have failed already, with what came before that still to be read.
            if (brokeOff) countFailure(candidate)
            state.hasAnswered = whole.hasAnswered = true
            whole.answered(now - startedAt, now)
            if (work.session !== undefined) work.states.affinity.remember(work.session, candidate, now)
            return
          }
          const error = Cause.findErrorOption(exit.cause)
          if (error._tag === "None") return
          learn(candidate, error.value, now)
          if (givenUp()) return
          countFailure(candidate)
          whole.failed(error.value, now - startedAt, now)
        })
    )
  })
  const now = () => clock.currentTimeMillisUnsafe()
  return guarded(work.states.circuits, state.circuit, course.policy.breaker, now, givenUp, asked).pipe(
    Effect.onError(() => Effect.sync(() => release())),
    Effect.match({
      onSuccess: (answer): Attempted<A> => ({ _tag: "Answered", candidate, answer }),
      onFailure: (error: LlmError | CircuitRefused): Attempted<A> =>
        error._tag === "CircuitRefused"
          ? { _tag: "Refused", candidates: [candidate], error: error.error }
          : { _tag: "Failed", candidate, error }
    })
  )
}

/** Leaves a target alone that wants to be. Done before its place is another's, who goes by it. */
const learn = ({ state }: Candidate, error: LlmError, now: number): void => {
  const { retryAfterMs: hint = 0 } = error
  if (hint > 0 && (error.class === "busy" || error.class === "transient")) state.rest(error, hint, now)
}

const countFailure = ({ state, whole }: Candidate): void => {
  whole.failures++
  if (state !== whole) state.failures++
}

const allBusy = (candidates: NonEmptyReadonlyArray<Candidate>): LlmError =>
  failure(
    { _tag: "NoRoute" },
    `${candidates.map(({ whole }) => whole.name).join(", ")}: as many calls as may be are being answered; try again soon`,
    { retryAfterMs: 1000 }
  )
