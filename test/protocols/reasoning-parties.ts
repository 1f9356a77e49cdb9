import type { Schema } from "effect"
import { anthropicMessagesDialect } from "../../src/protocols/anthropic-messages/inbound.ts"
import { anthropicMessages } from "../../src/protocols/anthropic-messages/outbound.ts"
import type { Dialect } from "../../src/protocols/Dialect.ts"
import { geminiDialect } from "../../src/protocols/gemini/inbound.ts"
import { gemini } from "../../src/protocols/gemini/outbound.ts"
import { openAiChatDialect } from "../../src/protocols/openai-chat/inbound.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
import { openAiResponsesDialect } from "../../src/protocols/openai-responses/inbound.ts"
import { openAiResponses } from "../../src/protocols/openai-responses/outbound.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import type { WireFrame } from "../../src/wire/Frame.ts"

export type Json = Schema.Json
export type Body = { readonly [key: string]: Json }

/** What a provider answers with: thoughts and their signature, encrypted thoughts, and the text of the answer. */
export interface Thoughts {
  readonly text: string
  readonly signature: string
  readonly redacted: string
}

/** A provider that proves its reasoning: its answer in its own words, and whether it also encrypts thoughts. */
export interface Signer {
  readonly protocol: Protocol
  readonly encrypts: boolean
  readonly answer: (thoughts: Thoughts) => Body
}

export const signers: ReadonlyArray<Signer> = [
  {
    protocol: anthropicMessages,
    encrypts: true,
    answer: ({ text, signature, redacted }) => ({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude",
      content: [
        { type: "thinking", thinking: text, signature },
        { type: "redacted_thinking", data: redacted },
        { type: "text", text: "42" }
      ],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 }
    })
  },
  {
    protocol: openAiResponses,
    encrypts: false,
    answer: ({ text, signature }) => ({
      id: "resp_1",
      object: "response",
      status: "completed",
      model: "gpt",
      output: [
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text }],
          encrypted_content: signature
        },
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "42", annotations: [] }]
        }
      ]
    })
  },
  {
    protocol: gemini,
    encrypts: false,
    answer: ({ text, signature }) => ({
      responseId: "g1",
      modelVersion: "gemini",
      candidates: [
        {
          content: { role: "model", parts: [{ text, thought: true, thoughtSignature: signature }, { text: "42" }] },
          finishReason: "STOP",
          index: 0
        }
      ]
    })
  },
  {
    protocol: openAiChat,
    encrypts: true,
    answer: ({ text, signature, redacted }) => ({
      id: "chatcmpl_1",
      object: "chat.completion",
      model: "routed",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "42",
            reasoning_details: [
              { type: "reasoning.text", text, signature, index: 0 },
              { type: "reasoning.encrypted", data: redacted, index: 1 }
            ]
          },
          finish_reason: "stop"
        }
      ]
    })
  }
]

/** A format that callers speak, and what its SDK makes of an answer and puts into the next request. */
export interface Caller {
  readonly dialect: Dialect
  readonly protocol: Protocol
  readonly streamed: (frames: ReadonlyArray<WireFrame>) => Json
  readonly whole: (answer: Body) => Json
  readonly next: (turn: Json) => Body
}

/** What a document has at a path: wrong expectations end in undefined, and the comparison fails. */
const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  // Any object can be asked for a key; what is none answers undefined.
  path.reduce((inner: unknown, key) => (inner as Record<string | number, unknown> | null | undefined)?.[key], value)

const list = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value : [])
const documents = (frames: ReadonlyArray<WireFrame>): ReadonlyArray<Body> =>
  frames.filter(({ data }) => data !== "[DONE]").map(({ data }) => JSON.parse(data) as Body)
export const joined = (pieces: ReadonlyArray<unknown>): string =>
  pieces.filter((piece) => typeof piece === "string").join("")

/** The content of a message as Anthropic's SDK gathers it: texts grow, the signature is set. */
const gatherBlocks = (frames: ReadonlyArray<WireFrame>): Json => {
  const blocks: Array<Record<string, Json>> = []
  for (const { type, index, content_block: begun, delta } of documents(frames)) {
    if (type === "content_block_start") blocks[Number(index)] = { ...(begun as Body) }
    if (type !== "content_block_delta") continue
    const block = blocks[Number(index)] ?? {}
    for (const [key, piece] of Object.entries(delta as Body)) {
      if (key === "signature") block[key] = piece
      else if (key !== "type") block[key] = `${String(block[key])}${String(piece)}`
    }
  }
  return blocks
}

/** A message as clients of routers gather it: texts grow, lists are joined. */
const gatherMessage = (frames: ReadonlyArray<WireFrame>): Json => {
  const deltas = documents(frames).map((chunk) => at(chunk, "choices", 0, "delta"))
  const reasoning = joined(deltas.map((delta) => at(delta, "reasoning_content")))
  return {
    role: "assistant",
    content: joined(deltas.map((delta) => at(delta, "content"))),
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    reasoning_details: deltas.flatMap((delta) => list(at(delta, "reasoning_details")))
  }
}

const goOn = "Go on."

export const callers: ReadonlyArray<Caller> = [
  {
    dialect: anthropicMessagesDialect,
    protocol: anthropicMessages,
    streamed: gatherBlocks,
    whole: ({ content = null }) => content,
    next: (content) => ({
      model: "smart",
      max_tokens: 9,
      messages: [
        { role: "user", content: "Hm?" },
        { role: "assistant", content },
        { role: "user", content: goOn }
      ]
    })
  },
  {
    dialect: openAiResponsesDialect,
    protocol: openAiResponses,
    streamed: (frames) => list(at(documents(frames).at(-1), "response", "output")),
    whole: ({ output = null }) => output,
    next: (output) => ({
      model: "smart",
      input: [{ role: "user", content: "Hm?" }, ...list(output), { role: "user", content: goOn }]
    })
  },
  {
    dialect: geminiDialect,
    protocol: gemini,
    streamed: (frames) => documents(frames).flatMap((chunk) => list(at(chunk, "candidates", 0, "content", "parts"))),
    whole: (answer) => list(at(answer, "candidates", 0, "content", "parts")),
    next: (parts) => ({
      model: "smart",
      contents: [
        { role: "user", parts: [{ text: "Hm?" }] },
        { role: "model", parts },
        { role: "user", parts: [{ text: goOn }] }
      ]
    })
  },
  {
    dialect: openAiChatDialect,
    protocol: openAiChat,
    streamed: gatherMessage,
    // What the message of a choice is, its SDK has no name for: it goes back as it came.
    whole: (answer) => at(answer, "choices", 0, "message") as Json,
    next: (message) => ({
      model: "smart",
      messages: [{ role: "user", content: "Hm?" }, message, { role: "user", content: goOn }]
    })
  }
]
