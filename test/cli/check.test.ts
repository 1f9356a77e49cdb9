import { NodeServices } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { folderWith, millrace } from "./running.ts"

layer(NodeServices.layer, { excludeTestServices: true })("millrace check", (it) => {
  it.effect("says what a configuration amounts to, without its secrets", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith(
        "millrace.yaml",
        `providers:
  main: { preset: openai, apiKey: "\${MAIN_KEY}", headers: { x-team: "\${TEAM}" } }
  spare: { preset: groq }
  search: { preset: perplexity, apiKey: "\${MAIN_KEY}" }
  fake: { protocol: simulator }
models:
  smart: { targets: [{ provider: main, model: gpt-5.5 }, { provider: fake, model: echo }], timeouts: { idle: 5s } }
  quick: { alias: smart }
`
      )
      const environment = { MAIN_KEY: "sk-secret-key", TEAM: "secret-team", PORT: "9999" }
      const { code, stdout, stderr } = yield* millrace({ folder, environment }, "check")
      assert.strictEqual(code, 0)
      assert.notInclude(stdout + stderr, "secret")
      for (const line of [
        "configuration  millrace.yaml",
        "listen         127.0.0.1, port 9999",
        "records        sqlite:.millrace/millrace.db",
        "  main    openai-chat and openai-responses at https://api.openai.com/v1, with a key, headers x-team",
        "  spare  GROQ_API_KEY is not set",
        "  smart  main/gpt-5.5, then fake/echo; timeouts idle 5s",
        "  quick  is smart",
        "The configuration is valid."
      ]) {
        assert.include(stdout.split("\n"), line)
      }
      assert.match(stdout, /^ {2}search {2}openai-chat at .*, alternatingTurns, without tools and audio$/m)
      assert.include(
        stderr,
        "warning: millrace.yaml:3:3: providers.spare: the provider is off because GROQ_API_KEY is not set"
      )
    })
  )

  it.effect("says of a model what is not as usual", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith(
        "millrace.yaml",
        `providers: { fake: { protocol: simulator } }
filters: { quiet: { kind: block, words: [secret] } }
everyCall: { filters: [quiet] }
audit: { capture: metadata }
defaults: { strategy: random, onDisconnect: drain, drain: { maxTime: 5s }, rescue: auto }
models:
  usual: { targets: [{ provider: fake, model: echo }], strategy: random, capture: metadata, onDisconnect: drain }
  unusual:
    targets: [{ provider: fake, model: echo }, { provider: fake, model: empty }]
    strategy: ordered
    rescue: "off"
    onDisconnect: cancel
    filters: [quiet]
    capture: "off"
    captureLimit: 1KiB
`
      )
      const { stdout } = yield* millrace({ folder }, "check")
      for (const line of [
        "every call     filters quiet",
        "defaults       random; drain when the caller leaves; drain maxTime 5s",
        "  usual    fake/echo",
        "  unusual  fake/echo, then fake/empty; ordered; rescue off; cancel when the caller leaves; filters quiet; capture off; captured up to 1KiB"
      ]) {
        assert.include(stdout.split("\n"), line)
      }
    })
  )

  it.effect("says everything that is wrong and ends with 1", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith("millrace.yaml", "server: { port: 99999 }\nmodels: { m: { targets: [] } }\n")
      const { code, stdout, stderr } = yield* millrace({ folder }, "check")
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, "")
      assert.deepStrictEqual(stderr.trimEnd().split("\n"), [
        "The configuration has 2 problems:",
        "millrace.yaml:1:11: server.port: 99999 is not accepted; write a port from 0 to 65535 (0 takes any free one)",
        "millrace.yaml:2:16: models.m.targets: is an empty list; put at least one into it"
      ])
    })
  )

  it.effect("takes --config before MILLRACE_CONFIG before the folder's own file before the defaults", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* folderWith()
      const port = (environment: Record<string, string>, ...args: ReadonlyArray<string>) =>
        Effect.map(
          millrace({ folder, environment }, "check", ...args),
          ({ stdout }) => /port (\d+)/.exec(stdout)?.[1] ?? stdout
        )
      assert.strictEqual(yield* port({}), "8787")
      yield* files.writeFileString(`${folder}/millrace.json`, '{ "server": { "port": 1001 } }')
      yield* files.writeFileString(`${folder}/other.toml`, "server = { port = 1002 }\n")
      yield* files.writeFileString(`${folder}/third.yml`, "server: { port: 1003 }")
      const ports = yield* Effect.all(
        [
          port({}),
          port({ MILLRACE_CONFIG: "other.toml" }),
          port({ MILLRACE_CONFIG: "other.toml" }, "--config", "third.yml"),
          port({ MILLRACE_CONFIG: "other.toml", PORT: "1004" }, "-c", "third.yml"),
          port({ PORT: "1004" }, "--port", "1005")
        ],
        { concurrency: 3 }
      )
      assert.deepStrictEqual(ports, ["1001", "1002", "1003", "1004", "1005"])
    })
  )
})

layer(NodeServices.layer, { excludeTestServices: true })("millrace", (it) => {
  describe("tells", () => {
    it.effect("its version and how it is used", () =>
      Effect.gen(function* () {
        const folder = yield* folderWith()
        assert.match((yield* millrace({ folder }, "--version")).stdout, /^millrace v\d+\.\d+\.\d+\n$/)
        const help = yield* millrace({ folder }, "--help")
        assert.strictEqual(help.code, 0)
        for (const name of ["serve", "check", "calls", "simulate"]) assert.include(help.stdout, `\n  ${name} `)
      })
    )

    it.effect("that no provider is on", () =>
      Effect.gen(function* () {
        const folder = yield* folderWith("millrace.yaml", "providers: { main: { preset: openai } }\n")
        assert.include((yield* millrace({ folder }, "check")).stdout, "providers\n  none\n")
      })
    )

    it.effect("why the simulator cannot start, and nothing else", () =>
      Effect.gen(function* () {
        const folder = yield* folderWith("answers.json", "{")
        const { code, stderr } = yield* millrace({ folder }, "simulate", "--port", "0", "--script", "answers.json")
        assert.strictEqual(code, 1)
        assert.match(stderr, /^The simulator cannot start: .*answers\.json: is not JSON\n$/)
      })
    )

    it.effect("what it was asked that it does not know, and ends with 1", () =>
      Effect.gen(function* () {
        const folder = yield* folderWith()
        for (const [told, ...args] of [
          ["Unrecognized flag: --confg", "check", "--confg", "x.yaml"],
          ["Expected a whole number from 1 to 100, got 0", "calls", "list", "--limit", "0"],
          ["--caller-key has to be a text that is not empty", "calls", "list", "--caller-key", ""],
          ["--key is shown to a server, and goes with --url", "calls", "list", "--key", "ci"],
          ["Expected a URL such as http://127.0.0.1:8787", "usage", "--url", "127.0.0.1:8787"],
          ["--from has to be a day such as 2026-11-21", "usage", "--from", "yesterday"]
        ] as const) {
          const { code, stdout, stderr } = yield* millrace({ folder }, ...args)
          // What is printed may go to a file.
          assert.deepStrictEqual([code, stdout], [1, ""])
          assert.include(stderr, told)
        }
      })
    )
  })
})
