import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import type { Message } from "../../../src/domain/LlmRequest.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { decodeStream, decodeWhole, type Decoded } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

type Fields = { readonly [key: string]: unknown }

const head = { id: "c1", object: "chat.completion.chunk", created: 1_800_000_000, model: "m" }

/** A chunk with one choice. */
const chunk = (delta: Fields | undefined, finish: string | null = null, more: Fields = {}, choice: Fields = {}) => ({
  ...head,
  choices: [{ index: 0, ...(delta === undefined ? {} : { delta }), finish_reason: finish, ...choice }],
  ...more
})
const done = "[DONE]"

const stream = (...chunks: ReadonlyArray<Fields | string>): Decoded =>
  decodeStream(
    openAiChat,
    chunks.map((data) => Buffer.from(`data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`))
  )

/** The events of a stream that ended well, without `Started`. */
const eventsOf = (...chunks: ReadonlyArray<Fields | string>): ReadonlyArray<LlmEvent> => {
  const { events, error } = stream(...chunks)
  expect(error).toBeUndefined()
  expect(grammarFaults(events)).toEqual([])
  return events.slice(1)
}

const tool = (fields: Fields, called: Fields = {}) => ({ tool_calls: [{ ...fields, function: called }] })

const callsOf = (events: ReadonlyArray<LlmEvent>) =>
  events.flatMap((event) => (event._tag === "ToolCall" ? [[event.id, event.name, event.arguments, event.valid]] : []))

const finishOf = (events: ReadonlyArray<LlmEvent>) => events.at(-1)

describe("text", () => {
  it("is one block, and empty pieces say nothing", () => {
    expect(
      eventsOf(
        chunk({ role: "assistant", content: "" }),
        chunk({ content: "Hel" }),
        chunk({ content: null }),
        chunk({}),
        chunk({ role: "assistant", content: "lo" }),
        chunk({}, "stop"),
        done
      )
    ).toEqual([
      { _tag: "TextStart", id: "text-0" },
      { _tag: "TextDelta", id: "text-0", text: "Hel" },
      { _tag: "TextDelta", id: "text-0", text: "lo" },
      { _tag: "TextEnd", id: "text-0" },
      { _tag: "Finish", reason: "stop", rawReason: "stop", usage: { source: "none" } }
    ])
  })

  it("keeps the log probabilities of tokens, also of those that are no text yet", () => {
    const token = { token: "a", logprob: -0.5, bytes: [97], top_logprobs: [{ token: "b", logprob: -1, bytes: null }] }
    const events = eventsOf(
      chunk({ content: "a" }, null, {}, { logprobs: { content: [token] } }),
      chunk({ content: "" }, null, {}, { logprobs: { content: [{ token: "\\xf0", logprob: -1, top_logprobs: [] }] } }),
      chunk({}, "stop"),
      done
    )
    expect(events.slice(1, 3)).toEqual([
      {
        _tag: "TextDelta",
        id: "text-0",
        text: "a",
        logprobs: [{ token: "a", logprob: -0.5, bytes: [97], top: [{ token: "b", logprob: -1, bytes: null }] }]
      },
      { _tag: "TextDelta", id: "text-0", text: "", logprobs: [{ token: "\\xf0", logprob: -1, top: [] }] }
    ])
  })

  it("is kept apart for each of several answers", () => {
    const events = eventsOf(
      chunk({ content: "a" }),
      chunk({ content: "b" }, null, {}, { index: 1 }),
      chunk({ content: "A" }),
      chunk({}, "length", {}, { index: 1 }),
      chunk({}, "stop"),
      done
    )
    expect(foldEvents(events).choices).toMatchObject([
      { index: 0, parts: [{ text: "aA" }], finish: { reason: "stop" } },
      { index: 1, parts: [{ text: "b" }], finish: { reason: "length" } }
    ])
  })

  it("may come in parts, with thinking among them", () => {
    const events = eventsOf(
      chunk({ content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] }),
      chunk({
        content: [
          { type: "text", text: "yes" },
          { type: "reference", reference_ids: [1] }
        ]
      }),
      chunk({}, "stop"),
      done
    )
    expect(foldEvents(events).choices[0]?.parts).toMatchObject([
      { _tag: "Reasoning", text: "hm" },
      { _tag: "Text", text: "yes" },
      { _tag: "Opaque", value: { content: [{ type: "reference", reference_ids: [1] }] } }
    ])
  })

  it("after the finish does not count, and the first finish does", () => {
    const events = eventsOf(
      chunk({ content: "a" }, "length"),
      chunk({ content: "b" }, "stop", { usage: { prompt_tokens: 1, completion_tokens: 2 } }),
      done
    )
    expect(foldEvents(events).choices[0]?.parts).toMatchObject([{ text: "a" }])
    expect(finishOf(events)).toMatchObject({ reason: "length", usage: { inputTokens: 1, outputTokens: 2 } })
  })

  it("and reasoning and calls take turns in blocks of their own", () => {
    const events = eventsOf(
      chunk({ content: "a" }),
      chunk({ reasoning: "b" }),
      chunk({ content: "c" }),
      chunk(tool({ index: 0, id: "x" }, { name: "f", arguments: "{}" })),
      chunk({ content: "d" }),
      chunk({}, "tool_calls"),
      done
    )
    expect(foldEvents(events).choices[0]?.parts.map((part) => part._tag)).toEqual([
      "Text",
      "Reasoning",
      "Text",
      "ToolCall",
      "Text"
    ])
  })

  it("that is a refusal is a refusal", () => {
    const events = eventsOf(
      chunk({ refusal: "I " }),
      chunk({ refusal: "can't", content: null }),
      chunk({}, "stop"),
      done
    )
    expect(foldEvents(events).choices[0]?.parts).toEqual([{ _tag: "Refusal", text: "I can't" }])
  })
})

describe("reasoning", () => {
  const partsOf = (...chunks: ReadonlyArray<Fields | string>) =>
    foldEvents(eventsOf(...chunks)).choices[0]?.parts.map((part) => ({ ...part, id: undefined }))

  it.each([
    ["reasoning_content", "openai-chat"],
    ["reasoning", "openai-chat/reasoning"],
    ["reasoning_text", "openai-chat/copilot"]
  ])("may be called %s, and goes back by that name", (field, origin) => {
    expect(
      partsOf(chunk({ [field]: "a" }), chunk({ [field]: "b", content: "" }), chunk({ content: "c" }, "stop"), done)
    ).toMatchObject([
      { _tag: "Reasoning", text: "ab", origin },
      { _tag: "Text", text: "c" }
    ])
    const turn: Message = { role: "assistant", parts: [{ _tag: "Reasoning", text: "ab", origin }] }
    const next = openAiChat.encode(
      { model: "m", sampling: {}, messages: [turn] },
      { model: "m", delivery: "whole", quirks: {}, origin: undefined }
    )
    expect(Result.getOrThrow(next).body["messages"]).toEqual([{ role: "assistant", content: "", [field]: "ab" }])
  })

  it("stands in the details alone, with its signature and whose it is", () => {
    const detail = (more: Fields) => ({
      reasoning_details: [{ type: "reasoning.text", index: 0, format: "anthropic-claude-v1", ...more }]
    })
    expect(
      partsOf(chunk(detail({ text: "a" })), chunk(detail({ text: "b" })), chunk(detail({ signature: "s1" })), done)
    ).toMatchObject([{ text: "ab", signature: "s1", origin: "openai-chat/anthropic-claude-v1" }])
  })

  it("stands in the details once more, and is not doubled", () => {
    const both = (text: string, more: Fields = {}) => ({
      reasoning: text,
      reasoning_details: [{ type: "reasoning.text", text, index: 0, signature: "", ...more }]
    })
    expect(partsOf(chunk(both("a")), chunk(both("b", { signature: "s" })), chunk({}, "stop"), done)).toMatchObject([
      { text: "ab", signature: "s" }
    ])
  })

  it("comes again as a whole with its signature, and is not doubled", () => {
    expect(
      partsOf(
        chunk({ reasoning_content: "a" }),
        chunk({ reasoning_content: "b" }),
        chunk({ reasoning_details: [{ type: "reasoning.text", text: "ab", signature: "s", index: 0 }] }),
        chunk({ reasoning_content: "c" }),
        chunk({}, "stop"),
        done
      )
    ).toMatchObject([{ text: "ab", signature: "s" }, { text: "c" }])
  })

  it("may be a summary, or encrypted", () => {
    expect(
      partsOf(
        chunk({ reasoning_details: [{ type: "reasoning.summary", summary: "sum", index: 0 }] }),
        chunk({ reasoning_details: [{ type: "reasoning.encrypted", data: "xyz", format: "unknown", index: 1 }] }),
        chunk({}, "stop"),
        done
      )
    ).toMatchObject([{ text: "sum" }, { text: "", redacted: "xyz", origin: "openai-chat" }])
  })

  it("has its blocks in the details of a whole answer", () => {
    const decoded = decodeWhole(
      openAiChat,
      Buffer.from(
        JSON.stringify({
          ...head,
          choices: [
            {
              index: 0,
              message: {
                content: "c",
                reasoning: "ab",
                reasoning_details: [
                  { type: "reasoning.text", text: "a", signature: "s1" },
                  { type: "reasoning.text", text: "b", signature: "s2" }
                ]
              },
              finish_reason: "stop"
            }
          ]
        })
      )
    )
    expect(foldEvents(decoded.events).choices[0]?.parts).toMatchObject([
      { text: "a", signature: "s1" },
      { text: "b", signature: "s2" },
      { text: "c" }
    ])
  })
})

describe("tool calls", () => {
  it("in fragments are one call, whatever is repeated", () => {
    const events = eventsOf(
      chunk(tool({ index: 0, id: "x", type: "function" }, { name: "f", arguments: '{"a"' })),
      chunk(tool({ index: 0, id: "x" }, { name: "f", arguments: ":1}" })),
      chunk({}, "tool_calls"),
      done
    )
    expect(events).toEqual([
      { _tag: "ToolInputStart", id: "x", name: "f" },
      { _tag: "ToolInputDelta", id: "x", text: '{"a"' },
      { _tag: "ToolInputDelta", id: "x", text: ":1}" },
      { _tag: "ToolInputEnd", id: "x" },
      { _tag: "ToolCall", id: "x", name: "f", arguments: '{"a":1}', valid: true },
      { _tag: "Finish", reason: "tool-calls", rawReason: "tool_calls", usage: { source: "none" } }
    ])
  })

  it("that are written at the same time stay apart by their index", () => {
    const events = eventsOf(
      chunk(tool({ index: 0, id: "x" }, { name: "f", arguments: "" })),
      chunk(tool({ index: 1, id: "y" }, { name: "g", arguments: '{"b":' })),
      chunk(tool({ index: 0 }, { arguments: '{"a":1}' })),
      chunk(tool({ index: 1 }, { arguments: "2}" })),
      chunk({}, "tool_calls"),
      done
    )
    expect(callsOf(events)).toEqual([
      ["x", "f", '{"a":1}', true],
      ["y", "g", '{"b":2}', true]
    ])
  })

  it("end as soon as the next one begins, where they are complete", () => {
    const events = eventsOf(
      chunk(tool({ index: 0, id: "x" }, { name: "f", arguments: "{}" })),
      chunk(tool({ index: 1, id: "y" }, { name: "g", arguments: "{}" })),
      chunk({}, "tool_calls"),
      done
    )
    expect(events.map((event) => event._tag).slice(0, 5)).toEqual([
      "ToolInputStart",
      "ToolInputDelta",
      "ToolInputEnd",
      "ToolCall",
      "ToolInputStart"
    ])
  })

  it("without an index go by id, and fragments without both by the call before", () => {
    const events = eventsOf(
      chunk(tool({ id: "x" }, { name: "f", arguments: '{"a":' })),
      chunk(tool({}, { arguments: "1}" })),
      chunk(tool({ id: "y" }, { name: "g", arguments: '{"b":' })),
      chunk(tool({ id: "y" }, { arguments: "2}" })),
      chunk({}, "tool_calls"),
      done
    )
    expect(callsOf(events)).toEqual([
      ["x", "f", '{"a":1}', true],
      ["y", "g", '{"b":2}', true]
    ])
  })

  it("that all have the index 0 are told apart by id and name", () => {
    const events = eventsOf(
      chunk(tool({ index: 0, id: "x" }, { name: "f", arguments: '{"a":1}' })),
      chunk(tool({ index: 0, id: "y" }, { name: "f", arguments: '{"a":2}' })),
      chunk({}, "tool_calls"),
      done
    )
    expect(callsOf(events)).toEqual([
      ["x", "f", '{"a":1}', true],
      ["y", "f", '{"a":2}', true]
    ])
  })

  it("with a new id on every fragment are one call", () => {
    const events = eventsOf(
      chunk(tool({ index: 0, id: "x" }, { name: "f", arguments: '{"a":' })),
      chunk(tool({ index: 0, id: "other" }, { arguments: "1}" })),
      chunk({}, "tool_calls"),
      done
    )
    expect(callsOf(events)).toEqual([["x", "f", '{"a":1}', true]])
  })

  it("without an id get one, each its own", () => {
    const events = eventsOf(
      chunk({
        tool_calls: [{ id: "", function: { name: "f", arguments: "{}" } }, { function: { name: "f", arguments: "{}" } }]
      }),
      chunk({}, "stop"),
      done
    )
    expect(new Set(callsOf(events).map(([id]) => id)).size).toBe(2)
    expect(finishOf(events)).toMatchObject({ reason: "tool-calls", rawReason: "stop" })
  })

  it("with the same id in two answers have two ids", () => {
    const call = tool({ index: 0, id: "x" }, { name: "f", arguments: "{}" })
    const events = eventsOf(
      chunk(call),
      chunk(call, null, {}, { index: 1 }),
      chunk({}, "tool_calls"),
      chunk({}, "tool_calls", {}, { index: 1 }),
      done
    )
    expect(callsOf(events).map(([id]) => id)).toEqual(["x", "x-2"])
  })

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["an empty text", ""],
    ["the text null", "null"]
  ])("take %s for no arguments", (_, written) => {
    const events = eventsOf(
      chunk(tool({ index: 0, id: "x" }, { name: "f", arguments: written })),
      chunk({}, "tool_calls"),
      done
    )
    expect(callsOf(events)).toEqual([["x", "f", "{}", true]])
    expect(events.some((event) => event._tag === "ToolInputDelta")).toBe(false)
  })

  it("may have arguments that begin like null, or are an object already", () => {
    const events = eventsOf(
      chunk({ tool_calls: [{ index: 0, id: "x", function: { name: "f", arguments: { a: 1 } } }] }),
      chunk(tool({ index: 1, id: "y" }, { name: "g", arguments: " " })),
      chunk(tool({ index: 1 }, { arguments: '{"b":2}' })),
      chunk({}, "tool_calls"),
      done
    )
    expect(callsOf(events)).toEqual([
      ["x", "f", '{"a":1}', true],
      ["y", "g", ' {"b":2}', true]
    ])
  })

  it("that the limit cut are not valid, and the reason stays", () => {
    const cut = chunk(tool({ index: 0, id: "x" }, { name: "f", arguments: '{"a":' }))
    expect(callsOf(eventsOf(cut, chunk({}, "length"), done))).toEqual([["x", "f", '{"a":', false]])
    expect(finishOf(eventsOf(cut, chunk({}, "length"), done))).toMatchObject({ reason: "length" })
    expect(finishOf(eventsOf(cut, chunk({}, "stop"), done))).toMatchObject({ reason: "stop" })
  })

  it("wait for their name", () => {
    const events = eventsOf(
      chunk(tool({ index: 0, id: "x" }, { arguments: '{"a"' })),
      chunk(tool({ index: 0 }, { name: "f", arguments: ":1}" })),
      chunk({}, "tool_calls"),
      done
    )
    expect(callsOf(events)).toEqual([["x", "f", '{"a":1}', true]])
  })

  it("of the API's first days have no id", () => {
    const events = eventsOf(
      chunk({ function_call: { name: "f", arguments: "" }, content: null }),
      chunk({ function_call: { arguments: '{"a":1}' } }),
      chunk({}, "function_call"),
      done
    )
    expect(callsOf(events)).toMatchObject([[expect.stringMatching(/^call_/), "f", '{"a":1}', true]])
    expect(finishOf(events)).toMatchObject({ reason: "tool-calls" })
  })

  it("of custom tools carry their text as a field", () => {
    const custom = (fields: Fields) => chunk({ tool_calls: [{ index: 0, ...fields }] })
    const events = eventsOf(
      custom({ id: "x", type: "custom", custom: { name: "sql", input: "" } }),
      custom({ custom: { input: 'select "a' } }),
      custom({ custom: { input: '\n"' } }),
      chunk({}, "tool_calls"),
      done
    )
    expect(callsOf(events)).toEqual([["x", "sql", JSON.stringify({ input: 'select "a\n"' }), true]])
    expect(events[0]).toMatchObject({ origin: { protocol: "openai-chat", value: { type: "custom" } } })
  })

  it("keep what only this format says of them", () => {
    const extra = { extra_content: { google: { thought_signature: "sig" } } }
    const [start] = eventsOf(
      chunk({ tool_calls: [{ index: 0, id: "x", ...extra, function: { name: "f", arguments: "{}" } }] }),
      chunk({}, "tool_calls"),
      done
    )
    expect(start).toMatchObject({ origin: { protocol: "openai-chat", value: extra } })
  })

  it("without name and arguments are the empty fields of a server that fills every one", () => {
    const events = eventsOf(
      chunk({
        content: "4",
        tool_calls: null,
        function_call: { name: "", arguments: "" },
        audio: { id: "", data: "" }
      }),
      done
    )
    expect(foldEvents(events).choices[0]?.parts).toMatchObject([{ _tag: "Text", text: "4" }])
  })
})

describe("usage", () => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
  const counted = { inputTokens: 10, outputTokens: 5, source: "provider" }

  it.each<readonly [string, ReadonlyArray<Fields>]>([
    ["after the end, without a choice", [chunk({}, "stop"), { ...head, choices: [], usage }]],
    ["on the last chunk", [chunk({}, "stop", { usage })]],
    [
      "on every chunk, growing",
      [
        chunk({ content: "a" }, null, { usage: { prompt_tokens: 10, completion_tokens: 1 } }),
        chunk({}, "stop", { usage })
      ]
    ],
    ["twice", [chunk({}, "stop", { usage, x_groq: { usage } }), { ...head, choices: [], usage }]],
    ["only in a field of one vendor", [chunk({}, "stop", { x_groq: { id: "r", usage } })]],
    ["after chunks that say null", [chunk({ content: "a" }, null, { usage: null }), chunk({}, "stop", { usage })]]
  ])("is stated %s", (_, chunks) => {
    expect(finishOf(eventsOf(...chunks, done))).toMatchObject({ usage: counted })
  })

  it("may be missing", () => {
    expect(finishOf(eventsOf(chunk({}, "stop"), done))).toMatchObject({ usage: { source: "none" } })
  })

  it.each<readonly [string, Fields, Fields]>([
    [
      "details",
      {
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 3 }
      },
      { cachedTokens: 4, cacheWriteTokens: 2, reasoningTokens: 3, outputTokens: 5 }
    ],
    ["hits of the cache", { prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 6 }, { cachedTokens: 4 }],
    ["cached tokens at the top", { cached_tokens: 4 }, { cachedTokens: 4 }],
    [
      "the words of another API",
      { cache_read_input_tokens: 4, cache_creation_input_tokens: 1 },
      { cachedTokens: 4, cacheWriteTokens: 1 }
    ],
    ["reasoning at the top", { reasoning_tokens: 2 }, { reasoningTokens: 2 }],
    [
      "reasoning that is not in the completion",
      { total_tokens: 22, completion_tokens_details: { reasoning_tokens: 7 } },
      { outputTokens: 12, reasoningTokens: 7 }
    ],
    ["zeros, which are stated", { prompt_tokens_details: { cached_tokens: 0 } }, { cachedTokens: 0 }]
  ])("has %s", (_, more, expected) => {
    expect(finishOf(eventsOf(chunk({}, "stop", { usage: { ...usage, ...more } }), done))).toMatchObject({
      usage: expected
    })
  })

  it("keeps what a later statement leaves out", () => {
    const events = eventsOf(
      chunk({ content: "a" }, null, { usage: { ...usage, prompt_tokens_details: { cached_tokens: 4 } } }),
      chunk({}, "stop", { usage: { prompt_tokens: 10, completion_tokens: 6 } }),
      done
    )
    expect(finishOf(events)).toMatchObject({ usage: { cachedTokens: 4, outputTokens: 6 } })
  })
})

describe("the frames around the answer", () => {
  it("may come first without choices, and say nothing of the answer", () => {
    const filter = {
      id: "",
      model: "",
      object: "",
      created: 0,
      choices: [],
      prompt_filter_results: [{ prompt_index: 0 }]
    }
    const { events, frames } = stream(filter, chunk({ content: "a" }, "stop"), done)
    expect(frames[0]?.events).toEqual([])
    expect(events[0]).toEqual({ _tag: "Started", id: "c1", model: "m", created: 1_800_000_000 })
  })

  it("may have a choice without a delta", () => {
    const filtered = chunk(undefined, null, {}, { content_filter_results: {} })
    expect(
      foldEvents(eventsOf(chunk({ content: "a" }), filtered, chunk({}, "stop"), done)).choices[0]?.parts
    ).toMatchObject([{ text: "a" }])
  })

  it("may list sources on every chunk again", () => {
    const listed = {
      citations: ["https://a", "https://b"],
      search_results: [
        { title: "A", url: "https://a" },
        { title: "B", url: "https://b" }
      ]
    }
    const sources = eventsOf(chunk({ content: "x" }, null, listed), chunk({}, "stop", listed), done).filter(
      (event) => event._tag === "Source"
    )
    expect(sources).toEqual([
      { _tag: "Source", url: "https://a", title: "A" },
      { _tag: "Source", url: "https://b", title: "B" }
    ])
  })

  it("may cite with places in the text", () => {
    const annotation = {
      type: "url_citation",
      url_citation: { url: "https://a", title: "A", start_index: 1, end_index: 3, content: "c" }
    }
    const others = { type: "file", file: { hash: "h" } }
    const events = eventsOf(
      chunk({ content: "abc" }),
      chunk({ annotations: [annotation, others] }),
      chunk({}, "stop"),
      done
    )
    expect(events.slice(2, 4)).toEqual([
      {
        _tag: "Source",
        url: "https://a",
        title: "A",
        citedText: "c",
        start: 1,
        end: 3,
        block: "text-0",
        origin: { protocol: "openai-chat", value: annotation }
      },
      { _tag: "Opaque", protocol: "openai-chat", value: { annotations: [others] } }
    ])
  })

  it("may bring pictures and sound", () => {
    const audio = { id: "a1", data: "QUJD", transcript: "abc" }
    const events = eventsOf(
      chunk({ images: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBOR" } }] }),
      chunk({ audio }, "stop"),
      done
    )
    expect(events.slice(0, 2)).toEqual([
      { _tag: "Media", mediaType: "image/png", data: "iVBOR" },
      { _tag: "Opaque", protocol: "openai-chat", value: { audio }, textAt: ["audio", "transcript"] }
    ])
  })
})

describe("the end", () => {
  it.each([
    ["stop", "stop"],
    ["eos", "stop"],
    ["length", "length"],
    ["model_length", "length"],
    ["content_filter", "content-filter"],
    ["tool_calls", "tool-calls"],
    ["insufficient_system_resource", "error"],
    ["something_new", "unknown"]
  ])("%s means %s", (raw, reason) => {
    expect(finishOf(eventsOf(chunk({ content: "a" }), chunk({}, raw), done))).toMatchObject({ reason, rawReason: raw })
  })

  it("is known without the terminator", () => {
    expect(finishOf(eventsOf(chunk({ content: "a" }), chunk({}, "stop")))).toMatchObject({ reason: "stop" })
  })

  it("is unknown where only the terminator came", () => {
    const [finish] = eventsOf(chunk({ content: "a" }), done).slice(-1)
    expect(finish).toEqual({ _tag: "Finish", reason: "unknown", usage: { source: "none" } })
  })

  it("is that of a call where a complete call is all there is", () => {
    const call = chunk(tool({ index: 0, id: "x" }, { name: "f", arguments: "{}" }))
    expect(finishOf(eventsOf(call, done))).toEqual({ _tag: "Finish", reason: "tool-calls", usage: { source: "none" } })
  })

  it("does not take an empty reason for one", () => {
    expect(finishOf(eventsOf(chunk({ content: "a" }, ""), done))).not.toHaveProperty("rawReason")
  })

  it("is missing where a stream stops in the middle", () => {
    const { error, events } = stream(chunk({ content: "a" }))
    expect(error?.reason).toEqual({ _tag: "IncompleteStream", kind: "noStop" })
    expect(grammarFaults(events, { complete: false })).toEqual([])
  })

  it("is missing where nothing came", () => {
    expect(stream().error?.reason).toEqual({ _tag: "IncompleteStream", kind: "empty" })
  })

  it("is followed by nothing that counts", () => {
    const { events, error } = stream(chunk({ content: "a" }, "stop"), done, "garbage", chunk({ content: "b" }), done)
    expect(error).toBeUndefined()
    expect(events.filter((event) => event._tag === "Finish")).toHaveLength(1)
    expect(foldEvents(events).choices[0]?.parts).toMatchObject([{ text: "a" }])
  })
})

describe("failures in the stream", () => {
  it("come as an event of their own", () => {
    const raw =
      'event: error\ndata: {"error":{"message":"bad call","type":"invalid_request_error","code":"tool_use_failed"}}\n\n'
    const { error } = decodeStream(openAiChat, [
      Buffer.from(`data: ${JSON.stringify(chunk({ content: "a" }))}\n\n${raw}`)
    ])
    expect(error).toMatchObject({
      message: "bad call",
      reason: { _tag: "UpstreamServer" },
      fault: { type: "invalid_request_error", code: "tool_use_failed", protocol: "openai-chat", raw }
    })
  })

  it("come in a chunk that looks like any other, with its usage, and no terminator makes them good", () => {
    const { error, events } = stream(
      chunk({ content: "a" }),
      chunk({ content: "" }, null, {
        error: { code: 429, message: "slow down, try again in 2s" },
        usage: { prompt_tokens: 1, completion_tokens: 2 }
      }),
      done
    )
    expect(error).toMatchObject({ reason: { _tag: "RateLimited" }, retryAfterMs: 2000 })
    expect(events.at(-1)).toMatchObject({ _tag: "UsageReported", usage: { outputTokens: 2 } })
  })

  it.each(["{", "not json", "[1]", '"text"'])("a frame that cannot be read: %s", (data) => {
    expect(stream(chunk({ content: "a" }), data).error?.reason).toEqual({
      _tag: "InvalidOutput",
      kind: "malformedFrame"
    })
  })
})

describe("whole answers", () => {
  const whole = (body: unknown) => decodeWhole(openAiChat, Buffer.from(`\n\n   ${JSON.stringify(body)}`))

  it("may be a text beside what Groq adds", () => {
    const { error } = stream(chunk({ content: "a" }), { choices: [], x_groq: { id: "r", error: "out of memory" } })
    expect(error).toMatchObject({ reason: { _tag: "UpstreamServer" }, message: "out of memory" })
  })

  it("may be told of a choice", () => {
    const error = { code: 429, message: "slow down" }
    const failed = { choices: [{ index: 0, delta: { content: "" }, finish_reason: "error", error }] }
    const { error: told } = stream(chunk({ content: "a" }), failed, done)
    expect(told).toMatchObject({ reason: { _tag: "RateLimited" }, message: "slow down" })
  })

  it("are one big chunk", () => {
    const { events, error } = whole({
      ...head,
      object: "chat.completion",
      service_tier: "default",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "hi",
            tool_calls: [
              { id: "x", type: "function", function: { name: "f", arguments: "{}" } },
              { id: "y", type: "function", function: { name: "f", arguments: '{"a":1}' } }
            ]
          },
          finish_reason: "tool_calls"
        }
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
    })
    expect(error).toBeUndefined()
    expect(grammarFaults(events)).toEqual([])
    expect(events[0]).toMatchObject({ serviceTier: "default" })
    expect(callsOf(events)).toEqual([
      ["x", "f", "{}", true],
      ["y", "f", '{"a":1}', true]
    ])
    expect(finishOf(events)).toMatchObject({ reason: "tool-calls", usage: { inputTokens: 1, outputTokens: 2 } })
  })

  it("may say of a choice that the provider behind a router failed", () => {
    const error = { code: 502, message: "Provider returned error", metadata: { raw: "out of memory" } }
    const cut = { index: 0, message: { role: "assistant", content: "The" }, finish_reason: "error", error }
    expect(whole({ choices: [cut] })).toMatchObject({
      events: [],
      error: { reason: { _tag: "UpstreamServer" }, message: "Provider returned error: out of memory" }
    })
    expect(whole({ choices: [{ ...cut, finish_reason: "stop" }] }).error).toBeUndefined()
  })

  it("may be an error", () => {
    expect(whole({ error: { message: "no", code: "context_length_exceeded" } }).error?.reason._tag).toBe(
      "ContextTooLong"
    )
  })

  it.each([[null], [[]], ["text"], [{}], [{ choices: "none" }]])("may be unreadable: %j", (body) => {
    expect(whole(body).error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
  })
})
