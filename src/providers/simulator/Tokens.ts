import type { Schema } from "effect"
import type { LlmRequest, Message, Part } from "../../domain/LlmRequest.ts"

// A word with the blank before it and the punctuation after it, else a single sign, else the blanks at the end.
const token = /\s*(?:[\p{L}\p{M}\p{N}_'’-]+[.,;:!?]*|\S)|\s+/gu

/** Splits a text into the simulator's tokens; joined they are the text again. */
export const tokensOf = (text: string): ReadonlyArray<string> => text.match(token) ?? []

/** What every picture, sound or document counts, whatever its size. */
const tokensPerMedia = 85

const countText = (text: string): number => tokensOf(text).length

const countJson = (value: Schema.Json): number => countText(JSON.stringify(value))

const countPart = (part: Part): number => {
  switch (part._tag) {
    case "Text":
    case "Refusal":
      return countText(part.text)
    case "Reasoning":
      return countText(part.text) + countText(part.redacted ?? "")
    case "Media":
      return tokensPerMedia
    case "ToolCall":
      return countText(part.name) + countText(part.arguments)
    case "ToolResult":
      return part.content.reduce((sum, piece) => sum + countPart(piece), 0)
    case "Opaque":
      return countJson(part.value)
  }
}

const isMarked = (part: Part): boolean => "cache" in part && part.cache !== undefined

/** What the prompt of a request counts: all of it, and the part before its last cache marker. */
export interface PromptTokens {
  readonly total: number
  /** up to and with the last cache marker; 0 where there is none */
  readonly marked: number
}

/** Counts a prompt: tools first, then the messages in order, the way a provider caches it. */
export const countPrompt = (request: LlmRequest): PromptTokens => {
  let total = 0
  let marked = 0
  for (const tool of request.tools ?? []) {
    total += countJson(tool)
    if (tool._tag === "Function" && tool.cache !== undefined) marked = total
  }
  for (const message of request.messages) {
    for (const part of message.parts) {
      total += countPart(part)
      if (isMarked(part)) marked = total
    }
  }
  return { total, marked }
}

/** Whether the model has spoken before in this conversation. */
export const isContinued = (messages: ReadonlyArray<Message>): boolean =>
  messages.some((message) => message.role === "assistant")
