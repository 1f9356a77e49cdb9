import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Frame } from "../../src/domain/Frame.ts"
import { failure } from "../../src/domain/LlmError.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { Router } from "../../src/routing/Router.ts"
import { Upstream, type UpstreamRequest } from "../../src/routing/Upstream.ts"
import * as Script from "../../src/testing/Script.ts"
import { scriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import { failAfter, slowStart, stallAfter, truncateAfter } from "../../src/testing/Faults.ts"

const broken = failure({ _tag: "Transport" }, "the line broke")
const sent = ["a", "b", "c", "d"].map((raw): Frame => ({ protocol: "tested", delivery: "stream", raw, events: [] }))
/** All frames in one batch: a fault has to strike within it. */
const whole: Upstream["Service"] = {
  stream: () => Stream.fromArray(sent),
  countTokens: () => Effect.succeed(42)
}

const request: UpstreamRequest = {
  request: { model: "model", messages: [], sampling: {} },
  model: "model",
  delivery: "stream",
  dialect: undefined,
  origin: undefined,
  observer: { connected: () => undefined, head: () => undefined, bytes: () => undefined, notice: () => undefined }
}

/** Reads as far as it goes; `seen` grows meanwhile. */
const reading = (upstream: Upstream["Service"]) =>
  Effect.gen(function* () {
    const seen: Array<string | undefined> = []
    const fiber = yield* upstream.stream(request).pipe(
      Stream.runForEach(({ raw }) => Effect.sync(() => seen.push(raw))),
      Effect.match({ onFailure: (error) => error, onSuccess: () => undefined }),
      Effect.forkChild({ startImmediately: true })
    )
    return { seen, fiber }
  })

for (const count of [0, 1, 3]) {
  const before = ["a", "b", "c"].slice(0, count)

  describe(`after ${count} frames`, () => {
    it.effect("an upstream fails", () =>
      Effect.gen(function* () {
        const { seen, fiber } = yield* reading(failAfter(count, broken)(whole))
        assert.strictEqual(yield* Fiber.join(fiber), broken)
        assert.deepStrictEqual(seen, before)
      })
    )

    it.effect("an upstream ends as if it were well", () =>
      Effect.gen(function* () {
        const { seen, fiber } = yield* reading(truncateAfter(count)(whole))
        assert.isUndefined(yield* Fiber.join(fiber))
        assert.deepStrictEqual(seen, before)
      })
    )

    it.effect("an upstream says nothing more", () =>
      Effect.gen(function* () {
        const { seen, fiber } = yield* reading(stallAfter(count)(whole))
        yield* TestClock.adjust("1 day")
        assert.isUndefined(fiber.pollUnsafe())
        assert.deepStrictEqual(seen, before)
        yield* Fiber.interrupt(fiber)
      })
    )
  })
}

it.effect("a slow start delays everything", () =>
  Effect.gen(function* () {
    const { seen, fiber } = yield* reading(slowStart("10 seconds")(whole))
    yield* TestClock.adjust("9 seconds")
    assert.deepStrictEqual(seen, [])
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(fiber)
    assert.deepStrictEqual(seen, ["a", "b", "c", "d"])
  })
)

it.effect("a fault leaves the rest of an upstream alone, and other faults", () =>
  Effect.gen(function* () {
    const faulty = slowStart("1 second")(failAfter(2, broken)(whole))
    assert.strictEqual(yield* faulty.countTokens!({ ...request }), 42)
    const { seen, fiber } = yield* reading(faulty)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* Fiber.join(fiber), broken)
    assert.deepStrictEqual(seen, ["a", "b"])
  })
)

describe("in an engine", () => {
  const answer = scriptedUpstream(
    Array.from({ length: 2 }, () => [Script.started(), Script.text("hi"), Script.finish()])
  )
  const outcomeAfter = (millis: number, upstream: Upstream["Service"]) =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const running = yield* Effect.forkChild(engine.run(callOf(prompt("any", "Hello"))))
      yield* TestClock.adjust(millis - 1)
      assert.isUndefined(running.pollUnsafe())
      yield* TestClock.adjust(1)
      return (yield* Fiber.join(running)).outcome
    }).pipe(
      Effect.provide(
        Engine.layer.pipe(
          Layer.provide(Layer.provide(Router.layerSingle, Upstream.layer(upstream))),
          Layer.provide(AuditTrail.layerMemory())
        )
      )
    )

  it.effect("a slow start is a provider that thinks, not one that cannot be reached", () =>
    Effect.gen(function* () {
      const outcome = yield* outcomeAfter(15_000, slowStart("15 seconds")(answer.upstream))
      assert.deepInclude(outcome, { _tag: "Completed" })
    })
  )

  it.effect("a provider that never says anything keeps the first token waiting", () =>
    Effect.gen(function* () {
      const outcome = yield* outcomeAfter(120_000, stallAfter(0)(answer.upstream))
      assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "Timeout", phase: "firstToken" } })
    })
  )
})
