import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents, textOf } from "../../../src/domain/LlmResponse.ts"
import { openAiResponses } from "../../../src/protocols/openai-responses/outbound.ts"
import { decodeStream, type Document } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

const streamOf = (...documents: ReadonlyArray<Document | string>): Buffer =>
  Buffer.from(documents.map((each) => `data: ${typeof each === "string" ? each : JSON.stringify(each)}\n\n`).join(""))
const created = { type: "response.created", response: { id: "resp_1", model: "m", created_at: 1.5, output: [] } }
const completed = (more: Document = {}) => ({
  type: "response.completed",
  response: { id: "resp_1", status: "completed", output: [], ...more }
})
const added = (output_index: number, item: Document) => ({ type: "response.output_item.added", output_index, item })
const done = (output_index: number, item: Document) => ({ type: "response.output_item.done", output_index, item })
const delta = (kind: string, text: string, more: Document = {}) => ({
  type: `response.${kind}.delta`,
  output_index: 0,
  delta: text,
  ...more
})
const decode = (...documents: ReadonlyArray<Document | string>) =>
  decodeStream(openAiResponses, [streamOf(...documents)])
const answer = (...documents: ReadonlyArray<Document | string>) => {
  const { events, error } = decode(created, ...documents)
  expect(error).toBeUndefined()
  expect(grammarFaults(events)).toEqual([])
  return events
}
const callsIn = (events: ReadonlyArray<LlmEvent>) => events.filter((event) => event._tag === "ToolCall")
const said = (events: ReadonlyArray<LlmEvent>) => textOf(foldEvents(events).choices[0])

const call = { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "" }

describe("what servers of this format do differently", () => {
  it("knows items by their place where ids change with every event", () => {
    const events = answer(
      added(0, { type: "message", id: "a", content: [] }),
      delta("output_text", "Hel", { item_id: "b" }),
      delta("output_text", "lo", { item_id: "c" }),
      done(0, { type: "message", id: "d", content: [{ type: "output_text", text: "Hello" }] }),
      completed({ output: [{ type: "message", id: "e", content: [{ type: "output_text", text: "Hello" }] }] })
    )
    expect(said(events)).toBe("Hello")
  })

  it("takes arguments that come only when they are done", () => {
    const arguments_ = { type: "response.function_call_arguments.done", output_index: 0, arguments: '{"a":1}' }
    const events = answer(added(0, call), arguments_, done(0, { ...call, arguments: '{"a":1}' }), completed())
    expect(callsIn(events)).toMatchObject([{ id: "call_1", arguments: '{"a":1}', valid: true }])
    expect(events.at(-1)).toMatchObject({ reason: "tool-calls", rawReason: "completed" })
  })

  it("knows the items of the finished answer by what they are, wherever they were streamed", () => {
    const texts = (text: string, id: string) => ({ type: "message", id, content: [{ type: "output_text", text }] })
    const finished = { ...call, arguments: '{"a":1}' }
    for (const [first, second] of [
      [3, 7],
      [0, 0],
      [1, 0]
    ] as const) {
      const events = answer(
        added(first, call),
        delta("function_call_arguments", '{"a":1}', { output_index: first }),
        done(first, finished),
        added(second, { type: "message", id: "msg_1", content: [] }),
        delta("output_text", "y", { output_index: second }),
        done(second, texts("y", "msg_1")),
        completed({ output: [finished, texts("y", "msg_2")] })
      )
      expect(said(events)).toBe("y")
      expect(callsIn(events).length).toBe(1)
    }
    const events = answer(
      added(0, { type: "message", id: "msg_1", content: [] }),
      delta("output_text", "y"),
      completed({
        output: [{ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "e" }, texts("y", "msg_1"), finished]
      })
    )
    expect(said(events)).toBe("y")
    expect(events.find(({ _tag }) => _tag === "ReasoningEnd")).toMatchObject({ signature: "e" })
    expect(callsIn(events)).toMatchObject([{ arguments: '{"a":1}' }])
  })

  it("takes pieces that come before their item, and items that are announced twice", () => {
    const piece = (text: string) => delta("function_call_arguments", text)
    const early = [piece('{"a"'), piece(":1"), added(0, call), added(0, call), piece("}")]
    expect(callsIn(answer(...early, done(0, call), completed()))).toMatchObject([{ arguments: '{"a":1}', valid: true }])
    expect(
      said(answer(delta("output_text", "a"), added(0, { type: "message" }), delta("output_text", "b"), completed()))
    ).toBe("ab")
  })

  it("keeps the parts of a summary apart, each of which begins with a heading", () => {
    const parts = ["**Look**\n\nHm.", "**Think**\n\nAh."]
    const item = { type: "reasoning", id: "rs_1", summary: parts.map((text) => ({ type: "summary_text", text })) }
    const thought = (events: ReadonlyArray<LlmEvent>) =>
      foldEvents(events).choices[0]?.parts.map((part) => (part._tag === "Reasoning" ? part.text : ""))
    const piece = (summary_index: number, text: string) => delta("reasoning_summary_text", text, { summary_index })
    const all = (summary_index: number) => ({
      type: "response.reasoning_summary_text.done",
      output_index: 0,
      summary_index,
      text: parts[summary_index]
    })
    const streams = [
      [piece(0, "**Look**"), piece(0, "\n\nHm."), all(0), piece(1, parts[1]!), all(1)],
      [piece(0, parts[0]!), all(0), all(1)],
      []
    ]
    for (const stream of streams) {
      const events = answer(
        added(0, { type: "reasoning", id: "rs_1", summary: [] }),
        ...stream,
        done(0, item),
        completed()
      )
      expect(thought(events)).toEqual([parts.join("\n\n")])
    }
    expect(thought(answer(completed({ output: [item] })))).toEqual([parts.join("\n\n")])
  })

  it("takes null for what is not said", () => {
    const events = answer(
      added(0, { type: "message", id: null, content: null }),
      delta("output_text", "a", { output_index: null, content_index: null, logprobs: null }),
      { type: "response.output_text.delta", output_index: 0, delta: null },
      { type: "response.output_text.done", output_index: 0, text: null },
      { type: "response.content_part.done", output_index: 0, part: null },
      { type: "response.output_text.annotation.added", output_index: 0, annotation: null },
      { type: "response.output_item.done", output_index: 0, item: null },
      completed({ error: null, incomplete_details: null, usage: null })
    )
    expect(said(events)).toBe("a")
    expect(decode(created, { type: "response.output_text.delta", delta: 1 }).error).toBeDefined()
  })

  it("takes arguments that come only with the item, or with the whole response", () => {
    const item = { ...call, arguments: "{}" }
    expect(callsIn(answer(added(0, call), done(0, item), completed()))).toMatchObject([{ arguments: "{}" }])
    expect(callsIn(answer(completed({ output: [item] })))).toMatchObject([{ arguments: "{}" }])
  })

  it("keeps what was streamed where the whole response is empty", () => {
    const events = answer(delta("output_text", "kept"), completed({ output: [] }))
    expect(said(events)).toBe("kept")
  })

  it("reads thoughts as well as summaries of them, and the proof in the finished item", () => {
    for (const kind of ["reasoning_text", "reasoning_summary_text"]) {
      const events = answer(
        added(0, { type: "reasoning", id: "rs_1", encrypted_content: "not yet" }),
        delta(kind, "Hm."),
        done(0, { type: "reasoning", id: "rs_1", encrypted_content: "blob==" }),
        completed()
      )
      expect(foldEvents(events).choices[0]?.parts).toEqual([
        { _tag: "Reasoning", id: "rs_1", text: "Hm.", signature: "blob==", origin: "openai-responses" }
      ])
    }
  })

  it("overlooks padding, the progress of tools, events yet to be invented, and another format's terminator", () => {
    const events = answer(
      delta("output_text", "a", { obfuscation: "xyz" }),
      { type: "response.web_search_call.searching", output_index: 0, item_id: "ws" },
      { type: "response.novelty", anything: 1 },
      completed(),
      "[DONE]"
    )
    expect(said(events)).toBe("a")
  })

  it("knows events by their type, whether or not a line names them, and comments for none", () => {
    const documents = [created, delta("output_text", "Hello"), completed()]
    const comment = ": OPENROUTER PROCESSING\n\n"
    const named = documents.map((document) => `event: ${document.type}\ndata: ${JSON.stringify(document)}\n\n`).join("")
    const unnamed = comment + documents.map((document) => `data: ${JSON.stringify(document)}\n\n`).join(comment)
    for (const text of [named, unnamed]) {
      const { events, error } = decodeStream(openAiResponses, [Buffer.from(text)])
      expect(error).toBeUndefined()
      expect(said(events)).toBe("Hello")
    }
  })

  it("keeps pieces of a message apart by the index that the server gives them", () => {
    const part = (content_index: number) => ({ content_index, part: { type: "output_text", text: "" } })
    const events = answer(
      added(0, { type: "message", id: "msg_1" }),
      { type: "response.content_part.added", output_index: 0, ...part(1) },
      delta("output_text", "one", { content_index: 1 }),
      { type: "response.content_part.added", output_index: 0, ...part(2) },
      delta("output_text", "two", { content_index: 2 }),
      done(0, {
        type: "message",
        content: [
          { type: "output_text", text: "one" },
          { type: "output_text", text: "two" }
        ]
      }),
      completed()
    )
    expect(said(events)).toBe("onetwo")
    expect(events.flatMap((event) => (event._tag === "TextStart" ? [event.id] : []))).toEqual(["msg_1", "msg_1#1"])
  })

  it("carries the text of a custom tool in an object, however it comes", () => {
    const item = { type: "custom_tool_call", id: "ct_1", call_id: "call_1", name: "sql", input: "" }
    const input = 'SELECT "a"\n👋'
    const deltas = ['SELECT "', 'a"\n\ud83d', "\udc4b"].map((piece) => delta("custom_tool_call_input", piece))
    const finished = done(0, { ...item, input })
    for (const told of [deltas, []]) {
      const events = answer(added(0, item), ...told, finished, completed())
      const args = JSON.stringify({ input })
      expect(callsIn(events)).toMatchObject([{ id: "call_1", name: "sql", valid: true }])
      expect(callsIn(events).map((call) => JSON.parse(call.arguments) as unknown)).toEqual([{ input }])
      const written = events.map((event) => (event._tag === "ToolInputDelta" ? event.text : "")).join("")
      expect(JSON.parse(written)).toEqual(JSON.parse(args))
    }
    expect(callsIn(answer(added(0, item), done(0, item), completed()))).toMatchObject([{ arguments: '{"input":""}' }])
  })

  it("tells of a hosted tool as a call that the provider ran, with the whole item as its answer", () => {
    const item = { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "x" } }
    const events = answer(
      added(0, { type: "web_search_call", id: "ws_1", status: "in_progress" }),
      done(0, item),
      completed()
    )
    expect(callsIn(events)).toMatchObject([{ name: "web_search_call", providerExecuted: true, valid: true }])
    expect(events.find((event) => event._tag === "ToolResult")).toMatchObject({ callId: "ws_1", value: item })
    expect(events.at(-1)).toMatchObject({ reason: "stop" })
  })

  it("carries items that it does not know whole", () => {
    const item = { type: "compaction", id: "cmp_1", encrypted_content: "blob", nothing: null }
    expect(answer(added(0, item), done(0, item), completed())).toContainEqual({
      _tag: "Opaque",
      protocol: "openai-responses",
      value: item
    })
  })

  it("says which length or filter made the answer incomplete", () => {
    const incomplete = (reason: string) =>
      answer({ type: "response.incomplete", response: { status: "incomplete", incomplete_details: { reason } } }).at(-1)
    expect(incomplete("max_output_tokens")).toMatchObject({
      reason: "length",
      rawReason: "incomplete:max_output_tokens"
    })
    expect(incomplete("content_filter")).toMatchObject({ reason: "content-filter" })
    expect(incomplete("mystery")).toMatchObject({ reason: "unknown", rawReason: "incomplete:mystery" })
  })

  it("says nothing of usage that was not stated", () => {
    expect(answer(completed({ usage: { input_tokens: 3 } })).at(-1)).toMatchObject({
      usage: { inputTokens: 3, source: "provider" }
    })
    expect(answer(completed({ usage: null })).at(-1)).toMatchObject({ usage: { source: "none" } })
  })
})

describe("a stream that goes wrong", () => {
  it("is incomplete without its terminal event", () => {
    expect(decodeStream(openAiResponses, []).error?.reason).toEqual({ _tag: "IncompleteStream", kind: "empty" })
    const { events, error } = decode(created, delta("output_text", "Hal"))
    expect(error?.reason).toEqual({ _tag: "IncompleteStream", kind: "noStop" })
    expect(grammarFaults(events, { complete: false })).toEqual([])
  })

  it("is malformed where a frame is not JSON, or not what its type says", () => {
    for (const bad of [
      "{",
      "[]",
      { type: "response.output_text.delta", output_index: 0, delta: 1 },
      delta("output_text", "x", { output_index: 5000 })
    ]) {
      expect(decode(created, bad).error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
    }
  })

  it("fails in the provider's words, whichever way they are told", () => {
    const limit = { code: "rate_limit_exceeded", message: "Please try again in 2s." }
    for (const document of [
      { type: "error", ...limit, param: null, sequence_number: 2 },
      { type: "error", error: { type: "tokens", ...limit } },
      { error: limit },
      { type: "response.failed", response: { status: "failed", error: limit } }
    ]) {
      const { error } = decode(created, document)
      expect(error).toMatchObject({
        reason: { _tag: "RateLimited" },
        message: limit.message,
        retryAfterMs: 2000,
        fault: { code: limit.code, protocol: "openai-responses", raw: `data: ${JSON.stringify(document)}\n\n` }
      })
    }
  })

  it("ignores what comes after its end", () => {
    const { events, error } = decode(created, completed(), { type: "error", message: "late" }, "{")
    expect(error).toBeUndefined()
    expect(events.at(-1)?._tag).toBe("Finish")
  })
})

describe("a whole answer", () => {
  it("fails in its own words where the provider ended it as failed", () => {
    const body = { status: "failed", error: { code: "server_error", message: "sorry" }, output: [] }
    expect(openAiResponses.decodeWhole(body, [])).toMatchObject({
      reason: { _tag: "UpstreamServer" },
      message: "sorry"
    })
    expect(openAiResponses.decodeWhole({}, [])?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
  })
})
