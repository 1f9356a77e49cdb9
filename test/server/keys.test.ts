import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { begin, finished } from "./client.ts"
import {
  ask,
  askChat,
  askMessages,
  dialects,
  ended,
  errorOf,
  recordOf,
  running,
  until,
  userMessage
} from "./running.ts"
import { json } from "./simulate/server.ts"

const keys = {
  admin: "key-of-the-administrator",
  ci: "key-of-continuous-integration",
  acme: "key-of-acme-for-chat",
  screened: "key-with-filters"
}

const server = running({
  models: { smart: { targets: [{ provider: "messages", model: "echo" }] } },
  sections: {
    filters: {
      pii: { kind: "redact", packs: ["email"] },
      polite: { kind: "block", words: ["damn"], on: ["request"], status: 403 }
    },
    auth: {
      mode: "keys",
      adminKey: keys.admin,
      keys: [
        { name: "ci", key: keys.ci, labels: { team: "build" } },
        { name: "acme", key: keys.acme, tenant: "acme", models: ["chat/*"] },
        { name: "screened", key: keys.screened, filters: ["pii"] },
        { name: "old", key: "key-that-has-expired", expiresAt: "2020-01-01" }
      ]
    }
  }
})

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const body = { model: "smart", max_tokens: 50, messages: [userMessage] }
const contents = { contents: [{ role: "user", parts: [{ text: "hello" }] }] }

layer(server, { excludeTestServices: true })("a server that asks for keys", (it) => {
  it.effect("refuses whoever shows none, or one that is not valid, in the words of the dialect", () =>
    Effect.gen(function* () {
      for (const headers of [{}, bearer("nobody's"), bearer("key-that-has-expired"), { authorization: keys.ci }]) {
        const chat = yield* askChat("smart", {}, { headers })
        assert.deepStrictEqual([chat.status, errorOf(chat.text).code], [401, "invalid_api_key"])
        assert.strictEqual(chat.headers["www-authenticate"], "Bearer")
        assert.isUndefined(chat.headers["x-millrace-call-id"])
        const messages = yield* askMessages("smart", {}, { headers })
        assert.deepStrictEqual([messages.status, errorOf(messages.text).type], [401, "authentication_error"])
        const gemini = yield* ask("/v1beta/models/chat/echo:generateContent", { body: contents, headers })
        assert.deepStrictEqual([gemini.status, json(gemini).error.status], [401, "UNAUTHENTICATED"])
        for (const path of ["/v1/models", "/v1/calls", "/", "/admin/api/keys"]) {
          assert.strictEqual((yield* ask(path, { headers })).status, 401, path)
        }
      }
      for (const path of ["/healthz", "/readyz"]) assert.strictEqual((yield* ask(path)).status, 200)
    })
  )

  it.effect("takes a key wherever an SDK puts it", () =>
    Effect.gen(function* () {
      for (const headers of [
        bearer(keys.ci),
        { authorization: `bearer  ${keys.ci}` },
        { "x-api-key": keys.ci },
        { "x-goog-api-key": keys.ci }
      ]) {
        assert.strictEqual((yield* ask("/v1/messages", { body, headers })).status, 200)
      }
      const path = `/v1beta/models/chat/echo:generateContent?key=${encodeURIComponent(keys.ci)}`
      assert.strictEqual((yield* ask(path, { body: contents })).status, 200)
    })
  )

  it.effect("records whose key it was, with what belongs to the key before what the request says", () =>
    Effect.gen(function* () {
      const headers = { ...bearer(keys.ci), "x-millrace-labels": "team=search,stage=test", "x-millrace-tenant": "t" }
      const { caller } = yield* recordOf(yield* ask("/v1/messages", { body, headers }))
      assert.deepStrictEqual(caller, { key: "ci", tenant: "t", labels: { team: "build", stage: "test" } })
      const admin = yield* recordOf(yield* ask("/v1/messages", { body, headers: bearer(keys.admin) }))
      assert.deepStrictEqual(admin.caller, { key: "admin" })
    })
  )

  it.effect("lets a key speak for its own tenant alone, and name its own models alone", () =>
    Effect.gen(function* () {
      const as = (tenant: string) => ({ ...bearer(keys.acme), "x-millrace-tenant": tenant })
      const own = yield* ask("/v1/messages", { body: { ...body, model: "chat/echo" }, headers: as("acme") })
      assert.deepStrictEqual((yield* recordOf(own)).caller, { key: "acme", tenant: "acme" })
      const other = yield* ask("/v1/messages", { body: { ...body, model: "chat/echo" }, headers: as("globex") })
      assert.deepStrictEqual([other.status, errorOf(other.text).type], [403, "permission_error"])
      for (const { ask } of dialects) {
        const seen = yield* ask("smart", {}, { headers: bearer(keys.acme) })
        assert.strictEqual(seen.status, 403)
        assert.include(errorOf(seen.text).message, "chat/*")
      }
      const counted = yield* ask("/v1/messages/count_tokens", { body, headers: bearer(keys.acme) })
      const embedded = { model: "messages/x", input: "x" }
      const vectors = yield* ask("/v1/embeddings", { body: embedded, headers: bearer(keys.acme) })
      assert.deepStrictEqual([counted.status, vectors.status], [403, 403])
      const models = json(yield* ask("/v1/models", { headers: bearer(keys.acme) })).data
      assert.isAbove(models.length, 0)
      for (const { id } of models) assert.match(id, /^chat\//)
      assert.strictEqual((yield* ask("/v1/models/smart", { headers: bearer(keys.acme) })).status, 404)
    })
  )

  it.effect("shows a key its own calls, and the administrator all of them", () =>
    Effect.gen(function* () {
      const own = yield* ask("/v1/messages", { body, headers: bearer(keys.ci) })
      const others = yield* ask("/v1/messages", { body, headers: bearer(keys.admin) })
      const id = (seen: typeof own) => String(seen.headers["x-millrace-call-id"])
      const listed = (key: string) =>
        Effect.map(ask("/v1/calls?limit=100", { headers: bearer(key) }), (seen) =>
          json(seen).data.map((call: { readonly id: string }) => call.id)
        )
      assert.include(yield* listed(keys.ci), id(own))
      assert.notInclude(yield* listed(keys.ci), id(others))
      assert.includeMembers(yield* listed(keys.admin), [id(own), id(others)])
      // the key that lets somebody in is no filter
      const shown = yield* ask(`/v1/calls?limit=100&key=${encodeURIComponent(keys.admin)}`)
      assert.includeMembers(
        json(shown).data.map((call: { readonly id: string }) => call.id),
        [id(own), id(others)]
      )
      const filtered = yield* ask("/v1/calls?limit=100&key=ci", { headers: bearer(keys.admin) })
      assert.isTrue(json(filtered).data.every((call: CallRecord) => call.caller.key === "ci"))
      const read = (call: typeof own, key: string) => ask(`/v1/calls/${id(call)}`, { headers: bearer(key) })
      assert.strictEqual((yield* read(own, keys.ci)).status, 200)
      assert.strictEqual((yield* read(others, keys.ci)).status, 404)
      assert.strictEqual((yield* read(own, keys.admin)).status, 200)
    })
  )

  it.effect("tells a key of its own calls as they begin and end, and of no others", () =>
    Effect.gen(function* () {
      let told = ""
      const following = yield* Effect.forkChild(
        ask("/v1/calls?follow=begun", {
          headers: bearer(keys.ci),
          enough: (text) => (told = text).trim().split("\n").length === 2
        })
      )
      // an empty line says that it has begun
      yield* until(
        Effect.sync(() => told),
        (text) => text !== ""
      )
      yield* ask("/v1/messages", { body, headers: bearer(keys.admin) })
      const own = yield* ask("/v1/messages", { body, headers: bearer(keys.ci) })
      const seen = yield* Fiber.join(following)
      const id = own.headers["x-millrace-call-id"]
      assert.deepStrictEqual(
        seen.text
          .trim()
          .split("\n")
          .map((line): CallRecord => JSON.parse(line))
          .map((call) => [call.id, call.status]),
        [
          [id, "open"],
          [id, "ended"]
        ]
      )
    })
  )

  it.effect("lets a key cancel its own calls, and the administrator any", () =>
    Effect.gen(function* () {
      const calls = Effect.map(ask("/v1/calls?limit=100", { headers: bearer(keys.ci) }), (seen) => json(seen).data)
      const before: number = (yield* calls).length
      const call = yield* begin("messages", "messages/echo?hang", true, bearer(keys.ci))
      const [{ id }] = yield* until(calls, (found) => found.length > before)
      const cancel = (key: string) =>
        Effect.map(ask(`/v1/calls/${id}/cancel`, { method: "POST", headers: bearer(key) }), ({ status }) => status)
      assert.strictEqual(yield* cancel(keys.acme), 404)
      assert.strictEqual(yield* cancel(keys.ci), 200)
      assert.deepInclude((yield* ended(id)).outcome, { kind: "Cancelled", by: "caller" })
      assert.strictEqual((yield* finished(call)).status, 503)
      const another = yield* begin("messages", "messages/echo?hang", true, bearer(keys.ci))
      const [{ id: other }] = yield* until(calls, (found) => found.length > before + 1)
      const seen = yield* ask(`/v1/calls/${other}/cancel`, { method: "POST", headers: bearer(keys.admin) })
      assert.deepStrictEqual([seen.status, (yield* finished(another)).status], [200, 503])
    })
  )

  it.effect("passes the calls of a key through the filters that the key names, and no others", () =>
    Effect.gen(function* () {
      const said = { role: "user", content: "Write to jane@example.com." }
      const answered = (key: string) =>
        Effect.map(askChat("smart", { stream: false, messages: [said] }, { headers: bearer(key) }), ({ text }) => text)
      const screened = yield* answered(keys.screened)
      assert.include(screened, "[EMAIL]")
      assert.notInclude(screened, "jane@example.com")
      assert.notInclude(yield* answered(keys.ci), "[EMAIL]")
    })
  )

  it.effect("keeps what is the administrator's for the administrator", () =>
    Effect.gen(function* () {
      for (const path of ["/", "/admin/api/keys", "/admin/api/openapi.json"]) {
        assert.strictEqual((yield* ask(path, { headers: bearer(keys.ci) })).status, 403, path)
        assert.strictEqual((yield* ask(path, { headers: bearer(keys.admin) })).status, 200, path)
      }
    })
  )
})

layer(server, { excludeTestServices: true })("the administrator's API", (it) => {
  const admin = (path: string, method = "GET", body?: object) =>
    ask(`/admin/api/keys${path}`, { method, headers: bearer(keys.admin), ...(body === undefined ? {} : { body }) })
  const works = (secret: string) =>
    Effect.map(ask("/v1/messages", { body, headers: bearer(secret) }), ({ status }) => status === 200)

  it.effect("makes a key that works at once, and shows it once", () =>
    Effect.gen(function* () {
      const made = yield* admin("", "POST", { name: "new", owner: "ada", tenant: "acme", labels: { a: "b" } })
      assert.strictEqual(made.status, 200)
      const { secret, ...key } = json(made)
      assert.match(secret, /^mr-[\w-]{43}$/)
      assert.deepInclude(key, { name: "new", owner: "ada", tenant: "acme", disabled: false, source: "database" })
      assert.isTrue(yield* works(secret))
      const listed = yield* admin("")
      assert.deepStrictEqual(
        json(listed).data.map(({ name }: { readonly name: string }) => name),
        ["acme", "ci", "new", "old", "screened"]
      )
      assert.deepStrictEqual(json(yield* admin("/new")), key)
      for (const each of [secret, ...Object.values(keys)]) assert.notInclude(listed.text, each)
    })
  )

  it.effect("changes, disables and lets expire; the next request sees it", () =>
    Effect.gen(function* () {
      const { secret } = json(yield* admin("", "POST", { name: "changing" }))
      assert.isTrue(yield* works(secret))
      yield* admin("/changing", "PATCH", { models: ["other"] })
      assert.isFalse(yield* works(secret))
      const changed = yield* admin("/changing", "PATCH", { models: null, owner: "bob" })
      assert.isUndefined(json(changed).models)
      assert.isTrue(yield* works(secret))
      yield* admin("/changing", "PATCH", { disabled: true })
      assert.isFalse(yield* works(secret))
      yield* admin("/changing", "PATCH", { disabled: false })
      assert.isTrue(yield* works(secret))
      yield* admin("/changing", "PATCH", { expiresAt: 1 })
      assert.isFalse(yield* works(secret))
      assert.deepInclude(json(yield* admin("/changing")), { owner: "bob", expiresAt: 1 })
    })
  )

  it.effect("gives a key another secret, at once or while the one before still works", () =>
    Effect.gen(function* () {
      const first = json(yield* admin("", "POST", { name: "rotating" })).secret
      const rotated = json(yield* admin("/rotating/rotate", "POST", {}))
      const second = rotated.secret
      assert.isUndefined(rotated.previousUntil)
      assert.deepStrictEqual([yield* works(first), yield* works(second)], [false, true])
      const third = json(yield* admin("/rotating/rotate", "POST", { graceSeconds: 600 })).secret
      assert.deepStrictEqual([yield* works(first), yield* works(second), yield* works(third)], [false, true, true])
    })
  )

  it.effect("deletes one for good; what it did stays under its name", () =>
    Effect.gen(function* () {
      const { secret } = json(yield* admin("", "POST", { name: "passing" }))
      const called = yield* askMessages("smart", {}, { headers: bearer(secret) })
      assert.deepStrictEqual([(yield* admin("/passing", "DELETE")).status, yield* works(secret)], [204, false])
      assert.deepStrictEqual(
        [(yield* admin("/passing")).status, (yield* admin("/passing", "DELETE")).status],
        [404, 404]
      )
      assert.strictEqual((yield* admin("/ci", "DELETE")).status, 409)
      assert.strictEqual((yield* recordOf(called)).caller.key, "passing")
      const again = json(yield* admin("", "POST", { name: "passing" }))
      assert.deepStrictEqual([yield* works(secret), yield* works(again.secret)], [false, true])
    })
  )

  it.effect("keeps all of several changes that are made at once", () =>
    Effect.gen(function* () {
      const { secret } = json(yield* admin("", "POST", { name: "contended" }))
      const changes = [{ disabled: true }, { owner: "ada" }, { tenant: "acme" }, { models: ["smart"] }]
      const all = [...changes.map((change) => admin("/contended", "PATCH", change)), admin("/contended/rotate", "POST")]
      const seen = yield* Effect.all(all, { concurrency: "unbounded" })
      assert.deepInclude(json(yield* admin("/contended")), Object.assign({}, ...changes))
      yield* admin("/contended", "PATCH", { disabled: false })
      assert.deepStrictEqual([yield* works(secret), yield* works(json(seen.at(-1)!).secret)], [false, true])
    })
  )

  it.effect("says what cannot be done", () =>
    Effect.gen(function* () {
      for (const name of ["ci", "admin"]) {
        const taken = yield* admin("", "POST", { name })
        assert.deepStrictEqual([taken.status, json(taken).message.includes(name)], [409, true])
      }
      assert.strictEqual((yield* admin("/ci", "PATCH", { disabled: true })).status, 409)
      assert.strictEqual((yield* admin("/nobody")).status, 404)
      assert.strictEqual((yield* admin("/nobody/rotate", "POST", {})).status, 404)
      const wrongs = [
        { name: "a b" },
        { name: 5 },
        {},
        { name: "x", limits: { requests: { minute: -1 } } },
        { name: "x", limits: { requests: { minutes: 1 } } },
        { name: "x", limits: { request: { minute: 1 } } },
        { name: "x", limit: { requests: { minute: 1 } } }
      ]
      for (const wrong of wrongs) {
        const seen = yield* admin("", "POST", wrong)
        assert.strictEqual(seen.status, 400, JSON.stringify(wrong))
        assert.match(json(seen).message, /name|minute|limit|request/)
      }
      const said = (body: object) => Effect.map(admin("", "POST", body), (seen) => json(seen).message)
      assert.include(yield* said({ name: "x", limit: {} }), 'limit: is no known key; did you mean "limits"?')
      assert.include(yield* said([]), "has to be a JSON object")
      const soon = yield* admin("", "POST", { name: "x", expiresAt: 1795250000 })
      assert.deepStrictEqual([soon.status, json(soon).message.includes("in seconds")], [422, true])
      yield* admin("", "POST", { name: "unchanged" })
      const seconds = yield* admin("/unchanged", "PATCH", { expiresAt: 1895250000 })
      assert.deepStrictEqual([seconds.status, json(seconds).message.includes("in seconds")], [422, true])
      const never = yield* admin("/unchanged", "PATCH", { expiresAt: 1895250000e9 })
      assert.deepStrictEqual([never.status, json(never).message.includes("milliseconds since 1970")], [400, true])
      assert.strictEqual((yield* admin("/unchanged", "PATCH", { expires: 1 })).status, 400)
      assert.strictEqual((yield* admin("/unchanged/rotate", "POST", { grace: 1 })).status, 400)
    })
  )

  it.effect("lets a key name filters that there are, and says which they are to whoever names another", () =>
    Effect.gen(function* () {
      const { secret } = json(yield* admin("", "POST", { name: "polite", filters: ["polite"] }))
      const swear = Effect.map(
        askMessages("smart", { messages: [{ role: "user", content: "damn" }] }, { headers: bearer(secret) }),
        ({ status }) => status
      )
      assert.strictEqual(yield* swear, 403)
      const headers = bearer(secret)
      const vectors = yield* ask("/v1/embeddings", { body: { model: "chat/embed", input: "damn" }, headers })
      const counting = { model: "smart", messages: [{ role: "user", content: "damn" }] }
      const counted = yield* ask("/v1/messages/count_tokens", { body: counting, headers })
      assert.deepStrictEqual([vectors.status, counted.status], [403, 403])
      for (const seen of [
        yield* admin("", "POST", { name: "wrong", filters: ["polite", "pi"] }),
        yield* admin("/polite", "PATCH", { filters: ["pi"] })
      ]) {
        assert.deepStrictEqual(
          [seen.status, json(seen).message],
          [422, 'There is no filter "pi"; there are pii, polite']
        )
      }
      assert.strictEqual((yield* admin("/wrong")).status, 404)
      assert.strictEqual((yield* admin("/polite", "PATCH", { filters: null })).status, 200)
      assert.strictEqual(yield* swear, 200)
    })
  )

  it.effect("takes JSON under any name, and a rotation without a body", () =>
    Effect.gen(function* () {
      const made = yield* ask("/admin/api/keys", {
        method: "POST",
        headers: { ...bearer(keys.admin), "content-type": "application/x-www-form-urlencoded" },
        body: { name: "plain" }
      })
      assert.strictEqual(made.status, 200)
      const rotated = yield* admin("/plain/rotate", "POST")
      assert.isTrue(yield* works(json(rotated).secret))
      assert.isFalse(yield* works(json(made).secret))
    })
  )

  it.effect("says what there is not, and which methods there are", () =>
    Effect.gen(function* () {
      const misspelt = yield* ask("/admin/api/key", { headers: bearer(keys.admin) })
      assert.deepStrictEqual(
        [misspelt.status, errorOf(misspelt.text).message],
        [404, "There is nothing at /admin/api/key"]
      )
      const put = yield* admin("/ci", "PUT")
      assert.deepStrictEqual([put.status, put.headers["allow"]], [405, "GET, PATCH, DELETE"])
    })
  )

  it.effect("describes itself", () =>
    Effect.gen(function* () {
      const document = json(yield* ask("/admin/api/openapi.json", { headers: bearer(keys.admin) }))
      assert.includeMembers(Object.keys(document.paths), ["/admin/api/keys", "/admin/api/keys/{name}/rotate"])
    })
  )
})
