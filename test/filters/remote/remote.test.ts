import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Redacted } from "effect"
import type { LlmRequest } from "../../../src/domain/LlmRequest.ts"
import { prompt } from "../../../src/domain/prompt.ts"
import type { Filter } from "../../../src/filters/Filter.ts"
import { isCredential } from "../../../src/filters/headers.ts"
import { httpFilter, type HttpFilter } from "../../../src/filters/remote/http.ts"
import { mcpFilter, type McpFilter } from "../../../src/filters/remote/mcp.ts"
import { isEnding } from "../../../src/filters/Verdict.ts"
import { answerOf, filtered, onRequest, testContext } from "../applying.ts"
import { mcpService, service } from "./services.ts"

const request = prompt("model", "hello")
const allow = JSON.stringify({ action: "allow" })

const over = (url: string, more: Partial<HttpFilter> = {}) =>
  httpFilter({
    name: "remote",
    url,
    sides: ["request", "answer"],
    windows: { mode: "window", characters: 4 },
    ...more
  })

const overMcp = (url: string, more: Partial<McpFilter> = {}) =>
  mcpFilter({
    name: "remote",
    tool: "check",
    url,
    sides: ["request", "answer"],
    windows: { mode: "final" },
    ...more
  })

const verdictOn = (filter: Filter, about: LlmRequest = request, context = testContext()) =>
  Effect.map(onRequest(filter, about, context), (result) => (isEnding(result) ? result.verdict : result))

describe("a service over HTTP", () => {
  it.live("is asked with the request and answers what becomes of it", () =>
    Effect.gen(function* () {
      const changed = prompt("model", "changed")
      const replies = [
        { status: 200, body: allow },
        { status: 204 },
        { status: 200, body: JSON.stringify({ action: "replace", request: changed }) },
        { status: 200, body: JSON.stringify({ action: "refuse", reason: "rude", status: 403 }) },
        { status: 200, body: JSON.stringify({ action: "hand-off", target: "other", reason: "medical" }) },
        { status: 422, body: JSON.stringify({ error: { x: 1 }, message: "not here" }) }
      ]
      const { url, asked } = yield* service((_, count) => replies[count - 1])
      const filter = yield* over(url)
      assert.strictEqual(yield* verdictOn(filter), request)
      assert.strictEqual(yield* verdictOn(filter), request)
      assert.deepStrictEqual(yield* verdictOn(filter), changed)
      assert.deepStrictEqual(yield* verdictOn(filter), { _tag: "Refuse", reason: "rude", status: 403, as: "error" })
      assert.deepStrictEqual(yield* verdictOn(filter), { _tag: "HandOff", target: "other", reason: "medical" })
      assert.deepStrictEqual(yield* verdictOn(filter), { _tag: "Refuse", reason: "not here", as: "error" })
      assert.deepStrictEqual(asked[0]?.body, {
        filter: "remote",
        phase: "request",
        call: { id: "call", model: "model" },
        request
      })
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )

  it.live("is asked about answers window by window, one at a time, in order", () =>
    Effect.gen(function* () {
      const { url, asked } = yield* service(({ body }) => ({
        status: 200,
        body: JSON.stringify(body?.window?.text === "cdef" ? { action: "replace", text: "****" } : { action: "allow" })
      }))
      const { text } = yield* filtered(yield* over(url), answerOf("text", ["90a", "bcd", "efgh", "i"]))
      assert.strictEqual(text, "90ab****ghi")
      assert.deepStrictEqual(
        asked.map(({ body }) => body?.window),
        [
          { kind: "text", choice: 0, text: "90ab", end: false },
          { kind: "text", choice: 0, text: "cdef", end: false },
          { kind: "text", choice: 0, text: "ghi", end: true }
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )

  it.live("sees the headers that it is meant to see, and never a credential", () =>
    Effect.gen(function* () {
      const { url, asked } = yield* service(() => ({ status: 204 }))
      const context = testContext({
        requestId: "request-1",
        headers: {
          traceparent: "00-1-2-01",
          "x-team": "blue",
          authorization: "Bearer secret",
          cookie: "secret",
          "x-other": "x"
        }
      })
      const filter = yield* over(url, {
        forward: ["x-team", "authorization", "cookie"],
        headers: { Authorization: Redacted.make("Bearer own") }
      })
      yield* verdictOn(filter, request, context)
      const [one] = asked
      assert.include(one?.headers, {
        traceparent: "00-1-2-01",
        "x-team": "blue",
        "x-request-id": "request-1",
        authorization: "Bearer own"
      })
      assert.notInclude(JSON.stringify(one), "secret")
      assert.notProperty(one?.headers, "x-other")
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )

  it.each(["Authorization", "cookie", "x-api-key", "X-Goog-Api-Key", "proxy-authorization", "x-auth-token"])(
    "takes %s for a credential",
    (name) => {
      assert.isTrue(isCredential(name))
    }
  )

  for (const [what, answer] of [
    ["fails", { status: 500, body: "{}" }],
    ["talks nonsense", { status: 200, body: "yes" }],
    ["replies what is no reply", { status: 200, body: '{"action":"perhaps"}' }],
    ["replaces by nothing", { status: 200, body: '{"action":"replace"}' }],
    ["says more than anybody reads", { status: 200, body: `{"action":"allow","why":"${"x".repeat(2_000_000)}"}` }],
    ["sends it elsewhere", { status: 307, headers: { location: "http://127.0.0.1:1/" } }],
    ["is not at that place", { status: 404, body: "no such page" }],
    ["does not let it in", { status: 401, body: '{"error":"who are you?"}' }],
    ["is asked too often", { status: 429 }],
    ["never replies", undefined]
  ] as const) {
    it.live(`that ${what} is held to the filter's policy`, () =>
      Effect.gen(function* () {
        const { url } = yield* service(() => answer)
        const open = yield* over(url, { onFailure: "open", timeout: "100 millis" })
        const context = testContext()
        assert.strictEqual(yield* verdictOn(open, request, context), request)
        assert.deepInclude(context.failures[0], { filter: "remote", phase: "request", policy: "open" })
        assert.strictEqual((yield* filtered(open, answerOf("text", ["abcdef"]))).text, "abcdef")
        const closed = yield* over(url, { timeout: "100 millis" })
        assert.isTrue(Exit.isFailure(yield* Effect.exit(verdictOn(closed))))
        assert.isTrue(Exit.isFailure(yield* Effect.exit(filtered(closed, answerOf("text", ["abcdef"])))))
      }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
    )
  }

  it.live("may say a long request anew", () =>
    Effect.gen(function* () {
      const long = { ...request, messages: prompt("model", "x".repeat(3_000_000)).messages }
      const { url } = yield* service(({ body }) => ({
        status: 200,
        body: JSON.stringify({ action: "replace", request: body?.["request"] })
      }))
      assert.deepStrictEqual(yield* verdictOn(yield* over(url), long), long)
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )

  it.live("that failed too often is left alone for a while", () =>
    Effect.gen(function* () {
      const { url, asked } = yield* service(() => ({ status: 500 }))
      const filter = yield* over(url, { onFailure: "open", breaker: { failures: 2, openFor: "1 minute" } })
      for (let count = 0; count < 5; count++) yield* verdictOn(filter)
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )
})

describe("a tool of an MCP server", () => {
  for (const sse of [false, true]) {
    it.live(`is called with the question, and answers in ${sse ? "events" : "JSON"}`, () =>
      Effect.gen(function* () {
        const { url, asked } = yield* mcpService(
          ({ phase, window }) =>
            phase === "request"
              ? { text: allow }
              : window?.text === "bad"
                ? { isError: true, text: "not that" }
                : { structuredContent: { action: "replace", text: "better" } },
          { sse }
        )
        const filter = yield* overMcp(url)
        assert.strictEqual(yield* verdictOn(filter), request)
        assert.strictEqual((yield* filtered(filter, answerOf("text", ["go", "od"]))).text, "better")
        const { text, ending } = yield* filtered(filter, answerOf("text", ["bad"]))
        assert.strictEqual(text, "")
        assert.deepInclude(ending?.verdict, { _tag: "Refuse", reason: "not that" })
        assert.strictEqual(asked.filter(({ body }) => body?.method === "initialize").length, 1)
      }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
    )
  }

  it.live("is called in a session that is made anew where it has expired", () =>
    Effect.gen(function* () {
      const { url, asked } = yield* mcpService(() => ({ text: allow }), { callsPerSession: 2 })
      const filter = yield* overMcp(url)
      for (let count = 0; count < 5; count++) assert.strictEqual(yield* verdictOn(filter), request)
      assert.strictEqual(asked.filter(({ body }) => body?.method === "initialize").length, 3)
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )

  it.live("that is not there is a failure", () =>
    Effect.gen(function* () {
      const { url } = yield* mcpService(() => ({ text: allow }))
      const open = yield* overMcp(url, { tool: "nobody", onFailure: "open" })
      assert.strictEqual(yield* verdictOn(open), request)
      const closed = yield* overMcp(url, { tool: "nobody" })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(verdictOn(closed))))
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )
})
