import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Admission } from "../../src/accounting/Admission.ts"
import { PriceBook, Prices } from "../../src/accounting/PriceBook.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import type { FinalRecord } from "../../src/domain/Call.ts"
import { failure } from "../../src/domain/LlmError.ts"
import { noUsage } from "../../src/domain/Usage.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { emit, fail, finish, hang, started, text, wait, type Script } from "../../src/testing/Script.ts"
import { testEngine } from "../../src/testing/TestEngine.ts"

const call = callOf(prompt("model", "How many words are in this sentence?"))
const sentence = "There are seven words in it, as far as anybody can tell."

/** An engine that reckons a cent for a thousand tokens in, and two out, and keeps what calls are settled with. */
const engine = (scripts: ReadonlyArray<Script>, settled: Array<FinalRecord | undefined> = []) =>
  Layer.provide(testEngine({ scripts }), [
    Layer.succeed(Prices, new PriceBook({ version: "test", models: { model: { input: 10, output: 20 } } })),
    Layer.succeed(Admission, { admit: () => Effect.succeed({ settle: (record) => void settled.push(record) }) })
  ])

const onlyRecord = Effect.gen(function* () {
  const { data } = yield* (yield* AuditTrail).list({ limit: 10 })
  assert.strictEqual(data.length, 1)
  return data[0]!
})

const usageReported = (usage: object) => emit({ _tag: "UsageReported", usage: { source: "provider", ...usage } })

describe("the usage and cost of a call", () => {
  it.effect("are what the provider states, on the attempt and on the call", () =>
    Effect.gen(function* () {
      yield* (yield* Engine).run(call)
      const { attempts, cost, usage } = yield* onlyRecord
      assert.deepStrictEqual(usage, { inputTokens: 8, outputTokens: 14, source: "provider" })
      assert.deepStrictEqual(cost, { microUsd: 8 * 10 + 14 * 20, prices: "test" })
      assert.deepStrictEqual(attempts[0]?.cost, cost)
    }).pipe(Effect.provide(engine([[started(), text(sentence), finish("stop", { inputTokens: 8, outputTokens: 14 })]])))
  )

  it.effect("are what was stated before an end that states nothing, the last of it where it was stated twice", () =>
    Effect.gen(function* () {
      yield* (yield* Engine).run(call)
      const { cost, usage } = yield* onlyRecord
      assert.deepStrictEqual(usage, { inputTokens: 8, outputTokens: 14, source: "provider" })
      assert.deepStrictEqual(cost, { microUsd: 8 * 10 + 14 * 20, prices: "test" })
    }).pipe(
      Effect.provide(
        engine([
          [
            started(),
            usageReported({ inputTokens: 9, outputTokens: 1 }),
            text(sentence),
            usageReported({ inputTokens: 8, outputTokens: 14 }),
            emit({ _tag: "Finish", reason: "stop", usage: { source: "none" } })
          ]
        ])
      )
    )
  )

  it.effect("are estimated where the provider states what cannot be, which no report could add up", () =>
    Effect.gen(function* () {
      yield* (yield* Engine).run(call)
      const { cost, usage = noUsage } = yield* onlyRecord
      assert.deepInclude(usage, { inputTokens: 8, source: "estimated" })
      assert.isBelow(usage.outputTokens ?? Infinity, 20)
      assert.isBelow(cost?.microUsd ?? Infinity, 1000)
    }).pipe(
      Effect.provide(
        engine([[started(), text(sentence), finish("stop", { inputTokens: 8, outputTokens: Number.MAX_SAFE_INTEGER })]])
      )
    )
  )

  it.effect("are estimated, and say so, where the provider states nothing", () =>
    Effect.gen(function* () {
      yield* (yield* Engine).run(call)
      const { cost, usage = noUsage } = yield* onlyRecord
      assert.strictEqual(usage.source, "estimated")
      assert.isTrue(usage.inputTokens! >= 8 && usage.inputTokens! <= 16)
      assert.isTrue(usage.outputTokens! >= 12 && usage.outputTokens! <= 16)
      assert.strictEqual(cost?.microUsd, usage.inputTokens! * 10 + usage.outputTokens! * 20)
    }).pipe(
      Effect.provide(
        engine([[started(), text(sentence), emit({ _tag: "Finish", reason: "stop", usage: { source: "none" } })]])
      )
    )
  )

  it.effect("are estimated of an answer that was left, beyond what was stated until then", () =>
    Effect.gen(function* () {
      const run = yield* Effect.forkChild(Stream.runDrain((yield* Engine).stream(call)))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(run)
      const { outcome, usage = noUsage } = yield* onlyRecord
      assert.strictEqual(outcome?.kind, "Cancelled")
      assert.strictEqual(usage.source, "estimated")
      assert.strictEqual(usage.inputTokens, 8)
      assert.isAtLeast(usage.outputTokens ?? 0, 12)
    }).pipe(
      Effect.provide(engine([[started(), usageReported({ inputTokens: 8, outputTokens: 1 }), text(sentence), hang]]))
    )
  )

  it.effect("are those of a request that was taken and never answered", () =>
    Effect.gen(function* () {
      const run = yield* Effect.forkChild((yield* Engine).run(call))
      yield* TestClock.adjust("3 minutes")
      yield* Fiber.join(run)
      const { cost, outcome, usage = noUsage } = yield* onlyRecord
      assert.deepInclude(outcome, { kind: "Failed", reason: "Timeout" })
      assert.deepInclude(usage, { outputTokens: 0, source: "estimated" })
      assert.strictEqual(cost?.microUsd, usage.inputTokens! * 10)
    }).pipe(Effect.provide(engine([[hang]])))
  )

  it.effect("are absent, not zero, where a provider declined", () =>
    Effect.gen(function* () {
      yield* (yield* Engine).run(call)
      const { attempts, cost, usage } = yield* onlyRecord
      assert.deepStrictEqual(usage, { source: "none" })
      assert.isUndefined(cost)
      assert.isUndefined(attempts[0]?.cost)
    }).pipe(Effect.provide(engine([[fail(failure({ _tag: "InvalidRequest", kind: "semantic" }, "no"))]])))
  )

  it.effect("are not known where the model has no price, which is not nothing", () =>
    Effect.gen(function* () {
      yield* (yield* Engine).run(callOf(prompt("unheard-of", "hello")))
      assert.deepStrictEqual((yield* onlyRecord).cost, { microUsd: null, prices: "test" })
    }).pipe(Effect.provide(engine([[started("unheard-of"), text("x"), finish()]])))
  )

  it.effect("are told once to whoever admitted the call, as they are recorded", () => {
    const settled: Array<FinalRecord | undefined> = []
    return Effect.gen(function* () {
      const { run } = yield* Engine
      yield* run(call)
      const left = yield* Effect.forkChild(run(call))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(left)
      const { data } = yield* (yield* AuditTrail).list({ limit: 10 })
      // Calls of the same millisecond are listed in no order.
      assert.sameDeepMembers(
        settled.map((record) => [record?.id, record?.cost, record?.usage]),
        data.map(({ id, cost, usage }) => [id, cost, usage])
      )
    }).pipe(
      Effect.provide(
        engine(
          [
            [started(), text("x"), finish()],
            [started(), text(sentence), wait("1 hour")]
          ],
          settled
        )
      )
    )
  })
})

describe("a call that is not admitted", () => {
  it.effect("is told so, and there is no record of it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip((yield* Engine).run(call))
      assert.strictEqual(error.message, "Enough")
      assert.deepStrictEqual((yield* (yield* AuditTrail).list({})).data, [])
      assert.strictEqual(yield* (yield* Engine).active, 0)
    }).pipe(
      Effect.provide(
        Layer.provide(
          testEngine({ scripts: [] }),
          Layer.succeed(Admission, { admit: () => Effect.fail(failure({ _tag: "RateLimited" }, "Enough")) })
        )
      )
    )
  )
})

describe("prices that break", () => {
  it.effect("leave a call without a cost, and with its record", () =>
    Effect.suspend(() => {
      const settled: Array<FinalRecord | undefined> = []
      const none = () => {
        throw new Error("there are no prices")
      }
      const prices = new Proxy(new PriceBook({ version: "none", models: {} }), { get: none })
      return Effect.gen(function* () {
        const { outcome } = yield* (yield* Engine).run(call)
        assert.strictEqual(outcome._tag, "Completed")
        const { cost, outcome: recorded, usage } = yield* onlyRecord
        assert.isUndefined(cost)
        assert.deepInclude(recorded, { kind: "Completed", delivered: true })
        assert.deepInclude(usage, { inputTokens: 8, outputTokens: 14 })
        assert.strictEqual(settled.length, 1)
      }).pipe(
        Effect.provide(
          Layer.provide(
            testEngine({ scripts: [[text(sentence), finish("stop", { inputTokens: 8, outputTokens: 14 })]] }),
            [
              Layer.succeed(Prices, prices),
              Layer.succeed(Admission, {
                admit: () => Effect.succeed({ settle: (record) => void settled.push(record) })
              })
            ]
          )
        )
      )
    })
  )
})
