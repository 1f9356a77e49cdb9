import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { FormatName } from "../../src/providers/formats.ts"
import { words } from "../../src/providers/simulator/Seeded.ts"
import { decodeStream } from "../protocols/corpus.ts"
import { type Speaker, speakers } from "../protocols/speakers.ts"
import { ask, quiet, recordOf, running, userMessage } from "./running.ts"

const count = 60
const answer = words(1, count)
/** Every place in the answer, and for what does not depend on the place as much, some of them. */
const cuts = Array.from({ length: count + 1 }, (_, cut) => cut)

/** Every way to break off, in turn. */
const faultAt = (cut: number): string =>
  [`truncate=${cut}`, `error=${cut}&status=503`, `malformed=${cut}`, `reset=${cut}&pace=1ms`][cut % 4] ?? ""

const someCuts = cuts.filter((cut) => cut % 5 === 1)

const formats: ReadonlyArray<FormatName> = ["openai-chat", "openai-responses", "anthropic-messages", "gemini"]
const paths: Record<string, (model: string) => { readonly path: string; readonly body: object }> = {
  "openai-chat": (model) => ({
    path: "/v1/chat/completions",
    body: { model, stream: true, stream_options: { include_usage: true }, messages: [userMessage] }
  }),
  "openai-responses": (model) => ({ path: "/v1/responses", body: { model, stream: true, input: userMessage.content } }),
  "anthropic-messages": (model) => ({
    path: "/v1/messages",
    body: { model, stream: true, max_tokens: 1000, messages: [userMessage] }
  }),
  gemini: (model) => ({
    path: `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: { contents: [{ role: "user", parts: [{ text: userMessage.content }] }] }
  })
}

/** A model for every cut: the first target breaks off there, the second one answers as `second` says. */
const modelsFor = (
  name: string,
  first: string,
  second: { readonly provider: string; readonly model: string },
  more = {}
) =>
  cuts.map((cut) => [
    `${name}-${cut}`,
    { targets: [{ provider: first, model: `words-${count}?pace=0&${faultAt(cut)}` }, second], ...more }
  ])

const models = Object.fromEntries(
  formats.flatMap((format, at) => {
    const other = formats[(at + 1) % formats.length]!
    const same = { provider: format, model: `words-${count}?pace=0` }
    return [
      ...modelsFor(`same-${format}`, format, same),
      ...modelsFor(`across-${format}`, format, { provider: other, model: `words-${count}?pace=0&chunk=3` }),
      ...modelsFor(`different-${format}`, format, { provider: format, model: `words-${count}?pace=0&seed=2` }),
      ...modelsFor(`shorter-${format}`, format, { provider: format, model: "words-20?pace=0" })
    ]
  })
)

const spoken = speakers.filter(({ name }) => name in paths)

const askIn = Effect.fnUntraced(function* ({ name }: Speaker, model: string) {
  const { path, body } = paths[name]!(model)
  return yield* ask(path, { body })
})

const textOf = ({ protocol }: Speaker, body: Buffer) => {
  const { frames, error } = decodeStream(protocol, [body])
  const events = frames.flatMap(({ events }) => events)
  const text = events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")
  return { text, error, finished: events.some(({ _tag }) => _tag === "Finish") }
}

layer(running({ formats, models }), { excludeTestServices: true })("an answer that breaks off", (it) => {
  it.effect.each(spoken)("is gone on with by the next target: the whole answer, in the grammar of $name", (speaker) =>
    Effect.gen(function* () {
      for (const kind of ["same", "across"]) {
        yield* Effect.forEach(
          kind === "same" ? cuts : someCuts,
          Effect.fnUntraced(function* (cut) {
            const seen = yield* askIn(speaker, `${kind}-${speaker.name}-${cut}`)
            const where = `${kind}, cut at ${cut}: ${seen.text.slice(-300)}`
            assert.strictEqual(seen.status, 200, where)
            assert.deepStrictEqual(
              textOf(speaker, seen.body),
              { text: answer.join(""), error: undefined, finished: true },
              where
            )
            assert.deepStrictEqual(speaker.streamFaults(seen.text), [], where)
            const { attempts, notices, outcome, response } = yield* recordOf(seen)
            assert.deepInclude(outcome, { kind: "Completed", delivered: true }, where)
            assert.strictEqual(response?.text, answer.join(""))
            if (cut === 0) return
            const at = answer.slice(0, cut).join("").length
            assert.deepStrictEqual(
              attempts.map(({ rescue }) => rescue),
              [undefined, { by: "restart", at }],
              where
            )
            assert.include(
              notices.map(({ code }) => code),
              "rescued"
            )
          }),
          { concurrency: 8 }
        )
      }
      yield* quiet
    })
  )

  it.effect.each(spoken)("fails as it failed where the second answer is another one ($name)", (speaker) =>
    Effect.gen(function* () {
      for (const kind of ["different", "shorter"]) {
        yield* Effect.forEach(
          kind === "different" ? cuts.slice(1) : someCuts.filter((cut) => cut > 20),
          Effect.fnUntraced(function* (cut) {
            const seen = yield* askIn(speaker, `${kind}-${speaker.name}-${cut}`)
            const where = `${kind}, cut at ${cut}: ${seen.text.slice(-300)}`
            const { text, error, finished } = textOf(speaker, seen.body)
            assert.strictEqual(text, answer.slice(0, cut).join(""), where)
            assert.isFalse(finished, where)
            assert.isDefined(error, where)
            const { attempts, outcome, notices } = yield* recordOf(seen)
            assert.strictEqual(outcome?.kind, "Failed")
            assert.strictEqual(outcome?.reason, attempts[0]?.failure?.reason._tag, where)
            assert.isUndefined(attempts[1]?.failure, "a target whose answer is not wanted did not fail")
            assert.include(
              notices.map(({ code }) => code),
              "not-rescued"
            )
          }),
          { concurrency: 8 }
        )
      }
      yield* quiet
    })
  )
})
