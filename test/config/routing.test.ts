import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { routerLayer } from "../../src/config/layers.ts"
import { Router, type RoutePlan } from "../../src/routing/Router.ts"
import { complaints, loading, warnings } from "./loading.ts"

/** The plan of a model of this document. */
const planOf = (model: string, text: string, environment: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const configuration = yield* loading({ text, environment })
    const plan: RoutePlan = yield* Effect.flatMap(Router, (router) => router.plan(model)).pipe(
      Effect.provide(routerLayer(configuration))
    )
    return plan
  })

const says = (text: string, ...expected: ReadonlyArray<string>) =>
  Effect.map(complaints({ text }), (found) => assert.deepStrictEqual(found, expected))

const providers = `providers:
  s: { protocol: simulator }
  t: { protocol: simulator }
`

describe("how a model is used", () => {
  it.effect("is as usual where nothing is said", () =>
    Effect.gen(function* () {
      for (const model of ["m", "s/echo"]) {
        const { policy, timeouts } = yield* planOf(
          model,
          `${providers}models:\n  m: { targets: [{ provider: s, model: echo }] }\n`
        )
        assert.deepStrictEqual(policy, {
          strategy: "ordered",
          retry: { maxAttempts: 4, initialDelay: 200, maxDelay: 5000 },
          breaker: { failures: 5, openFor: 10_000, maxOpenFor: 30_000 }
        })
        assert.deepStrictEqual(timeouts, { connect: 10_000, firstToken: 120_000, idle: 60_000, total: 600_000 })
      }
    })
  )

  it.effect("is what it says, else what is said of all models", () =>
    Effect.gen(function* () {
      const text = `${providers}defaults:
  retry: { maxAttempts: 2 }
  breaker: { failures: 0 }
  timeouts: { total: 1m }
models:
  m:
    strategy: least-latency
    targets:
      - provider: s
        model: echo
        weight: 2.5
        capabilities: { contextWindow: 8000, features: [tools, images] }
        limits: { concurrency: 8 }
        timeouts: { idle: 1s }
      - { provider: t, model: echo, limits: { concurrency: 1, queue: 0, maxWait: 0 } }
    retry: { initialDelay: 1s }
    breaker: { openFor: 1m }
    hedge: { after: 500ms }
    affinity: conversation
    fallbackOn: [content-blocked]
    timeouts: { firstToken: 5s }
`
      const { policy, targets, timeouts } = yield* planOf("m", text)
      assert.deepStrictEqual(policy, {
        strategy: "least-latency",
        retry: { maxAttempts: 2, initialDelay: 1000, maxDelay: 5000 },
        breaker: { failures: 0, openFor: 60_000, maxOpenFor: 60_000 },
        affinity: "conversation",
        fallbackOn: ["content-blocked"],
        hedgeAfter: 500
      })
      const times = { connect: 10_000, firstToken: 5000, idle: 60_000, total: 60_000, wholeFirstByte: 5000 }
      assert.deepStrictEqual(timeouts, times)
      const [{ upstream: _, ...first }, second] = targets
      assert.deepStrictEqual(first, {
        provider: "s",
        model: "echo",
        weight: 2.5,
        capabilities: { contextWindow: 8000, features: ["tools", "images"] },
        limits: { concurrency: 8, queue: 100, maxWait: 10_000 },
        timeouts: { ...times, idle: 1000 }
      })
      assert.deepStrictEqual(second?.limits, { concurrency: 1, queue: 0, maxWait: 0 })
      const { policy: other } = yield* planOf("s/echo", text)
      assert.deepInclude(other, { retry: { maxAttempts: 2, initialDelay: 200, maxDelay: 5000 } })
    })
  )

  it.effect("says how far an answer is read on whose caller left", () =>
    Effect.gen(function* () {
      const text = (said: string) => `${providers}models:\n  m: { targets: [{ provider: s, model: echo }]${said} }\n`
      const { drain } = yield* planOf("m", text(", onDisconnect: drain, drain: { maxTime: 5s }"))
      assert.deepStrictEqual(drain, { maxTime: 5000, maxTokens: 10_000 })
      const usual = yield* planOf("m", text(", onDisconnect: drain"))
      assert.deepStrictEqual(usual.drain, { maxTime: 60_000, maxTokens: 10_000 })
      for (const said of ["", ", onDisconnect: cancel"]) assert.isUndefined((yield* planOf("m", text(said))).drain)
    })
  )

  it.effect("may be said of all models, and otherwise of one", () =>
    Effect.gen(function* () {
      const text = `${providers}defaults:
  strategy: random
  rescue: "off"
  onDisconnect: drain
  drain: { maxTime: 5s, maxTokens: 100 }
  affinity: caller
  fallbackOn: [content-blocked]
models:
  m: { targets: [{ provider: s, model: echo }], drain: { maxTokens: 7 } }
  n: { targets: [{ provider: s, model: echo }], strategy: ordered, rescue: auto, onDisconnect: cancel, affinity: "off", fallbackOn: [] }
`
      for (const [model, maxTokens] of [
        ["m", 7],
        ["s/echo", 100]
      ] as const) {
        const { drain, policy, rescue } = yield* planOf(model, text)
        assert.deepStrictEqual({ drain, rescue }, { drain: { maxTime: 5000, maxTokens }, rescue: "off" })
        assert.deepInclude(policy, { strategy: "random", affinity: "caller", fallbackOn: ["content-blocked"] })
      }
      const { drain, policy, rescue } = yield* planOf("n", text)
      assert.deepStrictEqual({ drain, rescue }, { drain: undefined, rescue: "auto" })
      assert.deepInclude(policy, { strategy: "ordered", fallbackOn: [] })
      assert.notProperty(policy, "affinity")
    })
  )

  it.effect("is refused where it makes no sense, with how to mend it", () =>
    says(
      `${providers}models:
  m:
    strategy: fastest
    targets: [{ provider: s, model: echo, weight: -1, limits: { concurrency: 0, queue: 101, maxWait: 11s } }]
    retry: { maxAttempts: 0 }
    hedge: { after: 1s }
    affinity: cookie
    fallbackOn: [everything]
    drain: { maxTokens: 0 }
`,
      'millrace.yaml:6:5: models.m.strategy: "fastest" is not accepted; write one of ordered, weighted, random, least-latency, least-busy',
      "millrace.yaml:7:43: models.m.targets[0].weight: -1 is not accepted; write a number from 0 on",
      "millrace.yaml:7:65: models.m.targets[0].limits.concurrency: 0 is not accepted; write a whole number from 1 to 1000000",
      "millrace.yaml:7:81: models.m.targets[0].limits.queue: 101 is not accepted; write a whole number from 0 to 100",
      'millrace.yaml:7:93: models.m.targets[0].limits.maxWait: "11s" is not accepted; write a duration from 0 to 10s',
      "millrace.yaml:8:14: models.m.retry.maxAttempts: 0 is not accepted; write a whole number from 1 to 100",
      "millrace.yaml:9:5: models.m.hedge: asks a second target, and there is only one; add one, or remove it",
      'millrace.yaml:10:5: models.m.affinity: "cookie" is not accepted; write one of conversation, caller, off',
      'millrace.yaml:11:18: models.m.fallbackOn[0]: "everything" is not accepted; write content-blocked',
      "millrace.yaml:12:5: models.m.drain: bounds what is read on for a caller who left, and nothing is; add onDisconnect: drain, or remove it",
      "millrace.yaml:12:14: models.m.drain.maxTokens: 0 is not accepted; write a whole number from 1 to 10000000"
    )
  )
})

describe("several keys of a provider", () => {
  const text = `providers:
  openai:
    preset: openai
    apiKeys:
      - "\${FIRST}"
      - { label: team, key: "\${SECOND}" }
`

  it.effect("are used in turn, under their labels", () =>
    Effect.gen(function* () {
      const { targets } = yield* planOf("openai/gpt", text, { FIRST: "a", SECOND: "b" })
      assert.deepStrictEqual(
        targets[0].keys?.map(({ provider, model, key }) => [provider, model, key]),
        [
          ["openai", "gpt", "key-1"],
          ["openai", "gpt", "team"]
        ]
      )
    })
  )

  it.effect("are left out where they are not set, and the provider is off where none is", () =>
    Effect.gen(function* () {
      const { targets } = yield* planOf("openai/gpt", text, { SECOND: "b" })
      assert.deepStrictEqual(
        targets[0].keys?.map(({ key }) => key),
        ["team"]
      )
      assert.deepStrictEqual(yield* warnings({ text, environment: { SECOND: "b" } }), [
        "millrace.yaml:5:9: providers.openai.apiKeys[0]: the key is left out because FIRST is not set; set it to use the key"
      ])
      assert.deepStrictEqual(yield* warnings({ text }), [
        "millrace.yaml:4:5: providers.openai.apiKeys: the provider is off because none of its apiKeys is set; mend that to turn the provider on"
      ])
    })
  )

  it.effect("has times that fit together", () =>
    says(
      `${providers}models:
  m:
    targets: [{ provider: s, model: echo }]
    retry: { initialDelay: 10s, maxDelay: 1s }
    breaker: { openFor: 40s, maxOpenFor: 10s }
`,
      "millrace.yaml:7:5: models.m.retry: a section is not accepted; write an initialDelay that is not longer than maxDelay",
      "millrace.yaml:8:5: models.m.breaker: a section is not accepted; write an openFor that is not longer than maxOpenFor"
    )
  )

  it.effect("are told apart, and are not beside another one", () =>
    says(
      `providers:
  openai: { preset: openai, apiKey: "\${K:-x}", apiKeys: [{ label: a, key: "\${K:-x}" }, { label: a, key: "\${K:-x}" }] }
`,
      "millrace.yaml:2:29: providers.openai.apiKey: is one key too many; put it into apiKeys",
      "millrace.yaml:2:88: providers.openai.apiKeys[1]: has the label a of another key; give it its own"
    )
  )

  it.effect("are not written into the file", () =>
    Effect.map(
      warnings({ text: "providers:\n  openai: { preset: openai, apiKeys: [sk-1, { label: b, key: sk-2 }] }\n" }),
      (found) =>
        assert.deepStrictEqual(
          found.map((line) => line.replace(/: the key stands.*/, "")),
          ["millrace.yaml:2:39: providers.openai.apiKeys[0]", "millrace.yaml:2:45: providers.openai.apiKeys[1]"]
        )
    )
  )
})
