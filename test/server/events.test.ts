import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ask, askChat, callIdOf, errorOf, recordOf, running } from "./running.ts"
import { json } from "./simulate/server.ts"

const keys = { admin: "key-of-the-administrator", ci: "key-of-continuous-integration", acme: "key-of-acme" }
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

const open = running({ settings: { bodyLimit: 100_000 } })
const guarded = running({
  sections: {
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

const tell = (body: object, key?: string) =>
  ask("/v1/events", { body, ...(key === undefined ? {} : { headers: bearer(key) }) })

const score = (id: string, call: string) => ({ id, type: "score", call, name: "useful", value: 1 })

layer(open, { excludeTestServices: true })("a server that is told of runs, steps and scores", (it) => {
  it.effect("shows them with the call, whichever came first", () =>
    Effect.gen(function* () {
      const early = { id: "early", type: "step", run: "r", step: "1", name: "ask", status: "completed" }
      assert.deepStrictEqual(json(yield* tell(early)), { data: [{ id: "early", status: "accepted" }] })
      const seen = yield* askChat("chat/echo")
      const call = callIdOf(seen)
      yield* recordOf(seen)
      const told = yield* tell({
        events: [
          score("s", call),
          { id: "run", type: "run", run: "r", call, status: "completed", output: { ok: true } }
        ]
      })
      assert.strictEqual(told.status, 200)
      const record = json(yield* ask(`/v1/calls/${call}`))
      assert.deepStrictEqual(record.scores, [{ id: "s", name: "useful", value: 1, call }])
      assert.deepStrictEqual(record.runs, [
        {
          id: "r",
          status: "completed",
          output: { ok: true },
          calls: [call],
          steps: [{ id: "1", name: "ask", status: "completed" }]
        }
      ])
    })
  )

  it.effect("says of each of several what became of it, by its place", () =>
    Effect.gen(function* () {
      const deep = { ...score("deep", "call_1"), more: JSON.parse("[".repeat(1000) + "]".repeat(1000)) }
      const seen = yield* tell({
        events: [score("a", "call_1"), { ...score("a", "call_1"), value: 2 }, { id: "b", type: "run" }, 5, deep]
      })
      assert.strictEqual(seen.status, 207)
      const { data } = json(seen)
      assert.deepStrictEqual(data[0], { id: "a", status: "accepted" })
      assert.deepInclude(data[1], { id: "a", status: "refused" })
      assert.deepInclude(data[1].error, { reason: "conflict", path: "events[1].id" })
      assert.deepStrictEqual(data[2].error, {
        reason: "invalid",
        path: "events[2].run",
        message: "events[2]: run is missing"
      })
      assert.deepStrictEqual(data[3].error, {
        reason: "invalid",
        path: "events[3]",
        message: "events[3]: an event has to be a JSON object"
      })
      assert.include(data[4].error.message, "an event is at most 64 levels deep")
    })
  )

  it.effect("answers about one alone with a status of its own, again and again the same", () =>
    Effect.gen(function* () {
      const event = score("alone", "call_1")
      const first = yield* tell(event)
      const again = yield* tell(event)
      assert.deepStrictEqual([first.status, again.status, again.text], [200, 200, first.text])
      const other = yield* tell({ ...event, value: 2 })
      assert.strictEqual(other.status, 409)
      assert.deepInclude(json(other).data[0].error, { reason: "conflict", path: "id" })
      const wrong = yield* tell({ ...event, value: {} })
      assert.strictEqual(wrong.status, 400)
      assert.strictEqual(json(wrong).data[0].error.path, "value")
    })
  )

  it.effect("says what is wrong with a request", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 501 }, (_, n) => score(String(n), "c"))
      for (const [body, message] of [
        [{}, /events has to be a list/],
        [{ events: {} }, /events has to be a list/],
        [{ events: [] }, /put at least one/],
        [{ events: [score("1", "c")], run: "r" }, /run .* belongs into each/],
        [{ events: many }, /at most 500/],
        [[], /JSON object/]
      ] as const) {
        const seen = yield* tell(body)
        assert.strictEqual(seen.status, 400, JSON.stringify(body).slice(0, 100))
        assert.match(errorOf(seen.text).message ?? "", message)
      }
      assert.strictEqual((yield* tell({ ...score("long", "c"), comment: "x".repeat(110_000) })).status, 413)
      const other = yield* ask("/v1/events")
      assert.deepStrictEqual([other.status, other.headers["allow"]], [405, "POST"])
    })
  )
})

layer(guarded, { excludeTestServices: true })("a server that asks for keys", (it) => {
  it.effect("lets a key tell of its own calls, the administrator of all, and nobody else", () =>
    Effect.gen(function* () {
      const seen = yield* askChat("chat/echo", {}, { headers: bearer(keys.ci) })
      const call = callIdOf(seen)
      yield* recordOf(seen)
      assert.strictEqual((yield* tell(score("1", call))).status, 401)
      const foreign = yield* tell(score("1", call), keys.acme)
      assert.strictEqual(foreign.status, 403)
      assert.match(json(foreign).data[0].error.message, /made with another key/)
      // ids are everybody's own
      for (const key of [keys.ci, keys.admin]) assert.strictEqual((yield* tell(score("1", call), key)).status, 200)
      const record = json(yield* ask(`/v1/calls/${call}`, { headers: bearer(keys.ci) }))
      assert.deepStrictEqual(
        record.scores.map(({ by }: { readonly by: string }) => by),
        ["admin", "ci"]
      )
    })
  )
})
