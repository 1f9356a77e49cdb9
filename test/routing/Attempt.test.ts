import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Logger, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import { frameOf, type Frame } from "../../src/domain/Frame.ts"
import { failure, type LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { emit, fail, finish, hang, reasoning, started, text, toolCall, wait } from "../../src/testing/Script.ts"
import { attemptOf, eventsOf, framesOf, scriptedAttempt, tags, upstreamOf } from "./attempts.ts"

const broken = failure({ _tag: "Transport" }, "the line broke")
const frame = (raw: string, ...events: ReadonlyArray<LlmEvent>): Frame => ({
  protocol: "tested",
  delivery: "stream",
  raw,
  events
})
const delta = (piece: string): LlmEvent => ({ _tag: "TextDelta", id: "text", text: piece })
const end = (outputTokens = 1): LlmEvent => ({
  _tag: "Finish",
  reason: "stop",
  usage: { outputTokens, source: "provider" }
})

/** What a failure says, whoever it is said to be of. */
const told = ({ reason, message }: LlmError) => ({ reason, message })

describe("the commit point", () => {
  it.effect("is the first content: what begins a block or says nothing is held until then", () =>
    Effect.gen(function* () {
      const { attempt, begin, giveUp } = yield* scriptedAttempt([
        started(),
        wait("1 second"),
        emit({ _tag: "TextStart", id: "text" }),
        wait("1 second"),
        emit(delta("")),
        wait("1 second"),
        emit(delta("Hel")),
        wait("1 second"),
        emit(delta("lo"), { _tag: "TextEnd", id: "text" }),
        finish()
      ])
      const fiber = yield* Effect.forkChild(begin)
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const committed = yield* Fiber.join(fiber)
      assert.deepStrictEqual(tags(committed.held.flatMap(({ events }) => events)), [
        "Started",
        "TextStart",
        "TextDelta",
        "TextDelta"
      ])
      assert.deepInclude(attempt.record(), { firstByteMs: 0, firstTokenMs: 3000 })
      const rest = yield* Effect.forkChild(eventsOf(committed))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(tags(yield* Fiber.join(rest)).at(-1), "Finish")
      yield* giveUp
    })
  )

  for (const [name, step] of [
    ["reasoning", reasoning("hm")],
    ["a tool call", toolCall("call", "look", {})],
    ["a refusal", emit({ _tag: "RefusalDelta", text: "no" })],
    ["redacted reasoning", emit({ _tag: "ReasoningStart", id: "r", redacted: "x" })]
  ] as const) {
    it.effect(`is reached with ${name}`, () =>
      Effect.gen(function* () {
        const { attempt, begin, giveUp } = yield* scriptedAttempt([started(), step, hang])
        yield* begin
        assert.isDefined(attempt.firstToken)
        yield* giveUp
      })
    )
  }

  it.effect("is reached with the end of an answer that has no content", () =>
    Effect.gen(function* () {
      const { attempt, begin, giveUp } = yield* scriptedAttempt([started(), finish("stop")])
      assert.deepStrictEqual(tags(yield* eventsOf(yield* begin)), ["Started", "Finish"])
      assert.isUndefined(attempt.firstToken)
      yield* giveUp
    })
  )

  it.effect("is never reached where the failure comes first", () =>
    Effect.gen(function* () {
      const { attempt, begin, giveUp, ending } = yield* scriptedAttempt([started(), fail(broken)])
      assert.deepStrictEqual(told(yield* Effect.flip(begin)), told(broken))
      assert.deepStrictEqual(attempt.record().failure, { reason: { _tag: "Transport" }, message: "the line broke" })
      yield* giveUp
      assert.strictEqual(yield* ending, "failed")
    })
  )

  it.effect("has a bound on what is held for it", () =>
    Effect.gen(function* () {
      const ping = frame(" ".repeat(1024 * 1024))
      const { attempt, begin, giveUp } = yield* attemptOf(upstreamOf(() => Stream.forever(Stream.succeed(ping))))
      assert.deepStrictEqual((yield* Effect.flip(begin)).reason, { _tag: "InvalidOutput", kind: "tooMuch" })
      assert.isBelow(attempt.frames, 64)
      yield* giveUp
    })
  )
})

describe("an answer that does not end", () => {
  it.effect("is empty where nothing came", () =>
    Effect.gen(function* () {
      const { begin } = yield* scriptedAttempt([])
      assert.deepStrictEqual((yield* Effect.flip(begin)).reason, { _tag: "IncompleteStream", kind: "empty" })
    })
  )

  it.effect("is incomplete where something came, before and after the commit point", () =>
    Effect.gen(function* () {
      const before = yield* scriptedAttempt([started()])
      assert.deepStrictEqual((yield* Effect.flip(before.begin)).reason, { _tag: "IncompleteStream", kind: "noStop" })
      const after = yield* scriptedAttempt([started(), text("Hel")])
      const error = yield* Effect.flip(eventsOf(yield* after.begin))
      assert.deepStrictEqual(error.reason, { _tag: "IncompleteStream", kind: "noStop" })
      assert.deepStrictEqual(after.attempt.record().failure?.reason, error.reason)
    })
  )

  it.effect("delivers what came before its failure", () =>
    Effect.gen(function* () {
      const { begin } = yield* scriptedAttempt([text(["a", "b"]), wait("1 second"), text("c", "more"), fail(broken)])
      const committed = yield* begin
      const seen: Array<LlmEvent> = []
      const fiber = yield* framesOf(committed).pipe(
        Stream.runForEach(({ events }) => Effect.sync(() => seen.push(...events))),
        Effect.flip,
        Effect.forkChild
      )
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(told(yield* Fiber.join(fiber)), told(broken))
      assert.strictEqual(seen.filter(({ _tag }) => _tag === "TextDelta").length, 3)
    })
  )
})

describe("what follows Finish", () => {
  const framesFrom = (...frames: ReadonlyArray<Frame>) =>
    Effect.gen(function* () {
      const running = yield* attemptOf(upstreamOf(() => Stream.rechunk(Stream.fromIterable(frames), 2)))
      const seen = yield* Stream.runCollect(framesOf(yield* running.begin))
      return { seen, record: running.attempt.record() }
    })

  it.effect("does not count, in the same frame, the same batch or later", () =>
    Effect.gen(function* () {
      const first = frame("1", delta("a"))
      const { seen, record } = yield* framesFrom(
        first,
        frame("2", end(5), delta("b")),
        frame("3", delta("c")),
        frame("4", end(9)),
        frame("5", delta("d"))
      )
      assert.strictEqual(seen[0], first)
      assert.deepStrictEqual(
        seen.flatMap(({ events }) => events),
        [delta("a"), end(5)]
      )
      assert.deepStrictEqual(
        seen.map(({ raw }) => raw),
        ["1", undefined, "4"]
      )
      assert.isUndefined(record.failure)
    })
  )

  it.effect("is still read for the usage, and a frame that only ends the transport stays what it is", () =>
    Effect.gen(function* () {
      const terminator = frame("[end]")
      const late: LlmEvent = { _tag: "UsageReported", usage: { inputTokens: 7, source: "provider" } }
      const { seen, record } = yield* framesFrom(
        frame("1", delta("a")),
        frame("2", end(5)),
        frame("3", late),
        terminator
      )
      assert.deepStrictEqual(record.usage, { inputTokens: 7, outputTokens: 5, source: "provider" })
      assert.strictEqual(seen.at(-1), terminator)
      assert.deepStrictEqual(seen.at(-2), frame("3"))
    })
  )

  it.effect("may be a failure: the answer is complete all the same", () =>
    Effect.gen(function* () {
      const { attempt, begin } = yield* scriptedAttempt([text("a"), finish(), fail(broken)])
      assert.strictEqual((yield* eventsOf(yield* begin)).at(-1)?._tag, "Finish")
      assert.isUndefined(attempt.record().failure)
    })
  )

  it.effect("may be a hanging transport: the answer ends well after a moment, and lets it go", () =>
    Effect.gen(function* () {
      const { attempt, begin, ending } = yield* scriptedAttempt([text("a"), finish(), hang])
      const fiber = yield* Effect.forkChild(Effect.flatMap(begin, eventsOf))
      yield* TestClock.adjust("249 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).at(-1)?._tag, "Finish")
      assert.isUndefined(attempt.record().failure)
      assert.strictEqual(yield* ending, "abandoned")
    })
  )

  it.effect("may drip on: that does not keep the transport", () =>
    Effect.gen(function* () {
      const ping = Stream.fromEffectRepeat(Effect.as(Effect.sleep("100 millis"), frame("[ping]")))
      const answer = Stream.make(frame("1", delta("a"), end()))
      const { begin } = yield* attemptOf(upstreamOf(() => Stream.concat(answer, ping)))
      const fiber = yield* Effect.forkChild(Stream.runCollect(framesOf(yield* begin)))
      yield* TestClock.adjust("250 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).length, 3)
    })
  )

  it.effect("may be its terminator, and the end of the transport: then the answer ends at once", () =>
    Effect.gen(function* () {
      const later = Stream.fromEffect(Effect.as(Effect.sleep("100 millis"), frame("[end]")))
      const answer = Stream.make(frame("1", delta("a"), end()))
      const { begin } = yield* attemptOf(upstreamOf(() => Stream.concat(answer, later)))
      const fiber = yield* Effect.forkChild(Stream.runCollect(framesOf(yield* begin)))
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).at(-1)?.raw, "[end]")
    })
  )
})

describe("the record", () => {
  it.effect("merges the usage: per field the last statement counts", () =>
    Effect.gen(function* () {
      const usage = (inputTokens: number, outputTokens: number): LlmEvent => ({
        _tag: "UsageReported",
        usage: { inputTokens, outputTokens, source: "provider" }
      })
      const { attempt, begin } = yield* scriptedAttempt([
        emit(usage(3, 0), { _tag: "TextStart", id: "text" }, delta("a"), usage(3, 4)),
        finish("stop", { outputTokens: 6 })
      ])
      yield* eventsOf(yield* begin)
      assert.deepStrictEqual(attempt.record().usage, { inputTokens: 3, outputTokens: 6, source: "provider" })
    })
  )

  it.effect("keeps status, bytes and notices that the upstream told", () =>
    Effect.gen(function* () {
      const { attempt, begin, notices } = yield* attemptOf(
        upstreamOf(({ observer }) => {
          observer.connected()
          observer.notice({ code: "dropped", message: "seed" })
          observer.head(200)
          observer.bytes(3)
          observer.bytes(4)
          return Stream.make(frame("1", delta("a")), frame("2", end()))
        })
      )
      yield* eventsOf(yield* begin)
      assert.deepInclude(attempt.record(), { provider: "tested", model: "model", status: 200, firstByteMs: 0 })
      assert.strictEqual(attempt.bytes, 7)
      assert.deepStrictEqual(notices, [{ code: "dropped", message: "seed" }])
    })
  )
})

describe("an upstream with a defect", () => {
  it.effect("is our own failure, with its cause in the log only", () =>
    Effect.gen(function* () {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message, cause }) => lines.push(message, cause))
      const { attempt, begin } = yield* attemptOf(
        upstreamOf(() => Stream.concat(Stream.make(frame("1", delta("a"))), Stream.die(new Error("a secret place"))))
      )
      const error = yield* Effect.flatMap(begin, eventsOf).pipe(
        Effect.flip,
        Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
        Effect.provideService(References.MinimumLogLevel, "Error")
      )
      assert.strictEqual(error.reason._tag, "Internal")
      assert.notInclude(error.message, "secret")
      assert.strictEqual(attempt.record().failure?.reason._tag, "Internal")
      assert.include(String(lines), "tested")
    })
  )
})

describe("giving up", () => {
  it.effect("interrupts the upstream before the commit point, and is no failure of it", () =>
    Effect.gen(function* () {
      const { attempt, begin, giveUp, ending } = yield* scriptedAttempt([started(), hang])
      const fiber = yield* Effect.forkChild(begin)
      yield* TestClock.adjust("1 second")
      yield* giveUp
      assert.strictEqual(yield* ending, "abandoned")
      assert.isUndefined(attempt.record().failure)
      assert.strictEqual(attempt.record().endedMs, 1000)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("waits for what the upstream has to release", () =>
    Effect.gen(function* () {
      let released = 0
      const { begin, giveUp } = yield* attemptOf(
        upstreamOf(() =>
          Stream.concat(Stream.make(frame("1", delta("a"))), Stream.never).pipe(
            Stream.ensuring(
              Effect.andThen(
                Effect.yieldNow,
                Effect.sync(() => released++)
              )
            )
          )
        )
      )
      yield* begin
      assert.strictEqual(released, 0)
      yield* giveUp
      assert.strictEqual(released, 1)
    })
  )

  it.effect("leaves no fiber behind, whichever way the attempt went", () =>
    Effect.gen(function* () {
      const scripts = [
        [text("a"), finish()],
        [text("a"), hang],
        [started(), hang],
        [text("a"), fail(broken)],
        [fail(broken)],
        [text("a")]
      ]
      for (const script of scripts) {
        const { attempt, begin, giveUp, ending } = yield* scriptedAttempt(script)
        const fiber = yield* Effect.forkChild(Effect.exit(begin), { startImmediately: true })
        yield* giveUp
        assert.isDefined(attempt.producer?.pollUnsafe())
        assert.isDefined(yield* ending)
        // A watchdog that went on would wake up and abort.
        const before = attempt.record()
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(attempt.record(), before)
        yield* Fiber.interrupt(fiber)
      }
    })
  )
})

describe("an abort from outside", () => {
  const cancelled = failure({ _tag: "Overloaded" }, "cancelled")

  it.effect("lets the provider go at once, even where nobody takes the answer", () =>
    Effect.gen(function* () {
      const { attempt, begin, ending } = yield* scriptedAttempt([text("a"), hang])
      const committed = yield* begin
      attempt.abort(cancelled)
      yield* Effect.yieldNow
      assert.strictEqual(yield* ending, "abandoned")
      assert.strictEqual(yield* Effect.flip(Effect.flatMap(committed.rest, () => committed.rest)), cancelled)
      // Nobody is to blame for it.
      assert.deepInclude(attempt.record(), { abandoned: true })
      assert.isUndefined(attempt.record().failure)
    })
  )

  it.effect("ends an answer that waits for a slow caller, though the provider is through", () =>
    Effect.gen(function* () {
      const { attempt, begin } = yield* scriptedAttempt([text("a"), wait("1 second"), text("b", "more"), finish()])
      const committed = yield* begin
      yield* TestClock.adjust("1 second")
      attempt.abort(cancelled)
      const exit = yield* Effect.exit(eventsOf(committed))
      assert.isTrue(Exit.isFailure(exit))
      // The provider's part went well.
      assert.isUndefined(attempt.record().failure)
    })
  )
})

it.effect("passes frames on as they are, and whole batches as they came", () =>
  Effect.gen(function* () {
    const batches = [
      [frame("1", delta("a")), frame("2", delta("b"))],
      [frame("3"), frame("4", delta("c")), frame("5", end())]
    ] as const
    const { begin } = yield* attemptOf(
      upstreamOf(() => Stream.concat(Stream.fromArray(batches[0]), Stream.fromArray(batches[1])))
    )
    const seen = yield* Stream.runCollect(framesOf(yield* begin))
    const sent = batches.flat()
    assert.strictEqual(seen.length, sent.length)
    for (const [index, one] of seen.entries()) assert.strictEqual(one, sent[index])
    assert.notStrictEqual(seen[0], frameOf([delta("a")]))
  })
)
