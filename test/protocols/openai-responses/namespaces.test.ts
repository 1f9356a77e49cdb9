import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { openAiResponsesDialect } from "../../../src/protocols/openai-responses/inbound.ts"
import { openAiResponses } from "../../../src/protocols/openai-responses/outbound.ts"
import type { JsonObject } from "../../../src/protocols/open-document.ts"
import type { Protocol } from "../../../src/protocols/Protocol.ts"
import { formats } from "../../../src/providers/formats.ts"
import { decodeStream, decodeWhole } from "../corpus.ts"
import { contextOf } from "./context.ts"

const search = { type: "function", name: "search", description: "Searches.", parameters: { type: "object" } }
const patch = { type: "custom", name: "patch" }
const docs = { type: "namespace", name: "mcp__docs", description: "The tools of docs." }
const notes = { type: "namespace", name: "mcp__notes__", description: "The tools of notes." }
const tools = [
  { ...docs, tools: [search, patch] },
  { type: "function", name: "run", parameters: { type: "object" }, strict: false },
  { ...notes, tools: [search] }
]
const input = [
  { role: "user", content: "Hm?" },
  { type: "function_call", call_id: "c1", name: "search", namespace: "mcp__docs", arguments: '{"q":1}' },
  { type: "function_call_output", call_id: "c1", output: "nothing" }
]
const body = { model: "smart", input, tools }

const read = (more: JsonObject = {}) => Result.getOrThrow(openAiResponsesDialect.decode({ ...body, ...more })).request
const encode = (protocol: Protocol, more: JsonObject = {}) =>
  Result.getOrThrow(protocol.encode(read(more), { model: "m", delivery: "stream", quirks: {}, origin: undefined }))

/** The calls of an answer as a caller who declared the tools in namespaces gets them, streamed and whole. */
const callsOf = (events: ReadonlyArray<LlmEvent>): ReadonlyArray<ReadonlyArray<unknown>> => {
  const context = contextOf({ request: read() })
  const renderer = openAiResponsesDialect.renderer(context)
  const streamed = events.map((event) => renderer.event(event)).join("") + renderer.end()
  const again = decodeStream(openAiResponses, [Buffer.from(streamed)]).events
  expect(again.filter(({ _tag }) => _tag === "ToolCall").length).toBe(
    events.filter(({ _tag }) => _tag === "ToolCall").length
  )
  const done = streamed
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line): JsonObject => JSON.parse(line.slice("data: ".length)))
    .filter(({ type }) => type === "response.output_item.done")
    .map(({ item }) => item)
  const whole = openAiResponsesDialect.renderWhole(foldEvents(events), context, []) as { readonly output: unknown }
  return [done, whole.output as ReadonlyArray<unknown>]
}

describe("tools in namespaces, as MCP clients give them", () => {
  it("go to a server of the API as they were declared, where the request is written anew", () => {
    const { body: sent } = encode(openAiResponses)
    const plain = { ...search, strict: false }
    expect(sent["tools"]).toMatchObject([{ ...docs, tools: [plain, patch] }, tools[1]!, { ...notes, tools: [plain] }])
    expect((sent["input"] as ReadonlyArray<unknown>).slice(1)).toEqual(input.slice(1))
  })

  it("are tools by themselves for who knows no namespaces, each with a name of its own", () => {
    const { body: sent, notices } = encode(openAiChat)
    expect(sent["tools"]).toMatchObject([
      { type: "function", function: { name: "mcp__docs__search", description: "Searches." } },
      { type: "custom", custom: { name: "mcp__docs__patch" } },
      { type: "function", function: { name: "run" } },
      { type: "function", function: { name: "mcp__notes__search" } }
    ])
    expect(sent["messages"]).toMatchObject([{}, { tool_calls: [{ function: { name: "mcp__docs__search" } }] }, {}])
    expect(notices.map(({ message }) => message)).toEqual([
      "namespace.description: Chat Completions has no counterpart"
    ])
  })

  it.each(Object.keys(formats).filter((name) => !/completions|cohere|ollama/.test(name)))("reach %s", (name) => {
    const { protocol } = formats[name as keyof typeof formats]
    expect(JSON.stringify(encode(protocol).body["tools"] ?? encode(protocol).body["toolConfig"])).toContain("search")
  })

  it("are called by both their names, whoever calls them", () => {
    const chunk = (delta: JsonObject, finish: string | null = null) =>
      `data: ${JSON.stringify({ id: "x", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
    const call = (index: number, id: string, name: string, text: string) =>
      chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: text } }] })
    const stream =
      call(0, "c2", "mcp__notes__search", '{"q":2}') +
      call(1, "c3", "mcp__docs__patch", '{"input":"+a"}') +
      call(2, "c4", "run", "{}") +
      chunk({}, "tool_calls") +
      "data: [DONE]\n\n"
    for (const items of callsOf(decodeStream(openAiChat, [Buffer.from(stream)]).events)) {
      expect(items).toMatchObject([
        { type: "function_call", call_id: "c2", name: "search", namespace: "mcp__notes__", arguments: '{"q":2}' },
        { type: "custom_tool_call", call_id: "c3", name: "patch", namespace: "mcp__docs", input: "+a" },
        { type: "function_call", call_id: "c4", name: "run", arguments: "{}" }
      ])
      expect(items[2]).not.toHaveProperty("namespace")
    }
    const output = [{ id: "fc_1", status: "completed", ...input[1] }]
    const { events } = decodeWhole(openAiResponses, Buffer.from(JSON.stringify({ status: "completed", output })))
    for (const items of callsOf(events)) expect(items).toMatchObject(output)
  })

  it("are chosen by their own names", () => {
    const one = { tool_choice: { type: "custom", name: "patch" } }
    expect(encode(openAiResponses, one).body).toMatchObject(one)
    expect(encode(openAiChat, one).body["tool_choice"]).toEqual({
      type: "custom",
      custom: { name: "mcp__docs__patch" }
    })
    const all = {
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "namespace", name: "mcp__docs" }] }
    }
    expect(encode(openAiResponses, all).body).toMatchObject(all)
  })

  it("are known by a call of theirs alone where nobody declared the namespace", () => {
    const found = { tools: [search], input: [{ ...input[1]!, namespace: "tools" }] }
    expect(encode(openAiResponses, found).body["input"]).toEqual(found.input)
    expect(encode(openAiChat, found).body["messages"]).toMatchObject([
      { tool_calls: [{ function: { name: "search" } }] }
    ])
  })

  it("have names that are not too long, and stay apart", () => {
    const name = "a_tool_with_a_name_that_says_all_that_there_is_to_say_of_it"
    const long = [`${name}_first`, `${name}_second`].map((each) => ({ ...search, name: each }))
    const sent = encode(openAiChat, { tools: [{ ...docs, tools: long }] }).body["tools"]
    const names = (sent as ReadonlyArray<JsonObject>).map((tool) => (tool["function"] as JsonObject)["name"] as string)
    expect(new Set(names).size).toBe(2)
    expect(names.every((each) => /^[a-zA-Z0-9_-]{1,64}$/.test(each))).toBe(true)
  })

  it("of a kind that is not known stay with the API", () => {
    const unknown = { ...docs, tools: [search, { type: "hologram", name: "x" }] }
    expect(encode(openAiResponses, { tools: [unknown] }).body["tools"]).toEqual([unknown])
    expect(encode(openAiChat, { tools: [unknown] }).notices).toMatchObject([
      { message: "the tool mcp__docs: only openai-responses runs it" }
    ])
  })
})
