import { Effect, Stream } from "effect"
import type { Call } from "../../domain/Call.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { Upstream } from "../../routing/Upstream.ts"

/** Events of an answer, so many milliseconds after its call began. */
export interface Moment {
  readonly at: number
  readonly events: ReadonlyArray<LlmEvent>
}

/** A call that was recorded: what was asked and when (epoch milliseconds), and what the model answered, in time order. */
export interface Recording {
  readonly id: string
  readonly openedAt: number
  readonly call: Call
  readonly answer: ReadonlyArray<Moment>
  /** why the answer has no end */
  readonly failure: LlmError | undefined
}

/** Something that was recorded and cannot be replayed. */
export interface Skipped {
  readonly id: string
  readonly reason: string
}

/** What was found to replay. */
export interface Recordings {
  readonly recordings: ReadonlyArray<Recording>
  readonly skipped: ReadonlyArray<Skipped>
}

/** When the answer to a recording was over, in milliseconds after its call began. */
export const lengthOf = ({ answer }: Recording): number => answer.at(-1)?.at ?? 0

/** The model's side of a recording: it says what it said then, at the same pace. */
export const upstreamOf = ({ answer, failure }: Recording): Upstream["Service"] =>
  Upstream.fromEvents(() => {
    const said = Stream.fromIterable(answer).pipe(
      Stream.rechunk(1),
      Stream.mapAccum(
        () => 0,
        (before, { at, events }) => [at, [{ wait: at - before, events }]] as const
      ),
      Stream.mapEffect(({ events, wait }) => Effect.as(wait > 0 ? Effect.sleep(wait) : Effect.void, events)),
      Stream.flattenIterable
    )
    return failure === undefined ? said : Stream.concat(said, Stream.fail(failure))
  })
