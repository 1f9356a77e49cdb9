import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest, Message, Part } from "../../../src/domain/LlmRequest.ts"
import { geminiInteractions } from "../../../src/protocols/gemini-interactions/outbound.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"

const context: EncodeContext = { model: "gemini-3", delivery: "stream", quirks: {}, origin: undefined }

const text = (value: string): Part => ({ _tag: "Text", text: value })
const user = (...parts: ReadonlyArray<Part>): Message => ({ role: "user", parts })
const asking = (more: Partial<LlmRequest> = {}): LlmRequest => ({
  model: "smart",
  messages: [user(text("Hi"))],
  sampling: {},
  ...more
})
const said = (value: string) => ({ type: "text", text: value })

const encode = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(geminiInteractions.encode(request, { ...context, ...more }))
const bodyOf = (more: Partial<LlmRequest>) => encode(asking(more)).body
const inputOf = (...messages: ReadonlyArray<Message>) => bodyOf({ messages })["input"]
const noticesOf = (more: Partial<LlmRequest>) =>
  encode(asking(more)).notices.map(({ code, message }) => `${code} ${message}`)

describe("a request", () => {
  it("is small where little is asked, and nothing of it is to be kept", () => {
    const body = { model: "gemini-3", input: [{ type: "user_input", content: [said("Hi")] }], store: false }
    expect(encode(asking())).toEqual({
      path: "/v1beta/interactions",
      headers: {},
      body: { ...body, stream: true },
      notices: []
    })
    expect(encode(asking(), { delivery: "whole" }).body).toEqual({ ...body, stream: false })
  })

  it("names its settings in its own way, and the caller's own fields win", () => {
    const sampling = { maxOutputTokens: 10, temperature: 0.5, topP: 0.9, topK: 5, seed: 7, stopSequences: ["END"] }
    const own = { generation_config: { seed: 8, image_config: {} }, previous_interaction_id: "v1_1", store: true }
    const { body, notices } = encode(
      asking({ sampling, serviceTier: "default", extensions: { "gemini-interactions": own } })
    )
    expect(body).toMatchObject({
      generation_config: {
        max_output_tokens: 10,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 5,
        seed: 8,
        stop_sequences: ["END"],
        image_config: {}
      },
      service_tier: "standard",
      previous_interaction_id: "v1_1",
      store: true
    })
    expect(notices).toEqual([])
  })

  it("has a seed of 32 bits", () => {
    const sampling = { seed: 2 ** 32 + 5 }
    expect(bodyOf({ sampling })["generation_config"]).toEqual({ seed: 5 })
    expect(noticesOf({ sampling })).toEqual([expect.stringContaining("4294967301")])
  })

  it("asks for JSON, or for JSON of a schema", () => {
    const json = { type: "text", mime_type: "application/json" }
    expect(bodyOf({ responseFormat: { _tag: "Json" } })["response_format"]).toEqual([json])
    const schema = { type: "object" }
    expect(bodyOf({ responseFormat: { _tag: "JsonSchema", name: "n", schema } })["response_format"]).toEqual([
      { ...json, schema }
    ])
    expect(bodyOf({ responseFormat: { _tag: "Text" } })).not.toHaveProperty("response_format")
  })

  it.each([
    [{ effort: "high" }, { thinking_level: "high", thinking_summaries: "auto" }, 0],
    [{ effort: "max" }, { thinking_level: "high", thinking_summaries: "auto" }, 1],
    [{ budgetTokens: 4096, summary: "none" }, { thinking_level: "medium", thinking_summaries: "none" }, 1],
    [{ mode: "adaptive" }, { thinking_summaries: "auto" }, 0],
    [{ mode: "disabled" }, { thinking_level: "low", thinking_summaries: "none" }, 1],
    [{ effort: "none" }, { thinking_level: "low", thinking_summaries: "none" }, 1],
    [{ effort: "minimal" }, { thinking_level: "low", thinking_summaries: "auto" }, 1],
    [{}, undefined, 0]
  ] as const)("thinks %j as %j", (reasoning, config, notices) => {
    expect(bodyOf({ reasoning })["generation_config"]).toEqual(config)
    expect(noticesOf({ reasoning })).toHaveLength(notices)
  })

  it("says what it had to leave out", () => {
    expect(
      noticesOf({
        sampling: { choices: 2, logprobs: true, topLogprobs: 3, frequencyPenalty: 1, presencePenalty: 1 },
        serviceTier: "batch",
        user: "u",
        metadata: { a: 1 },
        extensions: { gemini: { safetySettings: [] } }
      })
    ).toEqual(
      [
        "safetySettings",
        "user",
        "metadata",
        "n",
        "frequency_penalty",
        "presence_penalty",
        "logprobs",
        "top_logprobs",
        "service_tier batch"
      ].map((field) => `dropped ${field}: the Interactions API has no counterpart`)
    )
  })
})

describe("tools", () => {
  const add = { _tag: "Function", name: "add", description: "Adds.", inputSchema: { type: "object" } } as const
  const search = {
    _tag: "Provider",
    protocol: "gemini-interactions",
    name: "google_search",
    value: { type: "google_search" }
  } as const
  const tools = [add, search]
  const choiceOf = (toolChoice: NonNullable<LlmRequest["toolChoice"]>) =>
    (bodyOf({ tools, toolChoice })["generation_config"] as { readonly tool_choice?: unknown } | undefined)?.tool_choice

  it("are functions, and the provider's own", () =>
    expect(bodyOf({ tools })["tools"]).toEqual([
      { type: "function", name: "add", description: "Adds.", parameters: { type: "object" } },
      { type: "google_search" }
    ]))

  it("may be chosen", () => {
    expect(choiceOf({ _tag: "Auto" })).toBeUndefined()
    expect(choiceOf({ _tag: "None" })).toBe("none")
    expect(choiceOf({ _tag: "Required" })).toBe("any")
    expect(choiceOf({ _tag: "Tool", name: "add" })).toEqual({ allowed_tools: { mode: "any", tools: ["add"] } })
  })

  it("of another provider are left out, and so are switches that are not known", () =>
    expect(
      noticesOf({
        tools: [
          { ...add, strict: true },
          { ...search, protocol: "gemini" }
        ],
        parallelToolCalls: false
      })
    ).toEqual([
      "dropped strict of a tool: the Interactions API has no counterpart",
      "dropped the tool google_search: only gemini runs it",
      "dropped parallel_tool_calls: the Interactions API has no counterpart"
    ]))
})

describe("a conversation", () => {
  it("begins with the instruction, apart", () => {
    const messages: ReadonlyArray<Message> = [
      { role: "system", parts: [text("Be"), text("brief.")] },
      { role: "developer", parts: [text("Rhyme.")] },
      user(text("Hi")),
      { role: "system", parts: [text("Hurry.")] }
    ]
    expect(bodyOf({ messages })).toMatchObject({
      system_instruction: "Be\nbrief.\n\nRhyme.",
      input: [
        { type: "user_input", content: [said("Hi")] },
        { type: "user_input", content: [said("Hurry.")] }
      ]
    })
    expect(noticesOf({ messages })).toEqual([
      "emulated instructions within the conversation are sent as words of the user"
    ])
  })

  it("is steps: what was said, thoughts with their signatures, calls, and answers of tools", () => {
    const hosted = { type: "google_search_result", call_id: "s1", result: [] }
    expect(
      inputOf(
        {
          role: "assistant",
          parts: [
            { _tag: "Reasoning", text: "Hm", signature: "sig+/==", origin: "gemini-interactions" },
            { _tag: "Reasoning", text: "", signature: "s2", origin: "gemini-interactions" },
            { _tag: "Opaque", protocol: "gemini-interactions", value: hosted },
            text("I "),
            text("add."),
            {
              _tag: "ToolCall",
              id: "c1",
              name: "add",
              arguments: '{"a":2}',
              extensions: { "gemini-interactions": { signature: "s3" } }
            },
            { _tag: "ToolCall", id: "c2", name: "now", arguments: "" }
          ]
        },
        {
          role: "tool",
          parts: [
            { _tag: "ToolResult", callId: "c1", content: [{ _tag: "Text", text: "5" }], isError: false },
            {
              _tag: "ToolResult",
              callId: "c2",
              name: "clock",
              content: [
                { _tag: "Text", text: "noon" },
                { _tag: "Media", kind: "image", mediaType: "image/png", source: { _tag: "Base64", data: "AAAA" } }
              ]
            }
          ]
        }
      )
    ).toEqual([
      { type: "thought", signature: "sig+/==", summary: [said("Hm")] },
      { type: "thought", signature: "s2" },
      hosted,
      { type: "model_output", content: [said("I "), said("add.")] },
      { type: "function_call", id: "c1", name: "add", arguments: { a: 2 }, signature: "s3" },
      { type: "function_call", id: "c2", name: "now", arguments: {} },
      { type: "function_result", call_id: "c1", name: "add", result: "5", is_error: false },
      {
        type: "function_result",
        call_id: "c2",
        name: "clock",
        result: [said("noon"), { type: "image", data: "AAAA", mime_type: "image/png" }]
      }
    ])
  })

  it("holds media of every kind", () => {
    const base64 = { _tag: "Base64", data: "A" } as const
    const media = (part: Omit<Extract<Part, { _tag: "Media" }>, "_tag">): Part => ({ _tag: "Media", ...part })
    expect(
      inputOf(
        user(
          media({ kind: "image", source: base64, detail: "low" }),
          media({ kind: "audio", mediaType: "audio/mp3", source: base64 }),
          media({ kind: "file", mediaType: "video/mp4", source: { _tag: "Url", url: "https://example.com/a.mp4" } }),
          media({ kind: "file", source: base64 }),
          media({ kind: "file", mediaType: "text/plain", source: { _tag: "FileId", id: "files/1" } })
        )
      )
    ).toEqual([
      {
        type: "user_input",
        content: [
          { type: "image", data: "A", mime_type: "image/png", resolution: "low" },
          { type: "audio", data: "A", mime_type: "audio/mp3" },
          { type: "video", uri: "https://example.com/a.mp4", mime_type: "video/mp4" },
          { type: "document", data: "A", mime_type: "application/pdf" },
          { type: "document", uri: "files/1", mime_type: "text/plain" }
        ]
      }
    ])
  })

  it("cannot hold what is stored elsewhere, or instructions that are not text", () => {
    const image: Part = { _tag: "Media", kind: "image", source: { _tag: "FileId", id: "file_1" } }
    const featureOf = (message: Message) =>
      Result.getOrThrow(Result.flip(geminiInteractions.encode(asking({ messages: [message] }), context))).reason
    expect(featureOf(user(image))).toEqual({
      _tag: "Unsupported",
      feature: "a file that is stored with another provider"
    })
    expect(featureOf({ role: "system", parts: [image] })).toMatchObject({ _tag: "Unsupported" })
  })

  it("says what of it is left out", () => {
    const notices = noticesOf({
      messages: [
        { role: "user", name: "Ada", parts: [{ _tag: "Text", text: "Hi", cache: {} }] },
        {
          role: "assistant",
          parts: [
            { _tag: "Reasoning", text: "Hm", signature: "s", origin: "gemini" },
            { _tag: "ToolCall", id: "c", name: "f", arguments: '{"cut' },
            { _tag: "Opaque", protocol: "gemini", value: {} },
            {
              _tag: "Media",
              kind: "image",
              source: { _tag: "Url", url: "https://example.com" },
              detail: "original",
              filename: "a.png"
            }
          ]
        }
      ]
    })
    expect(notices).toEqual([
      "dropped the name of a message: the Interactions API has no counterpart",
      "dropped a cache marker: the Interactions API caches prompts by itself or not at all",
      "dropped reasoning of an earlier turn: the Interactions API takes back only what it signed",
      'emulated the arguments of f are no JSON object: they stand in "arguments"',
      "dropped a block of gemini: the Interactions API has no counterpart",
      "dropped the name of a file: the Interactions API has no counterpart",
      "dropped the detail of an image: the Interactions API has no counterpart"
    ])
  })
})
