import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest, Message, Part } from "../../../src/domain/LlmRequest.ts"
import { openAiCompletions } from "../../../src/protocols/openai-completions/outbound.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"

const context: EncodeContext = { model: "davinci", delivery: "stream", quirks: {}, origin: undefined }

const said = (role: Message["role"], ...texts: ReadonlyArray<string>): Message => ({
  role,
  parts: texts.map((text) => ({ _tag: "Text", text }))
})
const asking = (more: Partial<LlmRequest> = {}): LlmRequest => ({
  model: "smart",
  messages: [said("user", "Once upon a")],
  sampling: { maxOutputTokens: 10 },
  ...more
})

const encode = (request: LlmRequest, more: Partial<EncodeContext> = {}) =>
  Result.getOrThrow(openAiCompletions.encode(request, { ...context, ...more }))
const bodyOf = (more: Partial<LlmRequest>) => encode(asking(more)).body
const promptOf = (...messages: ReadonlyArray<Message>) => bodyOf({ messages })["prompt"]
const noticesOf = (more: Partial<LlmRequest>) =>
  encode(asking(more)).notices.map(({ code, message }) => `${code} ${message}`)
const refusalOf = (more: Partial<LlmRequest>) =>
  Result.getOrThrow(Result.flip(openAiCompletions.encode(asking(more), context))).reason

describe("a request", () => {
  it("is a text to go on with", () => {
    const body = { model: "davinci", prompt: "Once upon a", max_tokens: 10 }
    expect(encode(asking())).toEqual({
      path: "/completions",
      headers: {},
      body: { ...body, stream: true, stream_options: { include_usage: true } },
      notices: []
    })
    expect(encode(asking(), { delivery: "whole" }).body).toEqual({ ...body, stream: false })
  })

  it("does not ask for usage where the server rejects that", () =>
    expect(encode(asking(), { quirks: { noStreamOptions: true } }).body).not.toHaveProperty("stream_options"))

  it("asks for more than the few tokens that the API would stop after", () => {
    expect(bodyOf({ sampling: {} })["max_tokens"]).toBe(1024)
    expect(noticesOf({ sampling: {} })).toEqual([
      "dropped an unlimited output: the Completions API stops after 16 tokens where nothing is said, and 1024 were asked for"
    ])
  })

  it("names its settings in its own way", () => {
    const sampling = {
      maxOutputTokens: 10,
      temperature: 0.5,
      topP: 0.9,
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      stopSequences: ["END"],
      choices: 2,
      logprobs: true,
      topLogprobs: 3
    }
    const extensions = { "openai-completions": { suffix: "the end", best_of: 3 } }
    const { body, notices } = encode(asking({ sampling, user: "u", extensions }))
    expect(body).toMatchObject({
      temperature: 0.5,
      top_p: 0.9,
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      stop: ["END"],
      n: 2,
      logprobs: 3,
      user: "u",
      suffix: "the end",
      best_of: 3
    })
    expect(notices).toEqual([])
  })

  it("says what it had to leave out", () => {
    expect(
      noticesOf({
        sampling: { maxOutputTokens: 1, topK: 5, logprobs: true, topLogprobs: 20 },
        serviceTier: "flex",
        metadata: { a: 1 },
        reasoning: { effort: "low" },
        extensions: { gemini: { safetySettings: [] } }
      })
    ).toEqual([
      "dropped safetySettings: the Completions API has no counterpart",
      "dropped reasoning: the Completions API has no counterpart",
      "dropped service_tier: the Completions API has no counterpart",
      "dropped metadata: the Completions API has no counterpart",
      "dropped top_k: the Completions API has no counterpart",
      "changed top_logprobs 20 is 5: the Completions API tells no more"
    ])
  })
})

describe("a conversation", () => {
  const conversation = [
    said("system", "Be brief."),
    said("user", "Hi", "there"),
    said("assistant", "Hel", "lo."),
    said("user", "Bye")
  ]

  it("is a text of labelled turns", () => {
    expect(promptOf(...conversation)).toBe(
      "Be brief.\n\nUser: Hi\nthere\n\nAssistant: Hello.\n\nUser: Bye\n\nAssistant:"
    )
    expect(noticesOf({ messages: conversation })).toEqual([
      "emulated the conversation is sent as one text with labelled turns"
    ])
  })

  it("ends before the user's next turn, which the model would go on with", () => {
    expect(bodyOf({ messages: conversation })["stop"]).toEqual(["\n\nUser:"])
    const stopSequences = ["a", "b", "c", "d"]
    expect(bodyOf({ messages: conversation, sampling: { stopSequences } })["stop"]).toEqual(stopSequences)
    expect(bodyOf({})).not.toHaveProperty("stop")
  })

  it("may end with the beginning of the answer", () =>
    expect(promptOf(said("user", "Count."), said("assistant", "One, two, "))).toBe(
      "User: Count.\n\nAssistant: One, two,"
    ))

  it("with an instruction is one, also of a single message of the user", () =>
    expect(promptOf(said("developer", "Rhyme."), said("user", "Cat"))).toBe("Rhyme.\n\nUser: Cat\n\nAssistant:"))

  it("says what of it is left out", () => {
    const parts: ReadonlyArray<Part> = [
      { _tag: "Reasoning", text: "Hm" },
      { _tag: "Opaque", protocol: "gemini", value: {} },
      { _tag: "Refusal", text: "No." }
    ]
    const messages: ReadonlyArray<Message> = [
      { role: "user", name: "Ada", parts: [] },
      { role: "assistant", parts }
    ]
    expect(promptOf(...messages)).toBe("User: \n\nAssistant: No.")
    expect(noticesOf({ messages }).slice(0, 3)).toEqual([
      "dropped the name of a message: the Completions API has no counterpart",
      "dropped reasoning of an earlier turn: the Completions API has no counterpart",
      "dropped a block of gemini: the Completions API has no counterpart"
    ])
  })
})

describe("what a text cannot be", () => {
  const source = { _tag: "Base64", data: "A" } as const
  const user = (part: Part): Message => ({ role: "user", parts: [part] })

  it.each([
    [{ tools: [{ _tag: "Function", name: "f" }] }, "tools"],
    [{ messages: [user({ _tag: "ToolCall", id: "c", name: "f", arguments: "{}" })] }, "tools"],
    [{ messages: [user({ _tag: "ToolResult", callId: "c", content: [] })] }, "tools"],
    [{ messages: [user({ _tag: "Media", kind: "image", source })] }, "images"],
    [{ messages: [user({ _tag: "Media", kind: "audio", source })] }, "audio input"],
    [{ messages: [user({ _tag: "Media", kind: "file", source })] }, "files"],
    [{ responseFormat: { _tag: "Json" } }, "response_format"],
    [{ responseFormat: { _tag: "JsonSchema", name: "n", schema: {} } }, "response_format"]
  ] satisfies ReadonlyArray<readonly [Partial<LlmRequest>, string]>)("is refused: %j", (more, feature) =>
    expect(refusalOf(more)).toEqual({ _tag: "Unsupported", feature })
  )

  it("may be left out where it was not to be used", () => {
    const request = { tools: [{ _tag: "Function", name: "f" }], toolChoice: { _tag: "None" } } as const
    expect(noticesOf(request)).toEqual([
      "dropped tools that must not be called: the Completions API has no counterpart"
    ])
    expect(noticesOf({ responseFormat: { _tag: "Text" }, reasoning: { effort: "none" } })).toEqual([])
  })
})
