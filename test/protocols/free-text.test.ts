import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../src/domain/LlmResponse.ts"
import { anthropicMessages } from "../../src/protocols/anthropic-messages/outbound.ts"
import type { Dialect } from "../../src/protocols/Dialect.ts"
import { openAiChatDialect } from "../../src/protocols/openai-chat/inbound.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
import { openAiResponsesDialect } from "../../src/protocols/openai-responses/inbound.ts"
import { openAiResponses } from "../../src/protocols/openai-responses/outbound.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import { decodeStream, decodeWhole } from "./corpus.ts"

type Body = { readonly [field: string]: Schema.Json }

const definition = "start: /[a-z ]+/"
const text = 'select "a"\nfrom b'
const question = { role: "user", content: "Hm?" }

/** One conversation with a tool that takes a text, in the words of both formats that know such tools. */
const chat = {
  model: "m",
  messages: [
    question,
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c", type: "custom", custom: { name: "sql", input: text } }]
    },
    { role: "tool", tool_call_id: "c", content: "1" }
  ],
  tools: [
    {
      type: "custom",
      custom: { name: "sql", description: "asks", format: { type: "grammar", grammar: { syntax: "lark", definition } } }
    }
  ],
  tool_choice: { type: "custom", custom: { name: "sql" } }
}
const responses = {
  model: "m",
  input: [
    question,
    { type: "custom_tool_call", call_id: "c", name: "sql", input: text },
    { type: "custom_tool_call_output", call_id: "c", output: "1" }
  ],
  tools: [
    { type: "custom", name: "sql", description: "asks", format: { type: "grammar", syntax: "lark", definition } }
  ],
  tool_choice: { type: "custom", name: "sql" }
}

const requestOf = (dialect: Dialect, body: Body) => Result.getOrThrow(dialect.decode(body)).request

const encoded = (protocol: Protocol, dialect: Dialect, body: Body) =>
  Result.getOrThrow(
    protocol.encode(requestOf(dialect, body), { model: "m", delivery: "whole", quirks: {}, origin: undefined })
  )

describe("a tool that takes a text", () => {
  it("is carried between the formats that know it, with its grammar, its calls and their results", () => {
    expect(encoded(openAiResponses, openAiChatDialect, chat)).toMatchObject({ body: responses, notices: [] })
    expect(encoded(openAiChat, openAiResponsesDialect, responses)).toMatchObject({ body: chat, notices: [] })
    expect(encoded(openAiChat, openAiChatDialect, chat).body).toEqual(chat)
    expect(encoded(openAiResponses, openAiResponsesDialect, responses).body).toMatchObject(responses)
  })

  it.each([
    ["chat", openAiChatDialect, chat],
    ["responses", openAiResponsesDialect, responses]
  ] as const)("takes an object elsewhere, and a notice says so: %s", (_, dialect, body) => {
    const { body: sent, notices } = encoded(anthropicMessages, dialect, body)
    expect(sent).toMatchObject({
      tools: [{ name: "sql", input_schema: { properties: { input: { type: "string" } }, required: ["input"] } }],
      messages: [{}, { content: [{ type: "tool_use", name: "sql", input: { input: text } }] }, {}]
    })
    expect(notices.map(({ message }) => message).filter((said) => !said.includes("max_tokens"))).toEqual([
      'the tool sql takes a text: the model gives it in the field "input" of an object, which is not held to its format'
    ])
  })

  const Text = Arbitrary.schema(Schema.String)
  const called = (input: string): ReadonlyArray<LlmEvent> => {
    const args = JSON.stringify({ input })
    return [
      { _tag: "Started", id: "r", model: "m" },
      { _tag: "ToolInputStart", id: "c", name: "sql" },
      { _tag: "ToolInputDelta", id: "c", text: args.slice(0, 12) },
      { _tag: "ToolInputDelta", id: "c", text: args.slice(12) },
      { _tag: "ToolInputEnd", id: "c" },
      { _tag: "ToolCall", id: "c", name: "sql", arguments: args, valid: true },
      { _tag: "Finish", reason: "tool-calls", usage: { source: "none" } }
    ]
  }

  describe.each([
    ["chat", openAiChatDialect, openAiChat, chat],
    ["responses", openAiResponsesDialect, openAiResponses, responses]
  ] as const)("is called with the text, whoever answers: %s", (_, dialect, protocol, body) => {
    const canonical = (input: string) => ({ name: "sql", arguments: JSON.stringify({ input }), valid: true })
    const context = { id: "a", created: 1, request: requestOf(dialect, body), origin: undefined }

    it.prop("streamed", [Text], ([input]) => {
      const renderer = dialect.renderer(context)
      const sent =
        called(input)
          .map((event) => renderer.event(event))
          .join("") + renderer.end()
      expect(sent).toContain('"custom')
      const { events } = decodeStream(protocol, [Buffer.from(sent)])
      expect(events.find(({ _tag }) => _tag === "ToolCall")).toMatchObject(canonical(input))
    })

    it.prop("whole", [Text], ([input]) => {
      const sent = JSON.stringify(dialect.renderWhole(foldEvents(called(input)), context, []))
      expect(sent).toContain('"custom')
      const { events } = decodeWhole(protocol, Buffer.from(sent))
      expect(events.find(({ _tag }) => _tag === "ToolCall")).toMatchObject(canonical(input))
    })
  })
})
