import { describe, expect, it } from "vitest"
import { awsWholeError, decodeAwsError } from "../../src/protocols/AwsError.ts"

const protocol = "a-format"
const decode = (status: number, type: string | undefined, message: string, headers = {}) =>
  decodeAwsError(protocol)({
    status,
    headers: { ...(type === undefined ? {} : { "x-amzn-errortype": type }), ...headers },
    body: JSON.stringify({ message })
  })

describe("an error answer of AWS", () => {
  it.each([
    [400, "ValidationException", "bad field", { _tag: "InvalidRequest", kind: "type" }],
    [400, "ValidationException", "Input is too long for requested model.", { _tag: "ContextTooLong" }],
    [400, "ValidationException", "input length and `max_tokens` exceed context limit: 9", { _tag: "ContextTooLong" }],
    [
      400,
      "ValidationException",
      "The provided model identifier is invalid.",
      { _tag: "UnknownModel", model: "", near: [] }
    ],
    [
      400,
      "ValidationException",
      "Invocation of model ID anthropic.claude-x with on-demand throughput isn't supported.",
      { _tag: "UnknownModel", model: "anthropic.claude-x", near: [] }
    ],
    [400, "ValidationException", "This model doesn't support tool use.", { _tag: "Unsupported", feature: "tool use" }],
    [
      400,
      "ValidationException",
      "This model doesn't support the toolConfig.toolChoice.any field. Remove it and try again.",
      { _tag: "Unsupported", feature: "toolConfig.toolChoice.any field" }
    ],
    [400, "ValidationException", "Output blocked by content filtering policy", { _tag: "ContentBlocked" }],
    [400, "ValidationException", "Operation not allowed", { _tag: "PermissionDenied" }],
    [
      400,
      "ValidationException",
      "Your account is not authorized to invoke this API operation.",
      { _tag: "PermissionDenied" }
    ],
    [400, "ServiceQuotaExceededException", "quota", { _tag: "QuotaExceeded" }],
    [403, "AccessDeniedException", "You don't have access to the model.", { _tag: "PermissionDenied" }],
    [403, "AccessDeniedException", "Please make sure your API Key is valid.", { _tag: "Unauthorized" }],
    [403, "ExpiredTokenException", "expired", { _tag: "Unauthorized" }],
    [403, "UnrecognizedClientException", "invalid", { _tag: "Unauthorized" }],
    [403, "InvalidSignatureException", "The request signature", { _tag: "Unauthorized" }],
    [404, "ResourceNotFoundException", "no", { _tag: "UnknownModel", model: "", near: [] }],
    [408, "ModelTimeoutException", "slow", { _tag: "UpstreamServer" }],
    [424, "ModelErrorException", "model", { _tag: "UpstreamServer" }],
    [429, "ThrottlingException", "Too many tokens, please wait before trying again.", { _tag: "RateLimited" }],
    [
      429,
      "ThrottlingException",
      "Too many tokens per day, please wait before trying again.",
      { _tag: "QuotaExceeded" }
    ],
    [429, "ModelNotReadyException", "loading", { _tag: "Overloaded" }],
    [500, "InternalServerException", "oops", { _tag: "UpstreamServer" }],
    [503, "ServiceUnavailableException", "full", { _tag: "Overloaded" }],
    [418, "NotInventedYet", "?", { _tag: "InvalidRequest", kind: "type" }],
    [403, undefined, "The security token included in the request is expired", { _tag: "Unauthorized" }],
    [403, undefined, "no", { _tag: "PermissionDenied" }],
    [400, undefined, "prompt is too long", { _tag: "ContextTooLong" }]
  ])("%i %s (%s)", (status, type, message, reason) => {
    const error = decode(status, type, message)
    expect(error).toMatchObject({ reason, message })
    expect(error.fault).toEqual({
      status,
      ...(type === undefined ? {} : { type }),
      protocol,
      raw: JSON.stringify({ message })
    })
  })

  it("names its exception in the header or in the body, with whatever stands around the name", () => {
    expect(decode(429, "ThrottlingException:http://internal.amazon.com/coral/", "m").fault?.type).toBe(
      "ThrottlingException"
    )
    const body = '{"__type":"com.amazon.coral.service#ThrottlingException","Message":"slow"}'
    expect(decodeAwsError(protocol)({ status: 400, headers: {}, body })).toMatchObject({
      reason: { _tag: "RateLimited" },
      message: "slow",
      fault: { type: "ThrottlingException" }
    })
  })

  it("says when to come back", () => {
    expect(decode(429, "ThrottlingException", "slow", { "retry-after": "7" })).toMatchObject({
      retryAfterMs: 7000,
      fault: { headers: { "retry-after": "7" } }
    })
  })

  it("may be a page that is no document", () => {
    const error = decodeAwsError(protocol)({ status: 503, headers: {}, body: "<html>" })
    expect(error).toMatchObject({ reason: { _tag: "Overloaded" }, fault: { status: 503 } })
    expect(error.message).toContain("503")
    expect(error.fault?.raw).toBeUndefined()
    const forwarded = decodeAwsError(protocol)({
      status: 429,
      headers: { "x-amzn-errortype": "ThrottlingException" },
      body: ""
    })
    expect(forwarded).toMatchObject({ reason: { _tag: "RateLimited" }, fault: { type: "ThrottlingException" } })
  })

  it("of a model counts by what the model's own server said, where that was busy", () => {
    const read = (originalStatusCode: number) =>
      awsWholeError({ __type: "ModelErrorException", message: "m", originalStatusCode }, protocol)?.reason._tag
    expect([read(429), read(529), read(500), read(400)]).toEqual([
      "RateLimited",
      "Overloaded",
      "UpstreamServer",
      "UpstreamServer"
    ])
    expect(awsWholeError({ output: {} }, protocol)).toBeUndefined()
  })
})

describe("a message that goes on and on", () => {
  it("is understood by its beginning", () => {
    const { reason } = decode(400, "ValidationException", `Malformed input: ${"model ".repeat(150_000)}`)
    expect(reason).toEqual({ _tag: "InvalidRequest", kind: "type" })
  })
})
