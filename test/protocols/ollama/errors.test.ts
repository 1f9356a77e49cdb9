import { describe, expect, it } from "vitest"
import { ollama } from "../../../src/protocols/ollama/outbound.ts"

describe("an error of Ollama", () => {
  it.each([
    [404, "model 'llama9' not found", { _tag: "UnknownModel", model: "llama9", near: [] }],
    [404, 'model "llama9" not found, try pulling it first', { _tag: "UnknownModel", model: "llama9", near: [] }],
    [400, '"llama3" does not support tools', { _tag: "Unsupported", feature: "tools" }],
    [400, '"llama3" does not support thinking', { _tag: "Unsupported", feature: "thinking" }],
    [400, 'think value "high" is not supported for this model', { _tag: "Unsupported", feature: "reasoning effort" }],
    [400, "the input length exceeds the context length", { _tag: "ContextTooLong" }],
    [400, "prompt too long; exceeded max context length by 17 tokens", { _tag: "ContextTooLong" }],
    [400, "invalid role", { _tag: "InvalidRequest", kind: "type" }],
    [401, "unauthorized", { _tag: "Unauthorized" }],
    [429, "you've reached your hourly usage limit", { _tag: "RateLimited" }],
    [429, "you've reached your weekly usage limit, please upgrade", { _tag: "QuotaExceeded" }],
    [500, "model requires more system memory (9 GiB) than is available", { _tag: "UpstreamServer" }],
    [503, "server busy, please try again. maximum pending requests exceeded", { _tag: "Overloaded" }]
  ])("%i %s", (status, error, reason) => {
    const body = JSON.stringify({ error })
    expect(ollama.decodeError({ status, headers: {}, body })).toMatchObject({
      reason,
      message: error,
      fault: { status, protocol: "ollama", raw: body }
    })
  })

  it("may be the page of a proxy", () => {
    const error = ollama.decodeError({ status: 502, headers: { "retry-after": "3" }, body: "<html>" })
    expect(error).toMatchObject({ reason: { _tag: "UpstreamServer" }, retryAfterMs: 3000, fault: { status: 502 } })
    expect(error.fault?.raw).toBeUndefined()
  })
})
