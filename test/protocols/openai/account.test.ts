import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { geminiDialect } from "../../../src/protocols/gemini/inbound.ts"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { formats, type FormatName } from "../../../src/providers/formats.ts"

const messages = [{ role: "user", content: "Hi" }]
/** What Claude Code says of who uses it. */
const long = JSON.stringify({ device_id: "d".repeat(64), account_uuid: "a", session_id: "s" })

const sent = (target: FormatName, user: string, limit = 100, model = "m") => {
  const document = { model: "smart", max_tokens: limit, messages, metadata: { user_id: user } }
  const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(document))
  const context = { model, delivery: "whole", quirks: {}, origin: undefined } as const
  const { body, notices } = Result.getOrThrow(formats[target].protocol.encode(request, context))
  return { body, said: notices.map(({ code, message }) => `${code} ${message.split(":")[0]}`) }
}

describe("the end user of a request", () => {
  const openAi = ["openai-chat", "openai-responses", "openai-completions"] as const

  it.each(openAi)("has a short name that tells them apart where %s would refuse a long one", (target) => {
    const { body, said } = sent(target, long)
    expect(body["user"]).toMatch(/^[0-9a-f]{64}$/)
    expect(body["user"]).toBe(sent(target, long).body["user"])
    expect(body["user"]).not.toBe(sent(target, `${long} `).body["user"])
    expect(said).toEqual(["changed user is told by its SHA-256"])
    expect(sent(target, "user-7")).toMatchObject({ body: { user: "user-7" }, said: [] })
  })

  it("stays as a caller of the same API said it", () => {
    const { request } = Result.getOrThrow(openAiChatDialect.decode({ model: "m", messages, user: long }))
    const context = { model: "m", delivery: "whole", quirks: {}, origin: undefined } as const
    expect(Result.getOrThrow(formats["openai-chat"].protocol.encode(request, context)).body["user"]).toBe(long)
  })
})

describe("the usual service tier", () => {
  it.each(["openai-chat", "openai-responses"] as const)("has its name in %s, whoever asks for it", (target) => {
    const document = { model: "smart", max_tokens: 100, messages }
    const asked = [
      anthropicMessagesDialect.decode({ ...document, service_tier: "standard_only" }),
      geminiDialect.decode(
        { contents: [{ role: "user", parts: [{ text: "Hi" }] }], serviceTier: "standard" },
        { model: "smart", delivery: "whole" }
      )
    ]
    for (const decoded of asked) {
      const context = { model: "m", delivery: "whole", quirks: {}, origin: undefined } as const
      const { request } = Result.getOrThrow(decoded)
      const { body } = Result.getOrThrow(formats[target].protocol.encode(request, context))
      expect(body["service_tier"]).toBe("default")
    }
  })
})

describe("a limit of output that is smaller than the Responses API takes", () => {
  it("is the smallest that it takes, and a notice says so", () => {
    expect(sent("openai-responses", "u", 1, "gpt-5.5")).toMatchObject({
      body: { max_output_tokens: 16 },
      said: ["changed a limit of 1 output tokens is one of 16"]
    })
    expect(sent("openai-responses", "u", 16, "gpt-5.5")).toMatchObject({ body: { max_output_tokens: 16 }, said: [] })
    expect(sent("openai-responses", "u", 1, "gpt-oss-120b")).toMatchObject({ body: { max_output_tokens: 1 }, said: [] })
    expect(sent("openai-chat", "u", 1)).toMatchObject({ body: { max_completion_tokens: 1 }, said: [] })
  })
})
