import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { filterLayer } from "../../src/config/layers.ts"
import { Filters, NamedFilters } from "../../src/filters/Filter.ts"
import { complaints, loading } from "./loading.ts"

const everyKind = `
filters:
  pii: { kind: redact, packs: [email, card], action: pseudonym }
  names: { kind: redact, rules: [{ name: ticket, pattern: "T-[0-9]+", with: "[T]" }], on: [answer], parts: [text, tools] }
  words: { kind: block, words: [secret], action: refuse, status: 403, message: "No.", reason: it is secret }
  end: { kind: stop, words: ["END"] }
  say: { kind: replace, rules: [{ text: colour, with: color }] }
  about: { kind: topics, words: [weather], action: hand-off, target: fast }
  short: { kind: length, characters: 1000 }
  json: { kind: schema, tools: true, action: stop }
  speak: { kind: language, allow: [en, de], hold: true }
  tools: { kind: injection, action: hide }
  house: { kind: system, text: Be kind., place: after }
  tags: { kind: metadata, set: { team: "$tenant" }, headers: { x-team: blue } }
  judge: { kind: model, model: fast, policy: Be nice., on: [request, answer], parallel: true, timeout: 5s }
  remote: { kind: http, url: "http://127.0.0.1:9/check", forward: [x-team], mode: window, characters: 128, wait: 50ms, breaker: { failures: 3, openFor: 5s } }
  agent: { kind: mcp, url: "http://127.0.0.1:9/mcp", tool: check, onFailure: open }
everyCall: { filters: [pii, house] }
models:
  fast: { targets: [{ provider: simulator, model: echo }], filters: [words, remote] }
providers: { simulator: { protocol: simulator } }
analyzers: { loops: { kind: repetition } }
`

describe("filters of a document", () => {
  it.effect("are made, those of every call after the analyzers", () =>
    Effect.gen(function* () {
      const configuration = yield* loading({ text: everyKind })
      const services = yield* Layer.build(filterLayer(configuration))
      assert.deepStrictEqual(
        Context.get(services, Filters).map(({ name }) => name),
        ["analyzers", "pii", "house"]
      )
      assert.deepStrictEqual(Array.from(Context.get(services, NamedFilters).keys()), Object.keys(configuration.filters))
      assert.deepStrictEqual(configuration.models["fast"]?.filters, ["words", "remote"])
    }).pipe(Effect.scoped)
  )

  it.effect("that cannot be are told, with their place and how to mend them", () =>
    Effect.gen(function* () {
      const text = `filters:
  a: { kind: redact, words: [x] }
  b: { kind: block }
  c: { kind: redcat }
  d: { kind: http, url: nowhere, forward: [authorization] }
  g: { kind: toString }
everyCall: { filters: [e] }
models:
  m: { targets: [{ provider: simulator, model: echo }], filters: [bb] }
auth: { keys: [{ name: k, key: "\${K:-secret}", filters: [f] }] }
providers: { simulator: { protocol: simulator } }
`
      const found = yield* complaints({ text })
      assert.deepStrictEqual(found, [
        "millrace.yaml:2:22: filters.a.words: means nothing to kind: redact; remove it",
        "millrace.yaml:3:3: filters.b: lacks what kind: block needs; add words: or patterns:",
        'millrace.yaml:4:8: filters.c.kind: "redcat" is not accepted; write one of redact, block, stop, replace, topics, length, schema, language, injection, system, metadata, model, http, mcp',
        'millrace.yaml:5:20: filters.d.url: "nowhere" is not accepted; write an http:// or https:// URL',
        'millrace.yaml:5:44: filters.d.forward[0]: "authorization" is not accepted; write a header that lets nobody in',
        'millrace.yaml:6:8: filters.g.kind: "toString" is not accepted; write one of redact, block, stop, replace, topics, length, schema, language, injection, system, metadata, model, http, mcp',
        'millrace.yaml:7:24: everyCall.filters[0]: names "e", which is no filter of this document; did you mean "a"? (there are a, b, c, d, g)',
        'millrace.yaml:9:67: models.m.filters[0]: names "bb", which is no filter of this document; did you mean "b"? (there are a, b, c, d, g)',
        'millrace.yaml:10:58: auth.keys[0].filters[0]: names "f", which is no filter of this document; did you mean "a"? (there are a, b, c, d, g)'
      ])
    })
  )

  it.effect("that would do nothing, or fail with every call, are told", () =>
    Effect.gen(function* () {
      const text = `filters:
  a: { kind: model, model: jugde, policy: p, on: [answer], parallel: true }
  b: { kind: block, words: [x], action: hand-off, target: nobody }
  c: { kind: redact, packs: [] }
  d: { kind: replace, rules: [{ with: y }, { text: x, pattern: x, with: y }] }
  e: { kind: metadata, headers: { "x team": blue } }
  f: { kind: http, url: "http://127.0.0.1:9", overlap: 256 }
  g: { kind: model, model: simulator/echo, policy: p, target: judge }
models:
  judge: { targets: [{ provider: simulator, model: echo }] }
providers: { simulator: { protocol: simulator } }
`
      assert.deepStrictEqual(yield* complaints({ text }), [
        'millrace.yaml:2:21: filters.a.model: names "jugde", which is neither a model of this document nor <provider>/<model>; did you mean "judge"?',
        "millrace.yaml:2:60: filters.a.parallel: is about the request, which on: leaves out; add request there, or remove it",
        'millrace.yaml:3:51: filters.b.target: names "nobody", which is neither a model of this document nor <provider>/<model>',
        "millrace.yaml:4:22: filters.c.packs: is empty, so that nothing is hidden; remove it for all of them",
        "millrace.yaml:5:31: filters.d.rules[0]: does not say what is looked for; add pattern: or text:",
        "millrace.yaml:5:44: filters.d.rules[1]: looks for a pattern and a text; keep one of them",
        "millrace.yaml:6:35: filters.e.headers[\"x team\"]: is no name of a header; use letters, digits and '-'",
        "millrace.yaml:7:47: filters.f.overlap: is no shorter than the window itself (characters: 256); make it shorter"
      ])
    })
  )

  it.effect("whose patterns cannot be used are told", () =>
    Effect.gen(function* () {
      const text = `filters:
  a: { kind: redact, rules: [{ name: x, pattern: "(a" }] }
  b: { kind: block, patterns: ["a*"] }
  c: { kind: block, words: [x], action: hand-off }
  d: { kind: schema, action: hide }
`
      const found = yield* complaints({ text })
      assert.match(found[0] ?? "", /^millrace.yaml:2:3: filters.a: "\(a" is no pattern/)
      assert.deepStrictEqual(found.slice(1), [
        'millrace.yaml:3:3: filters.b: "a*" matches the empty text',
        "millrace.yaml:4:3: filters.c: hands off to nobody; add target: (the name of a model)",
        "millrace.yaml:5:3: filters.d: knows no action hide; write one of stop, refuse"
      ])
    })
  )
})
