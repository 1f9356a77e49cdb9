import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { begin, finished, untilTrue } from "./client.ts"
import { ask, askChat, askMessages, ended, errorOf, quiet, recordOf, Running, running, until } from "./running.ts"
import { json } from "./simulate/server.ts"

const keys = { admin: "key-of-the-administrator", few: "key-for-few-requests", poor: "key-for-little-money" }
const keyOf = (name: string) => `key-of-the-test-called-${name}`

/** An answer of 5,000 tokens or so, whatever it was allowed. */
const talk = [
  ...Array.from({ length: 1000 }, () => ({ _tag: "TextDelta", id: "text", text: "a word or two and more " })),
  { _tag: "Finish", reason: "stop", usage: { source: "none" } }
]

const server = running({
  // The price of what both providers have.
  prices: { version: "test", models: { echo: { input: 1, output: 10 }, talker: { input: 1, output: 10 } } },
  script: [{ model: "talker", reply: talk }],
  sections: {
    auth: {
      mode: "keys",
      adminKey: keys.admin,
      keys: [
        { name: "few", key: keys.few, limits: { requests: { month: 2 }, inputTokens: { month: 100_000 } } },
        { name: "poor", key: keys.poor, limits: { cost: { total: 0.01 }, stopStreams: true } },
        { name: "one", key: keyOf("one"), limits: { concurrent: 1 } },
        { name: "seven", key: keyOf("seven"), limits: { requests: { month: 7 } } },
        { name: "cut", key: keyOf("cut"), limits: { outputTokens: { day: 60 }, stopStreams: true } },
        { name: "broke", key: keyOf("broke"), limits: { cost: { day: 0.01 }, stopStreams: true } },
        { name: "slow", key: keyOf("slow"), limits: { requests: { minute: 1 } } },
        { name: "spent", key: keyOf("spent"), limits: { tokens: { total: 20 } } },
        { name: "tokens", key: keyOf("tokens"), limits: { outputTokens: { month: 60 }, stopStreams: true } },
        { name: "spending", key: keyOf("spending"), labels: { team: "search" } }
      ]
    },
    limits: [{ key: "spending", requests: { total: 1000 } }]
  }
})

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

layer(server, { excludeTestServices: true })("a server with limits", (it) => {
  it.effect("tells callers what is left, in the headers of their format", () =>
    Effect.gen(function* () {
      const chat = yield* askChat("chat/echo", {}, bearer(keys.few))
      assert.deepInclude(chat.headers, { "x-ratelimit-limit-requests": "2", "x-ratelimit-remaining-requests": "1" })
      assert.match(String(chat.headers["x-ratelimit-reset-requests"]), /^\d+h\d+m\d+s$/)
      const messages = yield* askMessages("messages/echo", { stream: false }, bearer(keys.few))
      assert.deepInclude(messages.headers, {
        "anthropic-ratelimit-requests-limit": "2",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-input-tokens-limit": "100000"
      })
      assert.match(String(messages.headers["anthropic-ratelimit-requests-reset"]), /^\d{4}-\d\d-01T00:00:00Z$/)
      const free = yield* askChat("chat/echo", {}, bearer(keyOf("one")))
      assert.deepStrictEqual(
        Object.keys(free.headers).filter((name) => name.includes("ratelimit")),
        []
      )
    })
  )

  it.effect("refuses with 429 and when to come back, in the words of each format; there is no call then", () =>
    Effect.gen(function* () {
      const { audit } = yield* Running
      yield* askChat("chat/echo", {}, bearer(keyOf("slow")))
      yield* quiet
      const before = (yield* audit.list({ limit: 100 })).data.length
      const chat = yield* askChat("chat/echo", {}, bearer(keyOf("slow")))
      assert.deepStrictEqual([chat.status, errorOf(chat.text).code], [429, "rate_limit_exceeded"])
      assert.deepInclude(chat.headers, { "x-ratelimit-limit-requests": "1", "x-ratelimit-remaining-requests": "0" })
      const messages = yield* askMessages("messages/echo", {}, bearer(keyOf("slow")))
      assert.deepStrictEqual([messages.status, errorOf(messages.text).type], [429, "rate_limit_error"])
      const gemini = yield* ask("/v1beta/models/chat/echo:generateContent", {
        body: { contents: [{ role: "user", parts: [{ text: "hello" }] }] },
        ...bearer(keyOf("slow"))
      })
      assert.deepStrictEqual([gemini.status, json(gemini).error.status], [429, "RESOURCE_EXHAUSTED"])
      const vectors = yield* ask("/v1/embeddings", {
        body: { model: "chat/embed", input: "hello" },
        ...bearer(keyOf("slow"))
      })
      for (const seen of [chat, messages, gemini, vectors]) {
        assert.strictEqual(seen.status, 429)
        const wait = Number(seen.headers["retry-after"])
        assert.isTrue(Number.isInteger(wait) && wait >= 1 && wait <= 60)
        assert.isUndefined(seen.headers["x-millrace-call-id"])
      }
      assert.strictEqual((yield* audit.list({ limit: 100 })).data.length, before)
      const metrics = yield* ask("/metrics", bearer(keys.admin))
      assert.match(metrics.text, /^millrace_calls_limited_total 4$/m)
      const never = yield* askChat("chat/echo", {}, bearer(keys.few))
      assert.deepStrictEqual([never.status, never.headers["x-should-retry"]], [429, "false"])
    })
  )

  it.effect("lets as many calls run at once as it may, and the next when one has ended, however it ends", () =>
    Effect.gen(function* () {
      const headers = bearer(keyOf("one")).headers
      const first = yield* begin("messages", "messages/echo?hang", true, headers)
      const { simulator } = yield* Running
      yield* until(
        Effect.sync(() => simulator.log.stats().requests.open),
        (open) => open > 0
      )
      const second = yield* askMessages("messages/echo", {}, { headers })
      assert.deepStrictEqual([second.status, second.headers["retry-after"]], [429, "1"])
      first.leave()
      yield* until(askMessages("messages/echo", {}, { headers }), ({ status }) => status === 200)
      const failing = yield* askMessages("messages/echo?status=400", {}, { headers })
      assert.strictEqual(failing.status, 400)
      yield* until(askMessages("messages/echo", {}, { headers }), ({ status }) => status === 200)
    })
  )

  it.effect("lets in as many of many callers at once as a limit has room for", () =>
    Effect.gen(function* () {
      const callers = Array.from({ length: 40 }, (_, caller) =>
        caller % 2 === 0
          ? askMessages("messages/echo", {}, bearer(keyOf("seven")))
          : askChat("chat/echo", { stream: false }, bearer(keyOf("seven")))
      )
      const seen = yield* Effect.all(callers, { concurrency: "unbounded" })
      const statuses = seen.map(({ status }) => status)
      assert.strictEqual(statuses.filter((status) => status === 200).length, 7)
      assert.strictEqual(statuses.filter((status) => status === 429).length, 33)
    })
  )

  it.effect("ends a stream whose cost or tokens reach a limit, where it is to", () =>
    Effect.gen(function* () {
      const cut = yield* askChat("chat/talker", { max_completion_tokens: 50 }, bearer(keyOf("tokens")))
      assert.strictEqual(cut.status, 200)
      assert.include(cut.text, '"finish_reason":"length"')
      const record = yield* recordOf(cut)
      assert.deepInclude(record.outcome, { kind: "Limited", by: "tokens" })
      assert.isBelow(record.response?.text?.length ?? 0, 1000)

      const spent = yield* askChat("chat/talker", { max_completion_tokens: 50 }, bearer(keys.poor))
      assert.notInclude(spent.text, "[DONE]")
      assert.strictEqual(errorOf(spent.text).code, "insufficient_quota")
      const paid = yield* recordOf(spent)
      assert.deepInclude(paid.outcome, { kind: "Limited", by: "cost" })
      assert.strictEqual(paid.usage?.source, "estimated")

      const messages = yield* askMessages("messages/talker", { max_tokens: 50 }, bearer(keyOf("cut")))
      assert.include(messages.text, '"stop_reason":"max_tokens"')
      const failed = yield* askMessages("messages/talker", { max_tokens: 50 }, bearer(keyOf("broke")))
      assert.notInclude(failed.text, "message_stop")
      assert.strictEqual(errorOf(failed.text).type, "rate_limit_error")
      assert.deepInclude((yield* recordOf(failed)).outcome, { kind: "Limited", by: "cost" })
      const after = yield* askMessages("messages/talker", { max_tokens: 50 }, bearer(keyOf("broke")))
      assert.strictEqual(after.status, 429)
    })
  )

  it.effect("reports what was used by key, model, day and label; a key is told of its own", () =>
    Effect.gen(function* () {
      const { headers } = bearer(keyOf("spending"))
      const calls = [
        yield* askMessages("messages/echo", {}, { headers }),
        yield* askMessages(
          "messages/echo",
          { stream: false },
          { headers: { ...headers, "x-millrace-labels": "stage=test" } }
        ),
        yield* askChat("chat/echo", {}, { headers })
      ]
      const leaving = yield* begin("messages", "messages/echo?stall=3", true, headers)
      yield* untilTrue(() => leaving.text().length > 300)
      leaving.leave()
      const left = String(leaving.response()?.headers["x-millrace-call-id"])
      const records = [...(yield* Effect.forEach(calls, recordOf)), yield* ended(left)]
      yield* finished(leaving)
      const usage = (query: string, key = keys.admin) =>
        Effect.map(ask(`/v1/usage?${query}`, bearer(key)), (seen) => {
          assert.strictEqual(seen.status, 200, seen.text)
          return json(seen)
        })
      const { data, total } = yield* usage("by=key&key=spending")
      const sum = (of: (record: (typeof records)[number]) => number) =>
        records.reduce((all, record) => all + of(record), 0)
      assert.deepInclude(total, {
        calls: 4,
        incomplete: 1,
        inputTokens: sum(({ usage }) => usage?.inputTokens ?? 0),
        outputTokens: sum(({ usage }) => usage?.outputTokens ?? 0),
        microUsd: sum(({ cost }) => cost?.microUsd ?? 0),
        estimated: 1
      })
      assert.isAbove(total.microUsd, 0)
      assert.deepStrictEqual(data, [{ key: "spending", ...total }])
      const refusedWith = (query: string, key = keys.admin) =>
        Effect.map(ask(`/v1/usage?${query}`, bearer(key)), ({ status, text }) => [status, errorOf(text).message])
      for (const day of ["2026-13-01", "2026-02-30", "yesterday"]) {
        assert.deepStrictEqual(yield* refusedWith(`from=${day}`), [
          400,
          "from has to be a day such as 2026-11-21 (UTC)"
        ])
      }
      assert.deepStrictEqual(yield* refusedWith("key="), [400, "key has to be a text that is not empty"])
      assert.strictEqual((yield* refusedWith("by=key&by=model"))[0], 400)
      const filtered = yield* ask("/v1/usage?key=poor&form=2026-11-21", bearer(keys.admin))
      assert.strictEqual(errorOf(filtered.text).type, "invalid_request_error")
      assert.strictEqual((yield* refusedWith("key=poor", keyOf("spending")))[0], 403)
      const own = yield* usage("by=model,key", keyOf("spending"))
      assert.deepStrictEqual(
        own.data.map(({ calls, key, model }: { calls: number; key: string; model: string }) => [key, model, calls]),
        [
          ["spending", "chat/echo", 1],
          ["spending", "messages/echo", 2],
          ["spending", "messages/echo?stall=3", 1]
        ]
      )
      const labels = yield* usage("by=label&key=spending")
      assert.deepStrictEqual(
        labels.data.map(({ calls, label }: { calls: number; label: string }) => [label, calls]),
        [
          ["stage=test", 1],
          ["team=search", 4]
        ]
      )
      const all = yield* usage("by=key")
      assert.isAbove(all.data.length, 1)
      assert.deepStrictEqual((yield* usage("by=day&from=2001-01-01&to=2001-12-31")).data, [])
      for (const wrong of ["by=weather", "from=yesterday"]) {
        assert.strictEqual((yield* ask(`/v1/usage?${wrong}`, bearer(keys.admin))).status, 400)
      }
    })
  )

  it.effect("counts tokens for whoever has any left, as often as they like", () =>
    Effect.gen(function* () {
      const count = (key: string) =>
        ask("/v1/messages/count_tokens", {
          body: { model: "messages/echo", messages: [{ role: "user", content: "hello" }] },
          ...bearer(key)
        })
      for (let times = 0; times < 3; times++) {
        assert.strictEqual((yield* count(keyOf("one"))).status, 200)
        assert.strictEqual((yield* count(keyOf("slow"))).status, 200)
      }
      const talk = { model: "chat/talker", messages: [{ role: "user", content: "hello" }], max_tokens: 5 }
      assert.strictEqual((yield* count(keyOf("spent"))).status, 200)
      yield* ask("/v1/chat/completions", { body: talk, ...bearer(keyOf("spent")) })
      yield* quiet
      const refused = yield* count(keyOf("spent"))
      assert.deepStrictEqual([refused.status, errorOf(refused.text).type], [429, "rate_limit_error"])
    })
  )
})
