import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
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

const server = Layer.unwrap(
  Effect.map(Provider, ({ url }) =>
    running({
      providers: {
        chat: { protocol: "openai-chat", baseUrl: `${url}/v1`, apiKey: "k" },
        responses: { protocol: "openai-responses", baseUrl: `${url}/v1`, apiKey: "k" },
        messages: { protocol: "anthropic-messages", baseUrl: url, apiKey: "k" },
        gemini: { protocol: "gemini", baseUrl: url, apiKey: "k" }
      },
      defaults: {}
    })
  )
).pipe(Layer.provideMerge(provider))

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

layer(server, { excludeTestServices: true })("a request that goes on in the format it came in", (it) => {
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
