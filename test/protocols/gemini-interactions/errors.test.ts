import { describe, expect, it } from "vitest"
import { geminiInteractions } from "../../../src/protocols/gemini-interactions/outbound.ts"

describe("an error of the Interactions API", () => {
  it.each([
    [400, "invalid_request", "Unknown step", { _tag: "InvalidRequest", kind: "type" }],
    [400, "invalid_request", "The input token count (9) exceeds the maximum", { _tag: "ContextTooLong" }],
    [400, "invalid_request", "API key not valid. Please pass a valid API key.", { _tag: "Unauthorized" }],
    [
      400,
      "invalid_request",
      "Image output is not supported for this model",
      { _tag: "Unsupported", feature: "Image output" }
    ],
    [400, "parameter_unknown", "Unknown parameter 'x'", { _tag: "InvalidRequest", kind: "type" }],
    [400, "failed_precondition", "billing is disabled", { _tag: "PermissionDenied" }],
    [400, "content_blocked", "no", { _tag: "ContentBlocked" }],
    [401, "authentication", "no key", { _tag: "Unauthorized" }],
    [402, "payment_required", "no credits", { _tag: "QuotaExceeded" }],
    [403, "permission_denied", "no", { _tag: "PermissionDenied" }],
    [404, "not_found", "no such interaction", { _tag: "InvalidRequest", kind: "notFound" }],
    [
      404,
      "not_found",
      "models/gemini-9 is not found for v1beta",
      { _tag: "UnknownModel", model: "gemini-9", near: [] }
    ],
    [404, "model_not_found", "Model 'gemini-9' not found.", { _tag: "UnknownModel", model: "gemini-9", near: [] }],
    [409, "aborted", "conflict", { _tag: "UpstreamServer" }],
    [416, "out_of_range", "no", { _tag: "InvalidRequest", kind: "semantic" }],
    [429, "rate_limit_exceeded", "slow down", { _tag: "RateLimited" }],
    [429, "quota_exceeded", "tomorrow", { _tag: "QuotaExceeded" }],
    [499, "cancelled", "gone", { _tag: "UpstreamServer" }],
    [500, "not_invented_yet", "oops", { _tag: "UpstreamServer" }],
    [503, "overloaded", "busy", { _tag: "Overloaded" }],
    [504, "deadline_exceeded", "late", { _tag: "Timeout", phase: "idle" }]
  ])("%i %s (%s)", (status, code, message, reason) => {
    const body = JSON.stringify({ error: { code, message } })
    expect(geminiInteractions.decodeError({ status, headers: {}, body })).toMatchObject({
      reason,
      message,
      fault: { status, code, protocol: "gemini-interactions", raw: body }
    })
  })

  it("may be told as Google's other APIs do, with the time to wait", () => {
    const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "7s" }]
    const error = { code: 429, status: "RESOURCE_EXHAUSTED", message: "slow", details }
    for (const document of [{ error }, [{ error }]]) {
      const body = JSON.stringify(document)
      expect(geminiInteractions.decodeError({ status: 429, headers: {}, body })).toMatchObject({
        reason: { _tag: "RateLimited" },
        retryAfterMs: 7000
      })
    }
  })

  it("may be the page of a proxy", () => {
    const error = geminiInteractions.decodeError({ status: 502, headers: { "retry-after": "3" }, body: "<html>" })
    expect(error).toMatchObject({ reason: { _tag: "UpstreamServer" }, retryAfterMs: 3000, fault: { status: 502 } })
    expect(error.fault?.raw).toBeUndefined()
  })
})
