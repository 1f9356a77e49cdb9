import { Result, Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import { describe, expect, it } from "vitest"
import { parseExactly } from "../../src/domain/exact-json.ts"
import { MessagesRequest } from "../../src/protocols/anthropic-messages/wire.ts"
import { documentDecoder } from "../../src/protocols/document.ts"
import { GenerateContentRequest } from "../../src/protocols/gemini/wire.ts"
import { readerOf, unread } from "../../src/protocols/json-reader.ts"
import { ChatRequest } from "../../src/protocols/openai-chat/wire.ts"
import { EmbeddingsRequest } from "../../src/protocols/openai-embeddings/wire.ts"
import { ResponsesRequest } from "../../src/protocols/openai-responses/wire.ts"
import { corpusCases } from "./corpus.ts"

type Json = Schema.Json

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }

const chat = {
  model: "m",
  messages: [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is it?" },
        { type: "image_url", image_url: { url: "u" } }
      ]
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "1", type: "function", function: { name: "w", arguments: "{}" } }]
    },
    { role: "tool", tool_call_id: "1", content: "sunny", seen: true }
  ],
  tools: [
    { type: "function", function: { name: "w", parameters, strict: null } },
    {
      type: "custom",
      custom: { name: "c", format: { type: "grammar", grammar: { syntax: "lark", definition: "a" } } }
    },
    { type: "later", later: 1 }
  ],
  tool_choice: {
    type: "allowed_tools",
    allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "w" } }] }
  },
  response_format: { type: "json_schema", json_schema: { name: "a", schema: parameters } },
  stream: true,
  stream_options: { include_usage: true, more: 1 },
  max_tokens: 10,
  temperature: 0.5,
  seed: -1,
  stop: ["a"],
  metadata: { a: "b" },
  unheard_of: { a: [1, null] }
}

const messages = {
  model: "m",
  max_tokens: 100,
  system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral", ttl: "1h" } }],
  messages: [
    { role: "user", content: "What is it?" },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "Hm", signature: "s" },
        { type: "tool_use", id: "1", name: "w", input: { city: "Basel" } }
      ]
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "1", is_error: true, content: [{ type: "text", text: "no" }] },
        { type: "image", source: { type: "base64", media_type: "image/png", data: "aa" } }
      ]
    }
  ],
  tools: [
    { name: "w", input_schema: parameters },
    { type: "web_search_20250305", name: "web_search" }
  ],
  tool_choice: { type: "tool", name: "w" },
  thinking: { type: "enabled", budget_tokens: 1024 },
  stop_sequences: ["a"],
  metadata: { user_id: "u" },
  stream: false
}

const responses = {
  model: "m",
  instructions: "Be brief.",
  input: [
    {
      role: "user",
      content: [
        { type: "input_text", text: "What is it?" },
        { type: "input_image", image_url: "u" }
      ]
    },
    { type: "reasoning", id: "r", summary: [{ type: "summary_text", text: "Hm" }], encrypted_content: "e" },
    { type: "function_call", call_id: "1", name: "w", arguments: "{}" },
    { type: "function_call_output", call_id: "1", output: "sunny" }
  ],
  tools: [{ type: "function", name: "w", parameters, strict: true }, { type: "web_search" }],
  tool_choice: "auto",
  text: { format: { type: "json_schema", name: "a", schema: parameters }, verbosity: "low" },
  reasoning: { effort: "low", summary: "auto" },
  include: ["reasoning.encrypted_content"],
  max_output_tokens: 100,
  store: false,
  stream: true
}

const gemini = {
  system_instruction: { parts: { text: "Be brief." } },
  contents: [
    { role: "user", parts: [{ text: "What is it?" }, { inline_data: { mime_type: "image/png", data: "aa" } }] },
    { role: "model", parts: [{ functionCall: { name: "w", args: { city: "Basel" } }, thoughtSignature: "s" }] },
    { role: "user", parts: [{ functionResponse: { name: "w", response: { sky: "blue" } } }] }
  ],
  tools: [{ functionDeclarations: [{ name: "w", parameters }] }, { googleSearch: {} }],
  toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["w"] } },
  generationConfig: { temperature: 1, maxOutputTokens: 100, thinkingConfig: { thinkingBudget: -1 }, later: null }
}

const requestsOf = (wire: string): ReadonlyArray<Json> =>
  // Recorded as JSON.
  corpusCases(wire).flatMap(({ request }) => (request === undefined ? [] : [request as Json]))

const documents: ReadonlyArray<readonly [string, Schema.ConstraintDecoder<unknown, never>, ReadonlyArray<Json>]> = [
  [
    "chat",
    ChatRequest,
    [chat, { model: "m", messages: [{ role: "user", content: "Hi" }] }, ...requestsOf("openai-chat")]
  ],
  ["messages", MessagesRequest, [messages, ...requestsOf("anthropic")]],
  ["responses", ResponsesRequest, [responses, { model: "m", input: "Hi" }, ...requestsOf("openai-responses")]],
  ["gemini", GenerateContentRequest, [gemini, ...requestsOf("gemini")]],
  [
    "embeddings",
    EmbeddingsRequest,
    [
      { model: "m", input: ["a", "b"], dimensions: 3 },
      { model: "m", input: [[1, 2]] }
    ]
  ]
]

/** What may stand anywhere, by mistake or rightly. */
const values: ReadonlyArray<Json> = JSON.parse(`[
  null, true, "", "text", "none", "function", "user", 0, -1, 1.5, 1e300, [], {}, ["a"], [1], [null], [[1]],
  {"role": "user"}, {"type": "text"}, {"type": "text", "text": "a"}, {"type": 1}, {"type": "unheard of"}, {"name": "a"},
  {"a": {"b": [1]}}, {"__proto__": 1, "constructor": 2}
]`)

/** The document with each of the values in the place of everything that stands in it, without it, and with one field more. */
const variants = function* (document: Json): Generator<Json> {
  yield* values
  if (typeof document !== "object" || document === null) return
  if (isArray(document)) {
    for (const [index, item] of document.entries()) {
      yield document.toSpliced(index, 1)
      for (const changed of variants(item)) yield document.with(index, changed)
    }
    return
  }
  yield { ...document, unheard_of: 1, unheardOf: null }
  for (const [key, value] of Object.entries(document)) {
    const { [key]: _, ...others } = document
    yield others
    for (const changed of variants(value)) yield { ...document, [key]: changed }
  }
}

const isArray = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)

describe.each(documents)("a reader of %s requests", (_, schema, samples) => {
  const read = readerOf(schema)
  const decode = Schema.decodeUnknownResult(schema)
  const differs = (document: Json): boolean =>
    !isDeepStrictEqual(
      read(document),
      Result.getOrElse(decode(document), () => unread)
    )

  it("gives what the schema gives, and nothing where it refuses", () => {
    const [made = null] = samples
    expect(read(made)).not.toBe(unread)
    expect([...samples, ...variants(made)].filter(differs)).toEqual([])
  })
})

it("a number that is wider than those of a program is the nearest one where a number is wanted, and no mistake", () => {
  const body = parseExactly('{"model":"m","messages":[{"role":"user","content":"Hi"}],"seed":9223372036854775807}')
  expect(readerOf(ChatRequest)(body)).toMatchObject({ seed: 2 ** 63 })
  const refused = documentDecoder(ChatRequest)(parseExactly('{"model":5,"messages":[],"seed":9223372036854775807}'))
  expect(Result.getOrThrow(Result.flip(refused)).message).toMatch(/^model: [^;]*$/)
})
