import { Result, type Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest, Message, Part } from "../../../src/domain/LlmRequest.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { openAiResponsesDialect } from "../../../src/protocols/openai-responses/inbound.ts"
import { openAiResponses } from "../../../src/protocols/openai-responses/outbound.ts"
import { proofFor } from "../../../src/protocols/SealedReasoning.ts"
import { storedState } from "../../../src/protocols/openai-responses/stored-state.ts"

const own = "openai-responses"
type Body = { readonly [key: string]: Schema.Json }

const decode = (body: Body): LlmRequest =>
  Result.getOrThrow(openAiResponsesDialect.decode({ model: "smart", input: "hi", ...body })).request
const refusal = (body: Body) => {
  const decoded = openAiResponsesDialect.decode(body)
  return Result.isFailure(decoded) ? decoded.failure : undefined
}
const messagesOf = (input: Schema.Json) => decode({ input }).messages
const encode = (request: Partial<LlmRequest>, context: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(
    openAiResponses.encode(
      { model: "smart", messages: [], sampling: {}, ...request },
      { model: "gpt", delivery: "stream", quirks: {}, origin: undefined, ...context }
    )
  )
const toChat = (request: LlmRequest) =>
  openAiChat.encode(request, { model: "gpt", delivery: "stream", quirks: {}, origin: undefined })
const inputOf = (messages: ReadonlyArray<Message>) => encode({ messages }).body["input"]
const user = (...parts: ReadonlyArray<Part>): Message => ({ role: "user", parts })

describe("the input of a request", () => {
  it("may be a text, after the instructions", () => {
    expect(decode({ instructions: "Be brief." }).messages).toEqual([
      { role: "system", parts: [{ _tag: "Text", text: "Be brief." }] },
      { role: "user", parts: [{ _tag: "Text", text: "hi" }] }
    ])
  })

  it("holds texts, images, files and sounds", () => {
    const content = [
      { type: "input_text", text: "look" },
      { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "high" },
      { type: "input_image", file_id: "file-1" },
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,BBBB" },
      { type: "input_file", file_url: "https://example.com/a.pdf" },
      { type: "input_audio", input_audio: { data: "CCCC", format: "mp3" } },
      { type: "input_video", video: "x" }
    ]
    const [message] = messagesOf([{ role: "user", content }])
    expect(message?.parts).toEqual([
      { _tag: "Text", text: "look" },
      {
        _tag: "Media",
        kind: "image",
        mediaType: "image/png",
        source: { _tag: "Base64", data: "AAAA" },
        detail: "high"
      },
      { _tag: "Media", kind: "image", source: { _tag: "FileId", id: "file-1" } },
      {
        _tag: "Media",
        kind: "file",
        mediaType: "application/pdf",
        source: { _tag: "Base64", data: "BBBB" },
        filename: "a.pdf"
      },
      { _tag: "Media", kind: "file", source: { _tag: "Url", url: "https://example.com/a.pdf" } },
      { _tag: "Media", kind: "audio", mediaType: "audio/mpeg", source: { _tag: "Base64", data: "CCCC" } },
      { _tag: "Opaque", protocol: own, value: { type: "input_video", video: "x" } }
    ])
    const [item] = inputOf([message!]) as ReadonlyArray<Body>
    expect(item?.["content"]).toEqual(
      content.map((piece) => (piece.type === "input_image" ? { detail: "auto", ...piece } : piece))
    )
  })

  it("gathers what the model did in one turn", () => {
    const turn = [
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: "blob==" },
      {
        type: "message",
        role: "assistant",
        id: "msg_1",
        status: "completed",
        content: [{ type: "output_text", text: "I look.", annotations: [] }]
      },
      { type: "function_call", id: "fc_1", status: "completed", call_id: "call_1", name: "f", arguments: '{"a": 1}' },
      { type: "function_call", call_id: "call_2", name: "g", arguments: "{}" }
    ]
    const results = [
      { type: "function_call_output", call_id: "call_1", output: "fine" },
      {
        type: "function_call_output",
        call_id: "call_2",
        output: [{ type: "input_image", image_url: "https://e.com/i.png", detail: "low" }]
      }
    ]
    const messages = messagesOf([...turn, ...results])
    expect(messages.map(({ role }) => role)).toEqual(["assistant", "tool", "tool"])
    expect(messages[0]?.parts).toEqual([
      { _tag: "Reasoning", text: "Hm.", signature: "blob==", origin: own, extensions: { [own]: { id: "rs_1" } } },
      { _tag: "Text", text: "I look." },
      { _tag: "ToolCall", id: "call_1", name: "f", arguments: '{"a": 1}' },
      { _tag: "ToolCall", id: "call_2", name: "g", arguments: "{}" }
    ])
    expect(inputOf(messages)).toMatchObject([
      turn[0]!,
      { type: "message", role: "assistant", content: "I look." },
      { type: "function_call", call_id: "call_1", name: "f", arguments: '{"a": 1}' },
      turn[3]!,
      ...results
    ])
  })

  it("may hold calls without arguments, which others want to be an object", () => {
    const [message] = messagesOf([{ type: "function_call", call_id: "c", name: "f", arguments: "" }])
    expect(message?.parts).toEqual([{ _tag: "ToolCall", id: "c", name: "f", arguments: "{}" }])
  })

  it("keeps custom tools, hosted items and what is not known", () => {
    const items = [
      { type: "custom_tool_call", call_id: "c", name: "sql", input: "SELECT 1" },
      { type: "custom_tool_call_output", call_id: "c", output: "1" },
      { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "x" } },
      { type: "mcp_approval_response", approval_request_id: "a", approve: true },
      { type: "computer_call_output", call_id: "d", output: { type: "computer_screenshot", image_url: "u" } },
      { type: "message", role: "assistant", phase: "commentary", content: "first" },
      { type: "message", role: "assistant", phase: "final_answer", content: "second" },
      {
        type: "reasoning",
        summary: [
          { type: "summary_text", text: "a" },
          { type: "summary_text", text: "b" }
        ],
        encrypted_content: "e"
      },
      { type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "open thought" }] }
    ]
    expect(inputOf(messagesOf(items))).toEqual(items)
  })

  it("may hold what a tool says that no call asked for, which only servers of this format take", () => {
    for (const callId of [{}, { call_id: null }]) {
      const items = [{ type: "function_call_output", ...callId, name: "alarm", output: "It rings." }]
      const messages = messagesOf(items)
      expect(inputOf(messages)).toEqual(items)
      const elsewhere = toChat({ model: "smart", messages, sampling: {} })
      expect(Result.isFailure(elsewhere) && elsewhere.failure.message).toContain("function_call_output")
    }
  })

  it("names what another format leaves out of it", () => {
    const items = [
      { role: "user", content: "hi" },
      { role: "assistant", phase: "commentary", content: "I look." },
      { type: "file_search_call", id: "fs_1", queries: ["q"], status: "completed" },
      { type: "code_interpreter_call", id: "ci_1", code: "1", container_id: "c", status: "completed" },
      { role: "user", content: "go on" }
    ]
    const { notices } = Result.getOrThrow(toChat(decode({ input: items })))
    expect(notices.map(({ message }) => message.split(":")[0])).toEqual([
      "item.phase",
      "file_search_call of openai-responses",
      "code_interpreter_call of openai-responses"
    ])
  })

  it("says which field is wrong", () => {
    expect(refusal({ input: "x" })).toMatchObject({ message: "model is required", reason: { path: "model" } })
    expect(refusal({ model: "", input: "x" })).toMatchObject({
      message: "model is required",
      reason: { path: "model" }
    })
    expect(refusal({ model: "m" })).toMatchObject({ reason: { path: "input" } })
    expect(refusal({ model: "m", input: [{ role: "user" }] })?.message).toContain("input[0].content")
    expect(refusal({ model: "m", input: [{ type: "function_call_output", call_id: "c" }] })?.message).toContain(
      "input[0].output"
    )
    expect(refusal({ model: "m", input: "x", max_output_tokens: "many" })).toMatchObject({
      reason: { path: "max_output_tokens" }
    })
  })
})

describe("the settings of a request", () => {
  it("are canonical where there is a word for them, and kept where there is none", () => {
    const body = {
      max_output_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 3,
      include: ["message.output_text.logprobs", "reasoning.encrypted_content", "file_search_call.results"],
      parallel_tool_calls: false,
      reasoning: { effort: "low", summary: "auto" },
      text: {
        format: { type: "json_schema", name: "out", schema: { type: "object" }, strict: true },
        verbosity: "low"
      },
      tools: [
        {
          type: "function",
          name: "f",
          description: "d",
          parameters: { type: "object", properties: {}, additionalProperties: false },
          strict: true
        },
        { type: "web_search", search_context_size: "low" },
        { type: "custom", name: "sql" },
        { type: "mcp", server_label: "calendar" }
      ],
      tool_choice: { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "f" }] },
      metadata: { k: "v" },
      service_tier: "flex",
      user: "u",
      store: true,
      truncation: "auto",
      prompt_cache_key: "p",
      safety_identifier: "s"
    }
    const request = decode(body)
    expect(request).toMatchObject({
      sampling: { maxOutputTokens: 100, temperature: 0.5, topP: 0.9, logprobs: true, topLogprobs: 3 },
      parallelToolCalls: false,
      reasoning: { effort: "low", summary: "auto" },
      responseFormat: { _tag: "JsonSchema", name: "out", strict: true },
      toolChoice: { _tag: "Required" },
      serviceTier: "flex",
      user: "u",
      metadata: { k: "v" }
    })
    expect(request.tools?.map((tool) => [tool._tag, tool.name])).toEqual([
      ["Function", "f"],
      ["Provider", "web_search"],
      ["Function", "sql"],
      ["Provider", "calendar"]
    ])
    const { include, ...sent } = encode(request).body
    const { include: asked, ...rest } = body
    expect(sent).toMatchObject({ ...rest, model: "gpt" })
    expect(new Set(include as ReadonlyArray<string>)).toEqual(new Set(asked))
  })

  it.each([
    ["auto", { _tag: "Auto" }],
    ["none", { _tag: "None" }],
    ["required", { _tag: "Required" }],
    [
      { type: "function", name: "f" },
      { _tag: "Tool", name: "f" }
    ],
    [
      { type: "custom", name: "sql" },
      { _tag: "Tool", name: "sql" }
    ],
    [{ type: "file_search" }, undefined]
  ])("tool_choice %j", (choice, canonical) => {
    const request = decode({
      tool_choice: choice,
      tools: [
        { type: "function", name: "f" },
        { type: "custom", name: "sql" }
      ]
    })
    expect(request.toolChoice).toEqual(canonical)
    expect(encode(request).body["tool_choice"]).toEqual(choice)
  })

  it("may be said anew in the input: the last word counts", () => {
    const update = (more: Body): Body => ({ type: "configuration_update", ...more })
    const format = { type: "json_schema", name: "out", schema: { type: "object" }, strict: true }
    const input = [
      { type: "message", role: "user", content: "a" },
      update({ reasoning: { effort: "low" }, text: { format: { type: "text" } } }),
      { type: "message", role: "user", content: "b" },
      update({ text: { format } }),
      update({ reasoning: { effort: "high" } }),
      { type: "message", role: "user", content: "c" }
    ]
    const request = decode({ input, text: { format: { type: "json_object" } }, reasoning: { effort: "medium" } })
    expect(request).toMatchObject({
      reasoning: { effort: "high" },
      responseFormat: { _tag: "JsonSchema", name: "out" }
    })
    expect(encode(request).body).toMatchObject({ input, text: { format }, reasoning: { effort: "high" } })
  })

  it("have the tools that stand in the input, which others are told with the declared ones", () => {
    const parameters = { type: "object", properties: {} }
    const tool = (name: string) => ({ type: "function", name, parameters, strict: false })
    const crm = { type: "namespace", name: "crm", description: "d", tools: [tool("find")] }
    const input = [
      { type: "additional_tools", role: "developer", tools: [tool("extra"), { type: "web_search" }] },
      { type: "message", role: "user", content: "hi" },
      { type: "tool_search_call", call_id: "s", execution: "client", arguments: {}, status: "completed" },
      { type: "tool_search_output", call_id: "s", execution: "client", tools: [tool("declared"), crm] },
      { type: "function_call", call_id: "c", name: "find", namespace: "crm", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "found" }
    ]
    const request = decode({ input, tools: [tool("declared")], tool_choice: { type: "function", name: "extra" } })
    expect(request.tools?.map(({ name }) => name)).toEqual(["declared", "extra", "crm__find"])
    expect(encode(request).body).toMatchObject({ input, tools: [{ name: "declared" }], tool_choice: { name: "extra" } })
    expect((encode(request).body["tools"] as ReadonlyArray<unknown>).length).toBe(1)
    const { body } = Result.getOrThrow(toChat(request))
    expect(body["tools"]).toMatchObject(
      ["declared", "extra", "crm__find"].map((name) => ({ type: "function", function: { name } }))
    )
    expect(body["messages"]).toMatchObject([
      {},
      { tool_calls: [{ function: { name: "crm__find" } }] },
      { role: "tool" }
    ])
    const alone = encode(decode({ input: input.slice(0, 2), tool_choice: "required" })).body
    expect(alone).toMatchObject({ tool_choice: "required" })
    expect(alone).not.toHaveProperty("tools")
  })

  it("that are the API's own defaults, or null, are not kept", () => {
    expect(
      decode({ store: false, background: false, truncation: "disabled", previous_response_id: null }).extensions
    ).toBeUndefined()
  })
})

describe("what only the provider's store has", () => {
  it.each([
    ["previous_response_id", { previous_response_id: "resp_1" }, "send the whole input"],
    ["conversation", { conversation: { id: "conv_1" } }, "send the whole input"],
    ["prompt", { prompt: { id: "pmpt_1" } }, "send instructions and input"],
    ["background", { background: true }, "not stored"],
    ["prompt_cache_options.prewarm", { prompt_cache_options: { prewarm: true } }, "without an answer"],
    ["item_reference", { input: [{ type: "item_reference", id: "msg_1" }] }, "store: false"],
    ["compaction", { input: [{ type: "compaction", encrypted_content: "blob" }] }, "send all items"],
    ["compaction_trigger", { input: [{ type: "compaction_trigger" }] }, "makes conversations shorter"]
  ])("%s is refused with what to do instead", (feature, body, mend) => {
    const request = decode(body)
    expect(storedState(request)).toMatchObject({ feature, message: expect.stringContaining(mend) })
    expect(request.requires).toMatchObject({ protocol: "openai-responses", feature })
    // A server of this format has that store.
    expect(encode(request).body).toMatchObject(body)
  })

  it("is an item of which only the id is told, with its type or without", () => {
    const reference = { type: "item_reference", id: "msg_1" }
    for (const input of [[{ id: "msg_1" }], [{ id: "msg_1", type: null }]]) {
      const request = decode({ input })
      expect(storedState(request)).toMatchObject({ feature: "item_reference" })
      expect(encode(request).body["input"]).toEqual([reference])
    }
    expect(messagesOf([{ id: "msg_1", role: "assistant", content: "a" }])).toMatchObject([{ role: "assistant" }])
  })

  it("is nothing in an ordinary request", () => expect(storedState(decode({ store: true }))).toBeUndefined())
})

describe("encoding for a server of this format", () => {
  it("stores nothing and gives instructions their own field", () => {
    const { path, body, notices } = encode({
      messages: [{ role: "system", parts: [{ _tag: "Text", text: "Be brief." }] }, user({ _tag: "Text", text: "hi" })]
    })
    expect(path).toBe("/responses")
    expect(body).toEqual({
      model: "gpt",
      instructions: "Be brief.",
      input: [{ type: "message", role: "user", content: "hi" }],
      stream: true,
      store: false
    })
    expect(notices).toEqual([])
  })

  it("leaves it to the server whether it stores an answer where a caller of the API did", () => {
    expect(encode(decode({})).body).not.toHaveProperty("store")
    expect(encode(decode({ store: null })).body).not.toHaveProperty("store")
    expect(encode(decode({ store: false })).body).toMatchObject({ store: false })
    expect(encode(decode({ store: true })).body).toMatchObject({ store: true })
  })

  it("asks for the size of a request with what is counted alone", () => {
    const request = decode({ instructions: "Be brief.", temperature: 1, max_output_tokens: 5, include: ["x"] })
    const context = { model: "gpt", delivery: "whole", quirks: {}, origin: undefined } as const
    const { encode: encodeCount, read } = openAiResponses.countTokens!
    const { path, body } = Result.getOrThrow(encodeCount(request, context))
    expect(path).toBe("/responses/input_tokens")
    expect(Object.keys(body).toSorted()).toEqual(["input", "instructions", "model"])
    expect([read({ object: "response.input_tokens", input_tokens: 7 }), read({})]).toEqual([7, undefined])
  })

  it("tells a tool that does not say so not to be strict", () => {
    const { body } = encode({ tools: [{ _tag: "Function", name: "f" }] })
    expect(body["tools"]).toEqual([
      { type: "function", name: "f", parameters: { type: "object", properties: {} }, strict: false }
    ])
  })

  it("asks for encrypted reasoning only where the request speaks of reasoning", () => {
    expect(encode({}).body).not.toHaveProperty("include")
    expect(encode({ reasoning: { effort: "high" } }).body["include"]).toEqual(["reasoning.encrypted_content"])
    expect(encode({ reasoning: { effort: "none" } }).body).not.toHaveProperty("include")
    for (const model of ["gpt-5.5", "o4-mini", "openai/gpt-5-codex"]) {
      expect(encode({}, { model }).body["include"]).toEqual(["reasoning.encrypted_content"])
    }
    for (const model of ["gpt-4.1", "gpt-5-chat-latest", "gpt-oss-120b"]) {
      expect(encode({}, { model }).body).not.toHaveProperty("include")
    }
  })

  it.each([
    [1024, "low"],
    [4096, "medium"],
    [16_384, "high"]
  ])("a budget of %d tokens is the effort %s", (budgetTokens, effort) => {
    expect(encode({ reasoning: { budgetTokens } }).body["reasoning"]).toEqual({ effort })
  })

  it("sends back only reasoning of its own", () => {
    const reasoning = (origin?: string): Part => ({
      _tag: "Reasoning",
      text: "Hm.",
      signature: "sig",
      ...(origin === undefined ? {} : { origin })
    })
    const sent = (part: Part) => encode({ messages: [{ role: "assistant", parts: [part] }] })
    expect(sent(reasoning(own)).body).toMatchObject({
      input: [{ type: "reasoning", summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: "sig" }],
      include: ["reasoning.encrypted_content"]
    })
    for (const part of [reasoning("anthropic-messages"), reasoning()]) {
      expect(sent(part)).toMatchObject({ body: { input: [] }, notices: [{ code: "dropped" }] })
    }
  })

  it("says what it leaves out", () => {
    const { notices } = encode({
      messages: [
        { ...user({ _tag: "Text", text: "hi", cache: {} }), name: "ada" },
        { role: "assistant", parts: [{ _tag: "Opaque", protocol: "anthropic-messages", value: {} }] }
      ],
      sampling: { topK: 1, seed: 2, frequencyPenalty: 1, presencePenalty: 1, stopSequences: ["x"], choices: 2 },
      tools: [{ _tag: "Provider", protocol: "gemini", name: "google_search", value: {} }],
      extensions: { "anthropic-messages": { container: "c" } }
    })
    expect(notices.every(({ code }) => code === "dropped")).toBe(true)
    expect(notices.map(({ message }) => message.split(":")[0])).toEqual([
      "container",
      "the tool google_search",
      "the name of a message",
      "cache markers",
      "a block of anthropic-messages",
      "top_k",
      "seed",
      "frequency_penalty",
      "presence_penalty",
      "stop sequences",
      "n"
    ])
  })

  it.each([
    ["gpt-oss-120b", { _tag: "Url", url: "https://e.com/a.mp3" }, "audio that is not sent along"],
    ["gpt-5.5", { _tag: "Base64", data: "AAAA" }, "audio input"],
    ["gpt-oss-120b", { _tag: "Base64", data: "AAAA" }, undefined]
  ] as const)("refuses sound that it cannot send, or that OpenAI does not take: %s %j", (model, source, feature) => {
    const audio: Part = { _tag: "Media", kind: "audio", mediaType: "audio/wav", source }
    const encoded = openAiResponses.encode(
      { model: "smart", messages: [user(audio)], sampling: {} },
      { model, delivery: "stream", quirks: {}, origin: undefined }
    )
    if (feature === undefined) expect(Result.getOrThrow(encoded).notices).toEqual([])
    else expect(Result.isFailure(encoded) && encoded.failure.reason).toMatchObject({ _tag: "Unsupported", feature })
  })

  it("says that the name of a file is lost that is not sent along", () => {
    const file: Part = {
      _tag: "Media",
      kind: "file",
      filename: "a.pdf",
      source: { _tag: "Url", url: "https://e/a.pdf" }
    }
    expect(encode({ messages: [user(file)] }).notices).toMatchObject([
      { code: "dropped", message: expect.stringContaining("the name of a file") }
    ])
  })

  it("calls developers the system where the server does not know them", () => {
    const messages: ReadonlyArray<Message> = [{ role: "developer", parts: [{ _tag: "Text", text: "x" }] }]
    expect(encode({ messages }).body["input"]).toMatchObject([{ role: "developer" }])
    expect(encode({ messages }, { quirks: { noDeveloperRole: true } }).body["input"]).toMatchObject([
      { role: "system" }
    ])
  })
})

describe("a request that nobody changed", () => {
  const send = (body: Body, delivery: "stream" | "whole" = "whole") =>
    encode(decode(body), { delivery, origin: { protocol: own, body, text: "", headers: { "openai-beta": "x" } } })

  it("goes on as it came, but for the model", () => {
    const body = { model: "smart", input: [{ type: "item_reference", id: "msg_1" }], novelty: { a: null }, store: true }
    expect(send(body)).toEqual({
      path: "/responses",
      headers: { "openai-beta": "x" },
      body: { ...body, model: "gpt" },
      notices: []
    })
    expect(send({ ...body, stream: true }).body["stream"]).toBe(false)
    expect(send(body, "stream").body["stream"]).toBe(true)
  })

  it("leaves out reasoning that was sealed for the caller", () => {
    const sealed = proofFor(own, { signature: "sig", origin: "anthropic-messages" }) ?? ""
    const input = [
      { role: "user", content: "hi" },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: sealed },
      { role: "user", content: "go on" }
    ]
    expect(send({ model: "smart", input })).toMatchObject({
      body: { input: [input[0], input[2]] },
      notices: [{ code: "dropped" }]
    })
  })
})

describe("what a tool answered while the user went on", () => {
  const call = (id: string) => ({ type: "function_call", call_id: id, name: "f", arguments: "{}" })
  const answer = (id: string) => ({ type: "function_call_output", call_id: id, output: id })
  const user = (content: string) => ({ role: "user", content })

  it("stands right behind the calls, as other APIs want it", () => {
    const messages = messagesOf([
      user("Go."),
      call("1"),
      call("2"),
      answer("2"),
      user("Hurry."),
      answer("1"),
      user("Well?"),
      answer("nobody's")
    ])
    const told = messages.map(({ role, parts: [part] }) => (part?._tag === "ToolResult" ? part.callId : role))
    expect(told).toEqual(["user", "assistant", "2", "1", "user", "user", "nobody's"])
  })
})

describe("calls of tools that are this API's own and run at the client", () => {
  const called = [
    { type: "shell_call", id: "sh_1", call_id: "call_1", action: { commands: ["cat key"] }, status: "completed" },
    {
      type: "shell_call_output",
      call_id: "call_1",
      output: [{ stdout: "secret", stderr: "", outcome: { type: "exit", exit_code: 0 } }]
    },
    {
      type: "local_shell_call",
      id: "lsh_1",
      call_id: "call_2",
      action: { type: "exec", command: ["cat", "key"], env: {} }
    },
    { type: "local_shell_call_output", id: "call_2", output: "secret" },
    { type: "apply_patch_call", call_id: "call_3", operation: { type: "update_file", path: "a", diff: "+secret" } },
    { type: "apply_patch_call_output", call_id: "call_3", status: "completed" }
  ]
  const context = { model: "m", delivery: "whole", quirks: {}, origin: undefined } as const

  it("are calls and results to others, each with its words", () => {
    const request = decode({ input: called })
    expect(request.messages.map(({ role }) => role)).toEqual([
      "assistant",
      "tool",
      "assistant",
      "tool",
      "assistant",
      "tool"
    ])
    const { body, notices } = Result.getOrThrow(openAiChat.encode(request, context))
    expect(notices).toEqual([])
    const messages = JSON.stringify(body["messages"])
    for (const said of ["cat key", '\\"stdout\\":\\"secret\\"', "apply_patch", "+secret", "completed"]) {
      expect(messages).toContain(said)
    }
  })

  it("are the items that they were to this API", () => {
    expect(Result.getOrThrow(openAiResponses.encode(decode({ input: called }), context)).body["input"]).toEqual(called)
  })

  it("are said as a filter left them", () => {
    const { messages, ...rest } = decode({ input: called })
    const hidden = JSON.parse(JSON.stringify(messages), (key, value: unknown) =>
      typeof value === "string" && (key === "text" || key === "arguments") ? value.replaceAll("secret", "***") : value
    ) as typeof messages
    const { input } = Result.getOrThrow(openAiResponses.encode({ ...rest, messages: hidden }, context)).body
    expect(input).toEqual(JSON.parse(JSON.stringify(called).replaceAll("secret", "***")))
  })
})

describe("what a tool answered late", () => {
  const asks = (text: string) => ({ role: "user" as const, content: text })
  const called = (id: string) => ({ type: "function_call" as const, call_id: id, name: "look", arguments: "{}" })
  const answered = (id: string) => ({ type: "function_call_output" as const, call_id: id, output: id })
  const said = { role: "assistant" as const, content: "One moment" }

  const order = (input: Schema.Json) =>
    messagesOf(input).map(({ role, parts }) => {
      const [part] = parts
      return part?._tag === "ToolResult" ? `answer ${part.callId}` : role
    })

  it("stands behind its call, whoever spoke meanwhile", () => {
    expect(order([called("1"), asks("a"), answered("1")])).toEqual(["assistant", "answer 1", "user"])
    const spoken = [called("1"), asks("a"), said, answered("1"), asks("b")]
    expect(order(spoken)).toEqual(["assistant", "answer 1", "user", "assistant", "user"])
    const again = [called("1"), asks("a"), called("2"), answered("1"), answered("2")]
    expect(order(again)).toEqual(["assistant", "answer 1", "user", "assistant", "answer 2"])
  })
})
