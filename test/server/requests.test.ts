import { assert, layer } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { connect } from "node:net"
import { ask, askChat, askMessages, dialects, errorOf, Running, running, userMessage } from "./running.ts"
import { json, type Seen } from "./simulate/server.ts"

const server = running({
  settings: { bodyLimit: 100_000 },
  models: {
    smart: { targets: [{ provider: "messages", model: "echo" }] },
    "team/quick model": { alias: "smart" }
  }
})

/** How many calls were recorded. */
const recorded = Effect.gen(function* () {
  const { audit } = yield* Running
  return (yield* audit.list({ limit: 1000 })).data.length
})

/** A request that is refused before it is a call: an id of its own, no call, no record. */
const refused = Effect.fnUntraced(function* (request: Effect.Effect<Seen, Error, Running>) {
  const before = yield* recorded
  const seen = yield* request
  assert.isString(seen.headers["x-request-id"])
  assert.isUndefined(seen.headers["x-millrace-call-id"])
  assert.strictEqual(yield* recorded, before)
  return { ...seen, error: errorOf(seen.text) }
})

const post = (path: string, body: unknown, headers: { readonly [name: string]: string } = {}) =>
  refused(ask(path, { method: "POST", body, headers }))

/** Sends bytes over a connection of its own and gives what came back until the server closed it or it has `enough`. */
const talk = (port: number, request: string | ReadonlyArray<string>, enough: (text: string) => boolean) =>
  Effect.callback<string, Error>((resume) => {
    const socket = connect(port, "127.0.0.1")
    let text = ""
    const parts = typeof request === "string" ? [request] : request
    socket.on("error", (error) => (text === "" ? resume(Effect.fail(error)) : resume(Effect.succeed(text))))
    socket.on("data", (data) => {
      text += data.toString("latin1")
      if (enough(text)) resume(Effect.succeed(text))
    })
    socket.on("close", () => resume(Effect.succeed(text)))
    for (const part of parts) socket.write(part)
    return Effect.sync(() => socket.destroy())
  })

layer(server, { excludeTestServices: true })("a request that cannot be a call", (it) => {
  for (const { id, path } of dialects) {
    it.effect(`${id}: is told what is wrong with its body, and where`, () =>
      Effect.gen(function* () {
        const invalid = "invalid_request_error"
        const syntax = yield* post(path, '{"model": "smart", "messages": [}')
        assert.deepStrictEqual([syntax.status, syntax.error.type], [400, invalid])
        assert.include(syntax.error.message, "not valid JSON")
        for (const body of ["[]", "null", "7", '"text"', ""]) {
          const seen = yield* post(path, body)
          assert.strictEqual(seen.status, 400, body)
          assert.match(seen.error.message ?? "", /JSON/, body)
        }
        const cases: ReadonlyArray<readonly [object, string]> = [
          [{ messages: [userMessage], max_tokens: 5 }, "model"],
          [{ model: 5, messages: [userMessage], max_tokens: 5 }, "model"],
          [{ model: "smart", max_tokens: 5 }, "messages"],
          [{ model: "smart", messages: "hello", max_tokens: 5 }, "messages"],
          [
            { model: "smart", messages: [userMessage, { role: "user", content: 7 }], max_tokens: 5 },
            "messages[1].content"
          ],
          [{ model: "smart", messages: [{ role: "nobody", content: "x" }], max_tokens: 5 }, "messages[0].role"],
          [{ model: "smart", messages: [userMessage], max_tokens: "many" }, "max_tokens"],
          [{ model: "smart", messages: [userMessage], max_tokens: 5, stream: "yes" }, "stream"],
          [{ model: "smart", messages: [userMessage], max_tokens: 5, tools: [{ name: 5 }] }, "tools[0]"]
        ]
        for (const [body, field] of cases) {
          const seen = yield* post(path, body)
          assert.strictEqual(seen.status, 400, JSON.stringify(body))
          assert.strictEqual(seen.error.type, invalid)
          assert.include(seen.error.message, field)
        }
      })
    )

    it.effect(`${id}: is told names like the one that no model has`, () =>
      Effect.gen(function* () {
        const seen = yield* post(path, { model: "smrat", messages: [userMessage], max_tokens: 5 })
        assert.strictEqual(seen.status, 404)
        assert.include(seen.error.message, '"smart"')
        if (id === "openai-chat") assert.strictEqual(seen.error.code, "model_not_found")
        else assert.strictEqual(seen.error.type, "not_found_error")
        const far = yield* post(path, { model: "xxxxxxxxxxxxxxxxxxxxxx", messages: [userMessage], max_tokens: 5 })
        assert.strictEqual(far.status, 404)
        assert.notInclude(far.error.message, "did you mean")
      })
    )

    it.effect(`${id}: is too large, whether it says so or not`, () =>
      Effect.gen(function* () {
        const content = "x".repeat(120_000)
        const body = { model: "smart", max_tokens: 5, messages: [{ role: "user", content }] }
        const stated = yield* post(path, body)
        assert.strictEqual(stated.status, 413)
        assert.include(stated.error.message, "100000 bytes")
        assert.strictEqual(stated.error.type, id === "openai-chat" ? "invalid_request_error" : "request_too_large")
        const unstated = yield* post(path, body, { "transfer-encoding": "chunked" })
        assert.strictEqual(unstated.status, 413)
        // What is sent of a body that is far too large cannot be taken, yet the answer arrives.
        const huge = yield* post(path, { ...body, more: "y".repeat(3_000_000) }, { "transfer-encoding": "chunked" })
        assert.strictEqual(huge.status, 413)
      })
    )

    it.effect(`${id}: is deeper than anything that means something`, () =>
      Effect.gen(function* () {
        const deep = "[".repeat(40_000) + "]".repeat(40_000)
        for (const field of ["messages", "metadata", "tools", "unknown_to_all"]) {
          const text = `{"model":"smart","max_tokens":5,"messages":[{"role":"user","content":"x"}],"${field}":${deep}}`
          const seen = yield* post(path, text)
          assert.strictEqual(seen.status, 400, field)
          assert.include(seen.error.message, "nested deeper than 500 levels")
        }
      })
    )

    it.effect(`${id}: has a control header that cannot be obeyed`, () =>
      Effect.gen(function* () {
        const body = { model: "smart", messages: [userMessage], max_tokens: 5 }
        const cases = {
          "x-millrace-timeout": ["soon", "5", "-1s", "1.5.5s", ""],
          "x-millrace-labels": ["a", "=b", "a=b, =c", "a=b,,c=d", "__proto__=x"],
          "x-millrace-timeuot": ["5s"],
          "x-millrace-target": ["messages/echo"]
        }
        for (const [header, values] of Object.entries(cases)) {
          for (const value of values) {
            const seen = yield* post(path, body, { [header]: value })
            assert.strictEqual(seen.status, 400, `${header}: ${value}`)
            assert.include(seen.error.message, header)
          }
        }
      })
    )
  }

  it.effect("uses a method that the path does not have", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [string, string, string]> = [
        ["GET", "/v1/messages", "POST"],
        ["DELETE", "/v1/chat/completions", "POST"],
        ["PUT", "/v1/messages/count_tokens", "POST"],
        ["POST", "/v1/models", "GET"],
        ["PATCH", "/v1/models/smart", "POST, GET"],
        ["POST", "/healthz", "GET"],
        ["DELETE", "/v1/calls/call_1", "GET, POST"]
      ]
      for (const [method, path, allow] of cases) {
        const seen = yield* refused(ask(path, { method }))
        assert.deepStrictEqual([seen.status, seen.headers.allow], [405, allow], `${method} ${path}`)
        assert.include(seen.error.message, method)
        assert.strictEqual(seen.error.type, "invalid_request_error")
      }
      const messages = yield* refused(ask("/v1/messages", { method: "GET" }))
      assert.strictEqual(json(messages).type, "error")
    })
  )

  it.effect("asks for a path that there is not, and is answered in its own words", () =>
    Effect.gen(function* () {
      for (const path of ["/v1/nothing", "/v2/messages", "/%", "/v1/calls/call_of_nobody"]) {
        const seen = yield* refused(ask(path))
        assert.strictEqual(seen.status, 404, path)
        assert.strictEqual(json(seen).type, undefined, path)
        const anthropic = yield* refused(ask(path, { headers: { "anthropic-version": "2023-06-01" } }))
        assert.deepInclude(json(anthropic), { type: "error" })
        assert.strictEqual(anthropic.error.type, "not_found_error")
      }
    })
  )
})

layer(server, { excludeTestServices: true })("a request that is one", (it) => {
  it.effect("asks for an answer of earlier, and learns that none is stored", () =>
    Effect.gen(function* () {
      for (const [path, what] of [
        ["/v1/responses/resp_7", "responses"],
        ["/v1/responses/resp_7/input_items", "responses"],
        ["/v1/chat/completions/chatcmpl-7", "answers"]
      ] as const) {
        const seen = yield* ask(path)
        assert.strictEqual(seen.status, 404)
        assert.include(errorOf(seen.text).message, `There is nothing at ${path}: ${what} are made here, and not stored`)
      }
      assert.notInclude((yield* ask("/v1/nothing")).text, "not stored")
    })
  )

  it.effect("has a path to which its client's base URL has led, and learns which was meant", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [string, string]> = [
        ["/chat/completions", "/v1/chat/completions"],
        ["/openai/v1/chat/completions", "/v1/chat/completions"],
        ["/v1/chat/completions/chat/completions", "/v1/chat/completions"],
        ["/openai/embeddings", "/v1/embeddings"],
        ["//v1//responses", "/v1/responses"],
        ["/v1/v1/messages", "/v1/messages"],
        ["/anthropic/v1/messages/count_tokens", "/v1/messages/count_tokens"],
        ["/google/v1beta/models/a/b:generateContent", "/v1beta/models/a/b:generateContent"]
      ]
      for (const [path, meant] of cases) {
        const seen = yield* refused(ask(path, { body: {} }))
        assert.strictEqual(seen.status, 404, path)
        assert.include(seen.error.message, `if ${meant} was meant, mend the base URL`)
      }
      assert.include((yield* ask("/models")).text, "if /v1/models was meant")
      const others = ["/v1/files", "/v1beta/models/a:predictLongRunning", "/a".repeat(4000), "/openai/v1/models"]
      for (const path of others) assert.notInclude((yield* ask(path, { body: {} })).text, "base URL", path)
    })
  )

  it.effect("may name the whole URL, as it is said to a proxy", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      const said = (target: string) =>
        talk(port, `GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`, () => false)
      assert.match(yield* said("http://any.example:80/v1/models/smart?x=1"), /^HTTP\/1\.1 200 [^]*"smart"/)
      assert.match(yield* said("http://any.example"), /^HTTP\/1\.1 200 [^]*Millrace/)
      assert.match(yield* said("nothing"), /^HTTP\/1\.1 40[04] /)
    })
  )

  it.effect("may have a slash at its end and a query", () =>
    Effect.gen(function* () {
      const body = { model: "smart", max_tokens: 50, messages: [userMessage] }
      for (const path of ["/v1/messages/", "/v1/messages?beta=true", "/v1/messages/?beta=true"]) {
        const seen = yield* ask(path, { body })
        assert.deepStrictEqual([seen.status, json(seen).content[0].text], [200, userMessage.content], path)
      }
    })
  )

  it.effect("has the id that it gave itself, or a new one", () =>
    Effect.gen(function* () {
      const { audit } = yield* Running
      const own = yield* askMessages("smart", {}, { headers: { "x-request-id": "mine-1" } })
      assert.strictEqual(own.headers["x-request-id"], "mine-1")
      const record = yield* audit.get(String(own.headers["x-millrace-call-id"]))
      assert.strictEqual(record?.requestId, "mine-1")
      const ids = new Set<unknown>()
      for (const id of [undefined, "", "white space", "x".repeat(201), "grüße"]) {
        const encoded = id === undefined ? undefined : Buffer.from(id).toString("latin1")
        const seen = yield* ask("/healthz", encoded === undefined ? {} : { headers: { "x-request-id": encoded } })
        assert.match(String(seen.headers["x-request-id"]), /^req_[0-9a-z]+$/)
        ids.add(seen.headers["x-request-id"])
      }
      assert.strictEqual(ids.size, 5)
    })
  )

  it.effect("says who asks, and on whose behalf", () =>
    Effect.gen(function* () {
      const { audit } = yield* Running
      const headers = {
        "x-millrace-tenant": "acme",
        "x-millrace-labels": "team=search, stage = test",
        "x-millrace-conversation": "talk-7",
        "x-millrace-timeout": "30s"
      }
      const seen = yield* askChat("smart", { stream: false }, { headers })
      const record = yield* audit.get(String(seen.headers["x-millrace-call-id"]))
      assert.deepStrictEqual(record?.caller, { tenant: "acme", labels: { team: "search", stage: "test" } })
      assert.strictEqual(record?.conversation, "talk-7")
    })
  )

  it.effect("says so in characters that are not ASCII, as UTF-8 or as Latin-1", () =>
    Effect.gen(function* () {
      const { audit } = yield* Running
      // A header is written byte by byte: these are the bytes of UTF-8, and those of Latin-1.
      for (const name of [Buffer.from("Zürich").toString("latin1"), "Zürich"]) {
        const headers = {
          "x-millrace-tenant": name,
          "x-millrace-labels": `city=${name}`,
          "x-millrace-conversation": `${name} 7`
        }
        yield* askChat("smart", { stream: false }, { headers })
        const { data } = yield* audit.list({ labels: ["city=Zürich"], limit: 1 })
        assert.deepStrictEqual(data[0]?.caller, { tenant: "Zürich", labels: { city: "Zürich" } })
        assert.strictEqual(data[0]?.conversation, "Zürich 7")
      }
    })
  )

  it.effect("learns what its target cannot do", () =>
    Effect.gen(function* () {
      const { audit } = yield* Running
      const seen = yield* askChat("smart", { seed: 7, logit_bias: { "5": 1 } })
      assert.strictEqual(seen.status, 200)
      const dropped = String(seen.headers["x-millrace-dropped"])
      assert.match(dropped, /seed/)
      assert.match(dropped, /logit_bias/)
      const record = yield* audit.get(String(seen.headers["x-millrace-call-id"]))
      const messages = record?.notices.filter(({ code }) => code === "dropped").map(({ message }) => message)
      assert.match(String(messages), /seed.*logit_bias|logit_bias.*seed/)
      const same = yield* askMessages("smart", { unknown_to_all: 7 })
      assert.isUndefined(same.headers["x-millrace-dropped"])
    })
  )

  it.effect("is told who answers", () =>
    Effect.gen(function* () {
      for (const seen of [yield* askMessages("smart"), yield* askMessages("team/quick model", { stream: false })]) {
        assert.strictEqual(seen.headers["x-millrace-model"], "messages/echo")
        assert.strictEqual(seen.headers["x-millrace-attempts"], "1")
        assert.match(String(seen.headers["x-millrace-call-id"]), /^call_[0-9a-z]{25}$/)
      }
      const streamed = yield* askMessages("smart")
      assert.strictEqual(streamed.headers["cache-control"], "no-cache, no-transform")
      assert.strictEqual(streamed.headers["x-accel-buffering"], "no")
      assert.match(String(streamed.headers["content-type"]), /^text\/event-stream/)
    })
  )

  it.effect("may ask first whether its body is welcome", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      const body = JSON.stringify({ model: "smart", max_tokens: 50, messages: [userMessage] })
      const head = (length: number) =>
        "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n" +
        `content-length: ${length}\r\nexpect: 100-continue\r\n\r\n`
      const asked = yield* talk(port, head(body.length), (text) => text.includes("\r\n\r\n"))
      assert.match(asked, /^HTTP\/1\.1 100 /)
      const answered = yield* talk(port, [head(body.length), body], () => false)
      assert.match(answered, /^HTTP\/1\.1 100 .*\r\n\r\nHTTP\/1\.1 200 /)
      const unwelcome = yield* talk(port, head(200_000), (text) => text.includes("request_too_large"))
      assert.match(unwelcome, /^HTTP\/1\.1 413 /)
    })
  )

  it.effect("may offer another protocol and is answered in this one", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      const body = JSON.stringify({ model: "smart", max_tokens: 50, messages: [userMessage] })
      for (const upgrade of ["h2c", "websocket"]) {
        const answer = yield* talk(
          port,
          "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, close\r\n" +
            `upgrade: ${upgrade}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
          (text) => text.includes("end_turn")
        )
        assert.match(answer, /^HTTP\/1\.1 200 /)
      }
    })
  )
})

layer(server, { excludeTestServices: true })("what is served beside calls", (it) => {
  it.effect("models in the shape of the SDK that asks", () =>
    Effect.gen(function* () {
      const openai = yield* ask("/v1/models")
      const ids = json(openai).data.map(({ id }: { readonly id: string }) => id)
      assert.includeMembers(ids, ["smart", "team/quick model"])
      assert.deepInclude(json(openai), { object: "list" })
      const anthropic = yield* ask("/v1/models", { headers: { "anthropic-version": "2023-06-01" } })
      assert.deepStrictEqual(
        json(anthropic).data.map(({ id }: { readonly id: string }) => id),
        ids
      )
      assert.deepInclude(json(anthropic).data[0], { type: "model" })
      assert.isFalse(json(anthropic).has_more)
    })
  )

  it.effect("one model, whose name may be percent-encoded", () =>
    Effect.gen(function* () {
      const openai = yield* ask("/v1/models/smart")
      assert.deepInclude(json(openai), { id: "smart", object: "model", owned_by: "messages" })
      for (const path of ["/v1/models/team/quick%20model", "/v1/models/team%2Fquick%20model/"]) {
        const anthropic = yield* ask(path, { headers: { "anthropic-version": "2023-06-01" } })
        assert.deepInclude(json(anthropic), { id: "team/quick model", type: "model" })
      }
      const unknown = yield* refused(ask("/v1/models/smarter"))
      assert.strictEqual(unknown.status, 404)
      assert.include(unknown.error.message, '"smart"')
    })
  )

  it.effect("the head of whatever can be read", () =>
    Effect.gen(function* () {
      for (const path of ["/v1/models", "/healthz", "/readyz", "/v1/calls", "/"]) {
        const [head, whole] = [yield* ask(path, { method: "HEAD" }), yield* ask(path)]
        assert.deepStrictEqual([head.status, head.text, whole.status], [200, "", 200], path)
        assert.strictEqual(head.headers["content-type"], whole.headers["content-type"])
        assert.isString(head.headers["x-request-id"])
      }
    })
  )

  it.effect("the tokens of a request, from a provider that counts", () =>
    Effect.gen(function* () {
      const { simulator } = yield* Running
      const body = { model: "smart", messages: [userMessage], system: "Be brief.", thinking: { type: "disabled" } }
      const counted = yield* ask("/v1/messages/count_tokens", {
        body,
        headers: { "anthropic-version": "2023-06-01", "anthropic-beta": "some-beta" }
      })
      assert.strictEqual(counted.status, 200)
      const asked = simulator.log.requests().findLast(({ path }) => path === "/v1/messages/count_tokens")
      assert.deepStrictEqual(asked?.body, { ...body, model: "echo" })
      assert.strictEqual(asked?.headers["anthropic-beta"], "some-beta")
      const called = yield* askMessages("smart", { stream: false, system: "Be brief." })
      assert.deepStrictEqual(json(counted), { input_tokens: json(called).usage.input_tokens })
    })
  )

  it.effect("an estimate, where the provider cannot be asked", () =>
    Effect.gen(function* () {
      const count = (content: string) =>
        Effect.map(
          ask("/v1/messages/count_tokens", { body: { model: "chat/echo", messages: [{ role: "user", content }] } }),
          (seen): number => json(seen).input_tokens
        )
      const [short, long] = [yield* count("one two three"), yield* count("one two three ".repeat(100))]
      assert.isAbove(short, 2)
      assert.isAbove(long, 290)
      const unknown = yield* refused(
        ask("/v1/messages/count_tokens", { body: { model: "x", messages: [userMessage] } })
      )
      assert.strictEqual(unknown.status, 404)
      const wrong = yield* refused(ask("/v1/messages/count_tokens", { body: { model: "smart", messages: 5 } }))
      assert.strictEqual(wrong.status, 400)
    })
  )

  it.effect("the records of calls, page by page", () =>
    Effect.gen(function* () {
      const ids: Array<unknown> = []
      for (let count = 0; count < 5; count++) ids.unshift((yield* askMessages("smart")).headers["x-millrace-call-id"])
      const first = json(yield* ask("/v1/calls?limit=3"))
      const second = json(yield* ask(`/v1/calls?limit=2&cursor=${encodeURIComponent(first.nextCursor)}`))
      assert.deepStrictEqual(
        [...first.data, ...second.data].map(({ id }: { readonly id: string }) => id),
        ids
      )
      const one = json(yield* ask(`/v1/calls/${String(ids[0])}`))
      assert.deepInclude(one, { id: ids[0], status: "ended", model: "smart", dialect: "anthropic-messages" })
      assert.strictEqual(one.response.text, userMessage.content)
      const { openedAt } = one.timings
      const matching = (query: string) =>
        Effect.map(ask(`/v1/calls?requestId=${one.requestId}&${query}`), (seen) => json(seen).data.length)
      const found = ["model=smart", "status=ended&outcome=Completed", `from=${openedAt}&before=${openedAt + 1}`]
      const timeOf = (millis: number, zone: string) =>
        encodeURIComponent(DateTime.formatIso(DateTime.makeUnsafe(millis)).replace("Z", zone))
      for (const zone of ["Z", "", "+00:00"]) {
        found.push(`from=${timeOf(openedAt, zone)}&to=${timeOf(openedAt + 1, zone)}`)
      }
      found.push(`from=${timeOf(openedAt + 7_200_000, "+02:00")}`, "from=2026&to=2100-01")
      for (const query of found) assert.strictEqual(yield* matching(query), 1, query)
      const missed = ["model=other", "status=open", "outcome=Failed", `before=${openedAt}`, "from=2100-01-01T00:00:00Z"]
      for (const query of missed) assert.strictEqual(yield* matching(query), 0, query)
      for (const query of ["limit=0", "limit=x", "limit=1.5", "status=gone", "outcome=fine", "from=yesterday"]) {
        const seen = yield* refused(ask(`/v1/calls?${query}`))
        assert.strictEqual(seen.status, 400, query)
      }
      assert.strictEqual((yield* refused(ask("/v1/calls?cursor=nonsense"))).status, 422)
    })
  )
})
