import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { openAiResponses } from "../../../src/protocols/openai-responses/outbound.ts"
import type { JsonObject } from "../../../src/protocols/open-document.ts"

/** What OpenAI is sent of a strict tool that a caller of the Messages API has. */
const sent = (input_schema: JsonObject, protocol = openAiChat) => {
  const body = {
    model: "m",
    max_tokens: 9,
    messages: [{ role: "user", content: "Hm?" }],
    tools: [{ name: "f", strict: true, input_schema }]
  }
  const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(body))
  const encoded = Result.getOrThrow(
    protocol.encode(request, { model: "gpt-5.5", delivery: "whole", quirks: {}, origin: undefined })
  )
  const notices = encoded.notices.map(({ message }) => message).filter((message) => message.startsWith("strict"))
  return { tools: encoded.body["tools"], notices }
}

const text = { type: "string" }
const closed = (properties: JsonObject) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false
})

describe("a strict tool", () => {
  it.each([
    ["fields that are all required", closed({ a: text, list: { type: "array", items: closed({ b: text }) } })],
    ["no fields", closed({})],
    ["parts of its own", { ...closed({ a: { $ref: "#/$defs/one" } }), $defs: { one: closed({}) } }]
  ])("with %s is one for OpenAI", (_what, schema) => {
    expect(sent(schema)).toMatchObject({ tools: [{ function: { strict: true, parameters: schema } }], notices: [] })
    expect(sent(schema, openAiResponses)).toMatchObject({ tools: [{ strict: true }], notices: [] })
  })

  it("may have very many fields", () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `field ${index}`)
    const schema = closed(Object.fromEntries(names.map((name) => [name, text])))
    expect(sent({ ...schema, required: names.toReversed() }).notices).toEqual([])
  })

  it.each([
    ["an open object", { type: "object", properties: { a: text }, required: ["a"] }],
    ["a field that may be left out", { ...closed({ a: text, b: text }), required: ["a"] }],
    ["an open object in a list", closed({ list: { type: "array", items: { type: "object", properties: {} } } })],
    ["an open object or nothing", closed({ a: { anyOf: [{ type: ["object", "null"], properties: {} }] } })]
  ])("with %s is none, which is said", (_what, schema) => {
    const { tools, notices } = sent(schema)
    expect(tools).toEqual([{ type: "function", function: { name: "f", parameters: schema } }])
    expect(notices).toEqual([expect.stringMatching(/^strict of the tool f/)])
    expect(sent(schema, openAiResponses)).toMatchObject({ tools: [{ strict: false }] })
  })
})
