import type { LlmRequest, Message } from "../domain/LlmRequest.ts"
import type { Choice, LlmResponse } from "../domain/LlmResponse.ts"

/**
 * A step of a conversation: what a person or the model said, a tool that was called, what it answered. `message` is the
 * index of the message of the request that holds it; the answer comes after the last one.
 */
export type Row =
  | { readonly kind: "human"; readonly message: number; readonly text: string }
  | { readonly kind: "assistant"; readonly message: number; readonly text: string }
  | { readonly kind: "call"; readonly message: number; readonly name: string; readonly arguments: string }
  | {
      readonly kind: "observation"
      readonly message: number
      readonly text: string
      /** the tool that answered, where it is known */
      readonly tool?: string
      /** the index of the message with the call */
      readonly call?: number
      /** the answer is marked as an error */
      readonly failed: boolean
    }

/** The steps of a conversation, the latest of them, and how many messages of people and of the model there are in all. */
export interface Conversation {
  readonly rows: ReadonlyArray<Row>
  readonly turns: { readonly human: number; readonly assistant: number }
}

const maxRows = 100
const maxLength = 2000

/** The first fifth and the rest from the end of a text that is longer than 2,000 characters, never half a character. */
export const shorten = (text: string): string => {
  if (text.length <= maxLength) return text
  const head = Math.floor(maxLength / 5)
  const tail = text.length - (maxLength - head - 1)
  const cutsBefore = isLowSurrogate(text, head) ? head - 1 : head
  return `${text.slice(0, cutsBefore)} ${text.slice(isLowSurrogate(text, tail) ? tail + 1 : tail)}`
}

const isLowSurrogate = (text: string, at: number): boolean => {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit <= 0xdfff
}

interface CallPlace {
  readonly name: string
  readonly message: number
}

const textOfMessage = ({ parts }: Message): string =>
  parts.flatMap((part) => (part._tag === "Text" || part._tag === "Refusal" ? [part.text] : [])).join("\n")

/** Reads the messages from the last one backwards, until there are enough rows. */
class Reader {
  readonly rows: Array<Row> = []
  readonly #calls = new Map<string, CallPlace>()

  /** Calls are known before their results are read, which come later but are read earlier. */
  know(message: Message, index: number): void {
    for (const part of message.parts) {
      if (part._tag === "ToolCall") this.#calls.set(part.id, { name: part.name, message: index })
    }
  }

  read(message: Message, index: number): void {
    switch (message.role) {
      case "user":
        this.rows.push({ kind: "human", message: index, text: shorten(textOfMessage(message)) })
        return
      case "assistant": {
        const text = textOfMessage(message)
        if (text !== "") this.rows.push({ kind: "assistant", message: index, text: shorten(text) })
        for (const part of message.parts) if (part._tag === "ToolCall") this.#call(part, index)
        return
      }
      case "tool":
        for (const part of message.parts) {
          if (part._tag !== "ToolResult") continue
          const text = part.content.flatMap((piece) => (piece._tag === "Text" ? [piece.text] : [])).join("\n")
          this.#observe(part.callId, text, part.isError === true, index, part.name)
        }
    }
  }

  /** The answer, with the tools that the provider ran itself. */
  answer({ parts }: Choice, index: number): void {
    let text = ""
    const flush = () => {
      if (text !== "") this.rows.push({ kind: "assistant", message: index, text: shorten(text) })
      text = ""
    }
    for (const part of parts) {
      if (part._tag === "Text" || part._tag === "Refusal") text += part.text
      if (part._tag === "ToolCall") {
        flush()
        this.#calls.set(part.id, { name: part.name, message: index })
        this.#call(part, index)
      }
      if (part._tag === "ToolResult") this.#observe(part.callId, JSON.stringify(part.value), false, index)
    }
    flush()
  }

  #call(part: { readonly name: string; readonly arguments: string }, message: number): void {
    this.rows.push({ kind: "call", message, name: part.name, arguments: part.arguments })
  }

  #observe(callId: string, text: string, failed: boolean, message: number, name?: string): void {
    const call = this.#calls.get(callId)
    const tool = call?.name ?? name
    this.rows.push({
      kind: "observation",
      message,
      text: shorten(text),
      failed,
      ...(tool === undefined ? {} : { tool }),
      ...(call === undefined ? {} : { call: call.message })
    })
  }
}

/** What was said in a conversation: the history that came with the request, and the answer as far as it came. */
export const conversationOf = (request: LlmRequest, response: LlmResponse | undefined): Conversation => {
  const { messages } = request
  const reader = new Reader()
  // No message has less than no row: the last 100 messages have at least what counts of the last 100 rows.
  const first = Math.max(0, messages.length - maxRows)
  for (let index = first; index < messages.length; index++) reader.know(messages[index]!, index)
  for (let index = first; index < messages.length; index++) reader.read(messages[index]!, index)
  const answer = response?.choices[0]
  if (answer !== undefined) reader.answer(answer, messages.length)
  const count = (role: Message["role"]) => messages.reduce((sum, message) => sum + (message.role === role ? 1 : 0), 0)
  return {
    rows: reader.rows.slice(-maxRows),
    turns: { human: count("user"), assistant: count("assistant") + (answer === undefined ? 0 : 1) }
  }
}
