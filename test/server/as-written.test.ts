import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import type { Filter } from "../../src/filters/Filter.ts"
import { ask, running } from "./running.ts"
import { answering, scriptedProvider, type Received } from "./scripted-provider.ts"

class Provider extends Context.Service<Provider, { readonly url: string; readonly received: Array<Received> }>()(
  "test/server/LiteralProvider"
) {}

const provider = Layer.effect(
  Provider,
  scriptedProvider({
    "/v1/chat/completions": answering({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1,
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }]
    }),
    "/v1/responses": answering({
      id: "resp_1",
      object: "response",
      status: "completed",
      model: "m",
      output: [
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "Hello" }]
        }
      ]
    }),
    "/v1/messages": answering({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content: [{ type: "text", text: "Hello" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 1, output_tokens: 1 }
    }),
    "/v1beta/models/m:generateContent": answering({
      candidates: [{ content: { role: "model", parts: [{ text: "Hello" }] }, finishReason: "STOP" }]
    })
  })
)

const server = (provider: Layer.Layer<Provider>, filters: ReadonlyArray<Filter> = []) =>
  Layer.unwrap(
    Effect.map(Provider, ({ url }) =>
      running({
        providers: {
          chat: { protocol: "openai-chat", baseUrl: `${url}/v1`, apiKey: "k" },
          responses: { protocol: "openai-responses", baseUrl: `${url}/v1`, apiKey: "k" },
          messages: { protocol: "anthropic-messages", baseUrl: url, apiKey: "k" },
          gemini: { protocol: "gemini", baseUrl: url, apiKey: "k" }
        },
        defaults: {},
        filters
      })
    )
  ).pipe(Layer.provideMerge(provider))

/** The answers of providers that call a tool with an id of 64 bits. */
const calling = Layer.effect(
  Provider,
  scriptedProvider({
    "/v1/chat/completions": answering(
      `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"tool_calls","message":
        {"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"w","arguments":"{\\"id\\":12345678901234567890}"}}]}}]}`
    ),
    "/v1/messages": answering(
      `{"id":"m1","type":"message","role":"assistant","model":"m","stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1},
        "content":[{"type":"tool_use","id":"t1","name":"w","input":{"id":12345678901234567890}}]}`
    ),
    "/v1beta/models/m:generateContent": answering(
      `{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"w","args":{"id":12345678901234567890}}}]},"finishReason":"STOP"}]}`
    ),
    "/v1beta/models/m:streamGenerateContent": (response) =>
      response.writeHead(200, { "content-type": "text/event-stream" }).end(
        [1, 2, 3]
          .map(
            (last) =>
              `data: {"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"w","args":{"id":1234567890123456789${last}}}}]}}]}\n\n`
          )
          .concat('data: {"candidates":[{"content":{"role":"model","parts":[]},"finishReason":"STOP"}]}\n\n')
          .join("")
      )
  })
)

/** Numbers that no double holds, or that are written as programs of other languages write them. */
const input = '{"id": 12345678901234567890, "share":1.0, "tiny": 1e-07}'
const schema = `{"type": "object", "properties": {"id": {"type": "integer", "maximum": 9223372036854775807, "default": 1.0}}}`

const requests = [
  [
    "/v1/chat/completions",
    `{ "model": "chat/m", "seed": 9223372036854775807, "temperature": 1.0,
       "tools": [{"type": "function", "function": {"name": "w", "parameters": ${schema}}}],
       "messages": [{"role": "user", "content": "caf\\u00e9 \\ud83d\\ude00"}] }`
  ],
  [
    "/v1/messages",
    `{"model":"messages/m","max_tokens":10,"temperature":1.0,"tools":[{"name":"w","input_schema":${schema}}],"messages":[
       {"role":"user","content":"Hi"},
       {"role":"assistant","content":[{"type":"tool_use","id":"t","name":"w","input":${input}}]},
       {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"done"}]}]}`
  ],
  [
    "/v1/responses",
    `{"model": "responses/m", "top_p": 1.0, "tools": [{"type": "function", "name": "w", "parameters": ${schema}}], "input": "Hi"}`
  ],
  [
    "/v1beta/models/gemini%2Fm:generateContent",
    `{"generationConfig": {"seed": 7, "topK": 40.0}, "contents": [{"role": "user", "parts": [{"text": "Hi"}]},
      {"role": "model", "parts": [{"functionCall": {"name": "w", "args": ${input}}}]},
      {"role": "user", "parts": [{"functionResponse": {"name": "w", "response": ${input}}}]}]}`
  ]
] as const

layer(server(provider), { excludeTestServices: true })("a request that goes on in the format it came in", (it) => {
  it.effect("says all but the model as its caller wrote it", () =>
    Effect.gen(function* () {
      const { received } = yield* Provider
      for (const [path, text] of requests) {
        const { status } = yield* ask(path, { body: text })
        assert.strictEqual(status, 200, path)
        const sent = received.at(-1)?.text ?? ""
        for (const literal of [input, schema, "1.0", "9223372036854775807", "\\u00e9"]) {
          assert.strictEqual(sent.split(literal).length, text.split(literal).length, `${literal} in ${sent}`)
        }
        assert.deepStrictEqual(JSON.parse(sent), {
          ...JSON.parse(text),
          ...(path.includes("gemini") ? {} : { model: "m" })
        })
      }
    })
  )
})

const watching: Filter = { name: "watching", events: () => (events) => events }

layer(server(provider, [watching]), { excludeTestServices: true })("a request that filters look at", (it) => {
  it.effect("goes on as they read it: what is said twice under one name, once", () =>
    Effect.gen(function* () {
      const { received } = yield* Provider
      const text = `{"model":"chat/m","seed":9223372036854775807,"messages":[{"role":"user","content":"hidden","content":"shown"}]}`
      const { status } = yield* ask("/v1/chat/completions", { body: text })
      assert.strictEqual(status, 200)
      assert.strictEqual(
        received.at(-1)?.text,
        `{"model":"m","seed":9223372036854775807,"messages":[{"role":"user","content":"shown"}]}`
      )
    })
  )
})

const wide = "12345678901234567890"
const tool = { name: "w", description: "d" }
const schemaOfAny = { type: "object", properties: {} }

/** The next turn in each API, after a call with such an id. */
const turns: ReadonlyArray<readonly [string, (provider: string) => readonly [path: string, body: string]]> = [
  [
    "chat",
    (provider) => [
      "/v1/chat/completions",
      JSON.stringify({
        model: `${provider}/m`,
        tools: [{ type: "function", function: { ...tool, parameters: schemaOfAny } }],
        messages: [
          { role: "user", content: "Hi" },
          {
            role: "assistant",
            tool_calls: [{ id: "t0", type: "function", function: { name: "w", arguments: `{"id":${wide}}` } }]
          },
          { role: "tool", tool_call_id: "t0", content: "done" }
        ]
      })
    ]
  ],
  [
    "messages",
    (provider) => [
      "/v1/messages",
      `{"model":"${provider}/m","max_tokens":10,"tools":[${JSON.stringify({ ...tool, input_schema: schemaOfAny })}],"messages":[
        {"role":"user","content":"Hi"},
        {"role":"assistant","content":[{"type":"tool_use","id":"t0","name":"w","input":{"id":${wide}}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t0","content":"done"}]}]}`
    ]
  ],
  [
    "gemini",
    (provider) => [
      `/v1beta/models/${provider}%2Fm:generateContent`,
      `{"tools":[{"functionDeclarations":[${JSON.stringify(tool)}]}],"contents":[{"role":"user","parts":[{"text":"Hi"}]},
        {"role":"model","parts":[{"functionCall":{"name":"w","args":{"id":${wide}}}}]},
        {"role":"user","parts":[{"functionResponse":{"name":"w","response":{"done":true}}}]}]}`
    ]
  ]
]

layer(server(calling), { excludeTestServices: true })("an id of 64 bits in the arguments of a tool", (it) => {
  for (const [caller, turn] of turns) {
    for (const [provider] of turns) {
      it.effect(`stays what it is, from ${caller} to ${provider} and back`, () =>
        Effect.gen(function* () {
          const { received } = yield* Provider
          const [path, body] = turn(provider)
          const answered = yield* ask(path, { body })
          assert.strictEqual(answered.status, 200, answered.text)
          assert.include(received.at(-1)?.text, wide)
          assert.include(answered.text, wide)
        })
      )
    }
  }

  it.effect("stays what it is in a stream of documents that are alike", () =>
    Effect.gen(function* () {
      const [path, body] = turns[0]![1]("gemini")
      const { text } = yield* ask(path, { body: JSON.stringify({ ...JSON.parse(body), stream: true }) })
      for (const last of [1, 2, 3]) assert.include(text, `1234567890123456789${last}`)
    })
  )
})
