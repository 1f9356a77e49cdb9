import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ask, recordOf, running } from "../running.ts"

const secret = "jane.doe@example.com"
const said = `Write to ${secret} today.`

const server = running({
  formats: ["openai-responses", "gemini"],
  sections: {
    filters: {
      pii: { kind: "redact", packs: ["email"], on: ["answer"] },
      no: { kind: "block", words: ["today"], on: ["answer"], message: "No." },
      never: { kind: "block", words: ["today"], on: ["request"], status: 403 }
    },
    everyCall: { filters: ["pii"] }
  },
  models: Object.fromEntries(
    ["chat", "messages", "openai-responses", "gemini"].flatMap((provider) => [
      [`${provider}-hidden`, { targets: [{ provider, model: "echo?split=3" }] }],
      [`${provider}-refused`, { targets: [{ provider, model: "echo?split=3" }], filters: ["no"] }],
      [`${provider}-declined`, { targets: [{ provider, model: "echo" }], filters: ["never"] }]
    ])
  )
})

const messages = [{ role: "user", content: said }]

/** How a request is made in each API, streamed or whole. */
const dialects: {
  readonly [dialect: string]: (model: string, stream: boolean) => { readonly path: string; readonly json: object }
} = {
  "openai-chat": (model, stream) => ({ path: "/v1/chat/completions", json: { model, stream, messages } }),
  "anthropic-messages": (model, stream) => ({
    path: "/v1/messages",
    json: { model, stream, max_tokens: 100, messages }
  }),
  "openai-responses": (model, stream) => ({ path: "/v1/responses", json: { model, stream, input: said } }),
  gemini: (model, stream) => ({
    path: `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    json: { contents: [{ role: "user", parts: [{ text: said }] }] }
  })
}

const ending: { readonly [dialect: string]: RegExp } = {
  "openai-chat": /"finish_reason":"content_filter"/,
  "anthropic-messages": /"stop_reason":"refusal"/,
  "openai-responses": /"reason":"content_filter"/,
  gemini: /"finishReason":"SAFETY"/
}

layer(server, { excludeTestServices: true })("filters, as callers see them", (it) => {
  for (const [dialect, requestOf] of Object.entries(dialects)) {
    for (const provider of ["chat", "messages", "openai-responses", "gemini"]) {
      for (const stream of [true, false]) {
        const how = `${dialect} from ${provider}, ${stream ? "streamed" : "whole"}`
        it.effect(`hide what is to be hidden: ${how}`, () =>
          Effect.gen(function* () {
            const { path, json } = requestOf(`${provider}-hidden`, stream)
            const seen = yield* ask(path, { body: json })
            assert.strictEqual(seen.status, 200, seen.text)
            assert.notInclude(seen.text, "example.com")
            const record = yield* recordOf(seen)
            assert.include(record.response?.text, "Write to [EMAIL] today.")
            assert.strictEqual(record.outcome?.kind, "Completed")
          })
        )
        it.effect(`end an answer in the words of its API: ${how}`, () =>
          Effect.gen(function* () {
            const { path, json } = requestOf(`${provider}-refused`, stream)
            const seen = yield* ask(path, { body: json })
            assert.strictEqual(seen.status, 200, seen.text)
            assert.match(seen.text, ending[dialect]!)
            assert.notMatch(seen.text, /today|example\.com/)
            assert.deepStrictEqual((yield* recordOf(seen)).outcome, {
              kind: "Refused",
              by: "no",
              reason: "it holds what is not allowed"
            })
          })
        )
      }
    }
    it.effect(`refuse a request with its status, the filter and the reason: ${dialect}`, () =>
      Effect.gen(function* () {
        const { path, json } = requestOf("chat-declined", true)
        const seen = yield* ask(path, { body: json })
        assert.strictEqual(seen.status, 403, seen.text)
        assert.include(seen.text, "Refused by the filter never: it holds what is not allowed")
      })
    )
  }
})
