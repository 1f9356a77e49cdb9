import type { JsonObject } from "../../src/protocols/open-document.ts"

export type Asking = "openai-chat" | "openai-responses" | "anthropic-messages" | "gemini"

/**
 * Something that a request may ask for or hold, in the words of each dialect that has words for it: the fields that are
 * put in place of those of the plainest request.
 */
export interface RequestFeature {
  readonly name: string
  /** found in what is sent, where the feature is in it as it was */
  readonly trace?: RegExp
  /** whether it asks for something not to happen */
  readonly absence?: boolean
  readonly asked: { readonly [D in Asking]?: JsonObject }
}

export const hello = { role: "user", content: "Hello" }
export const contents = [{ role: "user", parts: [{ text: "Hello" }] }]

/** Room enough to think in: what a limit does to thinking is another matter. */
export const limit = 32_000

/** The plainest request of each dialect. */
export const plainest: { readonly [D in Asking]: JsonObject } = {
  "openai-chat": { model: "smart", max_completion_tokens: limit, messages: [hello] },
  "openai-responses": { model: "smart", max_output_tokens: limit, input: [hello] },
  "anthropic-messages": { model: "smart", max_tokens: limit, messages: [hello] },
  gemini: { contents, generationConfig: { maxOutputTokens: limit } }
}

/** A request whose one message has these parts. The Messages API words it as Chat Completions do. */
export const chatParts = (...content: ReadonlyArray<JsonObject>): JsonObject => ({
  messages: [{ role: "user", content }]
})
export const inputParts = (...content: ReadonlyArray<JsonObject>): JsonObject => ({
  input: [{ role: "user", content }]
})
export const geminiParts = (...parts: ReadonlyArray<JsonObject>): JsonObject => ({
  contents: [{ role: "user", parts }]
})

/** A schema that every kind of provider takes. */
export const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false
}
