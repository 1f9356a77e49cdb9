import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { failure } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import type { Filter } from "../../src/filters/Filter.ts"
import { emit, fail, finish, hang, started, text, wait } from "../../src/testing/Script.ts"
import { ScriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import { testEngine } from "../../src/testing/TestEngine.ts"

const call = callOf(prompt("model", "hello"))

/** The one record of the one call of a test, once it has ended. */
const onlyRecord = Effect.gen(function* () {
  const audit = yield* AuditTrail
  const { data } = yield* audit.list({ limit: 10 })
  assert.strictEqual(data.length, 1)
  return data[0]!
})

const tags = (events: ReadonlyArray<LlmEvent>) => events.map((event) => event._tag)

describe("a call that goes well", () => {
  const hello = [started(), text(["Hel", "lo"]), finish("stop", { inputTokens: 3, outputTokens: 2 })]

  it.effect("streams the events and is recorded as completed", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const events = yield* Stream.runCollect(engine.stream(call))
      assert.deepStrictEqual(tags(events), ["Started", "TextStart", "TextDelta", "TextDelta", "TextEnd", "Finish"])
      const record = yield* onlyRecord
      assert.strictEqual(record.status, "ended")
      assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
      assert.deepInclude(record.usage, { inputTokens: 3, outputTokens: 2, source: "provider" })
      assert.strictEqual(record.response?.text, "Hello")
      assert.deepStrictEqual(record.target, { provider: "upstream", model: "model" })
      assert.strictEqual(record.attempts?.length, 1)
    }).pipe(Effect.provide(testEngine({ scripts: [hello] })))
  )

  it.effect("runs to its result", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { outcome, response } = yield* engine.run(call)
      assert.deepStrictEqual(outcome, { _tag: "Completed", finish: "stop", delivered: true })
      assert.strictEqual(response.choices[0]?.parts.length, 1)
      assert.strictEqual(yield* engine.active, 0)
    }).pipe(Effect.provide(testEngine({ scripts: [hello] })))
  )

  it.effect("is in the audit trail, open, before the provider is asked", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.forkChild(Stream.runDrain(engine.stream(call)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* onlyRecord).status, "open")
      assert.strictEqual(yield* engine.active, 1)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.strictEqual((yield* onlyRecord).status, "ended")
    }).pipe(Effect.provide(testEngine({ scripts: [[started(), wait("10 seconds"), text("x"), finish()]] })))
  )

  it.effect("measures the times from the call's arrival", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.forkChild(Stream.runDrain(engine.stream(call)))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      const { timings } = yield* onlyRecord
      assert.deepInclude(timings, { firstByteMs: 2000, firstTokenMs: 5000, totalMs: 9000 })
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [[wait("2 seconds"), started(), wait("3 seconds"), text("x"), wait("4 seconds"), finish()]]
        })
      )
    )
  )
})

describe("a call that fails", () => {
  const overloaded = failure({ _tag: "Overloaded" }, "too busy")

  it.effect("before the commit point fails the opening", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const error = yield* Effect.flip(
        Effect.scoped(Effect.flatMap(engine.open(call), (opened) => Effect.asVoid(opened.answer)))
      )
      assert.strictEqual(error.reason._tag, "Overloaded")
      assert.deepInclude((yield* onlyRecord).outcome, { kind: "Failed", reason: "Overloaded", message: "too busy" })
    }).pipe(Effect.provide(testEngine({ scripts: [[started(), fail(overloaded)]] })))
  )

  it.effect("after it fails the stream, keeps the partial text, and never says completed", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const seen: Array<LlmEvent> = []
      const exit = yield* Effect.exit(
        Stream.runForEach(engine.stream(call), (event) => Effect.sync(() => void seen.push(event)))
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(tags(seen), ["Started", "TextStart", "TextDelta", "TextEnd"])
      const record = yield* onlyRecord
      assert.strictEqual(record.outcome?.kind, "Failed")
      assert.strictEqual(record.response?.text, "partial")
    }).pipe(
      Effect.provide(testEngine({ scripts: [[started(), text("partial"), wait("1 millis"), fail(overloaded)]] })),
      TestClockRunning
    )
  )

  it.effect("without an ending is incomplete, not a success", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { outcome } = yield* engine.run(call)
      assert.deepInclude(outcome, { _tag: "Failed" })
      assert.deepInclude((yield* onlyRecord).outcome, { reason: "IncompleteStream", detail: "noStop" })
    }).pipe(Effect.provide(testEngine({ scripts: [[started(), text("half")]] })))
  )

  it.effect("silently times out on the first token", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.forkChild(engine.run(call))
      yield* TestClock.adjust("119 seconds")
      assert.strictEqual((yield* onlyRecord).status, "open")
      yield* TestClock.adjust("1 second")
      const { outcome } = yield* Fiber.join(fiber)
      assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "Timeout", phase: "firstToken" } })
      const scripted = yield* ScriptedUpstream
      assert.deepStrictEqual(yield* scripted.endings, ["abandoned"])
    }).pipe(Effect.provide(testEngine({ scripts: [[started(), hang]] })))
  )
})

/** Moves the test's clock on while the effect runs. */
const TestClockRunning = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    // First a moment, in which the call is recorded: who jumps over the limit of that wait ends it there.
    yield* TestClock.adjust("1 second")
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

describe("a call whose reader leaves", () => {
  const endless = [started(), text("begun"), hang]

  it.effect("is cancelled by the client, and the provider is left at once", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.forkChild(Stream.runDrain(engine.stream(call)), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      const record = yield* onlyRecord
      assert.deepInclude(record.outcome, { kind: "Cancelled", by: "client" })
      assert.strictEqual(record.response?.text, "begun")
      const scripted = yield* ScriptedUpstream
      assert.deepStrictEqual(yield* scripted.endings, ["abandoned"])
      assert.strictEqual(yield* engine.active, 0)
    }).pipe(Effect.provide(testEngine({ scripts: [endless] })))
  )

  it.effect("that takes only the beginning counts as left", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      yield* Stream.runDrain(Stream.take(engine.stream(call), 1))
      assert.deepInclude((yield* onlyRecord).outcome, { kind: "Cancelled", by: "client" })
    }).pipe(Effect.provide(testEngine({ scripts: [endless] })))
  )

  it.effect("after the model's end but before the delivery is completed, not delivered", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      yield* Effect.scoped(
        Effect.gen(function* () {
          const opened = yield* engine.open(call)
          const { frames } = yield* opened.answer
          yield* Stream.runDrain(frames)
        })
      )
      assert.deepInclude((yield* onlyRecord).outcome, { kind: "Completed", delivered: false })
    }).pipe(Effect.provide(testEngine({ scripts: [[started(), text("x"), finish()]] })))
  )

  it.effect("is cancelled by its caller through its id", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.forkChild(engine.run(call), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      const { id } = yield* onlyRecord
      assert.isTrue(yield* engine.cancel(id))
      const { outcome } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(outcome, { _tag: "Cancelled", by: "caller" })
      assert.isFalse(yield* engine.cancel(id))
    }).pipe(Effect.provide(testEngine({ scripts: [endless] })))
  )

  it.effect("is cancelled by a shutdown", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.forkChild(engine.run(call), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* engine.shutdown
      const { outcome } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(outcome, { _tag: "Cancelled", by: "shutdown" })
    }).pipe(Effect.provide(testEngine({ scripts: [endless] })))
  )
})

describe("filters", () => {
  const shout: Filter = {
    name: "shout",
    events: () =>
      Stream.map((event) => (event._tag === "TextDelta" ? { ...event, text: event.text.toUpperCase() } : event))
  }

  it.effect("change what leaves and what is recorded, not what was used", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { response } = yield* engine.run(call)
      assert.deepInclude(response.choices[0]?.parts[0], { _tag: "Text", text: "QUIET" })
      assert.strictEqual((yield* onlyRecord).response?.text, "QUIET")
    }).pipe(Effect.provide(testEngine({ scripts: [[started(), text("quiet"), finish()]], filters: [shout] })))
  )

  it.effect("change the request before it is sent", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      yield* engine.run(call)
      const scripted = yield* ScriptedUpstream
      const [request] = yield* scripted.requests
      assert.strictEqual(request?.request.user, "somebody")
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [[started(), text("x"), finish()]],
          filters: [{ name: "user", request: (request) => Effect.succeed({ ...request, user: "somebody" }) }]
        })
      )
    )
  )

  it.effect("that refuse a request end the call before the provider is asked", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { outcome } = yield* engine.run(call)
      assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "FilterFailed", filter: "no" } })
      const scripted = yield* ScriptedUpstream
      assert.strictEqual((yield* scripted.requests).length, 0)
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [],
          filters: [{ name: "no", request: () => failure({ _tag: "FilterFailed", filter: "no" }, "not today") }]
        })
      )
    )
  )
})

describe("an answer that grows too large", () => {
  it.effect("is cut: the crossing text is withheld and the ending says length", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const events = yield* Stream.runCollect(engine.stream(call))
      assert.deepStrictEqual(tags(events), ["Started", "TextStart", "TextDelta", "TextEnd", "Finish"])
      assert.deepInclude(events.at(-1), { reason: "length" })
      const record = yield* onlyRecord
      assert.deepInclude(record.outcome, { kind: "Limited", by: "bytes" })
      // Its provider was let go before its end was recorded, and told.
      assert.deepInclude(record.attempts[0], { abandoned: true, endedMs: 0 })
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [
            [
              started(),
              emit({ _tag: "TextStart", id: "t" }, { _tag: "TextDelta", id: "t", text: "x".repeat(4 * 1024 * 1024) }),
              emit({ _tag: "TextDelta", id: "t", text: "y" }),
              hang
            ]
          ]
        })
      )
    )
  )
})
