import { Result, type Schema } from "effect"
import { describe, expect, it } from "vitest"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import type { LlmRequest, MediaPart, Message, Part } from "../../../src/domain/LlmRequest.ts"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { bedrockInvokeAnthropic } from "../../../src/protocols/bedrock-invoke-anthropic/outbound.ts"
import { traitsOf } from "../../../src/protocols/bedrock-converse/models.ts"
import { bedrockConverse } from "../../../src/protocols/bedrock-converse/outbound.ts"
import { bounded } from "../../../src/protocols/bounded.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"
import { decodeWhole } from "../corpus.ts"

const sonnet37 = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
const sonnet45 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
const opus46 = "us.anthropic.claude-opus-4-6-v1"
const opus48 = "us.anthropic.claude-opus-4-8"
const nova = "amazon.nova-lite-v1:0"
const llama = "us.meta.llama3-3-70b-instruct-v1:0"
const profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"

const contextOf = (more: Partial<EncodeContext> = {}): EncodeContext => ({
  model: sonnet45,
  delivery: "whole",
  quirks: {},
  origin: undefined,
  ...more
})
const encode = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(bedrockConverse.encode(request, contextOf(more)))
const refusal = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(Result.flip(bedrockConverse.encode(request, contextOf(more)))).reason

const said = (role: Message["role"], text: string): Message => ({ role, parts: [{ _tag: "Text", text }] })
const asked = (
  more: Partial<LlmRequest> = {},
  messages: ReadonlyArray<Message> = [said("user", "Hi")]
): LlmRequest => ({
  model: "smart",
  messages,
  sampling: {},
  ...more
})
const withParts = (...parts: ReadonlyArray<Part>): LlmRequest => asked({}, [{ role: "user", parts }])
const notices = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  encode(request, more).notices.map(({ code, message }) => `${code} ${message}`)

const call: Part = { _tag: "ToolCall", id: "t1", name: "f", arguments: '{"a":1}' }
const tool = { _tag: "Function", name: "f", description: "F", inputSchema: { type: "object" } } as const

describe("a request", () => {
  it("has the model in its path, also where that is an ARN", () => {
    const whole = encode(asked())
    expect(whole).toEqual({
      path: "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
      headers: {},
      body: { messages: [{ role: "user", content: [{ text: "Hi" }] }] },
      notices: []
    })
    const stream = encode(asked(), { delivery: "stream", model: profile })
    expect(stream.path).toBe(
      "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123/converse-stream"
    )
    expect(stream.headers).toEqual({ accept: "application/vnd.amazon.eventstream" })
    expect(stream.body).toEqual(whole.body)
  })

  it("has its instructions apart, and turns that alternate", () => {
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
    expect(encode(request).body).toEqual({
      system: [{ text: "One." }, { text: "Two." }],
      messages: [
        { role: "user", content: [{ text: "a" }, { text: "b" }] },
        { role: "assistant", content: [{ text: "c" }] },
        { role: "user", content: [{ text: "Later." }] },
        { role: "assistant", content: [{ text: "to be continued" }] }
      ]
    })
    expect(notices(request)).toEqual([expect.stringMatching(/^emulated instructions/)])
  })

  it("is begun by the user, also where the assistant greets or there are instructions alone", () => {
    const greeting = asked({}, [said("system", "Be kind."), said("assistant", "Hello!"), said("user", "Hi")])
    expect(encode(greeting).body).toEqual({
      system: [{ text: "Be kind." }],
      messages: [
        { role: "user", content: [{ text: "Begin." }] },
        { role: "assistant", content: [{ text: "Hello!" }] },
        { role: "user", content: [{ text: "Hi" }] }
      ]
    })
    expect(notices(greeting)).toEqual([expect.stringMatching(/^emulated a conversation that the assistant begins/)])
    const target = { model: sonnet45, delivery: "whole", quirks: {}, origin: undefined } as const
    const invoked = Result.getOrThrow(bedrockInvokeAnthropic.encode(greeting, target))
    expect(invoked.body["messages"]).toMatchObject([{ role: "user" }, { role: "assistant" }, { role: "user" }])
    expect(invoked.notices).toEqual([{ code: "emulated", message: expect.stringMatching(/^a conversation that/) }])
    const alone = asked({}, [said("system", "Be kind."), said("system", "Write a poem.")])
    expect(encode(alone).body).toEqual({
      system: [{ text: "Be kind." }],
      messages: [{ role: "user", content: [{ text: "Write a poem." }] }]
    })
    expect(notices(alone)).toEqual([expect.stringMatching(/^emulated instructions/)])
  })

  it("says how tokens are drawn", () => {
    const sampling = { maxOutputTokens: 9, temperature: 0.5, topP: 0.9, topK: 7, stopSequences: ["END", " "] }
    expect(encode(asked({ sampling }), { model: sonnet37 }).body).toMatchObject({
      inferenceConfig: { maxTokens: 9, temperature: 0.5, topP: 0.9, stopSequences: ["END"] },
      additionalModelRequestFields: { top_k: 7 },
      additionalModelResponseFieldPaths: ["/stop_sequence", "/delta/stop_sequence"]
    })
    expect(notices(asked({ sampling }), { model: sonnet37 })).toEqual([
      expect.stringMatching(/^dropped a stop sequence/)
    ])
    expect(encode(asked({ sampling }), { model: nova }).body["additionalModelRequestFields"]).toEqual({
      inferenceConfig: { topK: 7 }
    })
    const other = encode(asked({ sampling: { topK: 7, temperature: 1.5 } }), { model: llama })
    expect(other.body["inferenceConfig"]).toEqual({ temperature: 1 })
    expect(other.notices.map(({ code }) => code).toSorted()).toEqual(["changed", "dropped"])
  })

  it("is not told how tokens are drawn by models that refuse it", () => {
    const sampling = { temperature: 0.5, topP: 0.9, topK: 7 }
    expect(encode(asked({ sampling })).body["inferenceConfig"]).toEqual({ temperature: 0.5 })
    expect(notices(asked({ sampling }))).toEqual([expect.stringMatching(/^dropped top_p: .* not both/)])
    const body = encode(asked({ sampling }), { model: opus48 }).body
    expect(body).not.toHaveProperty("inferenceConfig")
    expect(body).not.toHaveProperty("additionalModelRequestFields")
    expect(notices(asked({ sampling }), { model: opus48 })).toHaveLength(3)
    expect(notices(asked({ sampling: { temperature: 1, topP: 1 } }), { model: opus48 })).toEqual([])
  })

  it("takes a tier, and metadata that the provider's logs can hold", () => {
    const metadata = { team: "blue", "no way": "ü", deep: { a: 1 } }
    const request = asked({ serviceTier: "flex", metadata })
    expect(encode(request).body).toMatchObject({ serviceTier: { type: "flex" }, requestMetadata: { team: "blue" } })
    expect(notices(request)).toEqual([
      expect.stringMatching(/^dropped metadata no way/),
      expect.stringMatching(/^dropped metadata deep/)
    ])
    const many = Object.fromEntries(Array.from({ length: 18 }, (_, at) => [`key-${at}`, "v"]))
    expect(Object.keys(encode(asked({ metadata: { ...many, "": "v" } })).body["requestMetadata"] as object)).toEqual(
      Object.keys(many).slice(0, 16)
    )
    expect(notices(asked({ metadata: many }))).toEqual([
      expect.stringMatching(/^dropped metadata key-16: the Converse API takes 16/),
      expect.stringMatching(/^dropped metadata key-17/)
    ])
    expect(encode(asked({ serviceTier: "standard_only" })).body["serviceTier"]).toEqual({ type: "default" })
    expect(encode(asked({ serviceTier: "auto" })).body).not.toHaveProperty("serviceTier")
  })

  it("has what only this format knows from its extension, and says what others kept", () => {
    const guardrailConfig = { guardrailIdentifier: "g", guardrailVersion: "1", trace: "enabled" }
    const own = {
      guardrailConfig,
      performanceConfig: { latency: "optimized" },
      additionalModelRequestFields: { anthropic_beta: ["x"] },
      inferenceConfig: { maxTokens: 5 }
    }
    const extensions = { "bedrock-converse": own, "openai-chat": { store: true } }
    const request = asked({ extensions, sampling: { topK: 3, maxOutputTokens: 9 } })
    expect(encode(request).body).toMatchObject({
      ...own,
      additionalModelRequestFields: { anthropic_beta: ["x"], top_k: 3 }
    })
    expect(notices(request)).toEqual([expect.stringMatching(/^dropped store/)])
  })

  it("reports whatever else cannot be said", () => {
    const request = asked({
      user: "u",
      serviceTier: "scale",
      parallelToolCalls: false,
      sampling: { seed: 1, frequencyPenalty: 1, presencePenalty: 1, choices: 2, logprobs: true, topLogprobs: 3 }
    })
    const dropped = notices(request).map((text) => /^dropped ([^:]+):/.exec(text)?.[1])
    expect(dropped.toSorted()).toEqual(
      [
        "frequency_penalty",
        "logprobs",
        "n",
        "presence_penalty",
        "seed",
        "service_tier scale",
        "top_logprobs",
        "user"
      ].toSorted()
    )
    expect(encode(request).body).toEqual({ messages: [{ role: "user", content: [{ text: "Hi" }] }] })
  })
})

describe("media", () => {
  const media = (more: Partial<MediaPart>): MediaPart => ({
    _tag: "Media",
    kind: "file",
    source: { _tag: "Base64", data: "AAAA" },
    ...more
  })
  const content = (...parts: ReadonlyArray<Part>) => {
    const [turn] = encode(withParts({ _tag: "Text", text: "Look" }, ...parts)).body["messages"] as ReadonlyArray<{
      readonly content: ReadonlyArray<Schema.Json>
    }>
    return turn!.content.slice(1)
  }
  const source = { bytes: "AAAA" }

  it("are images, sounds and films of known formats", () => {
    expect(
      content(
        media({ kind: "image", mediaType: "image/jpeg" }),
        media({ kind: "image", source: { _tag: "Base64", data: "R0lGODlh" } }),
        media({ kind: "audio", mediaType: "audio/wav" }),
        media({ mediaType: "video/mp4", source: { _tag: "Url", url: "s3://bucket/film.mp4" } })
      )
    ).toEqual([
      { image: { format: "jpeg", source } },
      { image: { format: "gif", source: { bytes: "R0lGODlh" } } },
      { audio: { format: "wav", source } },
      { video: { format: "mp4", source: { s3Location: { uri: "s3://bucket/film.mp4" } } } }
    ])
  })

  it("are documents with names that the API takes, each once", () => {
    const citations = { document: { citations: { enabled: true } } }
    expect(
      content(
        media({ filename: "my report_2.pdf", mediaType: "application/pdf" }),
        media({ filename: "my report_2.pdf", mediaType: "application/pdf" }),
        media({ mediaType: "text/plain; charset=utf-8", extensions: { "bedrock-converse": citations } }),
        media({ mediaType: "application/json", filename: "a.json" }),
        media({})
      )
    ).toEqual([
      { document: { format: "pdf", name: "my report-2", source } },
      { document: { format: "pdf", name: "my report-2 2", source } },
      { document: { format: "txt", name: "document", citations: { enabled: true }, source } },
      { document: { format: "txt", name: "a", source } },
      { document: { format: "pdf", name: "document 2", source } }
    ])
  })

  it("are what a caller of the Messages API says they are, where Claude is asked", () => {
    const citations = { enabled: true }
    const location = {
      type: "char_location",
      cited_text: "It",
      document_index: 0,
      start_char_index: 0,
      end_char_index: 2
    }
    const passages = [
      { type: "text", text: "a" },
      { type: "text", text: "b" }
    ]
    const body = {
      model: "m",
      max_tokens: 9,
      messages: [
        {
          role: "user",
          content: [
            {
              type: "document",
              source: { type: "base64", media_type: "application/pdf", data: source.bytes },
              title: "A.pdf",
              context: "c",
              citations
            },
            { type: "document", source: { type: "text", media_type: "text/plain", data: "It is." }, citations },
            { type: "document", source: { type: "content", content: passages }, title: "B" },
            { type: "search_result", source: "https://s", title: "T", content: passages, citations }
          ]
        },
        { role: "assistant", content: [{ type: "text", text: "Yes.", citations: [location] }] }
      ]
    }
    const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(body))
    const pieces = [{ text: "a" }, { text: "b" }]
    const sent = encode(request)
    expect(sent.body["messages"]).toEqual([
      {
        role: "user",
        content: [
          { document: { format: "pdf", name: "A", context: "c", citations, source } },
          { document: { format: "txt", name: "document", source: { text: "It is." }, citations } },
          { document: { format: "txt", name: "B", source: { content: pieces } } },
          { searchResult: { source: "https://s", title: "T", content: pieces, citations } },
          { text: "See the document." }
        ]
      },
      {
        role: "assistant",
        content: [
          {
            citationsContent: {
              content: [{ text: "Yes." }],
              citations: [
                {
                  sourceContent: [{ text: "It" }],
                  location: { documentChar: { documentIndex: 0, start: 0, end: 2 } }
                }
              ]
            }
          }
        ]
      }
    ])
    expect(sent.notices).toEqual([{ code: "emulated", message: expect.stringMatching(/^a document without a word/) }])
    const elsewhere = encode(request, { model: nova })
    expect(elsewhere.body["messages"]).toMatchObject([
      { content: [{ document: { name: "A" } }, { text: "It is." }, { text: "a\n\nb" }, { text: "a\n\nb" }] },
      { content: [{ text: "Yes." }] }
    ])
    expect(elsewhere.notices.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^citations/))
  })

  it("of a caller of the Messages API are cached to the end where it says so of the request", () => {
    const body = {
      model: "m",
      max_tokens: 9,
      cache_control: { type: "ephemeral", ttl: "1h" },
      messages: [
        { role: "user", content: "a" },
        { role: "assistant", content: [{ type: "tool_use", id: "t", name: "f", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "1" }] }
      ],
      tools: [{ name: "f", input_schema: { type: "object" } }]
    }
    const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(body))
    const { body: sent, notices } = encode(request)
    const messages = sent["messages"] as ReadonlyArray<{ readonly content: ReadonlyArray<unknown> }>
    expect(messages.map(({ content }) => content.length)).toEqual([1, 1, 2])
    expect(messages[2]?.content[1]).toEqual({ cachePoint: { type: "default", ttl: "1h" } })
    expect(sent).not.toHaveProperty("cache_control")
    expect(notices).toEqual([])
    const target = { model: sonnet45, delivery: "whole", quirks: {}, origin: undefined } as const
    const invoked = Result.getOrThrow(bedrockInvokeAnthropic.encode(request, target))
    expect(invoked.body).not.toHaveProperty("cache_control")
    expect(invoked.body["messages"]).toMatchObject([
      {},
      {},
      { content: [{ cache_control: { type: "ephemeral", ttl: "1h" } }] }
    ])
  })

  it("of which nothing is said get a word, where they are documents", () => {
    const request = withParts(media({ mediaType: "application/pdf" }))
    expect(encode(request).body["messages"]).toMatchObject([
      { content: [{ document: {} }, { text: "See the document." }] }
    ])
    expect(notices(request)).toEqual([expect.stringMatching(/^emulated a document/)])
  })

  it("that the provider would have to fetch, or does not know, are refused", () => {
    const url = { _tag: "Url", url: "https://example.com/a.png" } as const
    expect(refusal(withParts(media({ kind: "image", source: url })))).toEqual({
      _tag: "Unsupported",
      feature: "image input by URL"
    })
    expect(refusal(withParts(media({ source: { _tag: "FileId", id: "f" } })))).toMatchObject({ _tag: "Unsupported" })
    for (const mediaType of ["application/zip", "image/tiff", "audio/midi"]) {
      expect(refusal(withParts(media({ mediaType })))).toMatchObject({ feature: `files of the type ${mediaType}` })
    }
  })
})

describe("tools", () => {
  const result = (more: object = {}): Message => ({
    role: "tool",
    parts: [{ _tag: "ToolResult", callId: "t1", content: [{ _tag: "Text", text: "1" }], ...more }]
  })
  const talk = [said("user", "go"), { role: "assistant", parts: [call] } as const, result()]

  it("are declared, and one may be chosen", () => {
    const request = asked({ tools: [tool, { _tag: "Function", name: "g" }], toolChoice: { _tag: "Tool", name: "f" } })
    expect(encode(request).body["toolConfig"]).toEqual({
      tools: [
        { toolSpec: { name: "f", description: "F", inputSchema: { json: { type: "object" } } } },
        { toolSpec: { name: "g", inputSchema: { json: { type: "object", properties: {} } } } }
      ],
      toolChoice: { tool: { name: "f" } }
    })
    const choice = (toolChoice: LlmRequest["toolChoice"]) =>
      (
        encode(asked({ tools: [tool], toolChoice: toolChoice! })).body["toolConfig"] as
          | { toolChoice?: unknown }
          | undefined
      )?.toolChoice
    expect(choice({ _tag: "Required" })).toEqual({ any: {} })
    expect(choice({ _tag: "Auto" })).toBeUndefined()
    expect(encode(asked({ tools: [tool], toolChoice: { _tag: "None" } })).body).not.toHaveProperty("toolConfig")
  })

  it("of the provider are passed as they are, those of others are left out", () => {
    const tools = [
      { _tag: "Provider", protocol: "bedrock-converse", name: "g", value: { systemTool: { name: "nova_grounding" } } },
      { _tag: "Provider", protocol: "openai-responses", name: "web_search", value: {} }
    ] as const
    expect(encode(asked({ tools })).body["toolConfig"]).toEqual({ tools: [{ systemTool: { name: "nova_grounding" } }] })
    expect(notices(asked({ tools }))).toEqual([expect.stringMatching(/^dropped the tool web_search/)])
  })

  it("are called one at a time where Claude is asked for that", () => {
    const one = (more: Partial<LlmRequest>, model = sonnet45) =>
      encode(asked({ tools: [tool], parallelToolCalls: false, ...more }), { model })
    const fields = (more: Partial<LlmRequest>) => one(more).body["additionalModelRequestFields"]
    expect(fields({})).toEqual({ tool_choice: { type: "auto", disable_parallel_tool_use: true } })
    expect(fields({ toolChoice: { _tag: "Auto" } })).toEqual(fields({}))
    expect(fields({ toolChoice: { _tag: "Required" } })).toEqual({ tool_choice: { disable_parallel_tool_use: true } })
    expect(fields({ tools: [] })).toBeUndefined()
    expect(one({}).notices).toEqual([])
    expect(one({}, nova).notices).toEqual([{ code: "dropped", message: expect.stringMatching(/^parallel_tool_calls/) }])
  })

  it("are held to their schema where the model can be", () => {
    const closed = { type: "object", properties: {}, additionalProperties: false }
    const tools = [{ ...tool, inputSchema: closed, strict: true }]
    expect(encode(asked({ tools })).body).toMatchObject({
      toolConfig: { tools: [{ toolSpec: { inputSchema: { json: closed }, strict: true } }] }
    })
    expect(notices(asked({ tools }), { model: nova })).toEqual([expect.stringMatching(/^dropped strict/)])
  })

  it("were called, and answered, whatever the ids look like", () => {
    const long = `call_${"x".repeat(90)}`
    const request = asked({ tools: [tool] }, [
      said("user", "go"),
      {
        role: "assistant",
        parts: [call, { ...call, id: "functions.f:0", arguments: "" }, { ...call, id: long, arguments: '{"cut' }]
      },
      result(),
      { role: "tool", parts: [{ _tag: "ToolResult", callId: "functions.f:0", content: [], isError: true }] },
      {
        role: "tool",
        parts: [
          {
            _tag: "ToolResult",
            callId: long,
            content: [{ _tag: "Media", kind: "image", mediaType: "image/png", source: { _tag: "Base64", data: "AA" } }]
          }
        ]
      },
      said("user", "and?")
    ])
    const cut = bounded(long, 64)
    expect(cut).toMatch(/^call_x{50}_[0-9a-f]{8}$/)
    expect(encode(request).body["messages"]).toEqual([
      { role: "user", content: [{ text: "go" }] },
      {
        role: "assistant",
        content: [
          { toolUse: { toolUseId: "t1", name: "f", input: { a: 1 } } },
          { toolUse: { toolUseId: "functions_f_0", name: "f", input: {} } },
          { toolUse: { toolUseId: cut, name: "f", input: { arguments: '{"cut' } } }
        ]
      },
      {
        role: "user",
        content: [
          { toolResult: { toolUseId: "t1", content: [{ text: "1" }] } },
          { toolResult: { toolUseId: "functions_f_0", content: [{ text: "Error: the tool failed" }] } },
          { toolResult: { toolUseId: cut, content: [{ image: { format: "png", source: { bytes: "AA" } } }] } },
          { text: "and?" }
        ]
      }
    ])
    expect(notices(request)).toEqual([
      expect.stringMatching(/^emulated the arguments of f/),
      expect.stringMatching(/^emulated the failure of a tool/)
    ])
    expect(notices(request, { model: llama })).toContainEqual(expect.stringMatching(/^emulated the failure of a tool/))
  })

  it("that were called and are no longer there are declared anew, and not to be called", () => {
    const request = asked({}, talk)
    expect(encode(request).body).toMatchObject({
      system: [{ text: "Do not call any tool: answer in words." }],
      toolConfig: { tools: [{ toolSpec: { name: "f", inputSchema: { json: { type: "object" } } } }] }
    })
    expect(notices(request)).toEqual([expect.stringMatching(/^emulated the tool f/)])
    const none = asked({ tools: [tool], toolChoice: { _tag: "None" } }, talk)
    expect(encode(none).body).toMatchObject({
      system: [{}],
      toolConfig: { tools: [{ toolSpec: { description: "F" } }] }
    })
    expect(notices(none)).toEqual([expect.stringMatching(/^emulated tool_choice none/)])
  })
})

describe("media in the results of tools", () => {
  const image: Part = { _tag: "Media", kind: "image", mediaType: "image/png", source: { _tag: "Base64", data: "AAAA" } }
  const text: Part = { _tag: "Text", text: "ok" }
  const block = { image: { format: "png", source: { bytes: "AAAA" } } }
  const calls: ReadonlyArray<Part> = ["a", "b"].map((id) => ({ _tag: "ToolCall", id, name: "f", arguments: "{}" }))
  const request = asked({ tools: [tool] }, [
    said("user", "Look"),
    { role: "assistant", parts: calls },
    { role: "tool", parts: [{ _tag: "ToolResult", callId: "a", content: [image] }] },
    { role: "tool", parts: [{ _tag: "ToolResult", callId: "b", content: [text, image] }] },
    said("user", "Well?")
  ])
  const results = (model: string) =>
    (encode(request, { model }).body["messages"] as ReadonlyArray<{ readonly content: unknown }>)[2]?.content

  it.each([sonnet45, nova, profile])("stand in them with %s", (model) => {
    expect(results(model)).toEqual([
      { toolResult: { toolUseId: "a", content: [block] } },
      { toolResult: { toolUseId: "b", content: [{ text: "ok" }, block] } },
      { text: "Well?" }
    ])
  })

  it.each([llama, "openai.gpt-6-luna"])("follow them with %s, which takes texts alone there", (model) => {
    expect(results(model)).toEqual([
      { toolResult: { toolUseId: "a", content: [{ text: "It follows." }] } },
      { toolResult: { toolUseId: "b", content: [{ text: "ok" }] } },
      { text: "The result of the tool call a contains:" },
      block,
      { text: "The result of the tool call b contains:" },
      block,
      { text: "Well?" }
    ])
    expect(notices(request, { model })).toEqual([expect.stringMatching(/^emulated media in the result of a tool/)])
  })
})

describe("cache markers", () => {
  const cache = { ttl: "1h" }
  const request = asked({ tools: [{ ...tool, cache: {} }] }, [
    { role: "system", parts: [{ _tag: "Text", text: "One.", cache }] },
    { role: "user", parts: [{ _tag: "Text", text: "a", cache: { ttl: "5m" } }] }
  ])

  it("are points behind what they mark", () => {
    const point = { cachePoint: { type: "default" } }
    const { body } = encode(request)
    expect(body["system"]).toEqual([{ text: "One." }, { cachePoint: { type: "default", ttl: "1h" } }])
    expect(body["messages"]).toEqual([{ role: "user", content: [{ text: "a" }, point] }])
    expect((body["toolConfig"] as { readonly tools: unknown }).tools).toEqual([{ toolSpec: expect.anything() }, point])
    expect(notices(request)).toEqual([])
  })

  it("are left out for models that do not know them, and read for those whose name says nothing", () => {
    expect(notices(request, { model: llama })).toEqual([expect.stringMatching(/^dropped a cache marker/)])
    expect(JSON.stringify(encode(request, { model: llama }).body)).not.toContain("cachePoint")
    expect(JSON.stringify(encode(request, { model: profile }).body)).toContain("cachePoint")
  })

  it.each([
    ["anthropic.claude-3-haiku-20240307-v1:0", false],
    ["us.anthropic.claude-3-5-sonnet-20240620-v1:0", false],
    ["us.anthropic.claude-3-5-sonnet-20241022-v2:0", true],
    ["us.anthropic.claude-3-5-haiku-20241022-v1:0", true]
  ])("tell the older models of Claude apart: %s, %s", (model, caches) => {
    expect(JSON.stringify(encode(request, { model }).body).includes("cachePoint")).toBe(caches)
  })

  it.each([sonnet37, "anthropic.claude-opus-4-1-20250805-v1:0", nova])("are for five minutes with %s", (model) => {
    const { body, notices } = encode(request, { model })
    expect(body["system"]).toEqual([{ text: "One." }, { cachePoint: { type: "default" } }])
    expect(notices).toContainEqual({ code: "changed", message: "a cache marker for 1h is one for 5m" })
  })

  it("stand behind no tools of Nova, nor what is said by them", () => {
    const text = { _tag: "Text", text: "a" } as const
    const used = asked({ tools: [{ ...tool, cache: {} }] }, [
      said("user", "Hi"),
      { role: "assistant", parts: [{ _tag: "ToolCall", id: "c", name: "f", arguments: "{}", cache: {} }] },
      { role: "tool", parts: [{ _tag: "ToolResult", callId: "c", content: [text], cache: {} }] },
      { role: "user", parts: [{ ...text, cache: {} }] }
    ])
    const { body, notices } = encode(used, { model: nova })
    expect(body["toolConfig"]).toEqual({ tools: [{ toolSpec: expect.anything() }] })
    expect(body["messages"]).toMatchObject([
      {},
      { content: [{ toolUse: {} }] },
      { content: [{ toolResult: {} }, { text: "a" }, { cachePoint: { type: "default" } }] }
    ])
    expect(notices).toEqual([{ code: "dropped", message: expect.stringMatching(/^a cache marker: Nova/) }])
  })

  it("of a caller of the Messages API are for five minutes with older models over InvokeModel as well", () => {
    const over = (model: string) => Result.getOrThrow(bedrockInvokeAnthropic.encode(request, contextOf({ model })))
    expect(over(sonnet45).body["system"]).toMatchObject([{ cache_control: { type: "ephemeral", ttl: "1h" } }])
    const older = over(sonnet37)
    expect(older.body["system"]).toMatchObject([{ cache_control: { type: "ephemeral" } }])
    expect(JSON.stringify(older.body)).not.toContain("ttl")
    expect(older.notices).toContainEqual({ code: "changed", message: "a cache marker for 1h is one for 5m" })
  })
})

describe("reasoning of an earlier turn", () => {
  const turn = (...parts: ReadonlyArray<Part>) => asked({}, [said("user", "go"), { role: "assistant", parts }])
  const content = (request: LlmRequest, model = sonnet45) =>
    (encode(request, { model }).body["messages"] as ReadonlyArray<{ readonly content: unknown }>)[1]?.content

  it("goes back as it came, byte for byte", () => {
    const blocks = [
      { reasoningContent: { reasoningText: { text: "hm", signature: "s+/=" } } },
      { reasoningContent: { redactedContent: Buffer.from("EqMDCk+/==").toString("base64") } },
      { reasoningContent: { redactedContent: Buffer.of(0, 255, 7).toString("base64") } },
      { text: "done" }
    ]
    const body = { output: { message: { content: blocks } }, stopReason: "end_turn" }
    const { events } = decodeWhole(bedrockConverse, Buffer.from(JSON.stringify(body)))
    const parts = (foldEvents(events).choices[0]?.parts ?? []).flatMap((part): ReadonlyArray<Part> => {
      if (part._tag === "Text") return [{ _tag: "Text", text: part.text }]
      if (part._tag !== "Reasoning") return []
      const { id: _, ...reasoning } = part
      return [reasoning]
    })
    expect(content(turn(...parts))).toEqual(blocks)
    expect(notices(turn(...parts))).toEqual([])
  })

  it("of Claude is taken from the Messages API too, and of nobody else", () => {
    const signed = (origin?: string): Part => ({
      _tag: "Reasoning",
      text: "hm",
      signature: "s",
      ...(origin === undefined ? {} : { origin })
    })
    const text: Part = { _tag: "Text", text: "done" }
    expect(content(turn(signed("anthropic-messages"), text))).toHaveLength(2)
    const redacted: Part = { _tag: "Reasoning", text: "", redacted: "EqMD", origin: "anthropic-messages" }
    expect(content(turn(redacted, text))).toMatchObject([{ reasoningContent: { redactedContent: "RXFNRA==" } }, {}])
    expect(content(turn(signed("anthropic-messages"), text), profile)).toHaveLength(2)
    for (const model of [nova, llama, "deepseek.r1-v1:0"]) {
      expect(content(turn(signed("anthropic-messages"), text), model)).toHaveLength(1)
      expect(content(turn(signed("bedrock-converse"), text), model)).toHaveLength(1)
    }
    for (const part of [
      signed("gemini"),
      signed(),
      { _tag: "Reasoning", text: "hm", origin: "bedrock-converse" } as const
    ]) {
      expect(content(turn(part, text))).toEqual([{ text: "done" }])
      expect(notices(turn(part, text))).toEqual([expect.stringMatching(/^dropped reasoning of an earlier turn/)])
    }
  })
})

describe("an answer that was cut while the model thought", () => {
  const thought: Part = { _tag: "Reasoning", text: "hm", signature: "s", origin: "bedrock-converse" }
  const text: Part = { _tag: "Text", text: "So" }
  const request = asked({}, [
    said("user", "Hi"),
    { role: "assistant", parts: [thought] },
    said("user", "Go on"),
    { role: "assistant", parts: [text, thought] },
    said("user", "And?")
  ])
  const dropped = { code: "dropped", message: "reasoning of an earlier turn: nothing was said after it" }

  it("is none, and one that broke off in later thoughts is what it said before", () => {
    const { body, notices } = encode(request)
    expect(body["messages"]).toEqual([
      { role: "user", content: [{ text: "Hi" }, { text: "Go on" }] },
      { role: "assistant", content: [{ text: "So" }] },
      { role: "user", content: [{ text: "And?" }] }
    ])
    expect(notices).toEqual([dropped])
  })

  it("is so in the Messages API of Claude as well", () => {
    const { body, notices } = Result.getOrThrow(bedrockInvokeAnthropic.encode(request, contextOf()))
    expect(body["messages"]).toMatchObject([
      { role: "user", content: [{ text: "Hi" }, { text: "Go on" }] },
      { role: "assistant", content: [{ text: "So" }] },
      { role: "user", content: [{ text: "And?" }] }
    ])
    expect(notices).toContainEqual(dropped)
  })
})

describe("thinking", () => {
  const fields = (more: Partial<LlmRequest>, model: string) =>
    encode(asked(more), { model }).body["additionalModelRequestFields"]

  it("is a budget for older Claude models", () => {
    const enabled = (budget_tokens: number) => ({ thinking: { type: "enabled", budget_tokens } })
    expect(fields({ reasoning: { effort: "low" } }, sonnet37)).toEqual(enabled(1024))
    expect(fields({ reasoning: { mode: "enabled" } }, sonnet45)).toEqual(enabled(4096))
    expect(fields({ reasoning: { budgetTokens: 2000 } }, opus46)).toEqual(enabled(2000))
    const tight = { reasoning: { effort: "high" }, sampling: { maxOutputTokens: 4000 } }
    expect(fields(tight, sonnet45)).toEqual(enabled(2000))
    expect(notices(asked(tight))).toEqual([expect.stringMatching(/^changed the reasoning budget/)])
    expect(notices(asked({ ...tight, sampling: { maxOutputTokens: 1500 } }))).toEqual([
      expect.stringMatching(/^dropped reasoning/)
    ])
  })

  it("is an effort for newer ones, and where the deployment says so", () => {
    const adaptive = (effort: string) => ({ thinking: { type: "adaptive" }, output_config: { effort } })
    expect(fields({ reasoning: { effort: "minimal" } }, opus48)).toEqual(adaptive("low"))
    expect(fields({ reasoning: { effort: "high" } }, opus46)).toEqual(adaptive("high"))
    expect(fields({ reasoning: { mode: "adaptive" } }, opus46)).toEqual({ thinking: { type: "adaptive" } })
    expect(fields({ reasoning: { budgetTokens: 20_000 } }, opus48)).toEqual(adaptive("high"))
    expect(notices(asked({ reasoning: { budgetTokens: 9 } }), { model: opus48 })).toHaveLength(1)
    const named = encode(asked({ reasoning: { effort: "low" } }), {
      model: profile,
      quirks: { adaptiveThinking: true }
    })
    expect(named.body["additionalModelRequestFields"]).toEqual(adaptive("low"))
  })

  it.each([
    ["us.openai.gpt-oss-120b-1:0", "high", { reasoning_effort: "high" }],
    ["us.openai.gpt-oss-120b-1:0", "max", { reasoning_effort: "high" }],
    ["us.openai.gpt-oss-120b-1:0", "none", { reasoning_effort: "low" }],
    ["openai.gpt-5.5", "minimal", { reasoning_effort: "minimal" }],
    ["openai.gpt-5.6-terra", "max", { reasoning: { effort: "max" } }],
    ["openai.gpt-6-luna", "minimal", { reasoning: { effort: "low" } }],
    ["us.amazon.nova-2-lite-v1:0", "low", { reasoningConfig: { type: "enabled", maxReasoningEffort: "low" } }],
    ["us.amazon.nova-2-lite-v1:0", "xhigh", { reasoningConfig: { type: "enabled", maxReasoningEffort: "high" } }],
    ["us.amazon.nova-2-lite-v1:0", "none", { reasoningConfig: { type: "disabled" } }]
  ])("of %s at the effort %s is said in its own words", (model, effort, expected) => {
    expect(fields({ reasoning: { effort } }, model)).toEqual(expected)
    const isSaid = /"disabled"/.test(JSON.stringify(expected)) || JSON.stringify(expected).includes(`"${effort}"`)
    expect(notices(asked({ reasoning: { effort } }), { model })).toHaveLength(isSaid ? 0 : 1)
  })

  it("is not drawn as the caller likes by the models of OpenAI that reason", () => {
    const drawn = asked({ sampling: { maxOutputTokens: 9, temperature: 0.2, topP: 0.5 } })
    const gpt = { model: "us.openai.gpt-6-sol" }
    expect(encode(drawn, gpt).body["inferenceConfig"]).toEqual({ maxTokens: 9 })
    expect(notices(drawn, gpt)).toEqual([
      expect.stringMatching(/^dropped temperature/),
      expect.stringMatching(/^dropped top_p/)
    ])
    const usual = asked({ sampling: { temperature: 1, topP: 1 } })
    expect(encode(usual, gpt)).toMatchObject({ notices: [] })
    expect(encode(usual, gpt).body).not.toHaveProperty("inferenceConfig")
    expect(encode(drawn, { model: "openai.gpt-oss-20b-1:0" }).body["inferenceConfig"]).toMatchObject({
      temperature: 0.2
    })
  })

  it("of Nova is as much as it does within limits, and that of others follows a budget", () => {
    const lite = "us.amazon.nova-2-lite-v1:0"
    const limited = { reasoning: { effort: "high" }, sampling: { maxOutputTokens: 500 } }
    expect(fields(limited, lite)).toEqual({ reasoningConfig: { type: "enabled", maxReasoningEffort: "medium" } })
    expect(notices(asked(limited), { model: lite })).toEqual([
      expect.stringMatching(/^changed the effort high is medium/)
    ])
    const gpt = "openai.gpt-oss-20b-1:0"
    expect(fields({ reasoning: { budgetTokens: 20_000 } }, gpt)).toEqual({ reasoning_effort: "high" })
    expect(fields({ reasoning: { mode: "enabled" } }, gpt)).toEqual({ reasoning_effort: "medium" })
    expect(fields({ reasoning: { effort: "much" } }, gpt)).toBeUndefined()
    expect(fields({ reasoning: { effort: "low" } }, nova)).toBeUndefined()
  })

  it("can be switched off, and goes with neither a forced tool nor free drawing", () => {
    expect(fields({ reasoning: { effort: "none" } }, sonnet45)).toEqual({ thinking: { type: "disabled" } })
    const forced = asked({ reasoning: { effort: "low" }, tools: [tool], toolChoice: { _tag: "Required" } })
    expect(notices(forced)).toEqual([expect.stringMatching(/^dropped reasoning: a model that has to call/)])
    const drawn = asked({ reasoning: { effort: "low" }, sampling: { temperature: 0.2, topP: 0.5, topK: 3 } })
    expect(encode(drawn).body).not.toHaveProperty("inferenceConfig")
    expect(notices(drawn)).toHaveLength(3)
  })

  it("is kept short where the model cannot be told to leave it", () => {
    expect(fields({ reasoning: { effort: "none" } }, "global.anthropic.claude-opus-5-5")).toEqual({
      output_config: { effort: "low" }
    })
    expect(fields({ reasoning: { mode: "disabled" } }, "global.anthropic.claude-sonnet-5-5")).toEqual({
      thinking: { type: "between_tools" }
    })
  })

  it("gives way where the calls that are answered came without thoughts, which a budget wants", () => {
    const answered = (...thoughts: ReadonlyArray<Part>): ReadonlyArray<Message> => [
      said("user", "Go."),
      { role: "assistant", parts: [...thoughts, call] },
      { role: "tool", parts: [{ _tag: "ToolResult", callId: "t1", content: [{ _tag: "Text", text: "ok" }] }] }
    ]
    const signed: Part = { _tag: "Reasoning", text: "hm", signature: "s", origin: "bedrock-converse" }
    const thinking = (messages: ReadonlyArray<Message>, model: string) =>
      encode(asked({ reasoning: { budgetTokens: 2000 }, tools: [tool] }, messages), { model }).body[
        "additionalModelRequestFields"
      ]
    expect(thinking(answered(signed), sonnet45)).toMatchObject({ thinking: { type: "enabled" } })
    expect(thinking(answered(), sonnet45)).toBeUndefined()
    expect(thinking(answered(), opus46)).toMatchObject({ thinking: { type: "adaptive" } })
    const open = asked({ reasoning: { effort: "low" }, tools: [tool] }, answered())
    expect(notices(open)).toEqual([expect.stringMatching(/^dropped reasoning: the calls of tools/)])
  })

  it("is said to Claude in the words of its own API, where a caller of that API chose them", () => {
    const body = {
      model: "m",
      max_tokens: 9000,
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "max" },
      messages: [{ role: "user", content: "Hm?" }]
    }
    const headers = {
      "anthropic-beta": "interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20,claude-code-20250219"
    }
    const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(body, undefined, headers))
    const sent = encode(request, { model: opus48 })
    expect(sent.body["additionalModelRequestFields"]).toEqual({
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "max" },
      anthropic_beta: ["interleaved-thinking-2025-05-14", "tool-search-tool-2025-10-19"]
    })
    expect(sent.notices.map(({ message }) => message)).toEqual([
      "the beta claude-code-20250219: the provider does not know it"
    ])
    const { thinking: _, ...effort } = body
    const { request: alone } = Result.getOrThrow(anthropicMessagesDialect.decode(effort))
    expect(encode(alone, { model: opus48 }).body["additionalModelRequestFields"]).toEqual({
      output_config: { effort: "max" }
    })
  })

  it("of other models is said not to be known", () => {
    for (const model of [nova, llama, profile, "anthropic.claude-3-haiku-20240307-v1:0"]) {
      expect(notices(asked({ reasoning: { effort: "low" } }), { model })).toEqual([
        expect.stringMatching(/^dropped reasoning/)
      ])
      expect(notices(asked({ reasoning: { effort: "none" } }), { model })).toEqual([])
    }
  })
})

describe("the form of the answer", () => {
  const schema = { type: "object", properties: {}, additionalProperties: false }
  const format = { _tag: "JsonSchema", name: "city", description: "A city", schema } as const

  it("is a setting for models that can be held to it", () => {
    expect(encode(asked({ responseFormat: format }))).toMatchObject({
      body: {
        outputConfig: {
          textFormat: {
            type: "json_schema",
            structure: { jsonSchema: { name: "city", description: "A city", schema: JSON.stringify(schema) } }
          }
        }
      },
      notices: []
    })
  })

  it("is asked for in words elsewhere, which is said", () => {
    const told = (responseFormat: NonNullable<LlmRequest["responseFormat"]>, model: string) => {
      const { body, notices } = encode(asked({ responseFormat }, [said("system", "Be brief."), said("user", "Hi")]), {
        model
      })
      expect(notices).toMatchObject([{ code: "emulated" }])
      return (body["system"] as ReadonlyArray<{ readonly text: string }>).map(({ text }) => text)
    }
    expect(told(format, nova)).toEqual(["Be brief.", expect.stringMatching(/JSON Schema:\n\{"type":"object",.*\}$/)])
    expect(told({ _tag: "Json" }, sonnet45)).toEqual(["Be brief.", expect.stringMatching(/JSON object/)])
    expect(encode(asked({ responseFormat: { _tag: "Text" } })).notices).toEqual([])
  })
})

describe("a model", () => {
  it.each([
    ["anthropic.claude-v2:1", "claude", "none", false],
    ["anthropic.claude-3-5-sonnet-20241022-v2:0", "claude", "none", false],
    [sonnet37, "claude", "budget", false],
    ["eu.anthropic.claude-sonnet-4-20250514-v1:0", "claude", "budget", false],
    ["us.anthropic.claude-opus-4-1-20250805-v1:0", "claude", "budget", false],
    ["global.anthropic.claude-haiku-4-5-20251001-v1:0", "claude", "budget", true],
    [opus46, "claude", "either", true],
    [opus48, "claude", "effort", true],
    ["anthropic.claude-sonnet-5", "claude", "effort", true],
    ["arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-6", "claude", "either", true],
    ["us.amazon.nova-pro-v1:0", "nova", "none", false],
    [llama, "other", "none", false],
    ["arn:aws:bedrock:us-east-1::foundation-model/mistral.mistral-large-2407-v1:0", "other", "none", false],
    [profile, "unknown", "none", false]
  ])("%s is known by its id", (model, family, thinking, schemas) => {
    expect(traitsOf(model)).toMatchObject({ family, thinking, schemas })
  })
})
