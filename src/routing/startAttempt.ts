import { Cause, Channel, Effect, Exit, Pull, Scope, Stream } from "effect"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import type { Frame } from "../domain/Frame.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { isContent } from "../domain/LlmEvent.ts"
import { type Attempt, type AttemptRequest, type Committed, sizeOf } from "./Attempt.ts"
import { describedIn } from "./describedIn.ts"
import type { UpstreamRequest } from "./Upstream.ts"

const hasContent = ({ events }: Frame): boolean => events.some(isContent)
const hasEnd = ({ events }: Frame): boolean => events.some(({ _tag }) => _tag === "Finish")

/** How much may come before the commit point, in characters: what is held back until then has to be bounded. */
const maxHeld = 16 * 1024 * 1024

/**
 * Starts the attempt in `scope` and waits for the commit point: the first content, or an answer that is complete without
 * any. An answer that is collected commits at its end, or at its first content where it is too long to be held. A
 * failure before it is the failure of the effect. Closing the scope gives the attempt up and frees what it holds.
 */
export const start = (
  attempt: Attempt,
  { request, delivery, collected = false, dialect, origin, notice }: AttemptRequest,
  scope: Scope.Closeable
): Effect.Effect<Committed, LlmError> =>
  Effect.suspend(() => {
    const { target } = attempt
    attempt.watchdog.watch(attempt)
    // It may have come too late to begin.
    if (attempt.isOver) return commit(attempt, collected, scope)
    const observer = attempt.observer(notice)
    const asked: UpstreamRequest = { request, model: target.model, delivery, dialect, origin, observer }
    const begun = target.upstream.feed === undefined ? read(attempt, asked, scope) : feed(attempt, asked, scope)
    return Effect.flatMap(
      Effect.catchDefect(begun, (defect) => broke(attempt, defect)),
      () => commit(attempt, collected, scope)
    )
  })

/** An upstream that could not even begin ends as one that breaks later. */
const broke = (attempt: Attempt, defect: unknown): Effect.Effect<void> => {
  const exit = Exit.die(defect)
  attempt.end(exit)
  return logDefects(attempt.target.provider, exit)
}

/** Lets the provider's connection feed the attempt itself. */
const feed = (attempt: Attempt, request: UpstreamRequest, scope: Scope.Scope): Effect.Effect<void> =>
  Effect.flatMap(
    Scope.addFinalizer(
      scope,
      Effect.sync(() => {
        if (!attempt.isOver) attempt.giveUp()
      })
    ),
    () => {
      attempt.feed = attempt.target.upstream.feed?.(request, attempt)
      return Effect.void
    }
  )

/** Reads the provider's stream to its end in a fiber. */
const read = (attempt: Attempt, request: UpstreamRequest, scope: Scope.Scope): Effect.Effect<void> => {
  const { provider, upstream } = attempt.target
  const streamScope = Scope.makeUnsafe()
  const stream = Stream.suspend(() => upstream.stream(request))
  return Channel.toPullScoped(Stream.toChannel(stream), streamScope).pipe(
    Effect.flatMap((pull) => acceptAll(attempt, pull)),
    Effect.onExit((exit) => Effect.andThen(Scope.close(streamScope, exit), () => logDefects(provider, exit))),
    Effect.forkIn(scope, { startImmediately: true }),
    Effect.map((producer) => {
      attempt.producer = producer
      // Not in the fiber's own last step: who reads the end often ends the call at once, and would have to interrupt a
      // fiber that is about to exit, and to wait for it.
      producer.addObserver((exit) => attempt.end(exit))
    })
  )
}

const acceptAll = (
  attempt: Attempt,
  pull: Pull.Pull<NonEmptyReadonlyArray<Frame>, LlmError>
): Effect.Effect<void, LlmError> => {
  const waited = Effect.map(attempt.intake.room, attempt.resumed)
  const next: Pull.Pull<void, LlmError> = Effect.flatMap(pull, (batch) =>
    attempt.accept(batch) ? next : Effect.flatMap(waited, () => next)
  )
  return Pull.catchDone(next, () => Effect.void)
}

const logDefects = (provider: string, exit: Exit.Exit<void, LlmError>): Effect.Effect<void> =>
  Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause) && describedIn(exit.cause) === undefined
    ? Effect.logError(`Upstream ${provider} failed unexpectedly`, exit.cause)
    : Effect.void

const commit = (attempt: Attempt, collected: boolean, scope: Scope.Closeable): Effect.Effect<Committed, LlmError> => {
  const { take } = attempt.intake
  const held: Array<Frame> = []
  let size = 0
  let hasBegun = false
  const next: Pull.Pull<Committed, LlmError> = Effect.flatMap(take, (batch) => {
    for (const frame of batch) {
      held.push(frame)
      size += sizeOf(frame)
    }
    hasBegun ||= batch.some(hasContent)
    const isReady = (hasBegun && (!collected || size > maxHeld)) || batch.some(hasEnd)
    if (isReady && isReadonlyArrayNonEmpty(held)) {
      return Effect.succeed({ attempt, held, rest: take, giveUp: Scope.close(scope, Exit.void) })
    }
    if (size <= maxHeld) return next
    const error = failure({ _tag: "InvalidOutput", kind: "tooMuch" }, "The provider sent too much before its answer")
    attempt.fail(error)
    return error
  })
  // Before the commit point the stream cannot be done: `ended` turns an early end into a failure.
  return Pull.catchDone(next, () => Effect.die("an attempt ended before its commit point"))
}
