import { DateTime } from "effect"
import type { LlmError } from "../domain/LlmError.ts"
import type { LimitState } from "../domain/RateLimit.ts"

type Headers = { readonly [name: string]: string }

/** Of several windows of one measure the one that is nearest to being used up. */
const tightest = (limits: ReadonlyArray<LimitState>, measure: LimitState["measure"]): LimitState | undefined => {
  let found: LimitState | undefined
  for (const limit of limits) {
    if (limit.measure !== measure) continue
    if (found === undefined || limit.remaining / limit.limit < found.remaining / found.limit) found = limit
  }
  return found
}

/** A duration as OpenAI's API writes it: `250ms`, `12s`, `6m0s`, `1h0m0s`. */
const shortDuration = (millis: number): string => {
  if (millis < 1000) return `${millis}ms`
  const seconds = Math.ceil(millis / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  const rest = `${seconds % 60}s`
  return hours > 0 ? `${hours}h${minutes}m${rest}` : minutes > 0 ? `${minutes}m${rest}` : rest
}

/** What is left of a caller's limits, in the headers of OpenAI's APIs. */
export const openAiLimitHeaders = (limits: ReadonlyArray<LimitState>): Headers => {
  const headers: Record<string, string> = {}
  for (const measure of ["requests", "tokens"] as const) {
    const state = tightest(limits, measure)
    if (state === undefined) continue
    headers[`x-ratelimit-limit-${measure}`] = String(state.limit)
    headers[`x-ratelimit-remaining-${measure}`] = String(state.remaining)
    if (state.resetMs !== undefined) headers[`x-ratelimit-reset-${measure}`] = shortDuration(state.resetMs)
  }
  return headers
}

const anthropicNames = {
  requests: "requests",
  tokens: "tokens",
  inputTokens: "input-tokens",
  outputTokens: "output-tokens"
} as const

/** The same in the headers of the Messages API. */
export const anthropicLimitHeaders = (limits: ReadonlyArray<LimitState>): Headers => {
  const headers: Record<string, string> = {}
  for (const [measure, name] of Object.entries(anthropicNames)) {
    const state = tightest(limits, measure as keyof typeof anthropicNames) // the keys of a literal
    if (state === undefined) continue
    headers[`anthropic-ratelimit-${name}-limit`] = String(state.limit)
    headers[`anthropic-ratelimit-${name}-remaining`] = String(state.remaining)
    if (state.resetAt !== undefined) headers[`anthropic-ratelimit-${name}-reset`] = isoTime(state.resetAt)
  }
  return headers
}

const isoTime = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis)).replace(/\.\d+Z$/, "Z")

/** Longer than this no SDK waits by itself: it would only be refused again. */
const longestWaitMs = 60_000

/** Tells SDKs not to try again on their own where a limit of ours has no room for long. */
const limitRetryHeaders = ({ limits, retryAfterMs }: LlmError): Headers =>
  limits !== undefined && (retryAfterMs === undefined || retryAfterMs > longestWaitMs)
    ? { "x-should-retry": "false" }
    : {}

/** The headers by which SDKs know when to come back: those of the provider that the format `own` has, and our own. */
export const errorHeaders = (
  error: LlmError,
  own: RegExp,
  limitHeaders: (limits: ReadonlyArray<LimitState>) => Headers
): Headers => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(error.fault?.headers ?? {})) {
    if (/^(retry-after(-ms)?|x-should-retry)$/.test(name) || own.test(name)) headers[name] = value
  }
  // Whole seconds, up: a client that comes back too early is refused again.
  if (error.retryAfterMs !== undefined) headers["retry-after"] = String(Math.ceil(error.retryAfterMs / 1000))
  return Object.assign(headers, limitRetryHeaders(error), limitHeaders(error.limits ?? []))
}
