import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { failure, type LlmError } from "../../src/domain/LlmError.ts"
import { makeModelCatalog } from "../../src/routing/ModelCatalog.ts"
import { Upstream } from "../../src/routing/Upstream.ts"

/** A provider that gives the next of `answers` each time it is asked, the last one again and again. */
const provider = (...answers: ReadonlyArray<Effect.Effect<ReadonlyArray<string>, LlmError>>) => {
  let asked = 0
  const listModels = Effect.suspend(() => answers[Math.min(asked++, answers.length - 1)]!)
  return { upstream: { ...Upstream.fromEvents(() => Stream.empty), listModels }, asked: () => asked }
}

const says = (...models: ReadonlyArray<string>) => Effect.succeed(models)
const broken = failure({ _tag: "Transport" }, "nobody listens")

describe("providers are asked for their models", () => {
  it.effect("not before somebody wants to know, and then not again for 5 minutes", () =>
    Effect.gen(function* () {
      const north = provider(says("one"), says("one", "two"))
      const catalog = yield* makeModelCatalog(new Map([["north", north]]))
      assert.deepStrictEqual([...catalog.listed("north")], [])
      assert.strictEqual(north.asked(), 0)
      yield* catalog.ask
      yield* TestClock.adjust("4 minutes")
      yield* catalog.ask
      assert.strictEqual(north.asked(), 1)
      assert.deepStrictEqual([...catalog.listed("north")], ["one"])
      yield* TestClock.adjust("61 seconds")
      yield* catalog.ask
      assert.deepStrictEqual([...catalog.listed("north")], ["one", "two"])
    })
  )

  it.effect("all at once, and none of them longer than 3 seconds", () =>
    Effect.gen(function* () {
      const north = provider(says("one"))
      const catalog = yield* makeModelCatalog(
        new Map([
          ["slow", provider(Effect.never)],
          ["slower", provider(Effect.never)],
          ["north", north]
        ])
      )
      const asking = yield* Effect.forkChild(catalog.ask, { startImmediately: true })
      assert.deepStrictEqual([...catalog.listed("north")], ["one"])
      yield* TestClock.adjust("2900 millis")
      assert.isUndefined(asking.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(asking)
      assert.deepStrictEqual([...catalog.listed("slow")], [])
    })
  )

  it.effect("again after a minute where one failed; what it said before stands until then", () =>
    Effect.gen(function* () {
      const north = provider(says("one"), broken, Effect.die("a defect"), says("two"))
      const catalog = yield* makeModelCatalog(new Map([["north", north]]))
      yield* catalog.ask
      yield* TestClock.adjust("5 minutes")
      yield* catalog.ask
      assert.strictEqual(north.asked(), 2)
      assert.deepStrictEqual([...catalog.listed("north")], ["one"])
      yield* TestClock.adjust("30 seconds")
      yield* catalog.ask
      assert.strictEqual(north.asked(), 2)
      yield* TestClock.adjust("30 seconds")
      yield* catalog.ask
      assert.deepStrictEqual([...catalog.listed("north")], ["one"])
      yield* TestClock.adjust("1 minute")
      yield* catalog.ask
      assert.deepStrictEqual([...catalog.listed("north")], ["two"])
    })
  )

  it.effect("once, however many want to know at the same time, and for nobody who has left", () =>
    Effect.gen(function* () {
      const north = provider(Effect.delay(says("one"), "1 second"))
      const catalog = yield* makeModelCatalog(new Map([["north", north]]))
      const [leaving, staying] = [
        yield* Effect.forkChild(catalog.ask, { startImmediately: true }),
        yield* Effect.forkChild(catalog.ask, { startImmediately: true })
      ]
      yield* Fiber.interrupt(leaving)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(staying)
      assert.strictEqual(north.asked(), 1)
      assert.deepStrictEqual([...catalog.listed("north")], ["one"])
    })
  )

  it.effect("and a thousand of their names are kept, each once", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 2000 }, (_, index) => `model-${index}`)
      const catalog = yield* makeModelCatalog(
        new Map([
          ["many", provider(says(...many))],
          ["odd", provider(says("twice", "twice", "", "x".repeat(257), "two\nlines"))]
        ])
      )
      yield* catalog.ask
      assert.deepStrictEqual([...catalog.listed("many")], many.slice(0, 1000))
      assert.deepStrictEqual([...catalog.listed("odd")], ["twice"])
      assert.deepStrictEqual([...catalog.listed("nobody")], [])
    })
  )
})
