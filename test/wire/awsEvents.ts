import { sealAwsMessage } from "../../src/wire/AwsMessage.ts"

/** A header's value; what is no text has the type that its tag names. */
export type HeaderValue =
  | string
  | { readonly bool: boolean }
  | { readonly int8: number }
  | { readonly int16: number }
  | { readonly int32: number }
  | { readonly int64: bigint }
  | { readonly bytes: Uint8Array }
  | { readonly timestamp: number }
  | { readonly uuid: Uint8Array }

export type Headers = { readonly [name: string]: HeaderValue }

const number = (size: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(size)
  write(buffer)
  return buffer
}
const sized = (bytes: Uint8Array): Buffer =>
  Buffer.concat([number(2, (buffer) => buffer.writeUInt16BE(bytes.length)), bytes])
const typed = (type: number, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(type), bytes])

const valueOf = (value: HeaderValue): Buffer => {
  if (typeof value === "string") return typed(7, sized(Buffer.from(value)))
  if ("bool" in value) return Buffer.of(value.bool ? 0 : 1)
  if ("int8" in value) return typed(2, Buffer.of(value.int8))
  if ("int16" in value)
    return typed(
      3,
      number(2, (buffer) => buffer.writeInt16BE(value.int16))
    )
  if ("int32" in value)
    return typed(
      4,
      number(4, (buffer) => buffer.writeInt32BE(value.int32))
    )
  if ("int64" in value)
    return typed(
      5,
      number(8, (buffer) => buffer.writeBigInt64BE(value.int64))
    )
  if ("bytes" in value) return typed(6, sized(value.bytes))
  if ("timestamp" in value)
    return typed(
      8,
      number(8, (buffer) => buffer.writeBigInt64BE(BigInt(value.timestamp)))
    )
  return typed(9, value.uuid)
}

const headersOf = (headers: Headers): Buffer =>
  Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [
      Buffer.of(Buffer.byteLength(name)),
      Buffer.from(name),
      valueOf(value)
    ])
  )

/** A message of an AWS event stream. */
export const awsMessage = (headers: Headers, payload: string | Uint8Array): Buffer =>
  sealAwsMessage(headersOf(headers), typeof payload === "string" ? Buffer.from(payload) : payload)
