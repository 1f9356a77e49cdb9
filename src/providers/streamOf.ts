import { Cause, Channel, Effect, Exit, type Pull, Scope, Stream } from "effect"
import type { Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import { sizeOf } from "../routing/Attempt.ts"
import { Intake } from "../routing/Intake.ts"
import type { Feed, FrameSink } from "../routing/Upstream.ts"

/** The answer that is fed into a sink, as a stream. It is begun when the stream is run, and let go with its scope. */
export const streamOf = (begin: (sink: FrameSink) => Feed): Stream.Stream<Frame, LlmError> =>
  Stream.fromChannel(
    Channel.fromTransform((_: Pull.Pull<unknown, unknown, unknown>, scope) =>
      Effect.suspend(() => {
        const intake = new Intake<Frame, LlmError>()
        const feed: Feed = begin({
          accept: (batch) => {
            const hasRoom = intake.push(
              batch,
              batch.reduce((size, frame) => size + sizeOf(frame), 0)
            )
            if (!hasRoom) intake.onRoom(() => feed.resume())
            return hasRoom
          },
          end: (exit) => intake.end(Exit.isFailure(exit) ? Exit.failCause(exit.cause) : Exit.fail(Cause.Done()))
        })
        return Effect.as(
          Scope.addFinalizer(
            scope,
            Effect.sync(() => feed.stop())
          ),
          intake.take
        )
      })
    )
  )
