import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Redacted, Result, type Scope, Stream } from "effect"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import type { Origin } from "../../src/domain/Call.ts"
import type { LlmError } from "../../src/domain/LlmError.ts"
import type { Delivery } from "../../src/domain/LlmRequest.ts"
import { bedrockConverse } from "../../src/protocols/bedrock-converse/outbound.ts"
import { gemini } from "../../src/protocols/gemini/outbound.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import { bearer, deploymentUpstream, type Deployment } from "../../src/providers/Deployment.ts"
import { HttpTransport } from "../../src/providers/HttpTransport.ts"
import type { UpstreamRequest } from "../../src/routing/Upstream.ts"
import { attemptOf, eventsOf } from "../routing/attempts.ts"
import { closedPort, httpServer } from "./servers.ts"
import { countsTokens, tinyProtocol } from "./tinyProtocol.ts"

const key = "sk-very-secret"

const deploymentAt = (baseUrl: string, more: Partial<Deployment> = {}): Deployment => ({
  provider: "tested",
  protocols: [tinyProtocol("tiny")],
  baseUrl,
  auth: bearer,
  apiKey: Redacted.make(key),
  headers: {},
  quirks: {},
  ...more
})

/** What a provider was sent. */
interface Received {
  readonly path: string | undefined
  readonly headers: IncomingMessage["headers"]
  readonly body: unknown
}

/** A provider that answers each request with the next of `answers`, the last one again and again. */
const provider = (...answers: ReadonlyArray<(response: ServerResponse) => void>) =>
  Effect.gen(function* () {
    const received: Array<Received> = []
    const listener: RequestListener = (request, response) => {
      let body = ""
      request.setEncoding("utf8").on("data", (piece: string) => (body += piece))
      request.on("end", () => {
        const answer = answers[Math.min(received.length, answers.length - 1)]
        received.push({ path: request.url, headers: request.headers, body: JSON.parse(body) })
        answer?.(response)
      })
    }
    return { ...(yield* httpServer(listener)), received }
  })

const answering =
  (status: number, type: string, body: string, headers: { readonly [name: string]: string } = {}) =>
  (response: ServerResponse) =>
    response.writeHead(status, { "content-type": type, ...headers }).end(body)
const sse = answering(200, "text/event-stream", 'data: {"text":"hello"}\n\ndata: {"stop":true}\n\n')
const json = answering(200, "application/json; charset=utf-8", '{"text":"hello","stop":true}')

interface Asked {
  readonly model?: string
  readonly target?: string
  /** headers that a filter added */
  readonly added?: { readonly [name: string]: string }
  readonly delivery?: Delivery
  readonly dialect?: string
  readonly origin?: Origin
}

/** Asks a deployment: what it answered, or how it failed, and what it told on the way. */
const asking = (deployment: Deployment, asked: Asked = {}) =>
  Effect.gen(function* () {
    const { delivery = "stream", dialect, origin, model = "model", target = "target-model", added } = asked
    const upstream = yield* deploymentUpstream(deployment)
    const told: Array<string> = []
    const request: UpstreamRequest = {
      request: { model, messages: [], sampling: {}, ...(added === undefined ? {} : { headers: added }) },
      model: target,
      delivery,
      dialect,
      origin,
      observer: {
        connected: () => told.push("connected"),
        head: (status) => told.push(`head ${status}`),
        bytes: (count) => told.push(`bytes ${count}`),
        notice: ({ message }) => told.push(message)
      }
    }
    const frames = Stream.runCollect(upstream.stream(request))
    return { frames, told }
  })

const failing = (deployment: Deployment, asked: Asked = {}) =>
  Effect.flatMap(asking(deployment, asked), ({ frames }) => Effect.flip(frames))

const test = <E>(name: string, effect: Effect.Effect<void, E, HttpTransport | Scope.Scope>) =>
  it.live(name, () => Effect.scoped(effect).pipe(Effect.provide(HttpTransport.layer)))

describe("an address", () => {
  for (const [base, path, expected] of [
    ["", "/v1/messages", "/v1/messages"],
    ["/v1", "/v1/messages", "/v1/messages"],
    ["/proxy/v1beta", "/v1beta/models/m:generateContent", "/proxy/v1beta/models/m:generateContent"],
    ["/v1", "/chat/completions", "/v1/chat/completions"],
    ["/v2", "/v1/messages", "/v2/v1/messages"],
    ["/model", "/model/m/converse", "/model/model/m/converse"]
  ] as const) {
    test(
      `that ends in ${base || "its host"} is asked for ${path} at ${expected}`,
      Effect.gen(function* () {
        const { received, url } = yield* provider(sse)
        const protocol = tinyProtocol("tiny")
        const asked: Protocol = {
          ...protocol,
          encode: (request, context) =>
            Result.map(protocol.encode(request, context), (encoded) => ({ ...encoded, path }))
        }
        yield* (yield* asking(deploymentAt(url + base, { protocols: [asked] }))).frames
        assert.strictEqual(received[0]?.path, expected)
      })
    )
  }
})

describe("a model", () => {
  for (const model of ["../../files/x", "gemini/../../files/x", "gemini/./x", "\ud800"]) {
    test(
      `is not asked for where its name could lead elsewhere: ${JSON.stringify(model)}`,
      Effect.gen(function* () {
        const { received, url } = yield* provider(json)
        const deployment = deploymentAt(url, { protocols: [gemini] })
        const { countTokens, embed } = yield* deploymentUpstream(deployment)
        const request = { model, messages: [], sampling: {} }
        const input = { _tag: "Texts", texts: ["x"] } as const
        const vectors = { request: { model, input, encoding: "float" as const, rest: {} }, model, origin: undefined }
        for (const failed of [
          yield* failing(deployment, { target: model }),
          yield* Effect.flip(countTokens!({ request, model, origin: undefined })),
          yield* Effect.flip(embed!({ ...vectors, observer: { connected: () => {}, head: () => {} } }))
        ]) {
          assert.strictEqual(failed.reason._tag, model === "\ud800" ? "UnknownModel" : "InvalidRequest")
          assert.include(failed.message, "such a name")
        }
        assert.deepStrictEqual(received, [])
      })
    )
  }

  for (const model of ["..", ".", "../../x"]) {
    test(
      `is not asked for where its name could be taken for a way elsewhere: ${model}`,
      Effect.gen(function* () {
        const { received, url } = yield* provider(json)
        const failed = yield* failing(deploymentAt(url, { protocols: [bedrockConverse] }), { target: model })
        assert.strictEqual(failed.reason._tag, "InvalidRequest")
        assert.deepStrictEqual(received, [])
      })
    )
  }

  test(
    "may be called by the path of a file where it is not asked for by a path",
    Effect.gen(function* () {
      const { received, url } = yield* provider(json)
      yield* Effect.exit((yield* asking(deploymentAt(url), { target: "../models/./llama.gguf" })).frames)
      assert.deepInclude(received[0]?.body, { model: "../models/./llama.gguf" })
    })
  )

  test(
    "may have dots and slashes in its name",
    Effect.gen(function* () {
      const { received, url } = yield* provider(json)
      const deployment = deploymentAt(url, { protocols: [gemini] })
      yield* Effect.exit((yield* asking(deployment, { target: "tunedModels/..a/b..c/.d" })).frames)
      assert.strictEqual(received[0]?.path, "/v1beta/tunedModels/..a/b..c/.d:streamGenerateContent?alt=sse")
    })
  )
})

describe("a request", () => {
  test(
    "takes with it what a filter says in headers, whatever it is",
    Effect.gen(function* () {
      const { received, url } = yield* provider(sse)
      const added = { "x-tenant": "Müller 中\r\nx-evil: 1", "x-team": "red" }
      yield* (yield* asking(deploymentAt(url, { headers: { "x-team": "blue" } }), { added })).frames
      const { headers } = received[0]!
      assert.strictEqual(Buffer.from(String(headers["x-tenant"]), "latin1").toString(), "Müller 中  x-evil: 1")
      assert.strictEqual(headers["x-team"], "blue")
      assert.notProperty(headers, "x-evil")
    })
  )

  test(
    "goes to the protocol's path with the headers of format, deployment and key",
    Effect.gen(function* () {
      const server = yield* provider(sse)
      const { frames } = yield* asking(
        deploymentAt(`${server.url}/base`, { headers: { "x-team": "blue" }, quirks: { noStreamOptions: true } })
      )
      yield* frames
      const [{ path, headers, body } = { path: "", headers: {}, body: {} }] = server.received
      assert.strictEqual(path, "/base/tiny/stream")
      assert.deepInclude(headers, {
        authorization: `Bearer ${key}`,
        "x-protocol": "tiny",
        "x-team": "blue",
        accept: "text/event-stream",
        "accept-encoding": "identity",
        "content-type": "application/json"
      })
      assert.deepStrictEqual(body, { model: "target-model", origin: null, quirks: { noStreamOptions: true } })
    })
  )

  test(
    "is for a model as peculiar as it is, and for a stream where the model answers in no other way",
    Effect.gen(function* () {
      const server = yield* provider(sse)
      const quirks = { noUser: true } as const
      const deployment = deploymentAt(server.url, { quirks, peculiar: [[/^slow/, { onlyStreams: true }]] })
      for (const target of ["slow-1", "quick-1"]) {
        const { frames } = yield* asking(deployment, { target, delivery: "whole" })
        yield* frames
      }
      assert.deepStrictEqual(
        server.received.map(({ path, body, headers }) => [
          path,
          (body as { readonly quirks: object }).quirks,
          headers.accept
        ]),
        [
          ["/tiny/stream", { noUser: true, onlyStreams: true }, "text/event-stream"],
          ["/tiny/whole", { noUser: true }, "application/json"]
        ]
      )
    })
  )

  test(
    "has no key where there is none",
    Effect.gen(function* () {
      const server = yield* provider(json)
      const { frames } = yield* asking(deploymentAt(server.url, { apiKey: undefined }), { delivery: "whole" })
      yield* frames
      assert.notProperty(server.received[0]?.headers, "authorization")
      assert.strictEqual(server.received[0]?.headers.accept, "application/json")
    })
  )

  test(
    "is made in the call's own format where it is spoken, else in the first",
    Effect.gen(function* () {
      const server = yield* provider(sse)
      const protocols = [tinyProtocol("first"), tinyProtocol("second")] as const
      const body = { model: "theirs", extra: 1 }
      const origin = (protocol: string): Origin => ({ protocol, body, text: "", headers: {} })
      for (const [dialect, expected, passed] of [
        ["second", "second", body],
        ["first", "first", body],
        ["third", "first", null],
        [undefined, "first", null]
      ] as const) {
        const asked = dialect === undefined ? {} : { dialect, origin: origin(dialect) }
        yield* (yield* asking(deploymentAt(server.url, { protocols }), asked)).frames
        const last = server.received.at(-1)
        assert.strictEqual(last?.path, `/${expected}/stream`)
        assert.deepInclude(last?.body, { origin: passed })
      }
    })
  )

  test(
    "that cannot be said is not sent",
    Effect.gen(function* () {
      const server = yield* provider(sse)
      const error = yield* failing(deploymentAt(server.url), { model: "impossible" })
      assert.deepStrictEqual(error.reason, { _tag: "Unsupported", feature: "everything" })
      assert.strictEqual(server.connections(), 0)
    })
  )
})

describe("an answer", () => {
  test(
    "is told step by step, and read as frames",
    Effect.gen(function* () {
      const server = yield* provider(sse)
      const { frames, told } = yield* asking(deploymentAt(server.url))
      const seen = yield* frames
      assert.deepStrictEqual(
        seen.flatMap(({ events }) => events.map(({ _tag }) => _tag)),
        ["TextDelta", "Finish"]
      )
      assert.deepStrictEqual(told.slice(0, 3), ["tiny cannot say it", "connected", "head 200"])
      const bytes = told.slice(3).map((line) => Number(line.replace("bytes ", "")))
      assert.strictEqual(
        bytes.reduce((sum, count) => sum + count, 0),
        seen.reduce((sum, { raw = "" }) => sum + raw.length, 0)
      )
    })
  )

  test(
    "may have spaces and line ends before it, which kept the connection alive",
    Effect.gen(function* () {
      const server = yield* provider(answering(200, "application/json", '\n         \n\n{"text":"hello","stop":true}'))
      const { frames } = yield* asking(deploymentAt(server.url), { delivery: "whole" })
      const events = (yield* frames).flatMap((frame) => frame.events)
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["TextDelta", "Finish"]
      )
    })
  )

  for (const [asked, answer, delivery] of [
    ["stream", sse, "stream"],
    ["stream", json, "whole"],
    ["whole", json, "whole"],
    ["whole", sse, "stream"],
    ["stream", answering(200, "", 'data: {"text":"hello","stop":true}\n\n'), "stream"],
    ["stream", answering(200, "application/json", '\ndata: {"text":"hello","stop":true}\n\n'), "stream"],
    ["whole", answering(200, "text/plain", '{"text":"hello","stop":true}'), "whole"]
  ] as const) {
    test(
      `is taken for what it is: ${delivery} for ${asked}`,
      Effect.gen(function* () {
        const server = yield* provider(answer)
        const { frames } = yield* asking(deploymentAt(server.url), { delivery: asked })
        const seen = yield* frames
        assert.isTrue(seen.every((frame) => frame.delivery === delivery && frame.protocol === "tiny"))
        assert.deepStrictEqual(
          seen.flatMap(({ events }) => events.map(({ _tag }) => _tag)),
          ["TextDelta", "Finish"]
        )
        if (delivery === "whole") assert.strictEqual(seen[0]?.raw, '{"text":"hello","stop":true}')
      })
    )
  }

  for (const delivery of ["whole", "stream"] as const) {
    test(
      `may be a document after spaces and newlines that kept the connection alive: ${delivery}`,
      Effect.gen(function* () {
        const body = '\n         \n\n   \n{"text":"hello","stop":true}'
        const server = yield* provider(answering(200, "application/json", body))
        const { frames } = yield* asking(deploymentAt(server.url), { delivery })
        assert.deepStrictEqual(
          (yield* frames).flatMap(({ events }) => events.map(({ _tag }) => _tag)),
          ["TextDelta", "Finish"]
        )
      })
    )
  }

  test(
    "frees its connection for the next one, though the transport ends a little later",
    Effect.gen(function* () {
      const server = yield* provider((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write('data: {"text":"hello","stop":true}\n\n', () => setImmediate(() => response.end()))
      })
      for (let i = 0; i < 3; i++) {
        yield* (yield* asking(deploymentAt(server.url))).frames
        // The connection is back once the event loop has come round.
        yield* Effect.sleep("1 millis")
      }
      assert.strictEqual(server.connections(), 1)
    })
  )

  test(
    "that is complete does not hold the connection that a server keeps open",
    Effect.gen(function* () {
      const server = yield* provider((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write('data: {"text":"hello","stop":true}\n\n')
      })
      const { begin } = yield* attemptOf(yield* deploymentUpstream(deploymentAt(server.url)))
      yield* Effect.flatMap(begin, eventsOf)
      yield* server.closed(1)
    })
  )

  test(
    "is read no faster than it is taken",
    Effect.gen(function* () {
      const size = 64 * 1024 * 1024
      const piece = `data: ${JSON.stringify({ text: "x".repeat(16 * 1024) })}\n\n`
      let sent = 0
      const server = yield* provider((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        const more = (): void => {
          while (sent < size) {
            sent += piece.length
            if (!response.write(piece)) return void response.once("drain", more)
          }
          response.end('data: {"stop":true}\n\n')
        }
        more()
      })
      const { begin } = yield* attemptOf(yield* deploymentUpstream(deploymentAt(server.url)))
      const committed = yield* begin
      const settled: Effect.Effect<number> = Effect.gen(function* () {
        const before = sent
        yield* Effect.sleep("50 millis")
        return before === sent ? sent : yield* settled
      })
      assert.isBelow(yield* settled, size / 4)
      const events = yield* eventsOf(committed)
      const length = events.reduce((sum, event) => sum + (event._tag === "TextDelta" ? event.text.length : 0), 0)
      assert.strictEqual(length, (sent / piece.length) * 16 * 1024)
    })
  )

  test(
    "is given up with the stream",
    Effect.gen(function* () {
      const server = yield* provider((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write('data: {"text":"hello"}\n\n')
      })
      const came = yield* Deferred.make<void>()
      const upstream = yield* deploymentUpstream(deploymentAt(server.url))
      const fiber = yield* upstream
        .stream({
          request: { model: "model", messages: [], sampling: {} },
          model: "model",
          delivery: "stream",
          dialect: undefined,
          origin: undefined,
          observer: {
            connected: () => undefined,
            head: () => undefined,
            bytes: () => undefined,
            notice: () => undefined
          }
        })
        .pipe(
          Stream.runForEachArray(() => Deferred.succeed(came, undefined)),
          Effect.forkChild
        )
      yield* Deferred.await(came)
      yield* Fiber.interrupt(fiber)
      yield* server.closed(1)
    })
  )
})

describe("a failure", () => {
  const expectProvider = (error: LlmError) => assert.strictEqual(error.fault?.provider, "tested")

  test(
    "of a status keeps what the provider said, and when to come back",
    Effect.gen(function* () {
      const server = yield* provider(
        answering(429, "application/json", '{"error":"slow down"}', {
          "retry-after": "7",
          "x-ratelimit-limit-requests": "1"
        })
      )
      const { frames, told } = yield* asking(deploymentAt(server.url))
      const error = yield* Effect.flip(frames)
      assert.strictEqual(error.reason._tag, "RateLimited")
      assert.strictEqual(error.retryAfterMs, 7000)
      assert.deepStrictEqual(error.fault, {
        provider: "tested",
        status: 429,
        protocol: "tiny",
        raw: '{"error":"slow down"}',
        headers: { "retry-after": "7", "x-ratelimit-limit-requests": "1" }
      })
      assert.include(told, "head 429")
    })
  )

  test(
    "of a status counts though its body breaks off, or is endless",
    Effect.gen(function* () {
      const server = yield* provider(
        (response) => {
          response.writeHead(503, { "content-length": "100" })
          response.write("half", () => response.destroy())
        },
        (response) => {
          response.writeHead(500)
          response.end(Buffer.alloc(3 * 1024 * 1024, "x"))
        },
        answering(401, "text/plain", "")
      )
      const deployment = deploymentAt(server.url)
      for (const [tag, message] of [
        ["Overloaded", "status 503"],
        ["UpstreamServer", "status 500"],
        ["Unauthorized", "status 401 (the provider tested did not accept the key that it is configured with)"]
      ] as const) {
        const error = yield* failing(deployment)
        assert.deepStrictEqual([error.reason._tag, error.message], [tag, message])
        expectProvider(error)
      }
    })
  )

  test(
    "is a redirection, which is not followed",
    Effect.gen(function* () {
      const server = yield* provider(answering(302, "text/html", "", { location: "http://127.0.0.1:1/" }))
      assert.strictEqual((yield* failing(deploymentAt(server.url))).fault?.status, 302)
      assert.strictEqual(server.received.length, 1)
    })
  )

  for (const [delivery, type, body, reason] of [
    ["whole", "text/html", "<html>", { _tag: "InvalidOutput", kind: "malformedFrame" }],
    ["whole", "application/json", '{"text":', { _tag: "InvalidOutput", kind: "malformedFrame" }],
    ["whole", "application/json", "", { _tag: "InvalidOutput", kind: "malformedFrame" }],
    ["whole", "application/json", '{"error":"inside"}', { _tag: "UpstreamServer" }],
    ["stream", "application/json", '{"error":"inside"}', { _tag: "UpstreamServer" }],
    ["stream", "text/html", "<html>\n\n</html>", { _tag: "IncompleteStream", kind: "noStop" }],
    ["stream", "text/event-stream", "", { _tag: "IncompleteStream", kind: "noStop" }],
    ["stream", "text/event-stream", "data: {broken\n\n", { _tag: "InvalidOutput", kind: "malformedFrame" }]
  ] as const) {
    test(
      `is what ${JSON.stringify(body)} as ${type} is for ${delivery}`,
      Effect.gen(function* () {
        const server = yield* provider(answering(200, type, body))
        const error = yield* failing(deploymentAt(server.url), { delivery })
        assert.deepStrictEqual(error.reason, reason)
        expectProvider(error)
      })
    )
  }

  for (const [delivery, type] of [
    ["stream", "text/event-stream"],
    ["whole", "text/event-stream"],
    ["stream", "text/plain"]
  ] as const) {
    test(
      `is told by a document that comes in the place of events, as ${type} for ${delivery}`,
      Effect.gen(function* () {
        const document = {
          error: { message: "out of credits", type: "insufficient_quota", code: "insufficient_quota" }
        }
        const server = yield* provider(answering(200, type, `\n${JSON.stringify(document)}`))
        const error = yield* failing(deploymentAt(server.url, { protocols: [openAiChat] }), { delivery })
        assert.deepStrictEqual(error.reason, { _tag: "QuotaExceeded" })
        assert.include(error.message, "out of credits")
      })
    )
  }

  test(
    "is a body beyond every measure, which is not read to its end",
    Effect.gen(function* () {
      let sent = 0
      const server = yield* provider((response) => {
        const piece = Buffer.alloc(1024 * 1024, "x")
        response.writeHead(200, { "content-type": "application/json" })
        const more = (): void => {
          sent++
          if (sent < 1024 && !response.destroyed) response.write(piece, more)
        }
        more()
      })
      const error = yield* failing(deploymentAt(server.url), { delivery: "whole" })
      assert.deepStrictEqual(error.reason, { _tag: "InvalidOutput", kind: "frameTooLarge" })
      yield* server.closed(1)
      assert.isBelow(sent, 128)
    })
  )

  test(
    "of the connection names the provider too",
    Effect.gen(function* () {
      const error = yield* failing(deploymentAt(`http://127.0.0.1:${yield* closedPort}`))
      assert.strictEqual(error.reason._tag, "Transport")
      expectProvider(error)
    })
  )

  test(
    "keeps its words where what stands for a key is a part of them",
    Effect.gen(function* () {
      const server = yield* provider(answering(400, "text/plain", "too many tokens in your company"))
      const error = yield* failing(deploymentAt(server.url, { apiKey: Redacted.make("any") }))
      assert.include(error.message, "too many tokens in your company")
    })
  )

  test(
    "never repeats the key",
    Effect.gen(function* () {
      const echoed = `Incorrect API key: ${key}`
      const server = yield* provider(
        answering(401, "text/plain", echoed),
        answering(200, "text/event-stream", `data: ${JSON.stringify({ error: echoed })}\n\n`)
      )
      for (let i = 0; i < 2; i++) {
        const error = yield* failing(deploymentAt(server.url))
        assert.include(error.message, "Incorrect API key: <redacted>")
        assert.notInclude(JSON.stringify(error), key)
      }
      const unsendable = yield* failing(deploymentAt(server.url, { apiKey: Redacted.make(`${key}\n`) }))
      assert.strictEqual(unsendable.reason._tag, "Transport")
      assert.notInclude(JSON.stringify(unsendable), key)
    })
  )
})

describe("counting tokens", () => {
  const counted = { request: { model: "model", messages: [], sampling: {} }, model: "target-model", origin: undefined }
  const countingAt = (url: string, protocols: readonly [Protocol, ...ReadonlyArray<Protocol>]) =>
    Effect.map(deploymentUpstream(deploymentAt(url, { protocols })), ({ countTokens }) => countTokens)

  test(
    "is there where a protocol can be asked, whichever of them that is",
    Effect.gen(function* () {
      const server = yield* provider(answering(200, "application/json", '{"tokens":42}'))
      assert.isUndefined(yield* countingAt(server.url, [tinyProtocol("tiny")]))
      const countTokens = yield* countingAt(server.url, [tinyProtocol("tiny"), tinyProtocol("counts", countsTokens)])
      assert.strictEqual(yield* countTokens!(counted), 42)
      assert.deepInclude(server.received[0], { path: "/count", body: { model: "target-model" } })
      assert.strictEqual(server.received[0]?.headers.authorization, `Bearer ${key}`)
    })
  )

  for (const [what, answer, reason] of [
    ["a status", answering(404, "text/plain", "no"), "InvalidRequest"],
    ["no JSON", answering(200, "text/plain", "42"), "InvalidOutput"],
    ["no number", answering(200, "application/json", "{}"), "InvalidOutput"]
  ] as const) {
    test(
      `fails with ${what}`,
      Effect.gen(function* () {
        const server = yield* provider(answer)
        const countTokens = yield* countingAt(server.url, [tinyProtocol("counts", countsTokens)])
        const error = yield* Effect.flip(countTokens!(counted))
        assert.strictEqual(error.reason._tag, reason)
        assert.strictEqual(error.fault?.provider, "tested")
      })
    )
  }
})
