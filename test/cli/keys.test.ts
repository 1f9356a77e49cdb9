import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { ask, json } from "../server/simulate/server.ts"
import { folderWith, millrace, serving } from "./running.ts"

const document = `
auth: { mode: keys, adminKey: "\${ADMIN}", keys: [{ name: ci, key: "\${CI}" }] }
providers: { simulator: { protocol: simulator } }
`
const environment = { ADMIN: "the-administrator", CI: "key-of-the-document" }

const chat = (url: string, key: string) =>
  Effect.map(
    ask(`${url}/v1/chat/completions`, {
      body: { model: "simulator/echo", messages: [{ role: "user", content: "hello" }] },
      headers: { authorization: `Bearer ${key}` }
    }),
    ({ status }) => status
  )

/** Asks until the answer is this one: servers look for changes of others from time to time. */
const until = (url: string, key: string, status: number) =>
  Effect.repeat(chat(url, key), { until: (found) => found === status, schedule: Schedule.spaced("50 millis") })

describe("millrace keys", () => {
  it.live(
    "makes, rotates and disables keys of a server that runs, and of the database beneath it",
    () =>
      Effect.gen(function* () {
        const folder = yield* folderWith("millrace.yaml", document)
        const place = { folder, environment }
        const { url, said } = yield* serving(place)
        assert.include(said, "keys create")
        const made = yield* millrace(place, "keys", "create", "web", "--limit", "requests/minute=60", "--json")
        const { secret } = JSON.parse(made.stdout)
        yield* until(url, secret, 200)
        assert.strictEqual(yield* chat(url, "another"), 401)
        assert.strictEqual(yield* chat(url, environment.CI), 200)

        const all = ["--owner", "ada", "--tenant", "acme", "--label", "plan=gold", "--model", "simulator/*"]
        const bounds = ["--limit", "cost/day=0.5", "--limit", "concurrent=2", "--expires", "2031-01-31"]
        const full = yield* millrace(place, "keys", "create", "acme", ...all, ...bounds, "--json")
        assert.deepInclude(JSON.parse(full.stdout), {
          owner: "ada",
          tenant: "acme",
          labels: { plan: "gold" },
          models: ["simulator/*"],
          limits: { cost: { day: 0.5 }, concurrent: 2 },
          expiresAt: Date.UTC(2031, 0, 31)
        })
        const other = JSON.parse(full.stdout).secret
        yield* until(url, other, 200)
        yield* millrace(place, "keys", "expire", "acme", "2020-01-31")
        yield* until(url, other, 401)
        yield* millrace(place, "keys", "expire", "acme", "never")
        yield* until(url, other, 200)
        const asAdmin = ["--url", url, "--key", environment.ADMIN]
        const rotated = yield* millrace(place, "keys", "rotate", "web", "--grace", "1h", "--json", ...asAdmin)
        const next = JSON.parse(rotated.stdout).secret
        assert.deepStrictEqual([yield* chat(url, secret), yield* chat(url, next)], [200, 200])
        yield* millrace(place, "keys", "disable", "web")
        yield* until(url, next, 401)
        assert.strictEqual(yield* chat(url, secret), 401)
        yield* millrace(place, "keys", "enable", "web")
        yield* until(url, next, 200)
        yield* millrace(place, "keys", "disable", "web")

        const short = yield* millrace(
          place,
          "keys",
          "create",
          "short",
          "--limit",
          "cost/day=1",
          "--stop-streams",
          "--json"
        )
        assert.deepStrictEqual(JSON.parse(short.stdout).limits, { cost: { day: 1 }, stopStreams: true })
        yield* until(url, JSON.parse(short.stdout).secret, 200)
        const changed = yield* millrace(
          place,
          "keys",
          "change",
          "short",
          "--limit",
          "cost/day=2",
          "--model",
          "other",
          "--json"
        )
        assert.deepInclude(JSON.parse(changed.stdout), { limits: { cost: { day: 2 } }, models: ["other"] })
        yield* until(url, JSON.parse(short.stdout).secret, 403)
        const cleared = yield* millrace(
          place,
          "keys",
          "change",
          "short",
          "--clear",
          "models",
          "--owner",
          "bob",
          ...asAdmin
        )
        assert.match(cleared.stdout, /^owner +bob$/m)
        assert.notInclude(cleared.stdout, "models")
        assert.include(cleared.stdout, "$2/day")
        const deleted = yield* millrace(place, "keys", "delete", "short")
        assert.include(deleted.stdout, 'The key "short" is deleted')
        yield* until(url, JSON.parse(short.stdout).secret, 401)
        yield* millrace(place, "keys", "create", "short")
        assert.strictEqual((yield* millrace(place, "keys", "delete", "short", ...asAdmin)).code, 0)
        assert.include(
          (yield* millrace(place, "keys", "delete", "short", ...asAdmin)).stderr,
          'There is no key "short"'
        )

        const listed = yield* millrace(place, "keys", "list", "--url", `${url}/v1/`, "--key", environment.ADMIN)
        assert.strictEqual(listed.code, 0, listed.stderr)
        assert.match(listed.stdout, /^ci .*from the configuration$/m)
        assert.match(listed.stdout, /^web .*disabled.*60 requests\/minute$/m)
        for (const each of [secret, next, ...Object.values(environment)]) assert.notInclude(listed.stdout, each)
        const calls = yield* ask(`${url}/v1/calls`, { headers: { "x-api-key": environment.ADMIN } })
        assert.isAbove(json(calls).data.length, 0)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    180_000
  )

  it.live(
    "makes a key where nobody is asked for one, and says that it changes nothing",
    () =>
      Effect.gen(function* () {
        const place = {
          folder: yield* folderWith("millrace.yaml", "providers: { simulator: { protocol: simulator } }\n")
        }
        const made = yield* millrace(place, "keys", "create", "web")
        assert.match(made.stdout, /^mr-[\w-]{43}$/m)
        assert.include(made.stdout, "add auth: { mode: keys }")
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )

  it.live(
    "says that keys were made with another pepper, and serves nobody with it",
    () =>
      Effect.gen(function* () {
        const folder = yield* folderWith("millrace.yaml", document)
        const withPepper = (pepper: string) => ({
          folder,
          environment: { ...environment, MILLRACE_KEY_PEPPER: pepper }
        })
        yield* millrace(withPepper("the pepper of this place"), "keys", "create", "web")
        const wrong = withPepper("the pepper of that place")
        const refused = yield* millrace(wrong, "serve", "--port", "0")
        assert.strictEqual(refused.code, 1)
        assert.match(refused.stderr, /made with another pepper .* not be recognised: web/)
        assert.match((yield* millrace(wrong, "keys", "list")).stdout, /^web .*made with another pepper/m)
        const short = yield* millrace(withPepper("short"), "check")
        assert.include(short.stderr + short.stdout, "MILLRACE_KEY_PEPPER: is too short; write a text of 16")
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )

  it.live(
    "says what it cannot do, and how to mend it",
    () =>
      Effect.gen(function* () {
        const place = { folder: yield* folderWith("millrace.yaml", document), environment }
        const failing = (...args: ReadonlyArray<string>) =>
          Effect.map(millrace(place, "keys", ...args), ({ code, stderr }) => {
            assert.strictEqual(code, 1)
            return stderr
          })
        assert.include(yield* failing("create", "ci"), 'There is a key "ci" already')
        assert.include(yield* failing("disable", "ci"), "change it there")
        assert.include(yield* failing("rotate", "nobody"), 'There is no key "nobody"')
        assert.include(yield* failing("create", "x", "--limit", "words/day=3"), "<measure>/<window>=<amount>")
        assert.include(yield* failing("create", "x", "--limit", "__proto__/day=3"), "<measure>/<window>=<amount>")
        assert.include(yield* failing("delete", "ci"), "change it there")
        assert.include(yield* failing("change", "ci", "--owner", "bob"), "change it there")
        assert.include(yield* failing("change", "x"), "Nothing is to be changed")
        assert.include(yield* failing("change", "x", "--stop-streams"), "goes with limits")
        assert.include(yield* failing("expire", "x", "5"), "a time from now such as 12h or 30d")
        assert.include(yield* failing("create", "x", "--filter", "pii"), 'There is no filter "pii"; none is configured')
        assert.include(yield* failing("create", "x", "--expires", "soon"), "2027-01-31")
        assert.include(yield* failing("create", "x", "--expires", "2020-01-01"), "would have expired already")
        assert.include(yield* failing("list", "--url", "http://127.0.0.1:1"), "nobody answers there")
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )
})
