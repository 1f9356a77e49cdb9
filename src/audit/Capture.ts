import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { hash } from "node:crypto"

/** How much of what was said goes into the record: nothing, its size and fingerprint, or its content too. */
export const CaptureLevel = Schema.Literals(["off", "metadata", "full"])
export type CaptureLevel = typeof CaptureLevel.Type

const wholeLimit = 256 * 1024
const edgeBytes = 8 * 1024

/** The two ends of a text that is too long to be kept; `omittedBytes` (of UTF-8) were left out between them. */
export const Excerpt = Schema.Struct({ head: Schema.String, tail: Schema.String, omittedBytes: Schema.Natural })
export type Excerpt = typeof Excerpt.Type

/**
 * What is known of a JSON document besides its content: the length in UTF-8 bytes and the SHA-256 (hex) of all of it.
 * One that is longer than 256 KiB is kept as an excerpt.
 */
export const Payload = Schema.Struct({
  bytes: Schema.Natural,
  sha256: Schema.String,
  excerpt: Schema.optionalKey(Excerpt)
})
export type Payload = typeof Payload.Type

/** `text` is the document itself, where it is kept whole. */
export interface Captured {
  readonly payload: Payload | undefined
  readonly text: string | null
}

const nothing: Captured = { payload: undefined, text: null }

/** Bytes 10xxxxxx continue a code point: a cut stands before a byte that begins one. */
const continues = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80

/**
 * The first and last `edge` bytes of a text in UTF-8, each shortened by up to three bytes so that no code point is
 * cut. A text that is no longer than both together is returned as it is.
 */
export const excerpt = (text: string, edge = edgeBytes): Excerpt | string => {
  const bytes = Buffer.from(text, "utf8")
  if (bytes.length <= 2 * edge) return text
  let headEnd = edge
  while (continues(bytes[headEnd])) headEnd--
  let tailStart = bytes.length - edge
  while (continues(bytes[tailStart])) tailStart++
  return {
    head: bytes.toString("utf8", 0, headEnd),
    tail: bytes.toString("utf8", tailStart),
    omittedBytes: tailStart - headEnd
  }
}

/** The first `limit` bytes of a text in UTF-8, a code point that would be cut left out, and how many bytes follow. */
export const cutAfter = (text: string, limit: number): { readonly text: string; readonly omittedBytes: number } => {
  // no code unit has more than three bytes
  if (text.length * 3 <= limit) return { text, omittedBytes: 0 }
  const bytes = Buffer.from(text, "utf8")
  if (bytes.length <= limit) return { text, omittedBytes: 0 }
  let end = limit
  while (continues(bytes[end])) end--
  return { text: bytes.toString("utf8", 0, end), omittedBytes: bytes.length - end }
}

/** Reads an excerpt as one text, with a mark where the middle is missing. */
export const abridge = (text: string): string => {
  const shortened = excerpt(text)
  if (typeof shortened === "string") return shortened
  return `${shortened.head}\n[… ${shortened.omittedBytes} bytes omitted …]\n${shortened.tail}`
}

/** The SHA-256 of a text in UTF-8, in hex. */
export const fingerprint = (text: string): string => hash("sha256", text, "hex")

/** Captures a JSON document. */
export const captureText = (level: CaptureLevel, text: string): Captured => {
  if (level === "off") return nothing
  const bytes = Buffer.byteLength(text, "utf8")
  const sha256 = fingerprint(text)
  if (level === "metadata") return { payload: { bytes, sha256 }, text: null }
  if (bytes <= wholeLimit) return { payload: { bytes, sha256 }, text }
  const shortened = excerpt(text)
  return { payload: { bytes, sha256, ...(typeof shortened === "string" ? {} : { excerpt: shortened }) }, text: null }
}

/** Captures a value that JSON can hold. */
export const capture = (level: CaptureLevel, value: unknown): Captured =>
  level === "off" || value === undefined ? nothing : captureText(level, JSON.stringify(value))
