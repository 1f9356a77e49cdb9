import { Effect, Stream } from "effect"
import type { Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { Protocol } from "../protocols/Protocol.ts"
import { decodeFrames } from "../providers/frames.ts"
import type { Upstream } from "../routing/Upstream.ts"

/** How the bytes of a recording arrive. */
export interface Playback {
  /** cuts the bytes at random places, the same for the same seed; without it they arrive in one piece */
  readonly splitSeed?: number
}

/** Cuts bytes into pieces of 1 to 64, decided by `seed` alone. */
export const splitBytes = (bytes: Uint8Array, seed: number): ReadonlyArray<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  let state = seed >>> 0
  for (let at = 0; at < bytes.length;) {
    // A linear congruential step: any fixed sequence serves, it only has to be the same every time.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const size = 1 + (state >>> 26)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

/** The frames of a recorded stream, as the protocol's own decoder reads them. */
export const recordedFrames = (
  protocol: Protocol,
  bytes: Uint8Array,
  { splitSeed }: Playback = {}
): Stream.Stream<Frame, LlmError> =>
  Stream.fromIterable(splitSeed === undefined ? [bytes] : splitBytes(bytes, splitSeed)).pipe(
    Stream.rechunk(1),
    decodeFrames(protocol)
  )

/** An upstream that answers every request with the same recorded stream of `protocol`. */
export const recordedUpstream = (
  protocol: Protocol,
  bytes: Uint8Array,
  playback: Playback = {}
): Upstream["Service"] => ({
  stream: (request) =>
    Stream.unwrap(
      Effect.sync(() => {
        request.observer.connected()
        request.observer.head(200)
        return recordedFrames(protocol, bytes, playback)
      })
    )
})
