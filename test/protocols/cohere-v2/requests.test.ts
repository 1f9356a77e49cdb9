import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest, Message, Part } from "../../../src/domain/LlmRequest.ts"
import { cohereV2 } from "../../../src/protocols/cohere-v2/outbound.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"

const context: EncodeContext = { model: "command-a", delivery: "stream", quirks: {}, origin: undefined }

const text = (value: string): Part => ({ _tag: "Text", text: value })
const user = (...parts: ReadonlyArray<Part>): Message => ({ role: "user", parts })
const asking = (more: Partial<LlmRequest> = {}): LlmRequest => ({
  model: "smart",
  messages: [user(text("Hi"))],
  sampling: {},
  ...more
})

const encode = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(cohereV2.encode(request, { ...context, ...more }))
const bodyOf = (more: Partial<LlmRequest>) => encode(asking(more)).body
const messagesOf = (...messages: ReadonlyArray<Message>) => bodyOf({ messages })["messages"]
const noticesOf = (more: Partial<LlmRequest>) =>
  encode(asking(more)).notices.map(({ code, message }) => `${code} ${message}`)

describe("a request", () => {
  it("is small where little is asked", () => {
    const body = { model: "command-a", messages: [{ role: "user", content: "Hi" }] }
    expect(encode(asking())).toEqual({ path: "/v2/chat", headers: {}, body: { ...body, stream: true }, notices: [] })
    expect(encode(asking(), { delivery: "whole" }).body).toEqual({ ...body, stream: false })
  })

  it("names its settings in its own way", () => {
    const sampling = {
      maxOutputTokens: 10,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      stopSequences: ["END"],
      logprobs: true
    }
    const documents = [{ id: "1", data: { text: "facts" } }]
    const extensions = { "cohere-v2": { documents, safety_mode: "STRICT" } }
    const { body, notices } = encode(asking({ sampling, extensions }))
    expect(body).toMatchObject({
      max_tokens: 10,
      temperature: 0.5,
      p: 0.9,
      k: 5,
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      stop_sequences: ["END"],
      logprobs: true,
      documents,
      safety_mode: "STRICT"
    })
    expect(notices).toEqual([])
  })

  it("keeps to what the API accepts, and says so", () => {
    const sampling = { topP: 1, frequencyPenalty: -2, topK: 900, stopSequences: ["a", "b", "c", "d", "e", "f"] }
    expect(bodyOf({ sampling })).toMatchObject({
      p: 0.99,
      frequency_penalty: 0,
      k: 500,
      stop_sequences: ["a", "b", "c", "d", "e"]
    })
    expect(noticesOf({ sampling })).toEqual([
      "dropped a stop sequence: the Cohere API takes 5 of them",
      "changed top_p 1 is 0.99: the Cohere API goes from 0.01 to 0.99",
      "changed top_k 900 is 500: the Cohere API goes from 0 to 500",
      "changed frequency_penalty -2 is 0: the Cohere API goes from 0 to 1"
    ])
  })

  it("asks for JSON, or for JSON of a schema", () => {
    expect(bodyOf({ responseFormat: { _tag: "Json" } })["response_format"]).toEqual({ type: "json_object" })
    const schema = { type: "object" }
    expect(bodyOf({ responseFormat: { _tag: "JsonSchema", name: "n", schema } })["response_format"]).toEqual({
      type: "json_object",
      json_schema: schema
    })
    expect(bodyOf({ responseFormat: { _tag: "Text" } })).not.toHaveProperty("response_format")
  })

  it.each([
    [{ mode: "disabled" }, { type: "disabled" }],
    [{ effort: "none" }, { type: "disabled" }],
    [{ mode: "adaptive" }, { type: "enabled" }],
    [{ budgetTokens: 100 }, { type: "enabled", token_budget: 100 }],
    [{ effort: "medium" }, { type: "enabled", token_budget: 4096 }],
    [{ effort: "max" }, { type: "enabled" }],
    [{}, undefined]
  ] as const)("thinks %j as %j", (reasoning, thinking) => expect(bodyOf({ reasoning })["thinking"]).toEqual(thinking))

  it("says what it had to leave out", () => {
    expect(
      noticesOf({
        sampling: { choices: 2, topLogprobs: 3 },
        serviceTier: "flex",
        user: "u",
        metadata: { a: 1 },
        reasoning: { summary: "auto" },
        extensions: { "openai-chat": { logit_bias: {} } }
      })
    ).toEqual([
      "dropped logit_bias: the Cohere API has no counterpart",
      "dropped service_tier: the Cohere API has no counterpart",
      "dropped user: the Cohere API has no counterpart",
      "dropped metadata: the Cohere API has no counterpart",
      "dropped n: the Cohere API has no counterpart",
      "dropped top_logprobs: the Cohere API has no counterpart",
      "dropped a summary of reasoning: the Cohere API has no counterpart"
    ])
  })
})

describe("tools", () => {
  const add = { _tag: "Function", name: "add", description: "Adds.", inputSchema: { type: "object" } } as const
  const bare = { _tag: "Function", name: "bare" } as const
  const tools = [add, bare]

  it("are functions", () => {
    expect(bodyOf({ tools })["tools"]).toEqual([
      { type: "function", function: { name: "add", description: "Adds.", parameters: { type: "object" } } },
      { type: "function", function: { name: "bare", parameters: { type: "object", properties: {} } } }
    ])
    expect(bodyOf({ tools, toolChoice: { _tag: "Auto" } })).not.toHaveProperty("tool_choice")
  })

  it("may be required or forbidden, and one of them is the only one offered", () => {
    expect(bodyOf({ tools, toolChoice: { _tag: "Required" } })["tool_choice"]).toBe("REQUIRED")
    expect(bodyOf({ tools, toolChoice: { _tag: "None" } })["tool_choice"]).toBe("NONE")
    const one = { tools, toolChoice: { _tag: "Tool", name: "bare" } } as const
    expect(bodyOf(one)).toMatchObject({ tool_choice: "REQUIRED", tools: [{ function: { name: "bare" } }] })
    expect(noticesOf(one)).toEqual(["emulated tool_choice bare: no other tool is offered"])
  })

  it("are strict all or none", () => {
    expect(bodyOf({ tools: [{ ...add, strict: true }] })["strict_tools"]).toBe(true)
    expect(noticesOf({ tools: [{ ...add, strict: true }, bare], parallelToolCalls: false })).toEqual([
      "dropped parallel_tool_calls: the Cohere API has no counterpart",
      "dropped strict of a tool: it is for all tools or none"
    ])
  })

  it("of another provider are left out", () => {
    const search = { _tag: "Provider", protocol: "gemini", name: "google_search", value: {} } as const
    expect(noticesOf({ tools: [search] })).toEqual(["dropped the tool google_search: only gemini runs it"])
  })
})

describe("messages", () => {
  it("hold texts and images", () => {
    const image = (source: Extract<Part, { _tag: "Media" }>["source"]): Part => ({
      _tag: "Media",
      kind: "image",
      mediaType: "image/jpeg",
      source,
      detail: "low"
    })
    expect(
      messagesOf(
        { role: "developer", parts: [text("Be brief.")] },
        user(
          text("Look"),
          image({ _tag: "Base64", data: "AAAA" }),
          image({ _tag: "Url", url: "https://example.com/a.png" })
        )
      )
    ).toEqual([
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "text", text: "Look" },
          { type: "image_url", image_url: { url: "data:image/jpeg;base64,AAAA", detail: "low" } },
          { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } }
        ]
      }
    ])
  })

  it("are told how closely to look at an image in words that the API knows", () => {
    const source = { _tag: "Url", url: "https://example.com/a.png" } as const
    const request = asking({ messages: [user({ _tag: "Media", kind: "image", source, detail: "original" })] })
    const { body, notices } = Result.getOrThrow(cohereV2.encode(request, context))
    expect(body["messages"]).toEqual([
      { role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] }
    ])
    expect(notices).toMatchObject([{ code: "dropped", message: expect.stringMatching(/^the detail original/) }])
  })

  it.each([
    [{ kind: "image", source: { _tag: "FileId", id: "f" } }, "a file that is stored with another provider"],
    [{ kind: "audio", source: { _tag: "Base64", data: "A" } }, "audio input"],
    [{ kind: "file", source: { _tag: "Base64", data: "A" } }, "files"]
  ] as const)("cannot hold %j", (media, feature) => {
    const result = cohereV2.encode(asking({ messages: [user({ _tag: "Media", ...media })] }), context)
    expect(Result.getOrThrow(Result.flip(result)).reason).toEqual({ _tag: "Unsupported", feature })
  })

  it("of the model hold its plan and its calls, and every answer of a tool is one", () => {
    const document = { type: "document", document: { data: { temperature: 20 } } }
    expect(
      messagesOf(
        {
          role: "assistant",
          parts: [
            { _tag: "Reasoning", text: "I add." },
            text("So:"),
            { _tag: "ToolCall", id: "c1", name: "add", arguments: '{"a":2}' },
            { _tag: "ToolCall", id: "c2", name: "now", arguments: "" }
          ]
        },
        {
          role: "tool",
          parts: [
            { _tag: "ToolResult", callId: "c1", content: [{ _tag: "Text", text: "5" }] },
            { _tag: "ToolResult", callId: "c2", content: [{ _tag: "Opaque", protocol: "cohere-v2", value: document }] }
          ]
        }
      )
    ).toEqual([
      {
        role: "assistant",
        tool_plan: "I add.\nSo:",
        tool_calls: [
          { id: "c1", type: "function", function: { name: "add", arguments: '{"a":2}' } },
          { id: "c2", type: "function", function: { name: "now", arguments: "{}" } }
        ]
      },
      { role: "tool", tool_call_id: "c1", content: "5" },
      { role: "tool", tool_call_id: "c2", content: [document] }
    ])
  })

  it("follow the answers of tools with the pictures in them", () => {
    const picture = {
      _tag: "Media",
      kind: "image",
      mediaType: "image/png",
      source: { _tag: "Base64", data: "AAAA" }
    } as const
    const shown = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }
    const result = (callId: string, content: Extract<Part, { _tag: "ToolResult" }>["content"]): Message => ({
      role: "tool",
      parts: [{ _tag: "ToolResult", callId, content }]
    })
    const messages: ReadonlyArray<Message> = [
      result("c1", [picture]),
      result("c2", [{ _tag: "Text", text: "5" }, picture]),
      user(text("Well?"))
    ]
    expect(messagesOf(...messages)).toEqual([
      { role: "tool", tool_call_id: "c1", content: "It follows." },
      { role: "tool", tool_call_id: "c2", content: "5" },
      {
        role: "user",
        content: [
          { type: "text", text: "The result of the tool call c1 contains:" },
          shown,
          { type: "text", text: "The result of the tool call c2 contains:" },
          shown
        ]
      },
      { role: "user", content: "Well?" }
    ])
    expect(noticesOf({ messages })).toEqual([expect.stringMatching(/media in the result of a tool/)])
  })

  it("of the model hold its thinking where it called nothing", () => {
    const parts: ReadonlyArray<Part> = [
      { _tag: "Reasoning", text: "Hm", signature: "s", origin: "anthropic-messages" },
      text("Yes.")
    ]
    expect(messagesOf({ role: "assistant", parts })).toEqual([
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Hm" },
          { type: "text", text: "Yes." }
        ]
      }
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
            { _tag: "Opaque", protocol: "gemini", value: {} }
          ]
        },
        { role: "tool", parts: [{ _tag: "ToolResult", callId: "c", isError: true, content: [] }] }
      ]
    })
    expect(notices).toEqual([
      "dropped the name of a message: the Cohere API has no counterpart",
      "dropped a cache marker: the Cohere API caches prompts by itself or not at all",
      "dropped encrypted reasoning of an earlier turn: the Cohere API has no counterpart",
      "dropped a block of gemini: the Cohere API has no counterpart",
      "emulated the failure of a tool is said in the text of its result"
    ])
  })
})
