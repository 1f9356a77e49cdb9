import { describe, expect, it } from "@effect/vitest"
import type { Frame } from "../../../src/domain/Frame.ts"
import { failure } from "../../../src/domain/LlmError.ts"
import type { FinishReason, LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import type { RenderContext } from "../../../src/protocols/Dialect.ts"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { proofFor } from "../../../src/protocols/SealedReasoning.ts"
import { normalisedEvents, wellFormedEvents } from "../arbitrary.ts"
import { decodeStream, decodeWhole } from "../corpus.ts"
import { contextOf } from "./context.ts"
import { chunksOf, streamFaults } from "./stream-grammar.ts"

type Fields = { readonly [key: string]: unknown }

const asked = (body: Fields): Partial<RenderContext> => ({
  // The test's own literals are JSON.
  origin: { protocol: "openai-chat", body: body as never, text: "", headers: {} }
})
const withUsage = asked({ stream_options: { include_usage: true } })

const started: LlmEvent = { _tag: "Started", id: "c1", model: "m", created: 5 }
const usage = { inputTokens: 3, outputTokens: 2, source: "provider" } as const
const finish = (reason: FinishReason = "stop"): LlmEvent => ({ _tag: "Finish", reason, usage })
const text = (id: string, ...pieces: ReadonlyArray<string>): ReadonlyArray<LlmEvent> => [
  { _tag: "TextStart", id },
  ...pieces.map((piece) => ({ _tag: "TextDelta", id, text: piece }) as const),
  { _tag: "TextEnd", id }
]
const call = (id: string, ...pieces: ReadonlyArray<string>): ReadonlyArray<LlmEvent> => [
  { _tag: "ToolInputStart", id, name: "f" },
  ...pieces.map((piece) => ({ _tag: "ToolInputDelta", id, text: piece }) as const),
  { _tag: "ToolInputEnd", id },
  { _tag: "ToolCall", id, name: "f", arguments: pieces.join("") || "{}", valid: true }
]

const render = (events: ReadonlyArray<LlmEvent>, more: Partial<RenderContext> = {}) => {
  const renderer = openAiChatDialect.renderer(contextOf(more))
  const rendered = events.map((event) => renderer.event(event)).join("") + renderer.end()
  return { text: rendered, chunks: chunksOf(rendered), notices: renderer.notices }
}

const deltas = (chunks: ReadonlyArray<Fields>): ReadonlyArray<unknown> =>
  chunks.flatMap(({ choices }) =>
    (choices as ReadonlyArray<Fields>).map(({ delta, finish_reason: reason }) =>
      reason === null ? delta : [delta, reason]
    )
  )

describe("a rendered stream of chat completions", () => {
  it("has the role first, then text, the finish with an empty delta, and the terminator", () => {
    const rendered = render([started, ...text("t", "Hé\n", '"'), finish()])
    const head = '{"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[{"index":0,"delta":'
    expect(rendered.text).toBe(
      [
        `${head}{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`,
        `${head}{"content":"Hé\\n"},"logprobs":null,"finish_reason":null}]}`,
        `${head}{"content":"\\""},"logprobs":null,"finish_reason":null}]}`,
        `${head}{},"logprobs":null,"finish_reason":"stop"}]}`,
        "[DONE]"
      ]
        .map((data) => `data: ${data}\n\n`)
        .join("")
    )
    expect(rendered.notices).toEqual([])
  })

  it("names itself after the call where the provider gave no name", () => {
    const [first] = render([{ _tag: "Started", id: "", model: "" }, finish()]).chunks
    expect(first).toMatchObject({ id: "chatcmpl-made-here", model: "smart", created: 1_800_000_000 })
  })

  it("tells the usage only to those who asked", () => {
    expect(render([started, finish()]).chunks.some((chunk) => "usage" in chunk)).toBe(false)
    const last = render(
      [started, { _tag: "UsageReported", usage: { ...usage, cachedTokens: 1 } }, finish()],
      withUsage
    ).chunks.at(-1)
    expect(last).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, prompt_tokens_details: { cached_tokens: 1 } }
    })
  })

  it("tells no usage where none is known: absent is not zero", () => {
    const { chunks } = render([started, { _tag: "Finish", reason: "stop", usage: { source: "none" } }], withUsage)
    expect(chunks.some((chunk) => "usage" in chunk)).toBe(false)
  })

  it("says id, type and name of a call once", () => {
    const { chunks } = render([started, ...call("x", '{"a"', ":1}"), ...call("y"), finish("tool-calls")])
    expect(deltas(chunks)).toEqual([
      { role: "assistant", content: "" },
      { tool_calls: [{ index: 0, id: "x", type: "function", function: { name: "f", arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] },
      { tool_calls: [{ index: 0, function: { arguments: ":1}" } }] },
      { tool_calls: [{ index: 1, id: "y", type: "function", function: { name: "f", arguments: "" } }] },
      { tool_calls: [{ index: 1, function: { arguments: "{}" } }] },
      [{}, "tool_calls"]
    ])
  })

  it("says a call that was never announced", () => {
    const [, ...rest] = call("x", "{}")
    const { chunks } = render([started, rest.at(-1)!, finish("tool-calls")])
    expect(deltas(chunks)[1]).toEqual({
      tool_calls: [{ index: 0, id: "x", type: "function", function: { name: "f", arguments: "{}" } }]
    })
  })

  it("answers callers of the API's first days in their words", () => {
    const legacy = asked({ functions: [{ name: "f" }] })
    const { chunks, notices } = render([started, ...call("x", "{}"), ...call("y"), finish("tool-calls")], legacy)
    expect(deltas(chunks)).toEqual([
      { role: "assistant", content: "" },
      { function_call: { name: "f", arguments: "" } },
      { function_call: { arguments: "{}" } },
      [{}, "function_call"]
    ])
    expect(notices).toMatchObject([{ code: "dropped" }])
  })

  it("says the call of a custom tool as it was", () => {
    const input = 'select "a"'
    const [start, ...rest] = call("x", JSON.stringify({ input }))
    const custom = { ...start, origin: { protocol: "openai-chat", value: { type: "custom" } } } as LlmEvent
    expect(deltas(render([started, custom, ...rest, finish("tool-calls")]).chunks)[1]).toEqual({
      tool_calls: [{ index: 0, id: "x", type: "custom", custom: { name: "f", input } }]
    })
  })

  it("leaves out what the provider runs itself, and says so", () => {
    const [start, ...rest] = call("x", "{}")
    const { chunks, notices } = render([
      started,
      { ...start, providerExecuted: true } as LlmEvent,
      ...rest,
      { _tag: "ToolResult", callId: "x", protocol: "anthropic-messages", value: {} },
      { _tag: "Opaque", protocol: "anthropic-messages", value: {} },
      { _tag: "Media", mediaType: "audio/wav", data: "" },
      finish()
    ])
    expect(deltas(chunks)).toEqual([{ role: "assistant", content: "" }, [{}, "stop"]])
    expect(notices.map(({ code }) => code)).toEqual(["dropped", "dropped", "dropped", "dropped"])
  })

  it("says reasoning, and its proofs where the next turn finds them", () => {
    const { chunks } = render([
      started,
      { _tag: "ReasoningStart", id: "r" },
      { _tag: "ReasoningDelta", id: "r", text: "a" },
      { _tag: "ReasoningDelta", id: "r", text: "b" },
      { _tag: "ReasoningEnd", id: "r", signature: "s", origin: "openai-chat/anthropic-claude-v1" },
      { _tag: "ReasoningStart", id: "q", redacted: "xyz", origin: "openai-chat" },
      { _tag: "ReasoningEnd", id: "q" },
      finish()
    ])
    expect(deltas(chunks)).toEqual([
      { role: "assistant", content: "" },
      { reasoning_content: "a" },
      { reasoning_content: "b" },
      {
        reasoning_details: [
          { type: "reasoning.text", text: "ab", signature: "s", format: "anthropic-claude-v1", index: 0 }
        ]
      },
      { reasoning_details: [{ type: "reasoning.encrypted", data: "xyz", format: "unknown", index: 1 }] },
      [{}, "stop"]
    ])
  })

  it("seals proofs that no server of this format made", () => {
    const made = { signature: "s", origin: "anthropic-messages" }
    const { chunks } = render([
      started,
      // Who signs may be said where reasoning begins.
      { _tag: "ReasoningStart", id: "r", origin: made.origin },
      { _tag: "ReasoningDelta", id: "r", text: "a" },
      { _tag: "ReasoningEnd", id: "r", signature: made.signature },
      { _tag: "ReasoningStart", id: "q", redacted: "xyz" },
      { _tag: "ReasoningEnd", id: "q" },
      finish()
    ])
    const signature = proofFor("openai-chat", made)
    const data = proofFor("openai-chat", { redacted: "xyz" })
    expect(deltas(chunks).slice(2, -1)).toEqual([
      {
        reasoning_details: [{ type: "reasoning.text", text: "a", signature, format: "anthropic-claude-v1", index: 0 }]
      },
      { reasoning_details: [{ type: "reasoning.encrypted", data, format: "unknown", index: 1 }] }
    ])
  })

  it("says refusals, sources, pictures and what is its own", () => {
    const { chunks } = render([
      started,
      ...text("t", "ab"),
      ...text("u", "cd"),
      { _tag: "Source", url: "https://a", title: "A", block: "u", start: 0, end: 2 },
      { _tag: "RefusalDelta", text: "no" },
      { _tag: "Media", mediaType: "image/png", data: "iV" },
      { _tag: "Opaque", protocol: "openai-chat", value: { audio: { id: "a" } } },
      finish()
    ])
    expect(deltas(chunks).slice(3)).toEqual([
      { refusal: "no" },
      { images: [{ type: "image_url", image_url: { url: "data:image/png;base64,iV" } }] },
      { audio: { id: "a" } },
      {
        annotations: [
          { type: "url_citation", url_citation: { url: "https://a", title: "A", start_index: 2, end_index: 4 } }
        ]
      },
      [{}, "stop"]
    ])
  })

  it("says of the answer as a whole what its provider said, where something else was changed", () => {
    const said = { system_fingerprint: "fp_1", moderation: { input: {}, output: {} } }
    const message = { role: "assistant", content: "a" }
    const answer = { id: "c", model: "m", choices: [{ index: 0, message, finish_reason: "stop" }], ...said }
    const events: Array<LlmEvent> = []
    expect(openAiChat.decodeWhole(answer, events)).toBeUndefined()
    const { chunks } = render(events)
    expect(chunks.at(-1)).toMatchObject({ ...said, choices: [{ finish_reason: "stop" }] })
    expect(chunks.filter((chunk) => "moderation" in chunk)).toHaveLength(1)
    expect(openAiChatDialect.renderWhole(foldEvents(events), contextOf(), [])).toMatchObject(said)
  })

  it("says service tiers in its words, which strict clients insist on", () => {
    for (const [tier, said] of [
      ["standard", "default"],
      ["priority", "priority"],
      ["on_demand", undefined]
    ] as const) {
      const { chunks, notices } = render([{ ...started, serviceTier: tier }, ...text("t", "a"), finish()])
      expect(chunks.map((chunk) => chunk["service_tier"])).toEqual(chunks.map(() => said))
      expect(notices.map(({ message }) => message.split(":")[0])).toEqual(
        said === undefined ? [`the service tier ${tier}`] : []
      )
    }
  })

  it("says all citations of an answer in one list, since clients keep the last one that they get", () => {
    const cited = (url: string, more: object = {}): LlmEvent => ({ _tag: "Source", url, title: "A", ...more })
    const other = { type: "file_citation", file_citation: { file_id: "f" } }
    const { chunks } = render([
      started,
      ...text("t", "ab"),
      cited("https://a"),
      ...text("u", "cd"),
      { _tag: "Opaque", protocol: "openai-chat", value: { annotations: [other] } },
      cited("https://b"),
      cited("https://c", { choice: 1 }),
      { _tag: "ChoiceFinish", choice: 1, reason: "stop" },
      finish()
    ])
    const said = chunks.flatMap((chunk) => chunk["choices"] as ReadonlyArray<{ index: number; delta: Fields }>)
    const lists = said.flatMap(({ delta, index }) => ("annotations" in delta ? [[index, delta["annotations"]]] : []))
    expect(lists).toMatchObject([
      [0, [{ url_citation: { url: "https://a" } }, other, { url_citation: { url: "https://b" } }]],
      [1, [{ url_citation: { url: "https://c" } }]]
    ])
  })

  it("says citations before an ending that goes out as it came", () => {
    const renderer = openAiChatDialect.renderer(contextOf())
    const said = [started, ...text("t", "ab"), { _tag: "Source", url: "https://a", title: "A" } as const]
    const before = said.map((event) => renderer.event(event)).join("")
    const last = { id: "c", object: "chat.completion.chunk", created: 1, model: "m" }
    const raw = `data: ${JSON.stringify({ ...last, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`
    const frame = { protocol: "openai-chat", delivery: "stream", events: [] } as const
    const held = renderer.verbatim({ ...frame, raw })
    const end = renderer.verbatim({ ...frame, raw: "data: [DONE]\n\n", events: [finish()] })
    expect(before + held).not.toContain("annotations")
    expect(end.indexOf("annotations")).toBeGreaterThan(-1)
    expect(end.indexOf("annotations")).toBeLessThan(end.indexOf(raw))
  })

  it.each<readonly [FinishReason, string, number]>([
    ["stop", "stop", 0],
    ["length", "length", 0],
    ["tool-calls", "tool_calls", 0],
    ["content-filter", "content_filter", 0],
    ["refusal", "content_filter", 1],
    ["error", "error", 0],
    ["pause", "stop", 1],
    ["unknown", "stop", 1]
  ])("ends for the reason %s with %s", (reason, word, noticed) => {
    const { chunks, notices } = render([started, finish(reason)])
    expect(deltas(chunks).at(-1)).toEqual([{}, word])
    expect(notices).toHaveLength(noticed)
  })

  it("ends for a stream that had no ending of its own", () => {
    expect(streamFaults(render([started, ...text("t", "a")]).text)).toEqual([])
  })

  it("says nothing after its end", () => {
    const renderer = openAiChatDialect.renderer(contextOf())
    renderer.event(finish())
    expect(renderer.event(text("t", "late")[1]!)).toBe("")
    expect(renderer.end()).toBe("data: [DONE]\n\n")
    expect(renderer.end()).toBe("")
    expect(renderer.failure(failure({ _tag: "Internal" }, "late"))).toBe("")
  })

  it("tells a failure as a frame, and nothing after it", () => {
    const renderer = openAiChatDialect.renderer(contextOf())
    renderer.event(started)
    expect(renderer.failure(failure({ _tag: "RateLimited" }, "slow down"))).toBe(
      'data: {"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}\n\n'
    )
    expect(renderer.end()).toBe("")
    expect(renderer.event(finish())).toBe("")
  })

  it("passes the failure of a server of this format on as it came, if it came in a stream", () => {
    const raw = 'data: {"error":{"message":"m","code":"c"}}\r\n\r\n'
    const fault = { protocol: "openai-chat", raw }
    const told = (fault: { readonly protocol: string; readonly raw: string }) =>
      openAiChatDialect.renderer(contextOf()).failure(failure({ _tag: "UpstreamServer" }, "m", { fault }))
    expect(told(fault)).toBe(raw)
    expect(told({ ...fault, raw: '{"error":{"message":"m"}}' })).toMatch(
      /^data: \{"error":\{"message":"m","type":"server_error"/
    )
    expect(told({ ...fault, protocol: "anthropic-messages" })).toMatch(/^data: \{"error"/)
  })
})

describe("frames that pass", () => {
  const frame = (data: unknown, ...events: ReadonlyArray<LlmEvent>): Frame => ({
    protocol: "openai-chat",
    delivery: "stream",
    raw: `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`,
    events
  })
  const body = `data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant"}}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"content":"a"}}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}]}}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"y","function":{"name":"g","arguments":"{"}}]}}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"}"}}]}}]}

data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"id":"c1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}

data: [DONE]

`
  const { frames } = decodeStream(openAiChat, [Buffer.from(body)])

  const relay = (passed: ReadonlyArray<Frame>, more: Partial<RenderContext> = {}): string => {
    const renderer = openAiChatDialect.renderer(contextOf(more))
    const send = (each: Frame): string =>
      each.raw === undefined ? each.events.map((event) => renderer.event(event)).join("") : renderer.verbatim(each)
    return passed.map(send).join("") + renderer.end()
  }
  const changed = (change: (event: LlmEvent) => ReadonlyArray<LlmEvent>): ReadonlyArray<Frame> =>
    frames.map((each) => {
      const events = each.events.flatMap(change)
      const same = events.length === each.events.length && events.every((event, at) => event === each.events[at])
      return same ? each : { ...each, raw: undefined, events }
    })
  const decoded = (text: string) => foldEvents(decodeStream(openAiChat, [Buffer.from(text)]).events)

  it("go out as they came, the usage only to those who asked", () => {
    expect(relay(frames, withUsage)).toBe(body)
    expect(relay(frames)).toBe(body.replace(/data: \{[^\n]*"usage"[^\n]*\n\n/, ""))
  })

  it("are followed by the terminator where the provider left it out", () => {
    const open = decodeStream(openAiChat, [Buffer.from(body.replace("data: [DONE]\n\n", ""))])
    expect(relay(open.frames, withUsage)).toBe(body)
  })

  it("have usage on a choice, and then it stays", () => {
    const raw = `data: {"id":"c1","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\ndata: [DONE]\n\n`
    expect(relay(decodeStream(openAiChat, [Buffer.from(raw)]).frames)).toBe(raw)
  })

  it("that no decoder knows pass", () => {
    const unknown = frame({ id: "", choices: [], prompt_filter_results: [] })
    expect(relay([unknown, ...frames], withUsage)).toBe(unknown.raw + body)
  })

  it("end with another reason where a stage changed the ending", () => {
    const text = relay(
      changed((event) => (event._tag === "Finish" ? [{ ...event, reason: "content-filter" }] : [event])),
      withUsage
    )
    expect(text).not.toContain('"finish_reason":"tool_calls"')
    expect(decoded(text)).toMatchObject({
      choices: [{ finish: { reason: "content-filter" } }],
      usage: { outputTokens: 2 }
    })
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true)
  })

  it("go on after a stage that said something at the end", () => {
    const text = relay(changed((event) => (event._tag === "Finish" ? [...text_("more"), event] : [event])))
    expect(decoded(text).choices[0]).toMatchObject({
      parts: [{ text: "a" }, {}, {}, { text: "more" }],
      finish: { reason: "tool-calls" }
    })
    expect(text.match(/"finish_reason":"/g)).toHaveLength(1)
  })
  const text_ = (said: string) => text("added", said)

  it("have their calls counted anew where a stage left one out", () => {
    const text = relay(changed((event) => ("id" in event && event.id === "x" ? [] : [event])))
    const [only, ...others] = chunksOf(text).flatMap(({ choices }) =>
      (choices as ReadonlyArray<{ readonly delta: Fields }>).flatMap(
        ({ delta }) => (delta["tool_calls"] ?? []) as ReadonlyArray<Fields>
      )
    )
    expect(only).toMatchObject({ index: 0, id: "y" })
    for (const fragment of others) expect(fragment["index"]).toBe(0)
    expect(decoded(text).choices[0]?.parts).toMatchObject([{ text: "a" }, { id: "y", arguments: "{}" }])
  })

  it("do not go out after a failure, which a stream may end with after its finish reason", () => {
    const renderer = openAiChatDialect.renderer(contextOf())
    const sent = frames
      .slice(0, 6)
      .map((each) => renderer.verbatim(each))
      .join("")
    const told = renderer.failure(failure({ _tag: "Transport" }, "gone"))
    expect(sent + told).toContain('"finish_reason":"tool_calls"')
    expect(told.endsWith('data: {"error":{"message":"gone","type":"server_error","param":null,"code":null}}\n\n')).toBe(
      true
    )
    expect(renderer.verbatim(frames[7]!) + renderer.end()).toBe("")
  })
})

const kinds = ["text", "refusal", "reasoning", "signed", "redacted", "tool", "source"] as const

const choiceOf = (event: LlmEvent): number => ("choice" in event ? (event.choice ?? 0) : 0)

/**
 * Without what the format has no place for: where reasoning came from that nobody signed, where a citation stands, and
 * when a block ends among those of other answers. One answer after the other is compared, its sources after the rest.
 */
const comparable = (events: ReadonlyArray<LlmEvent>) => {
  const ordered = normalisedEvents(events.toSorted((one, other) => choiceOf(one) - choiceOf(other)))
  return {
    events: ordered.flatMap((event): ReadonlyArray<LlmEvent> => {
      if (event._tag !== "ReasoningStart" && event._tag !== "ReasoningEnd")
        return event._tag === "Source" ? [] : [event]
      const { origin: _, ...rest } = event
      return [rest]
    }),
    sources: ordered.flatMap((event) =>
      event._tag === "Source" ? [{ choice: event.choice, url: event.url, title: event.title }] : []
    )
  }
}

describe("what is rendered", () => {
  it.prop(
    "is decoded to the same events",
    [wellFormedEvents({ kinds, choices: true, origin: "openai-chat" })],
    ([events]) => {
      const rendered = render(events, withUsage)
      expect(streamFaults(rendered.text)).toEqual([])
      expect(rendered.notices).toEqual([])
      const again = decodeStream(openAiChat, [Buffer.from(rendered.text)])
      expect(again.error).toBeUndefined()
      expect(comparable(again.events)).toEqual(comparable(events))
    }
  )

  it.prop(
    "whole is decoded to the same answer",
    [wellFormedEvents({ kinds: ["text", "tool", "signed"], choices: true, origin: "openai-chat" })],
    ([events]) => {
      const response = foldEvents(events)
      const notices: Array<never> = []
      const rendered = openAiChatDialect.renderWhole(response, contextOf(), notices)
      expect(notices).toEqual([])
      const again = foldEvents(decodeWhole(openAiChat, Buffer.from(JSON.stringify(rendered))).events)
      const textsOf = (choices: typeof response.choices) =>
        choices.map(({ parts, finish: ending }) => ({
          text: parts.map((part) => (part._tag === "Text" ? part.text : "")).join(""),
          calls: parts.flatMap((part) => (part._tag === "ToolCall" ? [[part.id, part.name, part.arguments]] : [])),
          proofs: parts.flatMap((part) => (part._tag === "Reasoning" ? [[part.text, part.signature]] : [])),
          reason: ending?.reason
        }))
      expect(textsOf(again.choices)).toEqual(textsOf(response.choices))
      expect(again.usage).toEqual(response.usage)
    }
  )
})
