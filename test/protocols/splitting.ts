import { expect } from "vitest"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import { cutAt, decodeStream, randomOffsets } from "./corpus.ts"

/**
 * A stream decodes to the same events however its bytes are split: at every offset where it is small, at many random ones,
 * and byte by byte.
 */
export const expectAlikeHoweverSplit = (protocol: Protocol, body: Uint8Array): void => {
  const whole = decodeStream(protocol, [body])
  const every = Array.from({ length: body.length }, (_, offset) => offset)
  const splits =
    body.length < 3000
      ? every.map((offset) => [offset])
      : Array.from({ length: 12 }, (_, seed) => randomOffsets(seed, body.length, 40))
  for (const offsets of [...splits, every]) expect(decodeStream(protocol, cutAt(body, offsets))).toEqual(whole)
}
