import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest } from "../../../src/domain/LlmRequest.ts"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { openAiResponsesDialect } from "../../../src/protocols/openai-responses/inbound.ts"
import type { Quirks } from "../../../src/protocols/Protocol.ts"
import { formats, type FormatName } from "../../../src/providers/formats.ts"

const shared = {
  prompt_cache_key: "tenant-7",
  prompt_cache_options: { mode: "explicit" },
  prompt_cache_retention: "24h",
  safety_identifier: "user-7",
  store: true
}
const chat = Result.getOrThrow(
  openAiChatDialect.decode({
    model: "m",
    messages: [{ role: "user", content: "Hi" }],
    ...shared,
    verbosity: "low",
    logit_bias: { 1: 2 }
  })
).request
const form = { type: "json_schema", name: "n", schema: { type: "object" } }
const responses = Result.getOrThrow(
  openAiResponsesDialect.decode({
    model: "m",
    input: "Hi",
    ...shared,
    text: { verbosity: "low", format: form, novelty: 1 },
    truncation: "auto"
  })
).request

const sent = (request: LlmRequest, target: FormatName, quirks: Quirks = {}) => {
  const context = { model: "m", delivery: "whole", quirks, origin: undefined } as const
  const { body, notices } = Result.getOrThrow(formats[target].protocol.encode(request, context))
  return { body, lost: notices.map(({ message }) => message.split(":")[0]) }
}

describe("the settings that both APIs of OpenAI have", () => {
  it("go from Chat Completions to the Responses API, and what only the one has does not", () => {
    const { body, lost } = sent(chat, "openai-responses")
    expect(body).toMatchObject({ ...shared, text: { verbosity: "low" } })
    expect(body).not.toHaveProperty("verbosity")
    expect(lost).toEqual(["logit_bias"])
  })

  it("go from the Responses API to Chat Completions, beside the form of the answer", () => {
    const { body, lost } = sent(responses, "openai-chat")
    expect(body).toMatchObject({ ...shared, verbosity: "low", response_format: { json_schema: { name: "n" } } })
    expect(body).not.toHaveProperty("text")
    expect(lost).toEqual(["truncation", "text"])
  })

  it("go along with how the stream is to come, only where it is one", () => {
    const options = { include_obfuscation: false }
    const encoded = (request: LlmRequest, target: FormatName, delivery: "stream" | "whole") => {
      const context = { model: "m", delivery, quirks: {}, origin: undefined } as const
      return Result.getOrThrow(formats[target].protocol.encode(request, context))
    }
    const stream = { stream: true, stream_options: options }
    const ofChat = Result.getOrThrow(
      openAiChatDialect.decode({ model: "m", messages: [{ role: "user", content: "Hi" }], ...stream })
    )
    const ofResponses = Result.getOrThrow(openAiResponsesDialect.decode({ model: "m", input: "Hi", ...stream }))
    for (const { request } of [ofChat, ofResponses]) {
      for (const target of ["openai-chat", "openai-responses"] as const) {
        const { body, notices } = encoded(request, target, "stream")
        expect(body).toMatchObject(stream)
        expect(notices).toEqual([])
        expect(encoded(request, target, "whole").body).not.toHaveProperty("stream_options")
      }
    }
  })

  it("let OpenAI keep metadata with an answer of Chat Completions only where it stores it", () => {
    const asked = (more: object) =>
      Result.getOrThrow(openAiResponsesDialect.decode({ model: "m", input: "Hi", metadata: { a: "b" }, ...more }))
        .request
    const metadata = { a: "b" }
    const to = (model: string, request: LlmRequest) =>
      Result.getOrThrow(
        formats["openai-chat"].protocol.encode(request, { model, delivery: "whole", quirks: {}, origin: undefined })
      )
    expect(to("gpt-5.5", asked({ store: true })).body).toMatchObject({ metadata, store: true })
    const unstored = to("gpt-5.5", asked({}))
    expect(unstored.body).not.toHaveProperty("metadata")
    expect(unstored.notices.map(({ message }) => message)).toEqual([
      "metadata: OpenAI takes it only with answers that it stores"
    ])
    expect(to("llama-4", asked({})).body).toMatchObject({ metadata })
  })

  it("do not name the answer that a prompt is compared with where the API does not know that", () => {
    const options = { mode: "explicit", comparison_response_id: "resp_1" }
    const { request } = Result.getOrThrow(
      openAiResponsesDialect.decode({ model: "m", input: "Hi", prompt_cache_options: options })
    )
    const { body, lost } = sent(request, "openai-chat")
    expect(body["prompt_cache_options"]).toEqual({ mode: "explicit" })
    expect(lost).toEqual(["comparison_response_id"])
    expect(sent(request, "openai-responses").body["prompt_cache_options"]).toEqual(options)
  })

  it("stay where they were said", () => {
    expect(sent(chat, "openai-chat").body).toMatchObject({ ...shared, verbosity: "low" })
    expect(sent(responses, "openai-responses").body).toMatchObject({
      ...shared,
      text: { verbosity: "low", format: form }
    })
  })

  it("are not sent to vendors that know an older API, nor in other formats", () => {
    for (const { body, lost } of [
      sent(responses, "openai-chat", { noDeveloperRole: true }),
      sent(responses, "anthropic-messages")
    ]) {
      expect(body).not.toHaveProperty("prompt_cache_key")
      expect(lost).toEqual(expect.arrayContaining(["prompt_cache_key", "safety_identifier", "text"]))
    }
  })
})
