import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { ask, askChat, Running, running } from "./running.ts"
import { answering, type Received, scriptedProvider } from "./scripted-provider.ts"
import { json } from "./simulate/server.ts"

/** The providers of every format in these tests, and what they were asked. */
class Provider extends Context.Service<
  Provider,
  { readonly url: string; readonly received: ReadonlyArray<Received> }
>()("test/server/models/Provider") {}

const answer = answering({
  id: "1",
  object: "chat.completion",
  created: 1,
  model: "gpt-lonely",
  choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }]
})

const provider = Layer.effect(
  Provider,
  scriptedProvider({
    "/v1/models": (response, received) =>
      answering({
        data:
          "anthropic-version" in received.headers ? [{ id: "claude-lonely" }] : [{ id: "gpt-lonely" }, { id: "both" }]
      })(response, received),
    "/v1/chat/completions": answer,
    "/bare/models": answering([{ id: "both" }, { id: "org/bare" }, { no: "id" }]),
    "/v1beta/models": answering({ models: [{ name: "models/gemini-lonely" }] }),
    "/api/tags": answering({ models: [{ name: "llama:8b" }] }),
    "/cohere/v1/models": answering({ models: [{ name: "command-lonely" }] }),
    "/broken/models": answering("<html>", 500),
    "/odd/models": answering({ object: "error" }),
    "/html/models": answering("<html>"),
    "/keyed/models": (response, received) =>
      received.headers.authorization === "Bearer sk-good"
        ? answering({ data: [{ id: "gpt-keyed" }] })(response, received)
        : answering({ error: { message: "revoked" } }, 401)(response, received)
  })
)

const server = () =>
  Layer.unwrap(
    Effect.map(Provider, ({ url }) =>
      running({
        providers: {
          openai: { protocol: "openai-chat", baseUrl: `${url}/v1`, apiKey: "sk-openai" },
          bare: { protocol: "openai-responses", baseUrl: `${url}/bare`, models: ["configured"] },
          claude: { protocol: "anthropic-messages", baseUrl: url, apiKey: "sk-claude" },
          google: { protocol: "gemini", baseUrl: url, apiKey: "sk-google" },
          local: { protocol: "ollama", baseUrl: url },
          cohere: { protocol: "cohere-v2", baseUrl: `${url}/cohere` },
          broken: { protocol: "openai-chat", baseUrl: `${url}/broken`, models: ["configured"] },
          odd: { protocol: "openai-chat", baseUrl: `${url}/odd` },
          html: { protocol: "openai-chat", baseUrl: `${url}/html` },
          keyed: { protocol: "openai-chat", baseUrl: `${url}/keyed`, apiKeys: ["sk-revoked", "sk-good"] },
          without: { protocol: "openai-chat", baseUrl: `${url}/without` },
          dead: { protocol: "openai-chat", baseUrl: "http://127.0.0.1:1" },
          simulator: { protocol: "simulator", models: ["words-7"] }
        },
        models: { smart: { targets: [{ provider: "openai", model: "gpt-smart" }] } }
      })
    )
  ).pipe(Layer.provideMerge(Layer.fresh(provider)))

const idsIn = (list: { readonly data: ReadonlyArray<{ readonly id: string }> }) => list.data.map(({ id }) => id)

layer(server(), { excludeTestServices: true })("models", (it) => {
  it.effect("are those of the configuration and those that providers list, whoever of them fails", () =>
    Effect.gen(function* () {
      const seen = yield* ask("/v1/models")
      assert.strictEqual(seen.status, 200)
      // The providers `chat` and `messages` are one simulator, which lists its own.
      const ids = idsIn(json(seen)).filter((id) => !/^(chat|messages|simulator)\//.test(id))
      assert.deepStrictEqual(ids, [
        "smart",
        "bare/configured",
        "broken/configured",
        "openai/gpt-lonely",
        "openai/both",
        "bare/both",
        "bare/org/bare",
        "claude/claude-lonely",
        "google/gemini-lonely",
        "local/llama:8b",
        "cohere/command-lonely",
        "keyed/gpt-keyed"
      ])
      assert.includeMembers(idsIn(json(seen)), ["simulator/echo", "simulator/words-7", "chat/echo", "messages/echo"])
    })
  )

  it.effect("that a provider did not list are told of in the log, unless it has no list", () =>
    Effect.gen(function* () {
      const { log } = yield* Running
      yield* ask("/v1/models")
      const told = log.filter((line) => line.includes("did not list its models"))
      for (const name of ["broken", "odd", "html", "dead"]) {
        assert.strictEqual(told.filter((line) => line.includes(`${name} did not`)).length, 1, name)
      }
      assert.isFalse(told.some((line) => line.includes("without did not")))
    })
  )

  it.effect("are asked for with the key and the headers of each provider, and not again", () =>
    Effect.gen(function* () {
      const { received } = yield* Provider
      yield* ask("/v1/models")
      yield* Effect.all([ask("/v1/models"), ask("/v1/models/smart"), ask("/v1/models")], { concurrency: "unbounded" })
      const listings = received.filter(({ method }) => method === "GET")
      const [openai, ...more] = listings.filter(({ headers }) => headers.authorization === "Bearer sk-openai")
      assert.strictEqual(openai?.path, "/v1/models")
      assert.isUndefined(openai?.body)
      assert.isUndefined(openai?.headers["content-length"])
      assert.isEmpty(more)
      const [claude] = listings.filter(({ headers }) => headers["x-api-key"] === "sk-claude")
      assert.strictEqual(claude?.path, "/v1/models?limit=1000")
      assert.isString(claude?.headers["anthropic-version"])
      const [google] = listings.filter(({ headers }) => headers["x-goog-api-key"] === "sk-google")
      assert.strictEqual(google?.path, "/v1beta/models?pageSize=1000")
    })
  )

  it.effect("are described one by one, by their whole name or by one that only one provider has", () =>
    Effect.gen(function* () {
      for (const [name, id, owner] of [
        ["smart", "smart", "openai"],
        ["bare/org/bare", "bare/org/bare", "bare"],
        ["org/bare", "bare/org/bare", "bare"],
        ["claude-lonely", "claude/claude-lonely", "claude"]
      ]) {
        const seen = yield* ask(`/v1/models/${name}`)
        assert.deepInclude(json(seen), { id, object: "model", owned_by: owner })
      }
      for (const name of ["both", "nothing-like-it"]) {
        assert.strictEqual((yield* ask(`/v1/models/${name}`)).status, 404)
      }
    })
  )

  it.effect("have the shape of the SDK that asks", () =>
    Effect.gen(function* () {
      const seen = yield* ask("/v1/models", { headers: { "anthropic-version": "2023-06-01" } })
      const { data, has_more: more } = json(seen)
      assert.isFalse(more)
      assert.deepInclude(
        data.find(({ id }: { id: string }) => id === "openai/gpt-lonely"),
        { type: "model", display_name: "openai/gpt-lonely" }
      )
    })
  )
})

layer(server(), { excludeTestServices: true })("a call", (it) => {
  it.effect("has nobody asked, and finds by its bare name what was listed before", () =>
    Effect.gen(function* () {
      const { received } = yield* Provider
      const unknown = yield* askChat("gpt-lonely", { stream: false })
      assert.strictEqual(unknown.status, 404)
      assert.isEmpty(received)
      const listed = yield* ask("/v1beta/models")
      const names = json(listed).models.map(({ name }: { name: string }) => name)
      assert.includeMembers(names, ["models/openai/gpt-lonely", "models/google/gemini-lonely"])
      const seen = yield* askChat("gpt-lonely", { stream: false })
      assert.strictEqual(seen.headers["x-millrace-model"], "openai/gpt-lonely")
      const several = yield* askChat("both", { stream: false })
      assert.strictEqual(several.status, 404)
      assert.include(several.text, "openai/both")
      const one = yield* ask("/v1beta/models/google/gemini-lonely")
      assert.strictEqual(json(one).name, "models/google/gemini-lonely")
    })
  )
})
