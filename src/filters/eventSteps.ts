import { Cause, Effect, Option, type Pull, Stream } from "effect"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { EventStream } from "./Filter.ts"
import { type Ending, isEnding } from "./Verdict.ts"

/** What a filter does with the events of one answer, one after the other: mutable, synchronous, made anew for every call. */
export interface EventSteps {
  /** Takes an event and adds to `out` what may leave; a verdict ends the answer after that. */
  readonly step: (event: LlmEvent, out: Array<LlmEvent>) => Ending | undefined
  /**
   * The answer is over, or was cut: adds what may still leave, and may say what ends it instead. Of one that failed or was
   * refused nothing more leaves.
   */
  readonly halt?: (out: Array<LlmEvent>) => Ending | undefined
}

type Batches = Pull.Pull<NonEmptyReadonlyArray<LlmEvent>, LlmError | Ending>

/** The event side of a filter that works event by event without waiting for anything: a batch costs one step of the stream. */
export const eventSteps =
  (make: () => EventSteps) =>
  (self: EventStream): EventStream =>
    Stream.suspend(() => {
      const steps = make()
      return Stream.transformPull(self, (pull) => Effect.succeed(stepping(steps, pull)))
    })

const stepping = (steps: EventSteps, pull: Batches): Batches => {
  let end: Cause.Cause<LlmError | Ending | Cause.Done> | Ending | undefined
  const next: Batches = Effect.suspend(() => {
    if (end !== undefined) return "verdict" in end ? end : Effect.failCause(end)
    return Effect.matchCauseEffect(pull, {
      onSuccess: (events) => {
        const out: Array<LlmEvent> = []
        for (const event of events) {
          end = steps.step(event, out)
          if (end !== undefined) break
        }
        return handOn(out)
      },
      onFailure: (cause) => {
        const out: Array<LlmEvent> = []
        end = (endsWell(cause) ? steps.halt?.(out) : undefined) ?? cause
        return handOn(out)
      }
    })
  })
  const handOn = (out: ReadonlyArray<LlmEvent>) => (isReadonlyArrayNonEmpty(out) ? Effect.succeed(out) : next)
  return next
}

/** Whether an answer is over, or was cut on purpose: what was held back of it is then all that there is. */
export const endsWell = (cause: Cause.Cause<LlmError | Ending | Cause.Done>): boolean => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error === undefined) return false
  return isEnding(error) ? error.verdict._tag === "Stop" : Cause.isDone(error)
}
