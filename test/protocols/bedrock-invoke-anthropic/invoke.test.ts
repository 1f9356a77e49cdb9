import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest, Part } from "../../../src/domain/LlmRequest.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import type { Usage } from "../../../src/domain/Usage.ts"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { bedrockInvokeAnthropic } from "../../../src/protocols/bedrock-invoke-anthropic/outbound.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"
import { StreamDecoding } from "../../../src/providers/frames.ts"
import { makeAwsEventStreamDecoder } from "../../../src/wire/AwsEventStream.ts"
import { sseFrame } from "../../../src/wire/Sse.ts"
import { awsEvent, awsException } from "../../../src/wire/AwsMessage.ts"
import { cut, decode } from "../../wire/decoding.ts"
import { contextOf } from "../anthropic-messages/context.ts"
import {
  corpusCases,
  corpusPresent,
  cutAt,
  decodedGist,
  decodedUsage,
  decodeStream,
  decodeWhole,
  expectedGist,
  randomOffsets,
  type CorpusCase,
  type Decoded,
  type ExpectedUsage
} from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

const cases = corpusCases("bedrock-invoke-anthropic")
const streams = cases.filter(({ stream }) => stream)
const wholes = cases.filter(({ stream }) => !stream)

const canonicalUsage = (usage: ExpectedUsage | null): Usage => {
  const { input, output, cache_read, cache_write, reasoning } = usage ?? {}
  const counts = {
    inputTokens: input === undefined ? undefined : input + (cache_read ?? 0) + (cache_write ?? 0),
    outputTokens: output,
    cachedTokens: cache_read,
    cacheWriteTokens: cache_write,
    reasoningTokens: reasoning
  }
  return JSON.parse(JSON.stringify({ ...counts, source: "provider" })) as Usage
}

const expectExpected = (decoded: Decoded, { expected }: CorpusCase): void => {
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  expect(decodedGist(decoded, expected)).toEqual(expectedGist(expected))
  expect(decodedUsage(decoded)).toEqual(canonicalUsage(expected.usage))
}

describe.skipIf(!corpusPresent)("recorded streams of Claude over InvokeModel", () => {
  it("are there, wrapped in base64, with metrics at their ends", () => {
    expect(streams.length).toBeGreaterThan(4)
    for (const { body } of streams) {
      const last = decode(makeAwsEventStreamDecoder(), [body]).frames.at(-1)!
      expect(last.event).toBe("chunk")
      const { bytes } = JSON.parse(last.data) as { readonly bytes: string }
      expect(JSON.parse(Buffer.from(bytes, "base64").toString())).toHaveProperty("amazon-bedrock-invocationMetrics")
    }
  })

  it.each(streams.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    const { body } = recording
    const whole = decodeStream(bedrockInvokeAnthropic, [body])
    expectExpected(whole, recording)
    const splits =
      body.length < 3000
        ? Array.from({ length: body.length }, (_, offset) => [offset])
        : Array.from({ length: 12 }, (_, seed) => randomOffsets(seed, body.length, 40))
    for (const offsets of splits) {
      expect(decodeStream(bedrockInvokeAnthropic, cutAt(body, offsets)).events).toEqual(whole.events)
    }
    expect(decodeStream(bedrockInvokeAnthropic, cut(body, [1])).events).toEqual(whole.events)
  })
})

describe.skipIf(!corpusPresent)("recorded whole answers of Claude over InvokeModel", () => {
  it.each(wholes.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    expectExpected(decodeWhole(bedrockInvokeAnthropic, recording.body), recording)
  })
})

const encode = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  bedrockInvokeAnthropic.encode(request, {
    model: "us.anthropic.claude-sonnet-4-6",
    delivery: "whole",
    quirks: {},
    origin: undefined,
    ...more
  })
const encoded = (request: LlmRequest, more: Partial<EncodeContext> = {}) => Result.getOrThrow(encode(request, more))

const asked = (more: Partial<LlmRequest> = {}, parts: ReadonlyArray<Part> = []): LlmRequest => ({
  model: "smart",
  messages: [
    { role: "user", parts: [{ _tag: "Text", text: "Hi" }] },
    ...(parts.length === 0 ? [] : [{ role: "assistant" as const, parts }])
  ],
  sampling: { maxOutputTokens: 100 },
  ...more
})

describe("a request", () => {
  it("is one of the Messages API in the envelope of InvokeModel", () => {
    expect(encoded(asked(), { model: "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2:1" })).toEqual({
      path: "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fanthropic.claude-v2%3A1/invoke",
      headers: {},
      body: {
        anthropic_version: "bedrock-2023-05-31",
        max_tokens: 100,
        messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }]
      },
      notices: []
    })
    const { path, headers, body } = encoded(asked(), { delivery: "stream" })
    expect(path).toBe("/model/us.anthropic.claude-sonnet-4-6/invoke-with-response-stream")
    expect(headers).toEqual({ accept: "application/vnd.amazon.eventstream" })
    expect(body).not.toHaveProperty("stream")
  })

  it("has its betas and what else only this format knows in the body", () => {
    const extensions = {
      "bedrock-invoke-anthropic": { anthropic_beta: ["interleaved-thinking-2025-05-14"] },
      "anthropic-messages": { context_management: { edits: [] } },
      "openai-chat": { store: true }
    }
    const { body, notices } = encoded(asked({ extensions }))
    expect(body).toMatchObject({
      anthropic_beta: ["interleaved-thinking-2025-05-14"],
      context_management: { edits: [] }
    })
    expect(notices).toEqual([{ code: "dropped", message: expect.stringMatching(/^store/) }])
  })

  it.each([
    ["standard_only", { "x-amzn-bedrock-service-tier": "default" }],
    ["priority", { "x-amzn-bedrock-service-tier": "priority" }],
    ["auto", {}]
  ])("says the tier %s in a header", (serviceTier, headers) => {
    expect(encoded(asked({ serviceTier }))).toMatchObject({ headers, notices: [] })
    expect(encoded(asked({ serviceTier })).body).not.toHaveProperty("service_tier")
  })

  it("has the betas of a caller's header in the body, and an API of Anthropic's own has them in the header", () => {
    const body = { model: "m", max_tokens: 9, messages: [{ role: "user", content: "Hm?" }] }
    const headers = {
      "anthropic-beta": "context-1m-2025-08-07, files-api-2025-04-14",
      "anthropic-version": "2026-10-21",
      "anthropic-user-profile-id": "profile_1"
    }
    const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(body, undefined, headers))
    const target = { model: "claude", delivery: "whole", quirks: {}, origin: undefined } as const
    const sent = Result.getOrThrow(bedrockInvokeAnthropic.encode(request, target))
    expect(sent.body["anthropic_beta"]).toEqual(["context-1m-2025-08-07"])
    expect(sent.notices.map(({ message }) => message)).toEqual([
      "the beta files-api-2025-04-14: the provider does not know it"
    ])
    expect(sent.body).not.toHaveProperty("anthropic-beta")
    expect(sent.body["user_profile_id"]).toBe("profile_1")
    const own = Result.getOrThrow(anthropicMessages.encode(request, target))
    expect(own.headers).toEqual(headers)
    expect(Object.keys(own.body)).toEqual(["model", "max_tokens", "messages"])
    const elsewhere = Result.getOrThrow(openAiChat.encode(request, target))
    expect(elsewhere.notices.map(({ message }) => message)).toEqual([
      "anthropic-beta: Chat Completions has no counterpart",
      "anthropic-user-profile-id: Chat Completions has no counterpart"
    ])
  })

  it("says that a tier is not known", () => {
    expect(encoded(asked({ serviceTier: "scale" }))).toMatchObject({ headers: {}, notices: [{ code: "dropped" }] })
  })

  it.each(["bedrock-invoke-anthropic", "bedrock-converse", "anthropic-messages"])(
    "sends back reasoning that %s signed, byte for byte",
    (origin) => {
      const thought: Part = { _tag: "Reasoning", text: "hm", signature: "s+/=", origin }
      const { body, notices } = encoded(asked({}, [thought, { _tag: "Text", text: "So" }]))
      const thinking = { type: "thinking", thinking: "hm", signature: "s+/=" }
      expect(body["messages"]).toMatchObject([{}, { role: "assistant", content: [thinking, { text: "So" }] }])
      expect(notices).toEqual([])
    }
  )

  it("does not send what others signed", () => {
    const { notices } = encoded(asked({}, [{ _tag: "Reasoning", text: "hm", signature: "s", origin: "gemini" }]))
    expect(notices).toMatchObject([{ code: "dropped" }])
  })

  it("is refused where the provider would have to fetch something", () => {
    const image: Part = { _tag: "Media", kind: "image", source: { _tag: "Url", url: "https://example.com/a.png" } }
    for (const part of [image, { _tag: "ToolResult", callId: "c", content: [image] } as const]) {
      const error = Result.getOrThrow(Result.flip(encode(asked({}, [part]))))
      expect(error.reason._tag).toBe("Unsupported")
    }
  })
})

const chunk = (event: unknown): Uint8Array =>
  awsEvent("chunk", { bytes: Buffer.from(JSON.stringify(event)).toString("base64"), p: "abc" })
const start = chunk({ type: "message_start", message: { id: "m", model: "claude", content: [] } })

describe("a stream", () => {
  it("wraps each event of the Messages API in base64, with padding, and has its metrics in the last", () => {
    const { events, error } = decodeStream(bedrockInvokeAnthropic, [
      start,
      chunk({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      chunk({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } }),
      chunk({ type: "content_block_stop", index: 0 }),
      chunk({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } }),
      chunk({ type: "message_stop", "amazon-bedrock-invocationMetrics": { inputTokenCount: 9, outputTokenCount: 2 } })
    ])
    expect(error).toBeUndefined()
    expect(foldEvents(events).choices).toMatchObject([{ parts: [{ text: "Hello" }], finish: { reason: "stop" } }])
  })

  it("is handed on frame by frame, but for what it writes after its end", () => {
    const text = (said: string) => ({
      type: "content_block_delta",
      index: 0,
      delta: { type: "text_delta", text: said }
    })
    const stop = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } }
    const decoding = new StreamDecoding(bedrockInvokeAnthropic)
    const frames = [start, ...[text("Hello"), stop, text(" late"), { type: "message_stop" }].map(chunk)].flatMap(
      (bytes) => decoding.feed(bytes)
    )
    expect(frames.map(({ raw }) => raw?.split("\n")[0])).toEqual([
      "event: message_start",
      "event: content_block_delta",
      "event: message_delta",
      undefined,
      "event: message_stop"
    ])
    expect(foldEvents(frames.flatMap(({ events }) => events)).choices).toMatchObject([{ parts: [{ text: "Hello" }] }])
  })

  it("may hold signs of life, which are documents that say nothing", () => {
    const decoding = new StreamDecoding(bedrockInvokeAnthropic)
    expect([chunk({}), start, chunk({ p: "x" })].flatMap((bytes) => decoding.feed(bytes))).toHaveLength(1)
    expect(decoding.failure).toBeUndefined()
    decoding.feed(chunk({ error: { message: "broke" } }))
    expect(decoding.failure).toMatchObject({ message: "broke" })
  })
})

describe("a failure in the stream", () => {
  it("is an exception of AWS", () => {
    const frame = awsException("modelStreamErrorException", { message: "broke", originalStatusCode: 529 })
    const { error } = decodeStream(bedrockInvokeAnthropic, [start, frame])
    expect(error).toMatchObject({
      reason: { _tag: "Overloaded" },
      message: "broke",
      fault: { type: "ModelStreamErrorException", protocol: "bedrock-invoke-anthropic" }
    })
  })

  it("is an error of the Messages API, which a caller of it gets in the same words", () => {
    const event = { type: "error", error: { type: "overloaded_error", message: "full" } }
    const { error } = decodeStream(bedrockInvokeAnthropic, [start, chunk(event)])
    expect(error).toMatchObject({
      reason: { _tag: "Overloaded" },
      message: "full",
      fault: { type: "overloaded_error" }
    })
    const renderer = anthropicMessagesDialect.renderer(contextOf())
    expect(renderer.failure(error!)).toBe(sseFrame(JSON.stringify(event), "error"))
  })

  it("is a frame that cannot be read, and a stream that stops in the middle", () => {
    const malformed = { _tag: "InvalidOutput", kind: "malformedFrame" }
    expect(decodeStream(bedrockInvokeAnthropic, [awsEvent("chunk", {})]).error?.reason).toEqual(malformed)
    expect(decodeStream(bedrockInvokeAnthropic, [chunk("no event")]).error?.reason).toEqual(malformed)
    const cutShort = decodeStream(bedrockInvokeAnthropic, [start, awsEvent("not-invented-yet", {})])
    expect(cutShort.error?.reason).toEqual({ _tag: "IncompleteStream", kind: "noStop" })
  })
})

describe("a failure instead of an answer", () => {
  it("is what AWS says with a status", () => {
    const error = bedrockInvokeAnthropic.decodeError({
      status: 400,
      headers: { "x-amzn-errortype": "ValidationException:http://internal.amazon.com/" },
      body: '{"message":"Input is too long for requested model."}'
    })
    expect(error).toMatchObject({
      reason: { _tag: "ContextTooLong" },
      fault: { status: 400, type: "ValidationException", protocol: "bedrock-invoke-anthropic" }
    })
  })

  it("may come in a body without a status", () => {
    const read = (body: unknown) => bedrockInvokeAnthropic.decodeWhole(body, [])?.reason._tag
    expect(read({ __type: "ThrottlingException", message: "slow" })).toBe("RateLimited")
    expect(read({ type: "error", error: { type: "overloaded_error", message: "full" } })).toBe("Overloaded")
    expect(read({})).toBe("InvalidOutput")
    expect(read("text")).toBe("InvalidOutput")
  })
})
