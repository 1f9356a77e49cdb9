import { assert, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { decodeVector } from "../../src/protocols/vectors.ts"
import { ask, ended, errorOf, recordOf, Running, running, until } from "./running.ts"
import { answering, type Answering, type Received, scriptedProvider } from "./scripted-provider.ts"
import { json } from "./simulate/server.ts"

/** The provider behind every format in these tests, and what it was asked. */
class Provider extends Context.Service<
  Provider,
  { readonly url: string; readonly received: ReadonlyArray<Received> }
>()("test/server/embeddings/Provider") {}

const own =
  '{ "object":"list","data":[{"object":"embedding","index":0,"embedding":[0.50,1e-1]}],' +
  '"model":"text-embedding-3-small-v2","usage":{"prompt_tokens":5,"total_tokens":5},"extra":[1] }'

/** One number for each text: its length. */
const lengths = (texts: unknown) => (texts as ReadonlyArray<string>).map((text) => [text.length])

const compatible: Answering = (response, received) => {
  switch (received.body?.["model"]) {
    case "slow":
      return
    case "busy":
      return answering({ error: { message: "Slow down", type: "rate_limit_error", code: null } }, 429)(
        response,
        received
      )
    case "wrong":
      return answering({ error: { message: "Bad input", type: "invalid_request_error", param: "input" } }, 400)(
        response,
        received
      )
    case "busy-with-success":
      return answering({ error: { message: "Slow down", type: "rate_limit_error", code: null } })(response, received)
    case "nonsense":
      return answering({ data: [] })(response, received)
    default:
      return answering(own)(response, received)
  }
}

const google: Answering = (response, received) => {
  const requests = received.body?.["requests"] as ReadonlyArray<{ content: { parts: [{ text: string }] } }> | undefined
  const one = received.body as { content: { parts: [{ text: string }] } }
  return answering(
    requests === undefined
      ? { embedding: { values: [one.content.parts[0].text.length] }, usageMetadata: { promptTokenCount: 3 } }
      : { embeddings: requests.map(({ content }) => ({ values: [content.parts[0].text.length] })) }
  )(response, received)
}

const provider = Layer.effect(
  Provider,
  scriptedProvider({
    "/v1/embeddings": compatible,
    "/v1beta/models/gemini-embedding-001:embedContent": google,
    "/v1beta/models/gemini-embedding-001:batchEmbedContents": google,
    "/api/embed": (response, received) =>
      received.body?.["model"] !== "slow" &&
      answering({
        model: "embeddinggemma:latest",
        embeddings: lengths(received.body?.["input"]),
        prompt_eval_count: 11
      })(response, received),
    "/v2/embed": (response, received) =>
      answering({
        id: "x",
        embeddings: { float: lengths(received.body?.["texts"]) },
        meta: { billed_units: { input_tokens: 2 } }
      })(response, received)
  })
)

const server = Layer.unwrap(
  Effect.map(Provider, ({ url }) =>
    running({
      providers: {
        compatible: { protocol: "openai-chat", baseUrl: `${url}/v1`, apiKey: "sk-compatible" },
        google: { protocol: "gemini", baseUrl: url, apiKey: "sk-google" },
        local: { protocol: "ollama", baseUrl: url },
        cohere: { protocol: "cohere-v2", baseUrl: url, apiKey: "sk-cohere" },
        dead: { protocol: "openai-chat", baseUrl: "http://127.0.0.1:1/v1" },
        simulator: { protocol: "simulator" }
      },
      models: {
        embedding: {
          targets: [
            { provider: "messages", model: "echo" },
            { provider: "dead", model: "x" },
            { provider: "compatible", model: "text-embedding-3-small" }
          ]
        },
        refused: {
          targets: [
            { provider: "compatible", model: "wrong" },
            { provider: "compatible", model: "text-embedding-3-small" }
          ]
        },
        hedged: {
          targets: [
            { provider: "compatible", model: "slow" },
            { provider: "local", model: "slow" }
          ],
          hedge: { after: "10ms" }
        },
        impatient: { targets: [{ provider: "compatible", model: "slow" }], timeouts: { total: "50ms" } }
      }
    })
  )
).pipe(Layer.provideMerge(provider))

const embed = (model: string, input: unknown, more: object = {}, headers: { readonly [name: string]: string } = {}) =>
  ask("/v1/embeddings", { body: { model, input, ...more }, headers })

const lastReceived = Effect.map(Provider, ({ received }) => received.at(-1))

layer(server, { excludeTestServices: true })("embeddings", (it) => {
  it.effect("go verbatim to a server of the same API, and its answer comes back to the byte", () =>
    Effect.gen(function* () {
      const more = { encoding_format: "float", dimensions: 2, user: "u", unknown: { deep: [1.5] } }
      const seen = yield* embed("compatible/text-embedding-3-small", [[1, 2]], more)
      assert.strictEqual(seen.text, own)
      assert.strictEqual(seen.headers["x-millrace-model"], "compatible/text-embedding-3-small")
      const received = yield* lastReceived
      assert.deepStrictEqual(received?.body, { ...more, input: [[1, 2]], model: "text-embedding-3-small" })
      assert.strictEqual(received?.headers.authorization, "Bearer sk-compatible")
    })
  )

  it.effect("are recorded like any call, without the vectors", () =>
    Effect.gen(function* () {
      const seen = yield* embed(
        "compatible/text-embedding-3-small",
        "hello",
        {},
        { "x-request-id": "mine", "x-millrace-labels": "a=b" }
      )
      const record = yield* recordOf(seen)
      assert.deepInclude(record, {
        requestId: "mine",
        dialect: "openai-embeddings",
        model: "compatible/text-embedding-3-small",
        delivery: "whole",
        status: "ended",
        target: { provider: "compatible", model: "text-embedding-3-small" },
        usage: { inputTokens: 5, source: "provider" }
      })
      assert.deepStrictEqual(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
      assert.deepStrictEqual(record.request?.body, { model: "compatible/text-embedding-3-small", input: "hello" })
      assert.isUndefined(record.response)
      assert.deepInclude(record.attempts?.[0], { provider: "compatible", status: 200 })
    })
  )

  it.effect("come as base64 where that was asked for, also from a server that does not know it", () =>
    Effect.gen(function* () {
      const seen = yield* embed("compatible/text-embedding-3-small", "hello", { encoding_format: "base64" })
      const { data, extra } = json(seen)
      assert.deepStrictEqual(decodeVector(data[0].embedding), [0.5, Math.fround(0.1)])
      assert.deepStrictEqual(extra, [1])
    })
  )

  it.effect("come from the Gemini API, of one text and of several", () =>
    Effect.gen(function* () {
      const one = yield* embed("google/gemini-embedding-001", "four", {
        dimensions: 1,
        taskType: "CLUSTERING",
        user: "u"
      })
      assert.deepStrictEqual(json(one), {
        object: "list",
        model: "gemini-embedding-001",
        usage: { prompt_tokens: 3, total_tokens: 3 },
        data: [{ object: "embedding", index: 0, embedding: [4] }]
      })
      assert.include(one.headers["x-millrace-dropped"], "user")
      const received = yield* lastReceived
      assert.deepStrictEqual(received?.body, {
        model: "models/gemini-embedding-001",
        content: { parts: [{ text: "four" }] },
        outputDimensionality: 1,
        taskType: "CLUSTERING"
      })
      assert.strictEqual(received?.headers["x-goog-api-key"], "sk-google")
      const several = yield* embed("google/gemini-embedding-001", ["a", "bc"])
      assert.deepStrictEqual(
        json(several).data.map(({ embedding }: { embedding: unknown }) => embedding),
        [[1], [2]]
      )
      // Nobody counted, so it is estimated.
      assert.isAbove(json(several).usage.prompt_tokens, 1)
      assert.strictEqual((yield* recordOf(several)).usage?.source, "estimated")
    })
  )

  it.effect("come from Ollama, which is told not to cut long texts", () =>
    Effect.gen(function* () {
      const seen = yield* embed("local/embeddinggemma", ["a", "bc"], { dimensions: 1, keep_alive: "1m" })
      assert.deepInclude(json(seen), { model: "embeddinggemma:latest", usage: { prompt_tokens: 11, total_tokens: 11 } })
      const body = { model: "embeddinggemma", input: ["a", "bc"], truncate: false, dimensions: 1, keep_alive: "1m" }
      assert.deepStrictEqual((yield* lastReceived)?.body, body)
    })
  )

  it.effect("come from Cohere, more texts than it takes at once in several requests, in their order", () =>
    Effect.gen(function* () {
      const { received } = yield* Provider
      const before = received.length
      const texts = Array.from({ length: 200 }, (_, index) => "x".repeat(index))
      const seen = yield* embed("cohere/embed-v4.0", texts, { encoding_format: "base64", input_type: "search_query" })
      const { data, usage } = json(seen) as {
        data: ReadonlyArray<{ index: number; embedding: string }>
        usage: unknown
      }
      assert.deepStrictEqual(
        data.map(({ embedding, index }) => [index, ...decodeVector(embedding)]),
        texts.map(({ length }, index) => [index, length])
      )
      assert.deepStrictEqual(usage, { prompt_tokens: 6, total_tokens: 6 })
      const bodies = received.slice(before).map(({ body }) => body)
      assert.strictEqual(bodies.length, 3)
      for (const body of bodies) {
        assert.isAtMost((body?.["texts"] as ReadonlyArray<string> | undefined)?.length ?? Infinity, 96)
        assert.deepInclude(body, { input_type: "search_query", embedding_types: ["float"], truncate: "NONE" })
      }
    })
  )

  it.effect("come from the next target where one cannot give them", () =>
    Effect.gen(function* () {
      const seen = yield* embed("embedding", "hello")
      assert.strictEqual(seen.text, own)
      assert.strictEqual(seen.headers["x-millrace-attempts"], "4")
      const { attempts = [] } = yield* recordOf(seen)
      assert.deepStrictEqual(
        attempts.map(({ failure }) => failure?.reason._tag),
        ["Unsupported", "Transport", "Transport", undefined]
      )
    })
  )

  it.effect("are refused in the words of the API, with the provider's status and message", () =>
    Effect.gen(function* () {
      const busy = yield* embed("compatible/busy", "hello")
      assert.strictEqual(busy.status, 429)
      assert.deepInclude(errorOf(busy.text), { message: "Slow down", type: "rate_limit_error" })
      assert.deepInclude((yield* recordOf(busy)).outcome ?? {}, { kind: "Failed", reason: "RateLimited", status: 429 })
      const wrong = yield* embed("refused", "hello")
      assert.strictEqual(wrong.status, 400)
      assert.deepInclude(json(wrong).error, { message: "Bad input", param: "input" })
      const nonsense = yield* embed("compatible/nonsense", "hello")
      assert.strictEqual(nonsense.status, 502)
    })
  )

  it.effect("are refused by what the document says that came instead, whatever its status, and cost nothing", () =>
    Effect.gen(function* () {
      const rows = [
        ["busy-with-success", 429, "RateLimited"],
        ["nonsense", 502, "InvalidOutput"]
      ] as const
      for (const [model, status, reason] of rows) {
        const seen = yield* embed(`compatible/${model}`, "hello")
        assert.strictEqual(seen.status, status)
        const { attempts } = yield* recordOf(seen)
        assert.deepInclude(attempts[0]?.failure?.reason, { _tag: reason })
        assert.deepStrictEqual(attempts[0]?.usage, { source: "none" })
      }
    })
  )

  it.effect("are refused where a provider has none, or cannot take tokens", () =>
    Effect.gen(function* () {
      const none = yield* embed("messages/echo", "hello")
      assert.strictEqual(none.status, 400)
      assert.include(errorOf(none.text).message, "messages")
      for (const model of ["google/gemini-embedding-001", "local/embeddinggemma", "cohere/embed-v4.0"]) {
        const tokens = yield* embed(model, [1, 2])
        assert.strictEqual(tokens.status, 400)
        assert.deepInclude(json(tokens).error, { code: "unsupported_parameter", param: "input" })
      }
    })
  )

  it.effect("are refused before they are a call where the request is wrong", () =>
    Effect.gen(function* () {
      const wrong = yield* embed("compatible/x", [])
      assert.strictEqual(wrong.status, 400)
      assert.deepInclude(json(wrong).error, { type: "invalid_request_error", param: "input" })
      assert.isUndefined(wrong.headers["x-millrace-call-id"])
      assert.strictEqual((yield* embed("nobody/x", "hello")).status, 404)
      assert.strictEqual((yield* embed("compatible/x", "a", {}, { "x-millrace-timeout": "soon" })).status, 400)
      const get = yield* ask("/v1/embeddings")
      assert.strictEqual(get.status, 405)
      assert.strictEqual(get.headers.allow, "POST")
    })
  )

  it.effect("do not come later than they may", () =>
    Effect.gen(function* () {
      const late = yield* embed("impatient", "hello")
      assert.strictEqual(late.status, 504)
      const sooner = yield* embed("compatible/slow", "hello", {}, { "x-millrace-timeout": "50ms" })
      assert.strictEqual(sooner.status, 504)
      const record = yield* recordOf(sooner)
      assert.deepInclude(record.outcome ?? {}, { kind: "Failed", reason: "Timeout" })
      assert.deepStrictEqual(record.attempts[0]?.usage, { inputTokens: 1, source: "estimated" })
    })
  )

  it.effect("are given up when the client leaves", () =>
    Effect.gen(function* () {
      const { received } = yield* Provider
      const before = received.length
      const { audit } = yield* Running
      const asking = yield* Effect.forkChild(embed("compatible/slow", "leaving"))
      yield* until(
        Effect.sync(() => received.length),
        (count) => count > before
      )
      yield* Fiber.interrupt(asking)
      const open = yield* until(audit.list({ limit: 1 }), ({ data }) => data[0]?.status === "ended")
      const record = yield* ended(open.data[0]!.id)
      assert.deepInclude(record.outcome ?? {}, { kind: "Cancelled", by: "client" })
      // The provider took it, and may well charge for it.
      assert.deepInclude(record.attempts[0] ?? {}, { abandoned: true, usage: { inputTokens: 2, source: "estimated" } })
    })
  )

  it.effect("are given up at both targets where two are asked", () =>
    Effect.gen(function* () {
      const { received } = yield* Provider
      const before = received.length
      const { audit } = yield* Running
      const asking = yield* Effect.forkChild(embed("hedged", "leaving"))
      yield* until(
        Effect.sync(() => received.length),
        (count) => count > before + 1
      )
      yield* Fiber.interrupt(asking)
      const open = yield* until(audit.list({ limit: 1 }), ({ data }) => data[0]?.status === "ended")
      const { attempts, usage } = yield* ended(open.data[0]!.id)
      assert.sameMembers(
        attempts.map(({ provider, abandoned }) => `${provider} ${abandoned}`),
        ["compatible true", "local true"]
      )
      assert.deepStrictEqual(usage, { inputTokens: 2, source: "estimated" })
    })
  )

  it.effect("are cancelled by their id, and by the end of the server", () =>
    Effect.gen(function* () {
      const { received } = yield* Provider
      const { audit, engine } = yield* Running
      const ends = {
        caller: (id: string) => ask(`/v1/calls/${id}/cancel`, { body: {} }),
        shutdown: () => engine.shutdown
      }
      for (const [by, end] of Object.entries(ends)) {
        const before = received.length
        const asking = yield* Effect.forkChild(embed("compatible/slow", `ended by ${by}`))
        yield* until(
          Effect.sync(() => received.length),
          (count) => count > before
        )
        assert.strictEqual(yield* engine.active, 1)
        const id = (yield* audit.list({ limit: 1 })).data[0]!.id
        yield* end(id)
        const seen = yield* Fiber.join(asking)
        assert.strictEqual(seen.status, 503)
        assert.deepInclude((yield* ended(id)).outcome ?? {}, { kind: "Cancelled", by })
        assert.strictEqual(yield* engine.active, 0)
      }
    })
  )

  it.effect("come from the simulator, in the server and as a server, the same for the same text", () =>
    Effect.gen(function* () {
      const vectorsOf = Effect.fnUntraced(function* (model: string, input: unknown, more: object = {}) {
        const seen = yield* embed(model, input, more)
        assert.strictEqual(seen.status, 200)
        return json(seen).data.map(({ embedding }: { embedding: unknown }) => embedding)
      })
      const [hello, other] = yield* vectorsOf("simulator/echo", ["hello", "other"])
      assert.strictEqual(hello.length, 8)
      assert.notDeepEqual(hello, other)
      assert.approximately(Math.hypot(...hello), 1, 1e-6)
      assert.deepStrictEqual(yield* vectorsOf("chat/echo", ["other", "hello"]), [other, hello])
      assert.notDeepEqual(yield* vectorsOf("chat/echo?seed=7", "hello"), [hello])
      const [short] = yield* vectorsOf("chat/echo", [[5, 6]], { dimensions: 3, encoding_format: "base64" })
      assert.strictEqual(decodeVector(short).length, 3)
      for (const model of ["simulator/echo?status=429&retry-after=7", "chat/echo?status=429&retry-after=7"]) {
        const failed = yield* embed(model, "hello")
        assert.strictEqual(failed.status, 429)
        assert.strictEqual(failed.headers["retry-after"], "7")
      }
    })
  )
})
