import { Effect, type Pull, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Notice } from "../domain/Call.ts"
import type { Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { Target } from "../routing/Router.ts"
import type { CallState } from "./CallState.ts"

/** The frames of an answer, a batch at a time. */
export type FramePull<E = LlmError> = Pull.Pull<NonEmptyReadonlyArray<Frame>, E>

/** An answer that has begun: who gives it, and the frames of it. The stream is consumed once. */
export interface Answer {
  /** also `attempts`: of a call that a filter hands on while its answer is held back, it changes until content leaves */
  readonly target: Pick<Target, "provider" | "model">
  readonly attempts: number
  /** what the caller should know, so far */
  readonly notices: ReadonlyArray<Notice>
  /** the frames after every filter; a failure is the call's failure, and the last element */
  readonly frames: Stream.Stream<Frame, LlmError>
  /** the same, a batch at a time, for whoever needs no stream: one of the two is consumed */
  readonly pull: FramePull
}

/** Who was asked for an answer so far: how many, and the last one, or the one that answers. */
export type Asked = Pick<Answer, "attempts" | "notices"> & Partial<Pick<Answer, "target">>

/** The answer that a call gets from a target. */
export const answerOf = (state: CallState, target: Answer["target"], pull: FramePull): Answer =>
  new BegunAnswer(state, target, pull)

class BegunAnswer implements Answer {
  readonly target: Answer["target"]
  readonly attempts: number
  readonly notices: ReadonlyArray<Notice>
  readonly pull: FramePull

  constructor({ allAttempts, notices }: CallState, target: Answer["target"], pull: FramePull) {
    this.target = target
    this.attempts = allAttempts.length
    this.notices = notices
    this.pull = pull
  }

  /**
   * Made for who asks: a stream holds a function that V8 puts among its old objects at once, with all that it can reach,
   * which is the whole call. Where every call made one, none would be freed before the next collection of old objects.
   */
  get frames(): Answer["frames"] {
    return Stream.fromPull(Effect.succeed(this.pull))
  }
}
