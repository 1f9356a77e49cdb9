import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { words } from "../../src/providers/simulator/Seeded.ts"
import { begin, neverRead, untilTrue, type Asking } from "./client.ts"
import { ended, quiet, Running, running, until } from "./running.ts"

const to = (model: string, more: object = {}) => ({
  targets: [{ provider: "messages", model }],
  onDisconnect: "drain",
  ...more
})

const models = {
  answers: to("words-60?pace=2ms"),
  thinks: to("words-60?first=300ms&pace=0"),
  waits: to("words-60?head=300ms"),
  hangs: to("words-60?stall=20&pace=1ms", { drain: { maxTime: "100ms" } }),
  silent: to("echo?hang", { drain: { maxTime: "100ms" } }),
  endless: to("words-90000?pace=1ms", { drain: { maxTokens: 50 } }),
  long: to("words-90000?pace=5ms"),
  "breaks-off": {
    targets: ["words-60?pace=2ms&truncate=40", "words-60?pace=0"].map((model) => ({ provider: "messages", model })),
    onDisconnect: "drain"
  },
  "fails-soon": {
    targets: ["words-60?head=200ms&status=503", "words-60"].map((model) => ({ provider: "messages", model })),
    onDisconnect: "drain"
  },
  retries: to("echo?status=503", { retry: { maxAttempts: 3, initialDelay: "5s" } }),
  much: to("echo", { drain: { maxTokens: 1_000_000 } }),
  cancels: to("words-90000?pace=5ms", { onDisconnect: "cancel" })
}

/** More than the buffers of all the connections on the way can take. */
const much = "much ".repeat(200_000).trimEnd()
const whole = words(1, 60).join("")
const both: ReadonlyArray<Asking> = ["chat", "messages"]

const openCall = Effect.gen(function* () {
  const { audit } = yield* Running
  const { data } = yield* until(audit.list({ limit: 1 }), (page) => page.data[0]?.status === "open")
  return data[0] as CallRecord
})

/** Makes a call whose client leaves once it has had so many words, or once its provider has been asked. */
const leaving = Effect.fnUntraced(function* (asking: Asking, model: string, stream = true, frames = 0) {
  const { simulator } = yield* Running
  yield* quiet
  const before = simulator.log.stats().requests.total
  const exchange = yield* begin(asking, model, stream)
  const { id } = yield* openCall
  yield* untilTrue(() => simulator.log.stats().requests.total > before)
  yield* untilTrue(() => exchange.text().split("\n\n").length > frames)
  exchange.leave()
  return { id, request: simulator.log.requests().at(-1)! }
})

const byClient = { kind: "Cancelled", by: "client" } as const
const codes = ({ notices }: CallRecord) => notices.map(({ code }) => code)

layer(running({ models }), { excludeTestServices: true })("a call that is drained when its client leaves", (it) => {
  for (const asking of both) {
    it.effect.each([
      ["in the stream", "answers", true, 8],
      ["before the first token", "thinks", true, 0],
      ["before the head", "waits", true, 0],
      ["before the whole answer", "waits", false, 0]
    ] as const)(`%s is read to its end for the record: ${asking}`, ([, model, stream, frames]) =>
      Effect.gen(function* () {
        const { id, request } = yield* leaving(asking, model, stream, frames)
        const record = yield* ended(id)
        assert.deepStrictEqual(record.outcome, byClient)
        assert.strictEqual(record.response?.text, whole)
        assert.deepInclude(record.usage, { outputTokens: 60, source: "provider" })
        assert.include(codes(record), "drained")
        assert.isBelow(record.delivered?.bytes ?? 0, record.upstream?.bytes ?? 0)
        assert.isUndefined(record.attempts[0]?.abandoned)
        yield* quiet
        assert.strictEqual(request.state, "completed")
      }).pipe(Effect.scoped)
    )
  }

  it.effect.each([
    ["stalls", "hangs", 21],
    ["never begins", "silent", 0]
  ] as const)("is given up when its time is up: an answer that %s", ([, model, frames]) =>
    Effect.gen(function* () {
      const { id, request } = yield* leaving("messages", model, true, frames)
      const record = yield* ended(id)
      assert.deepStrictEqual(record.outcome, byClient)
      assert.isTrue(record.attempts[0]?.abandoned)
      assert.isUndefined(record.attempts[0]?.failure)
      yield* quiet
      assert.strictEqual(request.state, "aborted")
    }).pipe(Effect.scoped)
  )

  it.effect("is given up when it has come to so many tokens", () =>
    Effect.gen(function* () {
      const { id, request } = yield* leaving("chat", "endless", true, 10)
      const record = yield* ended(id)
      assert.deepStrictEqual(record.outcome, byClient)
      assert.isAbove(record.response?.text?.length ?? 0, 50 * 4)
      yield* quiet
      assert.strictEqual(request.state, "aborted")
    }).pipe(Effect.scoped)
  )

  it.effect("is not gone on with by another target, and nobody else is asked", () =>
    Effect.gen(function* () {
      const rescued = yield* leaving("chat", "breaks-off", true, 5)
      const record = yield* ended(rescued.id)
      assert.strictEqual(record.attempts.length, 1)
      assert.strictEqual(record.response?.text, words(1, 60).slice(0, 40).join(""))
      assert.deepStrictEqual(record.outcome, byClient)
      const failing = yield* leaving("chat", "fails-soon")
      const failed = yield* ended(failing.id)
      assert.deepStrictEqual(failed.outcome, byClient)
      assert.strictEqual(failed.attempts.length, 1)
      assert.strictEqual(failed.attempts[0]?.failure?.reason._tag, "Overloaded")
    }).pipe(Effect.scoped)
  )

  it.effect("ends at once where nothing is under way", () =>
    Effect.gen(function* () {
      const { engine } = yield* Running
      const { id } = yield* leaving("chat", "retries")
      yield* until(engine.active, (active) => active === 0)
      const record = yield* ended(id)
      assert.deepStrictEqual(record.outcome, byClient)
      assert.notInclude(codes(record), "drained")
    }).pipe(Effect.scoped)
  )

  it.effect("can still be cancelled", () =>
    Effect.gen(function* () {
      const { engine } = yield* Running
      const { id, request } = yield* leaving("chat", "long", true, 5)
      // So much more is sent to nobody that it is known by then.
      const sent = request.sentBytes
      yield* untilTrue(() => request.sentBytes > sent + 10_000)
      const closed = request.state
      assert.isTrue(yield* engine.cancel(id))
      assert.deepStrictEqual((yield* ended(id)).outcome, byClient)
      yield* quiet
      assert.deepStrictEqual([closed, request.state], ["open", "aborted"])
    }).pipe(Effect.scoped)
  )

  it.effect("is read to its end for a client that never read", () =>
    Effect.gen(function* () {
      const client = yield* neverRead("messages", "much", much)
      const { id } = yield* openCall
      const { simulator } = yield* Running
      yield* untilTrue(() => (simulator.log.requests().at(-1)?.sentBytes ?? 0) > 0)
      client.leave()
      const record = yield* ended(id)
      assert.deepStrictEqual(record.outcome, byClient)
      assert.deepInclude(record.usage, { outputTokens: 200_000, source: "provider" })
      yield* quiet
    }).pipe(Effect.scoped)
  )

  it.effect("is let go where the model says so, as by default", () =>
    Effect.gen(function* () {
      const { id, request } = yield* leaving("chat", "cancels", true, 5)
      const record = yield* ended(id)
      assert.deepStrictEqual(record.outcome, byClient)
      assert.notInclude(codes(record), "drained")
      yield* quiet
      assert.strictEqual(request.state, "aborted")
    }).pipe(Effect.scoped)
  )
})

layer(running({ models, settings: { stallLimitMs: 200 } }), { excludeTestServices: true })(
  "a call that is drained when its client takes nothing",
  (it) => {
    it.effect("is read to its end", () =>
      Effect.gen(function* () {
        yield* neverRead("messages", "much", much)
        const { id } = yield* openCall
        const record = yield* ended(id)
        assert.deepStrictEqual(record.outcome, byClient)
        assert.deepInclude(record.usage, { outputTokens: 200_000, source: "provider" })
        assert.include(codes(record), "drained")
        yield* quiet
      }).pipe(Effect.scoped)
    )
  }
)
