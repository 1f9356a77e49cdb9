import { Effect } from "effect"
import type { LlmError } from "../../../src/domain/LlmError.ts"
import { foldEvents, textOf } from "../../../src/domain/LlmResponse.ts"
import { anthropicMessages } from "../../../src/protocols/anthropic-messages/outbound.ts"
import { gemini } from "../../../src/protocols/gemini/outbound.ts"
import { openAiChat } from "../../../src/protocols/openai-chat/outbound.ts"
import { openAiResponses } from "../../../src/protocols/openai-responses/outbound.ts"
import type { Protocol } from "../../../src/protocols/Protocol.ts"
import { decodeStream, decodeWhole } from "../../protocols/corpus.ts"
import { ask } from "../running.ts"
import type { Seen } from "./server.ts"

const schema = { type: "object", properties: { town: { type: "string" } }, required: ["town"] }
const description = "The weather of a town"

/** What a conversation goes on with: the answer as it came, and what its calls came to, in the order of the calls. */
export interface Results {
  readonly answer: Document
  readonly calls: ReadonlyArray<{ readonly id: string; readonly name: string }>
  readonly result: string
}

/** A request in the words of a dialect; `tools` offers one that is called `weather`. */
export interface Asked {
  readonly stream: boolean
  readonly tools?: boolean
  readonly results?: Results
}

// Answers of every dialect are looked into freely.
type Document = ReturnType<typeof JSON.parse>

/** A dialect as an application speaks it, without an SDK. */
export interface Caller {
  readonly protocol: Protocol
  readonly path: (model: string, stream: boolean) => string
  readonly body: (model: string, asked: Asked) => object
}

const question = "Say it back, please."

const chat: Caller = {
  protocol: openAiChat,
  path: () => "/v1/chat/completions",
  body: (model, { stream, tools = false, results }) => ({
    model,
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    max_completion_tokens: 500,
    messages: [
      { role: "user", content: question },
      ...(results === undefined
        ? []
        : [
            results.answer.choices[0].message,
            ...results.calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: results.result }))
          ])
    ],
    ...(tools ? { tools: [{ type: "function", function: { name: "weather", description, parameters: schema } }] } : {})
  })
}

const responses: Caller = {
  protocol: openAiResponses,
  path: () => "/v1/responses",
  body: (model, { stream, tools = false, results }) => ({
    model,
    stream,
    store: false,
    include: ["reasoning.encrypted_content"],
    max_output_tokens: 500,
    input: [
      { role: "user", content: question },
      ...(results === undefined
        ? []
        : [
            ...results.answer.output,
            ...results.calls.map(({ id }) => ({ type: "function_call_output", call_id: id, output: results.result }))
          ])
    ],
    ...(tools ? { tools: [{ type: "function", name: "weather", description, parameters: schema }] } : {})
  })
}

const messages: Caller = {
  protocol: anthropicMessages,
  path: () => "/v1/messages",
  body: (model, { stream, tools = false, results }) => ({
    model,
    stream,
    max_tokens: 500,
    messages: [
      { role: "user", content: question },
      ...(results === undefined
        ? []
        : [
            { role: "assistant", content: results.answer.content },
            {
              role: "user",
              content: results.calls.map(({ id }) => ({
                type: "tool_result",
                tool_use_id: id,
                content: results.result
              }))
            }
          ])
    ],
    ...(tools ? { tools: [{ name: "weather", description, input_schema: schema }] } : {})
  })
}

const google: Caller = {
  protocol: gemini,
  path: (model, stream) =>
    `/v1beta/models/${encodeURIComponent(model)}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
  body: (_, { tools = false, results }) => ({
    generationConfig: { maxOutputTokens: 500 },
    contents: [
      { role: "user", parts: [{ text: question }] },
      ...(results === undefined
        ? []
        : [
            results.answer.candidates[0].content,
            {
              role: "user",
              parts: results.calls.map(({ id, name }) => ({
                functionResponse: { id, name, response: { output: results.result } }
              }))
            }
          ])
    ],
    ...(tools ? { tools: [{ functionDeclarations: [{ name: "weather", description, parameters: schema }] }] } : {})
  })
}

/** Every dialect that Millrace is called in. */
export const callers = { chat, responses, messages, gemini: google }

/** What an answer says, and how it failed where it did, read as the dialect's own client would. */
export const answerIn = (
  { protocol }: Caller,
  seen: Seen,
  stream: boolean
): ReturnType<typeof gistOf> & { readonly error: LlmError | undefined } => {
  const { events, error } = stream ? decodeStream(protocol, [seen.body]) : decodeWhole(protocol, seen.body)
  return { ...gistOf(events), error }
}

const gistOf = (events: Parameters<typeof foldEvents>[0]) => {
  const { choices, usage } = foldEvents(events)
  const parts = choices[0]?.parts ?? []
  return {
    text: textOf(choices[0]),
    thought: parts.map((part) => (part._tag === "Reasoning" ? part.text : "")).join(""),
    calls: parts.flatMap((part) =>
      part._tag === "ToolCall" ? [{ id: part.id, name: part.name, arguments: JSON.parse(part.arguments) }] : []
    ),
    finish: choices[0]?.finish?.reason,
    usage
  }
}

/** Asks Millrace in a dialect. */
export const askAs = (caller: Caller, model: string, asked: Asked) =>
  Effect.map(
    ask(caller.path(model, asked.stream), {
      body: caller.body(model, asked),
      headers: caller === messages ? { "anthropic-version": "2023-06-01" } : {}
    }),
    (seen) => ({ ...answerIn(caller, seen, asked.stream && seen.status === 200), seen })
  )
