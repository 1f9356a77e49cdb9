import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import type { Dialect } from "../../../src/protocols/Dialect.ts"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { openAiResponsesDialect } from "../../../src/protocols/openai-responses/inbound.ts"
import type { JsonObject } from "../../../src/protocols/open-document.ts"
import { formats, type FormatName } from "../../../src/providers/formats.ts"

const breakpoint = { prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } }
const plain = { prompt_cache_breakpoint: { mode: "explicit" } }
const image = "data:image/png;base64,AAAA"

const chat = {
  model: "m",
  messages: [
    { role: "system", content: [{ type: "text", text: "Be brief.", ...breakpoint }] },
    {
      role: "user",
      content: [
        { type: "text", text: "Look" },
        { type: "image_url", image_url: { url: image }, ...breakpoint }
      ]
    }
  ]
}
const responses = {
  model: "m",
  input: [
    { role: "system", content: [{ type: "input_text", text: "Be brief.", ...breakpoint }] },
    {
      role: "user",
      content: [
        { type: "input_text", text: "Look" },
        { type: "input_image", image_url: image, detail: "auto", ...breakpoint }
      ]
    }
  ]
}
const ephemeral = { cache_control: { type: "ephemeral", ttl: "1h" } }
const messages = {
  model: "m",
  max_tokens: 5,
  system: [{ type: "text", text: "Be brief.", ...ephemeral }],
  tools: [{ name: "f", input_schema: { type: "object" } }],
  messages: [
    { role: "user", content: "Hi" },
    {
      role: "assistant",
      content: [
        { type: "text", text: "I look.", ...ephemeral },
        { type: "tool_use", id: "c", name: "f", input: {} }
      ]
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "c", content: "x" },
        { type: "text", text: "Well?", ...ephemeral }
      ]
    }
  ]
}

const sent = (dialect: Dialect, document: JsonObject, target: FormatName, model: string) => {
  const { request } = Result.getOrThrow(dialect.decode(document))
  const context = { model, delivery: "whole", quirks: {}, origin: undefined } as const
  const { body, notices } = Result.getOrThrow(formats[target].protocol.encode(request, context))
  return { body, lost: notices.filter(({ code }) => code === "dropped").map(({ message }) => message.split(":")[0]) }
}

describe("where a caller of OpenAI's APIs says up to where a prompt is cached", () => {
  it("stays as it was said, whatever the model", () => {
    expect(sent(openAiChatDialect, chat, "openai-chat", "m")).toMatchObject({
      body: { messages: chat.messages },
      lost: []
    })
    expect(sent(openAiResponsesDialect, responses, "openai-responses", "m")).toMatchObject({
      body: { input: responses.input },
      lost: []
    })
  })

  it("goes to the other of them, for models that know it", () => {
    expect(sent(openAiChatDialect, chat, "openai-responses", "gpt-5.6")).toMatchObject({
      body: { input: responses.input },
      lost: []
    })
    expect(sent(openAiResponsesDialect, responses, "openai-chat", "gpt-5.6-sol")).toMatchObject({
      body: { messages: [chat.messages[0], { content: [{}, breakpoint] }] },
      lost: []
    })
    const { body, lost } = sent(openAiChatDialect, chat, "openai-responses", "gpt-5.5")
    expect(JSON.stringify(body)).not.toContain("breakpoint")
    expect(lost).toEqual(["cache markers"])
  })

  it("is a marker of Claude's, whose lifetimes are others", () => {
    for (const [dialect, document] of [
      [openAiChatDialect, chat],
      [openAiResponsesDialect, responses]
    ] as const) {
      const { body, lost } = sent(dialect, document, "anthropic-messages", "claude-sonnet-4-5")
      const marked = { cache_control: { type: "ephemeral" } }
      expect(body).toMatchObject({
        system: [{ text: "Be brief.", ...marked }],
        messages: [{ content: [{ type: "text" }, { type: "image", ...marked }] }]
      })
      expect(JSON.stringify(body)).not.toMatch(/12h|breakpoint/)
      expect(lost.filter((field) => /cache/.test(field ?? ""))).toEqual([])
    }
  })
})

describe("where a caller of the Messages API says so", () => {
  it("is said to models of OpenAI that know it, of what is input", () => {
    const { body, lost } = sent(anthropicMessagesDialect, messages, "openai-chat", "gpt-5.6")
    expect(body["messages"]).toMatchObject([
      { role: "system", content: [{ text: "Be brief.", ...plain }] },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "I look." },
      { role: "tool", content: "x" },
      { role: "user", content: [{ text: "Well?", ...plain }] }
    ])
    expect(lost).toEqual(["a cache marker"])
    const other = sent(anthropicMessagesDialect, messages, "openai-responses", "gpt-5.6")
    expect(JSON.stringify(other.body).match(/prompt_cache_breakpoint/g)?.length).toBe(2)
    expect(other.lost).toEqual(["cache markers"])
  })

  it("is not said to others", () => {
    const { body } = sent(anthropicMessagesDialect, messages, "openai-chat", "gpt-4.1")
    expect(JSON.stringify(body)).not.toMatch(/cache_control|breakpoint/)
  })
})
