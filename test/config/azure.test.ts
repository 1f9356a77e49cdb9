import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Router } from "../../src/routing/Router.ts"
import { asking, configured, receivingServer } from "./calling.ts"
import { complaints, loading, warnings } from "./loading.ts"

const filters = { hate: { filtered: false, severity: "safe" } }
const whole = JSON.stringify({
  id: "c",
  model: "gpt",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "Hello" },
      finish_reason: "stop",
      content_filter_results: filters
    }
  ],
  prompt_filter_results: [{ prompt_index: 0, content_filter_results: filters }]
})
const streamed = [
  // What was thought of the prompt comes first, without an id and without a choice.
  { choices: [], created: 0, id: "", model: "", object: "", prompt_filter_results: [{ prompt_index: 0 }] },
  { id: "c", model: "gpt", choices: [{ index: 0, delta: { role: "assistant", content: "Hel" } }] },
  {
    id: "c",
    model: "gpt",
    choices: [{ index: 0, delta: { content: "lo" }, content_filter_results: filters }]
  },
  { id: "c", model: "gpt", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }
]
const sse = streamed.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("") + "data: [DONE]\n\n"
const response = JSON.stringify({
  id: "r",
  object: "response",
  status: "completed",
  model: "gpt",
  output: [
    { type: "message", id: "m", role: "assistant", content: [{ type: "output_text", text: "Hello", annotations: [] }] }
  ]
})

const azure = receivingServer(({ url, body }, answer) => {
  if (url.includes("/responses")) return answer.writeHead(200, { "content-type": "application/json" }).end(response)
  return body.includes('"stream":true')
    ? answer.writeHead(200, { "content-type": "text/event-stream" }).end(sse)
    : answer.writeHead(200, { "content-type": "application/json" }).end(whole)
})

const provider = (url: string, settings = "") =>
  `providers:\n  az: { preset: azure, baseUrl: "${url}", apiKey: "0123456789abcdef"${settings} }\n`

describe("Azure OpenAI", () => {
  for (const delivery of ["stream", "whole"] as const) {
    it.live(`has a model's deployment in the path where the version is dated, ${delivery}`, () =>
      Effect.gen(function* () {
        const { url, received } = yield* azure
        const text = provider(url, ', apiVersion: "2025-04-01-preview"')
        const answer = yield* Effect.provide(asking("az/my gpt", { delivery }), configured({ text }))
        assert.isUndefined(answer.error)
        assert.strictEqual(answer.text, "Hello")
        assert.strictEqual(
          received[0]?.url,
          "/openai/deployments/my%20gpt/chat/completions?api-version=2025-04-01-preview"
        )
        assert.strictEqual(received[0]?.headers["api-key"], "0123456789abcdef")
        assert.isUndefined(received[0]?.headers.authorization)
      }).pipe(Effect.scoped)
    )

    it.live(`has the model in the body where no version is said, ${delivery}`, () =>
      Effect.gen(function* () {
        const { url, received } = yield* azure
        const answer = yield* Effect.provide(asking("az/gpt", { delivery }), configured({ text: provider(url) }))
        assert.isUndefined(answer.error)
        assert.strictEqual(answer.text, "Hello")
        assert.strictEqual(received[0]?.url, "/openai/v1/chat/completions")
        assert.include(received[0]?.body, '"model":"gpt"')
      }).pipe(Effect.scoped)
    )
  }

  it.live("is found by the address of a deployment as well", () =>
    Effect.gen(function* () {
      const { url, received } = yield* azure
      const text = provider(`${url}/openai/deployments/gpt/`, ", apiVersion: 2024-10-21")
      assert.strictEqual((yield* Effect.provide(asking("az/gpt"), configured({ text }))).text, "Hello")
      assert.strictEqual(received[0]?.url, "/openai/deployments/gpt/chat/completions?api-version=2024-10-21")
    }).pipe(Effect.scoped)
  )

  it.live("has the Responses API at the same place in every version", () =>
    Effect.gen(function* () {
      const { url, received } = yield* azure
      const asked = asking("az/gpt", { delivery: "whole", dialect: "openai-responses" })
      for (const version of ["", ", apiVersion: 2024-10-21", ", apiVersion: preview"]) {
        const answer = yield* Effect.provide(asked, configured({ text: provider(url, version) }))
        assert.strictEqual(answer.text, "Hello")
      }
      assert.deepStrictEqual(
        received.map((request) => request.url),
        ["/openai/v1/responses", "/openai/v1/responses", "/openai/v1/responses?api-version=preview"]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("is not asked for models, of which it would list those that are not deployed too", () =>
    Effect.gen(function* () {
      const { targets } = yield* (yield* Router).plan("az/gpt")
      assert.isUndefined(targets[0].upstream.listModels)
      assert.isDefined((yield* (yield* Router).plan("other/gpt")).targets[0].upstream.listModels)
    }).pipe(
      Effect.provide(
        configured({ text: `${provider("http://h")}  other: { protocol: openai-chat, baseUrl: "http://h" }\n` })
      )
    )
  )

  it.live("is told a token of Entra ID as a token", () =>
    Effect.gen(function* () {
      const { url, received } = yield* azure
      const environment = { AZURE_OPENAI_ENDPOINT: `${url}/openai/v1/`, AZURE_OPENAI_AD_TOKEN: "eyJh.eyJi.c-_" }
      yield* Effect.provide(asking("azure/gpt"), configured({ environment }))
      assert.strictEqual(received[0]?.url, "/openai/v1/chat/completions")
      assert.strictEqual(received[0]?.headers.authorization, "Bearer eyJh.eyJi.c-_")
      assert.isUndefined(received[0]?.headers["api-key"])
    }).pipe(Effect.scoped)
  )

  it.live("says in its answers that it was the filter", () =>
    Effect.gen(function* () {
      const error = { code: "content_filter", message: "The prompt was filtered", status: 400, innererror: {} }
      const { url } = yield* receivingServer((_, answer) =>
        answer.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error }))
      )
      const answer = yield* Effect.provide(asking("az/gpt"), configured({ text: provider(url) }))
      assert.strictEqual(answer.error?.reason._tag, "ContentBlocked")
      assert.deepInclude(answer.error?.fault, { provider: "az", status: 400, code: "content_filter" })
    }).pipe(Effect.scoped)
  )
})

describe("Azure OpenAI in the environment", () => {
  const environment = {
    AZURE_OPENAI_API_KEY: "key",
    AZURE_OPENAI_ENDPOINT: "https://mine.openai.azure.com/",
    OPENAI_API_VERSION: "2024-10-21"
  }

  it.live("is a provider without a file", () =>
    Effect.gen(function* () {
      const { url, received } = yield* azure
      const given = { environment: { ...environment, AZURE_OPENAI_ENDPOINT: url } }
      yield* Effect.provide(asking("azure/gpt"), configured(given))
      assert.strictEqual(received[0]?.url, "/openai/deployments/gpt/chat/completions?api-version=2024-10-21")
    }).pipe(Effect.scoped)
  )

  it.effect("is off where its key, or where it is, is not known", () =>
    Effect.gen(function* () {
      const off = (given: { readonly [name: string]: string }) =>
        Effect.map(loading({ environment: given }), (found) => found.off.find(({ name }) => name === "azure")?.why)
      assert.strictEqual(yield* off({}), "AZURE_OPENAI_API_KEY is not set")
      assert.strictEqual(yield* off({ AZURE_OPENAI_API_KEY: "key" }), "AZURE_OPENAI_ENDPOINT is not set")
      assert.strictEqual(
        yield* off({ ...environment, AZURE_OPENAI_ENDPOINT: "mine" }),
        "AZURE_OPENAI_ENDPOINT is no URL"
      )
      assert.isUndefined(yield* off(environment))
    })
  )

  it.effect("is off in a document too, with a warning", () =>
    Effect.gen(function* () {
      const text = "providers:\n  az: { preset: azure }\n"
      assert.deepStrictEqual(yield* warnings({ text, environment: { AZURE_OPENAI_API_KEY: "key" } }), [
        "millrace.yaml:2:3: providers.az: the provider is off because AZURE_OPENAI_ENDPOINT is not set; set it to turn the provider on"
      ])
    })
  )

  it.effect("is refused in a format that it does not have, as are settings of others", () =>
    Effect.gen(function* () {
      const text = `providers:
  a: { preset: azure, baseUrl: "https://h", protocol: anthropic-messages }
  b: { preset: azure, baseUrl: "https://h", project: p, protocol: openai-completions }
  c: { preset: groq, apiVersion: "2024-10-21" }
`
      assert.deepStrictEqual(yield* complaints({ text }), [
        "millrace.yaml:2:45: providers.a.protocol: is not what the preset azure serves; write [openai-chat, openai-responses] or openai-completions",
        "millrace.yaml:3:45: providers.b.project: means nothing here: it is for Vertex AI; remove it",
        "millrace.yaml:4:22: providers.c.apiVersion: means nothing here: it is for Azure OpenAI; remove it"
      ])
    })
  )
})
