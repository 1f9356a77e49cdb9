import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { complaints, loading, warnings } from "./loading.ts"

const says = (text: string, ...expected: ReadonlyArray<string>) =>
  Effect.map(complaints({ text }), (found) => assert.deepStrictEqual(found, expected))

const duration = "a duration such as 200ms, 30s, 10m or 2h"

describe("everything that is wrong is said at once, in the order of the file", () => {
  it.effect("of a YAML document", () =>
    says(
      `server: { port: 70000, shutdownGrace: 5 parsecs, hots: x, bodyLimit: 1 lot, keepAlive: true, allowedOrigins: [chat.example.com] }
storage:
  url: mysql://me:secret@db/records
providers:
  openai: { protocol: openai-chat, baseUrl: "ftp://x", apiKey: 3 }
  a/b: { protocol: openai-chat, baseUrl: "http://h/v1" }
models:
  smart:
    targets:
      - { provider: opnai, model: gpt }
      - { provider: openai }
  quick: { alias: smrt }
  two: { alias: quick }
audit: { capture: all }
`,
      "millrace.yaml:1:11: server.port: 70000 is not accepted; write a port from 0 to 65535 (0 takes any free one)",
      `millrace.yaml:1:24: server.shutdownGrace: "5 parsecs" is not accepted; write ${duration}`,
      'millrace.yaml:1:50: server.hots: is no known key; did you mean "host"? (known: host, port, allowedOrigins, shutdownGrace, bodyLimit, keepAlive)',
      'millrace.yaml:1:59: server.bodyLimit: "1 lot" is not accepted; write a size such as 32MiB or 1MB, or a number of bytes',
      `millrace.yaml:1:77: server.keepAlive: true is not accepted; write ${duration}`,
      'millrace.yaml:1:111: server.allowedOrigins[0]: "chat.example.com" is not accepted; write an origin such as ' +
        "https://chat.example.com, without a slash at its end, or *",
      'millrace.yaml:3:3: storage.url: "mysql://…@db/records" is not accepted; write sqlite:<path of a file> ' +
        "(such as sqlite:.millrace/millrace.db), postgres://<user>:<password>@<host>:<port>/<database> or memory:",
      'millrace.yaml:5:36: providers.openai.baseUrl: "ftp://x" is not accepted; write an http:// or https:// URL without user, query and fragment',
      "millrace.yaml:5:56: providers.openai.apiKey: the value is not accepted; write a text",
      `millrace.yaml:6:3: providers["a/b"]: is no name for a provider; use letters, digits, '.', '_' and '-', so that <provider>/<model> is clear`,
      'millrace.yaml:10:11: models.smart.targets[0].provider: names "opnai", which is no configured provider; did you mean "openai"? (there are openai, a/b)',
      "millrace.yaml:11:9: models.smart.targets[1].model: is missing; add it",
      'millrace.yaml:12:12: models.quick.alias: names "smrt", which is neither a model of this document nor <provider>/<model>; did you mean "smart"?',
      'millrace.yaml:13:10: models.two.alias: names "quick", which is an alias itself; name the model it stands for',
      'millrace.yaml:14:10: audit.capture: "all" is not accepted; write one of off, metadata, full'
    )
  )

  it.effect("of keys, which are not shown, whatever they were written as", () =>
    Effect.gen(function* () {
      const text = `auth: { adminKey: 1111111111, pepper: 2222222222, keys: [{ name: ci, key: 3333333333 }] }
providers:
  a: { protocol: openai-chat, baseUrl: "http://a", apiKeys: [4444444444, { label: b, key: 5555555555 }] }
`
      const told = yield* complaints({ name: "millrace.yaml", text })
      assert.strictEqual(told.length, 5)
      for (const line of told) assert.notMatch(line, /\d{10}/)
    })
  )

  it.effect("of a TOML document", () =>
    Effect.gen(function* () {
      const text = `[server]
port = 70000

[providers."my.vendor"]
protocol = "openai-chat"

[[models.smart.targets]]
provider = "a"
model = "x"

[[models.smart.targets]]
provider = "my.vendor"
modle = "y"
`
      assert.deepStrictEqual(yield* complaints({ name: "millrace.toml", text }), [
        "millrace.toml:2:1: server.port: 70000 is not accepted; write a port from 0 to 65535 (0 takes any free one)",
        'millrace.toml:4:1: providers["my.vendor"]: does not say where it is; add baseUrl: (such as https://api.openai.com/v1)',
        'millrace.toml:8:1: models.smart.targets[0].provider: names "a", which is no configured provider (there are my.vendor)',
        "millrace.toml:11:1: models.smart.targets[1].model: is missing; add it",
        'millrace.toml:13:1: models.smart.targets[1].modle: is no known key; did you mean "model"? (known: provider, model, weight, capabilities, limits, timeouts, prefill)'
      ])
    })
  )

  it.effect("of a JSON document", () =>
    Effect.gen(function* () {
      const text = `{\n\t"server": { "port": true },\n\t"provider": {}\n}`
      assert.deepStrictEqual(yield* complaints({ name: "millrace.json", text }), [
        "millrace.json:2:14: server.port: true is not accepted; write a port from 0 to 65535 (0 takes any free one)",
        'millrace.json:3:2: provider: is no known key; did you mean "providers"? (known: server, storage, providers, models, defaults, filters, everyCall, audit, accounting, limits, signals, analyzers, auth)'
      ])
    })
  )
})

describe("what does not fit together", () => {
  it.effect("peppers, none of which is shown", () =>
    Effect.gen(function* () {
      const expected = "a text of 16 characters or more that nobody guesses"
      yield* says(
        `auth: { mode: keys, pepper: [0123456789abcdef, "0123456789abcdef", short] }
`,
        "millrace.yaml:1:48: auth.pepper[1]: stands in the list already; remove it",
        `millrace.yaml:1:68: auth.pepper[2]: is too short; write ${expected}`
      )
      yield* says(
        "auth: { mode: keys, pepper: short }\n",
        `millrace.yaml:1:21: auth.pepper: is too short; write ${expected}`
      )
      yield* says(
        "auth: { mode: keys, pepper: 3 }\n",
        `millrace.yaml:1:21: auth.pepper: the value is not accepted; write ${expected}, or a list of such`
      )
      assert.deepStrictEqual(yield* warnings({ text: "auth: { mode: keys, pepper: 0123456789abcdef }\n" }), [
        "millrace.yaml:1:21: auth.pepper: the pepper stands in the file itself; keep it in the environment as MILLRACE_KEY_PEPPER"
      ])
    })
  )

  it.effect("keys that nobody is asked for, or that are not told apart", () =>
    Effect.gen(function* () {
      yield* says(
        `auth:
  mode: open
  adminKey: k
  keys: [{ name: ci, key: x }]
`,
        "millrace.yaml:3:3: auth.adminKey: means nothing while nobody is asked for a key; say mode: keys, or remove it",
        "millrace.yaml:4:3: auth.keys: means nothing while nobody is asked for a key; say mode: keys, or remove it"
      )
      yield* says(
        `auth:
  mode: key
  adminKey: "one"
  keys:
    - { name: ci, key: "two", expiresAt: soon }
    - { name: ci, key: "three" }
    - { name: admin, key: "two" }
    - { name: "not a name", key: "one" }
    - { name: limited, key: "four", limits: { requests: { week: 5 }, concurrent: 0 } }
`,
        'millrace.yaml:2:3: auth.mode: "key" is not accepted; write one of open, keys',
        'millrace.yaml:5:31: auth.keys[0].expiresAt: "soon" is not accepted; write a date or a time such as 2027-01-31 or 2027-01-31T12:00:00Z',
        "millrace.yaml:6:9: auth.keys[1].name: is the name of another key already; choose another",
        "millrace.yaml:7:9: auth.keys[2].name: stands for the administrator's key; choose another",
        "millrace.yaml:7:22: auth.keys[2].key: is another key already; each has to be one of its own",
        "millrace.yaml:8:9: auth.keys[3].name: \"not a name\" is not accepted; write a name of up to 100 letters, digits, '.', '_', '@' and '-'",
        "millrace.yaml:8:29: auth.keys[3].key: is another key already; each has to be one of its own",
        "millrace.yaml:9:59: auth.keys[4].limits.requests.week: is no known key (known: minute, hour, day, month, total)",
        "millrace.yaml:9:70: auth.keys[4].limits.concurrent: 0 is not accepted; write a whole number greater than 0"
      )
    })
  )

  it.effect("sinks that go nowhere, or where another goes", () =>
    says(
      `audit:
  sinks:
    - { kind: jsonl }
    - { kind: sql }
    - { kind: constructor }
    - { kind: otel, endpoint: "http://127.0.0.1:4318", path: x }
    - { kind: jsonl, path: audit/calls.jsonl }
    - { kind: jsonl, path: ./audit/calls.jsonl, keep: 2 }
`,
      "millrace.yaml:3:7: audit.sinks[0]: does not say where records go; add path:",
      'millrace.yaml:4:9: audit.sinks[1].kind: "sql" is not accepted; write one of jsonl, otel',
      'millrace.yaml:5:9: audit.sinks[2].kind: "constructor" is not accepted; write one of jsonl, otel',
      "millrace.yaml:6:56: audit.sinks[3].path: means nothing to a sink of this kind; remove it",
      "millrace.yaml:8:22: audit.sinks[5].path: is the file of another sink; name one of its own"
    )
  )

  it.effect("a retention that keeps nothing", () =>
    says(
      "audit: { retention: { maxAge: 0d, maxSize: 0 } }",
      'millrace.yaml:1:23: audit.retention.maxAge: "0d" is not accepted; write a duration such as 90d, more than 0',
      "millrace.yaml:1:35: audit.retention.maxSize: 0 is not accepted; write a size such as 20GiB, more than 0"
    )
  )

  it.effect("limits that limit nothing, or nobody", () =>
    says(
      `limits:
  - { model: smart }
  - { key: ci, requests: { minute: 5 } }
  - { tenant: "", tokens: { day: 1.5 } }
  - { cost: { fortnight: 5 } }
  - { tenant: acme, tokens: {} }
`,
      "millrace.yaml:2:5: limits[0]: limits nothing; add one of requests, tokens, inputTokens, outputTokens, cost, concurrent",
      "millrace.yaml:3:7: limits[1].key: means nothing while nobody is asked for a key; see auth",
      'millrace.yaml:4:7: limits[2].tenant: "" is not accepted; write a name, or * for each',
      "millrace.yaml:4:29: limits[2].tokens.day: 1.5 is not accepted; write a whole number greater than 0",
      "millrace.yaml:5:15: limits[3].cost.fortnight: is no known key (known: minute, hour, day, month, total)",
      "millrace.yaml:6:5: limits[4]: limits nothing; add one of requests, tokens, inputTokens, outputTokens, cost, concurrent"
    )
  )

  it.effect("rules and keys of a model that is misspelt: a warning, for a provider may know it", () =>
    Effect.gen(function* () {
      const text = `providers: { s: { protocol: simulator, models: [smarty] } }
models: { smart: { alias: s/echo }, quick: { alias: s/echo } }
limits: [{ model: smrt, concurrent: 1 }, { model: smarty, concurrent: 1 }, { model: gpt-5.5, concurrent: 1 }]
auth: { keys: [{ name: ci, key: "\${CI:-ci}", models: [quik, "s/*", "*", smart] }] }
`
      assert.deepStrictEqual(yield* warnings({ text }), [
        'millrace.yaml:3:12: limits[0].model: names "smrt", which is no model of this document; did you mean "smart"?',
        'millrace.yaml:4:55: auth.keys[0].models[0]: names "quik", which is no model of this document; did you mean "quick"?'
      ])
    })
  )

  it.effect("providers that lack something, or have too much", () =>
    says(
      `providers:
  groq: {}
  mine: { protocol: anthropic-messages }
  fake: { protocol: simulator, baseUrl: "http://h" }
  mixed: { protocol: [openai-chat, simulator], baseUrl: "http://h" }
  none: { protocol: [], baseUrl: "http://h" }
  self: { protocol: openai-chat, baseUrl: "http://localhost:8787/v1" }
`,
      "millrace.yaml:2:3: providers.groq: does not say what it speaks; add preset: groq, or protocol: and baseUrl:",
      "millrace.yaml:3:3: providers.mine: does not say where it is; add baseUrl: (such as https://api.anthropic.com)",
      "millrace.yaml:4:32: providers.fake.baseUrl: means nothing to the simulator; remove it",
      "millrace.yaml:5:12: providers.mixed.protocol: cannot list the simulator with others; make it a provider of its own",
      "millrace.yaml:6:11: providers.none.protocol: is an empty list; put at least one into it"
    )
  )

  it.effect("an address with the path of a call", () =>
    says(
      `providers:
  a: { protocol: openai-chat, baseUrl: "https://h/v1/chat/completions" }
  b: { preset: anthropic, baseUrl: "https://h/v1/messages/" }
`,
      "millrace.yaml:2:31: providers.a.baseUrl: ends in /chat/completions, which every call adds by itself; leave that out",
      "millrace.yaml:3:27: providers.b.baseUrl: ends in /v1/messages, which every call adds by itself; leave that out"
    )
  )

  it.effect("a provider that is this server", () =>
    says(
      "providers:\n  self: { protocol: openai-chat, baseUrl: http://localhost:8787/v1 }\n",
      "millrace.yaml:2:34: providers.self.baseUrl: is this server itself; write where the provider is"
    )
  )

  it.effect("models that lead nowhere", () =>
    says(
      `providers:
  s: { protocol: simulator }
models:
  none: { timeouts: { idle: 5s } }
  empty: { targets: [] }
  both: { alias: s/echo, targets: [{ provider: s, model: echo }] }
  wrong: { targets: [{ provider: s, model: eco }] }
  option: { targets: [{ provider: s, model: "echo?pace=x" }] }
`,
      "millrace.yaml:4:3: models.none: leads nowhere; add targets: (a list of provider and model), or alias: (another model's name)",
      "millrace.yaml:5:12: models.empty.targets: is an empty list; put at least one into it",
      "millrace.yaml:6:26: models.both.targets: cannot go with alias, which takes everything from the model it names; remove it",
      'millrace.yaml:7:37: models.wrong.targets[0].model: is not usable: the simulator has no model "eco"; it has echo, ' +
        "words-60, think-40, tools, json, fast-1000, length-20, refuse, empty (numbers up to 100000)",
      'millrace.yaml:8:38: models.option.targets[0].model: is not usable: model: the option "pace" is a time such as 250ms or 2s, not "x"'
    )
  )

  it.effect("what is to be kept of a model that cannot be", () =>
    says(
      `providers:
  s: { protocol: simulator }
models:
  some: { targets: [{ provider: s, model: echo }], capture: some }
  large: { targets: [{ provider: s, model: echo }], captureLimit: large }
  other: { alias: s/echo, capture: "off" }
audit: { capture: all, captureLimit: -1 }
`,
      'millrace.yaml:4:52: models.some.capture: "some" is not accepted; write one of off, metadata, full',
      'millrace.yaml:5:53: models.large.captureLimit: "large" is not accepted; write a size such as 32MiB or 1MB, or a number of bytes',
      "millrace.yaml:6:27: models.other.capture: cannot go with alias, which takes everything from the model it names; remove it",
      'millrace.yaml:7:10: audit.capture: "all" is not accepted; write one of off, metadata, full',
      "millrace.yaml:7:24: audit.captureLimit: -1 is not accepted; write a size such as 32MiB or 1MB, or a number of bytes"
    )
  )
})

describe("the environment in a document", () => {
  const provider = (key: string) =>
    `providers:\n  p: { protocol: openai-chat, baseUrl: "http://h/v1", apiKey: ${key} }\n`

  it.effect("turns a provider off that has no key, with a warning, and says where it was meant to be used", () =>
    Effect.gen(function* () {
      const text = `${provider('"${P_KEY}"')}  s: { protocol: simulator }
models:
  m: { targets: [{ provider: p, model: x }, { provider: s, model: echo }] }
  n: { targets: [{ provider: p, model: x }] }
`
      const { off, providers } = yield* loading({ text })
      assert.deepStrictEqual(off, [{ name: "p", why: "P_KEY is not set" }])
      assert.deepStrictEqual(
        providers.map(({ name }) => name),
        ["s"]
      )
      assert.deepStrictEqual(yield* warnings({ text }), [
        "millrace.yaml:2:55: providers.p.apiKey: the provider is off because P_KEY is not set; set it to turn the provider on",
        "millrace.yaml:5:18: models.m.targets[0]: the provider p is off, so this target is left out",
        "millrace.yaml:6:8: models.n.targets: every provider of this model is off, so calls to it fail"
      ])
    })
  )

  it.effect("a key that defaults to nothing is no key", () =>
    Effect.gen(function* () {
      const { off } = yield* loading({ text: provider('"${P_KEY:-}"') })
      assert.deepStrictEqual(off, [{ name: "p", why: "P_KEY is not set" }])
    })
  )

  it.effect("a preset without its key is off too", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* warnings({ text: "providers:\n  quick: { preset: groq }\n" }), [
        "millrace.yaml:2:3: providers.quick: the provider is off because GROQ_API_KEY is not set; set it to turn the provider on"
      ])
    })
  )

  it.effect("a key that stands in the file is used, with a warning that does not show it", () =>
    Effect.gen(function* () {
      const text = provider("sk-literal")
      assert.lengthOf((yield* loading({ text })).providers, 1)
      assert.deepStrictEqual(yield* warnings({ text }), [
        'millrace.yaml:2:55: providers.p.apiKey: the key stands in the file itself; keep it in the environment and write "${P_API_KEY}"'
      ])
    })
  )

  it.effect("anything else that is not set is an error, said once", () =>
    says(
      `server: { port: "\${NO_PORT}", host: "\${1}" }
storage: { url: "sqlite:\${NO_FOLDER}/\${DB:-millrace.db}" }
providers: { p: { protocol: openai-chat, baseUrl: "\${NO_URL}", headers: { x-key: "\${OPEN" } } }
`,
      "millrace.yaml:1:11: server.port: ${NO_PORT} is not set; set it, or give it a default: ${NO_PORT:-default}",
      "millrace.yaml:1:31: server.host: ${1} is no reference; write ${NAME} or ${NAME:-default}, and $${ for ${ itself",
      "millrace.yaml:2:12: storage.url: ${NO_FOLDER} is not set; set it, or give it a default: ${NO_FOLDER:-default}",
      "millrace.yaml:3:42: providers.p.baseUrl: ${NO_URL} is not set; set it, or give it a default: ${NO_URL:-default}",
      "millrace.yaml:3:75: providers.p.headers.x-key: ${OPEN is no reference; write ${NAME} or ${NAME:-default}, and $${ for ${ itself"
    )
  )

  it.effect("values are put into texts, defaults and all, and never become anything else", () =>
    Effect.gen(function* () {
      const text = `providers:
  p:
    protocol: openai-chat
    baseUrl: "\${SCHEME:-https}://\${HOST_NAME}/v1"
    models: ["\${LIST}", "a$\${b}c", "\${EMPTY:-}x"]
`
      const environment = { HOST_NAME: "h.internal", LIST: "[a, b]: { c: ${SCHEME} }", EMPTY: "" }
      const [provider] = (yield* loading({ text, environment })).providers
      assert.strictEqual(provider?._tag === "Http" ? provider.baseUrl : "", "https://h.internal/v1")
      assert.deepStrictEqual(provider?.models, ["[a, b]: { c: ${SCHEME} }", "a${b}c", "x"])
    })
  )
})

describe("what can be read and is no document", () => {
  it.effect("YAML that refers to itself, or to nothing", () =>
    Effect.gen(function* () {
      yield* says(
        "providers: &all\n  s: { protocol: simulator }\n  t: *all\n",
        "millrace.yaml:3:6: this cannot be read as YAML: *all is a part of what it stands for; remove it"
      )
      yield* says(
        "server: *nobody\n",
        "millrace.yaml:1:9: this cannot be read as YAML: there is no &nobody before it; mend the name"
      )
      yield* says(
        "limits: [{ key: *, concurrent: 5 }]\n",
        'millrace.yaml:1:17: this cannot be read as YAML: a * that stands for nothing said before is a text, and has to be quoted: "*"'
      )
    })
  )

  it.effect("YAML with values and keys that no other format has", () =>
    Effect.gen(function* () {
      const tag = "this cannot be read as YAML: a tag (!) means nothing here; remove it, or quote the text"
      yield* says("server: !!set { host, port }\n", `millrace.yaml:1:9: ${tag}`)
      yield* says("server: { host: !own x }\n", `millrace.yaml:1:17: ${tag}`)
      yield* says("? [a, b]\n: c\n", "millrace.yaml:1:3: this cannot be read as YAML: this is no key; write a text")
      yield* says(
        "server: { port: .inf }\n",
        "millrace.yaml:1:11: server.port: Infinity is not accepted; write a port from 0 to 65535 (0 takes any free one)"
      )
    })
  )

  it.effect("several documents, keys that stand twice, tabs", () =>
    Effect.gen(function* () {
      yield* says(
        "server: {}\n---\nserver: {}\n",
        "millrace.yaml:2:1: this cannot be read as YAML: a second document begins here; keep one of them"
      )
      yield* says(
        '{ "server": {}, "server": {} }',
        "millrace.yaml:1:17: this cannot be read as YAML: this key stands in its section already; keep one of them"
      )
      yield* says(
        "server:\n\tport: 1\n",
        "millrace.yaml:2:1: this cannot be read as YAML: a line is indented by a tab; use spaces"
      )
    })
  )

  it.effect("times of TOML are read as other formats have them, and comments of it break nothing", () =>
    Effect.gen(function* () {
      const key = '[auth]\nadminKey = "${A:-a}"\n[[auth.keys]]\nname = "ci"\nkey = "${B:-b}"\n'
      const name = "millrace.toml"
      const { auth } = yield* loading({ name, text: `${key}expiresAt = 2037-06-30T10:00:00+02:00\n` })
      assert.strictEqual(auth.keys[0]?.expiresAt, Date.UTC(2037, 5, 30, 8))
      const text = '[server] # """ is no text here\nhost = "a # b"\n[audit]\ncapture = "all"\n[auth]\nmode = "open"\n'
      assert.deepStrictEqual(yield* complaints({ name, text }), [
        'millrace.toml:4:1: audit.capture: "all" is not accepted; write one of off, metadata, full'
      ])
    })
  )

  it.effect("a date that there is not", () => {
    const wrong = (index: number, date: string) =>
      `auth.keys[${index}].expiresAt: ${JSON.stringify(date)} is not accepted; write a date or a time such as 2027-01-31 or 2027-01-31T12:00:00Z`
    return says(
      `auth:
  mode: keys
  keys:
    - { name: a, key: a, expiresAt: 2027-02-30 }
    - { name: b, key: b, expiresAt: "5" }
`,
      `millrace.yaml:4:26: ${wrong(0, "2027-02-30")}`,
      `millrace.yaml:5:26: ${wrong(1, "5")}`
    )
  })
})

describe("names and headers by which nothing could be found or sent", () => {
  it.effect("are refused", () =>
    says(
      `providers:
  p:
    protocol: openai-chat
    baseUrl: http://h/v1
    headers: { "bad header": x, x-a: "line\\nbreak", Content-Length: "5", x-ok: yes }
models:
  "": { alias: p/a }
  "a\\nb": { alias: p/a }
filters: { " ": { kind: system, text: x } }
audit: { sinks: [{ kind: otel, endpoint: "http://h", headers: { "": x } }] }
`,
      "millrace.yaml:5:16: providers.p.headers[\"bad header\"]: is no name of a header; use letters, digits and '-'",
      "millrace.yaml:5:33: providers.p.headers.x-a: has a line break in it, or a sign that no header can have; remove that",
      "millrace.yaml:5:53: providers.p.headers.Content-Length: is made with each request; remove it",
      'millrace.yaml:7:3: models[""]: is no name; use one of up to 512 bytes, without line breaks',
      'millrace.yaml:8:3: models["a\\nb"]: is no name; use one of up to 512 bytes, without line breaks',
      'millrace.yaml:9:12: filters[" "]: is no name; use one of up to 512 bytes, without line breaks',
      "millrace.yaml:10:65: audit.sinks[0].headers[\"\"]: is no name of a header; use letters, digits and '-'"
    )
  )

  it.effect("turn a provider off whose key ends in a line break", () =>
    Effect.gen(function* () {
      const { off } = yield* loading({ environment: { OPENAI_API_KEY: "sk-1\n" } })
      const why = "its key has a line break in it, or a sign that no header can have"
      assert.deepInclude(off, { name: "openai", why })
    })
  )
})
