import { NodeServices } from "@effect/platform-node"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { createServer, type AddressInfo } from "node:net"
import { noOwnServer, ownPostgres } from "../storage/own-postgres.ts"
import { folderWith, millrace, serving } from "./running.ts"

const suffix = noOwnServer === undefined ? "" : `: ${noOwnServer}`

const Records = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({ id: Schema.String, model: Schema.String, outcome: Schema.Struct({ kind: Schema.String }) })
  )
)

/** Makes a call and gives its id, once it is answered. */
const call = Effect.fnUntraced(function* (url: string, model: string) {
  const body = { model, max_tokens: 50, messages: [{ role: "user", content: "good morning" }] }
  const request = HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(`${url}/v1/messages`), body)
  const response = yield* HttpClient.execute(request)
  const text = yield* response.text
  return { id: response.headers["x-millrace-call-id"] ?? "", status: response.status, text }
}, Effect.provide(FetchHttpClient.layer))

layer(NodeServices.layer, { excludeTestServices: true })("millrace serve", (it) => {
  it.effect("tells nobody that the connection lives where keepAlive is 0", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith("millrace.yaml", 'storage: { url: "memory:" }\nserver: { keepAlive: 0 }\n')
      const server = yield* serving({ folder })
      const body = { model: "words-2?first=300ms", stream: true, messages: [{ role: "user", content: "hi" }] }
      const request = HttpClientRequest.bodyJsonUnsafe(
        HttpClientRequest.post(`${server.url}/v1/chat/completions`),
        body
      )
      const { text } = yield* HttpClient.execute(request)
      assert.match(yield* text, /^data: [^]*\[DONE\]\n\n$/)
      assert.notInclude(yield* text, "keep-alive")
      yield* server.stop
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("serves, says what to try, and its records are read while it runs and after it ended", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith()
      const place = { folder }
      assert.include(
        (yield* millrace(place, "calls", "list")).stdout,
        "There are no calls in .millrace/millrace.db yet."
      )

      const server = yield* serving(place)
      for (const text of [
        `curl -N ${server.url}/v1/chat/completions`,
        `curl -N ${server.url}/v1/messages`,
        `new OpenAI({ baseURL: "${server.url}/v1"`,
        `new Anthropic({ baseURL: "${server.url}"`,
        `${folder}/.millrace/millrace.db`,
        "Providers      simulator\n",
        "openai (set OPENAI_API_KEY)",
        "Rehearse failures"
      ]) {
        assert.include(server.said, text)
      }

      const good = yield* call(server.url, "simulator/echo")
      assert.strictEqual(good.status, 200)
      assert.include(good.text, "good morning")
      const bad = yield* call(server.url, "words-5?status=429&message=slowly")
      assert.strictEqual(bad.status, 429)
      const off = yield* call(server.url, "openai/gpt-5.5")
      assert.strictEqual(off.status, 404)
      assert.include(off.text, "the provider openai is off: OPENAI_API_KEY is not set")

      // Each of these is a process that has to start: they need not wait for each other.
      const [table, ...sources] = yield* Effect.all(
        [
          millrace(place, "calls", "list", "--limit", "1"),
          ...[[], ["--url", server.url]].map((from) =>
            Effect.all(
              [
                millrace(place, "calls", "list", "--json", ...from),
                millrace(place, "calls", "show", good.id, ...from),
                millrace(place, "calls", "show", bad.id, ...from)
              ],
              { concurrency: 2 }
            )
          )
        ],
        { concurrency: 2 }
      )
      for (const [json, shown, failed] of sources) {
        const records = yield* Schema.decodeEffect(Records)(json.stdout)
        assert.deepStrictEqual(
          records.map(({ id, model, outcome }) => [id, model, outcome.kind]),
          [
            [bad.id, "words-5?status=429&message=slowly", "Failed"],
            [good.id, "simulator/echo", "Completed"]
          ]
        )
        assert.match(shown.stdout, /^outcome +Completed \(stop\)$/m)
        assert.match(shown.stdout, /^answered by +simulator\/echo$/m)
        assert.match(shown.stdout, /^answer\ngood morning$/m)
        assert.match(failed.stdout, /^because +slowly$/m)
      }
      const [heading = "", row = "", ...more] = table.stdout.trimEnd().split("\n")
      assert.lengthOf(more, 0)
      assert.match(heading, /^time \(UTC\) +id +model +outcome +tokens +ms$/)
      assert.match(row, new RegExp(`^\\S+ \\S+ +${bad.id} +words-5\\S+ +Failed \\(RateLimited\\)`))

      assert.strictEqual(yield* server.stop, 0)
      assert.include((yield* millrace(place, "calls", "list")).stdout, good.id)
    })
  )

  it.effect("serves the models of a file", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith(
        "millrace.yaml",
        `storage: { url: "memory:" }
providers: { first: { protocol: simulator }, second: { protocol: simulator } }
models:
  smart: { targets: [{ provider: first, model: "echo?status=503" }, { provider: second, model: echo }] }
  quick: { alias: smart }
`
      )
      const server = yield* serving({ folder })
      assert.include((yield* call(server.url, "quick")).text, "good morning")
      const { stdout } = yield* millrace({ folder }, "calls", "list", "--url", server.url)
      assert.match(stdout, /quick +Completed \(stop\)/)
      const refused = yield* millrace({ folder }, "calls", "list")
      assert.strictEqual(refused.code, 1)
      assert.include(refused.stderr, "--url")
    })
  )

  it.effect("says that a port is in use", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith()
      const port = yield* Effect.acquireRelease(
        Effect.callback<{ readonly number: number; readonly close: () => void }>((resume) => {
          const server = createServer().listen(0, "127.0.0.1", () =>
            // It listens on a port, not on a path.
            resume(Effect.succeed({ number: (server.address() as AddressInfo).port, close: () => server.close() }))
          )
        }),
        ({ close }) => Effect.sync(close)
      )
      const { code, stderr } = yield* millrace({ folder }, "serve", "--port", String(port.number))
      assert.strictEqual(code, 1)
      assert.strictEqual(
        stderr,
        `Cannot listen on 127.0.0.1, port ${port.number}: the port is in use\n` +
          "Stop what listens there, or choose another port: --port 8788 (0 takes any free one), PORT, or server.port.\n"
      )
    })
  )

  it.effect("says that its records cannot be kept where they should be", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith(
        "notes.txt",
        "these are notes, no database of anything, and they are long enough\n".repeat(20)
      )
      for (const url of ["sqlite:notes.txt", "sqlite:notes.txt/millrace.db"]) {
        const environment = { DATABASE: url }
        const config = yield* folderWith("millrace.yaml", 'storage: { url: "${DATABASE}" }\n')
        const args = ["--config", `${config}/millrace.yaml`]
        const { code, stderr } = yield* millrace({ folder, environment }, "serve", "--port", "0", ...args)
        assert.strictEqual(code, 1, url)
        assert.match(stderr, new RegExp(`^The records cannot be kept in ${url}: .*\n.*storage\\.url`))
      }
    })
  )

  it.effect("refuses what it cannot read, with every problem", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith("millrace.yaml", "server: { hots: x }\n")
      const { code, stderr } = yield* millrace({ folder }, "serve")
      assert.strictEqual(code, 1)
      assert.include(stderr, 'millrace.yaml:1:11: server.hots: is no known key; did you mean "host"?')
    })
  )
})

describe.skipIf(noOwnServer !== undefined)(`millrace serve on PostgreSQL${suffix}`, () => {
  it.live(
    "ends when it is told to, though the database does not answer",
    () =>
      Effect.gen(function* () {
        const { freeze, thaw, url } = yield* ownPostgres
        const folder = yield* folderWith(
          "millrace.yaml",
          `storage: { url: "${url}" }\nlimits: [{ requests: { day: 100 } }]\n`
        )
        const server = yield* serving({ folder })
        assert.strictEqual((yield* call(server.url, "simulator/echo")).status, 200)
        yield* freeze
        assert.strictEqual(yield* server.stop, 0)
        yield* thaw
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    90_000
  )
})

layer(NodeServices.layer, { excludeTestServices: true })("millrace calls", (it) => {
  it.effect("says where it found no such call, and who does not answer", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith()
      const unknown = yield* millrace({ folder }, "calls", "show", "call_of_nobody")
      assert.strictEqual(unknown.code, 1)
      assert.match(unknown.stderr, /^There is no call "call_of_nobody" in \.millrace\/millrace\.db\.\n/)
      const nobody = yield* millrace({ folder }, "calls", "list", "--url", "http://127.0.0.1:1/")
      assert.strictEqual(nobody.code, 1)
      assert.match(nobody.stderr, /^http:\/\/127\.0\.0\.1:1 cannot be asked: nobody answers there\n/)
    })
  )
})
