import { assert, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Result, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Admission } from "../../src/accounting/Admission.ts"
import { Ledger } from "../../src/accounting/Ledger.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { failure } from "../../src/domain/LlmError.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine, EngineLimits } from "../../src/engine/Engine.ts"
import { block } from "../../src/filters/stock/words.ts"
import { emit, fail, finish, hang, started, text, wait, type Script } from "../../src/testing/Script.ts"
import { testEngine } from "../../src/testing/TestEngine.ts"
import { candidate, limiterInMemory, moment } from "../accounting/limiting.ts"

const words = "Some words that nobody needs, and some more of them."
const stated = { inputTokens: 20, outputTokens: 12 }
const unstated = emit({ _tag: "Finish", reason: "stop", usage: { source: "none" } })

/** What a provider does with a call, by the name of how that ends. */
const scripts: { readonly [ending: string]: Script } = {
  finishes: [started(), text(words), finish("stop", stated)],
  "finishes without a word about usage": [started(), text(words), unstated],
  "is declined": [fail(failure({ _tag: "InvalidRequest", kind: "semantic" }, "no"))],
  "is not understood": [started(), fail(failure({ _tag: "UpstreamServer" }, "broken"))],
  breaks: [started(), text(words), fail(failure({ _tag: "Transport" }, "gone"))],
  "ends early": [started(), text(words)],
  "falls silent": [started(), text(words), hang],
  "never answers": [hang],
  "says too much": [started(), text(words), text(words.repeat(100)), finish("stop", stated)],
  "says what a filter refuses": [started(), text(words), text("unspeakable"), finish("stop", stated)],
  "takes its time": [started(), text(words), wait("20 seconds"), finish("stop", stated)]
}
const Ending = Schema.Struct({
  script: Schema.Literals(Object.keys(scripts)),
  left: Schema.Literals(["no", "at once", "later", "cancelled", "shut down"]),
  streamed: Schema.Boolean
})

it.effect.prop(
  "whichever way calls end, limits and ledger have counted what their records say, and nothing is held any more",
  [Schema.Array(Ending).check(Schema.isMaxLength(6))],
  ([endings]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(moment)
      const rule = { requests: { total: 1e6 }, tokens: { total: 1e9 }, cost: { total: 1e6 }, concurrent: 1000 }
      const services = yield* Layer.build(
        Layer.provideMerge(
          testEngine({
            scripts: endings.map(({ script }) => scripts[script] ?? []),
            filters: [Result.getOrThrow(block({ name: "no", words: ["unspeakable"] }))]
          }),
          Layer.merge(limiterInMemory([rule]), Layer.succeed(EngineLimits, { maxText: 2000 }))
        )
      )
      const engine = Context.get(services, Engine)
      for (const { left, streamed } of endings) {
        const call = { ...callOf(prompt("model", "hello")), caller: { key: "k" } }
        const run = streamed ? Stream.runDrain(engine.stream(call)) : Effect.asVoid(engine.run(call))
        const fiber = yield* Effect.forkChild(Effect.ignore(run), { startImmediately: true })
        if (left === "at once") yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust("5 seconds")
        if (left === "later") yield* Fiber.interrupt(fiber)
        if (left === "shut down") yield* engine.shutdown
        if (left === "cancelled") {
          const { data } = yield* Context.get(services, AuditTrail).list({ status: "open" })
          for (const { id } of data) yield* engine.cancel(id)
        }
        yield* TestClock.adjust("20 minutes")
        yield* Fiber.await(fiber)
      }
      assert.strictEqual(yield* engine.active, 0)

      const { data } = yield* Context.get(services, AuditTrail).list({ limit: 100 })
      const attempts = data.flatMap((record) => record.attempts)
      const sum = (of: (attempt: (typeof attempts)[number]) => number | null | undefined) =>
        attempts.reduce((all, attempt) => all + (of(attempt) ?? 0), 0)
      const tokens = sum(({ usage }) => (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0))
      const microUsd = sum(({ cost }) => cost?.microUsd)

      const { total } = yield* Context.get(services, Ledger).report({ by: [] })
      assert.strictEqual(total.calls, data.length)
      assert.strictEqual(total.inputTokens + total.outputTokens, tokens)
      assert.strictEqual(total.microUsd, microUsd)

      const last = yield* Context.get(services, Admission).admit(candidate({ request: { inputLength: 0 } }))
      const counted = Object.fromEntries(
        (last.states?.(moment) ?? []).map(({ limit, measure, remaining }) => [measure, limit - remaining])
      )
      const asked = data.filter((record) => record.attempts.length > 0).length
      assert.deepStrictEqual(counted, { requests: asked + 1, tokens, cost: microUsd, concurrent: 1 })
    }).pipe(Effect.scoped)
)
