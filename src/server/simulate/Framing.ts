import { awsMessage, awsMessagesOf, sealAwsMessage } from "../../wire/AwsMessage.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { makeJsonArrayDecoder } from "../../wire/JsonArray.ts"

/** How frames follow each other in the body of a stream. */
export interface Framing {
  /** Cuts bytes after every frame; joined, the pieces are the bytes again. */
  readonly cut: (bytes: Buffer) => ReadonlyArray<Buffer>
  /** The frame without the end of its JSON; undefined where it has none. */
  readonly damage: (frame: Buffer) => Buffer | undefined
  /** a frame that is no JSON, for a stream that has none to be damaged */
  readonly malformed: Buffer
}

/** Cuts text after everything that matches. Latin-1 keeps every byte a character of its own. */
const cutAfter =
  (end: RegExp) =>
  (bytes: Buffer): ReadonlyArray<Buffer> => {
    const frames: Array<Buffer> = []
    let from = 0
    for (const match of bytes.toString("latin1").matchAll(end)) {
      const to = match.index + match[0].length
      frames.push(bytes.subarray(from, to))
      from = to
    }
    if (from < bytes.length) frames.push(bytes.subarray(from))
    return frames
  }

const damageText = (frame: Buffer): Buffer | undefined => {
  const text = frame.toString()
  const document = text.trimEnd()
  return document.endsWith("}") ? Buffer.from(document.slice(0, -1) + text.slice(document.length)) : undefined
}

const events: Framing = {
  // A blank line in any of the three line ends.
  cut: cutAfter(/\r\n\r\n|\n\n|\r\r/g),
  damage: damageText,
  malformed: Buffer.from('data: {"malformed":\n\n')
}

const lines: Framing = { cut: cutAfter(/\n/g), damage: damageText, malformed: Buffer.from('{"malformed":\n') }

const cutElements = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const decoder = makeJsonArrayDecoder()
  const frames: Array<WireFrame> = []
  decoder.feed(bytes, frames)
  decoder.end(frames)
  const pieces = frames.map(({ raw }) => Buffer.from(raw))
  // Bytes that are no UTF-8 would not come back from text.
  return Buffer.concat(pieces).equals(bytes) ? pieces : [bytes]
}

const array: Framing = { cut: cutElements, damage: damageText, malformed: Buffer.from('[{"malformed":') }

/** Damages the payload; the checksums are right again. */
const damageMessage = (message: Buffer): Buffer | undefined => {
  const headersEnd = 12 + message.readUInt32BE(4)
  const payload = message.subarray(headersEnd, -4)
  return payload.at(-1) === 125 ? sealAwsMessage(message.subarray(12, headersEnd), payload.subarray(0, -1)) : undefined
}

const messages: Framing = {
  cut: awsMessagesOf,
  damage: damageMessage,
  malformed: awsMessage({ ":message-type": "event", ":event-type": "chunk" }, '{"malformed":')
}

/** The framing of a stream of this content type; server-sent events unless it says otherwise. */
export const framingOf = (contentType: string): Framing => {
  if (contentType.includes("amazon.eventstream")) return messages
  if (contentType.includes("ndjson")) return lines
  return contentType.includes("json") ? array : events
}
