import { describe, expect, it } from "vitest"
import { failure, LlmError, type FailureReason } from "../../../src/domain/LlmError.ts"
import { renderError } from "../../../src/protocols/gemini/errors.ts"
import { gemini } from "../../../src/protocols/gemini/outbound.ts"

const answer = (code: number, status: string, message: string, ...details: ReadonlyArray<object>) =>
  gemini.decodeError({ status: code, headers: {}, body: JSON.stringify({ error: { code, status, message, details } }) })

const detail = (type: string, fields: object) => ({ "@type": `type.googleapis.com/google.rpc.${type}`, ...fields })

describe("errors of the Gemini API", () => {
  it.each([
    [400, "INVALID_ARGUMENT", "Bad value at 'contents'", { _tag: "InvalidRequest", kind: "type" }],
    [
      400,
      "INVALID_ARGUMENT",
      "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
      { _tag: "ContextTooLong" }
    ],
    [
      400,
      "INVALID_ARGUMENT",
      "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.",
      { _tag: "Unsupported", feature: "Thinking level MINIMAL" }
    ],
    [
      400,
      "INVALID_ARGUMENT",
      "Unable to submit request because `function_response.parts` is not supported for this model.",
      { _tag: "Unsupported", feature: "function_response.parts" }
    ],
    [
      400,
      "INVALID_ARGUMENT",
      "Developer instruction is not enabled for models/gemma-3-27b-it",
      { _tag: "Unsupported", feature: "Developer instruction" }
    ],
    [400, "FAILED_PRECONDITION", "User location is not supported for the API use.", { _tag: "PermissionDenied" }],
    [401, "UNAUTHENTICATED", "Request had invalid credentials.", { _tag: "Unauthorized" }],
    [403, "PERMISSION_DENIED", "Denied.", { _tag: "PermissionDenied" }],
    [
      404,
      "NOT_FOUND",
      "models/nope is not found for API version v1beta.",
      { _tag: "UnknownModel", model: "nope", near: [] }
    ],
    [404, "NOT_FOUND", "Requested entity was not found.", { _tag: "InvalidRequest", kind: "notFound" }],
    [429, "RESOURCE_EXHAUSTED", "Resource has been exhausted.", { _tag: "RateLimited" }],
    [500, "INTERNAL", "An internal error has occurred.", { _tag: "UpstreamServer" }],
    [503, "UNAVAILABLE", "The model is overloaded.", { _tag: "Overloaded" }],
    [504, "DEADLINE_EXCEEDED", "Deadline expired.", { _tag: "Timeout", phase: "idle" }],
    [418, "INVENTED", "?", { _tag: "InvalidRequest", kind: "type" }]
  ] as const)("%i %s: %s", (code, status, message, reason) => {
    expect(answer(code, status, message)).toMatchObject({ reason, message, fault: { status: code, type: status } })
  })

  it("say when to come back, and whose quota it was", () => {
    const violations = (...ids: ReadonlyArray<string>) =>
      detail("QuotaFailure", { violations: ids.map((quotaId) => ({ quotaId })) })
    const perMinute = answer(
      429,
      "RESOURCE_EXHAUSTED",
      "Quota.",
      violations("PerDay", "PerMinute"),
      detail("RetryInfo", { retryDelay: "34.4s" })
    )
    expect(perMinute).toMatchObject({ reason: { _tag: "RateLimited" }, retryAfterMs: 34_400 })
    expect(answer(429, "RESOURCE_EXHAUSTED", "Quota.", violations("RequestsPerDayPerProject"))).toMatchObject({
      reason: { _tag: "QuotaExceeded" }
    })
    expect(answer(429, "RESOURCE_EXHAUSTED", "Quota. Please retry in 12.5s.").retryAfterMs).toBe(12_500)
  })

  it("tell a key that is not valid, which has the status of a bad request", () => {
    const info = detail("ErrorInfo", { reason: "API_KEY_INVALID" })
    expect(answer(400, "INVALID_ARGUMENT", "x", info)).toMatchObject({
      reason: { _tag: "Unauthorized" },
      fault: { code: "API_KEY_INVALID" }
    })
  })

  it("may stand in an array of one, and may be a proxy's page", () => {
    const error = { error: { code: 429, message: "m", status: "RESOURCE_EXHAUSTED" } }
    const decoded = gemini.decodeError({ status: 429, headers: { "retry-after": "2" }, body: JSON.stringify([error]) })
    expect(decoded).toMatchObject({ reason: { _tag: "RateLimited" }, message: "m", retryAfterMs: 2000 })
    expect(renderError(decoded).body).toEqual(error)
    const page = gemini.decodeError({ status: 502, headers: {}, body: "<html>" })
    expect(page.reason).toEqual({ _tag: "UpstreamServer" })
    expect(page.fault).toEqual({ status: 502 })
  })

  it.each([
    [{ _tag: "InvalidRequest", kind: "type", path: "contents" }, 400, "INVALID_ARGUMENT"],
    [{ _tag: "InvalidRequest", kind: "notFound" }, 404, "NOT_FOUND"],
    [{ _tag: "InvalidRequest", kind: "tooLarge" }, 413, "INVALID_ARGUMENT"],
    [{ _tag: "Unauthorized" }, 401, "UNAUTHENTICATED"],
    [{ _tag: "PermissionDenied" }, 403, "PERMISSION_DENIED"],
    [{ _tag: "UnknownModel", model: "m", near: [] }, 404, "NOT_FOUND"],
    [{ _tag: "ContextTooLong" }, 400, "INVALID_ARGUMENT"],
    [{ _tag: "QuotaExceeded" }, 429, "RESOURCE_EXHAUSTED"],
    [{ _tag: "RateLimited" }, 429, "RESOURCE_EXHAUSTED"],
    [{ _tag: "NoRoute" }, 503, "UNAVAILABLE"],
    [{ _tag: "IncompleteStream", kind: "noStop" }, 502, "INTERNAL"],
    [{ _tag: "Timeout", phase: "total" }, 504, "DEADLINE_EXCEEDED"],
    [{ _tag: "Internal" }, 500, "INTERNAL"]
  ] as ReadonlyArray<[FailureReason, number, string]>)("are told to a caller: %j", (reason, code, status) => {
    const { body, status: answered } = renderError(failure(reason, "why"))
    expect([answered, body]).toMatchObject([code, { error: { code, message: "why", status } }])
  })

  it("tell a caller the field, and when to come back", () => {
    const field = renderError(failure({ _tag: "InvalidRequest", kind: "type", path: "contents[0]" }, "contents[0]: no"))
    expect(field.body).toMatchObject({
      error: {
        details: [detail("BadRequest", { fieldViolations: [{ field: "contents[0]", description: "contents[0]: no" }] })]
      }
    })
    const busy = renderError(new LlmError({ reason: { _tag: "RateLimited" }, message: "m", retryAfterMs: 1500 }))
    expect(busy.headers).toEqual({ "retry-after": "2" })
    expect(busy.body).toMatchObject({ error: { details: [detail("RetryInfo", { retryDelay: "1.5s" })] } })
  })
})
