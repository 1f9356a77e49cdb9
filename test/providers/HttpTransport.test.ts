import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { HttpTransport, type HttpRequest } from "../../src/providers/HttpTransport.ts"
import { closedPort, httpServer, netServer, sayingServer, type Listening } from "./servers.ts"

const requestTo = (url: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "POST",
  url: new URL(url),
  headers: { "content-type": "application/json" },
  body: "{}",
  onConnected: () => undefined,
  ...more
})

const send = (request: HttpRequest) => Effect.flatMap(HttpTransport, (transport) => transport.send(request))

const decoder = new TextDecoder()
const textOf = (chunks: ReadonlyArray<Uint8Array>) => decoder.decode(Buffer.concat(chunks))

/** Sends, and reads the whole answer, which frees the connection. */
const exchange = (request: HttpRequest) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { status, headers, body } = yield* send(request)
      return { status, headers, text: textOf(yield* Stream.runCollect(body)) }
    })
  )

const test = <E>(name: string, effect: Effect.Effect<void, E, HttpTransport | Scope.Scope>) =>
  it.live(name, () => Effect.scoped(effect).pipe(Effect.provide(HttpTransport.layer)))

describe("an answer", () => {
  test(
    "has its status, its headers and its body",
    Effect.gen(function* () {
      let received = ""
      const server = yield* httpServer((request, response) => {
        request.setEncoding("utf8").on("data", (piece: string) => (received += piece))
        request.on("end", () => {
          response.writeHead(429, { "Retry-After": "3", "X-Path": request.url, "Set-Cookie": ["a=1", "b=2"] })
          response.end(`not ${request.headers["x-now"]}`)
        })
      })
      let connected = 0
      const answer = yield* exchange(
        requestTo(`${server.url}/v1/answers?now=1`, {
          headers: { "x-now": "now" },
          body: '{"question":"é"}',
          onConnected: () => connected++
        })
      )
      assert.strictEqual(received, '{"question":"é"}')
      assert.strictEqual(answer.status, 429)
      assert.deepInclude(answer.headers, {
        "retry-after": "3",
        "x-path": "/v1/answers?now=1",
        "set-cookie": "a=1, b=2"
      })
      assert.strictEqual(answer.text, "not now")
      assert.strictEqual(connected, 1)
    })
  )

  test(
    "begins with its head, before there is a body",
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const server = yield* httpServer((_, response) => {
        response.flushHeaders()
        run(
          Effect.andThen(
            Deferred.await(go),
            Effect.sync(() => response.end("late"))
          )
        )
      })
      const { status, body } = yield* send(requestTo(server.url))
      assert.strictEqual(status, 200)
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual(textOf(yield* Stream.runCollect(body)), "late")
    })
  )

  test(
    "may be preceded by informational ones, and come in pieces",
    Effect.gen(function* () {
      const server = yield* sayingServer([
        "HTTP/1.1 102 Processing\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 20",
        "0 OK\r\ncontent-",
        "length: 4\r\n\r",
        "\nab",
        "cd"
      ])
      const { status, text } = yield* exchange(requestTo(server.url))
      assert.strictEqual(status, 200)
      assert.strictEqual(text, "abcd")
    })
  )

  test(
    "may have no body",
    Effect.gen(function* () {
      const server = yield* httpServer((_, response) => response.writeHead(204).end())
      assert.deepInclude(yield* exchange(requestTo(server.url, { method: "GET" })), { status: 204, text: "" })
    })
  )
})

describe("a consumer that stalls", () => {
  const size = 128 * 1024 * 1024
  const piece = Buffer.alloc(64 * 1024, "x")

  test(
    "stops the server, and gets everything once it goes on",
    Effect.gen(function* () {
      let sent = 0
      const server = yield* httpServer((_, response) => {
        const more = (): void => {
          while (sent < size) {
            sent += piece.length
            if (!response.write(piece)) return void response.once("drain", more)
          }
          response.end()
        }
        more()
      })
      const { body } = yield* send(requestTo(server.url))
      let received = 0
      const settled: Effect.Effect<number> = Effect.gen(function* () {
        const before = sent
        yield* Effect.sleep("50 millis")
        return before === sent ? sent : yield* settled
      })
      yield* Stream.runForEachArray(body, (chunks) => {
        const first = received === 0
        for (const chunk of chunks) received += chunk.length
        return first ? Effect.map(settled, (before) => assert.isBelow(before, size / 4)) : Effect.void
      })
      assert.strictEqual(received, size)
    })
  )

  test(
    "that is slow all the time gets everything",
    Effect.gen(function* () {
      const total = 8 * 1024 * 1024
      const server = yield* httpServer((_, response) => response.end(Buffer.alloc(total, "y")))
      const { body } = yield* send(requestTo(server.url))
      let received = 0
      let largest = 0
      yield* Stream.runForEachArray(body, (chunks) => {
        const before = received
        for (const chunk of chunks) received += chunk.length
        largest = Math.max(largest, received - before)
        return Effect.sleep("1 millis")
      })
      assert.strictEqual(received, total)
      assert.isAtMost(largest, 256 * 1024)
    })
  )

  test(
    "learns of a connection that broke meanwhile after what came before",
    Effect.gen(function* () {
      const server = yield* sayingServer(
        ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "3\r\nabc\r\n"],
        (socket) => socket.destroy()
      )
      const { body } = yield* send(requestTo(server.url))
      yield* server.closed(1)
      const seen: Array<Uint8Array> = []
      const error = yield* Effect.flip(Stream.runForEach(body, (chunk) => Effect.sync(() => seen.push(chunk))))
      assert.strictEqual(textOf(seen), "abc")
      assert.strictEqual(error.reason._tag, "Transport")
    })
  )
})

describe("giving up closes the server's connection", () => {
  /** Sends, gives up when told, and waits until the server has seen it. */
  const givenUp = (server: Listening, url: string, ready: Effect.Effect<unknown>) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(exchange(requestTo(url)))
      yield* ready
      yield* Fiber.interrupt(fiber)
      yield* server.closed(1)
      assert.strictEqual(server.connections(), 1)
    })

  test(
    "while it is being made",
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const run = Effect.runSyncWith(yield* Effect.context<never>())
      // Takes the beginning of the handshake and says nothing.
      const server = yield* netServer((socket) => socket.once("data", () => run(Deferred.succeed(reached, undefined))))
      yield* givenUp(server, `https://127.0.0.1:${server.port}`, Deferred.await(reached))
    })
  )

  test(
    "before there is an answer",
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const run = Effect.runSyncWith(yield* Effect.context<never>())
      const server = yield* httpServer(() => run(Deferred.succeed(reached, undefined)))
      yield* givenUp(server, server.url, Deferred.await(reached))
    })
  )

  test(
    "in the body, between two reads",
    Effect.gen(function* () {
      const server = yield* httpServer((_, response) => response.write("abc"))
      const scope = yield* Scope.make()
      const { body } = yield* Scope.provide(send(requestTo(server.url)), scope)
      assert.strictEqual(textOf(yield* Stream.runCollect(Stream.take(body, 1))), "abc")
      yield* Scope.close(scope, Exit.void)
      yield* server.closed(1)
    })
  )

  test(
    "in the body, while it waits",
    Effect.gen(function* () {
      const came = yield* Deferred.make<void>()
      const server = yield* httpServer((_, response) => response.write("abc"))
      const reading = Effect.scoped(
        Effect.flatMap(send(requestTo(server.url)), ({ body }) =>
          Stream.runForEachArray(body, () => Deferred.succeed(came, undefined))
        )
      )
      const fiber = yield* Effect.forkChild(reading)
      yield* Deferred.await(came)
      yield* Fiber.interrupt(fiber)
      yield* server.closed(1)
    })
  )

  test(
    "in the body, while the server is held back",
    Effect.gen(function* () {
      const server = yield* httpServer((_, response) => response.end(Buffer.alloc(64 * 1024 * 1024)))
      const held = yield* Deferred.make<void>()
      const reading = Effect.scoped(
        Effect.flatMap(send(requestTo(server.url)), ({ body }) =>
          Stream.runForEachArray(body, () => Effect.andThen(Deferred.succeed(held, undefined), Effect.never))
        )
      )
      const fiber = yield* Effect.forkChild(reading)
      yield* Deferred.await(held)
      yield* Fiber.interrupt(fiber)
      yield* server.closed(1)
    })
  )

  it.live("when the transport itself is released, which is a failure of the answer", () =>
    Effect.gen(function* () {
      const server = yield* httpServer((_, response) => response.write("abc"))
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(HttpTransport.layer, scope)
      const { body } = yield* Effect.provide(send(requestTo(server.url)), context)
      const reading = yield* Effect.forkChild(Effect.flip(Stream.runDrain(body)), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      yield* server.closed(1)
      assert.strictEqual((yield* Fiber.join(reading)).reason._tag, "Transport")
      const afterwards = yield* Effect.flip(Effect.provide(send(requestTo(server.url)), context))
      assert.strictEqual(afterwards.reason._tag, "Transport")
    }).pipe(Effect.scoped)
  )
})

describe("the connection", () => {
  const counted = httpServer((request, response) => {
    request.resume()
    request.on("end", () => response.end("ok"))
  })

  test(
    "is used again by later requests",
    Effect.gen(function* () {
      const server = yield* counted
      for (let i = 0; i < 30; i++) assert.strictEqual((yield* exchange(requestTo(server.url))).text, "ok")
      // A connection is free again one turn of the event loop after its answer, so that requests in a row take turns.
      assert.isAtMost(server.connections(), 2)
    })
  )

  test(
    "is one of its own for requests at the same time",
    Effect.gen(function* () {
      const server = yield* counted
      yield* Effect.forEach(Array(8), () => exchange(requestTo(server.url)), { concurrency: "unbounded" })
      assert.strictEqual(server.connections(), 8)
    })
  )

  test(
    "is not used again after a request on it was given up",
    Effect.gen(function* () {
      let answered = 0
      const server = yield* httpServer((_, response) => {
        if (answered++ === 0) response.write("half")
        else response.end("ok")
      })
      const half = Effect.flatMap(send(requestTo(server.url)), ({ body }) => Stream.runCollect(Stream.take(body, 1)))
      assert.strictEqual(textOf(yield* Effect.scoped(half)), "half")
      assert.strictEqual((yield* exchange(requestTo(server.url))).text, "ok")
      assert.strictEqual(server.connections(), 2)
    })
  )

  it.live("is closed with the transport, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const server = yield* counted
      const warnings: Array<Error> = []
      const onWarning = (warning: Error) => warnings.push(warning)
      yield* Effect.acquireRelease(
        Effect.sync(() => process.on("warning", onWarning)),
        () => Effect.sync(() => process.off("warning", onWarning))
      )
      yield* Effect.forEach(Array(4), () => Effect.forEach(Array(20), () => exchange(requestTo(server.url))), {
        concurrency: "unbounded"
      }).pipe(Effect.provide(HttpTransport.layer))
      yield* server.closed(server.connections())
      assert.deepStrictEqual(warnings, [])
    }).pipe(Effect.scoped)
  )
})

describe("a failure", () => {
  const failing = (request: HttpRequest) => Effect.flip(exchange(request))

  test(
    "is told where nobody listens, without what the address knows",
    Effect.gen(function* () {
      const error = yield* failing(requestTo(`http://user:secret@127.0.0.1:${yield* closedPort}/path?key=secret`))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.strictEqual(error.message, "The provider could not be reached: the connection was refused")
    })
  )

  test(
    "is told where the host is not known",
    Effect.gen(function* () {
      const error = yield* failing(requestTo("http://nowhere.invalid/"))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.match(error.message, /host name/)
    })
  )

  test(
    "is told where the server does not speak TLS",
    Effect.gen(function* () {
      const server = yield* httpServer((_, response) => response.end())
      const error = yield* failing(requestTo(`https://127.0.0.1:${server.port}`))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.match(error.message, /does not speak TLS/)
    })
  )

  test(
    "is told where the server does not speak HTTP",
    Effect.gen(function* () {
      const server = yield* sayingServer(["SSH-2.0-OpenSSH\r\n\r\n"])
      const error = yield* failing(requestTo(server.url))
      assert.strictEqual(error.reason._tag, "Transport")
      assert.match(error.message, /does not speak HTTP/)
    })
  )

  test(
    "is told where the connection is closed or reset instead of an answer",
    Effect.gen(function* () {
      const closing = yield* sayingServer([], (socket) => socket.end())
      assert.match((yield* failing(requestTo(closing.url))).message, /could not be reached: the connection was closed/)
      const resetting = yield* sayingServer([], (socket) => socket.resetAndDestroy())
      assert.match((yield* failing(requestTo(resetting.url))).message, /could not be reached: the connection was reset/)
    })
  )

  for (const [how, head, then] of [
    ["closed, in chunks", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "end"],
    ["closed, too short", "content-length: 10\r\n\r\nabc", "end"],
    ["reset", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "resetAndDestroy"]
  ] as const) {
    test(
      `comes after what came before it where the connection is ${how}`,
      Effect.gen(function* () {
        const came = yield* Deferred.make<void>()
        const run = Effect.runForkWith(yield* Effect.context<never>())
        const server = yield* sayingServer([`HTTP/1.1 200 OK\r\n${head}`], (socket) =>
          run(
            Effect.andThen(
              Deferred.await(came),
              Effect.sync(() => socket[then]())
            )
          )
        )
        const { body } = yield* send(requestTo(server.url))
        const seen: Array<Uint8Array> = []
        const error = yield* Effect.flip(
          Stream.runForEach(body, (chunk) => {
            seen.push(chunk)
            return Deferred.succeed(came, undefined)
          })
        )
        assert.strictEqual(textOf(seen), "abc")
        assert.strictEqual(error.reason._tag, "Transport")
        assert.match(error.message, /The provider's answer broke off: the connection was (closed|reset)/)
      })
    )
  }

  test(
    "is told where a header cannot be sent, by its name alone",
    Effect.gen(function* () {
      const server = yield* httpServer((_, response) => response.end("ok"))
      for (const headers of [{ authorization: "Bearer sec\nret" }, { "bad name": "sec" }]) {
        const error = yield* failing(requestTo(server.url, { headers }))
        assert.strictEqual(error.reason._tag, "Transport")
        assert.match(error.message, /cannot be sent/)
        assert.notMatch(error.message, /sec/)
      }
      // The transport is as good as before.
      assert.strictEqual((yield* exchange(requestTo(server.url))).text, "ok")
    })
  )
})
