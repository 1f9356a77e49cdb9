import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { ask } from "./simulate/server.ts"
import { Running, running } from "./running.ts"

const started = (options: Parameters<typeof running>[0]) =>
  Effect.map(Layer.build(running(options)), (services) => Context.get(services, Running))

const question = { role: "user", content: "Think, please." }
/** What an answer of either API holds. */
interface Answer {
  readonly output: ReadonlyArray<object>
  readonly choices: readonly [{ readonly message: object }]
}

const answerOf = (text: string) => JSON.parse(text) as Answer

/** The callers' APIs, each with the turn that an answer is in the next request. */
const callers = [
  {
    path: "/v1/responses",
    first: { input: [question] },
    next: (answer: string) => ({ input: [question, ...answerOf(answer).output, question] })
  },
  {
    path: "/v1/chat/completions",
    first: { messages: [question] },
    next: (answer: string) => ({ messages: [question, answerOf(answer).choices[0].message, question] })
  }
] as const

describe("two servers in a row", () => {
  for (const { first, next, path } of callers) {
    for (const provider of ["responses", "chat"]) {
      it.live(`give a proof back to who signed it: ${path}, by ${provider}`, () =>
        Effect.scoped(
          Effect.gen(function* () {
            const inner = yield* started({ formats: ["anthropic-messages"] })
            const options = { baseUrl: `${inner.url}/v1`, apiKey: "unused", quirks: ["takesSeals"] }
            const outer = yield* started({
              providers: {
                responses: { protocol: "openai-responses", ...options },
                chat: { protocol: "openai-chat", ...options }
              }
            })
            const model = `${provider}/anthropic-messages/think-3`
            const answer = yield* ask(outer.url + path, { body: { model, ...first } })
            assert.strictEqual(answer.status, 200, answer.text)
            const again = yield* ask(outer.url + path, { body: { model, ...next(answer.text) } })
            assert.strictEqual(again.status, 200, again.text)
            const signed = (yield* inner.audit.list({ limit: 2 })).data[1]?.response?.answer?.choices[0]?.parts[0]
            assert.strictEqual(signed?._tag, "Reasoning")
            const proof = signed?._tag === "Reasoning" ? (signed.signature ?? "") : ""
            assert.isNotEmpty(proof)
            assert.include(JSON.stringify(inner.simulator.log.requests().at(-1)?.body), `"${proof}"`)
          })
        )
      )
    }
  }
})
