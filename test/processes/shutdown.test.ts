import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Schedule } from "effect"
import { Agent, get } from "node:http"
import { connect } from "node:net"
import { simulateServer } from "../../src/server/simulate/SimulateServer.ts"
import { untilTrue } from "../server/client.ts"
import { answering, scriptedProvider } from "../server/scripted-provider.ts"
import { errorOf, until } from "../server/running.ts"
import { assertBrokenOff, assertComplete, textIn } from "../server/streams.ts"
import {
  ask,
  call,
  placeFor,
  recordsAt,
  services,
  startServer,
  type Caller,
  type ServerProcess
} from "./server-process.ts"

/** An answer that has ended, in the form in which streams are looked at. */
const seenBy = ({ ended, text }: Caller) => ({
  status: 200,
  headers: {},
  text: text(),
  body: Buffer.from(text()),
  ending: ended() ?? ("broken" as const)
})

const isReady = (server: ServerProcess) => Effect.map(ask(server, "/readyz"), ({ status }) => status === 200)

/** Asks for more than the connection can hold and reads nothing of it. */
const unreadCall = ({ url }: ServerProcess, { stream }: { readonly stream: boolean }) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      // In few words, since words are counted; the frames of a stream are much larger than what they say.
      const content = stream ? "much ".repeat(200_000) : `${"\u6771".repeat(1000)} `.repeat(4000)
      const body = JSON.stringify({
        model: "messages/echo",
        stream,
        max_tokens: 10_000_000,
        messages: [{ role: "user", content }]
      })
      const { port } = new URL(url)
      const socket = connect(Number(port), "127.0.0.1").on("error", () => {})
      socket.on("connect", () => socket.pause())
      const head = `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`
      socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** A connection that a client keeps for its next request. */
const idleConnection = ({ url }: ServerProcess) =>
  Effect.acquireRelease(
    Effect.callback<Agent>((resume) => {
      const agent = new Agent({ keepAlive: true })
      get(`${url}/healthz`, { agent }, (response) => {
        response.resume().on("end", () => resume(Effect.succeed(agent)))
      })
    }),
    (agent) => Effect.sync(() => agent.destroy())
  )

// Processes that start and end: on a machine that is busy with other things each of them takes its time.
const timeout = 120_000

/** More than it takes a server to end that waits for nobody. */
const pastEnding = "1500 millis"

layer(services, { excludeTestServices: true })("a server that is told to end", (it) => {
  it.effect(
    "lets what runs end well, and takes nothing new",
    () =>
      Effect.gen(function* () {
        const simulator = yield* simulateServer({ port: 0 })
        const folder = yield* placeFor(simulator.url, { shutdownGrace: "25s" })
        const server = yield* startServer(folder)
        yield* idleConnection(server)
        const long = call(server, "messages/words-150?pace=20ms")
        yield* untilTrue(() => long.text().length > 500)
        assert.isTrue(yield* isReady(server))
        yield* Effect.forkScoped(server.signal("SIGTERM"), { startImmediately: true })

        yield* until(isReady(server), (ready) => !ready)
        assert.isUndefined(long.ended())
        const [messages, chat, health, records] = yield* Effect.all([
          ask(server, "/v1/messages", { body: { model: "messages/echo", max_tokens: 5, messages: [] } }),
          ask(server, "/v1/chat/completions", { body: { model: "messages/echo", messages: [] } }),
          ask(server, "/healthz"),
          recordsAt(server)
        ])
        for (const refused of [messages, chat]) {
          assert.deepStrictEqual([refused.status, refused.headers.connection], [503, "close"])
          assert.isUndefined(refused.headers["x-millrace-call-id"])
          assert.match(errorOf(refused.text).message ?? "", /shutting down/)
        }
        assert.strictEqual(health.status, 200)
        assert.lengthOf(records, 1)

        yield* untilTrue(() => long.ended() !== undefined)
        assertComplete(seenBy(long))
        assert.lengthOf(textIn(long.text()).split(" "), 150)
        assert.strictEqual(yield* server.exitCode, 0, server.log())
        assert.notMatch(server.log(), /\n\s+at /)

        const next = yield* startServer(folder)
        const [record, ...others] = yield* recordsAt(next)
        assert.lengthOf(others, 0)
        assert.deepStrictEqual([record?.id, record?.status], [long.callId(), "ended"])
        assert.deepStrictEqual(record?.outcome, { kind: "Completed", finish: "stop", delivered: true })
      }),
    timeout
  )

  it.effect(
    "ends at once when it is told so again, unless that is the same signal by another way",
    () =>
      Effect.gen(function* () {
        const simulator = yield* simulateServer({ port: 0 })
        const folder = yield* placeFor(simulator.url, { shutdownGrace: "1h" })
        const server = yield* startServer(folder)
        const long = call(server, "messages/words-90000?pace=20ms")
        yield* untilTrue(() => long.text().length > 500)
        const tell = Effect.sync(() => process.kill(server.pid, "SIGINT"))
        yield* tell
        yield* tell
        yield* untilTrue(() => server.log().includes("calls may go on for 3600 s"))
        yield* until(isReady(server), (ready) => !ready)
        assert.isUndefined(long.ended())

        yield* Effect.forkScoped(
          Effect.repeat(tell, { schedule: Schedule.spaced("100 millis"), while: () => long.ended() === undefined })
        )
        yield* untilTrue(() => long.ended() !== undefined)
        assertBrokenOff(seenBy(long))
        assert.strictEqual(yield* server.exitCode, 0, server.log())
        const next = yield* startServer(folder)
        const [record] = yield* recordsAt(next)
        assert.deepStrictEqual(record?.outcome, { kind: "Cancelled", by: "shutdown" })
      }),
    timeout
  )

  it.effect(
    "lets clients that are slow take what is complete",
    () =>
      Effect.gen(function* () {
        const simulator = yield* simulateServer({ port: 0 })
        const folder = yield* placeFor(simulator.url, { shutdownGrace: "1h" })
        const server = yield* startServer(folder)
        const socket = yield* unreadCall(server, { stream: false })
        yield* until(recordsAt(server), ([record]) => record?.status === "ended")
        yield* Effect.forkScoped(server.signal("SIGTERM"), { startImmediately: true })
        yield* until(isReady(server), (ready) => !ready)
        yield* Effect.sleep(pastEnding)
        const taken = yield* Effect.callback<string>((resume) => {
          let text = ""
          socket.setEncoding("utf8").on("data", (piece: string) => (text += piece))
          socket.on("close", () => resume(Effect.succeed(text)))
          socket.resume()
        })
        const { stop_reason } = JSON.parse(taken.slice(taken.indexOf("\r\n\r\n")))
        assert.strictEqual(stop_reason, "end_turn")
        assert.strictEqual(yield* server.exitCode, 0, server.log())
      }),
    timeout
  )

  it.effect(
    "answers what is no call as well",
    () =>
      Effect.gen(function* () {
        let count = () => {}
        const provider = yield* scriptedProvider({
          "/v1/messages/count_tokens": (response, received) => {
            count = () => answering({ input_tokens: 7 })(response, received)
          }
        })
        const server = yield* startServer(yield* placeFor(provider.url, { shutdownGrace: "1h" }))
        const body = { model: "messages/any", messages: [{ role: "user", content: "x" }] }
        const counting = yield* Effect.forkChild(ask(server, "/v1/messages/count_tokens", { body }))
        yield* untilTrue(() => provider.received.length === 1)
        yield* Effect.forkScoped(server.signal("SIGTERM"), { startImmediately: true })
        yield* until(isReady(server), (ready) => !ready)
        yield* Effect.sleep(pastEnding)
        count()
        const { status, text } = yield* Fiber.join(counting)
        assert.deepStrictEqual([status, JSON.parse(text)], [200, { input_tokens: 7 }])
        assert.strictEqual(yield* server.exitCode, 0, server.log())
      }),
    timeout
  )

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.effect(
      `ends what takes too long, and says so: ${signal}`,
      () =>
        Effect.gen(function* () {
          const simulator = yield* simulateServer({ port: 0 })
          const folder = yield* placeFor(simulator.url, { shutdownGrace: "200ms" })
          const server = yield* startServer(folder)
          yield* idleConnection(server)
          yield* unreadCall(server, { stream: false })
          yield* until(recordsAt(server), ([record]) => record?.status === "ended")
          const long = call(server, "messages/words-90000?pace=5ms")
          const waiting = call(server, "messages/echo?hang")
          yield* unreadCall(server, { stream: true })
          yield* untilTrue(() => long.text().length > 500 && simulator.log.stats().requests.open === 3)
          yield* Effect.forkScoped(server.signal(signal), { startImmediately: true })

          yield* untilTrue(() => long.ended() !== undefined && waiting.ended() !== undefined)
          assertBrokenOff(seenBy(long))
          for (const { text } of [long, waiting]) {
            assert.strictEqual(errorOf(text()).message, "The server is shutting down")
            assert.strictEqual(errorOf(text()).type, "overloaded_error")
          }
          assert.strictEqual(yield* server.exitCode, 0, server.log())
          assert.notMatch(server.log(), /\n\s+at /)
          yield* untilTrue(() => simulator.log.stats().requests.open === 0)

          const next = yield* startServer(folder)
          const records = yield* recordsAt(next)
          assert.lengthOf(records, 4)
          // What nobody read of a complete answer is no reason to wait, nor to call it incomplete.
          assert.deepInclude(records[3]?.outcome, { kind: "Completed" })
          for (const { outcome } of records.slice(0, 3))
            assert.deepStrictEqual(outcome, { kind: "Cancelled", by: "shutdown" })
          const partial = records.find(({ id }) => id === long.callId())?.response?.text
          assert.strictEqual(partial, textIn(long.text()))
        }),
      timeout
    )
  }
})
