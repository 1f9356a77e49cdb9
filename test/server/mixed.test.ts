import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import type { CallPage } from "../../src/audit/CallRecords.ts"
import { seeded } from "../../src/providers/simulator/Seeded.ts"
import { begin, untilTrue, type Asking } from "./client.ts"
import { assertDiscreet, quiet, Running, running, until } from "./running.ts"
import { assertBrokenOff, assertComplete } from "./streams.ts"

const server = Layer.unwrap(
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    const timeouts = { connect: "2s", firstToken: "100ms", idle: "100ms", total: "500ms" }
    const models = Object.fromEntries(
      ["chat", "messages"].flatMap((provider) =>
        ["echo?hang", "words-9?stall=3&pace=1ms"].map((model, index) => [
          `${provider}-silent-${index}`,
          { targets: [{ provider, model }], timeouts }
        ])
      )
    )
    return running({ models, storage: `sqlite:${folder}/millrace.db`, settings: { keepAliveMs: 40 } })
  }).pipe(Effect.provide(NodeServices.layer))
).pipe(Layer.orDie)

/** Every record, page by page. */
const records = Effect.gen(function* () {
  const { audit } = yield* Running
  const all: Array<CallRecord> = []
  let cursor: string | undefined
  do {
    const page: CallPage = yield* audit.list({ cursor })
    all.push(...page.data)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return all
})

const kinds = [
  "/echo",
  "/words-30?pace=1ms",
  "/think-20?pace=1ms",
  "/fast-2000",
  "/words-9?split=3",
  "/words-9?reset=3&pace=1ms",
  "/words-9?truncate=2",
  "/words-9?malformed=4",
  "/words-9?error=2&status=529",
  "/echo?status=429&retry-after=1",
  "/echo?reset",
  "/refuse",
  "/empty",
  "-silent-0",
  "-silent-1"
]

const calls = 200
const askings: ReadonlyArray<Asking> = ["chat", "messages"]

layer(server, { excludeTestServices: true })("two hundred calls of every kind, in any order", (it) => {
  it.effect("each end once, and leave nothing behind", () =>
    Effect.gen(function* () {
      const { audit, log, simulator } = yield* Running
      const random = seeded(20_240)
      const pick = <A>(list: ReadonlyArray<A>): A => list[Math.floor(random() * list.length)]!
      const plans = Array.from({ length: calls }, (_, index) => ({
        id: `mixed-${index}`,
        asking: pick(askings),
        model: pick(["chat", "messages"]) + pick(kinds),
        stream: random() < 0.7,
        // Some leave at once, some after so many characters, and some stay.
        leaveAt: random() < 0.4 ? Math.floor(random() * random() * 4000) : Infinity
      }))
      const admitted = new Map<string, string>()
      yield* Effect.forEach(
        plans,
        ({ asking, id, leaveAt, model, stream }) =>
          Effect.gen(function* () {
            const exchange = yield* begin(asking, model, stream, { "x-request-id": id })
            yield* untilTrue(() => exchange.ended() !== undefined || exchange.text().length >= leaveAt)
            const { headers = {}, statusCode: status = 0 } = exchange.response() ?? {}
            const callId = headers["x-millrace-call-id"]
            if (typeof callId === "string") admitted.set(callId, id)
            const text = exchange.text()
            assertDiscreet(text)
            if (exchange.ended() === undefined) return exchange.leave()
            assert.strictEqual(exchange.ended(), "end")
            const seen = { status, headers, text, body: Buffer.from(text), ending: "end" as const }
            if (!stream || status !== 200) return
            if (text.includes('"error"')) assertBrokenOff(seen)
            else assertComplete(seen)
          }).pipe(Effect.scoped),
        { concurrency: 20, discard: true }
      )
      yield* quiet
      // A client that left at once may have left before its request was read: such a call is still to come.
      const data = yield* until(records, (all) => all.every(({ status }) => status === "ended"))
      yield* quiet
      const requestIds = data.map(({ requestId }) => requestId)
      assert.strictEqual(new Set(requestIds).size, data.length)
      for (const record of data) {
        assert.strictEqual(record.status, "ended")
        assert.include(["Completed", "Failed", "Cancelled"], record.outcome?.kind)
      }
      for (const [callId, requestId] of admitted) {
        assert.strictEqual(data.find(({ id }) => id === callId)?.requestId, requestId)
      }
      const stats = yield* audit.stats
      assert.deepInclude(stats, { running: 0, queued: 0, lost: 0, opened: data.length, finalized: data.length })
      const kindsSeen = new Set(data.map(({ outcome }) => outcome?.kind))
      assert.strictEqual(kindsSeen.size, 3)
      assert.strictEqual(simulator.log.stats().requests.open, 0)
      for (const line of log) assertDiscreet(line)
    })
  )
})
