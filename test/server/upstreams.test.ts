import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { oddProviders, type Oddity } from "./odd-provider.ts"
import { assertDiscreet, dialects, errorOf, quiet, recordOf, Running, running } from "./running.ts"
import { json } from "./simulate/server.ts"
import { assertBrokenOff, assertComplete, textIn } from "./streams.ts"

const impatient = { connect: "2s", firstToken: "150ms", idle: "150ms", total: "20s" }
const silences = { hang: "echo?hang", "slow-head": "echo?head=1m", "slow-token": "words-5?first=1m" }
const stalls = { stall: "words-9?stall=3&pace=1ms" }

const oneTarget = (provider: string, model: string) => ({ targets: [{ provider, model }], timeouts: impatient })

const models = Object.fromEntries(
  dialects.flatMap(({ provider }) => [
    ...Object.entries({ ...silences, ...stalls }).map(([name, model]) => [
      `${provider}-${name}`,
      oneTarget(provider, model)
    ]),
    [`${provider}-patient`, oneTarget(`${provider}-lingering`, "any")],
    [
      `${provider}-silent-refusal`,
      { ...oneTarget(`${provider}-wordless`, "any"), timeouts: { ...impatient, firstToken: "1s" } }
    ],
    [
      `${provider}-moved`,
      {
        targets: [
          { provider: `${provider}-lost`, model: "any" },
          { provider, model: "words-3" }
        ]
      }
    ]
  ])
)

const server = Layer.unwrap(Effect.map(oddProviders, (providers) => running({ providers, models })))

/** Every way to ask every provider: four pairs, streamed and whole. */
const ways = dialects.flatMap((asking) =>
  dialects.flatMap(({ provider }) =>
    [true, false].map((stream) => ({
      name: `${stream ? "streamed" : "whole"}, from ${provider} for ${asking.id}`,
      asking,
      provider,
      stream
    }))
  )
)

const refusals: ReadonlyArray<readonly [status: number, reason: string, chatType: string, messagesType: string]> = [
  [400, "InvalidRequest", "invalid_request_error", "invalid_request_error"],
  [401, "Unauthorized", "authentication_error", "authentication_error"],
  [402, "QuotaExceeded", "", "billing_error"],
  [403, "PermissionDenied", "permission_error", "permission_error"],
  [404, "UnknownModel", "invalid_request_error", "not_found_error"],
  [413, "InvalidRequest", "invalid_request_error", "request_too_large"],
  [422, "InvalidRequest", "invalid_request_error", "invalid_request_error"],
  [429, "RateLimited", "rate_limit_error", "rate_limit_error"],
  [500, "UpstreamServer", "server_error", "api_error"],
  [503, "Overloaded", "server_error", "overloaded_error"],
  [529, "Overloaded", "server_error", "overloaded_error"]
]

/** So that no target is left alone for what it said to somebody else. */
let nonce = 0

layer(server, { excludeTestServices: true })("a provider that refuses", (it) => {
  for (const { name, asking, provider, stream } of ways) {
    it.effect(`is heard with status, message and hint: ${name}`, () =>
      Effect.gen(function* () {
        for (const [status, reason, chatType, messagesType] of refusals) {
          // A model that is not there is told by its name, and what a server cannot do now by the word.
          const said = status === 404 ? "model:%20x%20not%20found" : status > 500 ? "Overloaded" : "No%20way"
          const model = `${provider}/echo?status=${status}&message=${said}&retry-after=7&seed=${nonce++}`
          const seen = yield* asking.ask(model, { stream })
          assert.strictEqual(seen.status, status)
          assert.strictEqual(seen.headers["retry-after"], "7")
          const { message = "", type } = errorOf(seen.text)
          assert.isTrue(message.startsWith(decodeURIComponent(said)), message)
          const expected = asking.id === "openai-chat" ? chatType : messagesType
          if (expected !== "") assert.strictEqual(type, expected, String(status))
          // Nobody shall look for the mistake in the key that they sent to Millrace.
          assert.strictEqual(status === 401, message.includes(`the provider ${provider} `), message)
          const { outcome, attempts } = yield* recordOf(seen)
          assert.deepInclude(outcome, { kind: "Failed", reason, status })
          assert.deepInclude(attempts[0], { provider, status })
        }
      })
    )
  }
})

layer(server, { excludeTestServices: true })("a provider that is broken before it began", (it) => {
  const broken: ReadonlyArray<readonly [oddity: Oddity, reason: string, said?: RegExp]> = [
    ["dead", "Transport"],
    ["reset", "Transport"],
    ["empty", "IncompleteStream"],
    ["comments", "IncompleteStream"],
    ["garbage", "InvalidOutput"],
    ["gateway", "UpstreamServer"],
    ["redirect", "UpstreamServer", /status 302, which leads elsewhere: .* baseUrl/],
    ["welcome", "IncompleteStream", /answer is a web page, .* baseUrl/],
    ["compressed", "IncompleteStream", /answer is compressed \(content-encoding: gzip\)/]
  ]
  const faults: ReadonlyArray<readonly [fault: string, reason: string]> = [
    ["reset", "Transport"],
    ["truncate=0", "IncompleteStream"],
    ["malformed=0", "InvalidOutput"]
  ]
  for (const { name, asking, provider, stream } of ways) {
    it.effect(`is a bad gateway: ${name}`, () =>
      Effect.gen(function* () {
        const models = [
          ...broken.map(([oddity, ...told]) => [`${provider}-${oddity}/any`, ...told] as const),
          ...faults.map(([fault, reason]) => [`${provider}/words-9?${fault}`, reason] as const)
        ]
        for (const [model, reason, said = /./] of models) {
          const seen = yield* asking.ask(model, { stream })
          assert.strictEqual(seen.status, 502, `${model}: ${seen.text}`)
          const { message, type } = errorOf(seen.text)
          assert.match(message ?? "", said)
          assert.strictEqual(type, asking.id === "openai-chat" ? "server_error" : "api_error")
          const { outcome } = yield* recordOf(seen)
          assert.strictEqual(outcome?.kind, "Failed", model)
          // A body that is no document is unreadable whatever it lacks.
          if (stream) assert.strictEqual(outcome?.reason, reason, model)
        }
      })
    )

    it.effect(`has its error as the first event: ${name}`, () =>
      Effect.gen(function* () {
        const model = `${provider}/words-9?error=0&status=529&message=Overloaded`
        const seen = yield* asking.ask(model, { stream })
        assert.include([503, 529], seen.status)
        assert.strictEqual(errorOf(seen.text).message, "Overloaded")
      })
    )

    it.effect(`does not get its key into anybody's sight: ${name}`, () =>
      Effect.gen(function* () {
        const { log } = yield* Running
        // Every answer is searched for keys where it is received.
        const seen = yield* asking.ask(`${provider}-key/any`, { stream })
        assert.strictEqual(seen.status, 401)
        assert.match(errorOf(seen.text).message ?? "", /no such key: <redacted>/)
        assertDiscreet(JSON.stringify(yield* recordOf(seen)))
        for (const line of log) assertDiscreet(line)
      })
    )
  }
})

layer(server, { excludeTestServices: true })("a provider that is silent", (it) => {
  for (const { name, asking, provider, stream } of ways) {
    // A whole answer is bound by the time for all of it alone.
    if (!stream) continue
    it.effect(`before it began is a gateway timeout: ${name}`, () =>
      Effect.gen(function* () {
        const { simulator } = yield* Running
        const seen = yield* Effect.forEach(
          Object.keys(silences),
          (silence) => asking.ask(`${provider}-${silence}`, { stream }),
          { concurrency: "unbounded" }
        )
        for (const one of seen) {
          assert.strictEqual(one.status, 504)
          assert.strictEqual(errorOf(one.text).type, asking.id === "openai-chat" ? "server_error" : "timeout_error")
          const { outcome } = yield* recordOf(one)
          assert.deepInclude(outcome, { kind: "Failed", reason: "Timeout", phase: "firstToken" })
        }
        yield* quiet
        assert.strictEqual(simulator.log.requests().at(-1)?.state, "aborted")
      })
    )

    it.effect(`in the middle of its answer ends the stream with an error: ${name}`, () =>
      Effect.gen(function* () {
        const seen = yield* asking.ask(`${provider}-stall`, { stream })
        assertBrokenOff(seen)
        assert.match(errorOf(seen.text).message ?? "", /idle timeout, 150 ms/)
        const record = yield* recordOf(seen)
        assert.deepInclude(record.outcome, { kind: "Failed", reason: "Timeout", phase: "idle" })
        assert.strictEqual(record.response?.text, textIn(seen.text))
      })
    )
  }

  it.effect("after the status of a refusal has refused", () =>
    Effect.gen(function* () {
      for (const { ask, provider } of dialects) {
        const seen = yield* ask(`${provider}-silent-refusal`)
        assert.deepStrictEqual([seen.status, seen.headers["retry-after"]], [429, "7"])
        const { attempts } = yield* recordOf(seen)
        assert.deepInclude(attempts[0]?.failure?.reason, { _tag: "RateLimited" })
      }
    })
  )

  it.effect("is waited for as long as the caller says, and no longer", () =>
    Effect.gen(function* () {
      for (const { ask, provider } of dialects) {
        for (const stream of [true, false]) {
          const seen = yield* ask(`${provider}/echo?hang`, { stream }, { headers: { "x-millrace-timeout": "50ms" } })
          assert.strictEqual(seen.status, 504)
          const { outcome } = yield* recordOf(seen)
          assert.deepInclude(outcome, { kind: "Failed", reason: "Timeout", phase: "total" })
        }
        // The caller cannot have more patience than the configuration.
        const longer = yield* ask(`${provider}-hang`, {}, { headers: { "x-millrace-timeout": "9h" } })
        assert.strictEqual(longer.status, 504)
        const never = yield* ask(`${provider}/echo`, {}, { headers: { "x-millrace-timeout": "0s" } })
        assertComplete(never)
      }
    })
  )
})

layer(server, { excludeTestServices: true })("a provider that has said how its answer ends", (it) => {
  for (const asking of dialects) {
    for (const { provider } of dialects) {
      it.effect(`has answered, whatever becomes of its connection: from ${provider} for ${asking.id}`, () =>
        Effect.gen(function* () {
          for (const model of [`${provider}-cut/any`, `${provider}-patient`]) {
            const seen = yield* asking.ask(model)
            assertComplete(seen)
            assert.strictEqual(textIn(seen.text), "done")
            const { attempts, outcome } = yield* recordOf(seen)
            assert.deepInclude(outcome, { kind: "Completed", finish: "stop" })
            assert.strictEqual(attempts.length, 1)
          }
        })
      )

      it.effect(`is asked elsewhere if it is not where it should be: from ${provider} for ${asking.id}`, () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* asking.ask(`${provider}-lost/any`)).status, 404)
          const seen = yield* asking.ask(`${provider}-moved`)
          assertComplete(seen)
          const { attempts } = yield* recordOf(seen)
          assert.deepStrictEqual(
            attempts.map(({ status }) => status),
            [404, 200]
          )
        })
      )
    }
  }
})

layer(server, { excludeTestServices: true })("a provider that breaks in the middle", (it) => {
  const faults: ReadonlyArray<readonly [fault: string, reason: string]> = [
    ["reset=3", "Transport"],
    ["truncate=3", "IncompleteStream"],
    ["malformed=3", "InvalidOutput"],
    ["error=3&status=529&message=Overloaded", "Overloaded"]
  ]
  for (const { name, asking, provider, stream } of ways) {
    it.effect(`ends the answer with an error: ${name}`, () =>
      Effect.gen(function* () {
        for (const [fault, reason] of faults) {
          const seen = yield* asking.ask(`${provider}/words-9?pace=1ms&${fault}`, { stream })
          const record = yield* recordOf(seen)
          assert.strictEqual(record.outcome?.kind, "Failed")
          if (!stream) {
            assert.isAtLeast(seen.status, 500, fault)
            assert.isNotEmpty(errorOf(seen.text).message)
            continue
          }
          assertBrokenOff(seen)
          assert.strictEqual(record.outcome?.reason, reason)
          const text = textIn(seen.text)
          assert.strictEqual(text.trim().split(/\s+/).length, 3, text)
          assert.strictEqual(record.response?.text, text)
          assert.strictEqual(record.delivered?.bytes, seen.body.length)
        }
      })
    )

    it.effect(`and then comes back: ${name}`, () =>
      Effect.gen(function* () {
        const model = `${provider}/words-9?reset=2&times=1&pace=1ms&seed=${stream ? 1 : 2}${asking.id.length}${provider.length}`
        const first = yield* asking.ask(model, { stream })
        assert.strictEqual((yield* recordOf(first)).outcome?.kind, "Failed")
        const second = yield* asking.ask(model, { stream })
        assert.strictEqual(second.status, 200)
        if (stream) assertComplete(second)
        else assert.isObject(json(second).usage)
        assert.deepInclude((yield* recordOf(second)).outcome, { kind: "Completed", delivered: true })
      })
    )
  }

  it.effect("leaves nothing behind", () => quiet)
})
