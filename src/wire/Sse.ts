import { TextBuffer, fitsBytes } from "./TextBuffer.ts"
import { Utf8Decoder } from "./Utf8.ts"
import { defaultMaxFrameBytes } from "./Frame.ts"
import type { FrameDecoder, FrameDecoderOptions, FrameTooLarge, FramingError, WireFrame } from "./Frame.ts"

const lineFeed = 10
const carriageReturn = 13
const space = 32
const colon = 58
const lowerD = 100
const lowerE = 101

/** A line begun so far, in bytes, that is cheaper to scan again with the next read than to buffer. */
const shortLine = 1024

const indexOrEnd = (text: string, character: string, from: number): number => {
  const index = text.indexOf(character, from)
  return index < 0 ? text.length : index
}

/** Where the blank line ends that begins at `from`; -1 when there is none. */
const blankLineEnd = (text: string, from: number): number => {
  const first = text.charCodeAt(from)
  if (first === lineFeed) return from + 1
  if (first !== carriageReturn) return -1
  return text.charCodeAt(from + 1) === lineFeed ? from + 2 : from + 1
}

/** Where the value of the field `name` begins in the line from `from` to `to`; -1 when the line is another field. */
const valueStart = (text: string, from: number, to: number, name: string): number => {
  if (!text.startsWith(name, from)) return -1
  const nameEnd = from + name.length
  if (nameEnd === to) return to
  if (text.charCodeAt(nameEnd) !== colon) return -1
  return text.charCodeAt(nameEnd + 1) === space ? nameEnd + 2 : nameEnd + 1
}

/** What a block lacks to be closed by a blank line, in the line ends it has. */
const missingEnd = (block: string): string => {
  const lf = block.lastIndexOf("\n")
  const cr = block.lastIndexOf("\r")
  const lineEnd = cr > lf ? "\r" : cr >= 0 && cr === lf - 1 ? "\r\n" : "\n"
  return Math.max(lf, cr) === block.length - 1 ? lineEnd : lineEnd + lineEnd
}

/**
 * The text of a read is scanned once, line by line, with slices of it for values and `raw`. Only what a read leaves
 * unfinished goes into buffers: `line` holds the line that has not ended, `block` the earlier lines of its block.
 */
class SseDecoder implements FrameDecoder {
  private readonly maxFrameBytes: number
  private readonly utf8 = new Utf8Decoder()
  /** Blocks with fields but no data, kept for the `raw` of the frame that follows. */
  private readonly leading = new TextBuffer()
  private readonly block = new TextBuffer()
  private readonly line = new TextBuffer()
  private data: string | undefined = undefined
  private readonly moreData = new TextBuffer()
  private event = ""
  private hasFields = false
  private heldReturn = false
  private failure: FrameTooLarge | undefined = undefined

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
  }

  get invalidSequences(): number {
    return this.utf8.invalidSequences
  }

  feed(bytes: Uint8Array, out: Array<WireFrame>): FramingError | undefined {
    if (this.failure !== undefined) return this.failure
    let text = this.utf8.write(bytes)
    if (this.heldReturn) text = "\r" + text
    // The next character decides whether a last CR ends the line alone or is half of a CRLF.
    this.heldReturn = text.charCodeAt(text.length - 1) === carriageReturn
    if (this.heldReturn) text = text.slice(0, -1)
    if (this.line.bytes > 0 && this.line.bytes <= Math.max(text.length, shortLine)) text = this.line.take() + text
    return this.scan(text, out)
  }

  end(out: Array<WireFrame>): FramingError | undefined {
    if (this.failure !== undefined) return this.failure
    const last = (this.heldReturn ? "\r" : "") + this.utf8.end()
    this.heldReturn = false
    const failure = this.scan(last, out)
    if (failure !== undefined) return failure
    if (this.line.bytes > 0) this.endLine("")
    if (this.data === undefined) return undefined
    const block = this.block.take()
    this.pushFrame(this.data, block + missingEnd(block), out)
    return undefined
  }

  /** `text` never ends with half a CRLF. */
  private scan(text: string, out: Array<WireFrame>): FramingError | undefined {
    const end = text.length
    let blockStart = 0
    let lineStart = 0
    // Both are looked up again only once they are passed: a text with one kind of line end is searched once for the other.
    let cr = -1
    let lf = -1
    for (;;) {
      if (cr < lineStart) cr = indexOrEnd(text, "\r", lineStart)
      if (lf < lineStart) lf = indexOrEnd(text, "\n", lineStart)
      const lineEnd = cr < lf ? cr : lf
      if (lineEnd === end) break
      let next = lf === lineEnd + 1 ? lineEnd + 2 : lineEnd + 1
      const closed = blockStart === lineStart && this.isIdle() ? blankLineEnd(text, next) : -1
      if (closed > 0 && text.startsWith("data:", lineStart) && (closed - lineStart) * 3 <= this.maxFrameBytes) {
        // Nearly every frame: one data line and its blank line within one read. It needs none of the block's state.
        const start = text.charCodeAt(lineStart + 5) === space ? lineStart + 6 : lineStart + 5
        out.push({ raw: text.slice(lineStart, closed), event: "", data: text.slice(start, lineEnd) })
        blockStart = next = closed
      } else if (this.line.bytes > 0) {
        this.line.add(text.slice(0, lineEnd))
        this.endLine(text.slice(lineEnd, next))
        blockStart = next
      } else if (lineEnd > lineStart) {
        this.readLine(text, lineStart, lineEnd)
      } else {
        if (!this.endBlock(text.slice(blockStart, next), out)) return this.failure
        blockStart = next
      }
      lineStart = next
    }
    if (blockStart === end) return undefined
    this.block.add(text.slice(blockStart, lineStart))
    this.line.add(text.slice(lineStart))
    return this.fits("") ? undefined : this.failure
  }

  /** Whether nothing of an earlier read or block is kept. */
  private isIdle(): boolean {
    return this.line.bytes === 0 && this.block.bytes === 0 && this.leading.bytes === 0
  }

  /** Reads the line that came with several reads and moves it to its block. */
  private endLine(lineEnd: string): void {
    const line = this.line.take()
    this.readLine(line, 0, line.length)
    this.block.add(line)
    this.block.add(lineEnd)
  }

  private readLine(text: string, from: number, to: number): void {
    const first = text.charCodeAt(from)
    if (first === colon) return
    this.hasFields = true
    if (first === lowerD) {
      const start = valueStart(text, from, to, "data")
      if (start >= 0) this.addData(text.slice(start, to))
    } else if (first === lowerE) {
      const start = valueStart(text, from, to, "event")
      if (start >= 0) this.event = text.slice(start, to)
    }
  }

  private addData(value: string): void {
    if (this.data === undefined) {
      this.data = value
    } else {
      this.moreData.add("\n")
      this.moreData.add(value)
    }
  }

  /** A blank line came; `text` is what the block has besides what is buffered. False when it is too large. */
  private endBlock(text: string, out: Array<WireFrame>): boolean {
    if (!this.fits(text)) return false
    if (this.data !== undefined) {
      this.pushFrame(this.data, text, out)
      return true
    }
    if (this.hasFields) {
      this.leading.add(this.block.take())
      this.leading.add(text)
    } else if (this.block.bytes > 0) {
      this.block.take()
    }
    this.event = ""
    this.hasFields = false
    return true
  }

  private pushFrame(firstData: string, text: string, out: Array<WireFrame>): void {
    const data = this.moreData.bytes === 0 ? firstData : firstData + this.moreData.take()
    let raw = text
    if (this.block.bytes > 0 || this.leading.bytes > 0) {
      this.leading.add(this.block.take())
      this.leading.add(text)
      raw = this.leading.take()
    }
    out.push({ raw, event: this.event, data })
    this.data = undefined
    this.event = ""
    this.hasFields = false
  }

  /** Whether what is held and `text` are within the limit. */
  private fits(text: string): boolean {
    const held = this.leading.bytes + this.block.bytes + this.line.bytes
    if (fitsBytes(text, this.maxFrameBytes - held)) return true
    this.failure = { _tag: "FrameTooLarge", limit: this.maxFrameBytes }
    return false
  }
}

/**
 * Makes a decoder of server-sent events as the WHATWG standard has them: LF, CRLF and CR in any mixture, several `data`
 * lines, comments, unknown fields, a byte order mark.
 *
 * A block without a `data` line is no frame, whatever its `event`. The limit is for a block with its comments, and with
 * the fields without data before it; a block that never ends meets it too. The value of `id` and `retry` is not read,
 * their lines are in `raw`. A stream that ends its lines with CR alone shows each frame one character late, because the
 * next one may be the LF that belongs to it.
 */
export const makeSseDecoder = (options: FrameDecoderOptions = {}): FrameDecoder =>
  new SseDecoder(options.maxFrameBytes ?? defaultMaxFrameBytes)

/** The first frame of a text that is one or more; undefined where it is none. */
export const firstSseFrame = (text: string): WireFrame | undefined => {
  const frames: Array<WireFrame> = []
  const decoder = makeSseDecoder()
  decoder.feed(Buffer.from(text), frames)
  decoder.end(frames)
  return frames[0]
}

const lineBreak = /\r\n|\r|\n/
const hasLineBreak = (text: string): boolean => text.includes("\n") || text.includes("\r")

/**
 * One frame for the wire, closed by its blank line.
 *
 * Data of several lines becomes several `data` lines, which a decoder joins by LF whatever they were broken by. An
 * `event` must not hold line breaks; `""` is none.
 */
export const sseFrame = (data: string, event = ""): string => {
  const lines = hasLineBreak(data) ? data.split(lineBreak).join("\ndata: ") : data
  return event === "" ? `data: ${lines}\n\n` : `event: ${event}\ndata: ${lines}\n\n`
}

/** A comment in a block of its own: no frame for any decoder, but a sign of life on the connection. */
export const sseComment = (text = ""): string =>
  text === "" ? ":\n\n" : `: ${hasLineBreak(text) ? text.split(lineBreak).join("\n: ") : text}\n\n`
