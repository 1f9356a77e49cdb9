import { describe, expect, it } from "@effect/vitest"
import { Result } from "effect"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { LlmRequest } from "../../src/domain/LlmRequest.ts"
import { renamed, type Renamed } from "../../src/protocols/ToolNames.ts"
import { formatNames, formats, type FormatName } from "../../src/providers/formats.ts"
import { requestFaults } from "./constraints/constraints.ts"

const names = {
  server: "files.server:read",
  twin: "files_server_read",
  long: `mcp__${"a".repeat(130)}`,
  longTwin: `mcp__${"a".repeat(131)}`,
  number: "3d_model",
  plain: "look"
}

const functionNamed = (name: string) => ({ _tag: "Function", name, inputSchema: { type: "object" } }) as const
const called = (id: string, name: string) => ({ _tag: "ToolCall", id, name, arguments: "{}" }) as const

const request: LlmRequest = {
  model: "smart",
  messages: [
    { role: "user", parts: [{ _tag: "Text", text: "Go." }] },
    { role: "assistant", parts: [called("call_1", names.server), called("call_2", "gone.away")] },
    { role: "tool", parts: [{ _tag: "ToolResult", callId: "call_1", name: names.server, content: [] }] },
    { role: "tool", parts: [{ _tag: "ToolResult", callId: "call_2", content: [] }] }
  ],
  tools: Object.values(names).map(functionNamed),
  toolChoice: { _tag: "Tool", name: names.long },
  sampling: {}
}

const picky = formatNames.filter((name) => formats[name].protocol.toolNames !== undefined)

/** What a provider is sent, and by which protocol its answer is read. */
const sentTo = (format: FormatName, asked = request): Renamed => {
  const others = renamed(asked, formats[format].protocol)
  if (others === undefined) throw new Error("all names stay")
  return others
}

const offered = ({ request }: Renamed): ReadonlyArray<string> => (request.tools ?? []).map(({ name }) => name)

describe("names of functions that a provider would refuse", () => {
  it.each(picky)("are others to %s, each its own", (format) => {
    const others = sentTo(format)
    expect(new Set(offered(others)).size).toBe(Object.keys(names).length)
    expect(offered(others)).toContain(names.plain)
    expect(offered(others)).toContain(names.twin)
    expect(others.notices).toHaveLength(new Set(others.notices.map(({ message }) => message)).size)
    for (const message of others.notices.map(({ message }) => message))
      expect(message).toMatch(/^the tool \S+ is called/)
  })

  it.each(picky)("are the same in every place that %s is told them in", (format) => {
    const { protocol, request: other } = sentTo(format)
    expect(other.toolChoice).toEqual({ _tag: "Tool", name: other.tools?.[2]?.name })
    const [, said, result] = other.messages
    expect(said?.parts[0]).toMatchObject({ name: other.tools?.[0]?.name })
    expect(result?.parts[0]).toMatchObject({ name: other.tools?.[0]?.name })
    const context = { model: "any", delivery: "whole", quirks: {}, origin: undefined } as const
    const { body } = Result.getOrThrow(protocol.encode(other, context))
    expect(requestFaults(format, "any", body)).toEqual([])
  })

  it.each(picky)("are the same for %s in the next turn", (format) => {
    expect(offered(sentTo(format, { ...request, messages: [...request.messages, ...request.messages] }))).toEqual(
      offered(sentTo(format))
    )
  })

  it("are the caller's own again in the answer", () => {
    const others = sentTo("openai-chat")
    const calls = offered(others).map((name, at) => ({
      id: `call_${at}`,
      type: "function",
      function: { name, arguments: "{}" }
    }))
    const whole: Array<LlmEvent> = []
    const message = { role: "assistant", content: null, tool_calls: calls }
    others.protocol.decodeWhole({ choices: [{ index: 0, message, finish_reason: "tool_calls" }] }, whole)
    const decoder = others.protocol.decoder()
    const streamed: Array<LlmEvent> = []
    for (const [index, call] of calls.entries()) {
      const choice = { index: 0, delta: { tool_calls: [{ index, ...call }] }, finish_reason: null }
      const data = JSON.stringify({ id: "c", choices: [choice] })
      decoder.step({ data, raw: "", event: "" }, streamed)
    }
    decoder.step({ data: "[DONE]", raw: "", event: "" }, streamed)
    decoder.halt(streamed)
    for (const events of [whole, streamed]) {
      for (const tag of ["ToolInputStart", "ToolCall"]) {
        expect(events.flatMap((event) => (event._tag === tag && "name" in event ? [event.name] : []))).toEqual(
          Object.values(names)
        )
      }
    }
  })

  it("stay the provider's in calls of tools that it ran itself", () => {
    const tools = [functionNamed("web.search")]
    const { protocol } = renamed({ ...request, messages: [], tools }, formats["anthropic-messages"].protocol)!
    const events: Array<LlmEvent> = []
    const content = ["server_tool_use", "tool_use"].map((type) => ({ type, id: type, name: "web_search", input: {} }))
    protocol.decodeWhole({ type: "message", role: "assistant", content, stop_reason: "tool_use" }, events)
    expect(events.flatMap((event) => (event._tag === "ToolCall" ? [event.name] : []))).toEqual([
      "web_search",
      "web.search"
    ])
  })

  it("are nothing to a provider that takes any, or all that there are", () => {
    expect(renamed(request, formats.ollama.protocol)).toBeUndefined()
    const plain = { ...request, messages: [], tools: [functionNamed(names.plain), functionNamed(names.twin)] }
    for (const format of picky) expect(renamed(plain, formats[format].protocol)).toBeUndefined()
  })
})
