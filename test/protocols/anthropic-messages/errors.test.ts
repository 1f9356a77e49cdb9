import { describe, expect, it } from "vitest"
import { failure, type FailureReason } from "../../../src/domain/LlmError.ts"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"

const decode = (status: number, error: unknown, headers: Record<string, string> = {}) =>
  anthropicMessages.decodeError({ status, headers, body: JSON.stringify({ type: "error", error }) })

describe("an error of a provider", () => {
  it.each([
    [400, "invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum", "ContextTooLong"],
    [400, "invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 3", "ContextTooLong"],
    [400, "invalid_request_error", "Your credit balance is too low to access the API", "QuotaExceeded"],
    [400, "invalid_request_error", "Output blocked by content filtering policy", "ContentBlocked"],
    [400, "invalid_request_error", "messages: at least one message is required", "InvalidRequest"],
    [401, "authentication_error", "invalid x-api-key", "Unauthorized"],
    [402, "billing_error", "pay", "QuotaExceeded"],
    [403, "permission_error", "no", "PermissionDenied"],
    [404, "not_found_error", "model: claude-x", "UnknownModel"],
    [404, "not_found_error", "file not found", "InvalidRequest"],
    [413, "request_too_large", "big", "InvalidRequest"],
    [429, "rate_limit_error", "slow", "RateLimited"],
    [500, "api_error", "oops", "UpstreamServer"],
    [504, "timeout_error", "late", "Timeout"],
    [529, "overloaded_error", "Overloaded", "Overloaded"],
    [529, "not_invented_yet", "?", "Overloaded"]
  ])("%i %s (%s) is %s", (status, type, message, reason) => {
    const error = decode(status, { type, message })
    expect(error).toMatchObject({ reason: { _tag: reason }, message, fault: { status, type } })
  })

  it("says when to come back, and keeps the headers about limits", () => {
    const headers = { "retry-after": "7", "anthropic-ratelimit-requests-remaining": "0", "x-other": "1" }
    const error = decode(429, { type: "rate_limit_error", message: "slow" }, headers)
    expect(error.retryAfterMs).toBe(7000)
    expect(error.fault?.headers).toEqual({ "retry-after": "7", "anthropic-ratelimit-requests-remaining": "0" })
    const { status, headers: sent } = anthropicMessagesDialect.renderError(error, "req_1")
    expect({ status, sent }).toEqual({ status: 429, sent: error.fault?.headers })
  })

  it("may be a page that is no document of the API", () => {
    const error = anthropicMessages.decodeError({ status: 503, headers: {}, body: "<html>" })
    expect(error).toMatchObject({ reason: { _tag: "Overloaded" }, fault: { status: 503 } })
    expect(error.message).toContain("503")
    expect(error.fault?.raw).toBeUndefined()
  })

  it("reaches a caller of the format with what its SDK reads in it", () => {
    const details = { error_code: "thread_not_found" }
    const error = decode(404, { type: "not_found_error", message: "no thread", details })
    expect(anthropicMessagesDialect.renderError(error, "req_1")).toEqual({
      status: 404,
      headers: {},
      body: { type: "error", error: { type: "not_found_error", message: "no thread", details }, request_id: "req_1" }
    })
  })
})

describe("a failure as the caller is told", () => {
  const reasons: ReadonlyArray<[FailureReason, number, string]> = [
    [{ _tag: "InvalidRequest", kind: "type" }, 400, "invalid_request_error"],
    [{ _tag: "InvalidRequest", kind: "semantic" }, 422, "invalid_request_error"],
    [{ _tag: "InvalidRequest", kind: "tooLarge" }, 413, "request_too_large"],
    [{ _tag: "InvalidRequest", kind: "notFound" }, 404, "not_found_error"],
    [{ _tag: "InvalidRequest", kind: "method" }, 405, "invalid_request_error"],
    [{ _tag: "Unsupported", feature: "audio input" }, 400, "invalid_request_error"],
    [{ _tag: "ContextTooLong" }, 400, "invalid_request_error"],
    [{ _tag: "ContentBlocked" }, 400, "invalid_request_error"],
    [{ _tag: "Unauthorized" }, 401, "authentication_error"],
    [{ _tag: "PermissionDenied" }, 403, "permission_error"],
    [{ _tag: "UnknownModel", model: "x", near: [] }, 404, "not_found_error"],
    [{ _tag: "QuotaExceeded" }, 429, "rate_limit_error"],
    [{ _tag: "RateLimited" }, 429, "rate_limit_error"],
    [{ _tag: "Overloaded" }, 503, "overloaded_error"],
    [{ _tag: "NoRoute" }, 503, "overloaded_error"],
    [{ _tag: "AuditUnavailable" }, 503, "overloaded_error"],
    [{ _tag: "UpstreamServer" }, 502, "api_error"],
    [{ _tag: "Transport" }, 502, "api_error"],
    [{ _tag: "InvalidOutput", kind: "malformedFrame" }, 502, "api_error"],
    [{ _tag: "IncompleteStream", kind: "noStop" }, 502, "api_error"],
    [{ _tag: "Timeout", phase: "total" }, 504, "timeout_error"],
    [{ _tag: "Internal" }, 500, "api_error"]
  ]

  it.each(reasons)("%j is %i %s", (reason, status, type) => {
    expect(anthropicMessagesDialect.renderError(failure(reason, "why"), "req_1")).toEqual({
      status,
      headers: {},
      body: { type: "error", error: { type, message: "why" }, request_id: "req_1" }
    })
  })

  it("passes on a wait in milliseconds, and whether to come back at all", () => {
    const headers = { "retry-after-ms": "1200", "x-should-retry": "true", "x-ratelimit-remaining-requests": "0" }
    const error = failure({ _tag: "RateLimited" }, "busy", { retryAfterMs: 1200, fault: { status: 429, headers } })
    expect(anthropicMessagesDialect.renderError(error, "r").headers).toEqual({
      "retry-after": "2",
      "retry-after-ms": "1200",
      "x-should-retry": "true"
    })
  })

  it("asks for whole seconds of patience", () => {
    const error = failure({ _tag: "NoRoute" }, "busy", { retryAfterMs: 1200 })
    expect(anthropicMessagesDialect.renderError(error, "r").headers).toEqual({ "retry-after": "2" })
  })

  it("tells a client with a thread to send the whole history", () => {
    const error = failure({ _tag: "Unsupported", feature: "thread" }, "no threads here")
    expect(anthropicMessagesDialect.renderError(error, "r")).toMatchObject({
      status: 400,
      body: { error: { type: "invalid_request_error", details: { error_code: "thread_unsupported_request" } } }
    })
  })
})
