import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ask, askChat, dialects, ended, errorOf, quiet, recordOf, Running, running, until } from "./running.ts"
import { json } from "./simulate/server.ts"
import { assertComplete, textIn } from "./streams.ts"

const patient = { retry: { maxAttempts: 4, initialDelay: "5ms", maxDelay: "1s" }, breaker: { failures: 0 } }
const good = { provider: "messages", model: "words-5" }
const to = (model: string, more: object = {}) => ({ provider: "chat", model, ...more })

/** A model whose first target is like this, and whose second one is well. */
const then = (model: string, more: object = {}) => ({ targets: [to(model), good], ...patient, ...more })

const models = {
  server: then("echo?status=500"),
  reset: then("echo?reset"),
  garbage: then("echo?malformed=0"),
  "first-event": then("echo?error=0&status=500"),
  empty: then("echo?truncate=0"),
  overloaded: then("echo?status=529"),
  limited: then("echo?status=429&retry-after=30"),
  "key-refused": then("echo?status=401"),
  "no-model": then("echo?status=404&message=model:%20x%20not%20found"),
  "no-credits": then("echo?status=402"),
  silent: then("echo?hang", { timeouts: { firstToken: "500ms" } }),
  "slow-token": then("words-5?first=1m", { timeouts: { firstToken: "500ms" } }),
  bad: then("echo?status=400"),
  recovers: { targets: [to("words-5?status=500&times=2")], ...patient },
  waits: { targets: [to("words-5?status=429&retry-after=60ms&times=1")], ...patient },
  "wants-rest": { targets: [to("words-5?status=429&retry-after=60&times=1")], ...patient },
  breaks: {
    targets: [to("words-5?status=503&times=2")],
    retry: { maxAttempts: 1 },
    breaker: { failures: 2, openFor: "150ms", maxOpenFor: "1s" }
  },
  narrow: {
    targets: [to("words-5?first=150ms", { limits: { concurrency: 1, queue: 1, maxWait: "5s" } })],
    ...patient
  },
  impatient: {
    targets: [to("words-5?first=1m", { limits: { concurrency: 1, queue: 1, maxWait: "50ms" } })],
    ...patient
  },
  hedged: { targets: [to("words-5?first=1m"), good], hedge: { after: "50ms" }, ...patient },
  "hedged-badly": {
    targets: [to("words-5?first=150ms"), { provider: "messages", model: "words-5?status=500" }],
    hedge: { after: "20ms" },
    ...patient
  },
  "whole-hang": { targets: [to("echo?hang"), good], timeouts: { firstToken: "500ms" }, ...patient },
  spread: {
    strategy: "weighted",
    targets: [to("words-5", { weight: 0 }), { ...good, weight: 1 }],
    ...patient
  }
}

const attemptsOf = (seen: Parameters<typeof recordOf>[0]) =>
  Effect.map(recordOf(seen), ({ attempts }) =>
    attempts.map(({ provider, failure }) => (failure === undefined ? provider : `${provider}: ${failure.reason._tag}`))
  )

layer(running({ models }), { excludeTestServices: true })("a model with several targets", (it) => {
  const courses: { readonly [model: string]: ReadonlyArray<string> } = {
    server: ["chat: UpstreamServer", "chat: UpstreamServer"],
    reset: ["chat: Transport", "chat: Transport"],
    garbage: ["chat: InvalidOutput", "chat: InvalidOutput"],
    "first-event": ["chat: UpstreamServer", "chat: UpstreamServer"],
    empty: ["chat: IncompleteStream", "chat: IncompleteStream"],
    overloaded: ["chat: Overloaded"],
    limited: ["chat: RateLimited"],
    "key-refused": ["chat: Unauthorized"],
    "no-model": ["chat: UnknownModel"],
    "no-credits": ["chat: QuotaExceeded"],
    silent: ["chat: Timeout"],
    "slow-token": ["chat: Timeout"]
  }
  for (const [model, failures] of Object.entries(courses)) {
    for (const { id, ask } of dialects) {
      it.effect(`is answered without anybody noticing: ${model}, for ${id}`, () =>
        Effect.gen(function* () {
          const seen = yield* ask(model)
          assertComplete(seen)
          assert.strictEqual(textIn(seen.text).split(" ").length, 5)
          assert.strictEqual(seen.headers["x-millrace-model"], "messages/words-5")
          // Who said when to come back is not asked before.
          const course = yield* attemptsOf(seen)
          assert.deepStrictEqual(course.at(-1), "messages")
          if (model !== "limited") assert.deepStrictEqual(course, [...failures, "messages"])
          assert.strictEqual(seen.headers["x-millrace-attempts"], String(course.length))
          yield* quiet
        })
      )
    }
  }

  it.effect("ends at once where the request itself is refused, and says by whom", () =>
    Effect.gen(function* () {
      for (const stream of [true, false]) {
        const seen = yield* askChat("bad", { stream })
        assert.strictEqual(seen.status, 400)
        assert.strictEqual(seen.headers["x-millrace-model"], "chat/echo?status=400")
        assert.strictEqual(seen.headers["x-millrace-attempts"], "1")
        assert.deepStrictEqual(yield* attemptsOf(seen), ["chat: InvalidRequest"])
      }
    })
  )

  it.effect("is asked for a whole answer elsewhere where one is silent", () =>
    Effect.gen(function* () {
      const seen = yield* askChat("whole-hang", { stream: false })
      assert.strictEqual(seen.status, 200)
      assert.deepStrictEqual(yield* attemptsOf(seen), ["chat: Timeout", "messages"])
    })
  )

  it.effect("is spread by weight: nothing goes to a weight of 0 while another target is well", () =>
    Effect.gen(function* () {
      for (let index = 0; index < 10; index++) {
        assert.deepStrictEqual(yield* attemptsOf(yield* askChat("spread")), ["messages"])
      }
    })
  )

  it.effect("is hedged: a second target is asked beside the first, which is let go", () =>
    Effect.gen(function* () {
      const seen = yield* askChat("hedged")
      assertComplete(seen)
      const { attempts, target, usage } = yield* recordOf(seen)
      assert.deepStrictEqual(target, { provider: "messages", model: "words-5" })
      assert.deepStrictEqual(usage, attempts[1]?.usage)
      assert.strictEqual(usage?.source, "provider")
      assert.deepStrictEqual(
        attempts.map(({ provider, abandoned, failure }) => [provider, abandoned, failure]),
        [
          ["chat", true, undefined],
          ["messages", undefined, undefined]
        ]
      )
      yield* quiet
    })
  )

  it.effect("counts what the answer used, whichever of two attempts gave it", () =>
    Effect.gen(function* () {
      const seen = yield* askChat("hedged-badly")
      assertComplete(seen)
      const { attempts, target, usage } = yield* recordOf(seen)
      assert.deepInclude(target, { provider: "chat" })
      assert.deepStrictEqual(usage, attempts[0]?.usage)
      assert.strictEqual(usage?.source, "provider")
    })
  )
})

layer(running({ models }), { excludeTestServices: true })("a model with one target", (it) => {
  it.effect("is asked again until it recovers", () =>
    Effect.gen(function* () {
      const seen = yield* askChat("recovers")
      assertComplete(seen)
      const { attempts } = yield* recordOf(seen)
      assert.deepStrictEqual(
        attempts.map(({ failure, status }) => [failure?.reason._tag, status]),
        [
          ["UpstreamServer", 500],
          ["UpstreamServer", 500],
          [undefined, 200]
        ]
      )
      assert.isAbove(attempts[1]?.waitedMs ?? 0, 0)
    })
  )

  it.effect("is waited for as long as it says", () =>
    Effect.gen(function* () {
      const seen = yield* askChat("waits")
      assertComplete(seen)
      const { attempts } = yield* recordOf(seen)
      assert.isAtLeast(attempts[1]?.waitedMs ?? 0, 59)
    })
  )

  it.effect("is not asked before it wants to be: its callers are told when to come back", () =>
    Effect.gen(function* () {
      for (const { id, ask } of dialects) {
        const seen = yield* ask("wants-rest")
        assert.strictEqual(seen.status, 429, id)
        assert.isAbove(Number(seen.headers["retry-after"]), 50)
      }
      const { simulator } = yield* Running
      const asked = simulator.log
        .requests()
        .filter(({ model }) => model === "words-5?status=429&retry-after=60&times=1")
      assert.strictEqual(asked.length, 1)
    })
  )

  it.effect("is left alone once it has failed too often, is tried after a while, and then is well", () =>
    Effect.gen(function* () {
      const statuses = yield* Effect.forEach([1, 2, 3], () => Effect.map(askChat("breaks"), ({ status }) => status))
      assert.deepStrictEqual(statuses, [503, 503, 503])
      const refused = yield* askChat("breaks")
      assert.isDefined(refused.headers["retry-after"])
      assert.include(errorOf(refused.text).message, "left alone")
      assert.strictEqual(refused.headers["x-millrace-attempts"], "0")
      assert.deepStrictEqual(yield* attemptsOf(refused), [])
      const shown = json(yield* ask("/admin/api/targets", { method: "GET" })).data
      const target = shown.find(({ model }: { model: string }) => model === "words-5?status=503&times=2")
      assert.deepInclude(target, { provider: "chat", attempts: 2, failures: 2, inFlight: 0 })
      assert.deepInclude(target.circuit, { state: "open", openings: 1 })
      const { text } = yield* ask("/metrics", { method: "GET" })
      assert.include(
        text,
        'millrace_target_circuit_open{provider="chat",model="words-5?status=503&times=2",key=""} 1\n'
      )
      assert.include(
        text,
        'millrace_target_failures_total{provider="chat",model="words-5?status=503&times=2",key=""} 2\n'
      )
      assertComplete(yield* until(askChat("breaks"), ({ status }) => status === 200))
    })
  )

  it.effect("shows no names that callers made up, and those that they found", () =>
    Effect.gen(function* () {
      for (const name of ["made-up", "words-6"]) yield* askChat(`chat/${name}`)
      const { text } = yield* ask("/metrics")
      assert.include(text, 'millrace_target_attempts_total{provider="chat",model="words-6",key=""} 1\n')
      assert.notInclude(text, "made-up")
    })
  )

  it.effect("takes as many calls as it is said to; who waits gets the next place, and who is too many is told so", () =>
    Effect.gen(function* () {
      const { engine } = yield* Running
      const first = yield* Effect.forkChild(askChat("narrow"))
      yield* until(engine.active, (active) => active === 1)
      const second = yield* Effect.forkChild(askChat("narrow"))
      yield* until(engine.active, (active) => active === 2)
      const third = yield* askChat("narrow")
      assert.deepStrictEqual([third.status, third.headers["retry-after"]], [503, "1"])
      assertComplete(yield* Fiber.join(first))
      const seen = yield* Fiber.join(second)
      assertComplete(seen)
      const { attempts } = yield* recordOf(seen)
      assert.isAbove(attempts[0]?.waitedMs ?? 0, 0)
    })
  )

  it.effect("is not waited for longer than is said", () =>
    Effect.gen(function* () {
      const { engine, audit } = yield* Running
      const first = yield* Effect.forkChild(askChat("impatient"))
      yield* until(engine.active, (active) => active === 1)
      const second = yield* askChat("impatient")
      assert.deepStrictEqual([second.status, second.headers["retry-after"]], [503, "1"])
      yield* Fiber.interrupt(first)
      const { data } = yield* audit.list({ limit: 2 })
      const { outcome } = yield* ended(data[1]!.id)
      assert.deepInclude(outcome, { kind: "Cancelled", by: "client" })
      yield* quiet
    })
  )
})
