import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest } from "../../src/domain/LlmRequest.ts"
import { geminiDialect } from "../../src/protocols/gemini/inbound.ts"
import { openAiChatDialect } from "../../src/protocols/openai-chat/inbound.ts"
import { openAiResponsesDialect } from "../../src/protocols/openai-responses/inbound.ts"
import type { JsonObject } from "../../src/protocols/open-document.ts"
import type { Quirks } from "../../src/protocols/Protocol.ts"
import { formats, type FormatName } from "../../src/providers/formats.ts"

const names = ["look", "sql", "stop"]

const chat = (mode: string, allowed: ReadonlyArray<JsonObject>): JsonObject => ({
  model: "smart",
  messages: [{ role: "user", content: "Hm?" }],
  tools: [
    { type: "function", function: { name: "look" } },
    { type: "custom", custom: { name: "sql" } },
    { type: "function", function: { name: "stop" } }
  ],
  tool_choice: { type: "allowed_tools", allowed_tools: { mode, tools: allowed } }
})
const responses = (mode: string, allowed: ReadonlyArray<JsonObject>): JsonObject => ({
  model: "smart",
  input: "Hm?",
  tools: [
    { type: "function", name: "look", parameters: null, strict: null },
    { type: "custom", name: "sql" },
    { type: "function", name: "stop", parameters: null, strict: null },
    { type: "web_search" }
  ],
  tool_choice: { type: "allowed_tools", mode, tools: allowed }
})
const nested = [
  { type: "function", function: { name: "look" } },
  { type: "custom", custom: { name: "sql" } }
]
const flat = [
  { type: "function", name: "look" },
  { type: "custom", name: "sql" }
]

const fromChat = (mode: string): LlmRequest => Result.getOrThrow(openAiChatDialect.decode(chat(mode, nested))).request
const fromResponses = (mode: string, more: ReadonlyArray<JsonObject> = []): LlmRequest =>
  Result.getOrThrow(openAiResponsesDialect.decode(responses(mode, [...flat, ...more]))).request

const sent = (request: LlmRequest, target: FormatName, quirks: Quirks = {}) => {
  const context = { model: "gemini-2.5-pro", delivery: "whole", quirks, origin: undefined } as const
  const { body, notices } = Result.getOrThrow(formats[target].protocol.encode(request, context))
  const text = JSON.stringify(body["tools"] ?? body["toolConfig"])
  const offered = names.filter((name) => text.includes(`"${name}"`))
  return { body, offered, notices: notices.map(({ code, message }) => `${code} ${message}`) }
}

const emulated = "emulated tool_choice among some tools: no other tool is offered"

describe("a choice among some of the tools", () => {
  it.each(["auto", "required"])("is the same in Chat Completions and in the Responses API (%s)", (mode) => {
    expect(sent(fromChat(mode), "openai-responses").body["tool_choice"]).toEqual(responses(mode, flat)["tool_choice"])
    expect(sent(fromResponses(mode), "openai-chat").body["tool_choice"]).toEqual(chat(mode, nested)["tool_choice"])
    expect(sent(fromChat(mode), "openai-chat").body["tool_choice"]).toEqual(chat(mode, nested)["tool_choice"])
    expect(sent(fromChat(mode), "openai-responses").notices).toEqual([])
  })

  it("names the provider's tools where it has them, and leaves out those of another", () => {
    const hosted = [{ type: "web_search" }]
    const request = fromResponses("auto", hosted)
    expect(sent(request, "openai-responses").body["tool_choice"]).toEqual(
      responses("auto", [...flat, ...hosted])["tool_choice"]
    )
    expect(sent(request, "openai-chat").body["tool_choice"]).toEqual(chat("auto", nested)["tool_choice"])
  })

  it("that may not be made from any that there are is none", () => {
    const only = Result.getOrThrow(openAiResponsesDialect.decode(responses("auto", [{ type: "web_search" }]))).request
    expect(sent(only, "openai-chat").body["tool_choice"]).toBe("none")
  })

  it("is a list of functions for Gemini where one of them must be called", () => {
    const { body, notices } = sent(fromChat("required"), "gemini")
    expect(body["toolConfig"]).toEqual({
      functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["look", "sql"] }
    })
    expect(notices).not.toContain(emulated)
  })

  it.each(["anthropic-messages", "gemini", "cohere-v2", "ollama", "bedrock-invoke-anthropic"] as const)(
    "leaves the others unoffered where the format has no word for it (%s)",
    (target) => {
      const { notices, offered } = sent(fromChat("auto"), target)
      expect(offered).toEqual(["look", "sql"])
      expect(notices).toContain(emulated)
    }
  )

  it("leaves the others unoffered where the server of the format does not know it", () => {
    const { body, notices, offered } = sent(fromResponses("required"), "openai-chat", { noAllowedTools: true })
    expect(body["tool_choice"]).toBe("required")
    expect(offered).toEqual(["look", "sql"])
    expect(notices).toContain(emulated)
  })

  it("is kept as it is where it says more than names", () => {
    const more = [{ type: "mcp", server_label: "wiki", name: "search", extra: 1 }]
    const request = fromResponses("auto", more)
    expect(request.toolChoice).toEqual({ _tag: "Auto" })
    expect(sent(request, "openai-responses").body["tool_choice"]).toEqual(
      responses("auto", [...flat, ...more])["tool_choice"]
    )
  })
})

describe("a choice among some tools, made at will in Gemini's API", () => {
  const functionCallingConfig = { mode: "VALIDATED", allowedFunctionNames: ["look", "sql"] }
  const asked = {
    contents: [{ role: "user", parts: [{ text: "Hm?" }] }],
    tools: [{ functionDeclarations: names.map((name) => ({ name })) }],
    toolConfig: { functionCallingConfig }
  }
  const path = { model: "smart", delivery: "whole" } as const
  const { request } = Result.getOrThrow(geminiDialect.decode(asked, path))

  it("is the same there, and a choice among them elsewhere", () => {
    const { body, notices } = sent(request, "gemini")
    expect(body).toMatchObject({ tools: asked.tools, toolConfig: { functionCallingConfig } })
    expect(notices).toEqual([])
    expect(sent(request, "openai-chat").body["tool_choice"]).toMatchObject({ allowed_tools: { mode: "auto" } })
    expect(sent(request, "anthropic-messages").offered).toEqual(["look", "sql"])
  })
})

describe("the choice of a tool that only another provider runs", () => {
  const chosen = Result.getOrThrow(
    openAiResponsesDialect.decode({
      model: "smart",
      input: "Hm?",
      tools: [{ type: "function", name: "look", parameters: {} }, { type: "code_interpreter" }],
      tool_choice: { type: "code_interpreter" }
    })
  ).request

  it.each(["openai-chat", "gemini", "gemini-interactions", "bedrock-converse", "cohere-v2", "ollama"] as const)(
    "is not made of %s, which is not offered it",
    (target) => {
      const request = { ...chosen, toolChoice: { _tag: "Tool", name: "code_interpreter" } } as const
      const { body, notices } = sent(request, target)
      expect(JSON.stringify(body)).toContain('"look"')
      expect(JSON.stringify(body)).not.toContain("code_interpreter")
      expect(notices).toContain("dropped the choice of the tool code_interpreter: only openai-responses runs it")
    }
  )
})
