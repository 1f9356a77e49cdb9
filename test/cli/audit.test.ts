import { assert, layer } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { DatabaseSync } from "node:sqlite"
import { join } from "node:path"
import { folderWith, millrace, serving } from "./running.ts"

const configuration = `
audit:
  sinks: [{ kind: jsonl, path: calls.jsonl }]
`

const ask = Effect.fnUntraced(function* (url: string) {
  const body = { model: "simulator/echo", messages: [{ role: "user", content: "Hello" }] }
  const request = HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(`${url}/v1/chat/completions`), body)
  return yield* Effect.flatMap(HttpClient.execute(request), ({ text }) => text)
}, Effect.provide(FetchHttpClient.layer))

layer(NodeServices.layer, { excludeTestServices: true })("millrace audit verify", (it) => {
  it.effect(
    "proves the records of a server, and names the one that was changed",
    () =>
      Effect.gen(function* () {
        const folder = yield* folderWith("millrace.yaml", configuration)
        const place = { folder }
        const before = yield* millrace(place, "audit", "verify")
        assert.include(before.stderr, "There are no records")
        assert.strictEqual(before.code, 1)

        const server = yield* serving(place)
        for (let call = 0; call < 3; call++) yield* ask(server.url)
        assert.strictEqual(yield* server.stop, 0)

        for (const what of [[], ["--file", "calls.jsonl"]]) {
          const whole = yield* millrace(place, "audit", "verify", ...what)
          assert.deepStrictEqual([whole.code, whole.stderr], [0, ""])
          assert.include(whole.stdout, "6 records in 1 chain looked at.")
        }

        const database = new DatabaseSync(join(folder, ".millrace/millrace.db"))
        database.exec("update audit_records set body = replace(body, 'echo', 'oche') where link = 3")
        database.close()
        const broken = yield* millrace(place, "audit", "verify")
        assert.strictEqual(broken.code, 1)
        assert.match(broken.stderr, /breaks at link 3, the record of call_\w+ \(changed\)/)
        const { stdout } = yield* millrace(place, "audit", "verify", "--json")
        assert.strictEqual(JSON.parse(stdout).broken.link, 3)
      }).pipe(Effect.scoped),
    120_000
  )
})
