import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { formatNames, type FormatName } from "../../../src/providers/formats.ts"
import { words } from "../../../src/providers/simulator/Seeded.ts"
import { errorOf, quiet, recordOf, Running, running } from "../running.ts"
import { askAs, callers } from "./callers.ts"

/** So that no target is left alone for what it said to somebody else. */
let nonce = 0

/** What some formats have no words for. */
const thoughtless: ReadonlyArray<FormatName> = ["openai-completions"]
const toolless: ReadonlyArray<FormatName> = ["openai-completions"]
/** Formats in which what was thought is not counted by itself. */
const uncounted: ReadonlyArray<FormatName> = [...thoughtless, "bedrock-converse", "ollama"]
/** Formats whose providers take back what they signed of the thoughts of these models: on Bedrock only Claude does. */
const signing: ReadonlyArray<FormatName> = [
  "openai-responses",
  "anthropic-messages",
  "gemini",
  "gemini-interactions",
  "bedrock-invoke-anthropic"
]

const wordsOf = (count: number, seed = 1) => words(seed, count).join("")

const deliveries = [true, false]

const received = Effect.map(Running, ({ simulator }) => simulator.log.requests().at(-1))

for (const format of formatNames) {
  layer(running({ formats: [format] }), { excludeTestServices: true })(`a provider that speaks ${format}`, (it) => {
    for (const [name, caller] of Object.entries(callers)) {
      for (const stream of deliveries) {
        const way = `${stream ? "streamed" : "whole"}, for a caller of ${name}`

        it.effect(`says the same words, ${way}`, () =>
          Effect.gen(function* () {
            const { seen, text, finish, usage, calls } = yield* askAs(caller, `${format}/words-12?pace=0`, { stream })
            assert.strictEqual(seen.status, 200, seen.text)
            assert.deepStrictEqual({ text, finish, calls }, { text: wordsOf(12), finish: "stop", calls: [] })
            assert.strictEqual(usage.outputTokens, 12)
            const record = yield* recordOf(seen)
            assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop" })
            const { inputTokens = 0, outputTokens, source } = record.usage ?? {}
            assert.isAbove(inputTokens, 0)
            assert.deepStrictEqual([usage.inputTokens, outputTokens, source], [inputTokens, 12, "provider"])
          })
        )

        it.effect(`is cut by a limit, ${way}`, () =>
          Effect.gen(function* () {
            const { text, finish } = yield* askAs(caller, `${format}/length-9`, { stream })
            assert.deepStrictEqual({ text, finish }, { text: wordsOf(9), finish: "length" })
          })
        )

        it.effect(`thinks, ${way}`, () =>
          Effect.gen(function* () {
            const { text, thought, usage, seen } = yield* askAs(caller, `${format}/think-7?pace=0`, { stream })
            assert.strictEqual(text, wordsOf(20, 2))
            assert.strictEqual(thought, thoughtless.includes(format) ? "" : wordsOf(7))
            assert.strictEqual(usage.outputTokens, 27)
            const record = yield* recordOf(seen)
            assert.strictEqual(record.usage?.reasoningTokens, uncounted.includes(format) ? undefined : 7)
          })
        )

        it.effect(`is followed through a loop of tools, ${way}`, () =>
          Effect.gen(function* () {
            const model = `${format}/tools?think=4`
            const whole = yield* askAs(caller, model, { stream: false, tools: true })
            if (toolless.includes(format)) {
              assert.strictEqual(whole.seen.status, 400)
              return assert.match(errorOf(whole.seen.text).message ?? "", /tools/)
            }
            const { calls, finish, seen, thought } = yield* askAs(caller, model, { stream, tools: true })
            assert.strictEqual(seen.status, 200, seen.text)
            assert.deepInclude(calls[0], { name: "weather", arguments: whole.calls[0]?.arguments })
            assert.deepStrictEqual([calls.length, finish, thought], [1, "tool-calls", wordsOf(4)])
            const record = yield* recordOf(whole.seen)
            const parts = record.response?.answer?.choices[0]?.parts ?? []
            const proof = parts.flatMap((part) => (part._tag === "Reasoning" ? [part.signature] : [])).join("")

            const results = { answer: JSON.parse(whole.seen.text), calls: whole.calls, result: "it rains" }
            const told = yield* askAs(caller, model, { stream, tools: true, results })
            assert.deepStrictEqual(
              { text: told.text, finish: told.finish },
              { text: "weather said: it rains", finish: "stop" }
            )
            // What proves a thought to Gemini is bytes: a caller of it cannot be handed what another provider signed.
            if (!signing.includes(format) || (name === "gemini" && format !== "gemini")) return
            assert.isNotEmpty(proof)
            assert.include(JSON.stringify((yield* received)?.body), proof)
          })
        )

        it.effect(`is heard when it refuses, ${way}`, () =>
          Effect.gen(function* () {
            const refusals = { 400: "InvalidRequest", 401: "Unauthorized", 404: "UnknownModel", 429: "RateLimited" }
            const troubles = { 500: "UpstreamServer", 503: "Overloaded" }
            for (const [status, reason] of Object.entries({ ...refusals, ...troubles })) {
              const said = status === "404" ? "model: models/x is not found" : "No way"
              const options = `seed=${nonce++}&status=${status}&retry-after=7&message=${encodeURIComponent(said)}`
              const { seen } = yield* askAs(caller, `${format}/echo?${options}`, { stream })
              assert.deepStrictEqual([seen.status, seen.headers["retry-after"]], [Number(status), "7"], seen.text)
              assert.include(errorOf(seen.text).message, said)
              const { outcome } = yield* recordOf(seen)
              assert.deepInclude(outcome, { kind: "Failed", reason, status: Number(status) })
            }
          })
        )
      }

      it.effect(`is heard when it fails in the stream, for a caller of ${name}`, () =>
        Effect.gen(function* () {
          const faults = {
            "error=3&message=gone": "UpstreamServer",
            "truncate=3": "IncompleteStream",
            "malformed=3": "InvalidOutput",
            "reset=3": "Transport"
          }
          for (const [fault, reason] of Object.entries(faults)) {
            const { seen, text, error } = yield* askAs(caller, `${format}/words-9?pace=0&${fault}`, { stream: true })
            assert.strictEqual(seen.status, 200, seen.text)
            assert.strictEqual(text, wordsOf(3), fault)
            assert.isDefined(error, `${fault} is told: ${seen.text}`)
            if (reason === "UpstreamServer") assert.strictEqual(error?.message, "gone")
            assert.deepInclude((yield* recordOf(seen)).outcome, { kind: "Failed", reason }, fault)
          }
        })
      )
    }

    it.effect("leaves nothing behind", () => quiet)
  })
}
