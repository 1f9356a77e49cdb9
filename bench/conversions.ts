/**
 * What `raw-tap` and `raw-xform` do with an answer: straight-line code for the benchmark's own frames alone, with no
 * tools, no reasoning, no errors. It is the floor for a translation, not a translation to copy.
 */
import { StringDecoder } from "node:string_decoder"
import { type Dialect, namedFrame } from "./workloads.ts"

export interface Conversion {
  /** A function from the bytes read to the bytes to send, holding one stream's state. */
  readonly stream: () => (chunk: Buffer) => Buffer | string
  readonly whole: (body: Buffer) => Buffer | string
}

/** Calls `onData` with the data of each frame that the bytes read so far complete. */
const scanner = () => {
  const decoder = new StringDecoder("utf8")
  let rest = ""
  return (chunk: Buffer, onData: (data: string) => void): void => {
    const text = rest + decoder.write(chunk)
    let start = 0
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n", start)) {
      const data = text.indexOf("data: ", start)
      if (data !== -1 && data < end) onData(text.slice(data + 6, end))
      start = end + 2
    }
    rest = text.slice(start)
  }
}

interface ChatUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
}

interface ChatChunk {
  readonly id: string
  readonly model: string
  readonly choices: ReadonlyArray<{
    readonly delta: { readonly content?: string }
    readonly finish_reason: string | null
  }>
  readonly usage: ChatUsage | null
}

interface ChatCompletion {
  readonly id: string
  readonly model: string
  readonly choices: ReadonlyArray<{ readonly message: { readonly content: string } }>
  readonly usage: ChatUsage
}

interface MessagesUsage {
  readonly input_tokens: number
  readonly output_tokens: number
}

interface Message {
  readonly id: string
  readonly model: string
  readonly content: ReadonlyArray<{ readonly text: string }>
  readonly usage: MessagesUsage
}

type MessagesEvent =
  | { readonly type: "message_start"; readonly message: Message }
  | { readonly type: "content_block_delta"; readonly delta: { readonly text: string } }
  | { readonly type: "message_delta"; readonly usage: MessagesUsage }
  | { readonly type: "content_block_start" | "content_block_stop" | "message_stop" }

const chatUsage = ({ input_tokens, output_tokens }: MessagesUsage) => ({
  prompt_tokens: input_tokens,
  completion_tokens: output_tokens,
  total_tokens: input_tokens + output_tokens
})

const messagesUsage = ({ completion_tokens, prompt_tokens }: ChatUsage) => ({
  input_tokens: prompt_tokens,
  output_tokens: completion_tokens
})

const dataFrame = (data: object): string => `data: ${JSON.stringify(data)}\n\n`

/** Messages events to chat chunks. */
const toChatFrames = () => {
  let identity = { id: "", object: "chat.completion.chunk", created: 1_790_000_000, model: "" }
  const chunk = (delta: object, finishReason: string | null): string =>
    dataFrame({ ...identity, choices: [{ index: 0, delta, finish_reason: finishReason }] })
  return (data: string): string => {
    const event: MessagesEvent = JSON.parse(data)
    switch (event.type) {
      case "message_start":
        identity = { ...identity, id: event.message.id, model: event.message.model }
        return chunk({ role: "assistant", content: "" }, null)
      case "content_block_delta":
        return chunk({ content: event.delta.text }, null)
      case "message_delta":
        return chunk({}, "stop") + dataFrame({ ...identity, choices: [], usage: chatUsage(event.usage) })
      case "message_stop":
        return "data: [DONE]\n\n"
      default:
        return ""
    }
  }
}

const startOfMessage = ({ id, model }: ChatChunk): string => {
  const message = { id, type: "message", role: "assistant", model, content: [], stop_reason: null, stop_sequence: null }
  return (
    namedFrame("message_start", { message: { ...message, usage: { input_tokens: 0, output_tokens: 0 } } }) +
    namedFrame("content_block_start", { index: 0, content_block: { type: "text", text: "" } })
  )
}

const endOfMessage = (usage: ChatUsage): string => {
  const delta = { stop_reason: "end_turn", stop_sequence: null }
  return namedFrame("message_delta", { delta, usage: messagesUsage(usage) }) + namedFrame("message_stop", {})
}

/** Chat chunks to Messages events. */
const toMessagesFrames = () => {
  let started = false
  return (data: string): string => {
    if (data === "[DONE]") return ""
    const chunk: ChatChunk = JSON.parse(data)
    let frames = started ? "" : startOfMessage(chunk)
    started = true
    const choice = chunk.choices[0]
    if (choice?.delta.content) {
      const delta = { type: "text_delta", text: choice.delta.content }
      frames += namedFrame("content_block_delta", { index: 0, delta })
    }
    if (typeof choice?.finish_reason === "string") frames += namedFrame("content_block_stop", { index: 0 })
    return chunk.usage === null ? frames : frames + endOfMessage(chunk.usage)
  }
}

const frameByFrame = (makeStep: () => (data: string) => string) => () => {
  const scan = scanner()
  const step = makeStep()
  return (chunk: Buffer): string => {
    let out = ""
    scan(chunk, (data) => {
      out += step(data)
    })
    return out
  }
}

const wholeToChat = (body: Buffer): string => {
  const { content, id, model, usage }: Message = JSON.parse(body.toString())
  const message = { role: "assistant", content: content[0]?.text, refusal: null }
  const choices = [{ index: 0, message, finish_reason: "stop" }]
  return JSON.stringify({
    id,
    object: "chat.completion",
    created: 1_790_000_000,
    model,
    choices,
    usage: chatUsage(usage)
  })
}

const wholeToMessages = (body: Buffer): string => {
  const { choices, id, model, usage }: ChatCompletion = JSON.parse(body.toString())
  const content = [{ type: "text", text: choices[0]?.message.content }]
  const end = { stop_reason: "end_turn", stop_sequence: null, usage: messagesUsage(usage) }
  return JSON.stringify({ id, type: "message", role: "assistant", model, content, ...end })
}

/** Into the dialect that the client speaks, from the other one. */
export const conversions: Readonly<Record<Dialect, Conversion>> = {
  chat: { stream: frameByFrame(toChatFrames), whole: wholeToChat },
  messages: { stream: frameByFrame(toMessagesFrames), whole: wholeToMessages }
}

/** Reads everything and changes nothing. */
export const tapOnly: Conversion = {
  stream: () => {
    const scan = scanner()
    return (chunk) => {
      scan(chunk, (data) => {
        if (data !== "[DONE]") JSON.parse(data)
      })
      return chunk
    }
  },
  whole: (body) => {
    JSON.parse(body.toString())
    return body
  }
}
