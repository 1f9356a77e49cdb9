import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { hash } from "node:crypto"

/** How much of what was said goes into the record: nothing, its size and fingerprint, or its content too. */
export const CaptureLevel = Schema.Literals(["off", "metadata", "full"])
export type CaptureLevel = typeof CaptureLevel.Type

/** What is recorded of a document: `level`, and up to which size (bytes of UTF-8) all of it; of a longer one an excerpt. */
export interface Capture {
  readonly level: CaptureLevel
  readonly maxBytes: number
}

/** A document of so many bytes is kept whole, unless it is said otherwise. */
export const usualMaxBytes = 256 * 1024
const edgeBytes = 8 * 1024

/** A level alone has the usual bound. */
export const captureOf = (capture: CaptureLevel | Capture): Capture =>
  typeof capture === "string" ? { level: capture, maxBytes: usualMaxBytes } : capture

/** What may be recorded of what belongs to both. */
export const stricter = (one: Capture, other: Capture): Capture => {
  const { literals } = CaptureLevel
  const level = literals[Math.min(literals.indexOf(one.level), literals.indexOf(other.level))] ?? "off"
  return { level, maxBytes: Math.min(one.maxBytes, other.maxBytes) }
}

/** What may be recorded of what belongs to several models, where some have a capture of their own. */
export const captureFor =
  (usual: Capture, own: ReadonlyMap<string, Capture> = new Map()) =>
  (models: ReadonlyArray<string>): Capture =>
    own.size === 0 ? usual : models.map((model) => own.get(model) ?? usual).reduce(stricter)

/** The two ends of a text that is too long to be kept; `omittedBytes` (of UTF-8) were left out between them. */
export const Excerpt = Schema.Struct({ head: Schema.String, tail: Schema.String, omittedBytes: Schema.Natural })
export type Excerpt = typeof Excerpt.Type

/**
 * What is known of a JSON document besides its content: the length in UTF-8 bytes and the SHA-256 (hex) of all of it.
 * One that is longer than the bound (256 KiB unless it is said otherwise) is kept as an excerpt.
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

/** An excerpt is no longer than what would be kept whole. */
const edgeFor = (maxBytes: number): number => Math.min(edgeBytes, Math.floor(maxBytes / 2))

/** Reads an excerpt as one text, with a mark where the middle is missing. */
export const abridge = (text: string, maxBytes = usualMaxBytes): string => {
  const shortened = excerpt(text, edgeFor(maxBytes))
  if (typeof shortened === "string") return shortened
  return `${shortened.head}\n[… ${shortened.omittedBytes} bytes omitted …]\n${shortened.tail}`
}

/** The SHA-256 of a text in UTF-8, in hex. */
export const fingerprint = (text: string): string => hash("sha256", text, "hex")

/** Captures a JSON document. */
export const captureText = (capture: CaptureLevel | Capture, text: string): Captured => {
  const { level, maxBytes } = captureOf(capture)
  if (level === "off") return nothing
  const bytes = Buffer.byteLength(text, "utf8")
  const sha256 = fingerprint(text)
  if (level === "metadata") return { payload: { bytes, sha256 }, text: null }
  if (bytes <= maxBytes) return { payload: { bytes, sha256 }, text }
  const shortened = excerpt(text, edgeFor(maxBytes))
  return { payload: { bytes, sha256, ...(typeof shortened === "string" ? {} : { excerpt: shortened }) }, text: null }
}

/** Captures a value that JSON can hold. */
export const capture = (capture: CaptureLevel | Capture, value: unknown): Captured =>
  value === undefined || captureOf(capture).level === "off" ? nothing : captureText(capture, JSON.stringify(value))
