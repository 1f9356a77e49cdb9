import type { Delivery } from "../../domain/LlmRequest.ts"

/** An answer as it once stood on a wire: exact bytes, with the status and content type it came with. */
export interface Recording {
  readonly delivery: Delivery
  readonly status: number
  readonly contentType: string
  readonly bytes: Buffer
}

// A blank line in any of the three line ends. Latin-1 keeps every byte a character of its own.
const blankLine = /\r\n\r\n|\n\n|\r\r/g

/** Cuts the bytes of an event stream after every blank line; joined, the pieces are the bytes again. */
export const framesOf = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const frames: Array<Buffer> = []
  let from = 0
  for (const match of bytes.toString("latin1").matchAll(blankLine)) {
    const to = match.index + match[0].length
    frames.push(bytes.subarray(from, to))
    from = to
  }
  if (from < bytes.length) frames.push(bytes.subarray(from))
  return frames
}
