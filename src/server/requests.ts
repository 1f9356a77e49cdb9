import { Effect, Random } from "effect"
import { Buffer, isUtf8 } from "node:buffer"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Schema } from "effect"
import { callerBy, type Principal } from "../accounting/Access.ts"
import type { Caller } from "../domain/Call.ts"
import { isDeeper, mostLevels } from "../domain/depth.ts"
import { parseExactly } from "../domain/exact-json.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Dialect } from "../protocols/Dialect.ts"

/** One request and the response that belongs to it. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Told that the client left: true where what goes on for it is not to be broken off. */
  whenLeft?: () => boolean
}

/** Request headers as Node gives them: lower case, several values joined. */
export type RequestHeaders = { readonly [name: string]: string | undefined }

/** The headers of a request in one shape; where a name came several times its values are joined by commas. */
export const headersOf = (request: IncomingMessage): RequestHeaders => {
  const headers: Record<string, string | undefined> = {}
  for (const name in request.headers) {
    const value = request.headers[name]
    headers[name] = Array.isArray(value) ? value.join(", ") : value
  }
  return headers
}

const compressed = (encoding: string): LlmError =>
  failure(
    { _tag: "InvalidRequest", kind: "encoding", path: "content-encoding" },
    `The request body is compressed (content-encoding: ${encoding}), which this server does not read; send it as it is`
  )

const notUtf8 = failure(
  { _tag: "InvalidRequest", kind: "syntax" },
  "The request body is not valid UTF-8, the encoding of JSON; encode it so"
)

const textOf = (body: Buffer): Effect.Effect<string, LlmError> =>
  isUtf8(body) ? Effect.succeed(body.toString("utf8")) : notUtf8

/** The text of a request's body, at most `limit` bytes of it. */
export const readBody = ({ request, response }: Exchange, limit: number): Effect.Effect<string, LlmError> =>
  Effect.callback<string, LlmError>((resume) => {
    const tooLarge = () =>
      failure(
        { _tag: "InvalidRequest", kind: "tooLarge" },
        `The request body is larger than ${limit} bytes, the limit of this server (server.bodyLimit)`
      )
    const encoding = request.headers["content-encoding"]
    if (encoding !== undefined && encoding.toLowerCase() !== "identity") return resume(compressed(encoding))
    if (Number(request.headers["content-length"] ?? 0) > limit) return resume(tooLarge())
    // Who asks first whether the body is welcome (curl does, for large ones) waits for a yes.
    if (request.headers.expect !== undefined) response.writeContinue()
    const chunks: Array<Buffer> = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) return void chunks.push(chunk)
      stop()
      resume(tooLarge())
    }
    const onEnd = () => {
      stop()
      resume(textOf(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    }
    const stop = () => {
      request.off("data", onData)
      request.off("end", onEnd)
    }
    request.on("data", onData)
    request.on("end", onEnd)
    return Effect.sync(stop)
  })

// What reads a request does so when it is called, and returns what it found: an effect that is complete costs nothing to
// run, and every call runs all of these.

/** A body that has to be a JSON object, nested no deeper than so many levels. */
export const parseObject = (
  text: string,
  levels = mostLevels
): Effect.Effect<{ readonly [key: string]: Schema.Json }, LlmError> => {
  let body: unknown
  // A parser says no by throwing.
  try {
    body = parseExactly(text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "not JSON"
    return failure({ _tag: "InvalidRequest", kind: "syntax" }, `The request body is not valid JSON: ${why}`)
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return failure({ _tag: "InvalidRequest", kind: "type" }, "The request body has to be a JSON object")
  }
  // A level has a sign at its beginning and one at its end: most requests are too short to be looked at.
  if (text.length > 2 * levels && isDeeper(body, levels)) {
    const message = `The request body is nested deeper than ${levels} levels; flatten it`
    return failure({ _tag: "InvalidRequest", kind: "type" }, message)
  }
  return Effect.succeed(body as { readonly [key: string]: Schema.Json })
}

/** The id of a request: the caller's own, else a new one. */
export const requestIdOf = (headers: RequestHeaders): Effect.Effect<string> => {
  const own = headers["x-request-id"]
  if (own !== undefined && /^[\x21-\x7e]{1,200}$/.test(own)) return Effect.succeed(own)
  return Effect.map(Random.nextInt, (random) => `req_${Math.abs(random).toString(36)}`)
}

/** The headers that tell the id of a request: the usual one, and where SDKs of the dialect look for it. */
export const requestIdHeaders = ({ requestIdHeader }: Dialect, requestId: string): Record<string, string> => ({
  "x-request-id": requestId,
  ...(requestIdHeader === undefined ? {} : { [requestIdHeader]: requestId })
})

/** The headers by which a caller controls a call; what is not one of them is refused rather than ignored. */
const controlHeaders: ReadonlyArray<string> = [
  "x-millrace-conversation",
  "x-millrace-labels",
  "x-millrace-tenant",
  "x-millrace-timeout"
]

/** Fails where a header would control a call in a way that there is not, such as a misspelt one. */
export const checkControl = (headers: RequestHeaders): Effect.Effect<void, LlmError> => {
  for (const name in headers) {
    if (!name.startsWith("x-millrace-") || controlHeaders.includes(name)) continue
    return failure(
      { _tag: "InvalidRequest", kind: "type", path: name },
      `There is no header ${name}; a call is controlled by ${controlHeaders.join(", ")}`
    )
  }
  return Effect.void
}

const controlError = (header: string, mend: string): LlmError =>
  failure({ _tag: "InvalidRequest", kind: "type", path: header }, `The header ${header} is not readable: ${mend}`)

/** So many bytes of UTF-8 may a name have, and all labels together: databases have them in indexes, which hold no more. */
const maxName = 512
const maxLabels = 1024

/** What a terminal would take for a command, and a log for the end of its line. */
const control = /[^\P{Cc}\t]/u

/** Fails where a name is too long to be recorded, or none that could be shown. */
export const checkName = (path: string, text: string | undefined, limit = maxName): Effect.Effect<void, LlmError> => {
  if (text !== undefined && control.test(text)) {
    return failure({ _tag: "InvalidRequest", kind: "type", path }, `${path} has control characters; leave them out`)
  }
  // no code unit has more than three bytes
  if (text === undefined || text.length * 3 <= limit) return Effect.void
  const bytes = Buffer.byteLength(text)
  if (bytes <= limit) return Effect.void
  const message = `${path} has ${bytes} bytes; at most ${limit} can be recorded, so give a shorter one`
  return failure({ _tag: "InvalidRequest", kind: "type", path }, message)
}

/** What a header says. Node reads its bytes as Latin-1, and most programs write what is not ASCII as UTF-8. */
const saidIn = (headers: RequestHeaders, name: string): string | undefined => {
  const value = headers[name]
  if (value === undefined || !/[\x80-\xff]/.test(value)) return value
  const bytes = Buffer.from(value, "latin1")
  return isUtf8(bytes) ? bytes.toString("utf8") : value
}

/** The conversation that a call belongs to, where its caller says so. */
export const conversationOf = (headers: RequestHeaders): Effect.Effect<string | undefined, LlmError> => {
  const conversation = saidIn(headers, "x-millrace-conversation")
  return Effect.as(checkName("x-millrace-conversation", conversation), conversation)
}

/** Who asks: by the key, and as the control headers say it: `x-millrace-tenant`, `x-millrace-labels: a=b,c=d`. */
export const callerOf = (headers: RequestHeaders, principal: Principal): Effect.Effect<Caller, LlmError> => {
  const tenant = saidIn(headers, "x-millrace-tenant")
  const listed = saidIn(headers, "x-millrace-labels")
  const labels: Record<string, string> = {}
  for (const pair of listed?.split(",") ?? []) {
    const at = pair.indexOf("=")
    const name = pair.slice(0, Math.max(0, at)).trim()
    if (name === "") return controlError("x-millrace-labels", "write it as a=b,c=d")
    // labels are plain objects, which have something else under that name
    if (name === "__proto__") return controlError("x-millrace-labels", "no label can be called __proto__")
    labels[name] = pair.slice(at + 1).trim()
  }
  const named = callerBy(principal, {
    ...(tenant === undefined ? {} : { tenant }),
    ...(listed === undefined ? {} : { labels })
  })
  if (tenant === undefined && listed === undefined) return named
  return checkName("x-millrace-tenant", tenant).pipe(
    Effect.andThen(checkName("x-millrace-labels", listed, maxLabels)),
    Effect.andThen(named)
  )
}

const units: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** The bound of the whole call from `x-millrace-timeout` (`500ms`, `30s`, `2m`), in milliseconds. */
export const timeoutOf = (headers: RequestHeaders): Effect.Effect<number | undefined, LlmError> => {
  const text = headers["x-millrace-timeout"]
  if (text === undefined) return Effect.undefined
  const [, amount, unit] = /^(\d+)(ms|s|m|h)$/.exec(text.trim()) ?? []
  if (amount === undefined || unit === undefined) {
    return controlError("x-millrace-timeout", "write a duration such as 500ms, 30s or 2m")
  }
  return Effect.succeed(Number(amount) * units[unit]!)
}
