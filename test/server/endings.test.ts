import { assert, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import type { Filter } from "../../src/filters/Filter.ts"
import { begin, finished, neverRead, untilTrue, type Asking, type Exchange } from "./client.ts"
import {
  ask,
  askChat,
  askMessages,
  assertDiscreet,
  dialects,
  ended,
  errorOf,
  quiet,
  recordOf,
  Running,
  running,
  until
} from "./running.ts"
import { json } from "./simulate/server.ts"
import { assertBrokenOff, assertComplete, textIn } from "./streams.ts"

const both: ReadonlyArray<Asking> = ["chat", "messages"]
const pairs = both.flatMap((asking) => both.map((provider) => ({ asking, provider })))

/** The one call that is open now. */
const openCall = Effect.gen(function* () {
  const { audit } = yield* Running
  const { data } = yield* until(audit.list({ limit: 1 }), (page) => page.data[0]?.status === "open")
  return data[0] as CallRecord
})

/** The last request that the simulator received, once it has one in hand. */
const upstream = Effect.gen(function* () {
  const { simulator } = yield* Running
  yield* untilTrue(() => simulator.log.stats().requests.open === 1)
  return simulator.log.requests().at(-1)!
})

/** Waits until a provider is not read any more: it has sent something, and nothing has moved for a while. */
const held = Effect.gen(function* () {
  const request = yield* upstream
  let [sent, unmoved] = [-1, 0]
  yield* untilTrue(() => {
    unmoved = request.sentBytes === sent ? unmoved + 1 : 0
    sent = request.sentBytes
    return sent > 0 && unmoved > 20
  })
})

/** The text that came so far, in whole frames. */
const textSoFar = (exchange: Exchange): string => {
  const end = exchange.text().lastIndexOf("\n\n")
  return end < 0 ? "" : textIn(exchange.text().slice(0, end + 2))
}

/** A moment at which a client may leave: the model, and how it is known that the moment has come. */
interface Phase {
  readonly model: string
  readonly stream: boolean
  readonly come: (exchange: Exchange) => Effect.Effect<unknown, never, Running>
}

const underway: Phase["come"] = () => upstream

const phases: { readonly [name: string]: Phase } = {
  "before the head": { model: "echo?hang", stream: true, come: underway },
  "before the first token": {
    model: "words-5?first=1m",
    stream: true,
    come: () => Effect.flatMap(upstream, (request) => untilTrue(() => request.status === 200))
  },
  "in the stream": {
    model: "words-2000?pace=2ms",
    stream: true,
    come: (exchange) => untilTrue(() => textSoFar(exchange).split(" ").length > 5)
  },
  "while the stream is silent": {
    model: "words-9?stall=4&pace=1ms",
    stream: true,
    come: (exchange) => untilTrue(() => textSoFar(exchange).split(" ").length >= 4)
  },
  "before the whole answer": { model: "words-5?head=1m", stream: false, come: underway },
  "in the middle of the provider's whole answer": { model: "words-900?stall=1", stream: false, come: underway }
}

layer(running(), { excludeTestServices: true })("a client that leaves", (it) => {
  for (const { asking, provider } of pairs) {
    for (const [phase, { come, model, stream }] of Object.entries(phases)) {
      it.effect(`${phase} lets the provider go: from ${provider} for ${asking}`, () =>
        Effect.gen(function* () {
          const exchange = yield* begin(asking, `${provider}/${model}`, stream)
          yield* come(exchange)
          const { id } = yield* openCall
          const request = yield* upstream
          const received = textSoFar(exchange)
          exchange.leave()
          const record = yield* ended(id)
          assert.deepStrictEqual(record.outcome, { kind: "Cancelled", by: "client" })
          yield* quiet
          assert.strictEqual(request.state, "aborted")
          if (received === "") return
          // What the client saw, and perhaps a little more that was on its way.
          assert.isTrue(record.response?.text?.startsWith(received))
          assert.isAtLeast(record.delivered?.bytes ?? 0, exchange.text().length)
          if (provider === "messages") assert.isAbove(record.usage?.inputTokens ?? 0, 0)
        }).pipe(Effect.scoped)
      )
    }
  }

  for (const [asking, provider] of [
    ["chat", "messages"],
    ["messages", "messages"]
  ] as const) {
    it.effect(`without ever having read lets the provider go: from ${provider} for ${asking}`, () =>
      Effect.gen(function* () {
        // More than the buffers of all the connections on the way can take.
        const client = yield* neverRead(asking, `${provider}/echo`, "much ".repeat(200_000))
        const { id } = yield* openCall
        yield* held
        const request = yield* upstream
        client.leave()
        const record = yield* ended(id)
        assert.deepStrictEqual(record.outcome, { kind: "Cancelled", by: "client" })
        yield* quiet
        assert.strictEqual(request.state, "aborted")
        assert.isAbove(record.upstream?.bytes ?? 0, 0)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("after the end was handed over has had its answer", () =>
    Effect.gen(function* () {
      const { audit } = yield* Running
      const last = Effect.map(audit.list({ limit: 1 }), ({ data }) => data[0])
      for (const asking of both) {
        const before = yield* last
        const client = yield* neverRead(asking, "messages/echo")
        const record = yield* until(last, (found) => found?.id !== before?.id && found?.status === "ended")
        client.leave()
        assert.deepStrictEqual(record?.outcome, { kind: "Completed", finish: "stop", delivered: true })
      }
    }).pipe(Effect.scoped)
  )
})

const stallLimitMs = 200

layer(running({ settings: { stallLimitMs } }), { excludeTestServices: true })("a client that takes nothing", (it) => {
  for (const asking of both) {
    it.effect(`counts as gone after a while: ${asking}`, () =>
      Effect.gen(function* () {
        const client = yield* neverRead(asking, "messages/echo", "much ".repeat(200_000))
        const { id } = yield* openCall
        const request = yield* upstream
        const record = yield* ended(id)
        assert.deepStrictEqual(record.outcome, { kind: "Cancelled", by: "client" })
        assert.isAtLeast(record.timings.totalMs ?? 0, stallLimitMs)
        yield* quiet
        assert.strictEqual(request.state, "aborted")
        client.leave()
      }).pipe(Effect.scoped)
    )
  }
})

const patient = (provider: string, model: string) => ({
  targets: [{ provider, model }],
  timeouts: { connect: "2s", firstToken: "500ms", idle: "500ms", total: "20s" }
})

layer(
  running({
    settings: { keepAliveMs: 50 },
    models: Object.fromEntries(
      both.flatMap((provider) => [
        [`${provider}-silent`, patient(provider, "echo?hang")],
        [`${provider}-stalled`, patient(provider, "words-9?stall=3&pace=1ms")],
        [`${provider}-slow`, patient(provider, "words-3?first=200ms&pace=1ms")]
      ])
    )
  }),
  { excludeTestServices: true }
)("a client that has to wait", (it) => {
  for (const { ask: askIn, id } of dialects) {
    const sign = id === "openai-chat" ? /^: ?[^\n]*\n\n/m : /^event: ping\n/m

    for (const provider of both) {
      it.effect(`is told that the connection lives, and then the error in the stream: from ${provider} for ${id}`, () =>
        Effect.gen(function* () {
          const seen = yield* askIn(`${provider}-silent`)
          assertBrokenOff(seen)
          assert.match(seen.text, sign)
          assert.strictEqual(seen.text.search(sign), 0)
          assert.match(errorOf(seen.text).message ?? "", /firstToken timeout/)
          const record = yield* recordOf(seen)
          assert.deepInclude(record.outcome, { kind: "Failed", reason: "Timeout" })
          assert.isUndefined(record.timings.firstTokenMs)
          assert.strictEqual(record.delivered?.bytes, seen.body.length)
        })
      )

      it.effect(`is told so in the middle as well: from ${provider} for ${id}`, () =>
        Effect.gen(function* () {
          const seen = yield* askIn(`${provider}-stalled`)
          assertBrokenOff(seen)
          assert.match(seen.text.slice(seen.text.search(/content/)), sign)
        })
      )

      it.effect(`may wait and get its answer: from ${provider} for ${id}`, () =>
        Effect.gen(function* () {
          const seen = yield* askIn(`${provider}-slow`)
          assertComplete(seen)
          assert.strictEqual(seen.text.search(sign), 0)
          assert.lengthOf(textIn(seen.text).split(" "), 3)
        })
      )
    }
  }
})

layer(running(), { excludeTestServices: true })("a call that is cancelled", (it) => {
  for (const { asking, provider } of pairs) {
    for (const [phase, { come, model, stream }] of Object.entries(phases)) {
      it.effect(`${phase} ends at once, and says so: from ${provider} for ${asking}`, () =>
        Effect.gen(function* () {
          const exchange = yield* begin(asking, `${provider}/${model}`, stream)
          yield* come(exchange)
          const { id } = yield* openCall
          const request = yield* upstream
          const cancelled = yield* ask(`/v1/calls/${id}/cancel`, { method: "POST" })
          assert.deepStrictEqual([cancelled.status, json(cancelled)], [200, { id, cancelled: true }])
          const seen = yield* finished(exchange)
          if (seen.status === 200) assertBrokenOff(seen)
          else assert.strictEqual(seen.status, 503)
          const { message, type } = errorOf(seen.text)
          assert.strictEqual(message, "The call was cancelled")
          assert.strictEqual(type, asking === "chat" ? "server_error" : "overloaded_error")
          const record = yield* ended(id)
          assert.deepStrictEqual(record.outcome, { kind: "Cancelled", by: "caller" })
          if (seen.status === 200) assert.strictEqual(record.response?.text, textIn(seen.text))
          yield* quiet
          assert.strictEqual(request.state, "aborted")
          const again = yield* ask(`/v1/calls/${id}/cancel`, { method: "POST" })
          assert.strictEqual(again.status, 404)
        }).pipe(Effect.scoped)
      )
    }
  }

  it.effect("and left at the same time was cancelled", () =>
    Effect.gen(function* () {
      const { engine } = yield* Running
      for (const asking of both) {
        const exchange = yield* begin(asking, "messages/words-2000?pace=2ms")
        yield* phases["in the stream"]!.come(exchange)
        const { id } = yield* openCall
        yield* engine.cancel(id)
        exchange.leave()
        assert.deepStrictEqual((yield* ended(id)).outcome, { kind: "Cancelled", by: "caller" })
      }
    }).pipe(Effect.scoped)
  )

  it.effect("though nobody reads its answer ends as well", () =>
    Effect.gen(function* () {
      const { engine } = yield* Running
      yield* neverRead("messages", "messages/echo", "much ".repeat(200_000))
      const { id } = yield* openCall
      yield* held
      const request = yield* upstream
      yield* engine.cancel(id)
      yield* untilTrue(() => request.state === "aborted")
      assert.deepStrictEqual((yield* ended(id)).outcome, { kind: "Cancelled", by: "caller" })
    }).pipe(Effect.scoped)
  )
})

const maxText = 25

layer(running({ maxText }), { excludeTestServices: true })("an answer that grows too large", (it) => {
  for (const { ask: askIn, id } of dialects) {
    for (const provider of both) {
      it.effect(`is cut, as at a limit of tokens: from ${provider} for ${id}`, () =>
        Effect.gen(function* () {
          for (const model of ["words-9?pace=1ms", "think-9?pace=1ms", "words-9?one-byte"]) {
            const seen = yield* askIn(`${provider}/${model}`)
            assertComplete(seen)
            const record = yield* recordOf(seen)
            assert.deepStrictEqual(record.outcome, { kind: "Limited", by: "bytes" })
            const { reasoning = "", text = "" } = record.response ?? {}
            assert.isAtMost(text.length + reasoning.length, maxText)
            assert.isAbove(text.length + reasoning.length, 0)
            assert.strictEqual(textIn(seen.text), text)
            assert.match(
              seen.text,
              id === "openai-chat" ? /"finish_reason": ?"length"/ : /"stop_reason": ?"max_tokens"/
            )
          }
          const whole = yield* askIn(`${provider}/words-9`, { stream: false })
          assert.strictEqual(whole.status, 200)
          assert.match(whole.text, /"(finish_reason|stop_reason)": ?"(length|max_tokens)"/)
          const short = yield* askIn(`${provider}/words-2`)
          assert.deepInclude((yield* recordOf(short)).outcome, { kind: "Completed", finish: "stop" })
        })
      )
    }
  }
})

/** A filter with defects: it breaks where the model's name says. */
const defective: Filter = {
  name: "defective",
  request: (request) =>
    request.model.includes("break-early") ? Effect.die(new Error("a defect")) : Effect.succeed(request),
  events: (request) => (events) =>
    request.model.includes("break-late")
      ? Stream.tap(events, (event) =>
          event._tag === "TextDelta" && event.text.includes("4") ? Effect.die(new Error("a defect")) : Effect.void
        )
      : events
}
const scripted = (model: string) => ({ targets: [{ provider: "messages", model }] })

layer(
  running({
    filters: [defective],
    models: { "break-early": scripted("echo"), "break-late": scripted("echo?pace=5ms") }
  }),
  { excludeTestServices: true }
)("a filter with a defect", (it) => {
  for (const { ask: askIn, id } of dialects) {
    it.effect(`is told as such, and no more: ${id}`, () =>
      Effect.gen(function* () {
        const { log } = yield* Running
        const content = "1 2 3 4 5"
        for (const stream of [true, false]) {
          const early = yield* askIn("break-early", { stream })
          assert.strictEqual(early.status, 502)
          assert.deepInclude((yield* recordOf(early)).outcome, { kind: "Failed", reason: "FilterFailed" })
          const late = yield* askIn("break-late", { stream, messages: [{ role: "user", content }] })
          if (stream) assertBrokenOff(late)
          else assert.strictEqual(late.status, 502)
          const record = yield* recordOf(late)
          assert.deepInclude(record.outcome, { kind: "Failed", reason: "FilterFailed" })
          if (stream) assert.strictEqual(record.response?.text, textIn(late.text))
          for (const seen of [early, late]) assert.notInclude(seen.text, "a defect")
          assertDiscreet(JSON.stringify(record))
        }
        assert.isAtLeast(log.filter((line) => line.includes("a defect")).length, 4)
      })
    )
  }

  it.effect("leaves nothing behind", () => quiet)
})

const unfinished = running({
  script: [
    {
      model: "fails",
      reply: [
        { _tag: "TextDelta", id: "text", text: "so far" },
        { _tag: "Finish", reason: "error", usage: { source: "none" } }
      ]
    }
  ]
})

layer(unfinished, { excludeTestServices: true })("an answer that its model failed to finish", (it) => {
  it.effect("is an error to callers whose format has no other word for it, streamed and whole", () =>
    Effect.gen(function* () {
      const streamed = yield* askMessages("chat/fails")
      assert.include(streamed.text, "so far")
      assert.include(streamed.text, "event: error")
      assert.notInclude(streamed.text, "message_stop")
      const whole = yield* askMessages("chat/fails", { stream: false })
      assert.strictEqual(whole.status, 502, whole.text)
      assert.include(errorOf(whole.text).message, "The model failed to finish its answer")
      assert.deepInclude((yield* recordOf(whole)).outcome, { kind: "Completed", finish: "error", delivered: false })
    })
  )

  it.effect("is said in its own words where there are some", () =>
    Effect.gen(function* () {
      const { text } = yield* askChat("chat/fails")
      assert.include(text, '"finish_reason":"error"')
    })
  )
})
