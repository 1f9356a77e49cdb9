import { createVerify, generateKeyPairSync } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, FileSystem, Path } from "effect"
import { TestClock } from "effect/testing"
import type { Message, Tool } from "../../src/domain/LlmRequest.ts"
import { prompt } from "../../src/domain/prompt.ts"
import { asking, configured, embedding, counting, receivingServer, type Received } from "./calling.ts"
import { complaints, loading, warnings } from "./loading.ts"

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" }
})

const sse = (events: ReadonlyArray<object>): string =>
  events
    .map((event) => `${"type" in event ? `event: ${String(event.type)}\n` : ""}data: ${JSON.stringify(event)}\n\n`)
    .join("")

const content = (text: string) => ({ role: "model", parts: [{ text }] })
const gemini = [
  { candidates: [{ index: 0, content: content("Hel") }] },
  { candidates: [{ index: 0, content: content("lo"), finishReason: "STOP" }] }
]
const claude = [
  { type: "message_start", message: { id: "m", model: "claude", content: [], usage: { input_tokens: 1 } } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
  { type: "message_stop" }
]
const wholeGemini = { candidates: [{ index: 0, content: content("Hello"), finishReason: "STOP" }] }
const wholeClaude = {
  id: "m",
  type: "message",
  role: "assistant",
  model: "claude",
  content: [{ type: "text", text: "Hello" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 1, output_tokens: 2 }
}

interface Answer {
  readonly status?: number
  readonly json?: object
  readonly stream?: string
}

const answerOf = ({ url }: Received): Answer => {
  if (url.includes(":streamGenerateContent")) return { stream: sse(gemini) }
  if (url.includes(":streamRawPredict")) return { stream: sse(claude) }
  if (url.includes(":countTokens")) return { json: { totalTokens: 7 } }
  if (url.includes("/count-tokens:")) return { json: { input_tokens: 9 } }
  return { json: url.includes(":rawPredict") ? wholeClaude : wholeGemini }
}

/** Google: a token endpoint, whose n-th token is `token-n`, and Vertex AI. */
const google = (answer: (request: Received, tokens: number) => Answer | undefined = () => undefined) =>
  Effect.gen(function* () {
    let tokens = 0
    const server = yield* receivingServer((request, response) => {
      const isToken = request.url === "/token"
      if (isToken) tokens++
      const { status = 200, json, stream } = answer(request, tokens) ?? (isToken ? token(tokens) : answerOf(request))
      const type = stream === undefined ? "application/json" : "text/event-stream"
      response.writeHead(status, { "content-type": type }).end(stream ?? JSON.stringify(json))
    })
    const { received } = server
    return {
      ...server,
      tokens: () => received.filter(({ url }) => url === "/token"),
      calls: () => received.filter(({ url }) => url !== "/token")
    }
  })

const token = (number: number): Answer => ({
  json: { access_token: `token-${number}`, expires_in: 3599, token_type: "Bearer" }
})

/** The path of a service account's key file, as the console gives it. */
const keyFile = (url: string, more: object = {}) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    const file = (yield* Path.Path).join(folder, "key.json")
    const key = {
      type: "service_account",
      project_id: "of-the-key",
      private_key_id: "key-1",
      private_key: privateKey,
      client_email: "me@of-the-key.iam.gserviceaccount.com",
      token_uri: `${url}/token`
    }
    yield* files.writeFileString(file, JSON.stringify({ ...key, ...more }))
    return file
  }).pipe(Effect.orDie, Effect.provide(NodeServices.layer))

const provider = (url: string, file: string, settings = "") =>
  `providers:\n  v: { preset: vertex, baseUrl: "${url}", credentials: "${file}"${settings} }\n`

const place = "/v1/projects/p/locations/us-east5"
const placed = ", project: p, region: us-east5"
const asClaude = `${placed}, protocol: anthropic-messages`

const claimsOf = (assertion: string) => {
  const [head = "", claims = "", signature = ""] = assertion.split(".")
  const verified = createVerify("RSA-SHA256").update(`${head}.${claims}`).verify(publicKey, signature, "base64url")
  assert.isTrue(verified)
  const parsed = [head, claims].map((part): unknown => JSON.parse(Buffer.from(part, "base64url").toString()))
  return { head: parsed[0], claims: parsed[1] }
}

describe("Vertex AI", () => {
  it.live("gives vectors by predict, and of its newer models one at a time", () =>
    Effect.gen(function* () {
      const { url, calls } = yield* google(({ url, body }) => {
        if (url.includes(":embedContent")) {
          return { json: { embedding: { values: [3] }, usageMetadata: { promptTokenCount: 2 } } }
        }
        if (!url.includes(":predict")) return undefined
        const { instances } = JSON.parse(body)
        const given = (index: number) => ({ values: [index], statistics: { truncated: false, token_count: 4 } })
        return { json: { predictions: instances.map((_: unknown, index: number) => ({ embeddings: given(index) })) } }
      })
      const server = configured({ text: provider(url, yield* keyFile(url), placed) })
      const ask = (model: string) =>
        Effect.provide(embedding(`v/${model}`, ["a", "b"], { dimensions: 5, rest: { taskType: "CLUSTERING" } }), server)
      const older = yield* ask("text-embedding-005")
      assert.deepInclude(older, { vectors: [[0], [1]], usage: { inputTokens: 8, source: "provider" } })
      const first = yield* ask("gemini-embedding-001")
      assert.deepInclude(first, { vectors: [[0], [0]], usage: { inputTokens: 8, source: "provider" } })
      const newer = yield* ask("gemini-embedding-2")
      assert.deepInclude(newer, { vectors: [[3], [3]], usage: { inputTokens: 4, source: "provider" } })
      const parameters = { autoTruncate: false, outputDimensionality: 5 }
      const models = `${place}/publishers/google/models`
      const asked = calls().map(({ url, body }) => ({ url, body: JSON.parse(body) }))
      assert.deepStrictEqual(asked[0], {
        url: `${models}/text-embedding-005:predict`,
        body: {
          instances: ["a", "b"].map((content) => ({ content, task_type: "CLUSTERING" })),
          parameters
        }
      })
      // Those of one request are asked together, in any order.
      assert.sameDeepMembers(
        asked.slice(1, 3).map(({ body }) => body.instances),
        [[{ content: "a", task_type: "CLUSTERING" }], [{ content: "b", task_type: "CLUSTERING" }]]
      )
      assert.sameDeepMembers(
        asked.slice(3),
        ["a", "b"].map((text) => ({
          url: `${models}/gemini-embedding-2:embedContent`,
          body: { content: { parts: [{ text }] }, embedContentConfig: { ...parameters, taskType: "CLUSTERING" } }
        }))
      )
    }).pipe(Effect.scoped)
  )

  for (const [delivery, method] of [
    ["stream", "streamGenerateContent?alt=sse"],
    ["whole", "generateContent"]
  ] as const) {
    it.live(`has Gemini below its publisher, ${delivery}`, () =>
      Effect.gen(function* () {
        const { url, calls } = yield* google()
        const text = provider(url, yield* keyFile(url), placed)
        const answer = yield* Effect.provide(asking("v/gemini-2.5-pro", { delivery }), configured({ text }))
        assert.isUndefined(answer.error)
        assert.strictEqual(answer.text, "Hello")
        const [call] = calls()
        assert.strictEqual(call?.url, `${place}/publishers/google/models/gemini-2.5-pro:${method}`)
        assert.strictEqual(call?.headers.authorization, "Bearer token-1")
        assert.isUndefined(call?.headers["x-goog-api-key"])
      }).pipe(Effect.scoped)
    )
  }

  for (const [delivery, method] of [
    ["stream", "streamRawPredict"],
    ["whole", "rawPredict"]
  ] as const) {
    it.live(`has Claude below its publisher, the version in the body, ${delivery}`, () =>
      Effect.gen(function* () {
        const { url, calls } = yield* google()
        const text = provider(url, yield* keyFile(url), asClaude)
        const asked = asking("v/claude-sonnet-4@20250514", { delivery })
        const answer = yield* Effect.provide(asked, configured({ text }))
        assert.isUndefined(answer.error)
        assert.strictEqual(answer.text, "Hello")
        const [call] = calls()
        assert.strictEqual(call?.url, `${place}/publishers/anthropic/models/claude-sonnet-4@20250514:${method}`)
        const body: unknown = JSON.parse(call?.body ?? "")
        assert.deepInclude(body, { anthropic_version: "vertex-2023-10-16" })
        assert.notProperty(body, "model")
        assert.isUndefined(call?.headers["anthropic-version"])
      }).pipe(Effect.scoped)
    )
  }

  it.live("is asked for those betas of Claude that it knows", () =>
    Effect.gen(function* () {
      const { url, calls } = yield* google()
      const text = provider(url, yield* keyFile(url), asClaude)
      const header = "claude-code-20250219, context-1m-2025-08-07, advanced-tool-use-2025-11-20"
      const asked = asking("v/claude-sonnet-5", { extensions: { "anthropic-messages": { "anthropic-beta": header } } })
      const { notices } = yield* Effect.provide(asked, configured({ text }))
      assert.strictEqual(calls()[0]?.headers["anthropic-beta"], "context-1m-2025-08-07,tool-search-tool-2025-10-19")
      assert.include(notices, "the beta claude-code-20250219: the provider does not know it")
    }).pipe(Effect.scoped)
  )

  it.live("counts tokens", () =>
    Effect.gen(function* () {
      const { url, calls } = yield* google()
      const file = yield* keyFile(url)
      const ofGemini = counting("v/gemini-2.5-pro")
      const betas = "web-search-2025-03-05,context-management-2025-06-27,tool-search-tool-2025-10-19"
      const ofClaude = counting("v/claude-sonnet-4-5", {
        extensions: { "anthropic-messages": { "anthropic-beta": betas } }
      })
      assert.strictEqual(yield* Effect.provide(ofGemini, configured({ text: provider(url, file, placed) })), 7)
      assert.strictEqual(yield* Effect.provide(ofClaude, configured({ text: provider(url, file, asClaude) })), 9)
      const [first, second] = calls()
      assert.strictEqual(first?.url, `${place}/publishers/google/models/gemini-2.5-pro:countTokens`)
      assert.hasAllKeys(JSON.parse(first?.body ?? ""), ["contents"])
      assert.strictEqual(second?.url, `${place}/publishers/anthropic/models/count-tokens:rawPredict`)
      assert.deepInclude(JSON.parse(second?.body ?? ""), { model: "claude-sonnet-4-5" })
      assert.strictEqual(second?.headers["anthropic-beta"], "context-management-2025-06-27")
    }).pipe(Effect.scoped)
  )

  it.live("is told the tier of the service in a header, and takes models of a project and of other publishers", () =>
    Effect.gen(function* () {
      const { url, calls } = yield* google()
      const text = provider(url, yield* keyFile(url), placed)
      const models = ["v/endpoints/123", "v/publishers/meta/models/llama"]
      yield* Effect.provide(
        Effect.forEach(models, (model) => asking(model, { delivery: "whole", serviceTier: "flex" })),
        configured({ text })
      )
      assert.deepStrictEqual(
        calls().map((call) => [call.url, call.headers["x-vertex-ai-llm-shared-request-type"]]),
        [
          [`${place}/endpoints/123:generateContent`, "flex"],
          [`${place}/publishers/meta/models/llama:generateContent`, "flex"]
        ]
      )
      assert.notInclude(calls()[0]?.body, "serviceTier")
    }).pipe(Effect.scoped)
  )

  it.live(
    "is told what it knows: ids of calls by the generation of the model, and of tools of its own beside functions",
    () =>
      Effect.gen(function* () {
        const { url, calls } = yield* google()
        const text = provider(url, yield* keyFile(url), placed)
        const { messages } = prompt("m", "Hi")
        const call = { _tag: "ToolCall", id: "call-1", name: "f", arguments: '{"id":"kept"}' } as const
        const answer = { _tag: "ToolResult", callId: "call-1", content: [{ _tag: "Text", text: "ok" }] } as const
        const history: ReadonlyArray<Message> = [
          ...messages,
          { role: "assistant", parts: [call] },
          { role: "tool", parts: [answer] }
        ]
        const tools: ReadonlyArray<Tool> = [
          { _tag: "Function", name: "f" },
          { _tag: "Provider", protocol: "openai-responses", name: "web_search", value: {}, webSearch: {} }
        ]
        yield* Effect.provide(
          Effect.forEach(["v/gemini-2.5-pro", "v/gemini-3.5-flash"], (model) =>
            asking(model, { messages: history, tools })
          ),
          configured({ text })
        )
        const [older, newer] = calls().map(({ body }) => JSON.parse(body).contents.slice(1))
        assert.deepStrictEqual(older, [
          { role: "model", parts: [{ functionCall: { name: "f", args: { id: "kept" } } }] },
          { role: "user", parts: [{ functionResponse: { name: "f", response: { output: "ok" } } }] }
        ])
        assert.strictEqual(newer[0].parts[0].functionCall.id, "call-1")
        assert.strictEqual(newer[1].parts[0].functionResponse.id, "call-1")
        const [, newest] = calls().map(({ body }) => JSON.parse(body))
        assert.lengthOf(newest.tools, 2)
        assert.notProperty(newest, "toolConfig")
      }).pipe(Effect.scoped)
  )

  it.live("takes an API key instead of a service account", () =>
    Effect.gen(function* () {
      const { url, received } = yield* google()
      const text = `providers: { v: { preset: vertex, baseUrl: "${url}", apiKey: AIza } }`
      yield* Effect.provide(asking("v/gemini-2.5-pro"), configured({ text }))
      assert.strictEqual(received[0]?.url, "/v1/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse")
      assert.strictEqual(received[0]?.headers["x-goog-api-key"], "AIza")
    }).pipe(Effect.scoped)
  )

  for (const [what, protocol, body] of [
    ["alone", "gemini", { error: { code: 429, message: "Slow down", status: "RESOURCE_EXHAUSTED" } }],
    ["in a list", "gemini", [{ error: { code: 429, message: "Slow down", status: "RESOURCE_EXHAUSTED" } }]],
    ["alone", "anthropic-messages", { error: { code: 429, message: "Slow down", status: "RESOURCE_EXHAUSTED" } }],
    ["in a list", "anthropic-messages", [{ error: { code: 429, message: "Slow down", status: "RESOURCE_EXHAUSTED" } }]]
  ] as const) {
    it.live(`is understood when it refuses ${what}, ${protocol}`, () =>
      Effect.gen(function* () {
        const { url } = yield* google((request) => (request.url === "/token" ? undefined : { status: 429, json: body }))
        const text = provider(url, yield* keyFile(url), `, protocol: ${protocol}`)
        const { error } = yield* Effect.provide(asking("v/m"), configured({ text }))
        assert.deepStrictEqual(error?.reason, { _tag: "RateLimited" })
        assert.strictEqual(error?.message, "Slow down")
      }).pipe(Effect.scoped)
    )
  }
})

describe("a service account", () => {
  it.effect("proves itself with its key for a token", () =>
    Effect.gen(function* () {
      const { url, tokens } = yield* google()
      yield* TestClock.setTime(1_700_000_000_900)
      const text = provider(url, yield* keyFile(url))
      yield* Effect.provide(asking("v/gemini"), configured({ text }))
      const [asked] = tokens()
      assert.strictEqual(asked?.method, "POST")
      assert.strictEqual(asked?.headers["content-type"], "application/x-www-form-urlencoded")
      const form = new URLSearchParams(asked?.body)
      assert.strictEqual(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer")
      const { head, claims } = claimsOf(form.get("assertion") ?? "")
      assert.deepStrictEqual(head, { alg: "RS256", typ: "JWT", kid: "key-1" })
      assert.deepStrictEqual(claims, {
        iss: "me@of-the-key.iam.gserviceaccount.com",
        aud: `${url}/token`,
        scope: "https://www.googleapis.com/auth/cloud-platform",
        iat: 1_700_000_000,
        exp: 1_700_003_600
      })
    }).pipe(Effect.scoped)
  )

  it.effect("asks for one token for many calls, and for another shortly before it expires", () =>
    Effect.gen(function* () {
      const { url, calls } = yield* google()
      const text = provider(url, yield* keyFile(url))
      yield* Effect.gen(function* () {
        yield* Effect.all(
          Array.from({ length: 5 }, () => asking("v/gemini")),
          { concurrency: "unbounded" }
        )
        yield* TestClock.adjust("54 minutes")
        yield* asking("v/gemini")
        yield* TestClock.adjust("1 minute")
        yield* Effect.all([asking("v/gemini"), asking("v/gemini")], { concurrency: "unbounded" })
      }).pipe(Effect.provide(configured({ text })))
      const used = calls().map(({ headers }) => headers.authorization)
      assert.deepStrictEqual(used, [...Array(6).fill("Bearer token-1"), ...Array(2).fill("Bearer token-2")])
    }).pipe(Effect.scoped)
  )

  it.live("keeps waiting for a token that whoever asked for it first does not want any more", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      let hand = (): void => undefined
      const server = yield* receivingServer((request, response) => {
        const answer = request.url === "/token" ? token(1) : answerOf(request)
        const send = () => response.writeHead(200).end(answer.stream ?? JSON.stringify(answer.json))
        if (request.url !== "/token") return void send()
        hand = send
        Deferred.doneUnsafe(asked, Effect.void)
      })
      const text = provider(server.url, yield* keyFile(server.url))
      yield* Effect.gen(function* () {
        const first = yield* Effect.forkChild(asking("v/gemini"))
        yield* Deferred.await(asked)
        const second = yield* Effect.forkChild(asking("v/gemini"), { startImmediately: true })
        yield* Fiber.interrupt(first)
        hand()
        assert.strictEqual((yield* Fiber.join(second)).text, "Hello")
      }).pipe(Effect.provide(configured({ text })))
      assert.strictEqual(server.received.filter(({ url }) => url === "/token").length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("asks for another token where the one that it has is not accepted any more", () =>
    Effect.gen(function* () {
      const { url, calls, tokens } = yield* google(({ headers, url }) =>
        url !== "/token" && headers.authorization === "Bearer token-1" ? { status: 401, json: {} } : undefined
      )
      const text = provider(url, yield* keyFile(url))
      yield* Effect.gen(function* () {
        assert.deepStrictEqual((yield* asking("v/gemini")).error?.reason, { _tag: "Unauthorized" })
        assert.strictEqual((yield* asking("v/gemini")).text, "Hello")
        assert.strictEqual((yield* asking("v/gemini")).text, "Hello")
      }).pipe(Effect.provide(configured({ text })))
      assert.lengthOf(tokens(), 2)
      assert.lengthOf(calls(), 3)
    }).pipe(Effect.scoped)
  )

  it.live("asks for one other token, however many calls are told late that theirs is not accepted", () =>
    Effect.gen(function* () {
      let tokens = 0
      let refusals = 0
      const server = yield* receivingServer((request, response) => {
        const refused = request.headers.authorization === "Bearer token-1"
        const answer = request.url === "/token" ? token(++tokens) : refused ? { json: {} } : answerOf(request)
        const send = () => response.writeHead(refused ? 401 : 200).end(answer.stream ?? JSON.stringify(answer.json))
        // The next refusals come while the other token is on its way.
        void setTimeout(refused ? 20 * refusals++ : tokens === 2 ? 200 : 0).then(send)
      })
      const text = provider(server.url, yield* keyFile(server.url))
      yield* Effect.gen(function* () {
        const again = Effect.flatMap(asking("v/gemini"), () => asking("v/gemini"))
        const seen = yield* Effect.all(
          Array.from({ length: 5 }, () => again),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          seen.map((one) => one.text),
          Array(5).fill("Hello")
        )
      }).pipe(Effect.provide(configured({ text })))
      assert.strictEqual(tokens, 2)
    }).pipe(Effect.scoped)
  )

  it.live("says who was refused, and tries again with the next call", () =>
    Effect.gen(function* () {
      const refusal = { error: "invalid_grant", error_description: "Invalid JWT Signature." }
      const { url } = yield* google(({ url }, tokens) =>
        url === "/token" && tokens === 1 ? { status: 400, json: refusal } : undefined
      )
      const text = provider(url, yield* keyFile(url))
      yield* Effect.gen(function* () {
        const { error } = yield* asking("v/gemini")
        assert.deepStrictEqual(error?.reason, { _tag: "Unauthorized" })
        assert.strictEqual(
          error?.message,
          "Google gave no token to the service account me@of-the-key.iam.gserviceaccount.com: invalid_grant: Invalid JWT " +
            "Signature. (the provider v did not accept the key that it is configured with)"
        )
        assert.strictEqual((yield* asking("v/gemini")).text, "Hello")
      }).pipe(Effect.provide(configured({ text })))
    }).pipe(Effect.scoped)
  )

  for (const [what, answer, reason] of [
    ["out of order", { status: 503, json: {} }, { _tag: "Overloaded" }],
    ["no token endpoint", { json: { hello: "world" } }, { _tag: "InvalidOutput", kind: "malformedFrame" }]
  ] as const) {
    it.live(`may be asked elsewhere where the token endpoint is ${what}`, () =>
      Effect.gen(function* () {
        const { url } = yield* google((request) => (request.url === "/token" ? answer : undefined))
        const text = provider(url, yield* keyFile(url))
        const { error } = yield* Effect.provide(asking("v/gemini"), configured({ text }))
        assert.deepStrictEqual(error?.reason, reason)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("is given up where the token endpoint is silent", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const { url } = yield* receivingServer(() => Deferred.doneUnsafe(asked, Effect.void))
      const text = provider(url, yield* keyFile(url))
      const call = yield* Effect.forkChild(Effect.provide(asking("v/gemini"), configured({ text })))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("20 seconds")
      const { error } = yield* Fiber.join(call)
      assert.deepStrictEqual(error?.reason, { _tag: "Timeout", phase: "connect" })
    }).pipe(Effect.scoped)
  )

  it.live("whose key is damaged is not asked for", () =>
    Effect.gen(function* () {
      const { url, received } = yield* google()
      const text = provider(url, yield* keyFile(url, { private_key: privateKey.replace("\nMII", "\nMIJ") }))
      const { error } = yield* Effect.provide(asking("v/gemini"), configured({ text }))
      assert.deepStrictEqual(error?.reason, { _tag: "Unauthorized" })
      assert.include(error?.message, "The private key of the service account me@of-the-key.iam.gserviceaccount.com")
      assert.deepStrictEqual(received, [])
    }).pipe(Effect.scoped)
  )

  it.live("has tokens that are not repeated to callers", () =>
    Effect.gen(function* () {
      const { url } = yield* google(({ headers, url }) =>
        url === "/token" ? undefined : { status: 401, json: { error: { message: `No: ${headers.authorization}` } } }
      )
      const text = provider(url, yield* keyFile(url))
      const { error } = yield* Effect.provide(asking("v/gemini"), configured({ text }))
      assert.include(error?.message, "No: Bearer <redacted>")
      assert.notInclude(JSON.stringify(error), "token-1")
    }).pipe(Effect.scoped)
  )
})

const baseUrls = (given: Parameters<typeof loading>[0]) =>
  Effect.map(loading(given), ({ providers }) =>
    providers.flatMap((settings) => (settings._tag === "Http" ? [settings.baseUrl] : []))
  )

describe("where Vertex AI is", () => {
  it.effect("follows from the region and the project", () =>
    Effect.gen(function* () {
      const file = yield* keyFile("http://h")
      const of = (settings: string, environment = {}) =>
        baseUrls({ text: `providers: { v: { preset: vertex, credentials: "${file}"${settings} } }`, environment })
      const global = "https://aiplatform.googleapis.com/v1/projects"
      assert.deepStrictEqual(yield* of(""), [`${global}/of-the-key/locations/global`])
      assert.deepStrictEqual(yield* of("", { GOOGLE_CLOUD_PROJECT: "p" }), [`${global}/p/locations/global`])
      assert.deepStrictEqual(yield* of(", project: q, region: eu", { GOOGLE_CLOUD_PROJECT: "p" }), [
        "https://aiplatform.eu.rep.googleapis.com/v1/projects/q/locations/eu"
      ])
      assert.deepStrictEqual(yield* of("", { GOOGLE_CLOUD_LOCATION: "us-east5" }), [
        "https://us-east5-aiplatform.googleapis.com/v1/projects/of-the-key/locations/us-east5"
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("is not where the environment is for who has a key alone", () =>
    Effect.gen(function* () {
      const environment = { GOOGLE_CLOUD_PROJECT: "p", GOOGLE_CLOUD_LOCATION: "us-east5" }
      const of = (settings = "") =>
        baseUrls({ text: `providers: { v: { preset: vertex, apiKey: AIza${settings} } }`, environment })
      assert.deepStrictEqual(yield* of(), ["https://aiplatform.googleapis.com/v1"])
      assert.deepStrictEqual(yield* of(", project: q"), [
        "https://us-east5-aiplatform.googleapis.com/v1/projects/q/locations/us-east5"
      ])
      assert.deepStrictEqual(yield* of(", region: eu"), [
        "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu"
      ])
    })
  )

  it.live("may all come from the environment", () =>
    Effect.gen(function* () {
      const { url, calls } = yield* google()
      const file = yield* keyFile(url)
      const environment = { GOOGLE_APPLICATION_CREDENTIALS: file, GOOGLE_VERTEX_BASE_URL: url }
      const text = "providers: { v: { preset: vertex } }"
      assert.strictEqual((yield* Effect.provide(asking("v/gemini"), configured({ text, environment }))).text, "Hello")
      assert.match(calls()[0]?.url ?? "", /^\/v1\/projects\/of-the-key\/locations\/global\/publishers/)
    }).pipe(Effect.scoped)
  )

  it.effect("is not known without a project", () =>
    Effect.gen(function* () {
      const file = yield* keyFile("http://h", { project_id: undefined })
      assert.deepStrictEqual(
        yield* warnings({ text: `providers: { v: { preset: vertex, credentials: "${file}" } }` }),
        [
          "millrace.yaml:1:14: providers.v: the provider is off because GOOGLE_CLOUD_PROJECT is not set; set it to turn the provider on"
        ]
      )
    }).pipe(Effect.scoped)
  )
})

describe("credentials", () => {
  it.effect("that cannot be used turn the provider off, without a word of what is in them", () =>
    Effect.gen(function* () {
      const why = (file: string) =>
        Effect.map(loading({ text: `providers: { v: { preset: vertex, credentials: "${file}" } }` }), ({ off }) =>
          off[0]?.why.replace(file, "it")
        )
      assert.strictEqual(yield* why("/nowhere/key.json"), "it is not there")
      const other = yield* keyFile("http://h", { type: "authorized_user" })
      assert.strictEqual(
        yield* why(other),
        "it is no key of a service account (a JSON file with type: service_account, client_email and private_key)"
      )
      assert.deepStrictEqual(
        yield* warnings({ text: 'providers:\n  v: { preset: vertex, credentials: "/nowhere/key.json" }\n' }),
        [
          "millrace.yaml:2:3: providers.v: the provider is off because /nowhere/key.json is not there; mend that to turn the provider on"
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("are not shown with the configuration", () =>
    Effect.gen(function* () {
      const { providers } = yield* loading({ text: provider("http://h", yield* keyFile("http://h")) })
      assert.notInclude(JSON.stringify(providers), "PRIVATE KEY")
    }).pipe(Effect.scoped)
  )

  it.effect("without any, Vertex AI is off", () =>
    Effect.gen(function* () {
      const { off } = yield* loading({})
      assert.deepInclude(off, { name: "vertex", why: "GOOGLE_APPLICATION_CREDENTIALS is not set" })
    })
  )

  it.effect("are for Vertex AI, which has one format for each model", () =>
    Effect.gen(function* () {
      const text = `providers:
  a: { preset: vertex, protocol: [gemini, anthropic-messages] }
  b: { preset: groq, credentials: key.json, region: eu }
`
      assert.deepStrictEqual(yield* complaints({ text }), [
        "millrace.yaml:2:24: providers.a.protocol: is not what the preset vertex serves; write gemini or anthropic-messages",
        "millrace.yaml:3:22: providers.b.credentials: means nothing here: it is for Vertex AI; remove it",
        "millrace.yaml:3:45: providers.b.region: means nothing here: it is for Amazon Bedrock and Vertex AI; remove it"
      ])
    })
  )
})
