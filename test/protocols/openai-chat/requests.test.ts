import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest, Message, Part } from "../../../src/domain/LlmRequest.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { proofFor } from "../../../src/protocols/SealedReasoning.ts"

type Fields = { readonly [key: string]: unknown }

const user = { role: "user", content: "hi" }
const body = (fields: Fields = {}): Fields => ({ model: "m", messages: [user], ...fields })

// The test's own literals are JSON.
const decode = (document: unknown) => openAiChatDialect.decode(document as never)
const decoded = (fields: Fields = {}): LlmRequest => Result.getOrThrow(decode(body(fields))).request
const refusal = (document: unknown) => {
  const result = decode(document)
  if (Result.isSuccess(result)) throw new Error("was accepted")
  return result.failure
}

const context = (more: Partial<EncodeContext> = {}): EncodeContext => ({
  model: "target",
  delivery: "whole",
  quirks: {},
  origin: undefined,
  ...more
})
const encoded = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(openAiChat.encode(request, context(more)))
const again = (fields: Fields): Fields => encoded(decoded(fields)).body

const plain = (messages: ReadonlyArray<Message>, more: Partial<LlmRequest> = {}): LlmRequest => ({
  model: "m",
  messages,
  sampling: {},
  ...more
})
const says = (...parts: ReadonlyArray<Part>): Message => ({ role: "user", parts })

describe("a chat request", () => {
  it("has no instruction without words", () => {
    const [first, second] = ["a", "b"].map((text) => says({ _tag: "Text", text }))
    const { body } = encoded(plain([first!, { role: "system", parts: [] }, second!]))
    expect(body["messages"]).toEqual([
      { role: "user", content: "a" },
      { role: "user", content: "b" }
    ])
  })

  it("is read with all its settings", () => {
    expect(
      decoded({
        stream: true,
        max_tokens: 5,
        max_completion_tokens: 7,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 4,
        seed: 1,
        frequency_penalty: 0.1,
        presence_penalty: 0.2,
        stop: "END",
        n: 2,
        logprobs: true,
        top_logprobs: 3,
        reasoning_effort: "high",
        service_tier: "flex",
        user: "u",
        metadata: { a: "b" },
        parallel_tool_calls: false,
        response_format: { type: "json_schema", json_schema: { name: "s", schema: { type: "object" }, strict: true } },
        tools: [
          { type: "function", function: { name: "f", description: "d", parameters: { type: "object" }, strict: true } }
        ],
        tool_choice: { type: "function", function: { name: "f" } },
        logit_bias: { 1: 2 },
        prediction: { type: "content", content: "x" },
        store: true
      })
    ).toEqual({
      model: "m",
      messages: [{ role: "user", parts: [{ _tag: "Text", text: "hi" }] }],
      tools: [{ _tag: "Function", name: "f", description: "d", inputSchema: { type: "object" }, strict: true }],
      toolChoice: { _tag: "Tool", name: "f" },
      parallelToolCalls: false,
      responseFormat: { _tag: "JsonSchema", name: "s", schema: { type: "object" }, strict: true },
      reasoning: { effort: "high" },
      serviceTier: "flex",
      user: "u",
      metadata: { a: "b" },
      sampling: {
        maxOutputTokens: 7,
        temperature: 0.5,
        topP: 0.9,
        topK: 4,
        seed: 1,
        frequencyPenalty: 0.1,
        presencePenalty: 0.2,
        stopSequences: ["END"],
        choices: 2,
        logprobs: true,
        topLogprobs: 3
      },
      extensions: {
        "openai-chat": { logit_bias: { 1: 2 }, prediction: { type: "content", content: "x" }, store: true }
      }
    })
  })

  it("takes null for what is not set", () => {
    const nulls = [
      "stream",
      "tools",
      "tool_choice",
      "stop",
      "max_tokens",
      "temperature",
      "response_format",
      "user",
      "metadata"
    ]
    expect(decoded(Object.fromEntries(nulls.map((key) => [key, null])))).toEqual(decoded())
  })

  it("may hold every kind of message and part", () => {
    const { messages } = decoded({
      messages: [
        { role: "system", content: "s" },
        { role: "developer", content: [{ type: "text", text: "d", cache_control: { type: "ephemeral", ttl: "1h" } }] },
        {
          role: "user",
          name: "ann",
          content: [
            { type: "text", text: "look" },
            { type: "image_url", image_url: { url: "data:image/png;base64,iVBOR", detail: "low" } },
            { type: "image_url", image_url: { url: "https://a/b.png" } },
            { type: "input_audio", input_audio: { data: "QUJD", format: "mp3" } },
            { type: "file", file: { file_data: "data:application/pdf;base64,JVBE", filename: "a.pdf" } },
            { type: "file", file: { file_id: "file-1" } },
            { type: "video_url", video_url: { url: "https://v" } }
          ]
        },
        {
          role: "assistant",
          content: null,
          refusal: "no",
          tool_calls: [
            { id: "x", type: "function", function: { name: "f", arguments: '{"a":1}' } },
            { id: "y", type: "custom", custom: { name: "sql", input: "select 1" } }
          ]
        },
        {
          role: "tool",
          tool_call_id: "x",
          content: [
            { type: "text", text: "1" },
            { type: "text", text: "2" }
          ]
        },
        { role: "tool", tool_call_id: "y", content: "" },
        { role: "assistant", function_call: { name: "g", arguments: "" }, content: null },
        { role: "function", name: "g", content: "old" }
      ]
    })
    expect(messages).toEqual([
      { role: "system", parts: [{ _tag: "Text", text: "s" }] },
      { role: "developer", parts: [{ _tag: "Text", text: "d", cache: { ttl: "1h" } }] },
      {
        role: "user",
        name: "ann",
        parts: [
          { _tag: "Text", text: "look" },
          {
            _tag: "Media",
            kind: "image",
            mediaType: "image/png",
            source: { _tag: "Base64", data: "iVBOR" },
            detail: "low"
          },
          { _tag: "Media", kind: "image", source: { _tag: "Url", url: "https://a/b.png" } },
          { _tag: "Media", kind: "audio", mediaType: "audio/mpeg", source: { _tag: "Base64", data: "QUJD" } },
          {
            _tag: "Media",
            kind: "file",
            mediaType: "application/pdf",
            source: { _tag: "Base64", data: "JVBE" },
            filename: "a.pdf"
          },
          { _tag: "Media", kind: "file", source: { _tag: "FileId", id: "file-1" } },
          { _tag: "Opaque", protocol: "openai-chat", value: { type: "video_url", video_url: { url: "https://v" } } }
        ]
      },
      {
        role: "assistant",
        parts: [
          { _tag: "Refusal", text: "no" },
          { _tag: "ToolCall", id: "x", name: "f", arguments: '{"a":1}' },
          {
            _tag: "ToolCall",
            id: "y",
            name: "sql",
            arguments: '{"input":"select 1"}',
            freeText: true
          }
        ]
      },
      {
        role: "tool",
        parts: [
          {
            _tag: "ToolResult",
            callId: "x",
            content: [
              { _tag: "Text", text: "1" },
              { _tag: "Text", text: "2" }
            ]
          }
        ]
      },
      { role: "tool", parts: [{ _tag: "ToolResult", callId: "y", content: [] }] },
      { role: "assistant", parts: [{ _tag: "ToolCall", id: "call_6_0", name: "g", arguments: "{}" }] },
      {
        role: "tool",
        parts: [{ _tag: "ToolResult", callId: "call_6_0", name: "g", content: [{ _tag: "Text", text: "old" }] }]
      }
    ])
  })

  it.each<readonly [unknown, Fields | undefined]>([
    ["auto", { _tag: "Auto" }],
    ["none", { _tag: "None" }],
    ["required", { _tag: "Required" }],
    ["any", { _tag: "Required" }],
    [
      { type: "function", function: { name: "f" } },
      { _tag: "Tool", name: "f" }
    ],
    [
      { type: "custom", custom: { name: "c" } },
      { _tag: "Tool", name: "c" }
    ],
    [{ type: "allowed_tools", allowed_tools: { mode: "required", tools: [] } }, { _tag: "Required" }],
    [{ type: "something_new" }, undefined]
  ])("may choose tools by %j, and the choice goes back as it came", (tool_choice, expected) => {
    const tools = [
      { type: "function", function: { name: "f" } },
      { type: "custom", custom: { name: "c" } }
    ]
    expect(decoded({ tools, tool_choice }).toolChoice).toEqual(expected)
    expect(again({ tools, tool_choice })["tool_choice"]).toEqual(tool_choice)
  })

  it("of the API's first days says its functions otherwise", () => {
    const request = decoded({ functions: [{ name: "f", parameters: {} }], function_call: { name: "f" } })
    expect(request.tools).toEqual([{ _tag: "Function", name: "f", inputSchema: {} }])
    expect(request.toolChoice).toEqual({ _tag: "Tool", name: "f" })
  })
})

describe("what a model said in a sound that its provider holds", () => {
  const heard = (more: Fields) =>
    decoded({ messages: [user, { role: "assistant", audio: { id: "a" }, ...more }, user] })

  it("is nothing that another provider could go on from", () => {
    const request = heard({ content: null })
    expect(request.requires).toMatchObject({ protocol: "openai-chat", feature: "messages[1].audio" })
    expect(request.requires?.message).toContain("transcript")
    expect(encoded(request).body["messages"]).toMatchObject([{}, { audio: { id: "a" } }, {}])
  })

  it("may be said in words as well, which others are told", () => {
    const request = heard({ content: "Hello" })
    expect(request.requires).toBeUndefined()
    expect(heard({ content: null, audio: null }).requires).toBeUndefined()
    const elsewhere = Result.getOrThrow(anthropicMessages.encode(request, context()))
    expect(elsewhere.notices.map(({ message }) => message)).toContain("audio: the Messages API has no counterpart")
  })
})

describe("a chat request is refused", () => {
  it.each<readonly [unknown, string, string]>([
    [{ messages: [user] }, "model", "type"],
    [body({ model: "" }), "model", "type"],
    [body({ messages: [] }), "messages", "type"],
    [{ model: "m" }, "messages", "type"],
    [body({ messages: "hi" }), "messages", "type"],
    [body({ messages: [{ role: "robot", content: "" }] }), "messages[0].role", "type"],
    [body({ messages: [user, { role: "user" }] }), "messages[1].content", "type"],
    [body({ messages: [{ role: "user", content: 5 }] }), "messages[0].content", "type"],
    [body({ messages: [{ role: "user", content: [{ type: "text" }] }] }), "messages[0].content[0].text", "type"],
    [
      body({ messages: [{ role: "assistant", tool_calls: [{ id: "x", type: "function", function: {} }] }] }),
      "messages[0].tool_calls[0].function.name",
      "type"
    ],
    [body({ messages: [user, { role: "tool", tool_call_id: "x", content: "1" }] }), "messages[1].role", "semantic"],
    [
      body({
        messages: [
          { role: "assistant", tool_calls: [{ id: "x", type: "function", function: { name: "f", arguments: "{}" } }] },
          { role: "tool", content: "1" }
        ]
      }),
      "messages[1].tool_call_id",
      "type"
    ],
    [body({ temperature: "hot" }), "temperature", "type"],
    [body({ max_tokens: -1 }), "max_tokens", "type"],
    [body({ n: 0 }), "n", "type"],
    [body({ stream: "yes" }), "stream", "type"],
    [body({ tools: [{ type: "function", function: { description: "d" } }] }), "tools[0].function.name", "type"],
    [body({ tool_choice: "required" }), "tool_choice", "semantic"],
    [body({ top_logprobs: 2 }), "top_logprobs", "semantic"]
  ])("%j for %s", (document, path, kind) => {
    const error = refusal(document)
    expect(error.reason).toEqual({ _tag: "InvalidRequest", kind, path })
    expect(error.message).toContain(path)
  })

  it.each([null, [], "text", 5])("for being %j", (document) => {
    expect(refusal(document).reason._tag).toBe("InvalidRequest")
  })
})

describe("a chat request for a provider", () => {
  it("goes on as it came, but for the model and what tells the usage", () => {
    const document = body({
      stream: true,
      unknown: { a: 1 },
      max_tokens: 5,
      stream_options: { include_obfuscation: false }
    })
    const origin = { protocol: "openai-chat", body: document as never, text: "", headers: { "openai-beta": "x" } }
    const sent = encoded(decoded(document), { origin, delivery: "stream" })
    expect(sent).toEqual({
      path: "/chat/completions",
      headers: { "openai-beta": "x" },
      body: { ...document, model: "target", stream_options: { include_obfuscation: false, include_usage: true } },
      notices: []
    })
    expect(encoded(decoded(document), { origin }).body).toEqual({
      ...body({ unknown: { a: 1 }, max_tokens: 5, stream: false }),
      model: "target"
    })
    const quirk = encoded(decoded(document), { origin, delivery: "stream", quirks: { noStreamOptions: true } })
    expect(quirk.body).not.toHaveProperty("stream_options")
  })

  it("that a stage changed has all that only this format knows", () => {
    const document = body({
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "a", cache_control: { type: "ephemeral" } },
            { type: "video_url", video_url: { url: "v" } }
          ]
        },
        {
          role: "assistant",
          content: "b",
          audio: { id: "a1" },
          tool_calls: [
            { id: "x", type: "function", function: { name: "f", arguments: "{}" }, extra_content: { google: {} } }
          ]
        },
        {
          role: "tool",
          tool_call_id: "x",
          content: [
            { type: "text", text: "1" },
            { type: "text", text: "2" }
          ]
        }
      ],
      top_k: 5,
      logit_bias: { 1: 2 },
      tools: [
        {
          type: "function",
          function: { name: "f", parameters: {}, extra: 1 },
          cache_control: { type: "ephemeral", ttl: "5m" }
        },
        { type: "custom", custom: { name: "c" } }
      ],
      web_search_options: {}
    })
    expect(again(document)).toEqual({ ...document, model: "target" })
  })

  it("knows the peculiarities of its server", () => {
    const request = plain([{ role: "developer", parts: [{ _tag: "Text", text: "d" }] }], {
      sampling: { maxOutputTokens: 5 }
    })
    expect(encoded(request).body).toEqual({
      model: "target",
      messages: [{ role: "developer", content: "d" }],
      max_completion_tokens: 5
    })
    expect(encoded(request, { quirks: { legacyMaxTokens: true, noDeveloperRole: true } }).body).toEqual({
      model: "target",
      messages: [{ role: "system", content: "d" }],
      max_tokens: 5
    })
  })

  it("tells the model a schema where the server knows none, after the other instructions", () => {
    const request: LlmRequest = {
      model: "smart",
      sampling: {},
      messages: [
        { role: "system", parts: [{ _tag: "Text", text: "Be brief." }] },
        { role: "user", parts: [{ _tag: "Text", text: "Hm?" }] }
      ],
      responseFormat: { _tag: "JsonSchema", name: "trip", schema: { type: "object" } }
    }
    const { body, notices } = encoded(request, { quirks: { noJsonSchema: true } })
    expect(body).toMatchObject({
      messages: [
        { role: "system", content: "Be brief." },
        { role: "system", content: expect.stringContaining('JSON Schema:\n{"type":"object"}') },
        { role: "user", content: "Hm?" }
      ],
      response_format: { type: "json_object" }
    })
    expect(notices).toMatchObject([{ code: "emulated" }])
    expect(encoded(request, {}).body).toMatchObject({ response_format: { type: "json_schema" } })
  })

  it("says media in its words, and refuses what it cannot say", () => {
    const media = (kind: "image" | "audio" | "file", source: Fields, more: Fields = {}): Part =>
      ({ _tag: "Media", kind, source, ...more }) as Part
    const base64 = { _tag: "Base64", data: "/9j/AA" }
    expect(
      encoded(
        plain([
          says(
            media("image", base64),
            media("image", { _tag: "Url", url: "https://a" }, { detail: "high" }),
            media("audio", base64, { mediaType: "audio/wav" }),
            media("file", base64, { mediaType: "application/pdf", filename: "a.pdf" }),
            media("file", { _tag: "FileId", id: "f1" }),
            media(
              "file",
              { _tag: "Base64", data: Buffer.from("plain").toString("base64") },
              { mediaType: "text/plain" }
            )
          )
        ])
      ).body["messages"]
    ).toEqual([
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "data:image/jpeg;base64,/9j/AA" } },
          { type: "image_url", image_url: { url: "https://a", detail: "high" } },
          { type: "input_audio", input_audio: { data: "/9j/AA", format: "wav" } },
          { type: "file", file: { file_data: "data:application/pdf;base64,/9j/AA", filename: "a.pdf" } },
          { type: "file", file: { file_id: "f1" } },
          { type: "text", text: "plain" }
        ]
      }
    ])
    for (const part of [
      media("file", { _tag: "Url", url: "https://a" }),
      media("audio", { _tag: "Url", url: "https://a" })
    ]) {
      const result = openAiChat.encode(plain([says(part)]), context())
      expect(Result.isFailure(result) && result.failure.reason._tag).toBe("Unsupported")
    }
  })

  it("says the results of tools as text, failures too, and shows their pictures after them", () => {
    const picture: Part = { _tag: "Media", kind: "image", source: { _tag: "Url", url: "https://a" } }
    const { body: sent, notices } = encoded(
      plain([
        {
          role: "assistant",
          parts: [
            { _tag: "ToolCall", id: "x", name: "f", arguments: "{}" },
            { _tag: "ToolCall", id: "y", name: "f", arguments: "{}" }
          ]
        },
        {
          role: "tool",
          parts: [
            {
              _tag: "ToolResult",
              callId: "x",
              content: [{ _tag: "Text", text: "1" }, picture, { _tag: "Text", text: "2" }]
            }
          ]
        },
        {
          role: "tool",
          parts: [{ _tag: "ToolResult", callId: "y", content: [{ _tag: "Text", text: "bad" }], isError: true }]
        },
        says({ _tag: "Text", text: "go on" })
      ])
    )
    expect(sent["messages"]).toEqual([
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "x", type: "function", function: { name: "f", arguments: "{}" } },
          { id: "y", type: "function", function: { name: "f", arguments: "{}" } }
        ]
      },
      { role: "tool", tool_call_id: "x", content: "1\n2" },
      { role: "tool", tool_call_id: "y", content: "Error: bad" },
      {
        role: "user",
        content: [
          { type: "text", text: "The result of the tool call x contains:" },
          { type: "image_url", image_url: { url: "https://a" } }
        ]
      },
      { role: "user", content: "go on" }
    ])
    expect(notices.map(({ code }) => code)).toEqual(["emulated", "emulated"])
  })

  it.each<readonly [LlmRequest["reasoning"], string | undefined]>([
    [{ effort: "minimal" }, "minimal"],
    [{ budgetTokens: 1024 }, "low"],
    [{ budgetTokens: 4096 }, "medium"],
    [{ budgetTokens: 4097 }, "high"],
    [{ mode: "enabled" }, "medium"],
    [{ mode: "disabled" }, undefined],
    [{ mode: "adaptive" }, undefined],
    [{ mode: "adaptive", effort: "high" }, "high"]
  ])("turns %j into the effort %s", (reasoning, effort) => {
    expect(encoded(plain([says()], present(reasoning))).body["reasoning_effort"]).toBe(effort)
  })
  const present = (reasoning: LlmRequest["reasoning"]) => (reasoning === undefined ? {} : { reasoning })

  it("reports what it cannot say, by name", () => {
    const { notices, body: sent } = encoded(
      plain(
        [
          {
            role: "assistant",
            parts: [
              { _tag: "Reasoning", text: "t", signature: "s", origin: "anthropic-messages" },
              { _tag: "Opaque", protocol: "anthropic-messages", value: { type: "compaction" } },
              { _tag: "Text", text: "a" }
            ]
          },
          says({
            _tag: "Text",
            text: "b",
            cache: {},
            extensions: { "anthropic-messages": { citations: { enabled: true } } }
          })
        ],
        {
          sampling: { topK: 5 },
          reasoning: { budgetTokens: 2000 },
          tools: [{ _tag: "Provider", protocol: "anthropic-messages", name: "web_search", value: {} }],
          toolChoice: { _tag: "Auto" },
          extensions: { "anthropic-messages": { thread: { id: "t" } } }
        }
      )
    )
    for (const name of [
      "thread",
      "web_search",
      "reasoning of an earlier turn",
      "compaction of anthropic-messages",
      "cache marker",
      "citations",
      "top_k",
      "budget"
    ]) {
      expect(notices.filter(({ message }) => message.includes(name))).toHaveLength(1)
    }
    expect(notices).toHaveLength(8)
    expect(sent).toEqual({
      model: "target",
      messages: [
        { role: "assistant", content: "a" },
        { role: "user", content: "b" }
      ],
      reasoning_effort: "medium"
    })
  })
})

describe("reasoning of an earlier turn", () => {
  const turn = (fields: Fields) => ({ messages: [user, { role: "assistant", content: "a", ...fields }, user] })
  const partsOf = (fields: Fields) => decoded(turn(fields)).messages[1]?.parts.slice(0, -1)
  const sent = (fields: Fields) => (again(turn(fields))["messages"] as ReadonlyArray<unknown>)[1]

  it.each<readonly [string, Fields]>([
    ["as reasoning_content", { reasoning_content: "t" }],
    ["as reasoning", { reasoning: "t" }],
    ["as both", { reasoning_content: "t", reasoning: "t" }],
    ["empty, which some servers insist on", { reasoning_content: "" }],
    [
      "signed",
      {
        reasoning_content: "t",
        reasoning_details: [
          { type: "reasoning.text", text: "t", signature: "s", format: "anthropic-claude-v1", index: 0 }
        ]
      }
    ],
    ["in details alone", { reasoning_details: [{ type: "reasoning.text", text: "t", format: "unknown", index: 0 }] }],
    [
      "encrypted, with the id that its maker gave it",
      {
        reasoning_details: [
          { type: "reasoning.encrypted", data: "d", id: "rs_1", format: "openai-responses-v1", index: 0 }
        ]
      }
    ],
    [
      "as a summary",
      {
        reasoning: "t",
        reasoning_details: [
          { type: "reasoning.summary", summary: "t", format: "xai-responses-v1", index: 0 },
          { type: "reasoning.encrypted", data: "d", format: "xai-responses-v1", index: 1 }
        ]
      }
    ]
  ])("goes back %s", (_, fields) => {
    expect(sent(fields)).toEqual({ role: "assistant", content: "a", ...fields })
  })

  it("belongs to the servers of this format, with the kind of proof that it has", () => {
    const detail = (format: string) => ({
      reasoning_details: [{ type: "reasoning.text", text: "t", signature: "s", format, index: 0 }]
    })
    expect(partsOf(detail("anthropic-claude-v1"))).toMatchObject([
      { text: "t", signature: "s", origin: "openai-chat/anthropic-claude-v1" }
    ])
    expect(partsOf(detail("unknown"))).toMatchObject([{ origin: "openai-chat" }])
  })

  describe("that was sealed for the caller", () => {
    const detail = (more: Fields) => ({ type: "reasoning.text", text: "t", format: "google-gemini-v1", ...more })
    const proof = { signature: "s", origin: "gemini" }
    const seal = proofFor("openai-chat", proof) ?? ""
    const signed = detail({ signature: seal, index: 1 })
    const bare = detail({ text: "b", index: 0 })
    const own = detail({ signature: "own", index: 2 })
    const answered = { role: "assistant", content: "a" }

    const asReceived = (fields: Fields, more: Fields = {}) => {
      const received = body({ ...turn(fields), model: "target", ...more })
      // The test's own literals are JSON.
      const origin = { protocol: "openai-chat", body: received as never, text: "", headers: {} }
      const { body: sentBody, notices } = encoded(plain([]), { origin })
      return { received, sentBody, notices, message: (sentBody["messages"] as ReadonlyArray<unknown>)[1] }
    }

    it("belongs to who made it, and so does what is not proven beside it", () => {
      expect(partsOf({ reasoning_content: "bt", reasoning_details: [bare, signed] })).toEqual([
        { _tag: "Reasoning", text: "b", origin: "gemini" },
        { _tag: "Reasoning", text: "t", ...proof }
      ])
      const data = proofFor("openai-chat", { redacted: "d", origin: "anthropic-messages" })
      const encrypted = { type: "reasoning.encrypted", data, index: 0 }
      expect(partsOf({ reasoning_content: "b", reasoning_details: [encrypted] })).toEqual([
        { _tag: "Reasoning", text: "b", origin: "anthropic-messages" },
        { _tag: "Reasoning", text: "", redacted: "d", origin: "anthropic-messages" }
      ])
    })

    it("proves nothing where the seal is broken", () => {
      const broken = detail({ signature: `${seal.slice(0, 25)}!`, index: 0 })
      expect(partsOf({ reasoning_details: [broken] })).toEqual([{ _tag: "Reasoning", text: "t" }])
    })

    it("is left out of a request that is written anew", () => {
      expect(sent({ reasoning_content: "t", reasoning_details: [signed] })).toEqual(answered)
    })

    it("is taken out of a request that otherwise goes on as received, with its text", () => {
      for (const field of ["reasoning_content", "reasoning"]) {
        const { received, sentBody, message, notices } = asReceived(
          { [field]: "bt", reasoning_details: [bare, signed], refusal: null },
          { unknown: { to: "us" } }
        )
        expect(message).toEqual({ ...answered, refusal: null })
        expect(sentBody).toEqual({ ...received, messages: [user, message, user] })
        expect(notices).toEqual([
          {
            code: "dropped",
            message: "reasoning of an earlier turn: nobody takes back what another API's provider signed"
          }
        ])
      }
    })

    it("is taken from beside what a server of this format made, which stays as it is", () => {
      const mixed = { reasoning: "btt", reasoning_details: [bare, signed, own] }
      const { message, notices } = asReceived(mixed)
      expect(message).toEqual({ ...answered, reasoning: "btt", reasoning_details: [bare, own] })
      expect(notices).toHaveLength(1)
      expect(partsOf(mixed)).toMatchObject([
        { text: "b", origin: "openai-chat/google-gemini-v1" },
        { text: "t", ...proof },
        { text: "t", signature: "own", origin: "openai-chat/google-gemini-v1" }
      ])
    })

    it("is all that is taken out", () => {
      for (const fields of [
        { reasoning_content: "b", reasoning_details: [bare, own] },
        { reasoning: "b", reasoning_details: [bare, "of no form"] },
        { reasoning_content: "t" }
      ]) {
        const { received, sentBody, notices } = asReceived(fields)
        expect(JSON.stringify(sentBody)).toBe(JSON.stringify(received))
        expect(notices).toEqual([])
      }
    })
  })

  it("is put together from the pieces of a stream that were kept as they came", () => {
    const piece = (more: Fields) => ({ type: "reasoning.text", format: "anthropic-claude-v1", index: 0, ...more })
    expect(
      partsOf({
        reasoning: "ab",
        reasoning_details: [piece({ text: "a" }), piece({ text: "b" }), piece({ signature: "s" })]
      })
    ).toMatchObject([{ text: "ab", signature: "s" }])
  })

  it("takes its text from where it stands when the proof comes without", () => {
    expect(
      partsOf({
        reasoning_content: "t",
        reasoning_details: [{ type: "reasoning.text", signature: "s", format: "anthropic-claude-v1" }]
      })
    ).toMatchObject([{ text: "t", signature: "s" }])
  })

  it("that a program keeps goes back to a server of this format, with whose it is", () => {
    const request = plain([
      {
        role: "assistant",
        parts: [
          { _tag: "Reasoning", text: "t", signature: "s", origin: "openai-chat/anthropic-claude-v1" },
          { _tag: "Text", text: "a" }
        ]
      }
    ])
    expect(encoded(request).body["messages"]).toEqual([
      {
        role: "assistant",
        content: "a",
        reasoning_content: "t",
        reasoning_details: [
          { type: "reasoning.text", text: "t", signature: "s", format: "anthropic-claude-v1", index: 0 }
        ]
      }
    ])
  })
})

describe("how much to think, as callers say it", () => {
  const cases: ReadonlyArray<readonly [Fields, LlmRequest["reasoning"]]> = [
    [{ reasoning_effort: "low" }, { effort: "low" }],
    [{ reasoning: { effort: "high", exclude: false } }, { effort: "high" }],
    [{ reasoning: { max_tokens: 2000 } }, { budgetTokens: 2000 }],
    [{ reasoning: { enabled: true } }, { mode: "enabled" }],
    [{ reasoning: { enabled: false } }, { mode: "disabled" }],
    [{ thinking: { type: "enabled", budget_tokens: 1500 } }, { mode: "enabled", budgetTokens: 1500 }],
    [{ thinking: { type: "disabled" } }, { mode: "disabled" }],
    [
      { thinking: { type: "enabled" }, reasoning_effort: "max" },
      { mode: "enabled", effort: "max" }
    ],
    [{ reasoning: "much" }, undefined],
    [{ thinking: { type: "someday" } }, undefined]
  ]

  it.each(cases)("%j is understood, and said again as it was", (fields, reasoning) => {
    const request = decoded(fields)
    expect(request.reasoning).toEqual(reasoning)
    expect(Result.getOrThrow(openAiChat.encode(request, context())).body).toEqual({ ...body(fields), model: "target" })
  })

  it.each(cases.filter(([, reasoning]) => reasoning !== undefined))("%j is nothing lost elsewhere", (fields) => {
    const sent = anthropicMessages.encode(decoded(fields), context({ model: "claude-sonnet-4-5" }))
    const { body, notices } = Result.getOrThrow(sent)
    expect(notices.filter(({ message }) => /^(reasoning|thinking): /.test(message))).toEqual([])
    expect(body).toHaveProperty("thinking")
  })
})
