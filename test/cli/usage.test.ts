import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { ask } from "../server/simulate/server.ts"
import { folderWith, millrace, serving } from "./running.ts"

const document = `
providers: { simulator: { protocol: simulator } }
accounting: { prices: prices.json }
`

const prices = '{"version":"mine","models":{"simulator/words-20":{"input":1,"output":2}}}'

describe("millrace usage", () => {
  it.live(
    "reports what a server's calls used, by the server and by its database",
    () =>
      Effect.gen(function* () {
        const folder = yield* folderWith("millrace.yaml", document)
        const place = { folder }
        const files = yield* FileSystem.FileSystem
        yield* files.writeFileString(`${folder}/prices.json`, prices)
        const before = yield* millrace(place, "usage")
        assert.strictEqual(before.code, 1)
        assert.include(before.stderr, "There are no records in sqlite:")
        assert.isFalse(yield* files.exists(`${folder}/.millrace`))
        const { stop, url } = yield* serving(place)
        for (const team of ["search", "search", "ads"]) {
          yield* ask(`${url}/v1/chat/completions`, {
            body: { model: "simulator/words-20", messages: [{ role: "user", content: "hello" }] },
            headers: { "x-millrace-labels": `team=${team}` }
          })
        }
        const served = yield* millrace(place, "usage", "--by", "label", "--json", "--url", url)
        const { data, total } = JSON.parse(served.stdout)
        assert.deepStrictEqual(
          data.map(({ calls, label }: { calls: number; label: string }) => [label, calls]),
          [
            ["team=ads", 1],
            ["team=search", 2]
          ]
        )
        assert.strictEqual(total.microUsd, total.inputTokens + 2 * total.outputTokens)
        yield* ask(`${url}/v1/chat/completions`, {
          body: { model: "simulator/echo", messages: [{ role: "user", content: "hello" }] }
        })
        yield* stop
        const kept = yield* millrace(place, "usage", "--by", "model")
        assert.match(kept.stdout, /^model +calls +tokens in +tokens out +cost$/m)
        assert.match(kept.stdout, /^simulator\/words-20 +3 .*\$0\.\d{6}$/m)
        assert.match(kept.stdout, /^simulator\/echo +1 +\d+ +\d+ +1 unpriced$/m)
        const none = yield* millrace(place, "usage", "--model", "simulator/words-20", "--caller-key", "ci", "--json")
        assert.deepInclude(JSON.parse(none.stdout), { data: [] })
        const wrong = yield* millrace(place, "usage", "--by", "weather")
        assert.deepStrictEqual(
          [wrong.code, wrong.stderr.includes("by has to be one or several of day, key")],
          [1, true]
        )
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )

  it.live(
    "says what is wrong with a server that cannot be asked",
    () =>
      Effect.gen(function* () {
        const place = { folder: yield* folderWith() }
        const answers = yield* Effect.acquireRelease(
          Effect.callback<Server>((resume) => {
            const server = createServer((request, response) => {
              const status = request.url?.startsWith("/closed") === true ? 401 : 200
              response.writeHead(status, { "content-type": "application/json" }).end("{}")
            }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
          }),
          (server) => Effect.sync(() => server.close())
        )
        // It listens on a port.
        const url = `http://127.0.0.1:${(answers.address() as AddressInfo).port}`
        for (const command of [["usage"], ["keys", "list"]]) {
          const other = yield* millrace(place, ...command, "--url", url)
          assert.include(other.stderr, `What answers at ${url} is no Millrace of this version.`)
        }
        for (const command of [["usage"], ["calls", "list"]]) {
          const closed = yield* millrace(place, ...command, "--url", `${url}/closed`)
          assert.include(closed.stderr, "it answers with the status 401\nShow a key: --key, or MILLRACE_ADMIN_KEY.")
        }
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )
})
