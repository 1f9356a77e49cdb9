import { crc32 } from "node:zlib"

const uint32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

/** A header whose value is text: the length of its name, the name, the type, the length of the value, the value. */
const textHeader = ([name, value]: readonly [string, string]): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(Buffer.byteLength(value))
  return Buffer.concat([
    Buffer.of(Buffer.byteLength(name)),
    Buffer.from(name),
    Buffer.of(7),
    length,
    Buffer.from(value)
  ])
}

/**
 * A message of headers and payload that are bytes already, with checksums that are right. `headersLength` is what the
 * message states, for who wants to see how a reader takes a lie.
 */
export const sealAwsMessage = (headers: Uint8Array, payload: Uint8Array, headersLength = headers.length): Buffer => {
  const lengths = Buffer.concat([uint32(16 + headers.length + payload.length), uint32(headersLength)])
  const start = Buffer.concat([lengths, uint32(crc32(lengths)), headers, payload])
  return Buffer.concat([start, uint32(crc32(start))])
}

/** A message of an AWS event stream; the values of its headers are text. */
export const awsMessage = (headers: { readonly [name: string]: string }, payload: string): Buffer =>
  sealAwsMessage(Buffer.concat(Object.entries(headers).map(textHeader)), Buffer.from(payload))

/** A message that tells an event, its payload JSON. */
export const awsEvent = (type: string, payload: unknown): Buffer =>
  awsMessage(
    { ":event-type": type, ":content-type": "application/json", ":message-type": "event" },
    JSON.stringify(payload)
  )

/** A message that tells a failure, its payload JSON. Nothing comes after it. */
export const awsException = (type: string, payload: unknown): Buffer =>
  awsMessage(
    { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" },
    JSON.stringify(payload)
  )

const shortestMessage = 16

/** Cuts the bytes of an event stream after every message; what is none is the last piece. Joined, they are the bytes again. */
export const awsMessagesOf = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const messages: Array<Buffer> = []
  let from = 0
  while (bytes.length - from >= shortestMessage) {
    const length = bytes.readUInt32BE(from)
    if (length < shortestMessage || from + length > bytes.length) break
    messages.push(bytes.subarray(from, from + length))
    from += length
  }
  if (from < bytes.length) messages.push(bytes.subarray(from))
  return messages
}
