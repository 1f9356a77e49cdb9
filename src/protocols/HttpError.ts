import type { FailureReason } from "../domain/LlmError.ts"

type Headers = { readonly [name: string]: string }

/**
 * The reason that an HTTP status stands for where the body does not say more. `model` is not known here, so that a 404 is
 * a route or a document that was not found; a protocol that reads "no such model" in the body says so itself.
 */
export const httpReason = (status: number): FailureReason => {
  switch (status) {
    case 401:
      return { _tag: "Unauthorized" }
    case 402:
      return { _tag: "QuotaExceeded" }
    case 403:
      return { _tag: "PermissionDenied" }
    case 404:
      return { _tag: "InvalidRequest", kind: "notFound" }
    case 405:
      return { _tag: "InvalidRequest", kind: "method" }
    // The server gave up waiting, met a conflict, or would not risk a replay: the same request may do better.
    case 408:
    case 409:
    case 425:
      return { _tag: "UpstreamServer" }
    case 413:
      return { _tag: "InvalidRequest", kind: "tooLarge" }
    case 422:
      return { _tag: "InvalidRequest", kind: "semantic" }
    case 429:
      return { _tag: "RateLimited" }
    case 503:
    case 529:
      return { _tag: "Overloaded" }
    default:
      return status >= 400 && status < 500 ? { _tag: "InvalidRequest", kind: "type" } : { _tag: "UpstreamServer" }
  }
}

const unitMs: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Whole milliseconds, as `LlmError` has them: however many a server says. */
const wholeMs = (millis: number): number => Math.min(Math.ceil(millis), Number.MAX_SAFE_INTEGER)

/** Milliseconds of a duration as providers write it in headers: `1s`, `6m0s`, `250ms`, `1.5s`, or bare seconds. */
export const durationMs = (text: string): number | undefined => {
  const trimmed = text.trim()
  if (/^\d+(\.\d+)?$/.test(trimmed)) return wholeMs(Number(trimmed) * 1000)
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) return undefined
  let total = 0
  for (const [, count, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(count) * (unitMs[unit ?? ""] ?? 0)
  }
  return wholeMs(total)
}

/** A date of an HTTP header or an RFC 3339 one, in epoch milliseconds. */
const dateMs = (text: string | undefined): number | undefined => {
  const moment = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(moment) ? undefined : moment
}

/** The wait until `text`, a date, as seen by the clock of the server that wrote it; without its `date` it says nothing. */
const waitUntil = (text: string, headers: Headers): number | undefined => {
  const until = dateMs(text)
  const now = dateMs(headers["date"])
  return until === undefined || now === undefined ? undefined : Math.max(0, until - now)
}

const remainingOf = (name: string): string => name.replace("reset", "remaining")

/** How long the windows that are used up have to go. A window that has room left is no reason to wait. */
const resetHint = (headers: Headers): number | undefined => {
  let longest: number | undefined
  for (const [name, value] of Object.entries(headers)) {
    if (!/^(x-ratelimit-reset-|anthropic-ratelimit-.*-reset$)/.test(name)) continue
    if (Number(headers[remainingOf(name)] ?? Number.NaN) !== 0) continue
    const wait = durationMs(value) ?? waitUntil(value, headers)
    if (wait !== undefined) longest = Math.max(longest ?? 0, wait)
  }
  return longest
}

const compoundWait = /(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|[smh])){2,})/i
const simpleWait =
  /(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?)\s*(milliseconds?|ms|seconds?|s|minutes?|m|hours?|h)?\b/i

/** "Please try again in 1m2.5s", "Please retry after 3 seconds". */
const messageHint = (message: string): number | undefined => {
  const compound = compoundWait.exec(message)?.[1]
  if (compound !== undefined) return durationMs(compound)
  const [, count, unit = "s"] = simpleWait.exec(message) ?? []
  if (count === undefined) return undefined
  const short = /^m(s|illi)/i.test(unit) ? "ms" : unit.charAt(0).toLowerCase()
  return wholeMs(Number(count) * (unitMs[short] ?? 1000))
}

/**
 * When it makes sense to come back, in milliseconds: `retry-after-ms`, then `retry-after` (seconds or a date), then the
 * reset of the rate-limit windows that are used up, then what the message says. Undefined where nobody says.
 */
export const retryHint = (headers: Headers, message = ""): number | undefined => {
  const stated = headers["retry-after-ms"]
  if (stated !== undefined && /^\d+(\.\d+)?$/.test(stated.trim())) return wholeMs(Number(stated))
  const after = headers["retry-after"]
  const wait = after === undefined ? undefined : (durationMs(after) ?? waitUntil(after, headers))
  return wait ?? resetHint(headers) ?? messageHint(message)
}

/** Whether a header says in a readable way when to come back. */
const isWait = (name: string, value: string): boolean =>
  (name === "retry-after" || name === "retry-after-ms") &&
  (durationMs(value) !== undefined || dateMs(value) !== undefined)

/** The headers about limits that a caller's SDK reads, lower case; undefined where there are none. */
export const rateLimitHeaders = (headers: Headers): { readonly [name: string]: string } | undefined => {
  let kept: Record<string, string> | undefined
  for (const [name, value] of Object.entries(headers)) {
    const isKept = /^(x-should-retry|(x|anthropic)-ratelimit-.+)$/.test(name) || isWait(name, value)
    if (isKept) (kept ??= {})[name] = value
  }
  return kept
}
