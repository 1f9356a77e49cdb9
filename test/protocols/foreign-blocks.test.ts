import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { Message } from "../../src/domain/LlmRequest.ts"
import { anthropicMessagesDialect } from "../../src/protocols/anthropic-messages/inbound.ts"
import { dropBlock } from "../../src/protocols/foreign-blocks.ts"
import { Notices } from "../../src/protocols/Notices.ts"
import { openAiChatDialect } from "../../src/protocols/openai-chat/inbound.ts"
import type { JsonObject } from "../../src/protocols/open-document.ts"
import { formatNames, formats, type FormatName } from "../../src/providers/formats.ts"

const encode = (messages: ReadonlyArray<Message>, target: FormatName) =>
  formats[target].protocol.encode(
    { model: "m", messages, sampling: {} },
    { model: "command-a-03-2025", delivery: "whole", quirks: {}, origin: undefined }
  )

const asked = (content: ReadonlyArray<JsonObject>): ReadonlyArray<Message> =>
  Result.getOrThrow(
    anthropicMessagesDialect.decode({ model: "m", max_tokens: 9, messages: [{ role: "user", content }] })
  ).request.messages

const others = (own: string) => formatNames.filter((name) => formats[name].protocol.id !== own && !name.includes(own))

describe("what a user says in a block that only one format knows", () => {
  const film = { type: "video_url", video_url: { url: "https://example.com/a.mp4" } }
  const said = [{ type: "text", text: "What happens here?" }, film]
  const { messages } = Result.getOrThrow(
    openAiChatDialect.decode({ model: "m", messages: [{ role: "user", content: said }] })
  ).request

  it("goes on as it came in that format", () => {
    const { body, notices } = Result.getOrThrow(encode(messages, "openai-chat"))
    expect(body).toMatchObject({ messages: [{ role: "user", content: said }] })
    expect(notices).toEqual([])
  })

  it.each(others("openai-chat"))("is refused by %s: the model would answer another question", (target) => {
    expect(Result.getOrThrow(Result.flip(encode(messages, target)))).toMatchObject({
      reason: { _tag: "Unsupported", feature: "video_url of openai-chat" }
    })
  })

  it("may be an image that is neither an address nor bytes", () => {
    const image = { type: "image_url", image_url: { url: "cat.png" } }
    const { messages } = Result.getOrThrow(
      openAiChatDialect.decode({ model: "m", messages: [{ role: "user", content: [image] }] })
    ).request
    expect(Result.getOrThrow(encode(messages, "openai-chat")).body["messages"]).toEqual([
      { role: "user", content: [image] }
    ])
    expect(Result.isFailure(encode(messages, "anthropic-messages"))).toBe(true)
  })

  it.each(["openai-chat", "cohere-v2"] as const)("is left out where the model said it, and noticed: %s", (target) => {
    const value = { type: "server_tool_use", id: "s", name: "web_search", input: {} }
    const turn: Message = { role: "assistant", parts: [{ _tag: "Opaque", protocol: "anthropic-messages", value }] }
    const asked: Message = { role: "user", parts: [{ _tag: "Text", text: "Hm?" }] }
    const { body, notices } = Result.getOrThrow(encode([asked, turn], target))
    expect(notices).toMatchObject([{ code: "dropped" }])
    // No empty turn stands in its place.
    expect(body["messages"]).toEqual([{ role: "user", content: "Hm?" }])
  })
})

describe("passages that a user gives a model of Anthropic's to cite", () => {
  const passages = [
    { type: "text", text: "The sky is blue." },
    { type: "text", text: "Grass is green." }
  ]
  const blocks = [
    { type: "search_result", source: "https://example.com", title: "Colours", content: passages },
    { type: "document", source: { type: "content", content: passages }, citations: { enabled: true } }
  ]

  it("are the same passages there", () => {
    const { body } = Result.getOrThrow(encode(asked(blocks), "anthropic-messages"))
    expect(body).toMatchObject({ messages: [{ role: "user", content: blocks }] })
  })

  it("are one where what they say was changed", () => {
    const messages = asked(blocks).map((message) => ({
      ...message,
      parts: message.parts.map((part) => (part._tag === "Text" ? { ...part, text: "Removed." } : part))
    }))
    const { body } = Result.getOrThrow(encode(messages, "anthropic-messages"))
    expect(body).toMatchObject({
      messages: [{ content: [{ content: [{ type: "text", text: "Removed." }] }, { source: { content: "Removed." } }] }]
    })
    expect(JSON.stringify(body)).not.toContain("blue")
  })

  it.each(others("anthropic"))("are said as texts in %s", (target) => {
    const text = JSON.stringify(Result.getOrThrow(encode(asked(blocks), target)).body)
    expect(text.match(/The sky is blue\.\\n\\nGrass is green\./g)).toHaveLength(2)
  })
})

describe("media of Anthropic's API with fields that are not known", () => {
  const blocks = [
    { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA", novelty: 1 } },
    { type: "document", source: { type: "base64", media_type: "application/pdf", data: "BBBB", novelty: 2 } }
  ]

  it("are what they were there", () => {
    expect(Result.getOrThrow(encode(asked(blocks), "anthropic-messages")).body).toMatchObject({
      messages: [{ role: "user", content: blocks }]
    })
  })

  it("are media elsewhere, and the fields are noticed", () => {
    const { body, notices } = Result.getOrThrow(encode(asked(blocks), "openai-responses"))
    expect(JSON.stringify(body)).toMatch(/data:image\/png;base64,AAAA.*data:application\/pdf;base64,BBBB/)
    expect(notices.map(({ message }) => message.split(":")[0])).toEqual(["source.novelty"])
  })
})

describe("what is said of an answer in one format alone", () => {
  it("is left out by its own names, wherever in the answer it stood", () => {
    const notices = new Notices("nobody has")
    const values = [
      { candidate: { safetyRatings: [], avgLogprobs: -1 } },
      { part: { text: "", thoughtSignature: "c2ln" } },
      { beside: { audioTranscription: {} } },
      { type: "container_upload", file_id: "f" }
    ]
    for (const value of values) dropBlock({ protocol: "gemini", value }, notices)
    expect(notices.list.map(({ message }) => message)).toEqual([
      "safetyRatings, avgLogprobs of gemini: nobody has",
      "thoughtSignature of gemini: nobody has",
      "audioTranscription of gemini: nobody has",
      "container_upload of gemini: nobody has"
    ])
  })
})

it("has a name also where nothing says what it is", () => {
  const said = new Notices("nobody knows it")
  for (const value of [{ part: {} }, { candidate: { text: "a" } }]) dropBlock({ protocol: "gemini", value }, said)
  expect(said.list.map(({ message }) => message)).toEqual([
    "part of gemini: nobody knows it",
    "candidate of gemini: nobody knows it"
  ])
})
