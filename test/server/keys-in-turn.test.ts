import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { askChat, recordOf, running } from "./running.ts"
import { scriptedProvider, type Received } from "./scripted-provider.ts"

class Provider extends Context.Service<Provider, { readonly url: string; readonly received: Array<Received> }>()(
  "test/server/KeyedProvider"
) {}

const answer = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
}
const refusal = { error: { message: "Slow down", type: "rate_limit_error", code: "rate_limit_exceeded" } }

/** Of the key `sk-limited` it has had enough. */
const provider = Layer.effect(
  Provider,
  scriptedProvider({
    "/v1/chat/completions": (response, { headers }) => {
      const isLimited = headers.authorization === "Bearer sk-limited"
      response
        .writeHead(isLimited ? 429 : 200, { "content-type": "application/json", "retry-after": "60" })
        .end(JSON.stringify(isLimited ? refusal : answer))
    }
  })
)

const server = Layer.unwrap(
  Effect.map(Provider, ({ url }) =>
    running({
      providers: {
        keyed: {
          protocol: "openai-chat",
          baseUrl: `${url}/v1`,
          apiKeys: ["sk-first", { label: "spare", key: "sk-limited" }]
        }
      },
      defaults: {}
    })
  )
).pipe(Layer.provideMerge(provider))

layer(server, { excludeTestServices: true })("a provider with several keys", (it) => {
  it.effect("is shown them in turn; one that is limited is left alone, and nobody notices", () =>
    Effect.gen(function* () {
      const used: Array<ReadonlyArray<string | undefined>> = []
      for (let index = 0; index < 4; index++) {
        const seen = yield* askChat("keyed/m", { stream: false })
        assert.strictEqual(seen.status, 200)
        used.push((yield* recordOf(seen)).attempts.map(({ key }) => key))
      }
      assert.deepStrictEqual(used, [["spare", "key-1"], ["key-1"], ["key-1"], ["key-1"]])
      const { received } = yield* Provider
      assert.deepStrictEqual(
        received.map(({ headers }) => headers.authorization),
        ["sk-limited", ...Array.from({ length: 4 }, () => "sk-first")].map((key) => `Bearer ${key}`)
      )
    })
  )
})
