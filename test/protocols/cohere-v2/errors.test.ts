import { describe, expect, it } from "vitest"
import { decodeStream } from "../corpus.ts"
import { cohereV2 } from "../../../src/protocols/cohere-v2/outbound.ts"

describe("an error of Cohere", () => {
  it.each([
    [400, "invalid request: list of documents must not be empty", { _tag: "InvalidRequest", kind: "type" }],
    [400, "too many tokens: total number of tokens in the prompt cannot exceed 4081", { _tag: "ContextTooLong" }],
    [
      400,
      "invalid request: tool_choice is not supported by this model",
      { _tag: "Unsupported", feature: "tool_choice" }
    ],
    [401, "invalid api token", { _tag: "Unauthorized" }],
    [402, "Please add or update your payment method", { _tag: "QuotaExceeded" }],
    [
      404,
      "model 'command-x' not found, make sure the correct model ID was used",
      { _tag: "UnknownModel", model: "command-x", near: [] }
    ],
    [429, "You are using a Trial key, which is limited to 20 API calls / minute", { _tag: "RateLimited" }],
    [429, "You are using a Trial key, which is limited to 1000 API calls / month", { _tag: "QuotaExceeded" }],
    [498, "your request was blocked", { _tag: "ContentBlocked" }],
    [499, "request cancelled", { _tag: "UpstreamServer" }],
    [500, "internal server error", { _tag: "UpstreamServer" }],
    [503, "temporarily unavailable", { _tag: "Overloaded" }]
  ])("%i %s", (status, message, reason) => {
    const body = JSON.stringify({ id: "1", message })
    expect(cohereV2.decodeError({ status, headers: {}, body })).toMatchObject({
      reason,
      message,
      fault: { status, protocol: "cohere-v2", raw: body }
    })
  })

  it.each([
    ["too many requests, slow down", "RateLimited"],
    ["the service is temporarily unavailable", "Overloaded"],
    ["something broke", "UpstreamServer"]
  ] as const)("in a stream is told by its words alone: %s", (message, reason) => {
    const frame = { type: "message-end", delta: { finish_reason: "ERROR", error: message } }
    const { error } = decodeStream(cohereV2, [Buffer.from(`event: message-end\ndata: ${JSON.stringify(frame)}\n\n`)])
    expect(error).toMatchObject({ reason: { _tag: reason }, message })
  })

  it("may be the page of a proxy", () => {
    const error = cohereV2.decodeError({ status: 429, headers: { "retry-after": "3" }, body: "<html>" })
    expect(error).toMatchObject({ reason: { _tag: "RateLimited" }, retryAfterMs: 3000, fault: { status: 429 } })
    expect(error.fault?.raw).toBeUndefined()
  })
})
