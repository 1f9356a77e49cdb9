import type { FrameDecoder, FramingError, WireFrame } from "../../wire/Frame.ts"
import { makeJsonArrayDecoder } from "../../wire/JsonArray.ts"
import { makeSseDecoder } from "../../wire/Sse.ts"

const openBracket = 91
const openBrace = 123
/** White space, and the three bytes of a byte order mark. */
const insignificant = new Set([9, 10, 13, 32, 0xef, 0xbb, 0xbf])

/**
 * Streams of this API come as server-sent events where they are asked for, as they are here; a server that does not know
 * the question answers with one JSON array, or with a lone error. The first character tells them apart.
 */
class EitherDecoder implements FrameDecoder {
  private chosen: FrameDecoder | undefined
  private readonly held: Array<Uint8Array> = []

  get invalidSequences(): number {
    return this.chosen?.invalidSequences ?? 0
  }

  feed(bytes: Uint8Array, out: Array<WireFrame>): FramingError | undefined {
    if (this.chosen !== undefined) return this.chosen.feed(bytes, out)
    const first = bytes.find((byte) => !insignificant.has(byte))
    // The bytes may be reused by whoever read them.
    if (first === undefined) {
      if (bytes.length > 0) this.held.push(bytes.slice())
      return undefined
    }
    return this.choose(first).feed(bytes, out)
  }

  end(out: Array<WireFrame>): FramingError | undefined {
    return this.chosen?.end(out)
  }

  private choose(first: number): FrameDecoder {
    const isJson = first === openBracket || first === openBrace
    const decoder = isJson ? makeJsonArrayDecoder() : makeSseDecoder()
    for (const bytes of this.held) decoder.feed(bytes, [])
    this.held.length = 0
    this.chosen = decoder
    return decoder
  }
}

/** Makes a decoder of a stream of this API, however the server writes it. */
export const makeFrameDecoder = (): FrameDecoder => new EitherDecoder()

/** Whether the text of a frame is that of a server-sent event. */
export const isEvent = (raw: string): boolean => !/^[\s[\],]*(\{|$)/.test(raw)

/** What the text of a frame says, without what frames it: JSON, or nothing where it only closes an array. */
export const frameData = (raw: string): string => {
  const frames: Array<WireFrame> = []
  const decoder = isEvent(raw) ? makeSseDecoder() : makeJsonArrayDecoder()
  decoder.feed(Buffer.from(raw), frames)
  decoder.end(frames)
  return frames[0]?.data ?? ""
}
