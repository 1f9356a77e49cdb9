import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { gzipSync } from "node:zlib"
import { ask, errorOf, Running, running, userMessage } from "./running.ts"
import { json } from "./simulate/server.ts"

const page = "https://chat.example.com"
const server = running({ settings: { allowedOrigins: [page] } })
const call = { model: "chat/echo", max_tokens: 50, messages: [userMessage] }

layer(server, { excludeTestServices: true })("a request that a web page sends", (it) => {
  it.effect("from a site that is not named is refused, in the dialect that asks, whatever it says it is", () =>
    Effect.gen(function* () {
      const { audit, port } = yield* Running
      const before = (yield* audit.list({})).data.length
      for (const origin of ["https://evil.example", "null", `http://evil.example:${port}`, `${page}.evil.example`]) {
        for (const type of ["text/plain", "application/json"]) {
          const seen = yield* ask("/v1/messages", {
            body: JSON.stringify(call),
            // What a name of theirs leads to may well be this machine.
            headers: { origin, "content-type": type, host: `evil.example:${port}` }
          })
          assert.deepStrictEqual([seen.status, json(seen).type], [403, "error"], origin)
          assert.include(errorOf(seen.text).message, "server.allowedOrigins")
          assert.isUndefined(seen.headers["access-control-allow-origin"])
        }
      }
      const preflight = yield* ask("/v1/messages", {
        method: "OPTIONS",
        headers: { origin: "https://evil.example", "access-control-request-method": "POST" }
      })
      assert.strictEqual(preflight.status, 403)
      assert.strictEqual((yield* audit.list({})).data.length, before)
    })
  )

  it.effect("from the server itself is answered", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
        const seen = yield* ask("/v1/messages", { body: call, headers: { origin: `http://${host}`, host } })
        assert.strictEqual(seen.status, 200, host)
      }
    })
  )

  it.effect("from a site that is named is answered, and the browser may show it the answer", () =>
    Effect.gen(function* () {
      const preflight = yield* ask("/v1/messages", {
        method: "OPTIONS",
        headers: {
          origin: page,
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type,x-api-key"
        }
      })
      assert.strictEqual(preflight.status, 204)
      assert.strictEqual(preflight.headers["access-control-allow-origin"], page)
      assert.strictEqual(preflight.headers["access-control-allow-headers"], "content-type,x-api-key")
      assert.include(preflight.headers["access-control-allow-methods"], "POST")
      for (const stream of [true, false]) {
        const seen = yield* ask("/v1/messages", { body: { ...call, stream }, headers: { origin: page } })
        assert.strictEqual(seen.status, 200)
        assert.strictEqual(seen.headers["access-control-allow-origin"], page)
        assert.strictEqual(seen.headers["access-control-expose-headers"], "*")
        assert.isUndefined(seen.headers["access-control-allow-credentials"])
      }
      const failed = yield* ask("/v1/messages", { body: "{", headers: { origin: page } })
      assert.deepStrictEqual([failed.status, failed.headers["access-control-allow-origin"]], [400, page])
    })
  )

  it.effect("is a question about the method where it does not come from a page", () =>
    Effect.gen(function* () {
      const seen = yield* ask("/v1/messages", { method: "OPTIONS" })
      assert.deepStrictEqual([seen.status, seen.headers["allow"]], [405, "POST"])
    })
  )
})

const calls = (host: string) => ask("/v1/calls", { method: "GET", headers: { host } })

layer(server, { excludeTestServices: true })("a request of which it is not said where it is from", (it) => {
  it.effect("is answered where it names this machine, or who is named", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      const own = [
        `127.0.0.1:${port}`,
        "127.0.0.1",
        `[::1]:${port}`,
        `LocalHost:${port}`,
        "mill.localhost",
        "host.docker.internal"
      ]
      for (const host of [...own, "chat.example.com", `chat.example.com:${port}`]) {
        assert.strictEqual((yield* calls(host)).status, 200, host)
      }
    })
  )

  it.effect("is refused where it names whatever else may lead here", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      for (const host of [`evil.example:${port}`, "evil.example", "localhost.evil.example", "127.0.0.1.evil.example"]) {
        const seen = yield* calls(host)
        assert.strictEqual(seen.status, 403, host)
        assert.include(errorOf(seen.text).message, `"http://${host}"`)
      }
    })
  )
})

layer(running({ settings: { allowedOrigins: ["*"] } }), { excludeTestServices: true })(
  "where all pages may call",
  (it) => {
    it.effect("a request may name what it likes", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* calls("evil.example")).status, 200)
      })
    )
  }
)

const guarded = running({ sections: { auth: { mode: "keys", keys: [{ name: "ci", key: "key-of-ci" }] } } })

layer(guarded, { excludeTestServices: true })("where everybody is asked for a key", (it) => {
  it.effect("a request may name what it likes, and has to show one", () =>
    Effect.gen(function* () {
      const headers = { host: "gateway.example" }
      assert.strictEqual((yield* ask("/v1/calls", { method: "GET", headers })).status, 401)
      const shown = { ...headers, authorization: "Bearer key-of-ci" }
      assert.strictEqual((yield* ask("/v1/calls", { method: "GET", headers: shown })).status, 200)
    })
  )
})

layer(running(), { excludeTestServices: true })("a body that is not plain JSON text", (it) => {
  const paths = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/chat/echo:generateContent"]

  it.effect("is refused with what to do about it where it is compressed", () =>
    Effect.gen(function* () {
      for (const path of paths) {
        const body = gzipSync(JSON.stringify(call))
        const seen = yield* ask(path, { body, headers: { "content-encoding": "gzip" } })
        assert.strictEqual(seen.status, 415, path)
        assert.include(errorOf(seen.text).message, "send it as it is")
      }
      const plain = yield* ask("/v1/messages", { body: call, headers: { "content-encoding": "identity" } })
      assert.strictEqual(plain.status, 200)
    })
  )

  it.effect("is refused where it is not UTF-8, whatever would stand in its place", () =>
    Effect.gen(function* () {
      const [before, after] = JSON.stringify({ ...call, messages: [{ role: "user", content: "|" }] }).split("|")
      const body = Buffer.concat([Buffer.from(before ?? ""), Buffer.from([0xc3, 0x28]), Buffer.from(after ?? "")])
      const seen = yield* ask("/v1/messages", { body })
      assert.strictEqual(seen.status, 400)
      assert.include(errorOf(seen.text).message, "UTF-8")
    })
  )
})

layer(running(), { excludeTestServices: true })("a path that there is not", (it) => {
  it.effect("is named, and answered in the words of the dialect below which it stands", () =>
    Effect.gen(function* () {
      for (const method of ["GET", "POST"]) {
        const messages = yield* ask("/v1/messages/foo", { method })
        assert.deepStrictEqual([messages.status, json(messages).type], [404, "error"])
        const gemini = yield* ask("/v1beta/cachedContents", { method })
        assert.deepStrictEqual([gemini.status, json(gemini).error.status], [404, "NOT_FOUND"])
        for (const path of ["/v1/responses/foo", "/v1/chat/foo", "/v1/embeddings/foo"]) {
          const seen = yield* ask(path, { method })
          assert.deepStrictEqual([seen.status, json(seen).error.type], [404, "invalid_request_error"])
          assert.include(json(seen).error.message, path)
        }
      }
      const action = yield* ask("/v1beta/models/foo:bar", { method: "POST" })
      assert.include(json(action).error.message, "/v1beta/models/foo:bar")
    })
  )
})
