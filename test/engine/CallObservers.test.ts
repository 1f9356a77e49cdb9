import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import type { EndedCall } from "../../src/domain/Call.ts"
import { failure } from "../../src/domain/LlmError.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { CallObservers, type CallObserver } from "../../src/engine/CallObservers.ts"
import { Engine } from "../../src/engine/Engine.ts"
import type { Filter } from "../../src/filters/Filter.ts"
import { Router } from "../../src/routing/Router.ts"
import { fail, finish, hang, type Script, started, text } from "../../src/testing/Script.ts"
import { ScriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import { testEngine } from "../../src/testing/TestEngine.ts"

const call = callOf(prompt("model", "hello"))
const hello: Script = [started(), text("Hello"), finish()]

const collecting = () => {
  const seen: Array<EndedCall> = []
  const observer: CallObserver = { name: "collector", ended: (ended) => Effect.sync(() => void seen.push(ended)) }
  return { seen, observer }
}

const withObservers = (observers: ReadonlyArray<CallObserver>, ...scripts: ReadonlyArray<Script>) =>
  Layer.provide(testEngine({ scripts }), Layer.succeed(CallObservers, observers))

describe("an observer of calls", () => {
  it.effect("is told of a call once, with the request and the record that the audit trail has", () => {
    const { observer, seen } = collecting()
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* Stream.runDrain(engine.stream(call))
      assert.lengthOf(seen, 1)
      assert.strictEqual(seen[0]!.call, call)
      assert.deepInclude(seen[0]!.record.outcome, { _tag: "Completed", delivered: true })
      const audit = yield* AuditTrail
      assert.strictEqual((yield* audit.get(seen[0]!.id))?.response?.text, "Hello")
    }).pipe(Effect.provide(withObservers([observer], hello)))
  })

  it.effect("sees the request as its filters left it, and nothing of what they hid", () => {
    const { observer, seen } = collecting()
    const text = '{"messages":[{"role":"user","content":"hello"}]}'
    const origin = { protocol: "openai-chat", body: JSON.parse(text), text, headers: {} }
    const hiding: Filter = {
      name: "hiding",
      request: (request) => Effect.succeed({ ...prompt("model", "[GREETING]"), user: request.model })
    }
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* engine.run({ ...call, origin })
      assert.deepStrictEqual(seen[0]?.call.request, { ...prompt("model", "[GREETING]"), user: "model" })
      assert.notInclude(JSON.stringify(seen[0]), "hello")
    }).pipe(
      Effect.provide(
        Layer.provide(testEngine({ scripts: [hello], filters: [hiding] }), Layer.succeed(CallObservers, [observer]))
      )
    )
  })

  it.effect("is told of a call that failed, or was left", () => {
    const { observer, seen } = collecting()
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* engine.run(call)
      yield* Stream.runDrain(Stream.take(engine.stream(call), 2))
      assert.deepStrictEqual(
        seen.map(({ record }) => record.outcome._tag),
        ["Failed", "Cancelled"]
      )
    }).pipe(
      Effect.provide(
        withObservers(
          [observer],
          [started(), fail(failure({ _tag: "InvalidRequest", kind: "semantic" }, "no"))],
          [started(), text("Hel"), hang]
        )
      )
    )
  })

  it.effect("that dies changes nothing, neither the call nor what the next one is told", () => {
    const { observer, seen } = collecting()
    const broken: CallObserver = { name: "broken", ended: () => Effect.die("broken") }
    const buggy: CallObserver = {
      name: "buggy",
      ended: () => {
        throw new Error("a bug")
      }
    }
    return Effect.gen(function* () {
      const engine = yield* Engine
      const { outcome, response } = yield* engine.run(call)
      assert.deepInclude(outcome, { _tag: "Completed" })
      assert.deepInclude(response.choices[0]?.parts[0], { text: "Hello" })
      assert.lengthOf(seen, 1)
    }).pipe(Effect.provide(withObservers([broken, buggy, observer], hello)))
  })

  it.effect("is not told of a call that was never admitted", () => {
    const { observer, seen } = collecting()
    const refusing = Layer.mock(AuditTrail, {
      open: () => failure({ _tag: "AuditUnavailable" }, "no store"),
      finalize: () => Effect.void
    })
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* Effect.flip(engine.run(call))
      assert.lengthOf(seen, 0)
    }).pipe(
      Effect.provide(
        Engine.layer.pipe(
          Layer.provide(Router.layerSingle),
          Layer.provide([refusing, ScriptedUpstream.layer(hello), Layer.succeed(CallObservers, [observer])])
        )
      )
    )
  })
})
