import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { type AuditSink, AuditSinkError, AuditSinks, SinkQueue } from "../../src/audit/AuditSink.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { finalRow, openedRow } from "../../src/audit/CallRecord.ts"
import * as JsonlSink from "../../src/audit/JsonlSink.ts"
import * as OtlpSink from "../../src/audit/OtlpSink.ts"
import { verifyLines } from "../../src/audit/verify-lines.ts"
import { temporaryFolder } from "../storage/temporary.ts"
import { finalRecord, findings, openRecord, responseOf } from "./records.ts"

const ids = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`)

/** Runs calls to their ends over a trail with sinks, and closes it, so that everything is handed over. */
const calls = (sinks: Layer.Layer<never>, count: number) =>
  Effect.gen(function* () {
    const trail = Context.get(
      yield* Layer.build(Layer.provide(AuditTrail.layerMemory({ durability: "strict" }), sinks)),
      AuditTrail
    )
    for (const id of ids(count)) {
      yield* trail.open(openRecord(id))
      yield* trail.finalize(finalRecord(id, { findings }))
    }
  }).pipe(Effect.scoped)

const jsonl = (options: JsonlSink.JsonlOptions) => Layer.provide(JsonlSink.layer(options), NodeFileSystem.layer)

const linesOf = (path: string): ReadonlyArray<string> => readFileSync(path, "utf8").trimEnd().split("\n")

const verified = (path: string) => Effect.provide(verifyLines(path), NodeFileSystem.layer)

describe("a sink of lines", () => {
  it.live("has every record once, in order, as JSON with its content", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "deeper", "calls.jsonl")
      yield* calls(jsonl({ path }), 3)
      const lines = linesOf(path).map((line) => JSON.parse(line))
      assert.deepStrictEqual(
        lines.map(({ id, kind, link }) => [link, kind, id]),
        ids(3).flatMap((id, index) => [
          [2 * index + 1, "Opened", id],
          [2 * index + 2, "Final", id]
        ])
      )
      assert.strictEqual(lines[0].record.model, "smart")
      assert.deepStrictEqual(lines[0].content, openRecord("c0").request)
      assert.strictEqual(lines[1].record.outcome._tag, "Completed")
      assert.deepInclude(yield* verified(path), { records: 6, chains: 1, truncated: [], broken: undefined })
    }).pipe(Effect.scoped)
  )

  it.live("begins a chain of its own with every process, and tells chains apart", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "calls.jsonl")
      yield* calls(jsonl({ path }), 2)
      yield* calls(jsonl({ path }), 2)
      assert.deepInclude(yield* verified(path), { records: 8, chains: 2, broken: undefined })
    }).pipe(Effect.scoped)
  )

  it.live("goes on after half a line that a process left which died while it wrote", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "calls.jsonl")
      yield* calls(jsonl({ path }), 2)
      for (const half of ['{"writer":"', `{"writer":"${"x".repeat(200_000)}`]) {
        appendFileSync(path, half)
        yield* calls(jsonl({ path }), 1)
      }
      assert.deepInclude(yield* verified(path), { records: 8, chains: 3, broken: undefined })
      writeFileSync(path, "half")
      yield* calls(jsonl({ path }), 1)
      assert.deepInclude(yield* verified(path), { records: 2, chains: 1, broken: undefined })
    }).pipe(Effect.scoped)
  )

  it.live("sets full files aside and keeps so many, of which the chain is whole", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "calls.jsonl")
      const sink = yield* Effect.provide(JsonlSink.make({ path, maxBytes: 1000, keep: 2 }), NodeFileSystem.layer)
      for (const id of ids(20)) yield* sink.write([openedRow(openRecord(id), "full", "owner")])
      assert.deepStrictEqual(
        [path, `${path}.1`, `${path}.2`, `${path}.3`].map((file) => existsSync(file)),
        [true, true, true, false]
      )
      const { broken, records, truncated } = yield* verified(path)
      assert.isUndefined(broken)
      assert.isBelow(records, 20)
      assert.deepStrictEqual(
        truncated.map(({ link }) => link),
        [20 - records]
      )
    }).pipe(Effect.scoped)
  )

  it.live("is whole where fewer files are kept than before", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "calls.jsonl")
      for (const keep of [4, 1]) {
        const sink = yield* Effect.provide(JsonlSink.make({ path, maxBytes: 1000, keep }), NodeFileSystem.layer)
        for (const id of ids(12)) yield* sink.write([openedRow(openRecord(id), "full", "owner")])
      }
      assert.deepStrictEqual(
        [1, 2, 3, 4].map((number) => existsSync(`${path}.${number}`)),
        [true, false, false, false]
      )
      assert.isUndefined((yield* verified(path)).broken)
    }).pipe(Effect.scoped)
  )

  it.live("shows lines that were changed, removed, moved or put in", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "calls.jsonl")
      yield* calls(jsonl({ path }), 4)
      const lines = linesOf(path)
      const broken = (...changed: ReadonlyArray<string>) => {
        writeFileSync(path, `${changed.join("\n")}\n`)
        return Effect.map(verified(path), ({ broken }) => [broken?.kind, broken?.link])
      }
      const [a = "", b = "", c = "", ...rest] = lines
      assert.deepStrictEqual(yield* broken(a, b.replace("Completed", "Cancelled"), c, ...rest), ["changed", 2])
      assert.deepStrictEqual(yield* broken(a, c, ...rest), ["missing", 2])
      assert.deepStrictEqual(yield* broken(a, b, b, c, ...rest), ["inserted", 2])
      assert.deepStrictEqual(yield* broken(a, c, b, ...rest), ["missing", 2])
      assert.deepStrictEqual(yield* broken(a, b, "{}", c), ["changed", 0])
    }).pipe(Effect.scoped)
  )
})

const written = (path: string, maxBytes?: number) =>
  Effect.flatMap(
    Effect.provide(JsonlSink.make({ path, ...(maxBytes === undefined ? {} : { maxBytes }) }), NodeFileSystem.layer),
    ({ write }) => write([openedRow(openRecord("one"), "full", "owner")])
  )

describe("a sink of lines that go elsewhere than into a file", () => {
  it.live("takes them once where nothing can be flushed, as in a pipe", () => written("/dev/null"))
  it.live.skipIf(process.platform !== "linux")(
    "sets nothing aside that is the standard output, or another open file, and takes nothing out of it",
    () =>
      Effect.gen(function* () {
        const path = join(yield* temporaryFolder, "output")
        const file = openSync(path, "a")
        yield* Effect.addFinalizer(() => Effect.sync(() => closeSync(file)))
        writeSync(file, "begun by somebody else: ")
        for (let time = 0; time < 3; time++) yield* written(`/proc/self/fd/${file}`, 1)
        const lines = readFileSync(path, "utf8").split("\n")
        assert.lengthOf(lines, 4)
        assert.match(lines[0] ?? "", /^begun by somebody else: \{/)
      }).pipe(Effect.scoped)
  )

  it.live("says in the words of the system why it cannot", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = join(folder, "calls.jsonl")
      mkdirSync(path)
      assert.match((yield* Effect.flip(written(path))).message, /^EISDIR: /)
    }).pipe(Effect.scoped)
  )
})

describe("a sink of one's own", () => {
  const own = (sink: AuditSink): Layer.Layer<never> =>
    Layer.effect(
      AuditSinks,
      Effect.map(AuditSinks, (others) => [...others, sink])
    )

  it.effect("that fails and throws does not keep others from their records, and gets its own when it works again", () =>
    Effect.gen(function* () {
      const good: Array<string> = []
      const bad: Array<string> = []
      let failures = 2
      const sinks = own({
        name: "bad",
        write: (rows) => {
          if (failures-- > 1) throw new Error("a defect")
          if (failures === 0) return Effect.fail(new AuditSinkError({ message: "out of order" }))
          return Effect.sync(() => bad.push(...rows.map(({ id }) => id)))
        }
      }).pipe(
        Layer.provide(own({ name: "good", write: (rows) => Effect.sync(() => good.push(...rows.map(({ id }) => id))) }))
      )
      const trail = Context.get(
        yield* Layer.build(Layer.provide(AuditTrail.layerMemory({ durability: "strict" }), sinks)),
        AuditTrail
      )
      for (const id of ids(3)) {
        yield* trail.open(openRecord(id))
        yield* trail.finalize(finalRecord(id))
      }
      yield* Effect.yieldNow
      const all = ids(3).flatMap((id) => [id, id])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(good, all)
      assert.deepStrictEqual(bad, all)
    }).pipe(Effect.scoped)
  )

  it.effect("gets long records a few at a time, and does not fill the memory with those that wait", () =>
    Effect.gen(function* () {
      const sizes: Array<number> = []
      const slow: AuditSink = { name: "slow", write: (rows) => Effect.sync(() => void sizes.push(rows.length)) }
      const queue = new SinkQueue(slow)
      const request = "x".repeat(1024 * 1024)
      const row = { ...openedRow(openRecord("long"), "full", "owner"), request }
      queue.push(Array.from({ length: 70 }, () => row))
      assert.strictEqual(queue.missed, 6)
      const running = yield* Effect.forkChild(queue.run)
      yield* queue.flushed
      yield* Fiber.interrupt(running)
      assert.strictEqual(Math.max(...sizes), 1)
      assert.strictEqual(sizes.length, 64)
    })
  )

  it.effect("that hangs is given up at the end, and what it cannot take is counted", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const hangs = (name: string) => own({ name, write: () => Effect.never })
      const hanging = Layer.provide(hangs("one"), hangs("another"))
      const layer = Layer.provide(AuditTrail.layerMemory({ durability: "strict" }), hanging)
      const trail = Context.get(yield* Layer.buildWithScope(layer, scope), AuditTrail)
      yield* Effect.forEach(
        ids(5100),
        (id) => Effect.andThen(trail.open(openRecord(id)), trail.finalize(finalRecord(id))),
        { concurrency: 100 }
      )
      // the last batch is copied after those who wait for it go on
      yield* Effect.yieldNow
      yield* Effect.yieldNow
      const { finalized, missed } = yield* trail.stats
      assert.deepStrictEqual([finalized, missed], [5100, 400])
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
      assert.strictEqual((yield* trail.stats).missed, 20_400)
    })
  )
})

describe("a sink of OpenTelemetry logs", () => {
  /** A collector that answers as it is told, and keeps what it takes. */
  const collectorThat = (statusOf: (body: string, request: number) => number, answer = "{}") =>
    Effect.acquireRelease(
      Effect.callback<{ endpoint: string; bodies: Array<string>; paths: Array<string>; close: () => void }>(
        (resume) => {
          const bodies: Array<string> = []
          const paths: Array<string> = []
          const server = createServer((request, response) => {
            let body = ""
            request.on("data", (chunk) => (body += chunk))
            request.on("end", () => {
              paths.push(`${request.url} ${request.headers["x-token"]}`)
              const status = statusOf(body, paths.length)
              if (status === 200) bodies.push(body)
              response.writeHead(status).end(answer)
            })
          })
          server.listen(0, "127.0.0.1", () => {
            const { port } = server.address() as AddressInfo
            resume(Effect.succeed({ endpoint: `http://127.0.0.1:${port}`, bodies, paths, close: () => server.close() }))
          })
        }
      ),
      ({ close }) => Effect.sync(close)
    )

  it.live("sends log records, again where the collector refuses them, without content", () =>
    Effect.gen(function* () {
      const { bodies, endpoint, paths } = yield* collectorThat((_, request) => (request === 1 ? 503 : 200))
      yield* calls(Layer.provide(OtlpSink.layer({ endpoint }), FetchHttpClient.layer), 2)
      for (const path of ["/", "/v1/logs", "/v1/logs/"]) {
        const sink = yield* Effect.provide(OtlpSink.make({ endpoint: `${endpoint}${path}` }), FetchHttpClient.layer)
        yield* sink.write([])
      }
      assert.deepStrictEqual(new Set(paths), new Set(["/v1/logs undefined"]))
      const records = bodies.flatMap((body) => JSON.parse(body).resourceLogs[0].scopeLogs[0].logRecords)
      assert.deepStrictEqual(
        records.map(({ eventName }) => eventName),
        ["millrace.call.opened", "millrace.call.ended", "millrace.call.opened", "millrace.call.ended"]
      )
      const attributes = JSON.stringify(records)
      assert.include(attributes, `{"key":"millrace.outcome","value":{"stringValue":"Completed"}}`)
      assert.notInclude(attributes, "Hello from")
    }).pipe(Effect.scoped)
  )

  it.live("keeps content to itself, whatever its callers call their labels and however long their answers are", () =>
    Effect.gen(function* () {
      const { bodies, endpoint } = yield* collectorThat(() => 200)
      const sink = yield* Effect.provide(OtlpSink.make({ endpoint }), FetchHttpClient.layer)
      const labels = { response: "a label", excerpt: "another" }
      const tool = { _tag: "ToolCall", id: "t", name: "look", arguments: '{"for":"secret"}', valid: true } as const
      const answer = responseOf("secret ".repeat(100))
      const choices = answer.choices.map((choice) => ({ ...choice, parts: [...choice.parts, tool] }))
      const capture = { level: "full", maxBytes: 200 } as const
      const response = { ...answer, choices }
      yield* sink.write([
        openedRow(openRecord("a", { caller: { key: "ci", labels } }), capture, "owner"),
        finalRow(finalRecord("a", { findings, response }), capture, "owner", { openedAt: 0, endedAt: 1 })
      ])
      const sent = bodies.join("")
      for (const label of Object.values(labels)) assert.include(sent, label)
      assert.include(sent, "sha256")
      assert.notInclude(sent, "secret")
      for (const { excerpt } of findings) if (excerpt !== undefined) assert.notInclude(sent, excerpt)
    }).pipe(Effect.scoped)
  )

  it.live("leaves out a record that the collector will never take, and sends the others", () =>
    Effect.gen(function* () {
      const { bodies, endpoint } = yield* collectorThat((body) => (body.includes(`"stringValue":"c3"`) ? 413 : 200))
      const sink = yield* Effect.provide(OtlpSink.make({ endpoint }), FetchHttpClient.layer)
      const refused = yield* sink.write(ids(6).map((id) => openedRow(openRecord(id), "full", "owner")))
      assert.strictEqual(refused, 1)
      const taken = bodies.join("")
      for (const id of ids(6)) assert.strictEqual(taken.includes(`"stringValue":"${id}"`), id !== "c3", id)
    }).pipe(Effect.scoped)
  )

  it.live("counts what the collector says that it did not take of what it took", () =>
    Effect.gen(function* () {
      for (const rejectedLogRecords of [2, "2"]) {
        const answer = JSON.stringify({ partialSuccess: { rejectedLogRecords, errorMessage: "too old" } })
        const { endpoint, paths } = yield* collectorThat(() => 200, answer)
        const sink = yield* Effect.provide(OtlpSink.make({ endpoint }), FetchHttpClient.layer)
        const queue = new SinkQueue(sink)
        yield* Effect.forkScoped(queue.run)
        queue.push(ids(3).map((id) => openedRow(openRecord(id), "full", "owner")))
        yield* queue.flushed
        assert.deepStrictEqual([queue.missed, paths.length], [2, 1])
      }
    }).pipe(Effect.scoped)
  )

  it.live("says why nobody can be reached", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* Effect.scoped(collectorThat(() => 200))
      const sink = yield* Effect.provide(OtlpSink.make({ endpoint }), FetchHttpClient.layer)
      assert.match((yield* Effect.flip(sink.write([]))).message, /ECONNREFUSED$/)
    })
  )

  it.effect("does not wait for ever for a collector that does not answer", () =>
    Effect.gen(function* () {
      const mute = Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make(() => Effect.never)
      )
      const sink = yield* Effect.provide(OtlpSink.make({ endpoint: "http://127.0.0.1:4318" }), mute)
      const writing = yield* Effect.forkChild(Effect.flip(sink.write([openedRow(openRecord("c"), "full", "owner")])))
      yield* TestClock.adjust("10 seconds")
      assert.include((yield* Fiber.join(writing)).message, "does not answer")
    })
  )
})
