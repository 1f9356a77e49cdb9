import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { Part } from "../../../src/domain/LlmRequest.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { cutAt, decodeStream, type Decoded } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

type Fields = { readonly [key: string]: unknown }

const head = { id: "c1", object: "chat.completion.chunk", created: 1_800_000_000, model: "m" }

const chunk = (delta: Fields, finish: string | null = null, more: Fields = {}): string =>
  JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: finish }], ...more })

const frame = (data: string): string => `data: ${data}\n\n`
const done = frame("[DONE]")

/** A body however its bytes are cut. */
const decode = (body: string): Decoded => {
  const bytes = Buffer.from(body)
  const decoded = decodeStream(openAiChat, [bytes])
  for (let offset = 1; offset < bytes.length; offset++) {
    expect(decodeStream(openAiChat, cutAt(bytes, [offset])).events).toEqual(decoded.events)
  }
  return decoded
}

const answerTo = (body: string) => {
  const { events, error } = decode(body)
  expect(error).toBeUndefined()
  expect(grammarFaults(events)).toEqual([])
  return foldEvents(events)
}

const hello = {
  parts: [{ _tag: "Text", text: "Hello" }],
  finish: { reason: "stop", rawReason: "stop" }
}

describe("the framing of a chat stream", () => {
  const body = frame(chunk({ role: "assistant", content: "Hel" })) + frame(chunk({ content: "lo" }, "stop")) + done

  it("may end its lines with CRLF, and need no terminator", () => {
    const crlf = body.replace(done, "").replaceAll("\n", "\r\n")
    expect(answerTo(crlf).choices).toMatchObject([hello])
  })

  it("may have comments that keep it alive, before its first chunk and between the others", () => {
    const comment = ": OPENROUTER PROCESSING\n\n"
    const alive = comment + comment + body.replaceAll("\n\n", `\n\n${comment}`)
    expect(answerTo(alive).choices).toMatchObject([hello])
  })

  it("may begin with blank lines", () => {
    expect(answerTo(`\n\n\n${body}`).choices).toMatchObject([hello])
  })

  it("may lack the blank line after its last frame", () => {
    expect(answerTo(body.trimEnd()).choices).toMatchObject([hello])
    expect(answerTo(body.replace(done, "").trimEnd()).choices).toMatchObject([hello])
  })
})

describe("the end of a chat stream", () => {
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

  it("may be said twice, the second time with the usage", () => {
    const body =
      frame(chunk({ content: "Hello" })) +
      frame(chunk({ content: "" }, "stop")) +
      frame(chunk({ role: "assistant", content: "" }, "stop", { usage })) +
      done
    const { choices, usage: counted } = answerTo(body)
    expect(choices).toMatchObject([hello])
    expect(counted).toEqual({ inputTokens: 3, outputTokens: 2, source: "provider" })
  })

  it("may never be said after a call", () => {
    const call = { index: 0, id: "x", type: "function", function: { name: "f", arguments: "{}" } }
    expect(answerTo(frame(chunk({ tool_calls: [call] })) + done).choices).toMatchObject([
      { parts: [{ id: "x", name: "f", arguments: "{}", valid: true }], finish: { reason: "tool-calls" } }
    ])
  })

  it("says that there were calls where the limit cut one, which is not valid", () => {
    const call = { index: 0, id: "x", type: "function", function: { name: "f", arguments: '{"city":"Par' } }
    const [choice] = answerTo(frame(chunk({ tool_calls: [call] })) + frame(chunk({}, "tool_calls")) + done).choices
    expect(choice?.parts).toMatchObject([{ _tag: "ToolCall", arguments: '{"city":"Par', valid: false }])
    expect(choice?.finish?.rawReason).toBe("tool_calls")
  })

  it("is not said where nothing was said before the terminator", () => {
    expect(decode(done).error).toMatchObject({ reason: { _tag: "IncompleteStream" } })
  })

  it("may be a document that is an error as a whole", () => {
    const failed = { object: "error", message: "the engine died", type: "InternalServerError", code: 500 }
    const begun = decode(frame(chunk({ content: "Hel" })) + frame(JSON.stringify(failed)))
    expect(begun.error).toMatchObject({ message: "the engine died" })
    expect(openAiChat.decodeWhole(failed, [])).toMatchObject({ message: "the engine died" })
  })

  it("is an error that says what the model wrote instead of a call, and nothing after it", () => {
    const error = {
      message: "Failed to call a function",
      type: "invalid_request_error",
      code: "tool_use_failed",
      failed_generation: "<function=f>"
    }
    const failed = `event: error\n${frame(JSON.stringify({ error }))}`
    const decoded = decode(frame(chunk({ role: "assistant", content: "" })) + failed)
    expect(decoded.error).toMatchObject({ message: error.message, fault: { code: error.code, raw: failed } })
    expect(grammarFaults(decoded.events, { complete: false })).toEqual([])
  })
})

describe("the pieces of a chat stream", () => {
  it("may have their usage beside the finish reason", () => {
    const choice = { index: 0, delta: {}, finish_reason: "stop", usage: { prompt_tokens: 3, completion_tokens: 2 } }
    const last = JSON.stringify({ id: "x", object: "chat.completion.chunk", choices: [choice] })
    const { choices, usage } = answerTo(frame(chunk({ content: "Hello" })) + frame(last) + done)
    expect(choices).toMatchObject([hello])
    expect(usage).toEqual({ inputTokens: 3, outputTokens: 2, source: "provider" })
  })

  it("may be calls without ids, which get some that no other answer of the conversation has", () => {
    const call = (answer: string) => {
      const choice = { index: 0, delta: { tool_calls: [{ index: 0, function: { name: "f", arguments: "{}" } }] } }
      const [first] = answerTo(frame(JSON.stringify({ id: answer, choices: [choice] })) + done).choices
      return first?.parts[0]
    }
    expect(call("chatcmpl-1.a")).toMatchObject({ _tag: "ToolCall", id: "call_chatcmpl-1a_0" })
    expect(call("chatcmpl-2")).toMatchObject({ _tag: "ToolCall", id: "call_chatcmpl-2_0" })
  })

  it("may cite sources of a text that has ended", () => {
    const call = { index: 0, id: "x", type: "function", function: { name: "f", arguments: "{}" } }
    const cited = { type: "url_citation", url_citation: { url: "https://example.com", start_index: 0, end_index: 5 } }
    const body =
      frame(chunk({ content: "Hello" })) +
      frame(chunk({ tool_calls: [call] })) +
      frame(chunk({ annotations: [cited] })) +
      frame(chunk({}, "tool_calls")) +
      done
    const sources = [{ url: "https://example.com", start: 0, end: 5 }]
    expect(answerTo(body).choices[0]?.parts).toMatchObject([{ _tag: "Text", sources }, { _tag: "ToolCall" }])
  })

  it("may be no text beside calls, empty again and again, or nothing at all", () => {
    const call = { index: 0, id: "x", type: "function", function: { name: "f", arguments: "{}" } }
    const body =
      frame(chunk({})) +
      frame(chunk({ content: "" })) +
      frame(chunk({ content: "" })) +
      frame(chunk({ content: null, tool_calls: [call] })) +
      frame(chunk({}, "tool_calls")) +
      done
    expect(decode(body).events.some(({ _tag }) => _tag.startsWith("Text"))).toBe(false)
    expect(answerTo(body).choices[0]?.parts).toMatchObject([{ _tag: "ToolCall", id: "x", arguments: "{}" }])
  })

  it.each(["with what follows", "after it"])("may be thoughts with one proof of all of them, %s", (where) => {
    const late = where === "after it"
    const body =
      frame(chunk({ role: "assistant", reasoning_text: "Sev" })) +
      frame(chunk({ reasoning_text: "en?" })) +
      frame(chunk({ content: "Hello", ...(late ? {} : { reasoning_opaque: "proof" }) })) +
      (late ? frame(chunk({ reasoning_opaque: "proof" })) : "") +
      frame(chunk({}, "stop")) +
      done
    const parts = answerTo(body).choices[0]?.parts ?? []
    expect(parts.slice(0, 2)).toMatchObject([{ _tag: "Reasoning", text: "Seven?" }, hello.parts[0]])
    // The next turn gives both back where they were.
    const encoded = openAiChat.encode(
      { model: "m", sampling: {}, messages: [{ role: "assistant", parts: parts as ReadonlyArray<Part> }] },
      { model: "m", delivery: "whole", quirks: {}, origin: undefined }
    )
    expect(Result.getOrThrow(encoded).body["messages"]).toEqual([
      { role: "assistant", content: "Hello", reasoning_text: "Seven?", reasoning_opaque: "proof" }
    ])
  })

  it.each([
    ["sensitive", "content-filter"],
    ["network_error", "error"],
    ["model_context_window_exceeded", "length"]
  ])("may end with a word of their vendor's own: %s", (word, reason) => {
    const body = frame(chunk({ content: "Hello" })) + frame(chunk({}, word)) + done
    expect(answerTo(body).choices).toMatchObject([{ finish: { reason, rawReason: word } }])
  })

  it.each([
    ["on every chunk", { role: "assistant" }],
    ["never", {}]
  ])("name the role %s", (_, role) => {
    const body =
      frame(chunk({ ...role, content: "Hel" })) +
      frame(chunk({ ...role, content: "lo" })) +
      frame(chunk({ ...role, content: "" }, "stop")) +
      done
    expect(answerTo(body).choices).toMatchObject([hello])
  })
})
