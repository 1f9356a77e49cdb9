/**
 * What the benchmark's upstream answers, chosen through the request's model name, and the exact bytes of it. The
 * upstream writes these bytes; the load generator knows from them what a correct answer is.
 */
export type Dialect = "chat" | "messages"

/** The path on which both the upstream and the gateways take a dialect's calls. */
export const pathOf: Readonly<Record<Dialect, string>> = {
  chat: "/v1/chat/completions",
  messages: "/v1/messages"
}

/** The gateways address the upstream by a provider's name before the model's: `bench/whole-1k`. */
export const providerOf: Readonly<Record<Dialect, string>> = { chat: "bench", messages: "benchm" }

export type Workload =
  | { readonly kind: "whole"; readonly bodyBytes: number }
  | {
      readonly kind: "stream"
      readonly chunks: number
      /** Events in one write; a paced stream has one. */
      readonly perWrite: number
      /** Time between writes; 0 is as fast as the reader takes them. Only paced chunks carry a time stamp. */
      readonly paceMillis: number
      readonly textBytes: number
      /** The chunks' texts are together a JSON object with one long string. */
      readonly json: boolean
    }

const defaultTextBytes = 32

/**
 * Reads `whole-<n>k`, `stream-<chunks>x<events per write>` or `paced-<chunks>x<n>ms`; the last two may end in
 * `-<n>b`, the bytes of text in a chunk (default 32, at least 25), and in `-json`. Chunks are numbered in four digits: at
 * most 9999.
 * A provider's name before a slash is skipped.
 */
export const parseWorkload = (model: string): Workload | undefined => {
  const name = model.slice(model.lastIndexOf("/") + 1)
  const whole = /^whole-(\d+)k$/.exec(name)
  if (whole !== null) return { kind: "whole", bodyBytes: Number(whole[1]) * 1024 }
  const stream = /^(stream|paced)-(\d+)x(\d+)(?:ms)?(?:-(\d+)b)?(-json)?$/.exec(name)
  if (stream === null) return undefined
  const paced = stream[1] === "paced"
  const size = Number(stream[3])
  return {
    kind: "stream",
    chunks: Number(stream[2]),
    perWrite: paced ? 1 : size,
    paceMillis: paced ? size : 0,
    textBytes: Number(stream[4] ?? defaultTextBytes),
    json: stream[5] !== undefined
  }
}

const digits = "0123456789"
const letters = "abcdefghij"
const inOther = (text: string, from: string, to: string): string =>
  Array.from(text, (sign) => to[from.indexOf(sign)] ?? sign).join("")

/** A time in microseconds as it stands in a text: in letters, since so many digits may be a card to a filter. */
export const stampOf = (micros: number): string => inOther(String(micros).padStart(16, "0"), digits, letters)

/** The time that a stamp says. */
export const microsOf = (stamp: string): number => Number(inOther(stamp, letters, digits))

/** Stands in every chunk's text where a paced stream writes the time. */
export const stampPlaceholder = stampOf(0)

/** What opens the mark in a chunk's text. It stands nowhere else in an answer. */
export const markOpen = "[["

/** `[[0017|<time>]]`: the chunk's number shows loss and disorder, the time its latency. */
const chunkText = (index: number, bytes: number): string =>
  `${markOpen}${String(index).padStart(4, "0")}|${stampPlaceholder}]] tokens `
    .padEnd(bytes, "and more ")
    .slice(0, bytes)

const dataFrame = (data: string): string => `data: ${data}\n\n`
export const namedFrame = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

const chatUsage = (outputTokens: number) => ({
  prompt_tokens: 42,
  completion_tokens: outputTokens,
  total_tokens: 42 + outputTokens,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 }
})

const messagesUsage = (outputTokens: number) => ({
  input_tokens: 42,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: outputTokens
})

const chatIdentity = (object: string) => ({
  id: "chatcmpl-C4mKQ2xJ7pYvW1sNf0aB",
  object,
  created: 1_790_000_000,
  model: "bench-2026-11-01",
  system_fingerprint: "fp_3f1c0d5a7b"
})

const messagesIdentity = { id: "msg_01XkT5mV9cLwR2bQ7uHs", type: "message", role: "assistant", model: "bench-2026-11" }

/** The frames of one stream: what comes before the chunks, the chunks, and how it ends. */
export interface StreamFrames {
  readonly head: string
  readonly chunks: ReadonlyArray<string>
  readonly tail: string
}

const chatFrames = (texts: ReadonlyArray<string>): StreamFrames => {
  const chunk = (delta: object, finishReason: string | null) =>
    dataFrame(
      JSON.stringify({
        ...chatIdentity("chat.completion.chunk"),
        choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
        usage: null
      })
    )
  const usage = { ...chatIdentity("chat.completion.chunk"), choices: [], usage: chatUsage(texts.length) }
  return {
    head: chunk({ role: "assistant", content: "", refusal: null }, null),
    chunks: texts.map((content) => chunk({ content }, null)),
    tail: chunk({}, "stop") + dataFrame(JSON.stringify(usage)) + dataFrame("[DONE]")
  }
}

const messagesFrames = (texts: ReadonlyArray<string>): StreamFrames => ({
  head:
    namedFrame("message_start", {
      message: { ...messagesIdentity, content: [], stop_reason: null, stop_sequence: null, usage: messagesUsage(1) }
    }) + namedFrame("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  chunks: texts.map((text) => namedFrame("content_block_delta", { index: 0, delta: { type: "text_delta", text } })),
  tail:
    namedFrame("content_block_stop", { index: 0 }) +
    namedFrame("message_delta", {
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: messagesUsage(texts.length)
    }) +
    namedFrame("message_stop", {})
})

type StreamWorkload = Workload & { readonly kind: "stream" }

/** The texts of a stream's chunks, with placeholders where stamps will be. */
export const streamTexts = ({ chunks, json, textBytes }: StreamWorkload): ReadonlyArray<string> => {
  const texts = Array.from({ length: chunks }, (_, index) => chunkText(index, textBytes))
  if (!json) return texts
  const last = chunks - 1
  return texts.map((text, index) => (index === 0 ? '{"text":"' : "") + text + (index === last ? '"}' : ""))
}

export const streamFrames = (dialect: Dialect, workload: StreamWorkload): StreamFrames => {
  const texts = streamTexts(workload)
  return dialect === "chat" ? chatFrames(texts) : messagesFrames(texts)
}

const wholeWith = (dialect: Dialect, text: string): string =>
  dialect === "chat"
    ? JSON.stringify({
        ...chatIdentity("chat.completion"),
        choices: [
          {
            index: 0,
            message: { role: "assistant", content: text, refusal: null },
            logprobs: null,
            finish_reason: "stop"
          }
        ],
        usage: chatUsage(128)
      })
    : JSON.stringify({
        ...messagesIdentity,
        content: [{ type: "text", text }],
        stop_reason: "end_turn",
        stop_sequence: null,
        usage: messagesUsage(128)
      })

/** The text of a whole answer, of the length that makes the upstream's chat body as long as asked. */
export const wholeText = (workload: Workload & { readonly kind: "whole" }): string => {
  const frame = wholeWith("chat", "").length
  return "The wheel turns as long as the water runs. "
    .repeat(1 + workload.bodyBytes / 40)
    .slice(0, workload.bodyBytes - frame)
}

export const wholeBody = (dialect: Dialect, workload: Workload & { readonly kind: "whole" }): string =>
  wholeWith(dialect, wholeText(workload))
