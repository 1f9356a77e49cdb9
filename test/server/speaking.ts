import { Effect } from "effect"
import type { FormatName } from "../../src/providers/formats.ts"
import { decodeStream } from "../protocols/corpus.ts"
import { type Speaker, speakers } from "../protocols/speakers.ts"
import { ask, userMessage } from "./running.ts"

/** The formats that there is a dialect of, to be asked in and to ask. */
export const formats: ReadonlyArray<FormatName> = ["openai-chat", "openai-responses", "anthropic-messages", "gemini"]
const paths: Record<string, (model: string) => { readonly path: string; readonly body: object }> = {
  "openai-chat": (model) => ({
    path: "/v1/chat/completions",
    body: { model, stream: true, stream_options: { include_usage: true }, messages: [userMessage] }
  }),
  "openai-responses": (model) => ({ path: "/v1/responses", body: { model, stream: true, input: userMessage.content } }),
  "anthropic-messages": (model) => ({
    path: "/v1/messages",
    body: { model, stream: true, max_tokens: 1000, messages: [userMessage] }
  }),
  gemini: (model) => ({
    path: `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: { contents: [{ role: "user", parts: [{ text: userMessage.content }] }] }
  })
}

/** Who speaks them. */
export const spoken = speakers.filter(({ name }) => name in paths)

/** A streamed call in a dialect. */
export const askIn = Effect.fnUntraced(function* ({ name }: Speaker, model: string) {
  const { path, body } = paths[name]!(model)
  return yield* ask(path, { body })
})

/** What a caller makes of a stream: its text, and how it ends. */
export const heard = ({ protocol }: Speaker, body: Buffer) => {
  const { frames, error } = decodeStream(protocol, [body])
  const events = frames.flatMap(({ events }) => events)
  const text = events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")
  return { text, error, finished: events.some(({ _tag }) => _tag === "Finish") }
}
