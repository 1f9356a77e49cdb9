import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Frame } from "../../src/domain/Frame.ts"
import { failure } from "../../src/domain/LlmError.ts"
import type { Upstream, UpstreamRequest } from "../../src/routing/Upstream.ts"
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
