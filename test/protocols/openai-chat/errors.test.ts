import { describe, expect, it } from "vitest"
import { failure, type FailureReason } from "../../../src/domain/LlmError.ts"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { openAiCompletions } from "../../../src/protocols/openai-completions/outbound.ts"
import { openAiResponses } from "../../../src/protocols/openai-responses/outbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"

const decode = (status: number, error: unknown, headers: { readonly [name: string]: string } = {}) =>
  openAiChat.decodeError({ status, headers, body: typeof error === "string" ? error : JSON.stringify({ error }) })

describe("the words of single servers", () => {
  it.each([openAiChat, openAiResponses, openAiCompletions])("are known whichever API they are said in", (protocol) => {
    const body = JSON.stringify({ error: { message: "no", type: "exceed_context_size_error", code: 400 } })
    expect(protocol.decodeError({ status: 400, headers: {}, body }).reason).toEqual({ _tag: "ContextTooLong" })
    const unknown = JSON.stringify({ error: { message: "model not found: llama", code: "model_not_available" } })
    const { reason } = protocol.decodeError({ status: 400, headers: {}, body: unknown })
    expect(reason).toEqual({ _tag: "UnknownModel", model: "llama", near: [] })
  })
})

describe("odd words of a server", () => {
  it.each(["constructor", "__proto__", "toString"])("mean nothing where every object has one: %s", (word) => {
    for (const said of [{ code: word }, { type: word }, { type: word, code: word }]) {
      expect(decode(400, { message: "no", ...said }).reason).toEqual({ _tag: "InvalidRequest", kind: "type" })
    }
  })

  it("are read no further than a message reaches, and told whole", () => {
    const message = `no such model: ${"model ".repeat(150_000)}`
    const { message: told, reason } = decode(400, { message })
    expect(reason._tag).toBe("UnknownModel")
    expect(told).toBe(message)
  })
})

describe("an HTTP error of a chat server", () => {
  it.each<readonly [number, unknown, FailureReason["_tag"]]>([
    [400, { message: "bad", type: "invalid_request_error", param: "messages" }, "InvalidRequest"],
    [400, { message: "too long", code: "context_length_exceeded" }, "ContextTooLong"],
    [400, { message: "This model's maximum context length is 8192 tokens" }, "ContextTooLong"],
    [
      400,
      { message: "The total length of all messages is too long.", type: "too_many_prompt_tokens", code: 400 },
      "ContextTooLong"
    ],
    [
      400,
      { message: "the request exceeds the available context size", type: "exceed_context_size_error" },
      "ContextTooLong"
    ],
    [400, { message: "no", code: "content_policy_violation" }, "ContentBlocked"],
    [400, { message: "filtered", code: "content_filter" }, "ContentBlocked"],
    [400, { message: "Unsupported parameter", code: "unsupported_parameter", param: "logprobs" }, "Unsupported"],
    [400, { message: "considered high risk", type: "content_filter" }, "ContentBlocked"],
    [400, { message: "Output data may contain…", code: "data_inspection_failed" }, "ContentBlocked"],
    [400, { message: "not in good standing", code: "Arrearage" }, "QuotaExceeded"],
    [400, { message: "Invalid request: Your request exceeded model token limit: 262144" }, "ContextTooLong"],
    [400, { message: "Failed to call", type: "invalid_request_error", code: "tool_use_failed" }, "UpstreamServer"],
    [400, { message: "Failed to generate JSON", code: "json_validate_failed" }, "UpstreamServer"],
    [400, '{"code":"invalid-argument","error":"Model g does not support parameter reasoningEffort."}', "Unsupported"],
    [
      422,
      '{"detail":[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted"}]}',
      "Unsupported"
    ],
    [
      422,
      '{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs"}]}}',
      "Unsupported"
    ],
    [400, { message: "`reasoning_effort` is not supported with this model" }, "Unsupported"],
    [400, { message: "deepseek-reasoner does not support the parameter `presence_penalty`" }, "Unsupported"],
    [400, '{"code":"invalid-argument","error":"Argument not supported on this model: presencePenalty"}', "Unsupported"],
    [400, { message: "property 'store' is unsupported, did you mean 'stop'?" }, "Unsupported"],
    [
      400,
      '{"message":"messages.2.assistant.name: property \'messages.2.assistant.name\' is unsupported","code":"wrong_api_format"}',
      "Unsupported"
    ],
    [400, { message: "Extra inputs are not permitted, field: 'verbosity'" }, "Unsupported"],
    [400, '{"error":"This model\'s maximum prompt length is 131072 but it has 136973 tokens."}', "ContextTooLong"],
    [400, { message: "Prompt exceeds max length", code: "1261" }, "ContextTooLong"],
    [400, { message: "potentially unsafe content", code: "1301" }, "ContentBlocked"],
    [400, { message: "invalid temperature: only 0.6 is allowed for this model" }, "Unsupported"],
    [400, { message: "reasoning_effort must be one of none or default" }, "Unsupported"],
    [400, { message: '"llama3.2" does not support thinking', type: "api_error" }, "Unsupported"],
    [400, { message: "Tool choice must be auto", code: 400 }, "Unsupported"],
    [422, '{"error":"body -> n\\n  Extra inputs are not permitted (type=extra_forbidden)"}', "Unsupported"],
    [400, `{"error":"[{'type': 'extra_forbidden', 'loc': ('body', 'n'), 'msg': 'Extra inputs'}]"}`, "Unsupported"],
    [400, { message: "Validation: Unsupported parameter(s): `prompt_cache_key`" }, "Unsupported"],
    [400, { message: "parallel_tool_calls=False is not supported by this model." }, "Unsupported"],
    [400, { message: "Tools with strict=True are not supported by this model" }, "Unsupported"],
    [400, { message: "Requests with max_tokens > 4096 must have stream=true", code: "BAD_REQUEST" }, "Unsupported"],
    [
      400,
      {
        message: "parameter.enable_thinking must be set to false for non-streaming calls",
        code: "invalid_parameter_error"
      },
      "Unsupported"
    ],
    [400, "{\"error\":\"'response_format.type' must be 'json_schema' or 'text'\"}", "Unsupported"],
    [
      400,
      '{"error":"Invalid tool_choice type: \'object\'. Supported string values: none, auto, required"}',
      "Unsupported"
    ],
    [400, '{"error":"\'url\' field must be a base64 encoded image."}', "Unsupported"],
    [400, '{"code":"invalid-argument","error":"Incorrect API key provided: xa***1. Get one there."}', "Unauthorized"],
    [401, { message: "Incorrect API key", code: "invalid_api_key" }, "Unauthorized"],
    [401, { message: "Unauthorized", type: "api_error" }, "Unauthorized"],
    [402, { message: "Insufficient Balance", type: "unknown_error" }, "QuotaExceeded"],
    [403, { message: "Forbidden", type: "invalid_request_error" }, "PermissionDenied"],
    [403, '{"code":"permission-denied","error":"Access to the chat endpoint is denied."}', "PermissionDenied"],
    [
      403,
      '{"code":"permission-denied","error":"Content violates usage guidelines. Failed check: X"}',
      "ContentBlocked"
    ],
    [403, { message: "Flagged", code: 403, metadata: { reasons: ["violence"] } }, "ContentBlocked"],
    [403, { message: "Your newly created team doesn't have any credits or licenses yet." }, "QuotaExceeded"],
    [
      429,
      '{"error":"Your team has either used all available credits or reached its spending limit."}',
      "QuotaExceeded"
    ],
    [
      400,
      { message: "Provider returned error", metadata: { raw: '{"error":{"message":"prompt is too long"}}' } },
      "ContextTooLong"
    ],
    [404, { message: "The model `x` does not exist", code: "model_not_found" }, "UnknownModel"],
    [404, { message: "The API deployment does not exist.", code: "DeploymentNotFound" }, "UnknownModel"],
    [404, { message: "This is not a chat model", param: "model" }, "UnknownModel"],
    [404, { message: "Not here" }, "InvalidRequest"],
    [408, { message: "timeout" }, "UpstreamServer"],
    [409, { message: "conflict" }, "UpstreamServer"],
    [413, { message: "too big" }, "InvalidRequest"],
    [422, { message: "unprocessable" }, "InvalidRequest"],
    [429, { message: "slow down", code: "rate_limit_exceeded" }, "RateLimited"],
    [429, { message: "check your balance", type: "exceeded_current_quota_error" }, "QuotaExceeded"],
    [429, { message: "You exceeded your current quota", code: "insufficient_quota" }, "QuotaExceeded"],
    [500, { message: "oops", type: "server_error" }, "UpstreamServer"],
    [502, "<html>bad gateway</html>", "UpstreamServer"],
    [503, { message: "The server is overloaded" }, "Overloaded"],
    [529, "", "Overloaded"]
  ])("%i %j is %s", (status, error, tag) => {
    const failed = decode(status, error)
    expect(failed.reason._tag).toBe(tag)
    expect(failed.fault?.status).toBe(status)
  })

  it("keeps what the provider said", () => {
    const body = {
      message: "The model `gpt-9` does not exist",
      type: "invalid_request_error",
      param: "model",
      code: "model_not_found"
    }
    const failed = decode(404, body, { "x-ratelimit-limit-requests": "60", "set-cookie": "a" })
    expect(failed.message).toBe(body.message)
    expect(failed.reason).toEqual({ _tag: "UnknownModel", model: "gpt-9", near: [] })
    expect(failed.fault).toEqual({
      status: 404,
      type: body.type,
      code: body.code,
      param: "model",
      headers: { "x-ratelimit-limit-requests": "60" },
      protocol: "openai-chat",
      raw: JSON.stringify({ error: body })
    })
  })

  it.each([
    ["Invalid model: no-such-model", "no-such-model"],
    ["Specified model not found: some-model-x. Did you mean: some-model-1?", "some-model-x"],
    ["The API deployment does not exist.", ""]
  ])("names the model where the message does: %s", (message, model) => {
    expect(decode(404, { message, type: "invalid_model" }).reason).toEqual({ _tag: "UnknownModel", model, near: [] })
  })

  it("reads a bare text and a list of fields", () => {
    expect(decode(500, { toString: undefined }).message).not.toBe("")
    expect(openAiChat.decodeError({ status: 400, headers: {}, body: '{"error":"no way"}' }).message).toBe("no way")
    const body = JSON.stringify({
      detail: [{ type: "missing", loc: ["body", "messages", 0, "role"], msg: "Field required" }]
    })
    expect(openAiChat.decodeError({ status: 422, headers: {}, body })).toMatchObject({
      message: "messages[0].role: Field required",
      reason: { _tag: "InvalidRequest", kind: "semantic", path: "messages[0].role" }
    })
  })

  it("knows when to come back", () => {
    expect(decode(429, { message: "m" }, { "retry-after-ms": "1500" }).retryAfterMs).toBe(1500)
    expect(decode(429, { message: "Please try again in 1.2s." }).retryAfterMs).toBe(1200)
    expect(decode(429, { message: "m" }).retryAfterMs).toBeUndefined()
  })
})

describe("a failure told to a caller of chat completions", () => {
  it.each<readonly [FailureReason, number, string, string | null]>([
    [{ _tag: "InvalidRequest", kind: "type", path: "messages" }, 400, "invalid_request_error", null],
    [{ _tag: "InvalidRequest", kind: "semantic" }, 422, "invalid_request_error", null],
    [{ _tag: "InvalidRequest", kind: "tooLarge" }, 413, "invalid_request_error", null],
    [{ _tag: "InvalidRequest", kind: "notFound" }, 404, "invalid_request_error", null],
    [{ _tag: "InvalidRequest", kind: "method" }, 405, "invalid_request_error", null],
    [{ _tag: "Unauthorized" }, 401, "authentication_error", "invalid_api_key"],
    [{ _tag: "PermissionDenied" }, 403, "permission_error", null],
    [{ _tag: "UnknownModel", model: "m", near: [] }, 404, "invalid_request_error", "model_not_found"],
    [{ _tag: "ContextTooLong" }, 400, "invalid_request_error", "context_length_exceeded"],
    [{ _tag: "ContentBlocked" }, 400, "invalid_request_error", "content_policy_violation"],
    [{ _tag: "QuotaExceeded" }, 429, "insufficient_quota", "insufficient_quota"],
    [{ _tag: "RateLimited" }, 429, "rate_limit_error", "rate_limit_exceeded"],
    [{ _tag: "Overloaded" }, 503, "server_error", "server_is_overloaded"],
    [{ _tag: "NoRoute" }, 503, "server_error", null],
    [{ _tag: "AuditUnavailable" }, 503, "server_error", null],
    [{ _tag: "UpstreamServer" }, 502, "server_error", null],
    [{ _tag: "Transport" }, 502, "server_error", null],
    [{ _tag: "InvalidOutput", kind: "malformedFrame" }, 502, "server_error", null],
    [{ _tag: "IncompleteStream", kind: "empty" }, 502, "server_error", null],
    [{ _tag: "Timeout", phase: "total" }, 504, "server_error", null],
    [{ _tag: "Internal" }, 500, "server_error", null]
  ])("%j", (reason, status, type, code) => {
    const answer = openAiChatDialect.renderError(failure(reason, "why"), "req_1")
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({ error: { message: "why", type, code } })
  })

  it("says which field it is about and when to come back", () => {
    const failed = failure({ _tag: "InvalidRequest", kind: "type", path: "messages[1].role" }, "why", {
      retryAfterMs: 1200,
      fault: { headers: { "x-ratelimit-remaining-requests": "0", "anthropic-ratelimit-requests-limit": "1" } }
    })
    const { headers, body } = openAiChatDialect.renderError(failed, "req_1")
    expect(body).toMatchObject({ error: { param: "messages[1].role" } })
    expect(headers).toEqual({ "retry-after": "2", "x-ratelimit-remaining-requests": "0" })
  })

  it.each([400, 401, 402, 404, 429, 529])("keeps a provider's own %i with its words", (status) => {
    const failed = decode(status, { message: "theirs", type: "their_type", code: "their_code" })
    const answer = openAiChatDialect.renderError(failed, "req_1")
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({ error: { message: "theirs", type: "their_type", code: "their_code" } })
  })
})
