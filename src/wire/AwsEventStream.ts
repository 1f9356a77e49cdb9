import { crc32 } from "node:zlib"
import { Utf8Decoder } from "./Utf8.ts"
import { defaultMaxFrameBytes } from "./Frame.ts"
import type { FrameDecoder, FrameDecoderOptions, FramingError, WireFrame } from "./Frame.ts"

/** Length of the frame, length of its headers, and the checksum of these two. */
const preludeBytes = 12
const checksumBytes = 4
/** What is kept for the next frame that reads divide, in bytes: one large frame must not cost its size for good. */
const keptBytes = 64 * 1024

/** The headers that say what a frame is; others (`:content-type`) are passed over. */
type Head = { -readonly [name in ":message-type" | ":event-type" | ":exception-type" | ErrorHeader]?: string }
type ErrorHeader = ":error-code" | ":error-message"

/** How long a header's value is, by its type: yes, no, 8, 16, 32 and 64 bits, bytes, text, a moment, a UUID. */
const valueBytes = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16]
const textType = 7

/** Reads the headers of a frame; undefined where they are not what their lengths say. */
const readHead = (frame: Buffer, end: number): Head | undefined => {
  const head: Record<string, string> = {}
  let at = preludeBytes
  while (at < end) {
    const nameEnd = at + 1 + frame[at]!
    if (nameEnd >= end) return undefined
    const type = frame[nameEnd]!
    let valueStart = nameEnd + 1
    let length = valueBytes[type]
    if (length === undefined) return undefined
    if (length < 0) {
      if (valueStart + 2 > end) return undefined
      length = frame.readUInt16BE(valueStart)
      valueStart += 2
    }
    if (valueStart + length > end) return undefined
    if (type === textType)
      head[frame.toString("latin1", at + 1, nameEnd)] = frame.toString("utf8", valueStart, valueStart + length)
    at = valueStart + length
  }
  return head
}

/** A frame within one read is decoded where it lies; what reads leave unfinished is copied together, each byte once. */
class AwsEventStreamDecoder implements FrameDecoder {
  private readonly maxFrameBytes: number
  private readonly utf8 = new Utf8Decoder()
  private held = Buffer.alloc(0)
  private size = 0
  /** the length of the frame that is held; its prelude's until that is known */
  private wanted = preludeBytes
  private failure: FramingError | undefined = undefined

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
  }

  get invalidSequences(): number {
    return this.utf8.invalidSequences
  }

  feed(bytes: Uint8Array, out: Array<WireFrame>): FramingError | undefined {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = 0
    while (at < chunk.length && this.failure === undefined) {
      at += this.size === 0 ? this.takeWhole(chunk, at, out) : 0
      if (this.failure === undefined) at += this.hold(chunk, at, out)
    }
    return this.failure
  }

  /** Bytes that were to become a frame and did not are none: the stream is cut, which its protocol knows best. */
  end(): FramingError | undefined {
    return this.failure
  }

  /** Decodes the frames that lie in the chunk from `from` on, and returns how many bytes they have. */
  private takeWhole(chunk: Buffer, from: number, out: Array<WireFrame>): number {
    let at = from
    while (chunk.length - at >= preludeBytes) {
      const length = this.frameLength(chunk, at)
      if (this.failure !== undefined || at + length > chunk.length) break
      this.push(chunk.subarray(at, at + length), out)
      if (this.failure !== undefined) break
      at += length
    }
    return at - from
  }

  /** Adds to the frame that is held what it lacks, and returns how many bytes that were. */
  private hold(chunk: Buffer, from: number, out: Array<WireFrame>): number {
    const count = Math.min(this.wanted - this.size, chunk.length - from)
    if (this.held.length < this.size + count) this.grow(this.size + count)
    chunk.copy(this.held, this.size, from, from + count)
    this.size += count
    if (this.size < this.wanted) return count
    if (this.wanted === preludeBytes) {
      this.wanted = this.frameLength(this.held, 0)
      return count
    }
    this.push(this.held.subarray(0, this.size), out)
    this.size = 0
    this.wanted = preludeBytes
    if (this.held.length > keptBytes) this.held = Buffer.alloc(0)
    return count
  }

  /** Doubles, so that a frame in small pieces is moved a few times only, and a length that lies costs nothing. */
  private grow(least: number): void {
    const grown = Buffer.allocUnsafe(Math.max(least, this.held.length * 2, 1024))
    this.held.copy(grown, 0, 0, this.size)
    this.held = grown
  }

  /** The length that a prelude states, if it can be believed. */
  private frameLength(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at)
    const headers = bytes.readUInt32BE(at + 4)
    if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32BE(at + 8)) this.fail("checksum")
    else if (length < preludeBytes + headers + checksumBytes) this.fail("length")
    else if (length > this.maxFrameBytes) this.failure = { _tag: "FrameTooLarge", limit: this.maxFrameBytes }
    return length
  }

  private push(frame: Buffer, out: Array<WireFrame>): void {
    const end = frame.length - checksumBytes
    if (crc32(frame.subarray(0, end)) !== frame.readUInt32BE(end)) return this.fail("checksum")
    const headersEnd = preludeBytes + frame.readUInt32BE(4)
    const head = readHead(frame, headersEnd)
    if (head === undefined) return this.fail("headers")
    const payload = this.utf8.write(frame.subarray(headersEnd, end)) + this.utf8.end()
    out.push(frameOf(head, payload))
  }

  private fail(problem: "checksum" | "length" | "headers"): void {
    this.failure = { _tag: "CorruptFrame", problem }
  }
}

const frameOf = (head: Head, payload: string): WireFrame => {
  const type = head[":message-type"]
  if (type === "exception") return { raw: payload, event: `exception:${head[":exception-type"] ?? ""}`, data: payload }
  if (type !== "error") return { raw: payload, event: head[":event-type"] ?? "", data: payload }
  const data = payload === "" ? JSON.stringify({ message: head[":error-message"] ?? "" }) : payload
  return { raw: data, event: `error:${head[":error-code"] ?? ""}`, data }
}

/**
 * Makes a decoder of AWS event streams (`application/vnd.amazon.eventstream`): a message is one frame, both of its
 * checksums are checked.
 *
 * `data` is the payload as text. `event` is the message's `:event-type`; one that tells a failure has `exception:` and its
 * `:exception-type`, or `error:` and its `:error-code`, and then `data` is `{"message": …}` where only headers say why.
 * Bytes do not survive in a text, so that `raw` is no copy of the frame: it is the payload again, for the record. Nothing
 * that speaks this framing to callers could send it on. A message that was cut at the end is dropped without an error:
 * whether the stream was complete is seen from the messages before it.
 */
export const makeAwsEventStreamDecoder = (options: FrameDecoderOptions = {}): FrameDecoder =>
  new AwsEventStreamDecoder(options.maxFrameBytes ?? defaultMaxFrameBytes)
