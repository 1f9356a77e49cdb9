import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Random } from "effect"
import { TestClock } from "effect/testing"
import { Engine } from "../../src/engine/Engine.ts"
import { fail, hang, text, wait } from "../../src/testing/Script.ts"
import { TargetStates } from "../../src/routing/TargetStates.ts"
import {
  call,
  course,
  engineOver,
  errorOf,
  fails,
  place,
  reasons,
  records,
  says,
  type Place,
  type RouteOptions
} from "./routes.ts"

/** Runs one call while time passes as fast as it may; its text, or the tag of its failure. */
const outcome = Effect.gen(function* () {
  const engine = yield* Engine
  const fiber = yield* Effect.forkChild(engine.run(call))
  yield* TestClock.adjust("20 minutes")
  const { outcome, response } = yield* Fiber.join(fiber)
  if (outcome._tag === "Failed") return outcome.reason._tag
  const part = response.choices[0]?.parts[0]
  return part?._tag === "Text" ? part.text : outcome._tag
})

/** What a call comes to over these targets, and its course; without jitter. */
const route = (places: ReadonlyArray<Place>, options: RouteOptions = {}) =>
  Effect.gen(function* () {
    return { outcome: yield* outcome, course: yield* course }
  }).pipe(Effect.provide(engineOver(places, options)), Effect.provideService(Random.Random, still))

/** Runs something in the background, and lets a moment pass: it has come as far as it can at once. */
const begun = <A, E>(effect: Effect.Effect<A, E>) => Effect.tap(Effect.forkChild(effect), TestClock.adjust("1 millis"))

/** Records are in order where they are not of the same moment. */
const apart = <A, E>(effect: Effect.Effect<A, E>) => Effect.tap(effect, TestClock.adjust("1 millis"))

const still = { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => 0 }

const expectRoute = (
  places: ReadonlyArray<Place>,
  expected: { readonly outcome: string; readonly course: ReadonlyArray<string> },
  options: RouteOptions = {}
) => Effect.map(route(places, options), (found) => assert.deepStrictEqual(found, expected))

describe("a failure that may pass", () => {
  for (const reason of [reasons.server, reasons.reset, reasons.empty, reasons.garbage]) {
    it.effect(`is tried once more at the same target, then elsewhere: ${reason._tag}`, () =>
      Effect.gen(function* () {
        yield* expectRoute([place("a", [fails(reason), says("again")]), place("b", [])], {
          outcome: "again",
          course: [`a:${reason._tag}`, "a after 200"]
        })
        yield* expectRoute([place("a", [fails(reason), fails(reason)]), place("b", [says("other")])], {
          outcome: "other",
          course: [`a:${reason._tag}`, `a:${reason._tag} after 200`, "b"]
        })
      })
    )
  }

  it.effect("is tried four times in all, with longer and longer waits, where there is one target", () =>
    expectRoute(
      [
        place(
          "a",
          [1, 2, 3, 4].map(() => fails(reasons.server))
        )
      ],
      {
        outcome: "UpstreamServer",
        course: [
          "a:UpstreamServer",
          "a:UpstreamServer after 200",
          "a:UpstreamServer after 400",
          "a:UpstreamServer after 800"
        ]
      }
    )
  )

  it.effect("is waited for no longer than the cap, and tried as often as is said", () =>
    expectRoute(
      [
        place(
          "a",
          [1, 2, 3, 4, 5].map(() => fails(reasons.server))
        )
      ],
      {
        outcome: "UpstreamServer",
        course: [0, 1000, 1500, 1500, 1500].map((wait) => `a:UpstreamServer${wait === 0 ? "" : ` after ${wait}`}`)
      },
      {
        policy: {
          retry: { maxAttempts: 5, initialDelay: 1000, maxDelay: 1500 },
          breaker: { failures: 0, openFor: 1, maxOpenFor: 1 }
        }
      }
    )
  )

  it.effect("goes round while there are attempts left", () =>
    expectRoute(
      [
        place("a", [fails(reasons.server), fails(reasons.server), says("a at last")]),
        place("b", [fails(reasons.overloaded)])
      ],
      {
        outcome: "a at last",
        course: ["a:UpstreamServer", "a:UpstreamServer after 200", "b:Overloaded", "a after 400"]
      }
    )
  )
})

describe("a target that is busy or silent", () => {
  it.effect("is left for the next one at once", () =>
    Effect.gen(function* () {
      for (const reason of [reasons.rateLimited, reasons.overloaded]) {
        yield* expectRoute([place("a", [fails(reason)]), place("b", [says("b")])], {
          outcome: "b",
          course: [`a:${reason._tag}`, "b"]
        })
      }
      yield* expectRoute([place("a", [[hang]]), place("b", [says("b")])], { outcome: "b", course: ["a:Timeout", "b"] })
    })
  )

  it.effect("is asked again only where nobody else is left", () =>
    expectRoute(
      [
        place("silent", [[hang], says("at last")]),
        place("b", [fails(reasons.overloaded), fails(reasons.unauthorized)])
      ],
      { outcome: "at last", course: ["silent:Timeout", "b:Overloaded", "b:Unauthorized after 200", "silent after 400"] }
    )
  )
})

describe("a target that cannot do it", () => {
  for (const reason of [
    reasons.unauthorized,
    reasons.forbidden,
    reasons.quota,
    reasons.unknownModel,
    reasons.unsupported
  ]) {
    it.effect(`is out for the call: ${reason._tag}`, () =>
      Effect.gen(function* () {
        yield* expectRoute([place("a", [fails(reason)]), place("b", [fails(reasons.overloaded), says("b")])], {
          outcome: "b",
          course: [`a:${reason._tag}`, "b:Overloaded", "b after 200"]
        })
        yield* expectRoute([place("a", [fails(reason)])], { outcome: reason._tag, course: [`a:${reason._tag}`] })
      })
    )
  }

  it.effect("because the context is too long is left for one with a larger window, not a smaller one", () =>
    expectRoute(
      [
        place("a", [fails(reasons.tooLong)], { capabilities: { contextWindow: 8000 } }),
        place("smaller", [says("no")], { capabilities: { contextWindow: 4000 } }),
        place("same", [says("no")], { capabilities: { contextWindow: 8000 } }),
        place("larger", [says("yes")], { capabilities: { contextWindow: 100_000 } })
      ],
      { outcome: "yes", course: ["a:ContextTooLong", "larger"] }
    )
  )
})

describe("a request that nobody will answer", () => {
  for (const reason of [reasons.invalid, reasons.blocked]) {
    it.effect(`ends at once: ${reason._tag}`, () =>
      expectRoute([place("a", [fails(reason)]), place("b", [says("b")])], {
        outcome: reason._tag,
        course: [`a:${reason._tag}`]
      })
    )
  }

  it.effect("is asked elsewhere where a refusal may be routed around", () =>
    expectRoute(
      [place("a", [fails(reasons.blocked)]), place("b", [says("b")])],
      { outcome: "b", course: ["a:ContentBlocked", "b"] },
      { policy: { fallbackOn: ["content-blocked"] } }
    )
  )

  it.effect("lacks what a target is declared to have", () =>
    Effect.gen(function* () {
      const tools = [{ _tag: "Function" as const, name: "look" }]
      const asking = { ...call, request: { ...call.request, tools } }
      const run = Effect.flatMap(Engine, (engine) => engine.run(asking))
      const plain = { capabilities: { features: [] } }
      const able = { capabilities: { features: ["tools" as const] } }
      const found = yield* Effect.provide(run, engineOver([place("a", [], plain), place("b", [says("b")], able)]))
      assert.strictEqual(found.outcome._tag, "Completed")
      const none = yield* Effect.provide(run, engineOver([place("a", [], plain)]))
      assert.deepInclude(none.outcome, { _tag: "Failed", reason: { _tag: "Unsupported", feature: "tools" } })
    })
  )
})

describe("what a provider says about coming back", () => {
  it.effect("is waited for, and backed off for at least as long", () =>
    Effect.gen(function* () {
      yield* expectRoute([place("a", [fails(reasons.rateLimited, { retryAfterMs: 3000 }), says("a")])], {
        outcome: "a",
        course: ["a:RateLimited", "a after 3000"]
      })
      yield* expectRoute([place("a", [fails(reasons.server, { retryAfterMs: 50 }), says("a")])], {
        outcome: "a",
        course: ["a:UpstreamServer", "a after 200"]
      })
    })
  )

  it.effect("does not bring back together whom it told the same moment, and nobody before it", () =>
    Effect.gen(function* () {
      const told = fails(reasons.rateLimited, { retryAfterMs: 3000 })
      const answers = Array.from({ length: 20 }, () => says("a"))
      const waits = yield* Effect.gen(function* () {
        const engine = yield* Engine
        const calls = yield* Effect.forEach(answers, () => begun(engine.run(call)))
        yield* TestClock.adjust("20 minutes")
        yield* Effect.forEach(calls, (fiber) => Fiber.join(fiber))
        return (yield* records).map(({ attempts, timings }) => timings.openedAt + (attempts.at(-1)?.waitedMs ?? 0))
      }).pipe(Effect.provide(engineOver([place("a", [told, ...answers])])))
      assert.isAtLeast(Math.min(...waits), 3000)
      assert.isAtMost(Math.max(...waits), 3300)
      assert.isAbove(new Set(waits).size, 5)
    })
  )

  it.effect("takes a call elsewhere where that is too long", () =>
    expectRoute([place("a", [fails(reasons.server, { retryAfterMs: 6000 })]), place("b", [says("b")])], {
      outcome: "b",
      course: ["a:UpstreamServer", "b"]
    })
  )

  it.effect("is told the caller where nobody else is left, by all calls until then", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const answer = Effect.scoped(Effect.flatMap(engine.open(call), (opened) => Effect.asVoid(opened.answer)))
      const first = yield* Effect.flip(answer)
      assert.deepStrictEqual([first.reason._tag, first.retryAfterMs], ["RateLimited", 60_000])
      yield* TestClock.adjust("20 seconds")
      const second = yield* Effect.flip(answer)
      assert.deepStrictEqual([second.reason._tag, second.retryAfterMs], ["RateLimited", 40_000])
      assert.deepStrictEqual(
        (yield* records).map(({ attempts }) => attempts.length),
        [1, 0]
      )
      yield* TestClock.adjust("40 seconds")
      yield* answer
    }).pipe(Effect.provide(engineOver([place("a", [fails(reasons.rateLimited, { retryAfterMs: 60_000 }), says("a")])])))
  )

  it.effect("is believed for an hour, however long it says", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const answer = Effect.scoped(Effect.flatMap(engine.open(call), (opened) => Effect.asVoid(opened.answer)))
      yield* Effect.flip(answer)
      yield* TestClock.adjust("59 minutes")
      yield* Effect.flip(answer)
      yield* TestClock.adjust("1 minute")
      yield* answer
    }).pipe(Effect.provide(engineOver([place("a", [fails(reasons.rateLimited, { retryAfterMs: 1e12 }), says("a")])])))
  )

  it.effect("is not waited for beyond the time that the call has", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { outcome } = yield* engine.run({ ...call, timeoutMs: 1000 })
      assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "RateLimited" } })
    }).pipe(Effect.provide(engineOver([place("a", [fails(reasons.rateLimited, { retryAfterMs: 3000 })])])))
  )

  it.effect("is not waited for longer than the call has, whatever is drawn", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.forkChild(engine.run({ ...call, timeoutMs: 3010 }))
      yield* TestClock.adjust("20 minutes")
      assert.deepInclude((yield* Fiber.join(fiber)).outcome, { _tag: "Completed" })
    }).pipe(
      Effect.provide(engineOver([place("a", [fails(reasons.rateLimited, { retryAfterMs: 3000 }), says("a")])])),
      Effect.provideService(Random.Random, { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => 0.999 })
    )
  )
})

describe("what is shown of a target", () => {
  it.effect("is how long its answers took, not what its failures count as where one is chosen", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { all, of } = yield* TargetStates
      yield* engine.run(call)
      assert.deepInclude((yield* all)[0], { failures: 1, latencyMs: 0 })
      const { latency } = of({ provider: "a", model: "m" })
      assert.isAtLeast(latency.read(0), 5000)
      const fiber = yield* Effect.forkChild(engine.run(call))
      yield* TestClock.adjust("70 millis")
      yield* Fiber.join(fiber)
      assert.deepInclude((yield* all)[0], { failures: 1, latencyMs: 70 })
    }).pipe(Effect.provide(engineOver([place("a", [fails(reasons.unauthorized), [wait("70 millis"), ...says("a")]])])))
  )
})

describe("what is counted of a target", () => {
  const [broken, late] = [fail(errorOf(reasons.reset)), [wait("1 second"), fail(errorOf(reasons.reset))]]
  for (const [name, script] of Object.entries({
    "before its content": [broken],
    "right after its content": [text("a"), broken],
    later: [text("a"), ...late]
  })) {
    it.effect(`is a failure ${name}, once, and nothing after the end`, () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        for (let index = 0; index < 2; index++) {
          const fiber = yield* Effect.forkChild(engine.run(call))
          yield* TestClock.adjust("2 seconds")
          yield* Fiber.join(fiber)
        }
        assert.deepInclude((yield* (yield* TargetStates).all)[0], { attempts: 2, failures: 1 })
      }).pipe(
        Effect.provide(
          engineOver([place("a", [script, [...says("a"), ...late]])], {
            policy: { retry: { maxAttempts: 1, initialDelay: 200, maxDelay: 5000 } }
          })
        )
      )
    )
  }
})

describe("where a target is chosen by how fast it is", () => {
  it.effect("a request that it refused for what it is does not make it slow", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      for (let index = 0; index < 3; index++) yield* apart(engine.run(call))
      const { of } = yield* TargetStates
      assert.strictEqual(of({ provider: "a", model: "m" }).latency.read(1), 0)
    }).pipe(Effect.provide(engineOver([place("a", [fails(reasons.invalid), fails(reasons.blocked), says("a")])])))
  )
})

describe("an upstream that throws before it begins", () => {
  const broken = () => {
    throw new Error("it cannot begin")
  }
  for (const [name, upstream] of Object.entries({
    "a stream": { stream: broken },
    "a connection": { stream: broken, feed: broken }
  })) {
    it.effect(`fails as one that breaks later: ${name}`, () =>
      Effect.gen(function* () {
        const { target, ...scripted } = place("a", [])
        const run = Effect.gen(function* () {
          const engine = yield* Engine
          const { outcome } = yield* engine.run(call)
          assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "Internal" } })
          const [record] = yield* records
          assert.deepInclude(record?.attempts[0]?.failure, { reason: { _tag: "Internal" } })
          assert.strictEqual(record?.attempts[0]?.endedMs, 0)
        })
        yield* Effect.provide(run, engineOver([{ ...scripted, target: { ...target, upstream } }]))
      })
    )
  }
})

describe("a provider with several keys", () => {
  const keyed = (scripts: { readonly [label: string]: ReadonlyArray<ReturnType<typeof says>> }): Place => {
    const base = place("a", [])
    const [first, ...others] = Object.entries(scripts).map(
      ([label, played]) => place("a", played, { key: label }).target
    )
    if (first === undefined) throw new Error("there are keys")
    return { ...base, target: { ...base.target, keys: [first, ...others] } }
  }

  it.effect("is asked by each of them in turn", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      for (let index = 0; index < 4; index++) yield* apart(engine.run(call))
      const used = (yield* records).map(({ attempts }) => attempts[0]?.key)
      assert.deepStrictEqual(used, ["two", "one", "two", "one"])
    }).pipe(Effect.provide(engineOver([keyed({ one: [says("1"), says("1")], two: [says("2"), says("2")] })])))
  )

  it.effect("is asked by another one at once where one is limited or refused, and by that one later", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const run = apart(engine.run(call))
      yield* run
      assert.deepStrictEqual(yield* course, ["a(two):RateLimited", "a(one)"])
      // The limit of one key is no other key's, and holds for all calls.
      yield* run
      yield* run
      assert.deepStrictEqual(yield* course, ["a(one)"])
      yield* TestClock.adjust("1 minute")
      yield* run
      yield* run
      const used = (yield* records).slice(-2).flatMap(({ attempts }) => attempts.map(({ key }) => key))
      assert.sameMembers(used, ["one", "two"])
    }).pipe(
      Effect.provide(
        engineOver([
          keyed({
            one: [1, 2, 3, 4].map(() => says("1")),
            two: [fails(reasons.rateLimited, { retryAfterMs: 60_000 }), says("2"), says("2")]
          })
        ])
      )
    )
  )

  it.effect("goes on to the next target once all are refused", () =>
    expectRoute([keyed({ one: [fails(reasons.unauthorized)], two: [fails(reasons.quota)] }), place("b", [says("b")])], {
      outcome: "b",
      course: ["a(two):QuotaExceeded", "a(one):Unauthorized", "b"]
    })
  )
})

describe("a circuit", () => {
  const five = [1, 2, 3, 4, 5].map(() => fails(reasons.overloaded))

  it.effect("opens after five failures in a row, is tried once, and opens for longer where that fails", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const run = Effect.map(engine.run(call), ({ outcome }) =>
        outcome._tag === "Failed" ? outcome.reason._tag : outcome._tag
      )
      const runs = (count: number) => Effect.forEach(Array.from({ length: count }), () => run)
      assert.deepStrictEqual(
        yield* runs(5),
        Array.from({ length: 5 }, () => "Overloaded")
      )
      assert.deepStrictEqual(yield* runs(2), ["NoRoute", "NoRoute"])
      yield* TestClock.adjust("10 seconds")
      // The trial fails.
      assert.deepStrictEqual(yield* runs(2), ["Overloaded", "NoRoute"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* runs(1), ["NoRoute"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* runs(2), ["Completed", "Completed"])
    }).pipe(
      Effect.provide(
        engineOver([place("a", [...five, fails(reasons.overloaded), says("a"), says("a")])], {
          policy: { retry: { maxAttempts: 1, initialDelay: 200, maxDelay: 5000 } }
        })
      )
    )
  )

  it.effect("lets one call try while the others are sent elsewhere, and says when to come back", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      for (let index = 0; index < 5; index++) yield* engine.run(call)
      yield* TestClock.adjust("10 seconds")
      const trial = yield* begun(engine.run(call))
      const refused = yield* Effect.flip(
        Effect.scoped(Effect.flatMap(engine.open(call), (opened) => Effect.asVoid(opened.answer)))
      )
      assert.strictEqual(refused.reason._tag, "NoRoute")
      assert.isDefined(refused.retryAfterMs)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(trial)).outcome._tag, "Completed")
    }).pipe(
      Effect.provide(
        engineOver([place("a", [...five, [wait("1 second"), ...says("a")]])], {
          policy: { retry: { maxAttempts: 1, initialDelay: 200, maxDelay: 5000 } }
        })
      )
    )
  )

  it.effect("stays closed where requests are refused for what they are, and forgets failures at a success", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const scripts = 12
      for (let index = 0; index < scripts; index++) yield* engine.run(call)
      assert.deepStrictEqual(
        (yield* records).map(({ attempts }) => attempts.length),
        Array.from({ length: scripts }, () => 1)
      )
    }).pipe(
      Effect.provide(
        engineOver(
          [place("a", [...five.slice(1), says("a"), ...five.slice(1), ...[1, 2, 3].map(() => fails(reasons.invalid))])],
          { policy: { retry: { maxAttempts: 1, initialDelay: 200, maxDelay: 5000 } } }
        )
      )
    )
  )

  it.effect("frees the trial of a call whose caller left", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      for (let index = 0; index < 5; index++) yield* engine.run(call)
      yield* TestClock.adjust("10 seconds")
      const trial = yield* begun(engine.run(call))
      yield* Fiber.interrupt(trial)
      assert.strictEqual((yield* engine.run(call)).outcome._tag, "Completed")
    }).pipe(
      Effect.provide(
        engineOver([place("a", [...five, [hang], says("a")])], {
          policy: { retry: { maxAttempts: 1, initialDelay: 200, maxDelay: 5000 } }
        })
      )
    )
  )
})

describe("as many calls as a target takes", () => {
  const slow = () => [wait("2 seconds"), ...says("a")]
  const limits = { concurrency: 1, queue: 1, maxWait: 10_000 }

  it.effect("are answered at a time; one waits, and what is more is told to come back", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const first = yield* begun(engine.run(call))
      const second = yield* begun(engine.run(call))
      const third = yield* Effect.flip(
        Effect.scoped(Effect.flatMap(engine.open(call), (opened) => Effect.asVoid(opened.answer)))
      )
      assert.deepStrictEqual([third.reason._tag, third.retryAfterMs], ["NoRoute", 1000])
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(first)).outcome._tag, "Completed")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(second)).outcome._tag, "Completed")
      const waits = (yield* records).map(({ attempts }) => attempts[0]?.waitedMs)
      assert.sameMembers(waits, [0, 1999, undefined])
    }).pipe(Effect.provide(engineOver([place("a", [slow(), slow()], { limits })])))
  )

  it.effect("go to another target while it has room", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const first = yield* begun(engine.run(call))
      yield* engine.run(call)
      assert.deepStrictEqual(yield* course, ["b"])
      yield* Fiber.interrupt(first)
    }).pipe(Effect.provide(engineOver([place("a", [slow()], { limits }), place("b", [says("b")])])))
  )

  it.effect("leave it alone where it says so to one of them while they are in line", () =>
    Effect.suspend(() => {
      const told = [wait("1 second"), fail(errorOf(reasons.rateLimited, { retryAfterMs: 30_000 }))]
      const a = place("a", [told, says("too early")], { limits: { ...limits, queue: 10 } })
      return Effect.gen(function* () {
        const engine = yield* Engine
        const calls = [yield* begun(engine.run(call)), yield* begun(engine.run(call)), yield* begun(engine.run(call))]
        yield* TestClock.adjust("2 seconds")
        for (const fiber of calls) {
          assert.deepInclude((yield* Fiber.join(fiber)).outcome, { _tag: "Failed", reason: { _tag: "RateLimited" } })
        }
        assert.lengthOf(yield* a.scripted.requests, 1)
      }).pipe(Effect.provide(engineOver([a])))
    })
  )

  it.effect("wait in line only until another target may be asked again", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const first = yield* begun(engine.run(call))
      yield* engine.run(call).pipe(Effect.forkChild, Effect.andThen(TestClock.adjust("1 second")))
      const third = yield* begun(engine.run(call))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(third)).outcome._tag, "Completed")
      assert.deepStrictEqual(yield* course, ["b after 2000"])
      yield* Fiber.interrupt(first)
    }).pipe(
      Effect.provide(
        engineOver([
          place("a", [[hang]], { limits }),
          place("b", [fails(reasons.rateLimited, { retryAfterMs: 3000 }), says("b"), says("b")])
        ])
      ),
      Effect.provideService(Random.Random, still)
    )
  )

  it.effect("wait ten seconds and no longer; a place that is given up is another's", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const first = yield* begun(engine.run(call))
      const second = yield* begun(engine.run(call))
      yield* TestClock.adjust("10 seconds")
      const { outcome } = yield* Fiber.join(second)
      assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "NoRoute" } })
      const third = yield* begun(engine.run(call))
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* Fiber.join(third)).outcome._tag, "Completed")
    }).pipe(Effect.provide(engineOver([place("a", [[hang], says("a")], { limits })])))
  )
})

describe("hedging", () => {
  const policy = { hedgeAfter: 500 }

  it.effect("asks a second target after a while; the first content is the answer, and the other is let go", () =>
    Effect.gen(function* () {
      const slow = place("slow", [[hang]])
      const places = [slow, place("b", [[wait("1 second"), ...says("b")]])]
      yield* expectRoute(places, { outcome: "b", course: ["slow", "b"] }, { policy })
      assert.deepStrictEqual(yield* slow.scripted.endings, ["abandoned"])
    })
  )

  it.effect("keeps the first where it is faster after all", () =>
    Effect.gen(function* () {
      const b = place("b", [[hang]])
      yield* expectRoute(
        [place("a", [[wait("1 second"), ...says("a")]]), b],
        { outcome: "a", course: ["a", "b"] },
        { policy }
      )
      assert.deepStrictEqual(yield* b.scripted.endings, ["abandoned"])
    })
  )

  it.effect("asks nobody else where the first is fast", () =>
    Effect.gen(function* () {
      const b = place("b", [])
      yield* expectRoute([place("a", [says("a")]), b], { outcome: "a", course: ["a"] }, { policy })
      assert.deepStrictEqual(yield* b.scripted.requests, [])
    })
  )

  it.effect("lays it to neither target that the caller left", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.forkChild(engine.run(call))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      const { all, of } = yield* TargetStates
      for (const { provider, model, failures } of yield* all) {
        assert.deepStrictEqual([failures, of({ provider, model }).latency.read(1000)], [0, 0])
      }
    }).pipe(Effect.provide(engineOver([place("a", [[hang]]), place("b", [[hang]])], { policy })))
  )

  it.effect("lets no error win", () =>
    Effect.gen(function* () {
      const failing = [wait("600 millis"), fail(errorOf(reasons.invalid))]
      yield* expectRoute(
        [place("a", [failing]), place("b", [[wait("1 second"), ...says("b")]])],
        { outcome: "b", course: ["a:InvalidRequest", "b"] },
        { policy }
      )
    })
  )
})

describe("the attempts of a call", () => {
  it.effect("are counted, and it is said whether one was declined for being too many", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      yield* apart(engine.run(call))
      yield* apart(engine.run(call))
      assert.deepStrictEqual(
        (yield* records).map(({ retries, rateLimited }) => [retries, rateLimited]),
        [
          [1, true],
          [undefined, undefined]
        ]
      )
    }).pipe(Effect.provide(engineOver([place("a", [fails(reasons.rateLimited), says("a")]), place("b", [says("b")])])))
  )

  it.effect("say which was given up, and the call whose answer it was", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.forkChild(engine.run(call))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      const [record] = yield* records
      assert.deepStrictEqual(
        record?.attempts.map(({ abandoned }) => abandoned),
        [undefined, true]
      )
      assert.deepStrictEqual(record?.target, { provider: "a", model: "m" })
    }).pipe(
      Effect.provide(
        engineOver([place("a", [[wait("1 second"), ...says("a")]]), place("b", [[hang]])], {
          policy: { hedgeAfter: 500 }
        })
      )
    )
  )

  it.effect("do not count a call that was cancelled as the provider's failure", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* begun(engine.run(call))
      const [open] = yield* records
      assert.isTrue(yield* engine.cancel(open!.id))
      assert.deepStrictEqual((yield* Fiber.join(fiber)).outcome, { _tag: "Cancelled", by: "caller" })
      const [record] = yield* records
      assert.deepStrictEqual(
        record?.attempts.map(({ failure, abandoned }) => [failure, abandoned]),
        [[undefined, true]]
      )
      const { all, of } = yield* TargetStates
      assert.deepInclude((yield* all)[0], { attempts: 1, failures: 0 })
      assert.strictEqual(of({ provider: "a", model: "m" }).latency.read(1), 0)
    }).pipe(Effect.provide(engineOver([place("a", [[hang]]), place("b", [])])))
  )
})
