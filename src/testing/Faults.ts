import { type Duration, Effect, Stream } from "effect"
import type { Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { Upstream } from "../routing/Upstream.ts"

type Change = (frames: Stream.Stream<Frame, LlmError>) => Stream.Stream<Frame, LlmError>

const changed =
  (change: Change) =>
  (upstream: Upstream["Service"]): Upstream["Service"] => {
    const { feed: _, ...others } = upstream
    return {
      ...others,
      stream: (request) =>
        Stream.suspend(() => {
          // What fails is the answer: with `connect` it would be another timeout that strikes.
          request.observer.connected()
          return change(upstream.stream(request))
        })
    }
  }

/** Frames one at a time, so that a fault strikes exactly where it is wanted. A step of a script that emits is one frame. */
const first =
  (count: number): Change =>
  (frames) =>
    frames.pipe(Stream.rechunk(1), Stream.take(count))

/** Fails after so many frames (0: before anything came). */
export const failAfter = (count: number, error: LlmError) =>
  changed((frames) => Stream.concat(first(count)(frames), Stream.fail(error)))

/** Ends as if it were well after so many frames: a truncated answer. */
export const truncateAfter = (count: number) => changed(first(count))

/** Says nothing more after so many frames (0: after the connection stood). */
export const stallAfter = (count: number) => changed((frames) => Stream.concat(first(count)(frames), Stream.never))

/** Waits on the Clock before the first frame, with a connection that stands. */
export const slowStart = (duration: Duration.Input) =>
  changed((frames) => Stream.concat(Stream.fromEffectDrain(Effect.sleep(duration)), frames))
