import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { untilTrue } from "../client.ts"
import { ask, askChat, recordOf, Running, running } from "../running.ts"

const secret = "jane.doe@example.com"

const server = running({
  formats: ["gemini"],
  sections: {
    filters: {
      pii: { kind: "redact", packs: ["email"] },
      never: { kind: "block", words: ["forbidden"], status: 403, reason: "not here" },
      elsewhere: { kind: "block", words: ["french"], action: "hand-off", target: "other" },
      full: { kind: "block", words: ["german"], action: "hand-off", target: "full" },
      who: { kind: "metadata", user: "somebody", headers: { "x-team": "blue" } },
      prompt: { kind: "system", text: "Be brief." },
      lax: { kind: "redact", packs: ["email"], onFailure: "open" },
      judge: { kind: "model", model: "judge", policy: "Be kind.", parallel: true },
      pondering: { kind: "model", model: "silent", policy: "Be kind.", onFailure: "open" },
      dead: { kind: "http", url: "http://127.0.0.1:1" },
      deadOpen: { kind: "http", url: "http://127.0.0.1:1", onFailure: "open" }
    },
    limits: [{ model: "full", requests: { total: 1 } }]
  },
  script: [{ model: "judge", reply: '{"verdict":"refuse","reason":"rude","text":null,"target":null}' }],
  models: {
    judge: { targets: [{ provider: "chat", model: "judge" }] },
    silent: { targets: [{ provider: "chat", model: "echo?hang" }] },
    other: { targets: [{ provider: "chat", model: "words-3" }] },
    full: { targets: [{ provider: "chat", model: "words-4" }] },
    ...Object.fromEntries(
      Object.entries({
        filtered: ["pii", "never", "elsewhere", "full"],
        plain: ["who", "prompt"],
        lax: ["lax"],
        judged: ["judge"],
        pondered: ["pondering"],
        dead: ["dead"],
        deadOpen: ["deadOpen"]
      }).map(([name, filters]) => [name, { targets: [{ provider: "chat", model: "echo" }], filters }])
    ),
    counted: { targets: [{ provider: "messages", model: "echo" }], filters: ["pii", "never", "prompt"] },
    countedByGemini: { targets: [{ provider: "gemini", model: "echo" }], filters: ["pii"] }
  }
})

const embed = (model: string, input: unknown, more: object = {}) =>
  ask("/v1/embeddings", { body: { model, input, ...more } })

/** What the provider was asked last. */
const received = Effect.map(Running, ({ simulator }) => {
  const { body, headers } = simulator.log.requests().at(-1)!
  return { body: JSON.parse(JSON.stringify(body)) as Record<string, unknown>, headers }
})

layer(server, { excludeTestServices: true })("a request for vectors", (it) => {
  it.effect("goes to the provider, and into the record, as its filters leave it", () =>
    Effect.gen(function* () {
      const seen = yield* embed("filtered", [`Write to ${secret}`, "nothing"], { user: secret })
      assert.strictEqual(seen.status, 200, seen.text)
      assert.deepInclude((yield* received).body, { input: ["Write to [EMAIL]", "nothing"], user: "[EMAIL]" })
      const record = yield* recordOf(seen)
      assert.notInclude(JSON.stringify(record), secret)
      assert.deepInclude(record.findings?.[0], { filter: "pii", phase: "request", category: "email" })
      assert.strictEqual(record.outcome?.kind, "Completed")
    })
  )

  it.effect("in which nothing is found goes on as it came", () =>
    Effect.gen(function* () {
      const seen = yield* embed("filtered", "nothing", { odd: [1] })
      assert.strictEqual(seen.status, 200, seen.text)
      assert.deepStrictEqual((yield* received).body, { model: "echo", input: "nothing", odd: [1] })
    })
  )

  it.effect("is refused with the filter's status and reason, and asks nobody", () =>
    Effect.gen(function* () {
      const { simulator } = yield* Running
      const before = simulator.log.requests().length
      const seen = yield* embed("filtered", [`Write to ${secret}`, "forbidden"])
      assert.strictEqual(seen.status, 403, seen.text)
      assert.include(seen.text, "Refused by the filter never: not here")
      // What a filter hid before another one refused stands in no record.
      assert.notInclude(JSON.stringify(yield* recordOf(seen)), secret)
      assert.deepInclude((yield* recordOf(seen)).outcome, { kind: "Refused", by: "never", reason: "not here" })
      assert.strictEqual(simulator.log.requests().length, before)
    })
  )

  it.effect("is given to another model, with what filters say of users and headers", () =>
    Effect.gen(function* () {
      const handed = yield* embed("filtered", "in french")
      assert.strictEqual(handed.status, 200, handed.text)
      assert.strictEqual((yield* received).body["model"], "words-3")
      const record = yield* recordOf(handed)
      assert.deepInclude(record.outcome, { kind: "HandedOff", target: "other" })
      assert.strictEqual(record.model, "filtered")
      yield* embed("plain", ["a", "b"])
      const { body, headers } = yield* received
      assert.deepInclude(body, { input: ["a", "b"], user: "somebody" })
      assert.strictEqual(headers["x-team"], "blue")
    })
  )

  it.effect("is not given to a model that has no room for it", () =>
    Effect.gen(function* () {
      const { simulator } = yield* Running
      assert.strictEqual((yield* embed("filtered", "in german")).status, 200)
      const before = simulator.log.requests().length
      const seen = yield* embed("filtered", "in german")
      assert.strictEqual(seen.status, 429, seen.text)
      assert.include(seen.text, "full")
      assert.strictEqual(simulator.log.requests().length, before)
    })
  )

  it.effect("is an open call while a filter looks at it, and ends with the server", () =>
    Effect.gen(function* () {
      const { engine, simulator } = yield* Running
      const asking = yield* Effect.forkChild(embed("pondered", "something"), { startImmediately: true })
      yield* untilTrue(() => simulator.log.stats().requests.open === 1)
      // it, and the call of its judge
      assert.strictEqual(yield* engine.active, 2)
      yield* engine.shutdown
      const seen = yield* Fiber.join(asking)
      assert.strictEqual(seen.status, 503, seen.text)
      assert.deepInclude((yield* recordOf(seen)).outcome, { kind: "Cancelled", by: "shutdown" })
    })
  )

  it.effect("is judged before it is sent, where answers are judged meanwhile", () =>
    Effect.gen(function* () {
      const seen = yield* embed("judged", "something")
      assert.strictEqual(seen.status, 400, seen.text)
      assert.deepInclude((yield* recordOf(seen)).outcome, { kind: "Refused", by: "judge", reason: "rude" })
    })
  )

  it.effect("of tokens, which nobody can read, passes only filters that read nothing or fail open", () =>
    Effect.gen(function* () {
      const refused = yield* embed("filtered", [[1, 2, 3]])
      assert.strictEqual(refused.status, 422, refused.text)
      assert.include(refused.text, "send texts in the place of tokens")
      assert.strictEqual((yield* embed("plain", [1, 2, 3])).status, 200)
      assert.deepInclude((yield* received).body, { user: "somebody" })
      const lax = yield* embed("lax", [[1, 2, 3]])
      assert.strictEqual(lax.status, 200, lax.text)
      assert.deepStrictEqual((yield* recordOf(lax)).filterFailures, [
        { filter: "lax", phase: "request", kind: "unavailable", policy: "open", times: 1 }
      ])
    })
  )

  it.effect("whose filter fails is held to its policy", () =>
    Effect.gen(function* () {
      const closed = yield* embed("dead", "x")
      assert.strictEqual(closed.status, 502, closed.text)
      assert.deepInclude((yield* recordOf(closed)).outcome, { kind: "Failed", reason: "FilterFailed" })
      const open = yield* embed("deadOpen", "x")
      assert.strictEqual(open.status, 200, open.text)
      assert.deepInclude((yield* recordOf(open)).filterFailures?.[0], { filter: "deadOpen", policy: "open" })
    })
  )
})

layer(server, { excludeTestServices: true })("a request that is only counted", (it) => {
  const count = (model: string, content: string) =>
    ask("/v1/messages/count_tokens", { body: { model, messages: [{ role: "user", content }] } })

  it.effect("is counted as its filters leave it: the provider sees nothing that they hide", () =>
    Effect.gen(function* () {
      const seen = yield* count("counted", `Write to ${secret}`)
      assert.strictEqual(seen.status, 200, seen.text)
      const sent = JSON.stringify((yield* received).body)
      assert.include(sent, "[EMAIL]")
      assert.include(sent, "Be brief.")
      assert.notInclude(sent, secret)
      const contents = [{ role: "user", parts: [{ text: `Write to ${secret}` }] }]
      const gemini = yield* ask("/v1beta/models/countedByGemini:countTokens", { body: { contents } })
      assert.strictEqual(gemini.status, 200, gemini.text)
      assert.notInclude(JSON.stringify((yield* received).body), secret)
    })
  )

  it.effect("is refused where it would be refused an answer", () =>
    Effect.gen(function* () {
      const seen = yield* count("counted", "forbidden")
      assert.strictEqual(seen.status, 403, seen.text)
      assert.include(seen.text, "Refused by the filter never")
      // and a call that is answered is not disturbed by any of it
      assert.strictEqual((yield* askChat("plain")).status, 200)
    })
  )
})
