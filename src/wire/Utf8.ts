const replacement = "\uFFFD"
const replacementBytes = Buffer.from(replacement)
const byteOrderMark = 0xfeff

const isContinuation = (byte: number): boolean => byte >= 0x80 && byte < 0xc0

/** How many bytes the sequence has that `lead` begins. */
const sequenceLength = (lead: number): number => (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2)

/** Where the sequence begins that the end of `bytes` cuts; their length when it cuts none. */
const cutSequence = (bytes: Buffer, from: number): number => {
  const end = bytes.length
  for (let index = end - 1; index >= from && index >= end - 3; index--) {
    const byte = bytes[index]!
    if (byte < 0x80) return end
    if (!isContinuation(byte)) return index + sequenceLength(byte) > end ? index : end
  }
  return end
}

const countText = (text: string): number => {
  let count = 0
  for (let at = text.indexOf(replacement); at >= 0; at = text.indexOf(replacement, at + 1)) count++
  return count
}

const countBytes = (bytes: Buffer): number => {
  let count = 0
  for (let at = bytes.indexOf(replacementBytes); at >= 0; at = bytes.indexOf(replacementBytes, at + 3)) count++
  return count
}

/**
 * Decodes UTF-8 that arrives in pieces cut anywhere; drops a byte order mark at the start, replaces invalid bytes by
 * U+FFFD as the WHATWG decoder does, and counts how often.
 *
 * The bytes of a cut sequence are kept here, and all else goes to `Buffer.toString`: a `StringDecoder` takes four to
 * eight times as long for text that is not ASCII, a `TextDecoder` in stream mode half as long again for short pieces,
 * and neither shows which bytes its output came from, which the count needs.
 */
export class Utf8Decoder {
  /** How often U+FFFD was put in the place of invalid bytes; a U+FFFD that was sent is not counted. */
  invalidSequences = 0
  private readonly cut = Buffer.alloc(4)
  private cutLength = 0
  private started = false

  write(bytes: Uint8Array): string {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let head = ""
    let from = 0
    if (this.cutLength > 0) {
      from = this.completeCut(chunk)
      if (from === chunk.length && this.cutLength < sequenceLength(this.cut[0]!)) return ""
      head = this.end()
    }
    const to = cutSequence(chunk, from)
    if (to < chunk.length) this.cutLength = chunk.copy(this.cut, 0, to)
    const rest = this.decode(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to))
    return head === "" ? rest : head + rest
  }

  /** Decodes what is left: a sequence that was never completed. */
  end(): string {
    const text = this.decode(this.cut.subarray(0, this.cutLength))
    this.cutLength = 0
    return text
  }

  /** Moves the continuation bytes that the cut sequence lacks out of `chunk`; returns where the others begin. */
  private completeCut(chunk: Buffer): number {
    const length = sequenceLength(this.cut[0]!)
    let from = 0
    while (from < chunk.length && this.cutLength < length && isContinuation(chunk[from]!)) {
      this.cut[this.cutLength++] = chunk[from++]!
    }
    return from
  }

  /** Decodes bytes that begin and end between sequences. */
  private decode(bytes: Buffer): string {
    const text = bytes.toString("utf8")
    if (text.includes(replacement)) this.invalidSequences += countText(text) - countBytes(bytes)
    if (this.started || text.length === 0) return text
    this.started = true
    return text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text
  }
}
