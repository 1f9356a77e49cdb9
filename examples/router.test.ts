// The router of router.ts, tested with two scripted providers on a virtual clock.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { AuditTrail, callOf, Engine, failure, prompt } from "millrace"
import { Script, scriptedUpstream } from "millrace/testing"
import { smartRouter } from "./router.ts"

const answer = (text: string) => [Script.started(), Script.text(text), Script.finish()]

/** What a caller gets and when, in milliseconds, where the two places play these scripts. */
const asked = Effect.fnUntraced(function* (first: Script.Script, second: Script.Script) {
  const places = { first: scriptedUpstream([first]), second: scriptedUpstream([second]) }
  const engine = Engine.layer.pipe(
    Layer.provide(smartRouter({ first: places.first.upstream, second: places.second.upstream })),
    Layer.provideMerge(AuditTrail.layerMemory({ durability: "strict" }))
  )
  return yield* Effect.gen(function* () {
    const running = yield* Effect.forkChild(Engine.use(({ run }) => run(callOf(prompt("smart", "Hello")))))
    yield* TestClock.adjust("1 minute")
    const { id, outcome, response } = yield* Fiber.join(running)
    const record = yield* AuditTrail.use((audit) => audit.get(id))
    return {
      outcome,
      parts: response.choices[0]?.parts,
      attempts: record?.attempts.map(({ provider, startedAt }) => [provider, startedAt]),
      endings: [...(yield* places.first.endings), ...(yield* places.second.endings)]
    }
  }).pipe(Effect.provide(engine))
})

describe("the model smart", () => {
  it.effect("asks the first place alone while that answers", () =>
    Effect.gen(function* () {
      const { attempts, endings } = yield* asked(answer("first"), answer("second"))
      assert.deepStrictEqual(attempts, [["first", 0]])
      assert.deepStrictEqual(endings, ["completed"])
    })
  )

  it.effect("goes to the second at once where the first is asked too often", () =>
    Effect.gen(function* () {
      const busy = [Script.fail(failure({ _tag: "RateLimited" }, "slow down", { retryAfterMs: 60_000 }))]
      const { attempts, parts } = yield* asked(busy, answer("second"))
      assert.deepStrictEqual(attempts, [
        ["first", 0],
        ["second", 0]
      ])
      assert.deepInclude(parts?.[0], { text: "second" })
    })
  )

  it.effect("takes the first word of either where the first is slow, and lets the other go", () =>
    Effect.gen(function* () {
      const { attempts, endings, parts } = yield* asked([Script.hang], answer("second"))
      assert.deepStrictEqual(attempts, [
        ["first", 0],
        ["second", 3_000]
      ])
      assert.deepInclude(parts?.[0], { text: "second" })
      assert.deepStrictEqual(endings, ["abandoned", "completed"])
    })
  )

  it.effect("goes on at the second where the first breaks off, without saying anything twice", () =>
    Effect.gen(function* () {
      const broken = [
        Script.started(),
        Script.text(["Once ", "upon "]),
        Script.fail(failure({ _tag: "Transport" }, "reset"))
      ]
      const { outcome, parts } = yield* asked(broken, answer("Once upon a time"))
      assert.deepInclude(outcome, { _tag: "Completed" })
      assert.strictEqual(parts?.map((part) => (part._tag === "Text" ? part.text : "")).join(""), "Once upon a time")
    })
  )

  it.effect("is the only one", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Engine.use(({ run }) => run(callOf(prompt("smarter", "Hello")))))
      assert.deepStrictEqual(error.reason, { _tag: "UnknownModel", model: "smarter", near: ["smart"] })
    }).pipe(
      Effect.provide(
        Engine.layer.pipe(
          Layer.provide(smartRouter({ first: scriptedUpstream([]).upstream, second: scriptedUpstream([]).upstream })),
          Layer.provide(AuditTrail.layerMemory())
        )
      )
    )
  )
})
