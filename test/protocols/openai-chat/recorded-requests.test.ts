import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { corpusCases, corpusPresent, type Document } from "../corpus.ts"

const recorded = corpusCases("openai-chat").flatMap(({ name, request }) =>
  request === undefined ? [] : [[name, request] as const]
)

type Fields = { readonly [key: string]: unknown }
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** One text is the same as a list of it. */
const sameContent = (content: unknown): unknown =>
  Array.isArray(content) && content.length === 1 && isFields(content[0]) && Object.keys(content[0]).length === 2
    ? (content[0]["text"] ?? content)
    : content

/** Calls and results without an id are given one that says where they stand. */
const isMade = (key: string, value: unknown): boolean => key.endsWith("id") && /^call_\d+_\d+$/.test(String(value))

const withoutNulls = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withoutNulls)
    : isFields(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([key, inner]) => inner !== null && !isMade(key, inner))
            .map(([key, inner]) => [key, withoutNulls(inner)])
        )
      : value

const sameMessage = (message: Fields): Fields => {
  const { content, function_call: call, tool_calls: calls, ...rest } = message
  const said = sameContent(content)
  return {
    ...rest,
    // Nothing said, an empty text and no content are one and the same.
    ...(said === undefined || said === null || said === "" || (Array.isArray(said) && said.length === 0)
      ? {}
      : { content: said }),
    ...(Array.isArray(calls) && calls.length > 0 ? { tool_calls: calls } : {}),
    ...(call === undefined || call === null ? {} : { function_call: call })
  }
}

/**
 * A request without the choices of words that mean the same: the older name of the limit, a single stop sequence, tools
 * under their first name, `null` for what is not set. What says how the answer is to come is not part of the request.
 */
const meaning = (request: Document): unknown => {
  const { model: _, stream: __, stream_options: ___, ...rest } = request
  const { max_tokens, max_completion_tokens, stop, functions, function_call, messages, tools, tool_choice, ...others } =
    rest
  const called = Array.isArray(tools) && tools.length > 0
  return withoutNulls({
    ...others,
    max_completion_tokens: max_completion_tokens ?? max_tokens ?? null,
    stop: typeof stop === "string" ? [stop] : (stop ?? null),
    tools: called
      ? tools
      : Array.isArray(functions)
        ? functions.map((definition) => ({ type: "function", function: definition as unknown }))
        : null,
    tool_choice: called ? (tool_choice ?? null) : (function_call ?? null),
    ...(called ? {} : { parallel_tool_calls: null }),
    messages: (messages as ReadonlyArray<Fields>).map(sameMessage)
  })
}

describe.skipIf(!corpusPresent)("recorded requests for chat completions", () => {
  it("are there", () => expect(recorded.length).toBeGreaterThan(150))

  it.each(recorded)("%s", (_name, body) => {
    // JSON that was parsed is JSON.
    const { request, delivery } = Result.getOrThrow(openAiChatDialect.decode(body as never))
    expect(delivery).toBe(body["stream"] === true ? "stream" : "whole")
    expect(request.model).toBe(body["model"])
    const encoded = Result.getOrThrow(
      openAiChat.encode(request, { model: "other", delivery, quirks: {}, origin: undefined })
    )
    expect(encoded.notices).toEqual([])
    expect(encoded.body["model"]).toBe("other")
    expect(meaning(encoded.body)).toEqual(meaning(body))
  })

  it.each(recorded)("%s goes on as it came", (_name, body) => {
    const { request, delivery } = Result.getOrThrow(openAiChatDialect.decode(body as never))
    const origin = { protocol: "openai-chat", body: body as never, text: "", headers: {} }
    const encoded = Result.getOrThrow(openAiChat.encode(request, { model: "other", delivery, quirks: {}, origin }))
    const { stream_options: options, ...rest } = encoded.body
    const { stream_options: theirs, ...same } = body
    expect(rest).toEqual({ ...same, model: "other" })
    expect(options).toEqual(
      delivery === "stream" ? { ...(isFields(theirs) ? theirs : {}), include_usage: true } : undefined
    )
  })
})
