import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { SignalReport } from "../../src/signals/SignalReport.ts"
import { ask, askChat, askMessages, callIdOf, errorOf, recordOf, running, until } from "./running.ts"
import { json } from "./simulate/server.ts"

const keys = { admin: "key-of-the-administrator", ci: "key-of-continuous-integration", acme: "key-of-acme" }
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

const server = running({
  models: { smart: { targets: [{ provider: "messages", model: "echo" }] } },
  sections: {
    signals: { content: true },
    auth: {
      mode: "keys",
      adminKey: keys.admin,
      keys: [
        { name: "ci", key: keys.ci },
        { name: "acme", key: keys.acme }
      ]
    }
  }
})

const angry = [
  { role: "user", content: "Where is my order?" },
  { role: "assistant", content: "It is on its way." },
  { role: "user", content: "This is useless. Let me talk to a human." }
]

const content = [{ role: "user", content: "Great, that helps a lot, thank you!" }]

const decode = Schema.decodeUnknownSync(SignalReport)

/** The report of a call, once there is one. */
const reportOf = Effect.fnUntraced(function* (call: string, key = keys.admin) {
  const seen = yield* until(ask(`/v1/signals/${call}`, { headers: bearer(key) }), ({ status }) => status === 200)
  return decode(json(seen))
})

const listed = Effect.fnUntraced(function* (query: string, key = keys.admin) {
  const seen = yield* ask(`/v1/signals?${query}`, { headers: bearer(key) })
  assert.strictEqual(seen.status, 200, seen.text)
  return json(seen) as { readonly data: ReadonlyArray<SignalReport>; readonly nextCursor?: string }
})

layer(server, { excludeTestServices: true })("a server that reads conversations", (it) => {
  it.effect("reports what each call shows, streamed or whole, in every dialect, at the caller's own indexes", () =>
    Effect.gen(function* () {
      const chat = yield* askChat("smart", { messages: angry }, { headers: bearer(keys.ci) })
      const whole = yield* askMessages("smart", { stream: false, messages: angry }, { headers: bearer(keys.acme) })
      for (const [seen, key] of [
        [chat, "ci"],
        [whole, "acme"]
      ] as const) {
        const report = yield* reportOf(callIdOf(seen))
        assert.deepInclude(report, { model: "smart", key, quality: "severe", score: 0, flagged: true })
        assert.deepStrictEqual(
          report.signals.map(({ message, type }) => [type, message]),
          [["interaction.disengagement.escalation", 2]]
        )
        assert.strictEqual(report.signals[0]?.snippet, "Let me talk to a human.")
      }
    })
  )

  it.effect("raises nothing twice as the conversation goes on, and nothing for a word within a word", () =>
    Effect.gen(function* () {
      const headers = { ...bearer(keys.ci), "x-millrace-conversation": "conversation-7" }
      const first = yield* askChat("smart", { messages: angry }, { headers })
      yield* reportOf(callIdOf(first))
      const more = [
        ...angry,
        { role: "assistant", content: "I see." },
        { role: "user", content: "Please prepare the report." }
      ]
      const second = yield* askChat("smart", { messages: more }, { headers })
      const most = [...more, { role: "assistant", content: "Here it is." }, { role: "user", content: "Forget it." }]
      const third = yield* askChat("smart", { messages: most }, { headers })
      const report = yield* reportOf(callIdOf(third))
      assert.deepInclude(report, { conversation: "conversation-7", flagged: true, quality: "severe" })
      assert.deepStrictEqual(
        report.signals.map(({ message, type }) => [type, message]),
        [["interaction.disengagement.quit", 6]]
      )
      assert.strictEqual(report.groups[0]?.total, 2)
      // what shows nothing new has no report
      const seen = yield* ask(`/v1/signals/${callIdOf(second)}`, { headers: bearer(keys.admin) })
      assert.strictEqual(seen.status, 404)
    })
  )

  it.effect("lists them by what they are, in pages, and samples them", () =>
    Effect.gen(function* () {
      const pleased = yield* askChat("smart", { messages: content }, { headers: bearer(keys.ci) })
      yield* reportOf(callIdOf(pleased))
      const flagged = yield* listed("flagged=true&limit=1")
      assert.lengthOf(flagged.data, 1)
      const next = yield* listed(`flagged=true&limit=1&cursor=${flagged.nextCursor}`)
      assert.notStrictEqual(next.data[0]?.call, flagged.data[0]?.call)
      const typed = yield* listed("type=interaction.disengagement.escalation&quality=severe")
      assert.isTrue(typed.data.every(({ signals }) => signals.length > 0))
      assert.isTrue((yield* listed("flagged=false")).data.some(({ call }) => call === callIdOf(pleased)))
      assert.deepStrictEqual(yield* listed("sample=2&seed=5"), yield* listed("sample=2&seed=5"))
      assert.lengthOf((yield* listed("from=2099-01-01")).data, 0)
    })
  )

  it.effect("shows a key its own calls, and nobody else anything", () =>
    Effect.gen(function* () {
      const headers = { ...bearer(keys.ci), "x-millrace-conversation": "conversation-8" }
      const seen = yield* askChat("smart", { messages: angry }, { headers })
      const call = callIdOf(seen)
      yield* reportOf(call, keys.ci)
      assert.strictEqual((yield* ask(`/v1/signals/${call}`, { headers: bearer(keys.acme) })).status, 404)
      assert.strictEqual((yield* ask(`/v1/signals/${call}`)).status, 401)
      const others = yield* listed("key=ci", keys.acme)
      assert.isTrue(others.data.every(({ key }) => key === "acme"))
    })
  )

  it.effect("says what is wrong with a question", () =>
    Effect.gen(function* () {
      for (const query of ["flagged=maybe", "quality=fine", "limit=0", "sample=x", "cursor=7", "from=yesterday"]) {
        const seen = yield* ask(`/v1/signals?${query}`, { headers: bearer(keys.admin) })
        assert.strictEqual(seen.status, 400, query)
        assert.match(errorOf(seen.text).message ?? "", new RegExp(`^${query.split("=")[0]} has to be `))
      }
    })
  )
})

const stopping = running({ sections: { analyzers: { loops: { kind: "repetition", onFinding: "stop" } } } })
const rounds = `It begins well. ${"Round and round the wheel goes. ".repeat(40)}`

layer(stopping, { excludeTestServices: true })("a server whose analyzer stops what goes round in circles", (it) => {
  const content = [{ role: "user", content: rounds }]
  const input = { model: "chat/echo", input: rounds, store: false }
  const contents = { contents: [{ role: "user", parts: [{ text: rounds }] }] }

  it.effect.each([
    ["chat, streamed", askChat("chat/echo", { messages: content }), '"finish_reason":"length"'],
    ["chat, whole", askChat("chat/echo", { messages: content, stream: false }), '"finish_reason":"length"'],
    ["messages, streamed", askMessages("messages/echo", { messages: content }), '"stop_reason":"max_tokens"'],
    [
      "messages, whole",
      askMessages("messages/echo", { messages: content, stream: false }),
      '"stop_reason":"max_tokens"'
    ],
    ["chat to messages", askChat("messages/echo", { messages: content }), '"finish_reason":"length"'],
    ["responses, streamed", ask("/v1/responses", { body: { ...input, stream: true } }), '"reason":"max_output_tokens"'],
    ["responses, whole", ask("/v1/responses", { body: input }), '"reason":"max_output_tokens"'],
    [
      "gemini, streamed",
      ask("/v1beta/models/chat/echo:streamGenerateContent?alt=sse", { body: contents }),
      "MAX_TOKENS"
    ],
    ["gemini, whole", ask("/v1beta/models/chat/echo:generateContent", { body: contents }), "MAX_TOKENS"]
  ] as const)("ends it like one that a limit cut: %s", ([, asking, ending]) =>
    Effect.gen(function* () {
      const seen = yield* asking
      assert.strictEqual(seen.status, 200, seen.text)
      assert.include(seen.text, ending)
      const { outcome } = yield* recordOf(seen)
      assert.deepInclude(outcome, { kind: "Limited", by: "filter", filter: "loops", reason: "repetition" })
      const found = yield* until(ask(`/v1/signals/${callIdOf(seen)}`), ({ status }) => status === 200)
      assert.deepInclude(decode(json(found)).signals.at(-1), {
        type: "stream.repetition",
        metadata: { analyzer: "loops", severity: "high", action: "stopped" }
      })
    })
  )
})

layer(running({ sections: { signals: { enabled: false } } }), { excludeTestServices: true })(
  "a server that does not read them",
  (it) => {
    it.effect("has no signals", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* askChat("chat/echo")).status, 200)
        assert.strictEqual((yield* ask("/v1/signals")).status, 404)
      })
    )
  }
)
