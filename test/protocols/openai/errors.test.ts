import { describe, expect, it } from "vitest"
import { failure, type FailureReason } from "../../../src/domain/LlmError.ts"
import {
  decodeOpenAiError,
  openAiErrorObject,
  openAiStreamError,
  readOpenAiError,
  renderOpenAiError
} from "../../../src/protocols/openai/errors.ts"

const decode = (status: number, error: unknown, headers = {}) =>
  decodeOpenAiError("openai-chat")({
    status,
    headers,
    body: typeof error === "string" ? error : JSON.stringify({ error })
  })

describe("an error answer", () => {
  it.each([
    [401, { message: "Incorrect API key", type: "invalid_request_error", code: "invalid_api_key" }, "Unauthorized"],
    [403, { message: "no", type: "permission_error" }, "PermissionDenied"],
    [404, { message: "The model `gpt-9` does not exist", code: "model_not_found" }, "UnknownModel"],
    [404, { message: "Invalid URL" }, "InvalidRequest"],
    [400, { message: "too long", code: "context_length_exceeded" }, "ContextTooLong"],
    [400, { message: "This model's maximum context length is 8192 tokens" }, "ContextTooLong"],
    [400, { message: "flagged", code: "content_filter" }, "ContentBlocked"],
    [400, { message: "no top_k", code: "unsupported_parameter", param: "top_k" }, "Unsupported"],
    [429, { message: "slow down", type: "tokens", code: "rate_limit_exceeded" }, "RateLimited"],
    [429, { message: "You exceeded your current quota", type: "insufficient_quota" }, "QuotaExceeded"],
    [429, { message: "You exceeded your current quota", code: "rate_limit_exceeded" }, "RateLimited"],
    [402, { message: "Insufficient credits", code: 402 }, "QuotaExceeded"],
    [500, { message: "oops", type: "server_error" }, "UpstreamServer"],
    [503, { message: "The engine is currently overloaded", type: "server_error" }, "Overloaded"],
    [529, { message: "later", type: "server_error" }, "Overloaded"],
    [502, "<html>", "UpstreamServer"],
    [401, { detail: "nope" }, "Unauthorized"]
  ] as const)("%d %j is %s", (status, error, reason) => {
    expect(decode(status, error).reason._tag).toBe(reason)
  })

  it("names the model and the field that it is about", () => {
    expect(decode(404, { message: "The model `gpt-9` does not exist" }).reason).toMatchObject({ model: "gpt-9" })
    expect(decode(400, { message: "bad", param: "input[0]" }).reason).toMatchObject({ path: "input[0]" })
  })

  it("keeps the provider's message, hints and words", () => {
    const error = { message: "slow down", type: "requests", param: null, code: "rate_limit_exceeded" }
    const decoded = decode(429, error, { "retry-after": "3", "x-ratelimit-limit-requests": "10", date: "x" })
    expect(decoded).toMatchObject({
      message: "slow down",
      retryAfterMs: 3000,
      fault: { status: 429, type: "requests" }
    })
    const rendered = renderOpenAiError(decoded)
    expect(rendered).toEqual({
      status: 429,
      headers: { "retry-after": "3", "x-ratelimit-limit-requests": "10" },
      body: { error }
    })
  })
})

describe("an error document", () => {
  it.each([
    [{ error: "just a text" }, { message: "just a text" }],
    [{ detail: "a proxy's text" }, { message: "a proxy's text" }],
    [
      { object: "error", message: "flat", type: "BadRequest", code: 400 },
      { message: "flat", type: "BadRequest", code: "400" }
    ],
    [[{ error: { message: "in a list" } }], { message: "in a list" }],
    [
      { type: "error", code: "server_error", message: "m", param: null },
      { message: "m", code: "server_error" }
    ],
    [
      { error: { message: "Failed", code: 502, metadata: { raw: "why", provider_name: "p" } } },
      { message: "Failed: why", code: "502" }
    ],
    [{ error: { message: "Failed: why", metadata: { raw: "why" } } }, { message: "Failed: why" }],
    [{ choices: [] }, undefined],
    ["text", undefined]
  ])("%j", (document, error) => expect(readOpenAiError(document)).toEqual(error))

  it("in a stream counts by its code, be it a status", () => {
    const raw = "data: x\n\n"
    const streamError = openAiStreamError("openai-chat")
    expect(streamError({ error: { message: "x", code: "429" } }, raw)).toMatchObject({
      reason: { _tag: "RateLimited" },
      fault: { protocol: "openai-chat", raw }
    })
    expect(streamError(undefined, raw).reason._tag).toBe("UpstreamServer")
  })
})

describe("a failure", () => {
  it.each([
    [{ _tag: "InvalidRequest", kind: "type", path: "input" }, "invalid_request_error", null, "input"],
    [{ _tag: "Unsupported", feature: "n" }, "invalid_request_error", "unsupported_parameter", "n"],
    [{ _tag: "UnknownModel", model: "x", near: [] }, "invalid_request_error", "model_not_found", "model"],
    [{ _tag: "Unauthorized" }, "authentication_error", "invalid_api_key", null],
    [{ _tag: "QuotaExceeded" }, "insufficient_quota", "insufficient_quota", null],
    [{ _tag: "RateLimited" }, "rate_limit_error", "rate_limit_exceeded", null],
    [{ _tag: "Overloaded" }, "server_error", "server_is_overloaded", null],
    [{ _tag: "ContentBlocked" }, "invalid_request_error", "content_policy_violation", null],
    [{ _tag: "Timeout", phase: "total" }, "server_error", null, null]
  ] as ReadonlyArray<[FailureReason, string, string | null, string | null]>)(
    "%j has its words",
    (reason, type, code, param) => {
      expect(openAiErrorObject(failure(reason, "m"))).toEqual({ message: "m", type, code, param })
    }
  )

  it("of another format is told in these words", () => {
    const fault = { protocol: "anthropic-messages", type: "overloaded_error" }
    expect(openAiErrorObject(failure({ _tag: "Overloaded" }, "m", { fault }))).toMatchObject({ type: "server_error" })
  })
})
