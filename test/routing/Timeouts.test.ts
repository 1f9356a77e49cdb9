import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Frame } from "../../src/domain/Frame.ts"
import { failure, type LlmError } from "../../src/domain/LlmError.ts"
import { refusalPatience, type Timeouts } from "../../src/routing/Timeouts.ts"
import { finish, hang, reasoning, started, text, wait } from "../../src/testing/Script.ts"
import { attemptOf, eventsOf, scriptedAttempt, upstreamOf, type Running } from "./attempts.ts"

const off = { connect: 0, firstToken: 0, idle: 0, total: 0 }

/**
 * Holds that the attempt fails exactly so many milliseconds after it began, of which `from` have gone by, with a timeout
 * of the phase, and that it lets the provider go.
 */
const strikes = (running: Running, phase: Exclude<keyof Timeouts, "wholeFirstByte">, after: number, from = 0) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.flip(Effect.flatMap(running.begin, eventsOf)))
    yield* TestClock.adjust(after - from - 1)
    assert.isUndefined(fiber.pollUnsafe(), "struck too early")
    yield* TestClock.adjust(1)
    const error: LlmError = yield* Fiber.join(fiber)
    assert.deepStrictEqual(error.reason, { _tag: "Timeout", phase })
    assert.include(error.message, phase)
    assert.deepStrictEqual(running.attempt.record().failure?.reason, error.reason)
    assert.strictEqual(running.attempt.record().endedMs, after)
    assert.isDefined(running.attempt.producer?.pollUnsafe())
    yield* running.giveUp
  })

const never = upstreamOf(() => Stream.never)

describe("connect", () => {
  it.effect("strikes where the connection never stands", () =>
    Effect.flatMap(attemptOf(never), (running) => strikes(running, "connect", 10_000))
  )

  it.effect("is over as soon as the connection stands; then the first token is awaited", () =>
    Effect.gen(function* () {
      const upstream = upstreamOf(({ observer }) =>
        Stream.fromEffectDrain(Effect.andThen(Effect.sleep("9 seconds"), Effect.sync(observer.connected))).pipe(
          Stream.concat(Stream.never)
        )
      )
      yield* strikes(yield* attemptOf(upstream), "firstToken", 120_000)
    })
  )

  it.effect("does not strike an upstream made of events: there is nothing to connect to", () =>
    Effect.flatMap(scriptedAttempt([hang]), (running) => strikes(running, "firstToken", 120_000))
  )

  it.effect("bounds whole answers too", () =>
    Effect.flatMap(attemptOf(never, { delivery: "whole" }), (running) => strikes(running, "connect", 10_000))
  )
})

describe("first token", () => {
  it.effect("is not kept off by frames that say nothing", () =>
    Effect.gen(function* () {
      const dripping = [started(), ...Array.from({ length: 60 }, () => [wait("5 seconds"), text("")]).flat()]
      yield* strikes(yield* scriptedAttempt(dripping), "firstToken", 120_000)
    })
  )

  it.effect("is met by reasoning", () =>
    Effect.gen(function* () {
      const script = [started(), wait("119 seconds"), reasoning("hm"), wait("50 seconds"), text("a"), finish()]
      const { begin } = yield* scriptedAttempt(script)
      const fiber = yield* Effect.forkChild(Effect.flatMap(begin, eventsOf))
      yield* TestClock.adjust("169 seconds")
      yield* Fiber.join(fiber)
    })
  )

  it.effect("does not bound a whole answer, nor does idle", () =>
    Effect.gen(function* () {
      const { begin } = yield* scriptedAttempt([wait("590 seconds"), text("a"), finish()], { delivery: "whole" })
      const fiber = yield* Effect.forkChild(Effect.flatMap(begin, eventsOf))
      yield* TestClock.adjust("590 seconds")
      yield* Fiber.join(fiber)
    })
  )
})

describe("idle", () => {
  it.effect("strikes after the last byte, not after a look at the clock", () =>
    Effect.gen(function* () {
      const script = [started(), wait("7 seconds"), text("a"), wait("43 seconds"), text("b"), hang]
      yield* strikes(yield* scriptedAttempt(script), "idle", 110_000)
    })
  )

  it.effect("strikes at its time where the first token came late", () =>
    Effect.gen(function* () {
      const script = [started(), wait("119 seconds"), text("a"), hang]
      yield* strikes(yield* scriptedAttempt(script), "idle", 179_000)
    })
  )

  it.effect("strikes where no other timeout is set", () =>
    Effect.gen(function* () {
      const script = [started(), wait("300 seconds"), text("a"), hang]
      yield* strikes(yield* scriptedAttempt(script, { timeouts: { ...off, idle: 5000 } }), "idle", 305_000)
    })
  )

  it.effect("takes bytes for life that decode to nothing", () =>
    Effect.gen(function* () {
      const content: Frame = {
        protocol: "tested",
        delivery: "stream",
        raw: "a",
        events: [{ _tag: "TextDelta", id: "text", text: "a" }]
      }
      const upstream = upstreamOf(({ observer }) => {
        const ping = Effect.andThen(
          Effect.sleep("50 seconds"),
          Effect.sync(() => observer.bytes(1))
        )
        const pings = Stream.fromEffectDrain(Effect.andThen(ping, ping))
        return Stream.succeed(content).pipe(Stream.concat(pings), Stream.concat(Stream.never))
      })
      yield* strikes(yield* attemptOf(upstream), "idle", 160_000)
    })
  )

  describe("of a slow consumer", () => {
    // Sixteen are taken up to the commit point, sixteen wait, and the provider is held back with the last of them.
    const full = Array.from({ length: 32 }, () => text("a"))

    it.effect("does not strike, and begins when the consumer took what waited", () =>
      Effect.gen(function* () {
        const { attempt, begin } = yield* scriptedAttempt([...full, wait("59 seconds"), text("b"), finish()])
        const committed = yield* begin
        assert.isTrue(attempt.intake.full)
        // A moment before the watchdog looks again: the silence until then was not the provider's.
        yield* TestClock.adjust("239 seconds")
        const fiber = yield* Effect.forkChild(eventsOf(committed))
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).at(-1)?._tag, "Finish")
      })
    )

    it.effect("strikes a provider that then says nothing", () =>
      Effect.gen(function* () {
        const running = yield* scriptedAttempt([...full, hang])
        const committed = yield* running.begin
        yield* TestClock.adjust("100 seconds")
        yield* strikes({ ...running, begin: Effect.succeed(committed) }, "idle", 160_000, 100_000)
      })
    )
  })
})

describe("total", () => {
  it.effect("bounds the stream that goes on and on", () =>
    Effect.gen(function* () {
      const endless = upstreamOf(() =>
        Stream.fromEffectRepeat(
          Effect.as(Effect.sleep("1 second"), {
            protocol: "tested",
            delivery: "stream" as const,
            raw: "a",
            events: [{ _tag: "TextDelta" as const, id: "text", text: "a" }]
          })
        )
      )
      yield* strikes(yield* attemptOf(endless), "total", 600_000)
    })
  )

  it.effect("counts from the beginning of the call", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("500 seconds")
      const running = yield* scriptedAttempt([hang], { calledAt: 0, timeouts: { firstToken: 0 } })
      yield* strikes(running, "total", 100_000)
    })
  )

  it.effect("bounds whole answers", () =>
    Effect.flatMap(scriptedAttempt([hang], { delivery: "whole" }), (running) => strikes(running, "total", 600_000))
  )

  it.effect("leaves an answer alone that the provider has completed", () =>
    Effect.gen(function* () {
      const { attempt, begin } = yield* scriptedAttempt([text("a"), text("b"), finish()])
      const committed = yield* begin
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* eventsOf(committed)).at(-1)?._tag, "Finish")
      assert.isUndefined(attempt.record().failure)
    })
  )
})

describe("0", () => {
  it.effect("switches every timeout off", () =>
    Effect.gen(function* () {
      for (const delivery of ["stream", "whole"] as const) {
        const script = [wait("10 days"), text("a"), wait("10 days"), finish()]
        const { begin } = yield* scriptedAttempt(script, { timeouts: off, delivery })
        const fiber = yield* Effect.forkChild(Effect.flatMap(begin, eventsOf))
        yield* TestClock.adjust("20 days")
        yield* Fiber.join(fiber)
      }
    })
  )

  it.effect("switches one off and leaves the others", () =>
    Effect.gen(function* () {
      yield* strikes(yield* attemptOf(never, { timeouts: { connect: 0 } }), "firstToken", 120_000)
      const idle = yield* scriptedAttempt([text("a"), hang], { timeouts: { idle: 0 } })
      yield* strikes(idle, "total", 600_000)
    })
  )
})

describe("a refusal whose words do not come", () => {
  for (const delivery of ["stream", "whole"] as const) {
    it.effect(`counts by its status after a while: ${delivery}`, () =>
      Effect.gen(function* () {
        const declined = failure({ _tag: "RateLimited" }, "declined")
        const { attempt, begin } = yield* attemptOf(
          {
            stream: () => Stream.never,
            feed: ({ observer }, sink) => {
              observer.head(429)
              return { resume: () => {}, conclude: () => sink.end(Exit.fail(declined)), stop: () => {} }
            }
          },
          { timeouts: off, delivery }
        )
        const fiber = yield* Effect.forkChild(Effect.flip(begin))
        yield* TestClock.adjust(refusalPatience - 1)
        assert.isUndefined(fiber.pollUnsafe(), "struck too early")
        yield* TestClock.adjust(1)
        assert.deepStrictEqual((yield* Fiber.join(fiber)).reason, declined.reason)
        assert.deepInclude(attempt.record(), { status: 429, endedMs: refusalPatience })
      })
    )
  }
})
