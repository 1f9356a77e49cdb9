import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { Filters, type Filter, NamedFilters } from "../../src/filters/Filter.ts"
import { language } from "../../src/filters/stock/language.ts"
import { maxLength } from "../../src/filters/stock/limits.ts"
import { handOff, refuse, stop, type Ending } from "../../src/filters/Verdict.ts"
import { Router } from "../../src/routing/Router.ts"
import { defaultTimeouts } from "../../src/routing/Timeouts.ts"
import { finish, reasoning, started, text, toolCall, wait, type Script } from "../../src/testing/Script.ts"
import { ScriptedUpstream, scriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import { testEngine } from "../../src/testing/TestEngine.ts"
import { limiterInMemory } from "../accounting/limiting.ts"

const call = callOf(prompt("model", "hello"))

/** The one record of the one call of a test, once it has ended. */
const onlyRecord = Effect.gen(function* () {
  const audit = yield* AuditTrail
  const { data } = yield* audit.list({ limit: 10 })
  assert.strictEqual(data.length, 1)
  return data[0]!
})

const tags = (events: ReadonlyArray<LlmEvent>) => events.map((event) => event._tag)

/** Ends the answer where a delta holds the word. */
const at = (word: string, ending: Ending): Filter => ({
  name: "guard",
  events: () =>
    Stream.mapEffect((event) =>
      "text" in event && event.text.includes(word) ? Effect.fail(ending) : Effect.succeed(event)
    )
})
const onRequest = (ending: Ending): Filter => ({ name: "guard", request: () => ending })

const hello: Script = [started(), text(["Hello ", "bad ", "world"]), finish()]

describe("a filter that refuses", () => {
  it.effect("in the middle of an answer closes its block and ends it as the content filter", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const events = yield* Stream.runCollect(engine.stream(call))
      assert.deepStrictEqual(tags(events), ["Started", "TextStart", "TextDelta", "TextEnd", "Finish"])
      assert.deepInclude(events.at(-1), { reason: "content-filter" })
      const record = yield* onlyRecord
      assert.deepStrictEqual(record.outcome, { kind: "Refused", by: "guard", reason: "rude" })
      assert.strictEqual(record.response?.text, "Hello ")
    }).pipe(Effect.provide(testEngine({ scripts: [hello], filters: [at("bad", refuse("rude"))] })))
  )

  it.effect("what it held back of an answer that another filter cut refuses that one", () =>
    Effect.gen(function* () {
      const { outcome, response } = yield* (yield* Engine).run(call)
      assert.deepInclude(outcome, { _tag: "Refused", by: "english" })
      assert.deepStrictEqual(response.choices[0]?.finish, { reason: "content-filter" })
      assert.notInclude(JSON.stringify(response), "Antwort")
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [[started(), text("Die Antwort auf die Frage ist nicht in dem Buch, das sie haben."), finish()]],
          filters: [
            maxLength({ name: "short", characters: 50 }),
            language({ name: "english", allow: ["en"], hold: true })
          ]
        })
      )
    )
  )

  it.effect("says what to say instead, where it has something to say", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { response } = yield* engine.run(call)
      assert.deepStrictEqual(response.choices[0]?.parts.at(-1), { _tag: "Refusal", text: "No." })
    }).pipe(Effect.provide(testEngine({ scripts: [hello], filters: [at("bad", refuse("rude", { message: "No." }))] })))
  )

  it.effect("in reasoning and in tool arguments too", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      for (const _ of [1, 2]) {
        const { outcome, response } = yield* engine.run(call)
        assert.deepStrictEqual(outcome, { _tag: "Refused", by: "guard", reason: "rude" })
        assert.notInclude(JSON.stringify(response), "bad")
      }
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [
            [started(), reasoning("a bad thought"), text("x"), finish()],
            [started(), text("x"), toolCall("call", "tool", { x: "bad" }), finish("tool-calls")]
          ],
          filters: [at("bad", refuse("rude"))]
        })
      )
    )
  )

  it.effect("lets the provider go", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const running = yield* Effect.forkChild(engine.run(call))
      yield* TestClock.adjust("1 second")
      const { outcome } = yield* Fiber.join(running)
      assert.strictEqual(outcome._tag, "Refused")
      assert.deepStrictEqual(yield* (yield* ScriptedUpstream).endings, ["abandoned"])
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [[started(), text("bad"), wait("1 hour"), finish()]],
          filters: [at("bad", refuse("rude"))]
        })
      )
    )
  )

  it.effect("an answer of which nothing left may be told as an error", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const error = yield* Effect.flip(Stream.runDrain(engine.stream(call)))
      assert.deepStrictEqual(error.reason, { _tag: "ContentBlocked", by: "guard", status: 403 })
      assert.strictEqual((yield* onlyRecord).outcome?.kind, "Refused")
    }).pipe(
      Effect.provide(
        testEngine({ scripts: [hello], filters: [at("Hello", refuse("rude", { as: "error", status: 403 }))] })
      )
    )
  )

  it.effect("a request ends the call with its name and reason, and asks nobody", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const error = yield* Effect.flip(Stream.runDrain(engine.stream(call)))
      assert.deepStrictEqual(error.reason, { _tag: "ContentBlocked", by: "guard" })
      assert.strictEqual(error.message, "Refused by the filter guard: rude")
      assert.deepStrictEqual((yield* onlyRecord).outcome, { kind: "Refused", by: "guard", reason: "rude" })
      assert.strictEqual((yield* (yield* ScriptedUpstream).requests).length, 0)
    }).pipe(Effect.provide(testEngine({ scripts: [], filters: [onRequest(refuse("rude"))] })))
  )

  it.effect("a request may be told as an answer", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { outcome, response } = yield* engine.run(call)
      assert.deepStrictEqual(outcome, { _tag: "Refused", by: "guard", reason: "rude" })
      assert.deepStrictEqual(response.choices, [
        { index: 0, parts: [{ _tag: "Refusal", text: "No." }], finish: { reason: "content-filter" } }
      ])
    }).pipe(
      Effect.provide(
        testEngine({ scripts: [], filters: [onRequest(refuse("rude", { as: "answer", message: "No." }))] })
      )
    )
  )
})

describe("a filter that stops", () => {
  it.effect("cuts the answer as a limit would", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const events = yield* Stream.runCollect(engine.stream(call))
      assert.deepInclude(events.at(-1), { _tag: "Finish", reason: "length" })
      assert.deepStrictEqual((yield* onlyRecord).outcome, {
        kind: "Limited",
        by: "filter",
        filter: "guard",
        reason: "it repeats itself"
      })
    }).pipe(Effect.provide(testEngine({ scripts: [hello], filters: [at("bad", stop("it repeats itself"))] })))
  )
})

/** An engine over several models, each with its script and its filters. */
const modelsEngine = (
  models: Record<string, { readonly scripts: ReadonlyArray<Script>; readonly filters?: ReadonlyArray<string> }>,
  filters: { readonly everyCall?: ReadonlyArray<Filter>; readonly named?: ReadonlyArray<Filter> }
) => {
  const scripted = Object.fromEntries(
    Object.entries(models).map(([model, { scripts }]) => [model, scriptedUpstream(scripts)])
  )
  const router = Layer.succeed(Router, {
    plan: (model) =>
      Effect.succeed({
        targets: [{ provider: "scripted", model, upstream: scripted[model]!.upstream }],
        timeouts: defaultTimeouts,
        ...(models[model]?.filters === undefined ? {} : { filters: models[model].filters })
      }),
    models: Effect.succeed([])
  })
  const layer = Engine.layer.pipe(
    Layer.provide(router),
    Layer.provide(Layer.succeed(Filters, filters.everyCall ?? [])),
    Layer.provide(Layer.succeed(NamedFilters, new Map((filters.named ?? []).map((filter) => [filter.name, filter])))),
    Layer.provideMerge(AuditTrail.layerMemory({ durability: "strict" }))
  )
  return { layer, scripted }
}

/** Marks what passes: `name(` before the user's text, `name>` before every delta. */
const marking = (name: string): Filter => ({
  name,
  request: (request) => Effect.succeed({ ...request, user: `${request.user ?? ""}${name}` }),
  events: () => Stream.map((event) => (event._tag === "TextDelta" ? { ...event, text: `${event.text}${name}` } : event))
})

describe("the chain of a call", () => {
  it.effect("is what every call passes, then what its key names, then what its model names, each once", () =>
    Effect.gen(function* () {
      const [a, b, c, d] = [marking("a"), marking("b"), marking("c"), marking("d")]
      const { layer, scripted } = modelsEngine(
        { model: { scripts: [[started(), text("-"), finish()]], filters: ["c", "b"] } },
        { everyCall: [a], named: [a, b, c, d] }
      )
      yield* Effect.gen(function* () {
        const engine = yield* Engine
        const { response } = yield* engine.run({ ...call, filters: ["b", "a"] })
        assert.deepInclude(response.choices[0]?.parts[0], { text: "-abc" })
        const [request] = yield* scripted["model"]!.requests
        assert.strictEqual(request?.request.user, "abc")
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("fails where one is named that does not exist", () =>
    Effect.gen(function* () {
      const { layer } = modelsEngine({ model: { scripts: [], filters: ["nobody"] } }, {})
      yield* Effect.gen(function* () {
        const { outcome } = yield* (yield* Engine).run(call)
        assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "FilterFailed", filter: "nobody" } })
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("takes the filters of a model along that a filter chooses, and shows them the request", () =>
    Effect.gen(function* () {
      const choose: Filter = { name: "choose", request: (request) => Effect.succeed({ ...request, model: "other" }) }
      const { layer, scripted } = modelsEngine(
        { model: { scripts: [] }, other: { scripts: [[started(), text("-"), finish()]], filters: ["own"] } },
        { everyCall: [choose], named: [marking("own")] }
      )
      yield* Effect.gen(function* () {
        const { response, outcome } = yield* (yield* Engine).run(call)
        assert.strictEqual(outcome._tag, "Completed")
        assert.deepInclude(response.choices[0]?.parts[0], { text: "-own" })
        assert.strictEqual((yield* scripted["other"]!.requests)[0]?.request.user, "own")
      }).pipe(Effect.provide(layer))
    })
  )
})

describe("a filter that hands off", () => {
  const answer: Script = [started("other"), text("from the other"), finish()]

  for (const [when, guard, first] of [
    ["a request", onRequest(handOff("other", "medical")), []],
    ["an answer of which nothing left", at("Hello", handOff("other", "medical")), [hello]]
  ] as const) {
    it.effect(`${when} lets the other model answer, with that model's filters`, () =>
      Effect.gen(function* () {
        const { layer, scripted } = modelsEngine(
          { model: { scripts: first }, other: { scripts: [answer], filters: ["own"] } },
          { everyCall: [guard], named: [marking("!")].map((filter) => ({ ...filter, name: "own" })) }
        )
        yield* Effect.gen(function* () {
          const engine = yield* Engine
          const events = yield* Stream.runCollect(engine.stream(call))
          assert.deepStrictEqual(tags(events), ["Started", "TextStart", "TextDelta", "TextEnd", "Finish"])
          const record = yield* onlyRecord
          assert.deepStrictEqual(record.outcome, { kind: "HandedOff", target: "other", reason: "medical" })
          assert.strictEqual(record.response?.text, "from the other!")
          assert.deepStrictEqual(record.target, { provider: "scripted", model: "other" })
          assert.strictEqual((yield* scripted["other"]!.requests)[0]?.request.user, "!")
        }).pipe(Effect.provide(layer))
      })
    )
  }

  it.effect(
    "keeps the limits of the model that it gives a request to, and gives back what it held of the first one's",
    () =>
      Effect.gen(function* () {
        const { layer } = modelsEngine(
          { model: { scripts: [] }, other: { scripts: [answer, answer] } },
          { everyCall: [onRequest(handOff("other"))] }
        )
        const rules = [
          { model: "model", requests: { total: 1 } },
          { model: "other", requests: { total: 2 } }
        ]
        yield* Effect.gen(function* () {
          const engine = yield* Engine
          const outcomes = [yield* engine.run(call), yield* engine.run(call)].map(({ outcome }) => outcome._tag)
          assert.deepStrictEqual(outcomes, ["HandedOff", "HandedOff"])
          const refused = yield* Effect.flip(engine.run(call))
          assert.strictEqual(refused.reason._tag, "QuotaExceeded")
          assert.include(refused.message, "other")
          // Who was not admitted made no call.
          assert.strictEqual(yield* engine.active, 0)
          assert.lengthOf((yield* (yield* AuditTrail).list({})).data, 2)
        }).pipe(Effect.provide(Layer.provideMerge(layer, limiterInMemory(rules))))
      })
  )

  it.effect("after something left ends the answer, which nobody else can go on with", () =>
    Effect.gen(function* () {
      const { layer, scripted } = modelsEngine(
        { model: { scripts: [hello] }, other: { scripts: [answer] } },
        { everyCall: [at("bad", handOff("other"))] }
      )
      yield* Effect.gen(function* () {
        const { outcome, response } = yield* (yield* Engine).run(call)
        assert.deepStrictEqual(outcome, { _tag: "HandedOff", target: "other" })
        assert.deepStrictEqual(response.choices[0]?.finish, { reason: "content-filter" })
        assert.strictEqual((yield* scripted["other"]!.requests).length, 0)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("in a circle is ended", () =>
    Effect.gen(function* () {
      const { layer } = modelsEngine(
        { model: { scripts: [hello, hello, hello, hello, hello] } },
        { everyCall: [at("Hello", handOff("model"))] }
      )
      yield* Effect.gen(function* () {
        const { outcome } = yield* (yield* Engine).run(call)
        assert.strictEqual(outcome._tag, "HandedOff")
        assert.strictEqual((yield* onlyRecord).attempts.length, 4)
      }).pipe(Effect.provide(layer))
    })
  )
})

describe("what a filter knows", () => {
  it.effect("is the call, and it reports what it found to its record", () => {
    const finding = {
      filter: "seer",
      phase: "request",
      category: "rude",
      severity: "low",
      action: "observed"
    } as const
    const seer: Filter = {
      name: "seer",
      request: (request, { report }) =>
        Effect.as(
          Effect.sync(() => report(finding)),
          request
        )
    }
    return Effect.gen(function* () {
      yield* (yield* Engine).run(call)
      assert.deepStrictEqual((yield* onlyRecord).findings, [finding])
    }).pipe(Effect.provide(testEngine({ scripts: [hello], filters: [seer] })))
  })

  it.effect("are the headers that a filter names, and never one that lets somebody in", () => {
    const seen: Array<object> = []
    const curious: Filter = {
      name: "curious",
      headers: ["X-Team", "authorization", "x-api-key"],
      request: (request, { headers }) =>
        Effect.as(
          Effect.sync(() => void seen.push(headers)),
          request
        )
    }
    return Effect.gen(function* () {
      const engine = yield* Engine
      assert.deepStrictEqual(engine.headersWanted, ["x-team"])
      yield* engine.run(call)
      const headers = { "x-team": "blue", "x-other": "x", authorization: "Bearer secret", "x-api-key": "secret" }
      yield* engine.run({ ...call, headers })
      assert.deepStrictEqual(seen, [{}, { "x-team": "blue" }])
    }).pipe(Effect.provide(testEngine({ scripts: [hello, hello], filters: [curious] })))
  })

  it.effect("is another model's opinion, which is a call of its own and passes no filters", () => {
    const asking: Filter = {
      name: "asking",
      request: (_, { ask }) =>
        Effect.flatMap(ask(prompt("judge", "is this fine?")), ({ choices }) =>
          Effect.fail(refuse(`the judge said ${JSON.stringify(choices[0]?.parts)}`))
        )
    }
    const { layer, scripted } = modelsEngine(
      { model: { scripts: [] }, judge: { scripts: [[started(), text("no"), finish()]] } },
      { everyCall: [asking] }
    )
    return Effect.gen(function* () {
      const { outcome } = yield* (yield* Engine).run(call)
      assert.strictEqual(outcome._tag, "Refused")
      assert.include(JSON.stringify(outcome), "the judge said")
      assert.strictEqual((yield* scripted["judge"]!.requests).length, 1)
      const { data } = yield* (yield* AuditTrail).list({ limit: 10 })
      assert.sameMembers(
        data.map(({ outcome }) => outcome?.kind),
        ["Refused", "Completed"]
      )
    }).pipe(Effect.provide(layer))
  })
})

describe("the record of a call", () => {
  it.effect("has the request as its filters left it", () =>
    Effect.gen(function* () {
      yield* (yield* Engine).run(call)
      const { request } = yield* onlyRecord
      assert.isDefined(request)
      assert.notInclude(JSON.stringify(request), "hello")
      assert.include(JSON.stringify(request), "hidden")
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [hello],
          filters: [{ name: "hide", request: () => Effect.succeed(prompt("model", "hidden")) }]
        })
      )
    )
  )

  it.effect("is there, ended, where its caller left while a filter was at work", () =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const slow: Filter = {
        name: "slow",
        request: () => Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      }
      yield* Effect.gen(function* () {
        const running = yield* Effect.forkChild((yield* Engine).run(call))
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(running)
        assert.deepInclude((yield* onlyRecord).outcome, { kind: "Cancelled", by: "client" })
      }).pipe(Effect.provide(testEngine({ scripts: [hello], filters: [slow] })))
    })
  )
})
