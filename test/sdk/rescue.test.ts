import Anthropic from "@anthropic-ai/sdk"
import { assert, layer } from "@effect/vitest"
import { GoogleGenAI } from "@google/genai"
import { Effect } from "effect"
import OpenAI from "openai"
import type { FormatName } from "../../src/providers/formats.ts"
import { Running, running } from "../server/running.ts"
import { collect, wordsOf } from "./scenario.ts"

const content = "Say it back, please."
const formats: ReadonlyArray<FormatName> = ["openai-chat", "openai-responses", "anthropic-messages", "gemini"]
const breaks = ["truncate=7", "error=7&status=503"]

/** A model for every pair of formats and every way to break off: the first target does, the second one is well. */
const models = Object.fromEntries(
  formats.flatMap((first) =>
    formats.flatMap((second) =>
      breaks.map((fault, index) => [
        `${first}-${second}-${index}`,
        {
          targets: [
            { provider: first, model: `words-20?pace=0&${fault}` },
            { provider: second, model: "words-20?pace=0&chunk=3" }
          ]
        }
      ])
    )
  )
)

/** What each SDK makes of a stream: its text as it came, and in the end. */
const readers: Record<string, (url: string, model: string) => Promise<readonly [string, string | undefined]>> = {
  "openai-chat": async (url, model) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0 })
    const stream = client.chat.completions.stream({ model, messages: [{ role: "user", content }] })
    let text = ""
    stream.on("content", (delta) => (text += delta))
    const { choices } = await stream.finalChatCompletion()
    return [text, choices[0]?.message.content ?? undefined]
  },
  "openai-responses": async (url, model) => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0 })
    const stream = client.responses.stream({ model, input: content, store: false })
    let text = ""
    stream.on("response.output_text.delta", ({ delta }) => (text += delta))
    const { output_text: whole } = await stream.finalResponse()
    return [text, whole]
  },
  "anthropic-messages": async (url, model) => {
    const client = new Anthropic({ baseURL: url, apiKey: "unused", maxRetries: 0 })
    const stream = client.messages.stream({ model, max_tokens: 1000, messages: [{ role: "user", content }] })
    let text = ""
    stream.on("text", (delta) => (text += delta))
    const whole = await stream.finalText()
    return [text, whole]
  },
  gemini: async (url, model) => {
    const client = new GoogleGenAI({ apiKey: "unused", httpOptions: { baseUrl: url } })
    const chunks = await collect(await client.models.generateContentStream({ model, contents: content }))
    const finished = chunks.some(({ candidates }) => candidates?.[0]?.finishReason === "STOP")
    const text = chunks.map((chunk) => chunk.text ?? "").join("")
    return [text, finished ? text : undefined]
  }
}

layer(running({ formats, models, prefill: false }), { excludeTestServices: true })(
  "an answer that breaks off",
  (it) => {
    it.effect.each(formats)("is read whole by the official SDK of %s, whoever goes on with it", (format) =>
      Effect.gen(function* () {
        const { url } = yield* Running
        for (const second of formats) {
          for (const index of breaks.keys()) {
            const seen = yield* Effect.promise(() => readers[format]!(url, `${format}-${second}-${index}`))
            assert.deepStrictEqual(seen, [wordsOf(20), wordsOf(20)], `${second}, ${breaks[index]}`)
          }
        }
      })
    )
  }
)
