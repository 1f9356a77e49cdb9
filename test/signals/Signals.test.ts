import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Latch, Layer, Metric, Tracer } from "effect"
import { TestClock } from "effect/testing"
import type { Call, EndedCall } from "../../src/domain/Call.ts"
import type { LlmRequest, Message } from "../../src/domain/LlmRequest.ts"
import type { LlmResponse } from "../../src/domain/LlmResponse.ts"
import { callOf } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { observeSignals } from "../../src/engine/observeSignals.ts"
import { type SignalSettings, Signals } from "../../src/signals/Signals.ts"
import { SignalStore } from "../../src/signals/SignalStore.ts"
import * as SignalStoreMemory from "../../src/signals/SignalStoreMemory.ts"
import { StorageError } from "../../src/storage/Database.ts"
import { finish, type Script, started, text } from "../../src/testing/Script.ts"
import { testEngine } from "../../src/testing/TestEngine.ts"
import { assistant, requestOf, user } from "./reading.ts"

const signals = (settings: SignalSettings = {}) =>
  Layer.provideMerge(Signals.layer({ gather: 0, ...settings }), SignalStoreMemory.layer)

const answer = (words: string, id = ""): LlmResponse => ({
  id,
  model: "any",
  choices: [{ index: 0, parts: [{ _tag: "Text", id: "t", text: words }] }],
  usage: { source: "none" }
})

const ended = (id: string, request: LlmRequest, response?: LlmResponse, more: Partial<Call> = {}): EndedCall => ({
  id,
  call: { ...callOf(request), ...more },
  openedAt: 1000,
  record: {
    id,
    outcome: { _tag: "Completed", finish: "stop", delivered: true },
    usage: { source: "none" },
    totalMs: 1,
    upstream: { bytes: 0, frames: 0, events: 0 },
    delivered: { bytes: 0 },
    attempts: [],
    notices: [],
    ...(response === undefined ? {} : { response })
  }
})

const hello: ReadonlyArray<Message> = [user("where is my order?")]
const angry = [...hello, assistant("It is on its way."), user("This is useless, let me talk to a human!")]

/** What was reported of a call, once everything was read. */
const reportOf = Effect.fnUntraced(function* (call: string) {
  const { get, settled } = yield* Signals
  yield* settled
  return yield* get(call)
})

describe("signals with a retention", () => {
  const retention = { maxAge: Duration.hours(1) }
  const store = SignalStoreMemory.layer

  it.effect("are removed when they are older", () =>
    Effect.gen(function* () {
      const { list, prune, ...rest } = yield* SignalStore
      const removed: Array<number> = []
      const counted = SignalStore.of({
        ...rest,
        list,
        prune: (keeping) => Effect.tap(prune(keeping), (count) => Effect.sync(() => removed.push(count)))
      })
      yield* Effect.gen(function* () {
        const { observe, settled } = yield* Signals
        yield* observe(ended("call_1", requestOf(...angry)))
        yield* TestClock.adjust("30 minutes")
        yield* settled
        assert.lengthOf(yield* list({}, 10, undefined), 1)
        yield* TestClock.adjust("31 minutes")
        assert.lengthOf(yield* list({}, 10, undefined), 0)
      }).pipe(Effect.provide(Layer.provide(Signals.layer({ retention }), Layer.succeed(SignalStore, counted))))
      assert.strictEqual(
        removed.reduce((sum, count) => sum + count, 0),
        1
      )
    }).pipe(Effect.provide(store))
  )
})

describe("the signals of a call", () => {
  it.live("are reported after its end, with the answer, without what anybody wrote", () =>
    Effect.gen(function* () {
      const { observe } = yield* Signals
      yield* observe(ended("call_1", requestOf(...angry), answer("I am sorry."), { caller: { key: "ci" } }))
      const report = yield* reportOf("call_1")
      assert.deepInclude(report, { call: "call_1", model: "any", key: "ci", quality: "severe", flagged: true })
      assert.deepStrictEqual(report?.turns, { human: 2, assistant: 2 })
      assert.deepStrictEqual(report?.signals, [
        { type: "interaction.disengagement.escalation", message: 2, confidence: 1, metadata: { match: "exact" } }
      ])
      assert.deepStrictEqual(report?.groups, [
        { category: "interaction.disengagement", count: 1, severity: 1, total: 1 }
      ])
      assert.notInclude(JSON.stringify(report), "human!")
    }).pipe(Effect.provide(signals()))
  )

  it.live("show the words where content is opted in", () =>
    Effect.gen(function* () {
      const { observe } = yield* Signals
      yield* observe(ended("call_1", requestOf(...angry)))
      const report = yield* reportOf("call_1")
      assert.strictEqual(report?.signals[0]?.snippet, "let me talk to a human!")
    }).pipe(Effect.provide(signals({ content: true })))
  )

  it.live("are raised once in a conversation, whoever else begins alike", () =>
    Effect.gen(function* () {
      const { observe } = yield* Signals
      yield* observe(ended("1", requestOf(...angry), answer("sorry")))
      yield* observe(ended("2", requestOf(...angry, assistant("sorry"), user("hm")), answer("yes?")))
      yield* observe(ended("3", requestOf(...angry), answer("sorry"), { caller: { tenant: "other" } }))
      assert.lengthOf((yield* reportOf("1"))?.signals ?? [], 1)
      assert.isUndefined(yield* reportOf("2"))
      assert.lengthOf((yield* reportOf("3"))?.signals ?? [], 1)
    }).pipe(Effect.provide(signals()))
  )

  it.live("belong to the conversation that the header names, or that goes on from an earlier answer", () =>
    Effect.gen(function* () {
      const { observe } = yield* Signals
      const going = (previous_response_id: string) => ({
        ...requestOf(user("forget it")),
        extensions: { some: { previous_response_id } }
      })
      yield* observe(ended("1", requestOf(...hello), answer("hi", "resp_1"), { conversation: "mine" }))
      yield* observe(ended("2", going("resp_1"), answer("ok", "resp_2")))
      yield* (yield* Signals).settled
      yield* observe(ended("3", going("resp_2"), answer("ok", "resp_3")))
      const names = [yield* reportOf("1"), yield* reportOf("2"), yield* reportOf("3")]
      assert.deepStrictEqual(
        names.map((report) => report?.conversation),
        [undefined, "mine", "mine"]
      )
      assert.deepInclude(yield* reportOf("3"), { turns: { human: 3, assistant: 3 } })
    }).pipe(Effect.provide(signals()))
  )

  it.live("are kept without any where the provider keeps the history, and then not counted as reported", () =>
    Effect.gen(function* () {
      const { observe, settled, stats } = yield* Signals
      const going = { ...requestOf(...hello), extensions: { some: { previous_response_id: "resp_1" } } }
      yield* observe(ended("1", going, answer("On its way.", "resp_2")))
      yield* settled
      assert.deepInclude(yield* reportOf("1"), { flagged: false, signals: [] })
      assert.deepInclude(yield* stats, { read: 1, reported: 0 })
    }).pipe(Effect.provide(signals()))
  )

  it.live("come from the engine, one report for each call", () => {
    const script: Script = [started(), text("I cannot help with that."), finish()]
    return Effect.gen(function* () {
      const engine = yield* Engine
      const { id } = yield* engine.run(callOf(requestOf(...angry)))
      assert.deepInclude(yield* reportOf(id), { call: id, flagged: true })
      assert.deepInclude(yield* (yield* Signals).stats, { reported: 1, dropped: 0, failed: 0 })
    }).pipe(
      Effect.provide(
        testEngine({ scripts: [script] }).pipe(Layer.provide(observeSignals), Layer.provideMerge(signals()))
      )
    )
  })
})

describe("what is kept of conversations", () => {
  it.live("is nothing where they show nothing", () => {
    const asked: Array<string> = []
    const store = Layer.effect(
      SignalStore,
      Effect.map(SignalStore, (whole) =>
        SignalStore.of({
          ...whole,
          recall: (keys) =>
            Effect.andThen(
              Effect.sync(() => asked.push("recall")),
              whole.recall(keys)
            ),
          keep: (reports, memories) =>
            Effect.andThen(
              Effect.sync(() => asked.push("keep")),
              whole.keep(reports, memories)
            )
        })
      )
    ).pipe(Layer.provide(SignalStoreMemory.layer))
    return Effect.gen(function* () {
      const { observe, settled, stats } = yield* Signals
      yield* observe(ended("1", requestOf(...hello), answer("On its way.")))
      yield* settled
      assert.deepStrictEqual(asked, [])
      yield* observe(ended("2", requestOf(...angry)))
      yield* settled
      assert.deepStrictEqual(asked, ["recall", "keep"])
      assert.deepInclude(yield* stats, { read: 2, reported: 1 })
    }).pipe(Effect.provide(Layer.provideMerge(Signals.layer({ gather: 0 }), store)))
  })

  it.effect("is there at once for whoever waits for it, and gathers again for the next", () =>
    Effect.gen(function* () {
      const { observe, settled, stats } = yield* Signals
      const another = (id: string) => observe(ended(id, requestOf(user(`order ${id}`), ...angry)))
      for (const id of ["1", "2"]) {
        yield* another(id)
        yield* settled
        assert.deepInclude(yield* stats, { waiting: 0, read: Number(id) })
      }
      yield* another("3")
      yield* TestClock.adjust("99 millis")
      assert.deepInclude(yield* stats, { waiting: 1, read: 2 })
      yield* TestClock.adjust("1 millis")
      yield* settled
      assert.deepInclude(yield* stats, { waiting: 0, read: 3 })
    }).pipe(Effect.provide(Layer.provide(Signals.layer(), SignalStoreMemory.layer)))
  )

  it.live("is known to other processes, and after a restart", () =>
    Effect.gen(function* () {
      const store = yield* SignalStore
      const read = (id: string, ...messages: ReadonlyArray<Message>) =>
        Effect.gen(function* () {
          const { observe, settled } = yield* Signals
          yield* observe(ended(id, requestOf(...messages), answer("sorry")))
          yield* settled
        })
      const process = () => Effect.provide(Signals.layer({ gather: 0 }))
      yield* read("1", ...angry).pipe(process())
      yield* read("2", ...angry, assistant("sorry"), user("hm")).pipe(process())
      assert.isUndefined(yield* store.get("2"))
      yield* read("3", ...angry, assistant("sorry"), user("hm"), assistant("sorry"), user("forget it")).pipe(process())
      const third = yield* store.get("3")
      assert.deepStrictEqual(
        third?.signals.map(({ message, type }) => [type, message]),
        [["interaction.disengagement.quit", 6]]
      )
      assert.strictEqual(third?.groups[0]?.total, 2)
    }).pipe(Effect.provide(SignalStoreMemory.layer))
  )

  it.live("is the same whether they are read at once or, being long, in the thread", () =>
    Effect.gen(function* () {
      const { observe } = yield* Signals
      const words = Array.from({ length: 40 }, (_, n) => [
        user(`${n} ${"some more words of a long letter ".repeat(40)}`),
        assistant(`Letter ${n * n} is read, and so are its ${n} pages.`)
      ])
      yield* observe(ended("1", requestOf(...words.flat(), user("forget it")), answer("As you wish.")))
      const report = yield* reportOf("1")
      assert.include(
        (report?.signals ?? []).map(({ message, type }) => `${type}@${message}`),
        "interaction.disengagement.quit@80"
      )
    }).pipe(Effect.provide(signals()))
  )
})

describe("a reader that does not keep up", () => {
  it.live("drops what is too much, and counts it", () =>
    Effect.gen(function* () {
      const { observe, stats } = yield* Signals
      for (let n = 0; n < 5; n++)
        yield* observe(ended(`${n}`, requestOf(...angry), undefined, { conversation: `${n}` }))
      assert.deepInclude(yield* stats, { waiting: 3, dropped: 2 })
    }).pipe(Effect.provide(signals({ capacity: 3, gather: "1 hour" })))
  )

  it.live("reads what waits when it is closed", () =>
    Effect.gen(function* () {
      const store = yield* SignalStore
      yield* Effect.gen(function* () {
        const { observe } = yield* Signals
        for (let n = 0; n < 40; n++)
          yield* observe(ended(`${n}`, requestOf(...angry), undefined, { conversation: `${n}` }))
      }).pipe(Effect.provide(Signals.layer({ gather: "1 hour" })))
      assert.lengthOf(yield* store.list({}, 100, undefined), 40)
    }).pipe(Effect.provide(SignalStoreMemory.layer))
  )

  it.live("keeps what it is reading when it is closed", () =>
    Effect.gen(function* () {
      const whole = yield* SignalStore
      const begun = yield* Latch.make(false)
      const store = SignalStore.of({
        ...whole,
        keep: (reports, memories) =>
          begun.open.pipe(Effect.andThen(Effect.sleep("50 millis")), Effect.andThen(whole.keep(reports, memories)))
      })
      yield* Effect.gen(function* () {
        const { observe } = yield* Signals
        for (let n = 0; n < 40; n++)
          yield* observe(ended(`${n}`, requestOf(...angry), undefined, { conversation: `${n}` }))
        yield* begun.await
      }).pipe(Effect.provide(Layer.provide(Signals.layer({ gather: 0 }), Layer.succeed(SignalStore, store))))
      assert.lengthOf(yield* whole.list({}, 100, undefined), 40)
    }).pipe(Effect.provide(SignalStoreMemory.layer))
  )

  it.live("goes on after a store that failed", () => {
    let broken = true
    const store = Layer.effect(
      SignalStore,
      Effect.gen(function* () {
        const whole = yield* SignalStore
        return SignalStore.of({
          ...whole,
          keep: (reports, memories) =>
            broken
              ? Effect.fail(new StorageError({ operation: "batch", kind: "full", message: "full" }))
              : whole.keep(reports, memories)
        })
      })
    ).pipe(Layer.provide(SignalStoreMemory.layer))
    return Effect.gen(function* () {
      const { observe, settled, stats } = yield* Signals
      yield* observe(ended("1", requestOf(...angry), answer("no"), { conversation: "other" }))
      yield* settled
      broken = false
      yield* observe(ended("2", requestOf(...angry)))
      assert.isDefined(yield* reportOf("2"))
      assert.deepInclude(yield* stats, { reported: 1, failed: 1 })
    }).pipe(Effect.provide(Layer.provideMerge(Signals.layer({ gather: 0 }), store)))
  })
})

describe("signals are told", () => {
  it.live("as a span with at most 32 events, flagged where that is asked, and as metrics", () => {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    const many = Array.from({ length: 45 }, (_, n) => [user(`this is useless, number ${n}`), assistant(`Aha ${n}.`)])
    return Effect.gen(function* () {
      const { observe } = yield* Signals
      yield* observe(ended("1", requestOf(...many.flat())))
      yield* reportOf("1")
      const span = spans.find(({ name }) => name === "signals 🚩")
      assert.lengthOf(span?.events ?? [], 32)
      assert.strictEqual(span?.attributes.get("signals.quality"), "severe")
      assert.strictEqual(span?.attributes.get("signals.flagged"), true)
      assert.isAbove(Number(span?.attributes.get("signals.events_omitted")), 0)
      assert.strictEqual(span?.attributes.get("signals.interaction.disengagement.severity"), 3)
      const snapshot = yield* Metric.snapshot
      assert.isTrue(snapshot.some(({ id }) => id === "millrace_signals_total"))
    }).pipe(Effect.provide(signals({ flagSpans: true })), Effect.provideService(Tracer.Tracer, tracer))
  })
})
