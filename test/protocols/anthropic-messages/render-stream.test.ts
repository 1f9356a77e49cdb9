import { describe, expect, it } from "@effect/vitest"
import { Result, type Schema } from "effect"
import type { Notice } from "../../../src/domain/Call.ts"
import { failure, LlmError } from "../../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { makeStreamDecoder } from "../../../src/protocols/anthropic-messages/decode-stream.ts"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import type { Protocol } from "../../../src/protocols/Protocol.ts"
import { isSealed, unsealed, type Proof } from "../../../src/protocols/SealedReasoning.ts"
import { sseFrame } from "../../../src/wire/Sse.ts"
import { normalisedEvents, wellFormedEvents } from "../arbitrary.ts"
import { decodeStream } from "../corpus.ts"
import { contextOf } from "./context.ts"
import { documentsOf, streamFaults } from "./stream-grammar.ts"

const protocol = "anthropic-messages"
const rendererOf = () => anthropicMessagesDialect.renderer(contextOf())

const render = (events: ReadonlyArray<LlmEvent>) => {
  const renderer = rendererOf()
  const text = events.map((event) => renderer.event(event)).join("") + renderer.end()
  expect(streamFaults(text)).toEqual([])
  return { text, documents: documentsOf(text), notices: renderer.notices }
}

const started: LlmEvent = { _tag: "Started", id: "msg_1", model: "claude" }
const finish = (more: Partial<Extract<LlmEvent, { readonly _tag: "Finish" }>> = {}): LlmEvent => ({
  _tag: "Finish",
  reason: "stop",
  usage: { source: "none" },
  ...more
})
const text = (id: string, ...deltas: ReadonlyArray<string>): ReadonlyArray<LlmEvent> => [
  { _tag: "TextStart", id },
  ...deltas.map((delta) => ({ _tag: "TextDelta", id, text: delta }) as const),
  { _tag: "TextEnd", id }
]
const answer = (...events: ReadonlyArray<LlmEvent>) => render([started, ...events, finish()])
const blocksOf = (documents: ReadonlyArray<Record<string, unknown>>) =>
  documents.flatMap(({ type, content_block, delta }) =>
    type === "content_block_start" ? [content_block] : type === "content_block_delta" ? [delta] : []
  )

describe("the head of a stream", () => {
  it("waits for what comes next, so that the usage of the input stands in it", () => {
    const renderer = rendererOf()
    expect(renderer.event({ ...started, serviceTier: "default" })).toBe("")
    const usage = {
      inputTokens: 100,
      cachedTokens: 30,
      cacheWriteTokens: 20,
      outputTokens: 7,
      source: "provider"
    } as const
    expect(renderer.event({ _tag: "UsageReported", usage })).toBe("")
    const [head] = documentsOf(renderer.event({ _tag: "TextStart", id: "t" }))
    expect(head).toMatchObject({
      type: "message_start",
      message: {
        id: "msg_1",
        model: "claude",
        role: "assistant",
        content: [],
        stop_reason: null,
        usage: {
          input_tokens: 50,
          cache_read_input_tokens: 30,
          cache_creation_input_tokens: 20,
          // Clients add this number to the one at the end.
          output_tokens: 0,
          service_tier: "standard"
        }
      }
    })
  })

  it("has an id and a model where the provider gave none", () => {
    const { documents } = render([{ _tag: "Started", id: "", model: "" }, finish()])
    expect(documents[0]).toMatchObject({ message: { id: "msg_made_here", model: "smart", usage: { input_tokens: 0 } } })
  })
})

describe("blocks", () => {
  it("stream their deltas at once", () => {
    const renderer = rendererOf()
    renderer.event(started)
    renderer.event({ _tag: "TextStart", id: "t" })
    const delta = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: 'a "\n\u2028' } }
    expect(renderer.event({ _tag: "TextDelta", id: "t", text: 'a "\n\u2028' })).toBe(
      sseFrame(JSON.stringify(delta), "content_block_delta")
    )
  })

  it("are thinking with its signature, and encrypted thinking", () => {
    const { documents } = answer(
      { _tag: "ReasoningStart", id: "r" },
      { _tag: "ReasoningDelta", id: "r", text: "hm" },
      { _tag: "ReasoningEnd", id: "r", signature: "sig", origin: protocol },
      { _tag: "ReasoningStart", id: "s", redacted: "xyz", origin: protocol },
      { _tag: "ReasoningEnd", id: "s" }
    )
    expect(blocksOf(documents)).toEqual([
      { type: "thinking", thinking: "", signature: "" },
      { type: "thinking_delta", thinking: "hm" },
      { type: "signature_delta", signature: "sig" },
      { type: "redacted_thinking", data: "xyz" }
    ])
  })

  it("never show a proof that another format's provider signed, or nobody knows who", () => {
    const { documents } = answer(
      { _tag: "ReasoningStart", id: "r" },
      { _tag: "ReasoningEnd", id: "r", signature: "theirs", origin: "gemini" },
      { _tag: "ReasoningStart", id: "s", origin: "openai-chat" },
      { _tag: "ReasoningEnd", id: "s", signature: "said at the start" },
      { _tag: "ReasoningStart", id: "t", redacted: "encrypted", origin: "bedrock-converse" },
      { _tag: "ReasoningEnd", id: "t" },
      { _tag: "ReasoningStart", id: "u" },
      { _tag: "ReasoningEnd", id: "u", signature: "whose" }
    )
    const proofs = blocksOf(documents).flatMap((block) => {
      const { signature, data } = block as { readonly signature?: string; readonly data?: string }
      const proof = signature || data
      return proof === undefined || proof === "" ? [] : [proof]
    })
    expect(proofs.every(isSealed)).toBe(true)
    expect(proofs.map(unsealed)).toEqual([
      { signature: "theirs", origin: "gemini" },
      { signature: "said at the start", origin: "openai-chat" },
      { redacted: "encrypted", origin: "bedrock-converse" },
      { signature: "whose" }
    ])
  })

  it("are tools, of the client and of the provider, with or without their input in pieces", () => {
    const { documents } = answer(
      { _tag: "ToolInputStart", id: "a", name: "f" },
      { _tag: "ToolInputDelta", id: "a", text: '{"x":1}' },
      { _tag: "ToolInputEnd", id: "a" },
      { _tag: "ToolCall", id: "a", name: "f", arguments: '{"x":1}', valid: true },
      { _tag: "ToolCall", id: "b", name: "g", arguments: "{}", valid: true, providerExecuted: true }
    )
    expect(blocksOf(documents)).toEqual([
      { type: "tool_use", id: "a", name: "f", input: {} },
      { type: "input_json_delta", partial_json: '{"x":1}' },
      { type: "server_tool_use", id: "b", name: "g", input: {} },
      { type: "input_json_delta", partial_json: "{}" }
    ])
  })

  it("of tools follow what another format says of a call, sealed as thoughts", () => {
    const calling = (origin: { readonly protocol: string; readonly value: Schema.Json }): ReadonlyArray<LlmEvent> => [
      { _tag: "ToolInputStart", id: "a", name: "f", origin },
      { _tag: "ToolInputEnd", id: "a" },
      { _tag: "ToolCall", id: "a", name: "f", arguments: "{}", valid: true }
    ]
    const plain = { type: "tool_use", id: "a", name: "f", input: {} }
    const theirs = calling({ protocol: "gemini", value: { id: "x", thoughtSignature: "theirs" } })
    const streamed = answer(...theirs)
    const signature = expect.stringMatching(/^millrace-reasoning-1\./)
    expect(blocksOf(streamed.documents)).toEqual([
      { type: "thinking", thinking: "", signature: "" },
      { type: "signature_delta", signature },
      plain
    ])
    expect(streamed.notices).toEqual([])
    const said: Array<Notice> = []
    const whole = anthropicMessagesDialect.renderWhole(foldEvents([started, ...theirs, finish()]), contextOf(), said)
    expect(whole).toMatchObject({ content: [{ type: "thinking", thinking: "", signature }, plain] })
    expect(said).toEqual([])
    const own = answer(...calling({ protocol, value: { type: "tool_use", caller: { type: "direct" } } }))
    expect(blocksOf(own.documents)).toEqual([{ ...plain, caller: { type: "direct" } }])
    expect(own.notices).toEqual([])
  })

  it("that are open together are streamed in the order in which they began", () => {
    const pieces: ReadonlyArray<LlmEvent> = [
      { _tag: "ToolInputStart", id: "a", name: "f" },
      { _tag: "ToolInputStart", id: "b", name: "g" },
      { _tag: "ToolInputDelta", id: "b", text: "{}" },
      { _tag: "ToolInputDelta", id: "a", text: "{" },
      ...text("t", "between"),
      { _tag: "ToolInputEnd", id: "b" },
      { _tag: "ToolInputDelta", id: "a", text: "}" }
    ]
    const renderer = rendererOf()
    const first = [started, ...pieces].map((event) => renderer.event(event)).join("")
    expect(blocksOf(documentsOf(first))).toEqual([
      { type: "tool_use", id: "a", name: "f", input: {} },
      { type: "input_json_delta", partial_json: "{" },
      { type: "input_json_delta", partial_json: "}" }
    ])
    expect(blocksOf(documentsOf(renderer.event({ _tag: "ToolInputEnd", id: "a" })))).toEqual([
      { type: "tool_use", id: "b", name: "g", input: {} },
      { type: "input_json_delta", partial_json: "{}" },
      { type: "text", text: "" },
      { type: "text_delta", text: "between" }
    ])
    answer(...pieces, { _tag: "ToolInputEnd", id: "a" })
  })

  it("that nobody ended are ended before the message is", () => {
    const { documents } = answer(
      { _tag: "ToolInputStart", id: "a", name: "f" },
      { _tag: "TextStart", id: "t" },
      { _tag: "TextDelta", id: "t", text: "x" }
    )
    expect(blocksOf(documents)).toHaveLength(3)
  })

  it("of this format pass whole, those of another are noticed", () => {
    const result = { type: "web_search_tool_result", tool_use_id: "s", content: [] }
    const { documents, notices } = answer(
      { _tag: "ToolResult", callId: "s", protocol, value: result },
      { _tag: "Opaque", protocol, value: { type: "compaction", content: "short" } },
      { _tag: "Opaque", protocol: "openai-responses", value: {} },
      { _tag: "Media", mediaType: "image/png", data: "" },
      { _tag: "RefusalDelta", choice: 1, text: "other" },
      { _tag: "ChoiceFinish", choice: 1, reason: "stop" }
    )
    expect(blocksOf(documents)).toEqual([
      result,
      { type: "compaction", content: null },
      { type: "compaction_delta", content: "short" }
    ])
    expect(notices.map(({ code, message }) => `${code} ${message.split(":")[0]}`)).toEqual([
      "dropped a block of openai-responses",
      "dropped image/png made by the model",
      "dropped choices after the first"
    ])
  })

  it("cite their sources, as this format once wrote them or as results of a search", () => {
    const citation = { type: "page_location", cited_text: "c" }
    const { documents } = answer(
      { _tag: "TextStart", id: "t" },
      { _tag: "Source", block: "t", origin: { protocol, value: citation } },
      { _tag: "Source", url: "https://example.com", title: "T" },
      { _tag: "TextEnd", id: "t" },
      { _tag: "Source", block: "t", url: "https://example.com/late", citedText: "c" }
    )
    const found = { type: "web_search_result_location", url: "https://example.com", title: "T" }
    expect(blocksOf(documents)).toEqual([
      { type: "text", text: "" },
      { type: "citations_delta", citation },
      { type: "citations_delta", citation: { ...found, cited_text: "", encrypted_index: "" } },
      { type: "text", text: "" },
      {
        type: "citations_delta",
        citation: { ...found, url: "https://example.com/late", title: null, cited_text: "c", encrypted_index: "" }
      }
    ])
  })

  it("have no log probabilities", () => {
    const delta: LlmEvent = { _tag: "TextDelta", id: "t", text: "x", logprobs: [{ token: "x", logprob: -1, top: [] }] }
    const { documents, notices } = answer({ _tag: "TextStart", id: "t" }, delta, delta, { _tag: "TextEnd", id: "t" })
    expect(blocksOf(documents)).toHaveLength(3)
    expect(notices).toHaveLength(1)
  })
})

describe("sources whose text has been sent", () => {
  it("are cited in one empty block, which ends where another one begins", () => {
    const source = (url: string): LlmEvent => ({ _tag: "Source", url })
    const { documents } = answer(...text("t", "a"), source("https://a"), source("https://b"), ...text("u", "c"))
    const cited = (url: string) => ({ type: "citations_delta", citation: expect.objectContaining({ url }) })
    expect(blocksOf(documents)).toEqual([
      { type: "text", text: "" },
      { type: "text_delta", text: "a" },
      { type: "text", text: "" },
      cited("https://a"),
      cited("https://b"),
      { type: "text", text: "" },
      { type: "text_delta", text: "c" }
    ])
  })
})

describe("the end of a stream", () => {
  const endingOf = (...events: ReadonlyArray<LlmEvent>) => {
    const { documents } = render([started, ...events])
    return documents.at(-2)
  }

  it.each([
    [{ reason: "stop" }, "end_turn", null],
    [{ reason: "stop", stopSequence: "END" }, "stop_sequence", "END"],
    [{ reason: "length" }, "max_tokens", null],
    [{ reason: "length", rawReason: "model_context_window_exceeded" }, "model_context_window_exceeded", null],
    [{ reason: "tool-calls", rawReason: "end_turn" }, "tool_use", null],
    [{ reason: "content-filter", rawReason: "content_filter" }, "refusal", null],
    [{ reason: "pause" }, "pause_turn", null],
    [{ reason: "unknown" }, "end_turn", null],
    [{ reason: "error" }, "end_turn", null]
  ] as const)("%j is %s", (more, stop_reason, stop_sequence) => {
    expect(endingOf(finish(more))).toMatchObject({ delta: { stop_reason, stop_sequence } })
  })

  it("says that the text is a refusal", () => {
    const { documents } = answer({ _tag: "RefusalDelta", text: "I " }, { _tag: "RefusalDelta", text: "won't." })
    expect(blocksOf(documents)).toEqual([
      { type: "text", text: "" },
      { type: "text_delta", text: "I " },
      { type: "text_delta", text: "won't." }
    ])
    expect(documents.at(-2)).toMatchObject({ delta: { stop_reason: "refusal" } })
  })

  it("states all usage, with input apart from the cache", () => {
    const usage = { inputTokens: 9, cachedTokens: 4, outputTokens: 3, reasoningTokens: 2, source: "provider" } as const
    expect(endingOf(finish({ usage }))).toMatchObject({
      usage: {
        input_tokens: 5,
        cache_read_input_tokens: 4,
        output_tokens: 3,
        output_tokens_details: { thinking_tokens: 2 }
      }
    })
    expect(endingOf(finish())?.["usage"]).toEqual({ output_tokens: 0 })
  })

  it("is said once", () => {
    const renderer = rendererOf()
    renderer.event(started)
    renderer.event({ _tag: "TextStart", id: "t" })
    expect(renderer.event(finish())).not.toBe("")
    const late: LlmEvent = { _tag: "TextDelta", id: "t", text: "late" }
    const error = failure({ _tag: "Internal" }, "late")
    expect([renderer.event(late), renderer.event(finish()), renderer.end(), renderer.failure(error)].join("")).toBe("")
  })
})

describe("a failure in a stream", () => {
  it("is the error event, and nothing follows it", () => {
    const renderer = rendererOf()
    renderer.event(started)
    renderer.event({ _tag: "TextStart", id: "t" })
    const error = failure({ _tag: "IncompleteStream", kind: "noStop" }, "cut")
    const document = { type: "error", error: { type: "api_error", message: "cut" } }
    expect(renderer.failure(error)).toBe(sseFrame(JSON.stringify(document), "error"))
    expect(
      renderer.event({ _tag: "TextDelta", id: "t", text: "late" }) + renderer.end() + renderer.failure(error)
    ).toBe("")
  })

  it("is the provider's own frame where it is one of this format", () => {
    const raw =
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"O","details":null}}\n\n'
    const { error } = decodeStream(anthropicMessages, [Buffer.from(raw)])
    expect(error && rendererOf().failure(error)).toBe(raw)
    const unnamed = new LlmError({
      reason: { _tag: "Overloaded" },
      message: "O",
      fault: { protocol, raw: 'data: {"error":{"message":"O"}}\n\n', type: "overloaded_error" }
    })
    expect(rendererOf().failure(unnamed)).toContain("event: error\n")
  })
})

describe("frames of a provider of this format", () => {
  const frame = (raw: string, events: ReadonlyArray<LlmEvent> = []) =>
    ({ protocol, delivery: "stream", raw, events }) as const
  const head = frame('data: {"type":"message_start","message":{}}\r\n\r\n', [started])
  const ending = frame('data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"x":1}\n\n')
  const done = frame("event: data\ndata: [DONE]\n\n")

  it("pass byte for byte, without the terminator of another format and with the one that is owed", () => {
    const renderer = rendererOf()
    const last = frame("", [finish({ rawReason: "end_turn" })])
    const sent = [head, ending, done, last].map((each) => renderer.verbatim(each)).join("") + renderer.end()
    expect(sent).toBe(`${head.raw}${ending.raw}${sseFrame('{"type":"message_stop"}', "message_stop")}`)
    expect(renderer.end()).toBe("")
  })

  it("have the start of the message and of a block that their server left out, which clients miss", () => {
    const decoder = makeStreamDecoder()
    const renderer = rendererOf()
    const sent = [
      { type: "ping" },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "b" } },
      { type: "content_block_stop", index: 0 },
      { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
      { type: "content_block_stop", index: 1 },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
      { type: "message_stop" }
    ].map((event) => {
      const raw = sseFrame(JSON.stringify(event), event.type)
      const events: Array<LlmEvent> = []
      decoder.step({ raw, event: event.type, data: JSON.stringify(event) }, events)
      return renderer.verbatim(frame(raw, events))
    })
    expect(documentsOf(sent.join("")).map(({ type, index }) => [type, index])).toEqual([
      ["ping", undefined],
      ["message_start", undefined],
      ["content_block_start", 0],
      ["content_block_delta", 0],
      ["content_block_delta", 0],
      ["content_block_stop", 0],
      ["content_block_start", 1],
      ["content_block_stop", 1],
      ["message_delta", undefined],
      ["message_stop", undefined]
    ])
  })

  it("pass nothing after a failure", () => {
    const renderer = rendererOf()
    renderer.verbatim(head)
    renderer.failure(failure({ _tag: "Internal" }, "x"))
    expect(renderer.verbatim(ending) + renderer.verbatim(done)).toBe("")
  })

  it("have their ending replaced where a stage gave another reason", () => {
    const renderer = rendererOf()
    const sent =
      renderer.verbatim(head) +
      renderer.verbatim(ending) +
      renderer.event(finish({ reason: "content-filter" })) +
      renderer.end()
    expect(documentsOf(sent).map(({ type, delta }) => [type, delta?.stop_reason])).toEqual([
      ["message_start", undefined],
      ["message_delta", "refusal"],
      ["message_stop", undefined]
    ])
  })
})

describe("thoughts that nobody signed", () => {
  const thoughts = (origin: string) =>
    [
      { _tag: "ReasoningStart", id: "r" },
      { _tag: "ReasoningDelta", id: "r", text: "Hm" },
      { _tag: "ReasoningEnd", id: "r", origin }
    ] satisfies ReadonlyArray<LlmEvent>
  const ending: LlmEvent = { _tag: "Finish", reason: "stop", usage: { source: "none" } }
  const answer = (origin: string): ReadonlyArray<LlmEvent> => [
    { _tag: "Started", id: "m", model: "a-model" },
    ...thoughts(origin),
    ending
  ]

  it("have a seal that says whose they are, and nobody else is sent them", () => {
    const { content } = anthropicMessagesDialect.renderWhole(foldEvents(answer("openai-chat")), contextOf(), []) as {
      readonly content: ReadonlyArray<{ readonly signature: string }>
    }
    const renderer = anthropicMessagesDialect.renderer(contextOf())
    const streamed = answer("openai-chat")
      .map((event) => renderer.event(event))
      .join("")
    const seal = content[0]?.signature ?? ""
    expect(unsealed(seal)).toEqual({ origin: "openai-chat" })
    expect(streamed).toContain(`{"type":"signature_delta","signature":${JSON.stringify(seal)}}`)
    const turn = { role: "assistant", content: [...content, { type: "text", text: "Two." }] }
    const body = { model: "m", max_tokens: 9, messages: [{ role: "user", content: "Hm?" }, turn] }
    const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(body))
    const origin = { protocol: "anthropic-messages", body, text: "", headers: {} }
    const target = { model: "m", delivery: "whole", quirks: {} } as const
    const sentTo = (protocol: Protocol, from?: typeof origin) =>
      JSON.stringify(Result.getOrThrow(protocol.encode(request, { ...target, origin: from })).body)
    expect(sentTo(openAiChat)).toContain('"reasoning_content":"Hm"')
    expect(sentTo(anthropicMessages)).not.toContain('Hm"')
    expect(sentTo(anthropicMessages, origin)).not.toContain('"thinking"')
  })

  it("have an empty signature where a server of this format does not sign", () => {
    const whole = anthropicMessagesDialect.renderWhole(foldEvents(answer("anthropic-messages")), contextOf(), [])
    expect(whole).toMatchObject({ content: [{ type: "thinking", thinking: "Hm", signature: "" }] })
  })
})

describe("what is rendered and decoded again", () => {
  /** Events as this format says them: without a time, refused where a filter stopped it, zero where nothing is known. */
  const expressible = (events: ReadonlyArray<LlmEvent>): ReadonlyArray<LlmEvent> =>
    normalisedEvents(events).map((event) => {
      if (event._tag === "Started") return { _tag: "Started", id: event.id, model: event.model }
      if (event._tag !== "Finish") return event
      const reason = event.reason === "content-filter" ? "refusal" : event.reason
      const zero = { inputTokens: 0, outputTokens: 0, source: "provider" } as const
      return { ...event, reason, usage: event.usage.source === "none" ? zero : event.usage }
    })

  const kinds = ["text", "reasoning", "signed", "redacted", "tool"] as const

  it.prop("is the same", [wellFormedEvents({ kinds, origin: protocol })], ([events]) => {
    const { text: rendered, notices } = render(events)
    const decoded = decodeStream(anthropicMessages, [Buffer.from(rendered)])
    expect(decoded.error).toBeUndefined()
    expect(normalisedEvents(decoded.events)).toEqual(expressible(events))
    const filtered = events.some((event) => event._tag === "Finish" && event.reason === "content-filter")
    expect(notices.map(({ message }) => message.split(":")[0])).toEqual(
      filtered ? ["the finish reason content-filter is refusal"] : []
    )
  })

  it.prop("is the same as a whole answer", [wellFormedEvents({ kinds, origin: protocol })], ([events]) => {
    const response = foldEvents(expressible(events))
    const body = anthropicMessagesDialect.renderWhole(response, contextOf(), [])
    const again: Array<LlmEvent> = []
    expect(anthropicMessages.decodeWhole(body, again)).toBeUndefined()
    const ids = (value: unknown) => JSON.stringify(value).replaceAll(/"block[- ]\d+"/g, "")
    const { finish: _, ...choice } = foldEvents(again).choices[0] ?? { index: 0, parts: [] }
    expect(ids(choice.parts)).toBe(ids(response.choices[0]?.parts))
    expect(foldEvents(again).usage).toEqual(response.usage)
  })

  const foreign = ["text", "refusal", "reasoning", "signed", "redacted", "tool", "source"] as const

  it.prop(
    "holds all that another format said, in its order",
    [wellFormedEvents({ kinds: foreign, choices: true, origin: "gemini" })],
    ([events]) => {
      const mine = events.filter((event) => !("choice" in event) || event.choice === undefined)
      const decoded = decodeStream(anthropicMessages, [Buffer.from(render(interleaved(events)).text)])
      const gist = (of: ReadonlyArray<LlmEvent>) => {
        const parts = foldEvents(of).choices[0]?.parts ?? []
        return {
          // A refusal is text here.
          text: parts.map((part) => (part._tag === "Text" || part._tag === "Refusal" ? part.text : "")).join(""),
          reasoning: parts.flatMap((part) => (part._tag === "Reasoning" ? [[part.text, proofOf(part)]] : [])),
          tools: parts.flatMap((part) => (part._tag === "ToolCall" ? [[part.id, part.name, part.arguments]] : [])),
          sources: of.flatMap((event) => (event._tag === "Source" ? [event.url] : []))
        }
      }
      expect(gist(decoded.events)).toEqual(gist(mine))
    }
  )

  /** What proves the reasoning, taken out of its seal where it is in one. */
  const proofOf = ({ signature, redacted, origin }: Proof): Proof => {
    const sealed = signature ?? redacted
    return sealed !== undefined && isSealed(sealed)
      ? unsealed(sealed)
      : (JSON.parse(JSON.stringify({ signature, redacted, origin })) as Proof)
  }

  /** The same blocks, each ended only after the next tool input or reasoning has begun: as parallel calls may come. */
  const interleaved = (events: ReadonlyArray<LlmEvent>): ReadonlyArray<LlmEvent> => {
    const moved: Array<LlmEvent> = []
    let late: Array<LlmEvent> = []
    for (const event of events) {
      const ends = event._tag === "ToolInputEnd" || event._tag === "ToolCall" || event._tag === "ToolInputDelta"
      if (ends && event.choice === undefined) {
        late.push(event)
        continue
      }
      moved.push(...(event._tag === "Finish" ? late : []), event)
      if (event._tag === "ToolInputStart" || event._tag === "ReasoningStart") {
        moved.push(...late)
        late = []
      }
    }
    return moved
  }
})
