import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { Notice } from "../../src/domain/Call.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { LlmRequest } from "../../src/domain/LlmRequest.ts"
import { foldEvents } from "../../src/domain/LlmResponse.ts"
import { anthropicMessagesDialect } from "../../src/protocols/anthropic-messages/inbound.ts"
import { anthropicMessages } from "../../src/protocols/anthropic-messages/outbound.ts"
import type { Dialect } from "../../src/protocols/Dialect.ts"
import { geminiDialect } from "../../src/protocols/gemini/inbound.ts"
import { openAiChatDialect } from "../../src/protocols/openai-chat/inbound.ts"
import type { JsonObject } from "../../src/protocols/open-document.ts"
import { openAiResponsesDialect } from "../../src/protocols/openai-responses/inbound.ts"
import { openAiResponses } from "../../src/protocols/openai-responses/outbound.ts"
import { formats, type FormatName } from "../../src/providers/formats.ts"

const decoded = (dialect: Dialect, body: JsonObject): LlmRequest => Result.getOrThrow(dialect.decode(body)).request
const hello = { role: "user", content: "Hm?" }
const byMessages = (...tools: ReadonlyArray<JsonObject>) =>
  decoded(anthropicMessagesDialect, { model: "smart", max_tokens: 9, messages: [hello], tools })
const byResponses = (...tools: ReadonlyArray<JsonObject>) =>
  decoded(openAiResponsesDialect, { model: "smart", max_output_tokens: 9, input: [hello], tools })
const byGemini = (...tools: ReadonlyArray<JsonObject>) =>
  decoded(geminiDialect, { model: "smart", contents: [{ role: "user", parts: [{ text: "Hm?" }] }], tools })

const sent = (request: LlmRequest, target: FormatName, model = "gemini-3-pro") => {
  const context = { model, delivery: "whole", quirks: {}, origin: undefined } as const
  const { body, notices } = Result.getOrThrow(formats[target].protocol.encode(request, context))
  return { tools: body["tools"], notices: notices.map(({ message }) => message) }
}

const place = { type: "approximate", city: "Ulm" }
const inItsOwnWay = "the tool web_search: the provider that is asked searches the web in its own way"

describe("a search of the web that was asked for", () => {
  it("in Messages is one in the other formats, where and for whom it was", () => {
    const search = {
      type: "web_search_20250305",
      name: "web_search",
      allowed_domains: ["ulm.de"],
      user_location: place
    }
    expect(sent(byMessages(search), "openai-responses")).toEqual({
      tools: [{ type: "web_search", filters: { allowed_domains: ["ulm.de"] }, user_location: place }],
      notices: [inItsOwnWay]
    })
    expect(sent(byMessages(search), "anthropic-messages").tools).toEqual([search])
  })

  it("in the Responses API is one in the other formats", () => {
    const search = { type: "web_search", filters: { allowed_domains: ["ulm.de"] }, user_location: place }
    expect(sent(byResponses(search), "anthropic-messages")).toEqual({
      tools: [{ type: "web_search_20250305", name: "web_search", allowed_domains: ["ulm.de"], user_location: place }],
      notices: [inItsOwnWay]
    })
    expect(sent(byResponses({ type: "web_search" }), "gemini").tools).toEqual([{ googleSearch: {} }])
    expect(sent(byResponses({ type: "web_search" }), "gemini-interactions").tools).toEqual([{ type: "google_search" }])
  })

  it("in the Gemini API is one in the other formats", () => {
    const search = byGemini({ googleSearch: { excludeDomains: ["ulm.de"] } })
    expect(sent(search, "anthropic-messages").tools).toEqual([
      { type: "web_search_20250305", name: "web_search", blocked_domains: ["ulm.de"] }
    ])
    expect(sent(byGemini({ googleSearch: {} }), "openai-responses").tools).toEqual([{ type: "web_search" }])
  })

  it("in Chat Completions is a setting, and a search in the other formats", () => {
    const options = { search_context_size: "low", user_location: { type: "approximate", approximate: { city: "Ulm" } } }
    const body = { model: "smart", messages: [hello], web_search_options: options }
    const search = decoded(openAiChatDialect, body)
    const context = { model: "m", delivery: "whole", quirks: {}, origin: undefined } as const
    const again = Result.getOrThrow(formats["openai-chat"].protocol.encode(search, context))
    expect(again.body).toEqual({ ...body, model: "m" })
    expect(again.notices).toEqual([])
    const size = "search_context_size of the tool web_search: the Responses API has no counterpart"
    expect(sent(search, "openai-responses")).toEqual({
      tools: [{ type: "web_search", user_location: place }],
      notices: [inItsOwnWay, size]
    })
    expect(sent(search, "anthropic-messages").tools).toEqual([
      { type: "web_search_20250305", name: "web_search", user_location: place }
    ])
    expect(sent(decoded(openAiChatDialect, { ...body, web_search_options: {} }), "gemini").tools).toEqual([
      { googleSearch: {} }
    ])
  })

  it("is not sent to who would search where it must not", () => {
    const search = byMessages({ type: "web_search_20250305", name: "web_search", blocked_domains: ["ulm.de"] })
    for (const target of ["openai-responses", "gemini", "gemini-interactions", "bedrock-converse"] as const) {
      const { notices, tools } = sent(search, target)
      expect(tools).toBeUndefined()
      expect(notices).toEqual(["the tool web_search: only anthropic-messages runs it"])
    }
  })

  it("says what else it was asked with and is lost", () => {
    const search = byMessages({ type: "web_search_20250305", name: "web_search", max_uses: 3 })
    expect(sent(search, "openai-responses").notices).toContain(
      "max_uses of the tool web_search: the Responses API has no counterpart"
    )
  })

  it("is seen at work beside functions, which Gemini wants to be told", () => {
    const look = { type: "function", name: "look", parameters: null }
    const toolConfig = (request: LlmRequest) => {
      const context = { model: "gemini-3-pro", delivery: "whole", quirks: {}, origin: undefined } as const
      return Result.getOrThrow(formats.gemini.protocol.encode(request, context)).body["toolConfig"]
    }
    const both = byResponses({ type: "web_search" }, look)
    expect(toolConfig(both)).toEqual({ includeServerSideToolInvocations: true })
    expect(toolConfig({ ...both, toolChoice: { _tag: "Auto" } })).toEqual({
      functionCallingConfig: { mode: "VALIDATED" },
      includeServerSideToolInvocations: true
    })
    expect(toolConfig({ ...both, toolChoice: { _tag: "Tool", name: "look" } })).toMatchObject({
      functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["look"] }
    })
    expect(toolConfig(byResponses({ type: "web_search" }))).toBeUndefined()
    expect(toolConfig(byResponses(look))).toBeUndefined()
    expect(toolConfig(byGemini({ googleSearch: {} }, { functionDeclarations: [{ name: "look" }] }))).toBeUndefined()
  })

  it("stands aside where the model does nothing beside it", () => {
    const request = byResponses({ type: "web_search" }, { type: "function", name: "look", parameters: null })
    expect(sent(request, "gemini").tools).toHaveLength(2)
    expect(sent(request, "gemini", "gemini-2.5-flash").tools).toHaveLength(1)
    expect(sent(byResponses({ type: "web_search" }), "gemini", "gemini-2.5-flash").tools).toEqual([
      { googleSearch: {} }
    ])
  })
})

describe("a search that a provider ran", () => {
  const eventsOf = (read: (events: Array<LlmEvent>) => unknown): ReadonlyArray<LlmEvent> => {
    const events: Array<LlmEvent> = []
    expect(read(events)).toBeUndefined()
    return events
  }
  const request: LlmRequest = { model: "smart", messages: [], sampling: {} }
  const context = { id: "made_here", created: 1, request, origin: undefined }

  it("is one in the Responses API too", () => {
    const events = eventsOf((into) =>
      anthropicMessages.decodeWhole(
        {
          content: [
            { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "Ulm" } },
            { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
            { type: "text", text: "It rains." }
          ],
          stop_reason: "end_turn"
        },
        into
      )
    )
    expect(openAiResponsesDialect.renderWhole(foldEvents(events), context, [])).toMatchObject({
      output: [{ type: "web_search_call", action: { type: "search", query: "Ulm" } }, { type: "message" }]
    })
  })

  it("is left out where it could not be sent back, and that is said", () => {
    const search = {
      type: "web_search_call",
      id: "ws_1",
      status: "completed",
      action: { type: "search", query: "Ulm" }
    }
    const text = { type: "output_text", text: "It rains.", annotations: [] }
    const output = [search, { type: "message", id: "msg_1", role: "assistant", content: [text] }]
    const events = eventsOf((into) => openAiResponses.decodeWhole({ status: "completed", output }, into))
    const notices: Array<Notice> = []
    const whole = anthropicMessagesDialect.renderWhole(foldEvents(events), context, notices)
    expect(whole).toMatchObject({ content: [{ type: "text", text: "It rains." }] })
    const renderer = anthropicMessagesDialect.renderer(context)
    const streamed = events.map((event) => renderer.event(event)).join("") + renderer.end()
    expect(streamed).not.toContain('"type":"server_tool_use"')
    expect(streamed).toContain("It rains.")
    const left = { code: "dropped", message: expect.stringMatching(/^a call of web_search_call/) }
    for (const said of [notices, renderer.notices]) expect(said).toContainEqual(left)
  })
})
