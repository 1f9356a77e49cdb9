import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { anthropicMessages } from "../../src/protocols/anthropic-messages/outbound.ts"
import { anthropicMessagesDialect } from "../../src/protocols/anthropic-messages/inbound.ts"
import { bedrockConverse } from "../../src/protocols/bedrock-converse/outbound.ts"
import { gemini } from "../../src/protocols/gemini/outbound.ts"
import { geminiDialect } from "../../src/protocols/gemini/inbound.ts"

const many = 200_000
const context = { model: "m", delivery: "whole", quirks: {}, origin: undefined } as const

describe("a turn of very many parts", () => {
  it.each([anthropicMessages, bedrockConverse, gemini])("is joined with the one before it: $id", (protocol) => {
    const content = Array.from({ length: many }, () => ({ type: "text", text: "x" }))
    const messages = [
      { role: "user", content: "begin" },
      { role: "user", content }
    ]
    const { request } = Result.getOrThrow(anthropicMessagesDialect.decode({ model: "m", max_tokens: 5, messages }))
    expect(Result.isSuccess(protocol.encode(request, context))).toBe(true)
  })

  it("is joined where a client of Gemini gives back every chunk as a content of its own", () => {
    const parts = Array.from({ length: many }, () => ({ inlineData: { mimeType: "image/png", data: "QUJD" } }))
    const contents = [
      { role: "user", parts: [{ text: "draw" }] },
      { role: "model", parts: [{ text: "these" }] },
      { role: "model", parts }
    ]
    const { request } = Result.getOrThrow(geminiDialect.decode({ contents }, { model: "m", delivery: "whole" }))
    expect(request.messages.at(-1)?.parts).toHaveLength(many + 1)
  })
})
