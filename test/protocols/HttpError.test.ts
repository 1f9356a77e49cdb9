import { describe, expect, it } from "@effect/vitest"
import { failureClass } from "../../src/domain/LlmError.ts"
import { durationMs, httpReason, rateLimitHeaders, retryHint } from "../../src/protocols/HttpError.ts"

describe("the reason of a status", () => {
  const rows: ReadonlyArray<readonly [number, string, string]> = [
    [400, "InvalidRequest", "request-permanent"],
    [401, "Unauthorized", "target-permanent"],
    [402, "QuotaExceeded", "target-permanent"],
    [403, "PermissionDenied", "target-permanent"],
    [404, "InvalidRequest", "target-permanent"],
    [405, "InvalidRequest", "target-permanent"],
    [408, "UpstreamServer", "transient"],
    [409, "UpstreamServer", "transient"],
    [413, "InvalidRequest", "request-permanent"],
    [422, "InvalidRequest", "request-permanent"],
    [425, "UpstreamServer", "transient"],
    [429, "RateLimited", "busy"],
    [500, "UpstreamServer", "transient"],
    [502, "UpstreamServer", "transient"],
    [503, "Overloaded", "busy"],
    [529, "Overloaded", "busy"]
  ]
  it.each(rows)("%i is %s, %s", (status, tag, what) => {
    const reason = httpReason(status)
    expect(reason._tag).toBe(tag)
    expect(failureClass(reason)).toBe(what)
  })
})

describe("the wait that a server asks for", () => {
  const date = "Wed, 21 Oct 2026 07:28:00 GMT"
  const rows: ReadonlyArray<readonly [string, { readonly [name: string]: string }, string, number | undefined]> = [
    ["milliseconds before seconds", { "retry-after-ms": "1500", "retry-after": "9" }, "", 1500],
    ["seconds", { "retry-after": "2" }, "", 2000],
    ["fractions of a second", { "retry-after": "0.25" }, "", 250],
    ["a date, by the server's own clock", { "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", date }, "", 30_000],
    ["a date in the past", { "retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", date }, "", 0],
    ["a date without a clock", { "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT" }, "", undefined],
    ["nonsense", { "retry-after": "soon" }, "", undefined],
    ["a negative number", { "retry-after": "-1", date }, "", 0],
    ["more than a number holds", { "retry-after": "9".repeat(20) }, "", Number.MAX_SAFE_INTEGER],
    ["more digits than a number has", { "retry-after-ms": "9".repeat(400) }, "", Number.MAX_SAFE_INTEGER],
    ["as many in words", {}, `Please retry after ${"9".repeat(30)} seconds`, Number.MAX_SAFE_INTEGER],
    [
      "the reset of the window that is used up",
      {
        "x-ratelimit-remaining-requests": "12",
        "x-ratelimit-reset-requests": "8m0s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6.5s"
      },
      "",
      6500
    ],
    [
      "the reset as a date",
      {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-10-21T07:28:05Z",
        date
      },
      "",
      5000
    ],
    ["the message, in seconds", {}, "Limit reached. Please try again in 1.2s.", 1200],
    ["the message, in milliseconds", {}, "Please try again in 86ms. Visit the docs", 86],
    ["the message, compound", {}, "Please try again in 1m2.5s.", 62_500],
    ["the message, in words", {}, "Please retry after 3 seconds", 3000],
    ["nobody says", {}, "Too many requests", undefined]
  ]
  it.each(rows)("%s", (_, headers, message, expected) => {
    expect(retryHint(headers, message)).toBe(expected)
  })
})

describe("durations in headers", () => {
  it.each([
    ["1s", 1000],
    ["6m0s", 360_000],
    ["250ms", 250],
    ["1h", 3_600_000],
    ["17", 17_000],
    ["", undefined],
    ["tomorrow", undefined]
  ] as const)("%s", (text, expected) => {
    expect(durationMs(text)).toBe(expected)
  })
})

describe("headers about limits", () => {
  it("keeps what SDKs read and nothing else", () => {
    expect(
      rateLimitHeaders({
        "retry-after": "3",
        "x-ratelimit-limit-requests": "60",
        "anthropic-ratelimit-requests-limit": "50",
        "set-cookie": "a=b",
        "openai-organization": "org"
      })
    ).toEqual({
      "retry-after": "3",
      "x-ratelimit-limit-requests": "60",
      "anthropic-ratelimit-requests-limit": "50"
    })
    expect(rateLimitHeaders({ server: "x", "retry-after": "banana" })).toBeUndefined()
  })
})
