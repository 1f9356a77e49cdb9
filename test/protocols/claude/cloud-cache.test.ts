import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import { bedrockInvokeAnthropic } from "../../../src/protocols/bedrock-invoke-anthropic/outbound.ts"
import { vertexBetas } from "../../../src/protocols/claude/betas.ts"
import type { JsonObject } from "../../../src/protocols/open-document.ts"
import type { EncodeContext } from "../../../src/protocols/Protocol.ts"

const scoped = { type: "ephemeral", scope: "global" }
const hour = { type: "ephemeral", ttl: "1h" }
const plain = { type: "ephemeral" }

/** As coding agents ask: with a marker at every place that may have one. */
const asked = {
  model: "m",
  max_tokens: 9,
  system: [{ type: "text", text: "Be brief.", cache_control: scoped }],
  tools: [
    { name: "f", input_schema: { type: "object", properties: { scope: { type: "string" } } }, cache_control: hour }
  ],
  messages: [
    { role: "user", content: [{ type: "text", text: "Hi", cache_control: { ...hour, scope: "global" } }] },
    {
      role: "assistant",
      content: [{ type: "tool_use", id: "t", name: "f", input: { cache_control: scoped, scope: "all" } }]
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "1", cache_control: scoped }] }
      ]
    }
  ]
} satisfies JsonObject

/** What is sent of a request that came in the Messages API, as it came or read and written anew. */
const sent = (body: JsonObject, model: string, way: "as it came" | "anew" | "over InvokeModel") => {
  const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(body))
  const received = { protocol: anthropicMessages.id, body, text: JSON.stringify(body), headers: {} }
  const context: EncodeContext = {
    model,
    delivery: "whole",
    quirks: { betas: vertexBetas },
    origin: way === "as it came" ? received : undefined
  }
  const protocol = way === "over InvokeModel" ? bedrockInvokeAnthropic : anthropicMessages
  return Result.getOrThrow(protocol.encode(request, context))
}

const ways = ["as it came", "anew", "over InvokeModel"] as const

describe.each(ways)("what a cloud is to cache of a request of the Messages API, sent %s", (way) => {
  it("is said without a scope", () => {
    const { body, notices } = sent(asked, "claude-sonnet-4-5@20250929", way)
    expect(body).toMatchObject({
      system: [{ cache_control: plain }],
      tools: [{ cache_control: hour }],
      messages: [
        { content: [{ cache_control: hour }] },
        { content: [{ input: { cache_control: scoped, scope: "all" } }] },
        { content: [{ content: [{ cache_control: plain }] }] }
      ]
    })
    expect(JSON.stringify(body).match(/"scope":"global"/g)).toHaveLength(1)
    expect(body).toHaveProperty("tools.0.input_schema.properties.scope")
    expect(notices.map(({ message }) => message)).toContain(
      "the scope of a cache marker: the provider does not know it"
    )
  })

  it("is cached for five minutes by older models", () => {
    const { body, notices } = sent(asked, "claude-opus-4-1@20250805", way)
    expect(JSON.stringify(body)).not.toContain("ttl")
    expect(body).toMatchObject({ tools: [{ cache_control: plain }] })
    expect(notices).toContainEqual({ code: "changed", message: "a cache marker for 1h is one for 5m" })
  })

  it.each([
    ["a text", "Hi", [{ type: "text", text: "Hi", cache_control: hour }]],
    [
      "blocks",
      [
        { type: "text", text: "a" },
        { type: "text", text: "b" }
      ],
      [
        { type: "text", text: "a" },
        { type: "text", text: "b", cache_control: hour }
      ]
    ],
    [
      "blocks with a marker",
      [{ type: "text", text: "a", cache_control: plain }],
      [{ type: "text", text: "a", cache_control: plain }]
    ]
  ])("is marked at the end, %s, where it is all of it", (_, content, expected) => {
    const whole = { model: "m", max_tokens: 9, cache_control: hour, messages: [{ role: "user", content }] }
    const { body, notices } = sent(whole, "claude-opus-4-8", way)
    expect(body).not.toHaveProperty("cache_control")
    expect(body["messages"]).toEqual([{ role: "user", content: expected }])
    expect(notices).toEqual([])
  })
})

describe("a request without anything new of caching", () => {
  it("goes to a cloud as it came, and one to Claude's own API does in any case", () => {
    const body = {
      model: "m",
      max_tokens: 9,
      system: [{ type: "text", text: "a" }],
      messages: asked.messages.slice(1, 2)
    }
    const same = sent(body, "claude-opus-4-8", "as it came").body
    for (const field of ["system", "messages"] as const) expect(same[field]).toBe(body[field])
    const { request } = Result.getOrThrow(anthropicMessagesDialect.decode(asked))
    const received = { protocol: anthropicMessages.id, body: asked, text: JSON.stringify(asked), headers: {} }
    const context = { model: "claude-opus-4-1", delivery: "whole", quirks: {}, origin: received } as const
    const own = Result.getOrThrow(anthropicMessages.encode(request, context)).body
    expect(own["system"]).toBe(asked.system)
    expect(own["tools"]).toBe(asked.tools)
  })
})
