import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import type { LlmRequest } from "../../../src/domain/LlmRequest.ts"
import { type Asked, mcpService, service } from "../../filters/remote/services.ts"
import { askChat, recordOf, running, userMessage } from "../running.ts"

/** What the services were asked. */
class Services extends Context.Service<
  Services,
  { readonly http: ReadonlyArray<Asked>; readonly mcp: ReadonlyArray<Asked> }
>()("test/server/filters/Services") {}

const softened = (request: unknown): LlmRequest => {
  // A question has the canonical request.
  const asked = request as LlmRequest
  return { ...asked, messages: [{ role: "user", parts: [{ _tag: "Text", text: "softly" }] }] }
}

const server = Layer.unwrap(
  Effect.gen(function* () {
    const http = yield* service(({ body }) => ({
      status: 200,
      body: JSON.stringify(
        body?.phase === "request" ? { action: "replace", request: softened(body["request"]) } : { action: "allow" }
      )
    }))
    const mcp = yield* mcpService(() => ({ isError: true, text: "not today" }))
    const filters = {
      soft: { kind: "http", url: http.url, forward: ["X-Team"], headers: { authorization: "Bearer of-the-filter" } },
      tool: { kind: "mcp", url: mcp.url, tool: "check", on: ["request"], forward: ["x-team"] }
    }
    return running({
      sections: { filters },
      models: {
        soft: { targets: [{ provider: "chat", model: "echo" }], filters: ["soft"] },
        tool: { targets: [{ provider: "chat", model: "echo" }], filters: ["tool"] }
      }
    }).pipe(Layer.provideMerge(Layer.succeed(Services, { http: http.asked, mcp: mcp.asked })))
  })
)

const headers = {
  "x-team": "blue",
  traceparent: "00-1-2-01",
  authorization: "Bearer secret",
  cookie: "secret",
  "x-no": "x"
}

layer(server, { excludeTestServices: true })("a service that filters", (it) => {
  it.effect("over HTTP changes the request, and sees the headers that it is to see and no credentials", () =>
    Effect.gen(function* () {
      const seen = yield* askChat("soft", { stream: false }, { headers: { ...headers, "x-request-id": "mine" } })
      assert.include(seen.text, "softly")
      assert.notInclude(seen.text, userMessage.content)
      const record = yield* recordOf(seen)
      assert.include(JSON.stringify(record.request), "softly")
      assert.deepInclude(record.findings?.[0], { filter: "soft", phase: "request", action: "changed" })
      const { http } = yield* Services
      assert.deepStrictEqual(
        http.map(({ body }) => body?.phase),
        ["request", "answer"]
      )
      for (const asked of http) {
        assert.include(asked.headers, {
          "x-team": "blue",
          "x-request-id": "mine",
          traceparent: "00-1-2-01",
          authorization: "Bearer of-the-filter"
        })
        assert.notProperty(asked.headers, "x-no")
        assert.notInclude(JSON.stringify(asked), "secret")
      }
    })
  )

  it.effect("as a tool of an MCP server refuses, and sees the same", () =>
    Effect.gen(function* () {
      const seen = yield* askChat("tool", {}, { headers })
      assert.strictEqual(seen.status, 400, seen.text)
      assert.include(seen.text, "Refused by the filter tool: not today")
      assert.deepInclude((yield* recordOf(seen)).outcome, { kind: "Refused", by: "tool", reason: "not today" })
      const { mcp } = yield* Services
      const question = mcp.find(({ body }) => body?.method === "tools/call")
      assert.include(JSON.stringify(question?.body), '"x-team":"blue"')
      assert.notInclude(JSON.stringify(mcp), "secret")
    })
  )
})
