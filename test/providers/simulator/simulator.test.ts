import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import type { LlmError } from "../../../src/domain/LlmError.ts"
import type { Delivery } from "../../../src/domain/LlmRequest.ts"
import { makeSimulatorUpstream } from "../../../src/providers/simulator/simulator.ts"
import { attempt, request, type Told } from "./requests.ts"

/** A run of a model that can be looked at while it goes on. */
const start = (model: string, delivery: Delivery = "stream", upstream = makeSimulatorUpstream()) =>
  Effect.gen(function* () {
    const events: Array<LlmEvent> = []
    const told: Told = { heads: [], notices: [] }
    const fiber = yield* upstream.stream(attempt(request(model), delivery, told)).pipe(
      Stream.runForEach((frame) => Effect.sync(() => void events.push(...frame.events))),
      Effect.result,
      Effect.forkChild({ startImmediately: true })
    )
    const deltas = () => events.filter((event) => event._tag.endsWith("Delta")).length
    return { events, told, fiber, deltas }
  })

const failureOf = (model: string, delivery: Delivery = "stream") =>
  Effect.gen(function* () {
    const run = yield* start(model, delivery)
    yield* TestClock.adjust("1 minute")
    const result = yield* Fiber.join(run.fiber)
    // Every stream in this file fails with LlmError alone.
    return { ...run, error: result._tag === "Failure" ? (result.failure as LlmError) : undefined }
  })

describe("the simulator", () => {
  it.effect("writes at its pace, and no faster", () =>
    Effect.gen(function* () {
      const run = yield* start("words-5?head=100&first=1s&pace=50ms")
      yield* TestClock.adjust("99 millis")
      assert.deepStrictEqual(run.told.heads, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(run.told.heads, [200])
      assert.deepStrictEqual(
        run.events.map((event) => event._tag),
        ["Started", "UsageReported"]
      )
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(run.deltas(), 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(run.deltas(), 1)
      yield* TestClock.adjust("149 millis")
      assert.strictEqual(run.deltas(), 3)
      yield* TestClock.adjust("51 millis")
      assert.strictEqual(run.deltas(), 5)
      yield* Fiber.join(run.fiber)
      assert.strictEqual(run.events.at(-1)?._tag, "Finish")
    })
  )

  it.effect("needs no time where no pace is asked", () =>
    Effect.gen(function* () {
      const run = yield* start("fast-500")
      yield* Fiber.join(run.fiber)
      assert.strictEqual(run.deltas(), 500)
    })
  )

  it.effect("gives a whole answer at once, after the whole time only where a pace is asked", () =>
    Effect.gen(function* () {
      const unpaced = yield* start("words-5", "whole")
      yield* Fiber.join(unpaced.fiber)
      assert.strictEqual(unpaced.deltas(), 5)

      const paced = yield* start("words-5?first=100&pace=50", "whole")
      yield* TestClock.adjust("299 millis")
      assert.strictEqual(paced.events.length, 0)
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(paced.fiber)
      assert.strictEqual(paced.deltas(), 5)
    })
  )

  it.effect("names each answer anew", () =>
    Effect.gen(function* () {
      const upstream = makeSimulatorUpstream()
      const runs = yield* Effect.all([start("echo", "stream", upstream), start("echo", "stream", upstream)])
      const ids = runs.map((run) => (run.events[0]?._tag === "Started" ? run.events[0].id : ""))
      assert.strictEqual(new Set(ids).size, 2)
    })
  )
})

describe("faults of the simulator", () => {
  it.effect("refuse with the status, the message and the hint", () =>
    Effect.gen(function* () {
      const { error, told, events } = yield* failureOf("echo?status=429&retry-after=2&message=busy")
      assert.deepStrictEqual(error?.reason, { _tag: "RateLimited" })
      assert.strictEqual(error?.retryAfterMs, 2000)
      assert.strictEqual(error?.message, "busy")
      assert.deepStrictEqual(error?.fault, { status: 429 })
      assert.deepStrictEqual(told.heads, [429])
      assert.deepStrictEqual(events, [])
      assert.strictEqual((yield* failureOf("echo?status=401")).error?.reason._tag, "Unauthorized")
      assert.strictEqual((yield* failureOf("echo?status=529")).error?.reason._tag, "Overloaded")
      assert.strictEqual((yield* failureOf("echo?status=500")).error?.reason._tag, "UpstreamServer")
      assert.strictEqual((yield* failureOf("echo?status=400")).error?.reason._tag, "InvalidRequest")
    })
  )

  it.effect("break the stream after so many pieces of content", () =>
    Effect.gen(function* () {
      const expected = {
        reset: "Transport",
        truncate: "IncompleteStream",
        malformed: "InvalidOutput",
        error: "UpstreamServer"
      }
      for (const [name, reason] of Object.entries(expected)) {
        for (const [after, deltas] of [
          [0, 0],
          [3, 3],
          [900, 6]
        ] as const) {
          const run = yield* failureOf(`words-6?${name}=${after}`)
          assert.strictEqual(run.error?.reason._tag, reason)
          assert.strictEqual(run.deltas(), deltas, `${name}=${after}`)
          assert.isFalse(run.events.some((event) => event._tag === "Finish"))
          if (after === 0) assert.deepStrictEqual(run.events, [])
        }
        const whole = yield* failureOf(`words-6?${name}=3`, "whole")
        assert.strictEqual(whole.error?.reason._tag, reason)
        assert.deepStrictEqual(whole.events, [])
      }
      const empty = yield* failureOf("words-6?truncate")
      assert.deepStrictEqual(empty.error?.reason, { _tag: "IncompleteStream", kind: "empty" })
      const overloaded = yield* failureOf("words-6?error=2&status=529")
      assert.strictEqual(overloaded.error?.reason._tag, "Overloaded")
    })
  )

  it.effect("are silent for ever", () =>
    Effect.gen(function* () {
      const hanging = yield* start("echo?hang")
      const stalled = yield* start("words-6?stall=2")
      yield* TestClock.adjust("1 day")
      assert.isUndefined(hanging.fiber.pollUnsafe())
      assert.deepStrictEqual([hanging.told.heads, hanging.events], [[], []])
      assert.isUndefined(stalled.fiber.pollUnsafe())
      assert.strictEqual(stalled.deltas(), 2)
    })
  )

  it.effect("strike as often as told, then the model recovers", () =>
    Effect.gen(function* () {
      const upstream = makeSimulatorUpstream()
      const outcomes = yield* Effect.forEach([1, 2, 3, 4], () =>
        Effect.flatMap(start("echo?status=503&times=2", "stream", upstream), (run) => Fiber.join(run.fiber))
      )
      assert.deepStrictEqual(
        outcomes.map((outcome) => outcome._tag),
        ["Failure", "Failure", "Success", "Success"]
      )
    })
  )

  it.effect("say that splits need a connection", () =>
    Effect.gen(function* () {
      const run = yield* start("echo?one-byte")
      yield* Fiber.join(run.fiber)
      assert.deepStrictEqual(run.told.notices, ["simulator_splits"])
      assert.strictEqual(run.events.at(-1)?._tag, "Finish")
    })
  )
})
