import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest, ToolResultPart } from "../../../src/domain/LlmRequest.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import { geminiDialect } from "../../../src/protocols/gemini/inbound.ts"
import { gemini } from "../../../src/protocols/gemini/outbound.ts"
import { geminiInteractions } from "../../../src/protocols/gemini-interactions/outbound.ts"
import type { JsonObject } from "../../../src/protocols/open-document.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { openAiResponses } from "../../../src/protocols/openai-responses/outbound.ts"
import type { EncodeContext, Protocol } from "../../../src/protocols/Protocol.ts"
import { corpusCases, corpusPresent } from "../corpus.ts"

const path = { model: "gemini-2.5-flash", delivery: "whole" } as const

const decode = (body: unknown): LlmRequest => Result.getOrThrow(geminiDialect.decode(body, path)).request

const encode = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(
    gemini.encode(request, { model: "gemini-2.5-flash", delivery: "whole", quirks: {}, origin: undefined, ...more })
  )

const user = (...parts: ReadonlyArray<JsonObject>) => ({ role: "user", parts })
const model = (...parts: ReadonlyArray<JsonObject>) => ({ role: "model", parts })
const ask = user({ text: "Hello" })

/** A request as it comes out of this format and goes into it again. */
const again = (body: unknown) => encode(decode(body))

describe.skipIf(!corpusPresent)("recorded requests of the Gemini API", () => {
  const requests = corpusCases("gemini").flatMap(({ name, request }) =>
    request === undefined ? [] : [{ name, request }]
  )

  it("are there", () => expect(requests.length).toBeGreaterThan(20))

  it.each(requests)("$name is written again without loss", ({ request }) => {
    const decoded = decode(request)
    const { body, notices } = encode(decoded)
    expect(notices).toEqual([])
    expect(decode(body)).toEqual(decoded)
  })
})

describe("a Gemini request", () => {
  it("takes its model and delivery from the path, and keeps both out of the body", () => {
    const { request, delivery } = Result.getOrThrow(
      geminiDialect.decode({ model: "models/other", contents: [ask] }, { model: "smart", delivery: "stream" })
    )
    expect([request.model, delivery]).toEqual(["smart", "stream"])
    const stream = encode(request, { delivery: "stream" })
    expect(stream.path).toBe("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse")
    expect(encode(request, { model: "tunedModels/mine" }).path).toBe("/v1beta/tunedModels/mine:generateContent")
    expect(stream.body).toEqual({ contents: [ask] })
  })

  it("goes on as it came where nobody changed it, apart from the model", () => {
    const body = { model: "models/other", contents: ask, safety_settings: [], future: { a: 1 } }
    const origin = { protocol: "gemini", body, text: JSON.stringify(body), headers: {} }
    const { model: _, ...rest } = body
    expect(encode(decode(body), { origin }).body).toEqual(rest)
  })

  it("may be written with underscores, nulls, and one for several", () => {
    const decoded = decode({
      contents: { parts: { text: "Hello" } },
      system_instruction: { parts: { text: "Be brief" } },
      generation_config: { max_output_tokens: 5, stop_sequences: "x", top_k: 3.0, seed: null },
      tools: { function_declarations: { name: "f", parameters_json_schema: { type: "object" } } },
      safety_settings: null
    })
    expect(decoded).toEqual({
      model: "gemini-2.5-flash",
      messages: [
        { role: "system", parts: [{ _tag: "Text", text: "Be brief" }] },
        { role: "user", parts: [{ _tag: "Text", text: "Hello" }] }
      ],
      tools: [{ _tag: "Function", name: "f", inputSchema: { type: "object" } }],
      sampling: { maxOutputTokens: 5, stopSequences: ["x"], topK: 3 }
    })
  })

  it("may have its numbers in quotes", () => {
    const generationConfig = {
      maxOutputTokens: "100",
      temperature: "0.5",
      topK: "40",
      seed: "-7",
      thinkingConfig: { thinkingBudget: "128" }
    }
    expect(decode({ contents: [ask], generationConfig })).toMatchObject({
      sampling: { maxOutputTokens: 100, temperature: 0.5, topK: 40, seed: -7 },
      reasoning: { budgetTokens: 128 }
    })
  })

  it("may have its pictures in the alphabet for addresses, which becomes the usual one", () => {
    const bytes = Buffer.from([0xfb, 0xef, 0xff, 0xfe])
    const picture = (data: string) => user({ inlineData: { mimeType: "image/png", data } })
    const plain = { source: { _tag: "Base64", data: bytes.toString("base64") } }
    for (const data of ["--___g==", bytes.toString("base64url"), bytes.toString("base64")]) {
      expect(decode({ contents: [picture(data)] }).messages).toMatchObject([{ parts: [plain] }])
    }
  })

  it("names the field that is wrong", () => {
    const failed = (body: unknown) => {
      const result = geminiDialect.decode(body, path)
      return Result.isFailure(result) ? [result.failure.reason, result.failure.message] : undefined
    }
    expect(failed({})?.[0]).toEqual({ _tag: "InvalidRequest", kind: "type", path: "contents" })
    expect(failed({ contents: [] })?.[0]).toEqual({ _tag: "InvalidRequest", kind: "type", path: "contents" })
    expect(failed({ contents: [user({ text: 1 })] })?.[0]).toEqual({
      _tag: "InvalidRequest",
      kind: "type",
      path: "contents[0].parts[0].text"
    })
    expect(failed({ contents: [ask], generationConfig: { maxOutputTokens: "1.5" } })?.[0]).toMatchObject({
      path: "generationConfig.maxOutputTokens"
    })
    expect(failed({ contents: [ask], generation_config: { temperature: "hot" } })?.[0]).toEqual({
      _tag: "InvalidRequest",
      kind: "type",
      path: "generationConfig.temperature"
    })
  })

  it("keeps every kind of part, with its signature on the part that carries it", () => {
    const contents = [
      user(
        { text: "Look", partMetadata: { a: 1 } },
        {
          inlineData: { mimeType: "image/png", data: "iVBORw==", displayName: "x.png" },
          mediaResolution: { level: "LOW" }
        },
        { fileData: { mimeType: "video/mp4", fileUri: "https://example.com/a.mp4" }, videoMetadata: { fps: 1 } },
        { fileData: { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc" } }
      ),
      model(
        { text: "Hm.", thought: true, thoughtSignature: "c2ln+/=" },
        { text: "I call", thoughtSignature: "dGV4dA==" },
        { functionCall: { id: "1", name: "f", args: { a: [1, null] } }, thoughtSignature: "Y2FsbA==" },
        { functionCall: { id: "2", name: "g", args: {}, future: true } },
        { executableCode: { language: "PYTHON", code: "1+1" }, thoughtSignature: "Y29kZQ==" },
        { codeExecutionResult: { outcome: "OUTCOME_OK", output: "2" } },
        { toolCall: { toolType: "FILE_SEARCH", id: "t" } },
        { text: "", thoughtSignature: "bGFzdA==" }
      ),
      user(
        { functionResponse: { id: "1", name: "f", response: { output: "plain" } } },
        {
          functionResponse: {
            id: "2",
            name: "g",
            response: { error: "broken" },
            parts: [{ inlineData: { mimeType: "image/jpeg", data: "/9j/" } }],
            scheduling: "SILENT"
          }
        }
      )
    ]
    expect(encode(decode({ contents }), { model: "gemini-3-flash" })).toMatchObject({ body: { contents }, notices: [] })
  })

  it("is one message where a client that streams gives every chunk back by itself", () => {
    const { messages } = decode({
      contents: [
        { role: "user", parts: [{ text: "Hi" }] },
        model({ text: "I", thought: true }),
        model({ text: " think", thought: true }),
        model({ text: "", thought: true, thoughtSignature: "c2ln" }),
        model({ text: "Let me" }),
        model({ text: " see." }),
        model({ functionCall: { id: "1", name: "f", args: {} } }, { functionCall: { id: "2", name: "f", args: {} } }),
        model({ text: "" }),
        { role: "user", parts: [{ text: "Well?" }] },
        model({ text: "Well" }, { text: "!" })
      ]
    })
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"])
    expect(messages[1]?.parts).toEqual([
      { _tag: "Reasoning", text: "I think", signature: "c2ln", origin: "gemini" },
      { _tag: "Text", text: "Let me see." },
      { _tag: "ToolCall", id: "1", name: "f", arguments: "{}" },
      { _tag: "ToolCall", id: "2", name: "f", arguments: "{}" }
    ])
    expect(messages[3]?.parts).toEqual([
      { _tag: "Text", text: "Well" },
      { _tag: "Text", text: "!" }
    ])
  })

  it("keeps what a function answered, whatever its shape", () => {
    const responses = [
      {},
      { output: "text" },
      { output: "" },
      { output: '{"a":1}' },
      { error: "text" },
      { error: { code: 1 } },
      { result: "105" },
      { output: "a", error: "b" },
      { a: { b: [] } }
    ]
    for (const response of responses) {
      const contents = [
        model({ functionCall: { id: "1", name: "f", args: {} } }),
        user({ functionResponse: { id: "1", name: "f", response } })
      ]
      expect(again({ contents }).body).toEqual({ contents })
    }
  })

  it("matches answers without ids to calls by name and order", () => {
    const { messages } = decode({
      contents: [
        ask,
        model(
          { functionCall: { name: "f" } },
          { functionCall: { name: "g", args: { a: 1 } } },
          { functionCall: { name: "f" } }
        ),
        user(
          { functionResponse: { name: "g", response: { output: "of g" } } },
          { functionResponse: { name: "f", response: { output: "of f" } } },
          { functionResponse: { name: "f", response: { output: "of f again" } } },
          { text: "and now" }
        ),
        model({ functionCall: { id: "own", name: "f" } }),
        user({ functionResponse: { id: "own", name: "f", response: {} } })
      ]
    })
    const calls = messages.flatMap(({ parts }) => parts.flatMap((part) => (part._tag === "ToolCall" ? [part.id] : [])))
    const results = messages.flatMap(({ role, parts }) =>
      parts.flatMap((part) => (part._tag === "ToolResult" ? [[role, part.callId]] : []))
    )
    expect(calls).toEqual(["call_0", "call_1", "call_2", "own"])
    expect(results).toEqual([
      ["tool", "call_1"],
      ["tool", "call_0"],
      ["tool", "call_2"],
      ["tool", "own"]
    ])
  })

  it("reads the older kind of schema as JSON Schema", () => {
    const parameters = {
      type: 6,
      properties: {
        a: { type: "STRING", nullable: true, enum: ["x"], format: "enum", max_length: "5" },
        b: { type: "ARRAY", items: { type: "INTEGER" }, minItems: "1" },
        c: { any_of: [{ type: "NUMBER" }, { type: "BOOLEAN" }], nullable: true },
        type: { type: "STRING" }
      },
      required: ["a"],
      propertyOrdering: ["a", "b"]
    }
    expect(again({ contents: [ask], tools: [{ functionDeclarations: [{ name: "f", parameters }] }] }).body).toEqual({
      contents: [ask],
      tools: [
        {
          functionDeclarations: [
            {
              name: "f",
              parametersJsonSchema: {
                type: "object",
                properties: {
                  a: { type: ["string", "null"], enum: ["x", null], maxLength: 5 },
                  b: { type: "array", items: { type: "integer" }, minItems: 1 },
                  c: { anyOf: [{ anyOf: [{ type: "number" }, { type: "boolean" }] }, { type: "null" }] },
                  type: { type: "string" }
                },
                required: ["a"],
                propertyOrdering: ["a", "b"]
              }
            }
          ]
        }
      ]
    })
  })

  it("keeps all settings", () => {
    const body = {
      contents: [ask],
      systemInstruction: { parts: [{ text: "Be brief" }] },
      tools: [
        { functionDeclarations: [{ name: "f", description: "F", behavior: "BLOCKING" }] },
        { googleSearch: {} },
        { urlContext: {} }
      ],
      toolConfig: {
        functionCallingConfig: { mode: "VALIDATED", allowedFunctionNames: ["f", "g"] },
        retrievalConfig: { languageCode: "de" }
      },
      generationConfig: {
        temperature: 0.5,
        topP: 0.9,
        topK: 3,
        candidateCount: 2,
        maxOutputTokens: 100,
        stopSequences: ["a", "b"],
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        seed: 7,
        responseLogprobs: true,
        logprobs: 3,
        responseMimeType: "application/json",
        responseJsonSchema: { type: "object", $defs: { a: {} } },
        thinkingConfig: { includeThoughts: true, thinkingBudget: 128 },
        responseModalities: ["TEXT"],
        speechConfig: { voiceConfig: {} },
        mediaResolution: "MEDIA_RESOLUTION_LOW"
      },
      safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
      cachedContent: "cachedContents/1",
      labels: { team: "a" },
      serviceTier: "flex"
    }
    expect(encode(decode(body), { model: "gemini-3-flash" })).toMatchObject({ body, notices: [] })
  })

  it("asks nobody else for contents that the provider holds", () => {
    expect(decode({ contents: [ask], cachedContent: null }).requires).toBeUndefined()
    expect(decode({ contents: [ask], cachedContent: "cachedContents/1" }).requires).toMatchObject({
      protocol: "gemini",
      feature: "cachedContent"
    })
  })

  it("asks nobody else to go on with an answer", () => {
    expect(decode({ contents: [ask], continuationToken: "dG9rZW4=" }).requires).toMatchObject({
      protocol: "gemini",
      feature: "continuationToken"
    })
  })

  it("may have the form of its answer in a list of forms", () => {
    const schema = { type: "object" }
    const formatOf = (responseFormat: unknown) => {
      const { responseFormat: read, extensions } = decode({ contents: [ask], generationConfig: { responseFormat } })
      return [read, extensions?.["gemini"]]
    }
    const json = { _tag: "JsonSchema", name: "output", schema }
    expect(formatOf([{ text: { mimeType: "application/json", schema } }])).toEqual([json, undefined])
    expect(formatOf({ text: { mime_type: "application/json", schema } })).toEqual([json, undefined])
    const several = [{ text: { mimeType: "text/plain" } }, { image: {} }]
    expect(formatOf(several)).toEqual([undefined, { generationConfig: { responseFormat: several } }])
  })

  it.each([
    { thinkingBudget: 0 },
    { thinkingBudget: -1 },
    { thinkingBudget: 512 },
    { thinkingLevel: "LOW" },
    { includeThoughts: true }
  ])("keeps how much to think: %j", (thinkingConfig) => {
    const body = { contents: [ask], generationConfig: { thinkingConfig } }
    expect(again(body).body).toEqual({
      contents: [ask],
      generationConfig: { thinkingConfig: { includeThoughts: false, ...thinkingConfig } }
    })
  })

  it.each([
    [{ mode: "AUTO" }, { _tag: "Auto" }],
    [{ mode: 2 }, { _tag: "Required" }],
    [{ mode: "NONE" }, { _tag: "None" }],
    [
      { mode: "ANY", allowedFunctionNames: ["f"] },
      { _tag: "Tool", name: "f" }
    ]
  ])("reads the choice of functions %j", (functionCallingConfig, choice) => {
    const decoded = decode({ contents: [ask], toolConfig: { functionCallingConfig } })
    expect(decoded.toolChoice).toEqual(choice)
    expect(decoded.extensions).toBeUndefined()
  })
})

const conversation = (more: Partial<LlmRequest>): LlmRequest => ({
  model: "smart",
  messages: [{ role: "user", parts: [{ _tag: "Text", text: "Hello" }] }],
  sampling: {},
  ...more
})

describe("a Gemini request, sent to another provider", () => {
  const sent = (body: JsonObject, protocol: Protocol = anthropicMessages) =>
    protocol.encode(decode({ contents: [ask], ...body }), {
      model: "claude-sonnet-4-5",
      delivery: "whole",
      quirks: {},
      origin: undefined
    })

  it.each([
    ["unspecified", undefined],
    ["standard", "standard_only"]
  ])("asks for the tier %s in that one's words", (serviceTier, other) => {
    const { body, notices } = Result.getOrThrow(sent({ serviceTier }))
    expect(body["service_tier"]).toBe(other)
    expect(notices.filter(({ message }) => message.includes("tier"))).toEqual([])
  })

  it.each([anthropicMessages, openAiChat, openAiResponses])(
    "is refused for a file that Google stores (%#)",
    (protocol) => {
      for (const fileUri of ["https://generativelanguage.googleapis.com/v1beta/files/x", "gs://bucket/x.png"]) {
        const contents = [user({ fileData: { mimeType: "image/png", fileUri } })]
        const refused = Result.getOrThrow(Result.flip(sent({ contents }, protocol)))
        expect(refused.reason).toEqual({ _tag: "Unsupported", feature: "a file that is stored with another provider" })
      }
    }
  )

  it.each([openAiChat, openAiResponses])("is refused for a film, which is no document (%#)", (protocol) => {
    const contents = [user({ inlineData: { mimeType: "video/mp4", data: "AAAA" } })]
    expect(Result.getOrThrow(Result.flip(sent({ contents }, protocol))).reason).toMatchObject({
      feature: "video input"
    })
  })

  it("shows thoughts only to who asks to see them", () => {
    const shownFor = (thinkingConfig: JsonObject) => {
      const encoded = Result.getOrThrow(sent({ generationConfig: { thinkingConfig } }, geminiInteractions))
      return (encoded.body["generation_config"] as JsonObject)["thinking_summaries"]
    }
    expect(shownFor({ thinkingLevel: "HIGH", includeThoughts: true })).toBe("auto")
    expect(shownFor({ thinkingLevel: "HIGH" })).toBe("none")
  })

  it("does not take what was drawn while the model thought for its answer", () => {
    const drawn = { inlineData: { mimeType: "image/png", data: "AAAA" }, thought: true, thoughtSignature: "c2ln" }
    const contents = [ask, model(drawn, { text: "b" }), ask]
    const { body, notices } = Result.getOrThrow(sent({ contents }))
    expect(body["messages"]).toMatchObject([{}, { content: [{ type: "text", text: "b" }] }, {}])
    expect(notices.map(({ message }) => message)).toContain("inlineData of gemini: the Messages API has no counterpart")
    expect(again({ contents }).body["contents"]).toEqual(contents)
  })
})

describe("a request of another format, sent to a Gemini model", () => {
  it("has the answers of functions that were called together in one turn, each under its function's name", () => {
    const { body } = encode(
      conversation({
        messages: [
          {
            role: "assistant",
            parts: [
              { _tag: "ToolCall", id: "a", name: "f", arguments: '{"x":1}' },
              { _tag: "ToolCall", id: "b", name: "g", arguments: "" }
            ]
          },
          { role: "tool", parts: [{ _tag: "ToolResult", callId: "a", content: [{ _tag: "Text", text: "sunny" }] }] },
          {
            role: "tool",
            parts: [{ _tag: "ToolResult", callId: "b", content: [{ _tag: "Text", text: "no" }], isError: true }]
          }
        ]
      })
    )
    expect(body["contents"]).toEqual([
      model(
        { functionCall: { id: "a", name: "f", args: { x: 1 } } },
        { functionCall: { id: "b", name: "g", args: {} } }
      ),
      user(
        { functionResponse: { id: "a", name: "f", response: { output: "sunny" } } },
        { functionResponse: { id: "b", name: "g", response: { error: "no" } } }
      )
    ])
  })

  it("has the answers of functions alone in their turn: what the user says beside them follows", () => {
    const answers = {
      role: "tool",
      parts: [{ _tag: "ToolResult", callId: "f", name: "f", content: [{ _tag: "Text", text: "ok" }] }]
    } as const
    const picture = { _tag: "Media", kind: "image", source: { _tag: "Base64", data: "AA==" } } as const
    const seen = { ...answers, parts: [{ ...answers.parts[0], content: [picture] }] }
    const says = { role: "user", parts: [{ _tag: "Text", text: "Go on" }] } as const
    const partsOf = (...messages: LlmRequest["messages"]) =>
      (encode(conversation({ messages })).body["contents"] as ReadonlyArray<{ parts: ReadonlyArray<JsonObject> }>).map(
        ({ parts }) => parts.map((part) => Object.keys(part)[0])
      )
    expect(partsOf(answers, answers, says)).toEqual([["functionResponse", "functionResponse"], ["text"]])
    expect(partsOf(says, answers)).toEqual([["text"], ["functionResponse"]])
    expect(partsOf(seen, answers, says)).toEqual([
      ["functionResponse", "functionResponse"],
      ["text", "inlineData", "text"]
    ])
  })

  it("says that a function failed even where that said nothing", () => {
    const failed = { _tag: "ToolResult", callId: "f", name: "f", isError: true, content: [] } as const
    const { body } = encode(conversation({ messages: [{ role: "tool", parts: [failed] }] }))
    expect(body["contents"]).toMatchObject([user({ functionResponse: { response: { error: "the tool failed" } } })])
  })

  it("shows what functions answered beside words where the model can see it", () => {
    const answer = (callId: string, ...content: ToolResultPart["content"]) => ({
      role: "tool" as const,
      parts: [{ _tag: "ToolResult" as const, callId, name: callId, content }]
    })
    const picture = {
      _tag: "Media",
      kind: "image",
      mediaType: "image/png",
      source: { _tag: "Base64", data: "AA==" }
    } as const
    const request = conversation({
      messages: [
        { role: "assistant", parts: [{ _tag: "ToolCall", id: "f", name: "f", arguments: "{}" }] },
        answer("f", { _tag: "Text", text: "look" }, picture),
        answer("g", { _tag: "Text", text: "done" })
      ]
    })
    const said = (id: string, output: string) => ({ functionResponse: { id, name: id, response: { output } } })
    const inlineData = { mimeType: "image/png", data: "AA==" }
    const older = encode(request, { model: "gemini-2.5-pro" })
    expect(older.body["contents"]).toMatchObject([
      { role: "model" },
      user(said("f", "look"), said("g", "done")),
      user({ text: "The answer of the function f contains:" }, { inlineData })
    ])
    expect(JSON.stringify(older.body).split("AA==")).toHaveLength(2)
    expect(older.notices.map(({ code }) => code)).toEqual(["emulated"])
    const [, answers, ...others] = encode(request, { model: "gemini-3-flash" }).body[
      "contents"
    ] as ReadonlyArray<unknown>
    expect(answers).toMatchObject(user({ functionResponse: { name: "f", parts: [{ inlineData }] } }, said("g", "done")))
    expect(others).toEqual([])
  })

  it("does not speak of penalties where there are none", () => {
    const sent = (frequencyPenalty: number) =>
      encode(conversation({ sampling: { temperature: 0, frequencyPenalty, presencePenalty: 0 } })).body
    expect(sent(0)["generationConfig"]).toEqual({ temperature: 0 })
    expect(sent(0.5)["generationConfig"]).toEqual({ temperature: 0, frequencyPenalty: 0.5 })
  })

  it.each([
    [7, 7, 0],
    [-7, -7, 0],
    [2 ** 31, -(2 ** 31), 1],
    [9_007_199_254_740_991, -1, 1],
    [1.5, 1, 1]
  ])("has a seed of 32 bits: %d is %d", (seed, sent, changes) => {
    const { body, notices } = encode(conversation({ sampling: { seed } }))
    expect(body["generationConfig"]).toEqual({ seed: sent })
    expect(notices.map(({ code }) => code)).toEqual(Array(changes).fill("changed"))
  })

  it("tells of the form of the answer in words where the model cannot be held to it beside functions", () => {
    const responseFormat = { _tag: "JsonSchema", name: "n", schema: { type: "object" } } as const
    const tools = [{ _tag: "Function", name: "f" }] as const
    const sent = (more: Partial<LlmRequest>, name: string) => {
      const { body, notices } = encode(conversation(more), { model: name })
      const told = JSON.stringify(body["systemInstruction"] ?? "").includes("JSON")
      return [told, body["generationConfig"] !== undefined, notices.map(({ code }) => code)]
    }
    expect(sent({ responseFormat, tools }, "gemini-2.5-flash")).toEqual([true, false, ["emulated"]])
    expect(sent({ responseFormat: { _tag: "Json" }, tools }, "gemini-2.5-flash")).toEqual([true, false, ["emulated"]])
    expect(sent({ responseFormat }, "gemini-2.5-flash")).toEqual([false, true, []])
    expect(sent({ responseFormat, tools }, "gemini-3.5-flash")).toEqual([false, true, []])
  })

  it("has its instruction in the user's words where the model takes no other", () => {
    const system = { role: "system", parts: [{ _tag: "Text", text: "Be brief" }] } as const
    const request = conversation({ messages: [system, ...conversation({}).messages] })
    const { body, notices } = encode(request, { model: "gemma-3-27b-it" })
    expect(body).toEqual({ contents: [user({ text: "Be brief" }, { text: "Hello" })] })
    expect(notices.map(({ code }) => code)).toEqual(["emulated"])
    expect(encode(request, { model: "gemma-4-31b-it" }).body).toHaveProperty("systemInstruction")
  })

  it.each([
    ["https://example.com/a.PNG?size=1", "image/png"],
    ["https://example.com/b.pdf", "application/pdf"],
    ["gs://bucket/c.mp4", "video/mp4"],
    ["https://www.youtube.com/watch?v=abc", undefined]
  ])("says what is at the address %s by its name: %s", (url, mimeType) => {
    for (const source of [{ _tag: "Url", url } as const, { _tag: "FileId", id: url } as const]) {
      const { body } = encode(
        conversation({ messages: [{ role: "user", parts: [{ _tag: "Media", kind: "file", source }] }] })
      )
      expect(body["contents"]).toEqual([user({ fileData: { ...(mimeType && { mimeType }), fileUri: url } })])
    }
  })

  it("says of calls that no thoughts led to them where the model wants their signature", () => {
    const request = conversation({
      messages: [
        {
          role: "assistant",
          parts: [
            { _tag: "Reasoning", text: "hm", signature: "theirs", origin: "elsewhere" },
            { _tag: "ToolCall", id: "a", name: "f", arguments: "{}" },
            { _tag: "ToolCall", id: "b", name: "f", arguments: "{}" }
          ]
        }
      ]
    })
    const calls = (name: string) => {
      const { body, notices } = encode(request, { model: name })
      return [
        JSON.stringify(body).split("skip_thought_signature_validator").length - 1,
        notices.map(({ code }) => code)
      ]
    }
    expect(calls("gemini-3-pro-preview")).toEqual([1, ["dropped", "emulated"]])
    expect(calls("gemini-2.5-pro")).toEqual([0, ["dropped"]])
    expect(JSON.stringify(encode(request).body)).not.toContain("theirs")
  })

  it.each([
    ["gemini-2.5-flash", { effort: "medium" }, { includeThoughts: true, thinkingBudget: 4096 }],
    ["gemini-3-flash", { effort: "medium" }, { includeThoughts: true, thinkingLevel: "MEDIUM" }],
    ["gemini-3-flash", { mode: "enabled", budgetTokens: 2000 }, { includeThoughts: true, thinkingLevel: "MEDIUM" }],
    ["my-own-tuning", { mode: "enabled", budgetTokens: 2000 }, { includeThoughts: true, thinkingBudget: 2000 }],
    ["gemini-2.5-pro", { budgetTokens: 40_000 }, { includeThoughts: true, thinkingBudget: 32_768 }],
    ["gemini-2.5-flash", { budgetTokens: 32_000 }, { includeThoughts: true, thinkingBudget: 24_576 }],
    ["gemini-2.5-flash-lite", { budgetTokens: 100 }, { includeThoughts: true, thinkingBudget: 512 }],
    ["gemini-3.5-flash", { effort: "minimal" }, { includeThoughts: true, thinkingLevel: "MINIMAL" }],
    ["gemini-3.5-flash-lite", { mode: "disabled" }, { thinkingLevel: "MINIMAL" }],
    ["gemini-3.8-flash", { effort: "minimal" }, { includeThoughts: true, thinkingLevel: "LOW" }],
    ["gemini-3.1-pro-preview", { effort: "minimal" }, { includeThoughts: true, thinkingLevel: "LOW" }],
    ["gemini-4-argon", { mode: "disabled" }, { thinkingLevel: "LOW" }],
    ["gemini-2.5-flash", { mode: "disabled" }, { thinkingBudget: 0 }],
    ["gemini-2.5-pro", { mode: "disabled" }, { thinkingBudget: 128 }],
    ["gemini-3-pro", { effort: "none" }, { thinkingLevel: "LOW" }],
    ["gemini-2.5-flash", { mode: "adaptive" }, { includeThoughts: true, thinkingBudget: -1 }],
    ["gemini-2.0-flash", { effort: "high" }, undefined]
  ] as const)("is thought about by %s as asked: %j", (name, reasoning, thinkingConfig) => {
    const { body } = encode(conversation({ reasoning }), { model: name })
    expect(body["generationConfig"]).toEqual(thinkingConfig === undefined ? undefined : { thinkingConfig })
  })

  it.each([
    ["gemini-2.5-flash", { budgetTokens: 32_000 }, 1],
    ["gemini-2.5-flash", { budgetTokens: 8000 }, 0],
    ["gemini-3.5-flash", { budgetTokens: 8000 }, 1],
    ["gemini-3.5-flash", { effort: "xhigh" }, 1],
    ["gemini-3.5-flash", { effort: "minimal" }, 0],
    ["gemini-3.1-pro-preview", { effort: "minimal" }, 1]
  ] as const)("says where %s thinks otherwise than asked: %j", (name, reasoning, changes) => {
    const { notices } = encode(conversation({ reasoning }), { model: name })
    expect(notices.map(({ code }) => code)).toEqual(Array(changes).fill("changed"))
  })

  it("says what had to be left out", () => {
    const { body, notices } = encode(
      conversation({
        messages: [
          { role: "system", parts: [{ _tag: "Text", text: "A" }] },
          {
            role: "user",
            name: "bob",
            parts: [
              { _tag: "Text", text: "Hi", cache: {} },
              { _tag: "Text", text: "" }
            ]
          },
          { role: "developer", parts: [{ _tag: "Text", text: "B" }] },
          { role: "assistant", parts: [{ _tag: "Opaque", protocol: "elsewhere", value: {} }] }
        ],
        tools: [
          { _tag: "Function", name: "f", strict: true },
          { _tag: "Provider", protocol: "elsewhere", name: "search", value: {} }
        ],
        parallelToolCalls: false,
        sampling: { stopSequences: ["1", "2", "3", "4", "5", "6"] },
        serviceTier: "scale",
        user: "u",
        metadata: { a: "b" },
        extensions: { elsewhere: { odd: 1 } }
      })
    )
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: "A" }] },
      contents: [user({ text: "Hi" }, { text: "B" })],
      tools: [{ functionDeclarations: [{ name: "f" }] }],
      generationConfig: { stopSequences: ["1", "2", "3", "4", "5"] }
    })
    expect(notices.map(({ message }) => message.split(":")[0])).toEqual([
      "odd",
      "metadata",
      "user",
      "the name of a message",
      "a cache marker",
      "instructions within the conversation are sent as words of the user",
      "a block of elsewhere",
      "strict",
      "the tool search",
      "parallel_tool_calls",
      "stop sequences",
      "service_tier scale"
    ])
  })

  it("is refused where what the target cannot see would change the question", () => {
    const part = { _tag: "Media", kind: "file", source: { _tag: "FileId", id: "file-1" } } as const
    const result = gemini.encode(conversation({ messages: [{ role: "user", parts: [part] }] }), {
      model: "gemini-2.5-flash",
      delivery: "whole",
      quirks: {},
      origin: undefined
    })
    expect(Result.isFailure(result) && result.failure.reason._tag).toBe("Unsupported")
  })
})

describe("counting the tokens of a request", () => {
  it("asks with the whole request and reads the total", () => {
    const { encode: encodeCount, read } = gemini.countTokens!
    const context = { model: "gemini-2.5-flash", delivery: "whole", quirks: {}, origin: undefined } as const
    const { path: asked, body } = Result.getOrThrow(encodeCount(decode({ contents: [ask] }), context))
    expect(asked).toBe("/v1beta/models/gemini-2.5-flash:countTokens")
    expect(body).toEqual({ generateContentRequest: { model: "models/gemini-2.5-flash", contents: [ask] } })
    expect(read({ totalTokens: 7, promptTokensDetails: [] })).toBe(7)
    expect(read({ error: {} })).toBeUndefined()
  })
})
