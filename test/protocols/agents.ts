import { Result } from "effect"
import type { LlmRequest } from "../../src/domain/LlmRequest.ts"
import type { LlmResponse } from "../../src/domain/LlmResponse.ts"
import { anthropicMessagesDialect } from "../../src/protocols/anthropic-messages/inbound.ts"
import type { Dialect } from "../../src/protocols/Dialect.ts"
import { geminiDialect } from "../../src/protocols/gemini/inbound.ts"
import { openAiChatDialect } from "../../src/protocols/openai-chat/inbound.ts"
import { openAiResponsesDialect } from "../../src/protocols/openai-responses/inbound.ts"
import { isObject, type JsonObject } from "../../src/protocols/open-document.ts"

const list = (value: unknown): ReadonlyArray<JsonObject> => (Array.isArray(value) ? value.filter(isObject) : [])
const object = (value: unknown): JsonObject => (isObject(value) ? value : {})

/** How a program that speaks a dialect goes on: what it keeps of an answer, how it answers calls, and what it asks next. */
interface Habits {
  readonly dialect: Dialect
  readonly says: (text: string) => JsonObject
  /** what is kept of an answer, and the results of the calls in it */
  readonly keeps: (answer: JsonObject) => {
    readonly turn: ReadonlyArray<JsonObject>
    readonly results: ReadonlyArray<JsonObject>
  }
  readonly asks: (history: ReadonlyArray<JsonObject>) => JsonObject
}

const found = "42"
/** What clients find for Claude, and no other API has a block for. */
const foundTools = [{ type: "tool_reference", tool_name: "look" }]

const chat: Habits = {
  dialect: openAiChatDialect,
  says: (content) => ({ role: "user", content }),
  keeps: ({ choices }) => {
    const message = object(list(choices)[0]?.["message"])
    const results = list(message["tool_calls"]).map(({ id }) => ({
      role: "tool",
      tool_call_id: id ?? null,
      content: found
    }))
    return { turn: [message], results }
  },
  asks: (messages) => ({ model: "smart", messages, reasoning_effort: "high" })
}

const responses: Habits = {
  dialect: openAiResponsesDialect,
  says: (content) => ({ role: "user", content }),
  keeps: ({ output }) => {
    const turn = list(output)
    const answered = (id: unknown) =>
      turn.some(({ call_id, type }) => call_id === id && String(type).endsWith("_output"))
    const results = turn.flatMap(({ call_id = null, type }) =>
      !/^(function|custom_tool|local_shell|shell|apply_patch)_call$/.test(String(type)) || answered(call_id)
        ? []
        : [{ type: `${String(type)}_output`, call_id, output: type === "shell_call" ? [{ stdout: found }] : found }]
    )
    return { turn, results }
  },
  asks: (input) => ({
    model: "smart",
    input,
    store: false,
    include: ["reasoning.encrypted_content"],
    reasoning: { effort: "high", summary: "auto" }
  })
}

const messages: Habits = {
  dialect: anthropicMessagesDialect,
  says: (content) => ({ role: "user", content }),
  keeps: ({ content = [] }) => {
    const results = list(content).flatMap(({ id, type }) =>
      type === "tool_use" ? [{ type: "tool_result", tool_use_id: id ?? null, content: foundTools }] : []
    )
    return {
      turn: [{ role: "assistant", content }],
      results: results.length === 0 ? [] : [{ role: "user", content: results }]
    }
  },
  asks: (messages) => ({
    model: "smart",
    max_tokens: 20_000,
    messages,
    thinking: { type: "enabled", budget_tokens: 4000 }
  })
}

const gemini: Habits = {
  dialect: geminiDialect,
  says: (text) => ({ role: "user", parts: [{ text }] }),
  keeps: ({ candidates }) => {
    const content = object(list(candidates)[0]?.["content"])
    const parts = list(content["parts"])
    const results = parts.flatMap(({ functionCall }) =>
      isObject(functionCall)
        ? [
            {
              functionResponse: {
                id: functionCall["id"] ?? null,
                name: functionCall["name"] ?? null,
                response: { output: found }
              }
            }
          ]
        : []
    )
    return {
      turn: parts.length === 0 ? [] : [{ role: "model", parts }],
      results: results.length === 0 ? [] : [{ role: "user", parts: results }]
    }
  },
  asks: (contents) => ({
    contents,
    generationConfig: { maxOutputTokens: 20_000, thinkingConfig: { includeThoughts: true } }
  })
}

/** A program that has a conversation, and does not know that the providers behind it change. */
export class Agent {
  readonly id: string
  private readonly habits: Habits
  private readonly history: Array<JsonObject> = []
  private turns = 0

  constructor(habits: Habits) {
    this.habits = habits
    this.id = habits.dialect.id
    this.say("Hm?")
  }

  say(text: string): void {
    this.history.push(this.habits.says(text))
  }

  /** Hears an answer, and answers the calls in it. */
  hear(answer: LlmResponse): void {
    const context = { id: `made_here_${this.turns++}`, created: 1, request: nothing, origin: undefined }
    const body = this.habits.dialect.renderWhole(answer, context, [])
    // What a program is sent and keeps is a document of its own.
    const { turn, results } = this.habits.keeps(object(JSON.parse(JSON.stringify(body))))
    this.history.push(...turn, ...results)
    if (results.length === 0) this.say("Go on.")
  }

  /** What it asks next, as it is written and as it is understood. */
  asks(): { readonly body: JsonObject; readonly request: LlmRequest } {
    const body = this.habits.asks(this.history)
    const { request } = Result.getOrThrow(this.habits.dialect.decode(body, { model: "smart", delivery: "whole" }))
    return { body, request }
  }
}

const nothing: LlmRequest = { model: "smart", messages: [], sampling: {} }

/** An agent of every dialect, at the beginning of its conversation. */
export const agents = (): ReadonlyArray<Agent> => [chat, responses, messages, gemini].map((habits) => new Agent(habits))
