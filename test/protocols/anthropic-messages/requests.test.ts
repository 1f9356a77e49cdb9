import { Result, type Schema } from "effect"
import { describe, expect, it } from "vitest"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import type { LlmRequest, Message, ToolResultPart } from "../../../src/domain/LlmRequest.ts"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import { gemini } from "../../../src/protocols/gemini/outbound.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"
import { proofFor } from "../../../src/protocols/SealedReasoning.ts"
import { corpusCases, corpusPresent, decodeWhole } from "../corpus.ts"

type Body = { readonly [key: string]: Schema.Json }

const contextOf = (more: Partial<EncodeContext> = {}): EncodeContext => ({
  model: "claude",
  delivery: "whole",
  quirks: {},
  origin: undefined,
  ...more
})

const decode = (body: Body) => Result.getOrThrow(anthropicMessagesDialect.decode(body))
const encode = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(anthropicMessages.encode(request, contextOf(more)))

const blocks = (content: unknown): ReadonlyArray<unknown> =>
  typeof content === "string" ? [{ type: "text", text: content }] : (content as ReadonlyArray<unknown>)

const normalTurn = (message: Record<string, unknown>) =>
  message["content"] === undefined
    ? message
    : {
        ...message,
        content: blocks(message["content"]).map((block) => {
          const { content, ...rest } = block as Record<string, unknown>
          return rest["type"] === "tool_result" && content !== undefined ? { ...rest, content: blocks(content) } : block
        })
      }

/** A body in the one of its equivalent forms that encoding chooses. */
const normalBody = ({ system, messages, stream, ...body }: Record<string, unknown>) => ({
  ...body,
  ...(stream === true ? { stream } : {}),
  ...(system === undefined ? {} : { system: blocks(system) }),
  messages: (messages as ReadonlyArray<Record<string, unknown>>).map(normalTurn)
})

const expectLossless = (body: Body): void => {
  const { request, delivery } = decode(body)
  const encoded = encode(request, { delivery, model: String(body["model"]) })
  expect(encoded.body).toEqual(normalBody(body))
  expect(encoded.notices).toEqual([])
}

const requests = corpusCases("anthropic").flatMap(({ name, request }) =>
  request === undefined ? [] : [[name, request] as const]
)

describe.skipIf(!corpusPresent)("recorded requests", () => {
  it("are there", () => expect(requests.length).toBeGreaterThan(30))

  it.each(requests)("%s survives decoding and encoding", (_name, request) => {
    // Where the model stands in the path, the body has none.
    expectLossless({ model: "claude", ...request } as Body)
  })

  it.each(requests)("%s goes on as received to a provider of the format", (_name, request) => {
    const body = { model: "claude", ...request } as Body
    const { request: canonical, delivery } = decode(body)
    const headers = { "anthropic-version": "2026-10-21", "anthropic-beta": "a,b" }
    const origin = { protocol: "anthropic-messages", body, text: JSON.stringify(body), headers }
    const encoded = encode(canonical, { origin, delivery, model: "other" })
    expect(encoded).toEqual({ path: "/v1/messages", headers, body: { ...body, model: "other" }, notices: [] })
    expect(Object.keys(encoded.body)).toEqual(Object.keys(body))
  })
})

const base = { model: "claude", max_tokens: 100 }
const user = (content: Schema.Json) => ({ role: "user", content })

describe("a request with everything", () => {
  const cache_control = { type: "ephemeral", ttl: "1h" }
  const full: Body = {
    ...base,
    stream: true,
    system: [{ type: "text", text: "Be brief.", cache_control }],
    messages: [
      user([
        { type: "text", text: "Look:", citations: [] },
        { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" }, cache_control },
        { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
        { type: "image", source: { type: "file", file_id: "file_1" }, transformations: { oversized_image: "error" } },
        { type: "document", source: { type: "base64", media_type: "application/pdf", data: "BBBB" }, title: "T" },
        { type: "document", source: { type: "url", url: "https://example.com/a.pdf" }, context: "C" },
        { type: "document", source: { type: "file", file_id: "file_2" }, citations: { enabled: true } },
        { type: "document", source: { type: "text", media_type: "text/plain", data: "plain" }, title: "P" },
        { type: "document", source: { type: "content", content: "flat" }, citations: { enabled: true } },
        { type: "document", source: { type: "content", content: [{ type: "text", text: "piece" }] } },
        { type: "search_result", source: "s", title: "t", content: [{ type: "text", text: "found" }] },
        {
          type: "search_result",
          source: "s",
          title: "t",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" }
          ]
        },
        { type: "container_upload", file_id: "file_3" },
        { type: "not_invented_yet", anything: [1, { two: null }] }
      ]),
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "sig==" },
          { type: "redacted_thinking", data: "opaque" },
          { type: "text", text: "I look.", citations: [{ type: "char_location", cited_text: "x", document_index: 0 }] },
          { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "q" } },
          { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
          { type: "mcp_tool_use", id: "mcptoolu_1", name: "echo", server_name: "s", input: {} },
          { type: "compaction", content: "before", encrypted_content: "e" },
          { type: "tool_use", id: "toolu_1", name: "f", input: { a: 1 }, caller: { type: "direct" }, cache_control },
          { type: "tool_use", id: "toolu_2", name: "g", input: {} }
        ]
      },
      user([
        { type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "one" }], is_error: true },
        {
          type: "tool_result",
          tool_use_id: "toolu_2",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "CCCC" } },
            { type: "tool_reference", tool_name: "h" }
          ],
          cache_control
        },
        { type: "tool_result", tool_use_id: "toolu_3" },
        { type: "text", text: "And now?" }
      ]),
      { role: "system", content: [{ type: "text", text: "Hurry." }], clear_at: "next_user_message" }
    ],
    tools: [
      {
        name: "f",
        description: "F",
        input_schema: { type: "object", properties: {}, additionalProperties: false },
        strict: true,
        defer_loading: true
      },
      { type: "custom", name: "g", input_schema: { type: "object" }, cache_control },
      { type: "web_search_20260318", name: "web_search", max_uses: 3 },
      { type: "mcp_toolset", mcp_server_name: "s" }
    ],
    tool_choice: { type: "tool", name: "f", disable_parallel_tool_use: true },
    thinking: { type: "adaptive", display: "omitted" },
    output_config: { effort: "medium", format: { type: "json_schema", schema: { type: "object" } }, task_budget: 7 },
    stop_sequences: ["END"],
    metadata: { user_id: "u", more: true },
    service_tier: "standard_only",
    container: "c",
    mcp_servers: [{ type: "url", url: "https://example.com", name: "s" }],
    context_management: { edits: [] },
    thread: { type: "create" }
  }

  it("survives decoding and encoding", () => {
    const { request, delivery } = decode(full)
    const encoded = encode(request, { delivery })
    // The type of a custom tool is the one that a tool has without saying so.
    const tools = (full["tools"] as ReadonlyArray<Record<string, Schema.Json>>).map(({ type, ...tool }) =>
      type === undefined || type === "custom" ? tool : { type, ...tool }
    )
    expect(encoded.body).toEqual({ ...full, tools })
    expect(encoded.notices).toEqual([])
  })

  it("is read into the canonical vocabulary", () => {
    const { request, delivery } = decode(full)
    expect(delivery).toBe("stream")
    expect(request.messages.map(({ role }) => role)).toEqual([
      "system",
      "user",
      "assistant",
      "tool",
      "tool",
      "tool",
      "user",
      "system"
    ])
    expect(request).toMatchObject({
      model: "claude",
      sampling: { maxOutputTokens: 100, stopSequences: ["END"] },
      toolChoice: { _tag: "Tool", name: "f" },
      parallelToolCalls: false,
      reasoning: { mode: "adaptive", effort: "medium" },
      responseFormat: { _tag: "JsonSchema", schema: { type: "object" } },
      user: "u",
      tools: [
        { _tag: "Function", name: "f", strict: true },
        { _tag: "Function" },
        { _tag: "Provider" },
        { _tag: "Provider" }
      ]
    })
    expect(Object.keys(request.extensions?.["anthropic-messages"] ?? {}).toSorted()).toEqual([
      "container",
      "context_management",
      "mcp_servers",
      "metadata",
      "output_config",
      "thread",
      "~display",
      "~effort",
      "~format",
      "~thinking"
    ])
  })
})

describe("a request that is wrong", () => {
  it.each([
    [{ ...base }, "messages", /messages is required/],
    [{ ...base, model: "", messages: [user("x")] }, "model", /model is required/],
    [{ model: "m", messages: [user("x")] }, "max_tokens", /max_tokens is required/],
    [{ ...base, messages: [] }, "messages", /at least one/],
    [{ ...base, messages: [{ role: "tool", content: "x" }] }, "messages[0].role", /expected "user"/],
    [{ ...base, messages: [user(7)] }, "messages[0].content", /expected/],
    [{ ...base, messages: [user("x"), { role: "assistant" }] }, "messages[1].content", /is required/],
    [{ ...base, messages: [user([{ type: "text" }])] }, "messages[0].content[0].text", /is required/],
    [
      {
        ...base,
        messages: [user("x"), user([{ type: "image", source: { type: "base64", media_type: "image/png" } }])]
      },
      "messages[1].content[0].source.data",
      /is required/
    ],
    [{ ...base, messages: [user("x")], tools: [{ name: "f" }] }, "tools[0].input_schema", /is required/],
    [{ ...base, messages: [user("x")], tool_choice: { type: "tool" } }, "tool_choice.name", /is required/],
    [{ ...base, messages: [user("x")], temperature: "hot" }, "temperature", /expected/]
  ] as ReadonlyArray<[Body, string, RegExp]>)("is refused with its path: %j", (body, path, message) => {
    const error = Result.getOrThrow(Result.flip(anthropicMessagesDialect.decode(body)))
    expect(error.reason).toEqual({ _tag: "InvalidRequest", kind: "type", path })
    expect(error.message).toMatch(message)
  })
})

describe("instructions within the conversation", () => {
  const messages = [
    user("a"),
    { role: "system", output_config: { effort: "low" } },
    { role: "system", content: [{ type: "text", text: "Be kind." }], clear_at: "never" },
    user("b")
  ]

  it("may be about other things than words, and stay apart", () => {
    expectLossless({ ...base, messages })
  })

  it("stay where they are at its beginning", () => {
    expectLossless({ ...base, system: "Be brief.", messages: messages.slice(1) })
  })

  it("are told to other formats as far as these have words for them", () => {
    const { request } = decode({ ...base, messages })
    const { body, notices } = Result.getOrThrow(gemini.encode(request, contextOf({ model: "gemini-2.5-pro" })))
    expect(body["contents"]).toEqual([{ role: "user", parts: [{ text: "a" }, { text: "Be kind." }, { text: "b" }] }])
    expect(notices.filter(({ code }) => code === "dropped").map(({ message }) => message)).toEqual([
      expect.stringMatching(/^output_config\.effort:/),
      expect.stringMatching(/^clear_at:/)
    ])
  })
})

describe("what a search for tools found", () => {
  const found = (...content: ReadonlyArray<Body>): Body => ({
    ...base,
    messages: [
      user("a"),
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "find_tools", input: {} }] },
      user([{ type: "tool_result", tool_use_id: "toolu_1", content }])
    ]
  })
  const references = ["weather", "clock"].map((tool_name) => ({ type: "tool_reference", tool_name }))

  it("is named in every format", () => {
    expectLossless(found(...references))
    const { request } = decode(found(...references))
    const { body, notices } = Result.getOrThrow(gemini.encode(request, contextOf({ model: "gemini-2.5-pro" })))
    expect(JSON.stringify(body)).toContain(JSON.stringify({ output: "weather\nclock" }))
    expect(notices).toEqual([])
  })
})

describe("the headers of a request", () => {
  const headers = {
    "anthropic-version": "2026-10-21",
    "anthropic-beta": "a",
    "anthropic-user-profile-id": "profile_1",
    "anthropic-workspace-id": "wrkspc_1"
  }
  const body: Body = { ...base, messages: [user("a")] }
  const { "anthropic-workspace-id": _, ...passed } = headers
  const ownWorkspace = expect.objectContaining({ message: expect.stringMatching(/^anthropic-workspace-id:/) })

  it("say for whom it is made, and not in which workspace of somebody else's key", () => {
    const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(body, undefined, headers))
    const origin = { protocol: "anthropic-messages", body, text: JSON.stringify(body), headers }
    for (const more of [{ origin }, {}]) {
      const encoded = encode(request, more)
      expect(encoded.headers).toEqual(passed)
      expect(encoded.notices).toEqual([ownWorkspace])
      expect(encoded.body).toEqual({
        ...body,
        messages: more.origin?.body["messages"] ?? [user(blocks("a") as Body[])]
      })
    }
  })

  it("are left out elsewhere, and that is told", () => {
    const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(body, undefined, headers))
    const { notices } = Result.getOrThrow(gemini.encode(request, contextOf({ model: "gemini-2.5-pro" })))
    expect(notices.map(({ message }) => message.split(":")[0])).toEqual([
      "anthropic-beta",
      "anthropic-user-profile-id",
      "anthropic-workspace-id"
    ])
  })
})

describe("blank text", () => {
  it("goes on as its caller wrote it, where it is not the model's", () => {
    const blank = [{ type: "text", text: " " }]
    const messages = [
      { role: "user", content: [...blank, { type: "text", text: "a" }] },
      { role: "assistant", content: [...blank, { type: "text", text: "b" }] },
      user("c")
    ]
    const written: Body = { ...base, messages }
    const received = { protocol: "anthropic-messages", body: written, text: JSON.stringify(written), headers: {} }
    const encoded = encode(decode(written).request, { model: "claude-sonnet-4-5", origin: received })
    expect(encoded.body["messages"]).toEqual([
      messages[0],
      { role: "assistant", content: [{ type: "text", text: "b" }] },
      messages[2]
    ])
  })
})

describe("reasoning that was signed elsewhere", () => {
  const origin = "openai-responses"
  const signed = proofFor("anthropic-messages", { signature: "sig+/=", origin }) ?? ""
  const encrypted = proofFor("anthropic-messages", { redacted: "blob+/=", origin }) ?? ""
  const body: Body = {
    ...base,
    messages: [
      user("a"),
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "theirs", signature: signed },
          { type: "thinking", thinking: "ours", signature: "s" },
          { type: "redacted_thinking", data: encrypted },
          { type: "redacted_thinking", data: "d" },
          { type: "text", text: "b" }
        ]
      },
      user("c"),
      { role: "assistant", content: [{ type: "redacted_thinking", data: encrypted }] },
      user("d")
    ]
  }

  it("is what it was when the caller gives it back", () => {
    expect(decode(body).request.messages[1]?.parts).toEqual([
      { _tag: "Reasoning", text: "theirs", signature: "sig+/=", origin },
      { _tag: "Reasoning", text: "ours", signature: "s", origin: "anthropic-messages" },
      { _tag: "Reasoning", text: "", redacted: "blob+/=", origin },
      { _tag: "Reasoning", text: "", redacted: "d", origin: "anthropic-messages" },
      { _tag: "Text", text: "b" }
    ])
  })

  it("proves nothing where the seal is broken", () => {
    const thought = { type: "thinking", thinking: "x", signature: `${signed.slice(0, 25)}!` }
    const broken = { ...base, messages: [user("a"), { role: "assistant", content: [thought] }] }
    expect(decode(broken).request.messages[1]?.parts).toEqual([{ _tag: "Reasoning", text: "x" }])
  })

  it("is taken out of a request that otherwise goes on as received, and of a question for its size", () => {
    const { request } = decode(body)
    const received = { protocol: "anthropic-messages", body, text: JSON.stringify(body), headers: {} }
    const messages = [
      user("a"),
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "ours", signature: "s" },
          { type: "redacted_thinking", data: "d" },
          { type: "text", text: "b" }
        ]
      },
      user("c"),
      // A turn without content would be refused.
      user("d")
    ]
    const encoded = encode(request, { origin: received })
    expect(encoded.body).toEqual({ ...body, messages })
    expect(encoded.notices).toEqual([
      { code: "dropped", message: "reasoning of an earlier turn: the Messages API takes back only what it signed" }
    ])
    const counted = anthropicMessages.countTokens?.encode(request, contextOf({ origin: received }))
    expect(counted).toMatchObject({ success: { body: { messages }, notices: encoded.notices } })
  })

  it("takes a budget to think with it where the model would miss the thoughts before its calls", () => {
    const call = { type: "tool_use", id: "t", name: "f", input: {} }
    const thinking = { type: "enabled", budget_tokens: 2000 }
    const asked = (signature: string): Body => ({
      ...base,
      thinking,
      messages: [
        user("a"),
        { role: "assistant", content: [{ type: "thinking", thinking: "hm", signature }, call] },
        user([{ type: "tool_result", tool_use_id: "t", content: "1" }])
      ]
    })
    const sent = (body: Body) =>
      encode(decode(body).request, {
        origin: { protocol: "anthropic-messages", body, text: JSON.stringify(body), headers: {} }
      })
    expect(sent(asked("s")).body).toEqual({ ...asked("s"), model: "claude" })
    expect(sent(asked(signed)).body).not.toHaveProperty("thinking")
    expect(sent(asked(signed)).notices).toHaveLength(2)
    const adaptive = { ...asked(signed), thinking: { type: "adaptive" } }
    expect(sent(adaptive).body["thinking"]).toEqual({ type: "adaptive" })
  })
})

const asked = (more: Partial<LlmRequest>, messages: ReadonlyArray<Message> = [said("user", "Hi")]): LlmRequest => ({
  model: "smart",
  messages,
  sampling: { maxOutputTokens: 100 },
  ...more
})
const said = (role: Message["role"], text: string): Message => ({ role, parts: [{ _tag: "Text", text }] })
const codes = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  encode(request, more).notices.map(({ code, message }) => `${code} ${message}`)

describe("a canonical request", () => {
  it("has its instructions apart and its turns alternate", () => {
    const request = asked({}, [
      said("system", "One."),
      said("developer", "Two."),
      said("user", "a"),
      said("user", "b"),
      said("assistant", "c"),
      said("system", "Later."),
      said("user", " "),
      said("assistant", "to be continued ")
    ])
    expect(encode(request).body).toMatchObject({
      system: [{ text: "One." }, { text: "Two." }],
      messages: [
        { role: "user", content: [{ text: "a" }, { text: "b" }] },
        { role: "assistant", content: [{ text: "c" }] },
        { role: "user", content: [{ text: "Later." }] },
        { role: "assistant", content: [{ text: "to be continued" }] }
      ]
    })
    expect(codes(request)).toEqual([expect.stringMatching(/^emulated instructions/)])
  })

  it("says tool calls and their results, whatever their ids look like", () => {
    const request = asked({}, [
      said("user", "go"),
      {
        role: "assistant",
        parts: [
          { _tag: "ToolCall", id: "functions.f:0", name: "f", arguments: '{"a":1}' },
          { _tag: "ToolCall", id: "call_2", name: "g", arguments: "" },
          { _tag: "ToolCall", id: "call_3", name: "g", arguments: '{"cut' }
        ]
      },
      {
        role: "tool",
        parts: [{ _tag: "ToolResult", callId: "functions.f:0", content: [{ _tag: "Text", text: "1" }] }]
      },
      { role: "tool", parts: [{ _tag: "ToolResult", callId: "call_2", content: [] }] },
      said("user", "and?")
    ])
    expect(encode(request).body["messages"]).toMatchObject([
      { role: "user" },
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "functions_f_0", input: { a: 1 } },
          { type: "tool_use", id: "call_2", input: {} },
          { type: "tool_use", id: "call_3", input: { arguments: '{"cut' } }
        ]
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "functions_f_0", content: [{ type: "text", text: "1" }] },
          { type: "tool_result", tool_use_id: "call_2" },
          { type: "text", text: "and?" }
        ]
      }
    ])
    expect(codes(request)).toEqual([expect.stringMatching(/^emulated the arguments of g/)])
  })

  it("keeps only the reasoning that this API signed", () => {
    const request = asked({}, [
      said("user", "go"),
      {
        role: "assistant",
        parts: [
          { _tag: "Reasoning", text: "theirs", origin: "openai-chat", signature: "s" },
          { _tag: "Reasoning", text: "unsigned", origin: "anthropic-messages" },
          { _tag: "Reasoning", text: "ours", origin: "anthropic-messages", signature: "s" },
          { _tag: "Text", text: "done" }
        ]
      }
    ])
    expect(encode(request).body["messages"]).toMatchObject([
      {},
      { content: [{ type: "thinking", thinking: "ours", signature: "s" }, { type: "text" }] }
    ])
    expect(codes(request)).toEqual([expect.stringMatching(/^dropped reasoning of an earlier turn/)])
  })

  it("refuses input that it would have to leave out", () => {
    const withMedia = (part: Message["parts"][number]) =>
      Result.getOrThrow(
        Result.flip(anthropicMessages.encode(asked({}, [{ role: "user", parts: [part] }]), contextOf()))
      )
    const audio = withMedia({
      _tag: "Media",
      kind: "audio",
      mediaType: "audio/wav",
      source: { _tag: "Base64", data: "" }
    })
    expect(audio.reason).toEqual({ _tag: "Unsupported", feature: "audio input" })
    const zip = withMedia({
      _tag: "Media",
      kind: "file",
      mediaType: "application/zip",
      source: { _tag: "Base64", data: "" }
    })
    expect(zip.reason).toEqual({ _tag: "Unsupported", feature: "files of the type application/zip" })
  })

  it("sends images and files", () => {
    const text = Buffer.from("häuser").toString("base64")
    const request = asked({}, [
      {
        role: "user",
        parts: [
          { _tag: "Media", kind: "image", source: { _tag: "Base64", data: "/9j/4AAQ" } },
          {
            _tag: "Media",
            kind: "file",
            filename: "a.txt",
            mediaType: "text/csv",
            source: { _tag: "Base64", data: text }
          },
          { _tag: "Media", kind: "file", filename: "a.pdf", source: { _tag: "Url", url: "https://example.com/a.pdf" } }
        ]
      }
    ])
    expect(encode(request).body["messages"]).toEqual([
      {
        role: "user",
        content: [
          { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "/9j/4AAQ" } },
          { type: "document", source: { type: "text", media_type: "text/plain", data: "häuser" }, title: "a.txt" },
          { type: "document", source: { type: "url", url: "https://example.com/a.pdf" }, title: "a.pdf" }
        ]
      }
    ])
  })

  it("asks what its last instruction says where it has nothing else", () => {
    const alone = asked({ messages: [said("system", "Be kind."), said("developer", "Write a poem.")] })
    expect(encode(alone).body).toMatchObject({
      system: [{ type: "text", text: "Be kind." }],
      messages: [{ role: "user", content: [{ type: "text", text: "Write a poem." }] }]
    })
    expect(codes(alone)).toEqual([expect.stringMatching(/^emulated instructions/)])
  })

  it("names what cannot be said", () => {
    const request = asked({
      sampling: { maxOutputTokens: 9, temperature: 1.5, seed: 1, choices: 2, logprobs: true, stopSequences: ["", "x"] },
      metadata: { a: 1 },
      extensions: { "openai-chat": { logit_bias: { 1: 2 }, prediction: {} } },
      responseFormat: { _tag: "Json" },
      serviceTier: "flex",
      tools: [{ _tag: "Provider", protocol: "openai-responses", name: "file_search", value: {} }]
    })
    expect(encode(request).body).toEqual({
      model: "claude",
      max_tokens: 9,
      temperature: 1,
      stop_sequences: ["x"],
      system: [{ type: "text", text: expect.stringContaining("JSON") }],
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }]
    })
    expect(codes(request).map((notice) => notice.replace(/:.*/, "").split(" ").slice(0, 3).join(" "))).toEqual([
      "dropped logit_bias",
      "dropped prediction",
      "dropped the tool",
      "emulated response_format json_object",
      "dropped metadata",
      "dropped seed",
      "dropped n",
      "dropped logprobs",
      "dropped a stop",
      "changed temperature 1.5",
      "dropped service_tier flex"
    ])
  })

  it("asks for 4,096 tokens where nobody set a limit, and says so", () => {
    const request = asked({ sampling: {} })
    expect(encode(request).body["max_tokens"]).toBe(4096)
    expect(codes(request)).toEqual([expect.stringMatching(/^dropped .*4096/)])
  })

  it("has tools and a choice among them", () => {
    const tools: LlmRequest["tools"] = [{ _tag: "Function", name: "f", cache: {} }]
    const choice = (more: Partial<LlmRequest>) => encode(asked({ tools, ...more })).body["tool_choice"]
    expect(encode(asked({ tools })).body["tools"]).toEqual([
      { name: "f", input_schema: { type: "object", properties: {} }, cache_control: { type: "ephemeral" } }
    ])
    expect(choice({})).toBeUndefined()
    expect(choice({ toolChoice: { _tag: "None" }, parallelToolCalls: false })).toEqual({ type: "none" })
    expect(choice({ toolChoice: { _tag: "Required" } })).toEqual({ type: "any" })
    expect(choice({ parallelToolCalls: false })).toEqual({ type: "auto", disable_parallel_tool_use: true })
    expect(encode(asked({ toolChoice: { _tag: "Auto" } })).body["tool_choice"]).toBeUndefined()
  })
})

describe("reasoning", () => {
  const settings = (more: Partial<LlmRequest>, context: Partial<EncodeContext> = {}) => {
    const { max_tokens, thinking, output_config, temperature, top_k } = encode(asked(more), context).body
    return { max_tokens, thinking, output_config, temperature, top_k }
  }
  const budget = (budget_tokens: number) => ({ type: "enabled", budget_tokens })

  it("is a budget for an effort, beside the output that nobody limited", () => {
    const low = settings({ sampling: {}, reasoning: { effort: "low" } })
    expect(low).toMatchObject({ max_tokens: 5120, thinking: budget(1024) })
    expect(settings({ sampling: {}, reasoning: { effort: "high" } })).toMatchObject({ thinking: budget(16_384) })
    expect(settings({ sampling: {}, reasoning: { effort: "none" } })).toMatchObject({ thinking: { type: "disabled" } })
  })

  it("fits into the limit that the caller set", () => {
    const more = { sampling: { maxOutputTokens: 4000 }, reasoning: { effort: "high" } }
    expect(settings(more)).toMatchObject({ max_tokens: 4000, thinking: budget(2000) })
    expect(codes(asked(more))).toEqual([expect.stringMatching(/^changed .*16384/)])
    const narrow = { sampling: { maxOutputTokens: 500 }, reasoning: { effort: "high" } }
    expect(settings(narrow)).toMatchObject({ max_tokens: 500, thinking: undefined })
    expect(codes(asked(narrow))).toEqual([expect.stringMatching(/^dropped reasoning/)])
  })

  it("forbids temperature and top_k, and gives way to a forced tool", () => {
    const sampling = { maxOutputTokens: 9000, temperature: 0.2, topK: 5 }
    const more = { sampling, reasoning: { budgetTokens: 2000 } }
    expect(settings(more)).toEqual({ max_tokens: 9000, thinking: budget(2000) })
    expect(codes(asked(more))).toHaveLength(2)
    const forced = { ...more, tools: [{ _tag: "Function", name: "f" }], toolChoice: { _tag: "Required" } } as const
    expect(settings(forced)).toMatchObject({ thinking: undefined, temperature: 0.2, top_k: 5 })
  })

  it("is an effort for models that decide themselves", () => {
    const adaptive = settings({ reasoning: { effort: "minimal" } }, { quirks: { adaptiveThinking: true } })
    expect(adaptive).toMatchObject({ thinking: { type: "adaptive" }, output_config: { effort: "low" } })
    const of = (model: string, reasoning: NonNullable<LlmRequest["reasoning"]>) => {
      const { thinking, output_config } = settings({ reasoning, sampling: {} }, { model })
      return {
        ...(thinking === undefined ? {} : { thinking }),
        ...(output_config === undefined ? {} : { output_config })
      }
    }
    const effort = (effort: string) => ({ thinking: { type: "adaptive" }, output_config: { effort } })
    expect(of("claude-sonnet-5", { effort: "high" })).toEqual(effort("high"))
    expect(of("claude-mythos-preview", { effort: "xhigh" })).toEqual(effort("xhigh"))
    expect(of("anthropic/claude-opus-4.7", { mode: "enabled", budgetTokens: 9000 })).toEqual(effort("high"))
    expect(of("claude-opus-4-6", { effort: "xhigh" })).toEqual(effort("high"))
    expect(of("claude-opus-5-5", { effort: "low", summary: "auto" })).toEqual({
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "low" }
    })
    expect(of("claude-sonnet-4-5-20250929", { mode: "adaptive" })).toEqual({ thinking: budget(4096) })
    expect(of("claude-3-5-haiku-20241022", { effort: "low" })).toEqual({})
  })

  it("shows of the thoughts what the caller wants to see, in any format", () => {
    const thinkingOf = (display: string) =>
      decode({ ...base, max_tokens: 9000, messages: [user("a")], thinking: { type: "adaptive", display } }).request
    const shown = { summarized: true, omitted: false }
    for (const [display, includeThoughts] of Object.entries(shown)) {
      const request = thinkingOf(display)
      const elsewhere = Result.getOrThrow(gemini.encode(request, contextOf({ model: "gemini-2.5-pro" })))
      expect(elsewhere.body["generationConfig"]).toMatchObject({ thinkingConfig: { includeThoughts } })
      expect(elsewhere.notices).toEqual([])
      for (const model of ["claude-sonnet-4-5", "claude-opus-4-8"]) {
        expect(encode(request, { model }).body["thinking"]).toMatchObject({ display })
      }
    }
  })

  it("shows none of the thoughts to who asks for an effort alone, in any format", () => {
    const { request } = decode({ ...base, messages: [user("a")], output_config: { effort: "low" } })
    const { body } = Result.getOrThrow(gemini.encode(request, contextOf({ model: "gemini-2.5-pro" })))
    expect(body["generationConfig"]).toMatchObject({ thinkingConfig: { includeThoughts: false, thinkingBudget: 1024 } })
    expect(encode(request, { model: "claude-opus-4-8" }).body).toMatchObject({ output_config: { effort: "low" } })
  })

  it("is left to the model where no more is said than that the thoughts are to be shown", () => {
    const request: LlmRequest = {
      model: "m",
      messages: [{ role: "user", parts: [{ _tag: "Text", text: "a" }] }],
      sampling: {},
      reasoning: { summary: "auto" }
    }
    expect(encode(request, { model: "claude-opus-4-8" }).body["thinking"]).toEqual({
      type: "adaptive",
      display: "summarized"
    })
    expect(encode(request, { model: "claude-sonnet-4-5" }).body["thinking"]).toMatchObject({ type: "enabled" })
  })

  it("is switched off as the model can be told", () => {
    const off = (model: string) => settings({ reasoning: { effort: "none" } }, { model })
    expect(off("claude-sonnet-4-5")).toMatchObject({ thinking: { type: "disabled" } })
    expect(off("claude-opus-4-8")).toMatchObject({ thinking: undefined, output_config: undefined })
    expect(off("claude-haiku-5-5")).toMatchObject({ thinking: { type: "disabled" } })
    expect(off("claude-sonnet-5-5")).toMatchObject({ thinking: { type: "between_tools" } })
    for (const model of ["claude-opus-5-5", "claude-fable-5"]) {
      expect(off(model)).toMatchObject({ thinking: undefined, output_config: { effort: "low" } })
      expect(encode(asked({ reasoning: { effort: "none" } }), { model }).notices).toHaveLength(1)
    }
  })

  it("calls a picture by the one name of its kind that the API knows", () => {
    const picture = {
      _tag: "Media",
      kind: "image",
      mediaType: "image/jpg",
      source: { _tag: "Base64", data: "AA==" }
    } as const
    const { body } = encode(asked({ messages: [{ role: "user", parts: [picture] }] }))
    expect(JSON.stringify(body["messages"])).toContain('"media_type":"image/jpeg"')
  })

  it("says in words that a tool failed which answered with a picture or nothing: such a failure is refused", () => {
    const picture = {
      _tag: "Media",
      kind: "image",
      mediaType: "image/png",
      source: { _tag: "Base64", data: "AA==" }
    } as const
    const failed = (...content: ToolResultPart["content"]): Message => ({
      role: "tool",
      parts: [{ _tag: "ToolResult", callId: "a", isError: true, content }]
    })
    const call: Message = { role: "assistant", parts: [{ _tag: "ToolCall", id: "a", name: "f", arguments: "{}" }] }
    const resultOf = (result: Message) => JSON.stringify(encode(asked({ messages: [call, result] })).body["messages"])
    expect(resultOf(failed({ _tag: "Text", text: "no" }, picture))).toContain('"text":"Error: no"')
    expect(resultOf(failed({ _tag: "Text", text: "no" }, picture))).not.toContain("is_error")
    expect(resultOf(failed({ _tag: "Text", text: "no" }))).toContain('"is_error":true')
    expect(resultOf(failed())).toContain('"text":"Error: the tool failed"')
  })

  it("gives way where the calls that are answered came without thoughts, which a budget wants", () => {
    const call: Message = { role: "assistant", parts: [{ _tag: "ToolCall", id: "a", name: "f", arguments: "{}" }] }
    const result: Message = { role: "tool", parts: [{ _tag: "ToolResult", callId: "a", content: [] }] }
    const signed = { _tag: "Reasoning", text: "hm", signature: "s", origin: "anthropic-messages" } as const
    const question: Message = { role: "user", parts: [{ _tag: "Text", text: "Go." }] }
    const thought: Message = { ...call, parts: [signed, ...call.parts] }
    const of = (messages: ReadonlyArray<Message>, model: string) =>
      settings({ messages, reasoning: { budgetTokens: 1024 }, sampling: {} }, { model }).thinking
    expect(of([question, thought, result, call, result], "claude-sonnet-4-5")).toEqual(budget(1024))
    expect(of([question, call, result, question, thought, result], "claude-sonnet-4-5")).toBeUndefined()
    expect(of([question, call, result, call, question], "claude-sonnet-4-5")).toEqual(budget(1024))
    expect(of([question, call, result], "claude-opus-4-6")).toMatchObject({ type: "adaptive" })
    const sampling = { maxOutputTokens: 9000 }
    const open = asked({ messages: [question, call, result], reasoning: { effort: "low" }, sampling })
    expect(codes(open)).toEqual([expect.stringMatching(/^dropped reasoning: the calls of tools before/)])
  })
})

describe("a model", () => {
  const body = (more: Partial<LlmRequest>, model: string) => encode(asked(more), { model }).body
  const said = (more: Partial<LlmRequest>, model: string) =>
    encode(asked(more), { model }).notices.map(({ code, message }) => `${code} ${message}`)

  it("that draws tokens in its own way is not told how", () => {
    const sampling = { maxOutputTokens: 9, temperature: 0.7, topP: 0.9, topK: 5 }
    expect(body({ sampling }, "claude-sonnet-4")).toMatchObject({ temperature: 0.7, top_p: 0.9, top_k: 5 })
    expect(body({ sampling }, "claude-sonnet-4-5")).toMatchObject({ temperature: 0.7, top_k: 5 })
    expect(said({ sampling }, "claude-sonnet-4-5")).toEqual([expect.stringMatching(/^dropped top_p/)])
    expect(body({ sampling: { topP: 0.9 } }, "claude-sonnet-4-5")).toMatchObject({ top_p: 0.9 })
    for (const model of ["claude-opus-4-7", "claude-sonnet-5", "claude-fable-5-2", "claude-haiku-5-5"]) {
      const { temperature, top_p, top_k, max_tokens } = body({ sampling }, model)
      expect({ temperature, top_p, top_k, max_tokens }).toEqual({ max_tokens: 9 })
      expect(said({ sampling }, model)).toHaveLength(3)
    }
    expect(said({ sampling: { maxOutputTokens: 9, temperature: 1, topP: 1 } }, "claude-sonnet-5")).toEqual([])
  })

  it("that cannot be made to call a tool is left the choice", () => {
    const tools = [{ _tag: "Function", name: "f" } as const]
    const choice = (toolChoice: NonNullable<LlmRequest["toolChoice"]>, model: string) =>
      body({ tools, toolChoice, parallelToolCalls: false }, model)["tool_choice"]
    expect(choice({ _tag: "Required" }, "claude-opus-5")).toMatchObject({ type: "any" })
    expect(choice({ _tag: "Required" }, "claude-haiku-5-5")).toMatchObject({ type: "any" })
    const auto = { type: "auto", disable_parallel_tool_use: true }
    for (const model of ["claude-opus-5-5", "claude-sonnet-5-5", "claude-mythos-5-1"]) {
      expect(choice({ _tag: "Tool", name: "f" }, model)).toEqual(auto)
      expect(choice({ _tag: "Required" }, model)).toEqual(auto)
      expect(choice({ _tag: "None" }, model)).toEqual({ type: "none" })
      expect(said({ tools, toolChoice: { _tag: "Required" } }, model)).toEqual([
        expect.stringMatching(/^changed the choice of a tool is left to the model/)
      ])
    }
  })

  it("may write as much as it can where nobody set a limit", () => {
    const unlimited = { sampling: {}, reasoning: { effort: "high" } }
    expect(body(unlimited, "claude-opus-5-5")).toMatchObject({ max_tokens: 128_000 })
    expect(body(unlimited, "claude-haiku-4-5-20251001")).toMatchObject({
      max_tokens: 64_000,
      thinking: { budget_tokens: 16_384 }
    })
    expect(said(unlimited, "claude-haiku-4-5-20251001")).toEqual([])
    expect(body({ sampling: {} }, "claude-3-haiku-20240307")).toMatchObject({ max_tokens: 4096 })
    expect(said({ sampling: {} }, "claude-3-haiku-20240307")).toEqual([
      expect.stringMatching(/^dropped an unlimited output/)
    ])
  })

  it("that is held to no schema is told it", () => {
    const schema = { type: "object", properties: { name: { type: "string" } }, additionalProperties: false }
    const responseFormat = { _tag: "JsonSchema", name: "city", schema } as const
    const tools = [{ _tag: "Function", name: "f", strict: true } as const]
    const older = body({ responseFormat, tools }, "claude-sonnet-4-20250514")
    expect(older["output_config"]).toBeUndefined()
    expect(older["system"]).toEqual([{ type: "text", text: expect.stringContaining('{"type":"object",') }])
    expect(older["tools"]).toEqual([{ name: "f", input_schema: { type: "object", properties: {} } }])
    expect(said({ responseFormat, tools }, "claude-sonnet-4-20250514")).toHaveLength(2)
    expect(said({ responseFormat, tools }, "claude-sonnet-4-5")).toEqual([])
  })
})

describe("an answer and the turn that brings it back", () => {
  it("are the same blocks", () => {
    const content = [
      { type: "thinking", thinking: "", signature: "sig" },
      { type: "text", text: "see", citations: [{ type: "page_location", cited_text: "c", document_index: 0 }] },
      { type: "mcp_tool_use", id: "mcptoolu_1", name: "echo", server_name: "s", input: { a: [1] } },
      { type: "mcp_tool_result", tool_use_id: "mcptoolu_1", is_error: false, content: [] },
      { type: "tool_use", id: "toolu_1", name: "f", input: {}, caller: { type: "direct" } }
    ]
    const answer = {
      id: "msg_1",
      model: "claude",
      content,
      stop_reason: "tool_use",
      usage: { input_tokens: 1, output_tokens: 2 }
    }
    const response = foldEvents(decodeWhole(anthropicMessages, Buffer.from(JSON.stringify(answer))).events)
    const context = { id: "", created: 0, request: asked({}), origin: undefined }
    const rendered = anthropicMessagesDialect.renderWhole(response, context, []) as { readonly content: Schema.Json }
    expect(rendered.content).toEqual(content)
    const { request } = decode({ ...base, messages: [user("x"), { role: "assistant", content: rendered.content }] })
    expect(encode(request).body["messages"]).toMatchObject([{}, { content }])
  })
})
