import { Result, type Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest } from "../../src/domain/LlmRequest.ts"
import { formats, type FormatName } from "../../src/providers/formats.ts"

const sent = (target: FormatName, inputSchema: Schema.Json): string => {
  const request: LlmRequest = {
    model: "smart",
    messages: [{ role: "user", parts: [{ _tag: "Text", text: "Hm?" }] }],
    sampling: {},
    tools: [{ _tag: "Function", name: "f", inputSchema }]
  }
  const context = { model: "m", delivery: "whole", quirks: {}, origin: undefined } as const
  return JSON.stringify(Result.getOrThrow(formats[target].protocol.encode(request, context)).body)
}

const targets = [
  "openai-responses",
  "anthropic-messages",
  "gemini",
  "gemini-interactions",
  "ollama",
  "cohere-v2",
  "bedrock-converse"
] as const

describe.each(targets)("the schema of a tool, sent to %s", (target) => {
  it("is one of an object even where it does not say so", () => {
    expect(sent(target, { properties: { a: { type: "integer" } } })).toContain(
      '{"type":"object","properties":{"a":{"type":"integer"}}}'
    )
    expect(sent(target, {})).toContain('{"type":"object"}')
    expect(sent(target, null)).toContain('{"type":"object","properties":{}}')
  })
})
