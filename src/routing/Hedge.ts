import { Effect, Exit, Fiber, Option, type Scope } from "effect"
import type { LlmError } from "../domain/LlmError.ts"
import type { Attempted } from "./Failover.ts"

type Run<A> = Effect.Effect<Attempted<A>, LlmError>

/**
 * Runs `first`, and after so many milliseconds without its end what `second` gives as well. The first answer wins, a
 * failure does not while the other goes on; the loser is given up. Returns what ended, an answer last. Whoever leaves
 * while they run has ended both.
 */
export const hedged = <A>(...how: Parameters<typeof raced<A>>) => Effect.scoped(raced(...how))

const raced = Effect.fnUntraced(function* <A>(
  first: Run<A>,
  afterMillis: number,
  discard: (answer: A) => Effect.Effect<void>,
  second: () => Run<A> | undefined
): Effect.fn.Return<ReadonlyArray<Attempted<A>>, LlmError, Scope.Scope> {
  const one = yield* Effect.forkScoped(first, { startImmediately: true })
  const early = yield* Effect.timeoutOption(Fiber.await(one), afterMillis)
  if (Option.isSome(early)) return [yield* early.value]
  const beside = second()
  if (beside === undefined) return [yield* Fiber.join(one)]
  const other = yield* Effect.forkScoped(beside, { startImmediately: true })
  const [exit, loser] = yield* Effect.raceFirst(
    Effect.map(Fiber.await(one), (exit) => [exit, other] as const),
    Effect.map(Fiber.await(other), (exit) => [exit, one] as const)
  )
  if (Exit.isFailure(exit) || exit.value._tag !== "Answered") {
    const ended = yield* exit
    return [ended, yield* Fiber.join(loser)]
  }
  yield* Fiber.interrupt(loser)
  const lost = yield* Fiber.await(loser)
  // Both came at once: nobody will read that one.
  if (Exit.isSuccess(lost) && lost.value._tag === "Answered") yield* discard(lost.value.answer)
  return [exit.value]
})
