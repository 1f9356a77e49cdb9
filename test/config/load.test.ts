import { assert, describe, it } from "@effect/vitest"
import { ByteSize, Duration, Effect, Redacted } from "effect"
import { inspect } from "node:util"
import { complaints, loading, warnings } from "./loading.ts"

const everything = `
server: { host: localhost, port: "\${GATEWAY_PORT:-9000}", shutdownGrace: 5s, bodyLimit: 1MB, keepAlive: 0, allowedOrigins: ["https://chat.example.com"] }
storage: { url: "sqlite:/var/lib/millrace/records.db" }
providers:
  openai:
    protocol: openai-chat
    baseUrl: https://api.openai.com/v1/
    apiKey: "\${OPENAI_API_KEY}"
    headers: { x-team: "\${TEAM:-none}" }
  both: { protocol: [openai-chat, anthropic-messages], baseUrl: "http://10.0.0.5:8000", quirks: [noStreamOptions] }
  fast: { preset: groq }
  local: { preset: ollama, models: [llama4] }
  simulator: { protocol: simulator }
models:
  smart:
    strategy: ordered
    targets:
      - { provider: openai, model: gpt-5.5 }
      - { provider: fast, model: openai/gpt-oss-120b }
    timeouts: { connect: 2s, total: 0 }
    upstream: stream
  clever: { alias: smart }
  cheap: { alias: local/llama4 }
audit: { durability: strict, onFailure: open, capture: metadata }
auth: { mode: open }
`

describe("a document", () => {
  it.effect("is read with the environment in it", () =>
    Effect.gen(function* () {
      const environment = { OPENAI_API_KEY: "sk-openai", GROQ_API_KEY: "gsk-groq", TEAM: "blue" }
      const configuration = yield* loading({ text: everything, environment })
      assert.deepStrictEqual(configuration.server, {
        host: "localhost",
        port: 9000,
        allowedOrigins: ["https://chat.example.com"],
        shutdownGrace: Duration.seconds(5),
        bodyLimit: ByteSize.megabytes(1),
        keepAlive: Duration.zero
      })
      assert.deepStrictEqual(configuration.storage, { _tag: "Sqlite", filename: "/var/lib/millrace/records.db" })
      assert.deepStrictEqual(configuration.audit, {
        durability: "strict",
        onFailure: "open",
        capture: "metadata",
        sinks: []
      })
      assert.deepStrictEqual(configuration.warnings, [])
      const [openai, both, fast, local, simulator] = configuration.providers
      assert.deepStrictEqual(openai, {
        _tag: "Http",
        name: "openai",
        preset: undefined,
        protocols: ["openai-chat"],
        baseUrl: "https://api.openai.com/v1",
        apiKey: Redacted.make("sk-openai"),
        headers: { "x-team": Redacted.make("blue") },
        quirks: {},
        models: []
      })
      assert.isTrue(both?._tag === "Http" && both.protocols.length === 2 && both.apiKey === undefined)
      assert.deepStrictEqual(both?._tag === "Http" ? both.quirks : {}, { noStreamOptions: true })
      assert.deepStrictEqual(fast?._tag === "Http" ? [fast.baseUrl, fast.apiKey] : [], [
        "https://api.groq.com/openai/v1",
        Redacted.make("gsk-groq")
      ])
      assert.deepStrictEqual(local?._tag === "Http" ? [local.apiKey, local.models] : [], [undefined, ["llama4"]])
      assert.strictEqual(simulator?._tag, "Simulator")
      assert.deepStrictEqual(configuration.models["clever"], { alias: "smart" })
      assert.deepStrictEqual(configuration.models["smart"]?.timeouts, {
        connect: Duration.seconds(2),
        total: Duration.zero
      })
    })
  )

  it.effect("shows no secret, however it is printed", () =>
    Effect.gen(function* () {
      const environment = { OPENAI_API_KEY: "sk-openai", GROQ_API_KEY: "gsk-groq", TEAM: "blue" }
      const configuration = yield* loading({ text: everything, environment })
      // A size is a bigint, which JSON does not know.
      const json = JSON.stringify(configuration, (_, value) => (typeof value === "bigint" ? Number(value) : value))
      for (const printed of [json, inspect(configuration, { depth: 20 })]) {
        assert.include(printed, "api.groq.com")
        assert.notMatch(printed, /sk-openai|gsk-groq|blue/)
      }
    })
  )

  it.effect("may be JSON or TOML", () =>
    Effect.gen(function* () {
      const json = `{ "server": { "port": 9001 }, "providers": { "s": { "protocol": "simulator" } } }`
      const toml = `[server]\nport = 9001\n\n[providers.s]\nprotocol = "simulator"\n`
      for (const [name, text] of [
        ["millrace.json", json],
        ["millrace.toml", toml]
      ] as const) {
        const { server, providers } = yield* loading({ name, text })
        assert.strictEqual(server.port, 9001)
        assert.deepStrictEqual(
          providers.map(({ name }) => name),
          ["s"]
        )
      }
    })
  )

  it.effect("may be empty, or have sections in which everything is a comment", () =>
    Effect.gen(function* () {
      const { providers } = yield* loading({ text: "" })
      assert.deepStrictEqual(
        providers.map(({ name }) => name),
        ["simulator"]
      )
      assert.deepStrictEqual((yield* loading({ text: "models:\n  # none yet\n" })).models, {})
    })
  )

  it.effect("has anchors and merged keys where it is YAML", () =>
    Effect.gen(function* () {
      const text = `
providers: { s: { protocol: simulator } }
models:
  a: &base { targets: [{ provider: s, model: echo }], timeouts: { idle: 5s } }
  b: { <<: *base, upstream: stream }
`
      const { models } = yield* loading({ text })
      assert.deepStrictEqual(models["b"]?.timeouts, { idle: Duration.seconds(5) })
    })
  )
})

describe("flags win over the environment, which wins over the document", () => {
  const text = "server: { host: 127.0.0.2, port: 1111 }"

  it.effect("port and host", () =>
    Effect.gen(function* () {
      const environment = { PORT: "2222", HOST: "127.0.0.3" }
      const flags = { port: 3333, host: "127.0.0.4" }
      const where = (server: { readonly host: string; readonly port: number }) => `${server.host}:${server.port}`
      assert.strictEqual(where((yield* loading({ text })).server), "127.0.0.2:1111")
      assert.strictEqual(where((yield* loading({ text, environment })).server), "127.0.0.3:2222")
      assert.strictEqual(where((yield* loading({ text, environment, flags })).server), "127.0.0.4:3333")
    })
  )

  it.effect("a variable that is set to nothing says nothing", () =>
    Effect.gen(function* () {
      const { server } = yield* loading({ text, environment: { PORT: "", HOST: "" } })
      assert.strictEqual(server.port, 1111)
    })
  )

  it.effect("what they say is checked too", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* complaints({ environment: { PORT: "http", HOST: "0.0.0.0" } }), [
        'PORT: "http" is not accepted; write a port from 0 to 65535 (0 takes any free one)',
        'HOST: "0.0.0.0" can be reached by other machines, and nobody is asked for a key; ask for keys with ' +
          "auth: { mode: keys }, listen on 127.0.0.1, or say auth: { mode: open } if whoever reaches it may use it"
      ])
      assert.deepStrictEqual(yield* complaints({ flags: { port: 70_000 } }), [
        "--port: 70000 is not accepted; write a port from 0 to 65535 (0 takes any free one)"
      ])
    })
  )
})

describe("a host that others can reach", () => {
  it.effect("is refused", () =>
    Effect.gen(function* () {
      const [complaint] = yield* complaints({ text: "server: { host: 0.0.0.0 }" })
      assert.match(complaint ?? "", /^millrace\.yaml:1:11: server\.host: "0\.0\.0\.0" can be reached by other machines/)
      assert.match((yield* complaints({ flags: { host: "::" } }))[0] ?? "", /^--host: "::" can be reached/)
    })
  )

  it.effect("is accepted where the document says that everyone may use it", () =>
    Effect.gen(function* () {
      const { server } = yield* loading({ text: "server: { host: 0.0.0.0 }\nauth: { mode: open }" })
      assert.strictEqual(server.host, "0.0.0.0")
    })
  )
})

describe("without a file", () => {
  it.effect("there are the simulator and the providers whose keys are in the environment", () =>
    Effect.gen(function* () {
      const environment = { OPENAI_API_KEY: "sk-1", ANTHROPIC_API_KEY: "sk-2", MISTRAL_API_KEY: "" }
      const { file, providers, off } = yield* loading({ environment })
      assert.isUndefined(file)
      assert.deepStrictEqual(
        providers.map((provider) =>
          provider._tag === "Http" ? `${provider.name} ${provider.baseUrl}` : provider.name
        ),
        ["simulator", "openai https://api.openai.com/v1", "anthropic https://api.anthropic.com"]
      )
      assert.deepInclude(off, { name: "mistral", why: "MISTRAL_API_KEY is not set" })
    })
  )

  it.effect("the SDKs' own variables say where", () =>
    Effect.gen(function* () {
      const environment = {
        OPENAI_API_KEY: "sk-1",
        OPENAI_BASE_URL: "http://127.0.0.1:9999/v1/",
        ANTHROPIC_API_KEY: "sk-2",
        ANTHROPIC_BASE_URL: "http://proxy.internal"
      }
      const { providers } = yield* loading({ environment })
      assert.deepStrictEqual(
        providers.flatMap((provider) => (provider._tag === "Http" ? [provider.baseUrl] : [])),
        ["http://127.0.0.1:9999/v1", "http://proxy.internal"]
      )
    })
  )

  it.effect("a variable that leads back here is left out of account", () =>
    Effect.gen(function* () {
      const environment = { OPENAI_API_KEY: "sk-1", OPENAI_BASE_URL: "http://localhost:8787/v1" }
      const { providers } = yield* loading({ environment })
      const [, openai] = providers
      assert.strictEqual(openai?._tag === "Http" ? openai.baseUrl : "", "https://api.openai.com/v1")
      assert.deepStrictEqual(yield* warnings({ environment }), [
        "OPENAI_BASE_URL: is this server itself, and is left out of account"
      ])
    })
  )
})

describe("a file that cannot be read", () => {
  it.effect("is named, with who named it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* complaints({ flags: { config: "/nowhere/millrace.yaml" } }), [
        "millrace.yaml: --config: there is no such file; mend the path, or leave it out to run with the defaults"
      ])
      assert.deepStrictEqual(yield* complaints({ environment: { MILLRACE_CONFIG: "/nowhere/millrace.toml" } }), [
        "millrace.toml: MILLRACE_CONFIG: there is no such file; mend the path, or leave it out to run with the defaults"
      ])
      assert.deepStrictEqual(yield* complaints({ name: "millrace.txt", text: "" }), [
        "millrace.txt: --config: has no known format; name it .yaml, .json or .toml"
      ])
    })
  )

  it.effect("is told apart from one that is not what its name says", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* complaints({ text: "server:\n  port: [1\nmodels: {}\nmodels: {}\n" }), [
        "millrace.yaml:3:1: this cannot be read as YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
        "millrace.yaml:4:1: this cannot be read as YAML: this key stands in its section already; keep one of them"
      ])
      assert.deepStrictEqual(yield* complaints({ name: "millrace.json", text: '{\n  "server": {"port": 1,}\n}' }), [
        "millrace.json:2:24: this cannot be read as JSON: Expected double-quoted property name"
      ])
      assert.deepStrictEqual(yield* complaints({ name: "millrace.toml", text: "[server]\nport = x\n" }), [
        "millrace.toml:2:9: this cannot be read as TOML: Invalid value 'x'"
      ])
      assert.deepStrictEqual(yield* complaints({ text: "- a\n- b\n" }), [
        "millrace.yaml:1:1: a list is not accepted; write a section with keys of its own"
      ])
    })
  )
})
