import { Stream } from "effect"
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

const chunksOf = (bytes: Uint8Array, { splitSeed }: Playback): Stream.Stream<Uint8Array> =>
  Stream.rechunk(Stream.fromIterable(splitSeed === undefined ? [bytes] : splitBytes(bytes, splitSeed)), 1)

/** The frames of a recorded stream, as the protocol's own decoder reads them. */
export const recordedFrames = (
  protocol: Protocol,
  bytes: Uint8Array,
  playback: Playback = {}
): Stream.Stream<Frame, LlmError> => decodeFrames(protocol)(chunksOf(bytes, playback))

/** An upstream that answers every request with the same recorded stream of `protocol`. */
export const recordedUpstream = (
  protocol: Protocol,
  bytes: Uint8Array,
  playback: Playback = {}
): Upstream["Service"] => ({
  stream: ({ observer }) =>
    Stream.suspend(() => {
      observer.connected()
      observer.head(200)
      const chunks = Stream.map(chunksOf(bytes, playback), (chunk) => {
        observer.bytes(chunk.length)
        return chunk
      })
      return decodeFrames(protocol)(chunks)
    })
})
