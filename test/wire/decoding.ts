import { Schema } from "effect"
import type { FrameDecoder, FramingError, WireFrame } from "../../src/wire/Frame.ts"

export interface Decoded {
  readonly frames: ReadonlyArray<WireFrame>
  readonly error: FramingError | undefined
  readonly invalidSequences: number
}

/** Feeds the pieces to the decoder and ends it, as a transport does. */
export const decode = (decoder: FrameDecoder, pieces: Iterable<Uint8Array>): Decoded => {
  const frames: Array<WireFrame> = []
  let error: FramingError | undefined
  for (const piece of pieces) error ??= decoder.feed(piece, frames)
  error ??= decoder.end(frames)
  return { frames, error, invalidSequences: decoder.invalidSequences }
}

/** The bytes in pieces of these sizes, over and over; a size of zero is an empty read. */
export function* cut(bytes: Uint8Array, sizes: ReadonlyArray<number>): Generator<Uint8Array> {
  const usable = sizes.some((size) => size > 0) ? sizes : [1]
  for (let from = 0, index = 0; from < bytes.length; index++) {
    const size = usable[index % usable.length]!
    yield bytes.subarray(from, from + size)
    from += size
  }
}

/** Sizes of pieces, for property tests. */
export const Sizes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })))

/** Every way to cut the bytes into at most three pieces. */
export function* everyCut(bytes: Uint8Array): Generator<ReadonlyArray<Uint8Array>> {
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
    }
  }
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A small generator of numbers below `limit`, the same for the same seed. */
export const numbers = (seed: number) => {
  let state = seed
  return (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
