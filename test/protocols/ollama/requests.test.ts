import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest, Message, Part } from "../../../src/domain/LlmRequest.ts"
import { ollama } from "../../../src/protocols/ollama/outbound.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"

const context: EncodeContext = { model: "qwen3", delivery: "stream", quirks: {}, origin: undefined }

const text = (value: string): Part => ({ _tag: "Text", text: value })
const user = (...parts: ReadonlyArray<Part>): Message => ({ role: "user", parts })
const asking = (more: Partial<LlmRequest> = {}): LlmRequest => ({
  model: "smart",
  messages: [user(text("Hi"))],
  sampling: {},
  ...more
})

const encode = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(ollama.encode(request, { ...context, ...more }))
const bodyOf = (more: Partial<LlmRequest>, target: Partial<EncodeContext> = {}) => encode(asking(more), target).body
const messagesOf = (...messages: ReadonlyArray<Message>) => bodyOf({ messages })["messages"]
const noticesOf = (more: Partial<LlmRequest>, target: Partial<EncodeContext> = {}) =>
  encode(asking(more), target).notices.map(({ code, message }) => `${code} ${message}`)

describe("a request", () => {
  it("says in which way the answer is to come, because a stream is the default", () => {
    const body = { model: "qwen3", messages: [{ role: "user", content: "Hi" }], options: {} }
    expect(encode(asking())).toEqual({ path: "/api/chat", headers: {}, body: { ...body, stream: true }, notices: [] })
    expect(encode(asking(), { delivery: "whole" }).body).toEqual({ ...body, stream: false })
  })

  it("draws tokens by options, and the caller's own options and fields win", () => {
    const sampling = {
      maxOutputTokens: 10,
      temperature: 0,
      topP: 0.9,
      topK: 5,
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      stopSequences: ["END"],
      logprobs: true,
      topLogprobs: 3
    }
    const extensions = { ollama: { options: { num_ctx: 8192, seed: 8 }, keep_alive: "10m", think: "max" } }
    expect(bodyOf({ sampling, extensions })).toMatchObject({
      options: {
        num_predict: 10,
        temperature: 0,
        top_p: 0.9,
        top_k: 5,
        seed: 8,
        frequency_penalty: 0.1,
        presence_penalty: 0.2,
        stop: ["END"],
        num_ctx: 8192
      },
      logprobs: true,
      top_logprobs: 3,
      keep_alive: "10m",
      think: "max"
    })
  })

  it("asks for JSON, or for JSON of a schema", () => {
    expect(bodyOf({ responseFormat: { _tag: "Json" } })["format"]).toBe("json")
    const schema = { type: "object" }
    expect(bodyOf({ responseFormat: { _tag: "JsonSchema", name: "n", schema } })["format"]).toEqual(schema)
    expect(bodyOf({ responseFormat: { _tag: "Text" } })).not.toHaveProperty("format")
  })

  it("says what it had to leave out", () => {
    expect(
      noticesOf({
        sampling: { choices: 2 },
        serviceTier: "flex",
        user: "u",
        metadata: { a: 1 },
        extensions: { "openai-chat": { logit_bias: {} } }
      })
    ).toEqual([
      "dropped logit_bias: the Ollama API has no counterpart",
      "dropped service_tier: the Ollama API has no counterpart",
      "dropped user: the Ollama API has no counterpart",
      "dropped metadata: the Ollama API has no counterpart",
      "dropped n: the Ollama API has no counterpart"
    ])
  })
})

describe("thinking", () => {
  it.each([
    [{ mode: "disabled" }, false],
    [{ effort: "none" }, false],
    [{ mode: "enabled" }, true],
    [{ mode: "adaptive" }, true],
    [{ budgetTokens: 100 }, true],
    [{ effort: "high" }, true],
    [{}, undefined]
  ] as const)("%j is %s", (reasoning, think) => expect(bodyOf({ reasoning })["think"]).toBe(think))

  it.each([
    ["minimal", "low"],
    ["high", "high"],
    ["max", "high"],
    ["not invented yet", true]
  ])("as much as %s is %s for a model that takes levels", (effort, think) =>
    expect(bodyOf({ reasoning: { effort } }, { model: "gpt-oss:20b" })["think"]).toBe(think)
  )

  it("says what of it is not asked for", () => {
    expect(noticesOf({ reasoning: { effort: "high" } })).toEqual([
      "changed reasoning effort high: qwen3 is only told to think"
    ])
    expect(noticesOf({ reasoning: { budgetTokens: 9, summary: "auto" } })).toEqual([
      "dropped a summary of reasoning: the Ollama API has no counterpart",
      "dropped a reasoning budget: the Ollama API has no counterpart"
    ])
    expect(noticesOf({ reasoning: { effort: "low" } }, { model: "gpt-oss" })).toEqual([])
  })
})

describe("tools", () => {
  const add = { _tag: "Function", name: "add", description: "Adds.", inputSchema: { type: "object" } } as const
  const bare = { _tag: "Function", name: "bare" } as const

  it("are functions", () => {
    expect(bodyOf({ tools: [add, bare] })["tools"]).toEqual([
      { type: "function", function: { name: "add", description: "Adds.", parameters: { type: "object" } } },
      { type: "function", function: { name: "bare", parameters: { type: "object", properties: {} } } }
    ])
  })

  it("cannot be chosen: offering less says some of it", () => {
    const tools = [add, bare]
    expect(bodyOf({ tools, toolChoice: { _tag: "None" } })).not.toHaveProperty("tools")
    expect(bodyOf({ tools, toolChoice: { _tag: "Tool", name: "bare" } })["tools"]).toMatchObject([
      { function: { name: "bare" } }
    ])
    expect(noticesOf({ tools, toolChoice: { _tag: "None" } })).toHaveLength(1)
    expect(noticesOf({ tools, toolChoice: { _tag: "Tool", name: "bare" } })).toHaveLength(1)
    expect(noticesOf({ tools, toolChoice: { _tag: "Required" }, parallelToolCalls: false })).toEqual([
      "dropped parallel_tool_calls: the Ollama API has no counterpart",
      "dropped tool_choice required: the Ollama API has no counterpart"
    ])
    expect(noticesOf({ tools, toolChoice: { _tag: "Auto" } })).toEqual([])
  })

  it("of another provider are left out, and strictness is", () => {
    const search = { _tag: "Provider", protocol: "gemini", name: "google_search", value: {} } as const
    expect(noticesOf({ tools: [search, { ...bare, strict: true }] })).toEqual([
      "dropped the tool google_search: only gemini runs it",
      "dropped strict of a tool: the Ollama API has no counterpart"
    ])
  })
})

describe("messages", () => {
  it("have one text and their images", () => {
    const image: Part = {
      _tag: "Media",
      kind: "image",
      mediaType: "image/png",
      source: { _tag: "Base64", data: "AAAA" }
    }
    expect(
      messagesOf(
        { role: "system", parts: [text("Be"), text("brief.")] },
        { role: "developer", parts: [text("Now.")] },
        user(text("Look"), image)
      )
    ).toEqual([
      { role: "system", content: "Be\nbrief." },
      { role: "system", content: "Now." },
      { role: "user", content: "Look", images: ["AAAA"] }
    ])
  })

  it.each([
    [{ kind: "image", source: { _tag: "Url", url: "https://example.com/a.png" } }, "images that are not sent along"],
    [{ kind: "image", source: { _tag: "FileId", id: "f" } }, "images that are not sent along"],
    [{ kind: "audio", source: { _tag: "Base64", data: "A" } }, "audio input"],
    [{ kind: "file", source: { _tag: "Base64", data: "A" } }, "files"]
  ] as const)("cannot hold %j", (media, feature) => {
    const result = ollama.encode(asking({ messages: [user({ _tag: "Media", ...media })] }), context)
    expect(Result.getOrThrow(Result.flip(result)).reason).toEqual({ _tag: "Unsupported", feature })
  })

  it("of the model hold its thinking and its calls, and answers of tools name the tool", () => {
    expect(
      messagesOf(
        user(text("2+3?")),
        {
          role: "assistant",
          parts: [
            { _tag: "Reasoning", text: "Hm." },
            text("I "),
            text("add."),
            { _tag: "ToolCall", id: "c1", name: "add", arguments: '{"a":2}' },
            { _tag: "ToolCall", id: "c2", name: "now", arguments: "" }
          ]
        },
        {
          role: "tool",
          parts: [
            { _tag: "ToolResult", callId: "c1", content: [{ _tag: "Text", text: "5" }] },
            { _tag: "ToolResult", callId: "c2", name: "clock", content: [] }
          ]
        }
      )
    ).toEqual([
      { role: "user", content: "2+3?" },
      {
        role: "assistant",
        content: "I add.",
        thinking: "Hm.",
        tool_calls: [
          { id: "c1", function: { name: "add", arguments: { a: 2 } } },
          { id: "c2", function: { name: "now", arguments: {} } }
        ]
      },
      { role: "tool", content: "5", tool_name: "add", tool_call_id: "c1" },
      { role: "tool", content: "", tool_name: "clock", tool_call_id: "c2" }
    ])
  })

  it("say what of them is left out", () => {
    const notices = noticesOf({
      messages: [
        { role: "user", name: "Ada", parts: [{ _tag: "Text", text: "Hi", cache: {} }] },
        {
          role: "assistant",
          parts: [
            { _tag: "Reasoning", text: "", redacted: "e", origin: "anthropic-messages" },
            { _tag: "ToolCall", id: "c", name: "f", arguments: '{"cut' },
            { _tag: "Opaque", protocol: "gemini", value: {} }
          ]
        },
        { role: "tool", parts: [{ _tag: "ToolResult", callId: "c", isError: true, content: [] }] }
      ]
    })
    expect(notices).toEqual([
      "dropped the name of a message: the Ollama API has no counterpart",
      "dropped a cache marker: the Ollama API caches prompts by itself or not at all",
      "dropped encrypted reasoning of an earlier turn: the Ollama API has no counterpart",
      'emulated the arguments of f are no JSON object: they stand in "arguments"',
      "dropped a block of gemini: the Ollama API has no counterpart",
      "emulated the failure of a tool is said in the text of its result"
    ])
  })
})
