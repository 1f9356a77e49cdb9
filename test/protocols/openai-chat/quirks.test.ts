import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest, Message, Part } from "../../../src/domain/LlmRequest.ts"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import type { Quirks } from "../../../src/protocols/Protocol.ts"
import { quirksFor } from "../../../src/providers/peculiar.ts"
import { presets } from "../../../src/providers/presets.ts"

type Fields = { readonly [key: string]: unknown }

const context = { model: "target", delivery: "whole", origin: undefined } as const

/** A request of another format, as a server with these quirks gets it. */
const told = (request: Partial<LlmRequest>, quirks: Quirks) =>
  Result.getOrThrow(
    openAiChat.encode({ model: "m", sampling: {}, messages: [asks("Hm?")], ...request }, { ...context, quirks })
  )

/** A request of this format that nobody changed, as a server with these quirks gets it. */
const passed = (body: Fields, quirks: Quirks) => {
  const document = { model: "m", messages: [{ role: "user", content: "Hm?" }], ...body }
  const { request } = Result.getOrThrow(openAiChatDialect.decode(document as never)) // a literal of the test
  const origin = { protocol: openAiChat.id, headers: {}, body: document as never, text: JSON.stringify(document) }
  return Result.getOrThrow(openAiChat.encode(request, { ...context, quirks, origin }))
}

const asks = (text: string): Message => ({ role: "user", parts: [{ _tag: "Text", text }] })
const answers = (...parts: ReadonlyArray<Part>): Message => ({ role: "assistant", parts })
const thought: Part = { _tag: "Reasoning", text: "Seven?", origin: "openai-chat" }
const call: Part = { _tag: "ToolCall", id: "toolu_01A", name: "look_up", arguments: "{}" }
const result: Part = { _tag: "ToolResult", callId: "toolu_01A", content: [{ _tag: "Text", text: "7" }] }

/** A loop of tools whose model thought before it called. */
const loop = [asks("Look it up."), answers(thought, call), { role: "tool", parts: [result] }] as const

const messagesOf = ({ body }: { readonly body: Fields }) => body["messages"] as ReadonlyArray<Fields>

describe("reasoning goes back to its server in the words that it takes", () => {
  it("as reasoning_content, unless something else is known", () => {
    expect(messagesOf(told({ messages: loop }, {}))[1]).toMatchObject({ reasoning_content: "Seven?" })
  })

  it.each(["groq", "cerebras"] as const)("as reasoning, without its details, to %s", (name) => {
    const proven: Part = { ...thought, signature: "s", origin: "openai-chat/anthropic-claude-v1" }
    for (const part of [thought, proven]) {
      const [, answer] = messagesOf(told({ messages: [asks("?"), answers(part, call)] }, presets[name].quirks))
      expect(answer).toEqual({ role: "assistant", content: null, reasoning: "Seven?", tool_calls: [expect.anything()] })
    }
  })

  it("as the beginning of the content to Mistral", () => {
    const text: Part = { _tag: "Text", text: "It is 7." }
    const request = told({ messages: [...loop, answers(thought, text), asks("Sure?")] }, presets.mistral.quirks)
    const thinking = { type: "thinking", thinking: [{ type: "text", text: "Seven?" }] }
    expect(messagesOf(request)[1]).toEqual({
      role: "assistant",
      content: [thinking],
      tool_calls: [expect.anything()]
    })
    expect(messagesOf(request)[3]).toEqual({
      role: "assistant",
      content: [thinking, { type: "text", text: "It is 7." }]
    })
  })

  it("and what has no words does not go where only words are taken, which is said", () => {
    const redacted: Part = { ...thought, text: "", redacted: "blob" }
    for (const name of ["groq", "mistral"] as const) {
      const request = told({ messages: [asks("?"), answers(redacted, call)] }, presets[name].quirks)
      expect(JSON.stringify(request.body)).not.toContain("blob")
      expect(request.notices).toMatchObject([{ code: "dropped" }])
    }
  })

  it.each(["deepseek", "moonshot"] as const)(
    "and %s, which wants some of every turn, is told that there was none",
    (name) => {
      const { quirks } = presets[name]
      for (const origin of ["openai-chat", "openai-chat/reasoning", "openai-chat/copilot"]) {
        const kept = told({ messages: [asks("?"), answers({ ...thought, origin }, call)] }, quirks)
        expect(messagesOf(kept)[1]).toMatchObject({ reasoning_content: "Seven?" })
      }
      const elsewhere: Part = { ...thought, origin: "anthropic-messages", signature: "s" }
      const request = told({ messages: [asks("?"), answers(elsewhere, call)] }, quirks)
      expect(messagesOf(request)[1]).toMatchObject({ reasoning_content: " ", tool_calls: [expect.anything()] })
      expect(request.notices.map(({ code }) => code)).toEqual(["dropped", "emulated"])
    }
  )
})

describe("a loop of tools in the server's own format", () => {
  const calling = {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }]
  }
  const messages = [{ role: "user", content: "Hm?" }, calling, { role: "tool", tool_call_id: "c", content: "7" }]
  const { quirks } = presets.deepseek

  it("is given the reasoning that its caller did not keep, as none", () => {
    expect(messagesOf(passed({ messages }, quirks))[1]).toEqual({ ...calling, reasoning_content: " " })
  })

  it("goes on as it came where the caller kept it, or wants no thinking", () => {
    const kept = messages.map((message) => (message === calling ? { ...calling, reasoning_content: "f." } : message))
    expect(messagesOf(passed({ messages: kept }, quirks))).toEqual(kept)
    expect(messagesOf(passed({ messages, thinking: { type: "disabled" } }, quirks))).toEqual(messages)
  })
})

describe("a server that decides by a switch whether to think", () => {
  it.each(["deepseek", "zai"] as const)("is told so: %s", (name) => {
    const { quirks } = presets[name]
    expect(told({}, quirks).body).not.toHaveProperty("thinking")
    expect(told({ reasoning: { mode: "disabled" } }, quirks)).toMatchObject({
      body: { thinking: { type: "disabled" } },
      notices: []
    })
    expect(told({ reasoning: { effort: "none" } }, quirks).body).toMatchObject({ thinking: { type: "disabled" } })
    expect(told({ reasoning: { mode: "enabled", budgetTokens: 20_000 } }, quirks).body).toMatchObject({
      thinking: { type: "enabled" },
      reasoning_effort: "high"
    })
  })
})

describe("a server that is told whether to think by an effort", () => {
  const quirks = quirksFor("qwen/qwen3-32b", presets.groq)

  it.each([
    [{ mode: "disabled" }, "none", []],
    [{ effort: "none" }, "none", []],
    [{ effort: "default" }, "default", []],
    [{ mode: "enabled" }, "default", []],
    [{ mode: "enabled", budgetTokens: 9000 }, "default", ["changed"]],
    [{ effort: "low" }, "default", ["changed"]],
    [{ mode: "adaptive" }, undefined, []]
  ] as const)("is told no more: %o", (reasoning, effort, codes) => {
    const { body, notices } = told({ reasoning }, quirks)
    expect(body["reasoning_effort"]).toBe(effort)
    expect(notices.map(({ code }) => code)).toEqual(codes)
  })

  it("is told so also by callers of its own format", () => {
    for (const effort of ["none", "default"]) {
      expect(passed({ reasoning_effort: effort }, quirks).body["reasoning_effort"]).toBe(effort)
    }
    expect(passed({ reasoning_effort: "high" }, quirks).body["reasoning_effort"]).toBe("default")
  })
})

describe("a server that refuses to be told how much to think", () => {
  it("is not, which is said, whoever asks", () => {
    const quirks = { noReasoningEffort: true } as const
    for (const { body, notices } of [
      told({ reasoning: { mode: "enabled", budgetTokens: 9000 } }, quirks),
      told({ reasoning: { effort: "low" } }, quirks),
      passed({ reasoning_effort: "low" }, quirks)
    ]) {
      expect(body).not.toHaveProperty("reasoning_effort")
      expect(notices).toMatchObject([{ code: "dropped", message: expect.stringContaining("reasoning_effort") }])
    }
  })
})

describe("a server whose models cannot be made to call a tool while they think", () => {
  const tools = [{ _tag: "Function", name: "look_up" }] as const
  const forced: ReadonlyArray<Partial<LlmRequest>> = [
    { tools, toolChoice: { _tag: "Required" } },
    { tools, toolChoice: { _tag: "Tool", name: "look_up" } }
  ]

  it.each(forced)("leaves it to them, and says so: %o", (request) => {
    const { body, notices } = told(request, presets.deepseek.quirks)
    expect(body).toMatchObject({ tool_choice: "auto" })
    expect(notices).toMatchObject([{ code: "changed" }])
  })

  it.each(forced)("makes them where they are told not to think: %o", (request) => {
    const { body, notices } = told({ ...request, reasoning: { mode: "disabled" } }, presets.deepseek.quirks)
    expect(body).toMatchObject({ thinking: { type: "disabled" }, tool_choice: expect.not.stringMatching("auto") })
    expect(notices).toEqual([])
  })

  it("leaves it to them also for callers of its own format", () => {
    const own = [{ type: "function", function: { name: "look_up" } }]
    const named = { type: "function", function: { name: "look_up" } }
    const { quirks } = presets.moonshot
    for (const choice of ["required", "any", named]) {
      expect(passed({ tools: own, tool_choice: choice }, quirks).body).toMatchObject({ tool_choice: "auto" })
    }
    for (const more of [{ tool_choice: "none" }, { tool_choice: "required", thinking: { type: "disabled" } }]) {
      expect(passed({ tools: own, ...more }, quirks).body).toMatchObject(more)
    }
  })
})

describe("a server that takes no choice of tools but auto", () => {
  const tools = [{ _tag: "Function", name: "look_up" }] as const
  const { quirks } = presets.zai

  it("leaves it to the model, whether that thinks or not", () => {
    for (const mode of ["enabled", "disabled"] as const) {
      const { body, notices } = told({ tools, toolChoice: { _tag: "Required" }, reasoning: { mode } }, quirks)
      expect(body).toMatchObject({ tool_choice: "auto" })
      expect(notices).toMatchObject([{ code: "changed" }])
    }
  })

  it("is offered none where none may be called", () => {
    const own = [{ type: "function", function: { name: "look_up" } }]
    for (const { body, notices } of [
      told({ tools, toolChoice: { _tag: "None" } }, quirks),
      passed({ tools: own, tool_choice: "none" }, quirks)
    ]) {
      expect(body).not.toHaveProperty("tools")
      expect(body).not.toHaveProperty("tool_choice")
      expect(notices).toMatchObject([{ code: "emulated" }])
    }
  })

  it("is told what it takes as it came", () => {
    const own = { tools: [{ type: "function", function: { name: "look_up", extra: 1 } }], tool_choice: "auto" }
    expect(passed(own, quirks).body).toMatchObject(own)
  })
})

describe("a server that cannot be told which tool to call", () => {
  const { quirks } = presets.lmstudio
  const one = { type: "function", function: { name: "look_up" } }

  it("is offered that one alone, and has to call it", () => {
    const tools = [
      { _tag: "Function", name: "look_up" },
      { _tag: "Function", name: "add" }
    ] as const
    const { body, notices } = told({ tools, toolChoice: { _tag: "Tool", name: "look_up" } }, quirks)
    expect(body).toMatchObject({ tools: [one], tool_choice: "required" })
    expect(notices).toMatchObject([{ code: "emulated" }])
    const own = [one, { type: "function", function: { name: "add" } }]
    expect(passed({ tools: own, tool_choice: one }, quirks).body).toMatchObject({
      tools: [one],
      tool_choice: "required"
    })
    expect(passed({ tools: own, tool_choice: "required" }, quirks).body).toMatchObject({ tools: own })
  })
})

describe("a model that thinks unless its caller says enable_thinking: false", () => {
  it("can be made to call a tool then", () => {
    const body = { tools: [{ type: "function", function: { name: "look_up" } }], tool_choice: "required" }
    const quirks = { ...presets.alibaba.quirks, noForcedCalls: true } as const
    expect(passed(body, quirks).body).toMatchObject({ tool_choice: "auto" })
    const unthinking = { ...body, enable_thinking: false, max_completion_tokens: 9 }
    expect(passed(unthinking, quirks).body).toMatchObject({
      ...body,
      enable_thinking: false,
      max_tokens: 9
    })
  })
})

describe("a server that knows no choice of one tool", () => {
  it("is offered that one alone, and made to call", () => {
    const tools = ["look_up", "write_down"].map((name) => ({ type: "function", function: { name } }))
    const choice = { type: "function", function: { name: "look_up" } }
    const { body } = passed({ tools, tool_choice: choice }, { noNamedCalls: true })
    expect(body).toMatchObject({ tools: tools.slice(0, 1), tool_choice: "required" })
  })
})

describe("turns", () => {
  const more = asks("And now?")
  const results: Message = { role: "user", parts: [result, ...more.parts] }

  it("have the model say something where the server wants that between results of tools and the user", () => {
    const { body, notices } = told({ messages: [...loop.slice(0, 2), results] }, presets.mistral.quirks)
    const roles = (body["messages"] as ReadonlyArray<Fields>).map(({ role, content }) => [role, content])
    expect(roles.slice(2)).toEqual([
      ["tool", "7"],
      ["assistant", "OK"],
      ["user", "And now?"]
    ])
    expect(notices).toMatchObject([{ code: "emulated" }])
    expect(messagesOf(told({ messages: [...loop.slice(0, 2), results] }, {}))).toHaveLength(4)
  })

  it("of one side are one where the server wants them to alternate", () => {
    const picture: Part = { _tag: "Media", kind: "image", source: { _tag: "Url", url: "https://a" } }
    const messages: ReadonlyArray<Message> = [
      { role: "system", parts: more.parts },
      { role: "system", parts: more.parts },
      asks("One"),
      asks("Two"),
      { role: "user", parts: [picture] },
      answers(...more.parts),
      asks("Three")
    ]
    const { body, notices } = told({ messages }, presets.perplexity.quirks)
    expect(body["messages"]).toEqual([
      { role: "system", content: "And now?" },
      { role: "system", content: "And now?" },
      {
        role: "user",
        content: [
          { type: "text", text: "One\n\nTwo" },
          { type: "image_url", image_url: { url: "https://a" } }
        ]
      },
      { role: "assistant", content: "And now?" },
      { role: "user", content: "Three" }
    ])
    expect(notices).toMatchObject([{ code: "changed" }])
  })

  it("are put into order for callers of the server's own format too, and left alone where they are in order", () => {
    const said = (...roles: ReadonlyArray<string>) => roles.map((role) => ({ role, content: role }))
    const { quirks } = presets.perplexity
    expect(messagesOf(passed({ messages: said("user", "user") }, quirks))).toEqual([
      { role: "user", content: "user\n\nuser" }
    ])
    const inOrder = said("system", "user", "assistant", "user")
    expect(messagesOf(passed({ messages: inOrder }, quirks))).toEqual(inOrder)
  })
})

describe("calls of tools without words", () => {
  it("have an empty text beside them where the server wants a content", () => {
    const { quirks } = presets.xai
    expect(messagesOf(told({ messages: loop }, quirks))[1]).toMatchObject({ content: "", tool_calls: [{}] })
    const own = {
      role: "assistant",
      tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }]
    }
    for (const content of [undefined, null, []]) {
      const asked = passed(
        {
          messages: [
            { role: "user", content: "Hm?" },
            { ...own, content }
          ]
        },
        quirks
      )
      expect(messagesOf(asked)[1]).toEqual({ ...own, content: "" })
    }
    expect(messagesOf(told({ messages: loop }, {}))[1]).toMatchObject({ content: null })
  })
})

describe("ids of tool calls", () => {
  it("are short where only short ones are taken, and calls and results still find each other", () => {
    const [, answer, tool] = messagesOf(told({ messages: loop }, presets.mistral.quirks))
    const calls = answer?.["tool_calls"] as ReadonlyArray<Fields>
    expect(calls[0]?.["id"]).toMatch(/^[a-z0-9]{9}$/)
    expect(tool?.["tool_call_id"]).toBe(calls[0]?.["id"])
  })

  it("stay as they are where they are short, and everywhere else", () => {
    const short = answers({ _tag: "ToolCall", id: "D681PevKs", name: "look_up", arguments: "{}" })
    for (const [message, quirks, id] of [
      [short, presets.mistral.quirks, "D681PevKs"],
      [answers(call), presets.openai.quirks, "toolu_01A"]
    ] as const) {
      expect(messagesOf(told({ messages: [asks("?"), message] }, quirks))[1]).toMatchObject({ tool_calls: [{ id }] })
    }
  })

  it("are different where they were", () => {
    const calls = Array.from({ length: 500 }, (_, at): Part => ({ ...call, id: `call_${at}` }))
    const [, answer] = messagesOf(told({ messages: [asks("?"), answers(...calls)] }, presets.mistral.quirks))
    const named = answer?.["tool_calls"] as ReadonlyArray<Fields>
    expect(new Set(named.map(({ id }) => id)).size).toBe(500)
  })
})

describe("what a server would refuse", () => {
  const asked: Partial<LlmRequest> = {
    messages: [{ ...asks("Hm?"), name: "ann" }],
    user: "u",
    serviceTier: "flex",
    sampling: { seed: 3, logprobs: true, topLogprobs: 2 }
  }

  it("is left out for it, and said", () => {
    const { body, notices } = told(asked, presets.mistral.quirks)
    expect(body).toEqual({ model: "target", messages: [{ role: "user", content: "Hm?" }], random_seed: 3 })
    expect(notices.map(({ message }) => message.split(":")[0])).toEqual([
      "the name of a message",
      "logprobs",
      "top_logprobs",
      "service_tier",
      "user"
    ])
  })

  it("goes to others", () => {
    expect(told(asked, {}).body).toEqual({
      model: "target",
      messages: [{ role: "user", content: "Hm?", name: "ann" }],
      user: "u",
      service_tier: "flex",
      seed: 3,
      logprobs: true,
      top_logprobs: 2
    })
    const biased = passed({ logit_bias: { 50256: -100 }, temperature: 0.5 }, presets.groq.quirks)
    expect(biased.body).toEqual({ model: "target", messages: [{ role: "user", content: "Hm?" }], temperature: 0.5 })
    expect(biased.notices).toMatchObject([{ code: "dropped", message: expect.stringContaining("logit_bias") }])
    expect(told(asked, presets.groq.quirks).body).toEqual({
      model: "target",
      messages: [{ role: "user", content: "Hm?" }],
      user: "u",
      service_tier: "flex",
      seed: 3
    })
  })
})

describe("how tokens are drawn", () => {
  const sampling = { temperature: 0.5, topP: 0.9, frequencyPenalty: 0.1, presencePenalty: 0.2, stopSequences: ["."] }
  const own = { temperature: 0.5, top_p: 0.9, frequency_penalty: 0.1, presence_penalty: 0.2, stop: ["."] }

  it.each([
    ["grok-4", presets.xai, { temperature: 0.5, top_p: 0.9 }],
    ["grok-4.20-non-reasoning", presets.xai, { temperature: 0.5, top_p: 0.9, stop: ["."] }],
    ["kimi-k2.6", presets.moonshot, { stop: ["."] }],
    ["moonshot-v1-8k", presets.moonshot, own]
  ])("is said to %s as far as it takes it, and what is left out is told", (model, preset, taken) => {
    const quirks = quirksFor(model, preset)
    for (const { body, notices } of [told({ sampling }, quirks), passed(own, quirks)]) {
      expect(body).toEqual({ model: "target", messages: [{ role: "user", content: "Hm?" }], ...taken })
      expect(notices).toHaveLength(Object.keys(own).length - Object.keys(taken).length)
    }
  })
})

describe("an answer in JSON", () => {
  const inJson: Partial<LlmRequest> = { responseFormat: { _tag: "Json" } }

  it("is held to the schema of any object by a server that wants one", () => {
    const format = { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } }
    const { quirks } = presets.lmstudio
    expect(told({ ...inJson, messages: [asks("Cities, as JSON.")] }, quirks)).toMatchObject({
      body: { response_format: format },
      notices: [{ code: "emulated" }]
    })
    expect(passed({ response_format: { type: "json_object" } }, quirks).body).toMatchObject({
      messages: [{ content: "Hm?" }],
      response_format: format
    })
    expect(passed({ response_format: { type: "text" } }, quirks).body).toMatchObject({
      response_format: { type: "text" }
    })
  })

  it("is asked for in words where the conversation does not speak of it, for servers refuse that", () => {
    const { body, notices } = told({ ...inJson, messages: [asks("Cities?")] }, {})
    expect(body).toMatchObject({
      messages: [{ role: "system", content: expect.stringContaining("JSON") }, { content: "Cities?" }],
      response_format: { type: "json_object" }
    })
    expect(notices).toMatchObject([{ code: "emulated" }])
  })

  it("is not where it does", () => {
    const { body, notices } = told({ ...inJson, messages: [asks("Cities, as json.")] }, {})
    expect(body).toMatchObject({ messages: [{ content: "Cities, as json." }] })
    expect(notices).toEqual([])
  })
})

describe("a request in the server's own format", () => {
  const schema = { type: "json_schema", json_schema: { name: "trip", schema: { type: "object" }, strict: true } }
  const rare = { safe_prompt: true, temperature: 0.5 }

  it("goes on as it came, whatever is in it, where nothing is known against it", () => {
    const body = { ...rare, max_completion_tokens: 5, seed: 1, user: "u", response_format: schema }
    expect(passed(body, {}).body).toEqual({ model: "target", messages: [{ role: "user", content: "Hm?" }], ...body })
    const older = { ...rare, max_tokens: 5, response_format: { type: "json_object" } }
    expect(passed(older, presets.mistral.quirks).body).toMatchObject(older)
  })

  it("is said in other words where the server would refuse it", () => {
    expect(passed({ ...rare, max_completion_tokens: 5, seed: 1, user: "u" }, presets.mistral.quirks).body).toEqual({
      model: "target",
      messages: [{ role: "user", content: "Hm?" }],
      ...rare,
      max_tokens: 5,
      random_seed: 1
    })
    expect(passed({ response_format: schema }, presets.deepseek.quirks).body).toMatchObject({
      messages: [{ role: "system", content: expect.stringContaining("JSON Schema") }, { role: "user" }],
      response_format: { type: "json_object" }
    })
    const messages = [
      { role: "developer", content: "Be brief." },
      { role: "user", content: "Hm?" },
      { role: "assistant", content: "7", reasoning_content: "Seven?" },
      { role: "user", content: "Sure?" }
    ]
    expect(messagesOf(passed({ messages }, presets.groq.quirks))).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hm?" },
      { role: "assistant", content: "7", reasoning: "Seven?" },
      { role: "user", content: "Sure?" }
    ])
  })

  it("has its ids of tool calls changed only for a server that takes no others", () => {
    const messages = [
      { role: "user", content: "Hm?" },
      { role: "assistant", tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "call_1", content: "7" }
    ]
    expect(messagesOf(passed({ messages }, presets.openrouter.quirks))).toEqual(messages)
    const [, answer, tool] = messagesOf(passed({ messages }, presets.mistral.quirks))
    expect(tool?.["tool_call_id"]).toMatch(/^[a-z0-9]{9}$/)
    expect(answer).toMatchObject({ tool_calls: [{ id: tool?.["tool_call_id"] }] })
  })
})
