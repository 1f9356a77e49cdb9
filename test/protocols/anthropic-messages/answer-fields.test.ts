import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { sseFrame } from "../../../src/wire/Sse.ts"
import { decodeStream, decodeWhole } from "../corpus.ts"
import { contextOf } from "./context.ts"
import { documentsOf, streamFaults } from "./stream-grammar.ts"

const usage = {
  input_tokens: 10,
  cache_creation: { ephemeral_1h_input_tokens: 2, ephemeral_5m_input_tokens: 1 },
  cache_creation_input_tokens: 3,
  cache_read_input_tokens: 4,
  inference_geo: "us",
  output_tokens: 20,
  output_tokens_details: { thinking_tokens: 5 },
  server_tool_use: { web_fetch_requests: 0, web_search_requests: 2 },
  service_tier: "standard",
  speed: "fast"
}
const ending = { stop_reason: "end_turn", stop_sequence: null, stop_details: null as object | null }
const container = { id: "container_1", expires_at: "2026-12-01T00:00:00Z", skills: null }
const context_management = { applied_edits: [{ type: "clear_tool_uses_20250919", cleared_tool_uses: 3 }] }
const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude",
  content: [{ type: "text", text: "before" }],
  container,
  diagnostics: null,
  ...ending,
  context_management,
  usage
}
type Answer = typeof message

const streamOf = ({ content: [block], stop_reason, stop_sequence, stop_details, usage, ...head }: Answer) =>
  [
    {
      type: "message_start",
      message: { ...head, content: [], container: null, context_management: null, ...ending, stop_reason: null, usage }
    },
    { type: "content_block_start", index: 0, content_block: { ...block, text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: block?.text ?? "" } },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason, stop_sequence, stop_details, container: head.container },
      context_management: head.context_management,
      usage: { output_tokens: usage.output_tokens, server_tool_use: usage.server_tool_use }
    },
    { type: "message_stop" }
  ]
    .map((event) => sseFrame(JSON.stringify(event), event.type))
    .join("")

/** The events of an answer whose text a filter changed. */
const changed = (events: ReadonlyArray<LlmEvent>): ReadonlyArray<LlmEvent> =>
  events.map((event) => (event._tag === "TextDelta" ? { ...event, text: "after" } : event))

const wholeOf = (answer: Answer) => {
  const { events } = decodeWhole(anthropicMessages, Buffer.from(JSON.stringify(answer)))
  return anthropicMessagesDialect.renderWhole(foldEvents(changed(events)), contextOf(), [])
}

/** As clients put a stream together whose text a filter changed: what follows of its structure is rendered then. */
const streamedOf = (answer: Answer) => {
  const { frames } = decodeStream(anthropicMessages, [Buffer.from(streamOf(answer))])
  const renderer = anthropicMessagesDialect.renderer(contextOf())
  const isPlain = ({ _tag }: LlmEvent) => _tag === "UsageReported" || _tag.endsWith("Delta")
  let touched = false
  let text = ""
  for (const frame of frames) {
    touched ||= frame.events.some(({ _tag }) => _tag === "TextDelta")
    const verbatim = !touched || (frame.events.every(isPlain) && !frame.events.some(({ _tag }) => _tag === "TextDelta"))
    text += verbatim
      ? renderer.verbatim(frame)
      : changed(frame.events)
          .map((event) => renderer.event(event))
          .join("")
  }
  text += renderer.end()
  expect(streamFaults(text)).toEqual([])
  const [start, ...others] = documentsOf(text)
  const [last] = others.filter(({ type }) => type === "message_delta")
  const { delta, usage, type: _, ...more } = last ?? { type: "" }
  const head = start?.["message"] as Answer
  const pieces = others.flatMap(({ delta }) =>
    delta?.type === "text_delta" ? [(delta as { text?: string }).text] : []
  )
  return {
    ...head,
    content: [{ type: "text", text: pieces.join("") }],
    ...delta,
    ...more,
    usage: { ...head.usage, ...(usage as object) }
  }
}

const expected = (answer: Answer) => ({ ...answer, content: [{ type: "text", text: "after" }] })

describe("what an answer says of itself as a whole", () => {
  it("reaches a caller of its format where its text was changed, whole as streamed", () => {
    expect(wholeOf(message)).toEqual(expected(message))
    expect(streamedOf(message)).toEqual(expected(message))
  })

  it("says why the model declined in its own place", () => {
    const stop_details = { type: "refusal", category: "cyber", explanation: "No.", recommended_model: "claude-other" }
    const declined = { ...message, stop_reason: "refusal", stop_details }
    expect(wholeOf(declined)).toEqual(expected(declined))
    expect(streamedOf(declined)).toEqual(expected(declined))
  })

  it("keeps no words by which a changed explanation could come back", () => {
    const stop_details = { type: "refusal", category: "cyber", explanation: "the secret" }
    const declined = { ...message, stop_reason: "refusal", stop_details }
    const { events } = decodeWhole(anthropicMessages, Buffer.from(JSON.stringify(declined)))
    const hidden = events.map((event) => (event._tag === "RefusalDelta" ? { ...event, text: "[hidden]" } : event))
    const renderer = anthropicMessagesDialect.renderer(contextOf())
    const stream = hidden.map((event) => renderer.event(event)).join("") + renderer.end()
    const whole = anthropicMessagesDialect.renderWhole(foldEvents(hidden), contextOf(), [])
    expect(stream + JSON.stringify(whole)).not.toContain("secret")
    expect(whole).toMatchObject({ stop_details: { category: "cyber", explanation: "[hidden]" } })
  })

  it("is nothing to callers of other formats, and there for clients where a provider of another one says nothing", () => {
    const { events } = decodeWhole(anthropicMessages, Buffer.from(JSON.stringify(message)))
    expect(JSON.stringify(openAiChatDialect.renderWhole(foldEvents(events), contextOf(), []))).not.toContain(
      "container"
    )
    const elsewhere = events.map((event) =>
      event._tag === "Finish" ? { ...event, origin: { protocol: "elsewhere", value: { container: 1 } } } : event
    )
    const whole = anthropicMessagesDialect.renderWhole(foldEvents(elsewhere), contextOf(), [])
    expect(whole).toMatchObject({ container: null, stop_details: null, usage: { cache_creation: null, speed: null } })
  })
})
