import { Schema, type Types } from "effect"
import { type LlmRequest, type Message, type Part, Role } from "../domain/LlmRequest.ts"
import type { Choice, LlmResponse, ResponsePart } from "../domain/LlmResponse.ts"
import { cutAfter } from "./Capture.ts"

const optional = Schema.optionalKey

/** Of the arguments of a tool call so many bytes of UTF-8 are kept by themselves. */
const argumentsLimit = 64 * 1024

/**
 * A message of a call, numbered from 0 on in the order in which the model has them; the answer is the last, or the last
 * ones, where several were asked for. `text` is what was said in it, `media` how many pictures and the like it holds.
 */
export const MessageRecord = Schema.Struct({
  number: Schema.Natural,
  role: Role,
  name: optional(Schema.String),
  text: optional(Schema.String),
  reasoning: optional(Schema.String),
  media: optional(Schema.Natural),
  /** the choice that it is, beyond the first */
  choice: optional(Schema.Natural)
})
export type MessageRecord = typeof MessageRecord.Type

/**
 * A tool call, numbered from 0 on. `complete` says that its arguments are a JSON object, all of which is there; what is
 * beyond 64 KiB of them is left out, `omittedBytes` of UTF-8.
 */
export const ToolCallRecord = Schema.Struct({
  number: Schema.Natural,
  /** the number of the message that it stands in; absent where the messages are not known */
  message: optional(Schema.Natural),
  id: Schema.String,
  name: Schema.String,
  arguments: Schema.String,
  omittedBytes: optional(Schema.Natural),
  complete: Schema.Boolean,
  /** the number of the message that has its result */
  result: optional(Schema.Struct({ message: Schema.Natural, isError: optional(Schema.Literal(true)) }))
})
export type ToolCallRecord = typeof ToolCallRecord.Type

/** What was said in a call, as far as its content is kept whole. */
export const Transcript = Schema.Struct({
  messages: optional(Schema.Array(MessageRecord)),
  toolCalls: optional(Schema.Array(ToolCallRecord))
})
export type Transcript = typeof Transcript.Type

/** A tool call as it is told by itself: its arguments cut to what is kept, and to `limit` bytes. */
export const toolCallOf = (
  {
    arguments: written,
    id,
    name,
    valid
  }: {
    readonly id: string
    readonly name: string
    readonly arguments: string
    readonly valid: boolean
  },
  limit = argumentsLimit
): Pick<ToolCallRecord, "id" | "name" | "arguments" | "omittedBytes" | "complete"> => {
  const { omittedBytes, text } = cutAfter(written, Math.min(limit, argumentsLimit))
  return { id, name, arguments: text, complete: valid, ...(omittedBytes === 0 ? {} : { omittedBytes }) }
}

const decodesToObject = (text: string): boolean => {
  // JSON.parse says no by throwing.
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

class Writer {
  readonly messages: Array<MessageRecord> = []
  readonly toolCalls: Array<Types.Mutable<ToolCallRecord>> = []

  add(role: Role, parts: ReadonlyArray<Part | ResponsePart>, more: Pick<MessageRecord, "name" | "choice">): void {
    const number = this.messages.length
    const texts: Array<string> = []
    const thoughts: Array<string> = []
    let media = 0
    for (const part of parts) {
      switch (part._tag) {
        case "Text":
        case "Refusal":
          texts.push(part.text)
          break
        case "Reasoning":
          if (part.text !== "") thoughts.push(part.text)
          break
        case "Media":
          media++
          break
        case "ToolCall": {
          const valid = "valid" in part ? part.valid : decodesToObject(part.arguments)
          this.toolCalls.push({ number: this.toolCalls.length, message: number, ...toolCallOf({ ...part, valid }) })
          break
        }
        case "ToolResult":
          this.#link(part.callId, number, "isError" in part && part.isError === true)
          if ("content" in part)
            texts.push(...part.content.flatMap((piece) => (piece._tag === "Text" ? [piece.text] : [])))
      }
    }
    this.messages.push({
      number,
      role,
      ...more,
      ...(texts.length === 0 ? {} : { text: texts.join("\n") }),
      ...(thoughts.length === 0 ? {} : { reasoning: thoughts.join("\n") }),
      ...(media === 0 ? {} : { media })
    })
  }

  /** An answer of which not all is kept. */
  addAbridged(text: string, toolCalls: NonNullable<Answer["toolCalls"]>): void {
    const message = this.messages.length
    this.messages.push({ number: message, role: "assistant", text })
    for (const { complete = false, ...call } of toolCalls) {
      this.toolCalls.push({ number: this.toolCalls.length, message, ...call, complete })
    }
  }

  /** A result belongs to the first call of its id that has none: some providers count the calls of each message anew. */
  #link(callId: string, message: number, isError: boolean): void {
    const call = this.toolCalls.find(({ id, result }) => id === callId && result === undefined)
    if (call !== undefined) call.result = { message, ...(isError ? { isError: true } : {}) }
  }
}

/** What is known of an answer: all of it, or what is kept of one that is too long. */
interface Answer {
  readonly answer?: LlmResponse
  readonly text?: string
  readonly toolCalls?: ReadonlyArray<
    Omit<ToolCallRecord, "number" | "message" | "complete"> & { readonly complete?: boolean }
  >
}

const nameOf = ({ name }: Message): Pick<MessageRecord, "name"> => (name === undefined ? {} : { name })
const choiceOf = ({ index }: Choice): Pick<MessageRecord, "choice"> => (index === 0 ? {} : { choice: index })

const withoutPlaces = (call: ToolCallRecord): ToolCallRecord => {
  const { message: _message, result: _result, ...rest } = call
  return rest
}

/**
 * The messages and tool calls of a call: what came with the request, and the answer as far as it came. Of a request that
 * is not known there are no messages, because their numbers are not known either.
 */
export const transcriptOf = (
  request: Pick<LlmRequest, "messages"> | undefined,
  { answer, text, toolCalls = [] }: Answer
): Transcript => {
  const writer = new Writer()
  for (const message of request?.messages ?? []) writer.add(message.role, message.parts, nameOf(message))
  for (const choice of answer?.choices ?? []) writer.add("assistant", choice.parts, choiceOf(choice))
  if (answer === undefined && text !== undefined) writer.addAbridged(text, toolCalls)
  const { messages, toolCalls: calls } = writer
  const known = request === undefined ? calls.map(withoutPlaces) : calls
  return {
    ...(request === undefined ? {} : { messages }),
    ...(known.length === 0 ? {} : { toolCalls: known })
  }
}
