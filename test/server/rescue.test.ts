import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { words } from "../../src/providers/simulator/Seeded.ts"
import { quiet, recordOf, running } from "./running.ts"
import { askIn, formats, heard, spoken } from "./speaking.ts"

const count = 60
const answer = words(1, count)
/** Every place in the answer, and for what does not depend on the place as much, some of them. */
const cuts = Array.from({ length: count + 1 }, (_, cut) => cut)

/** Every way to break off, in turn. */
const faultAt = (cut: number): string =>
  [`truncate=${cut}`, `error=${cut}&status=503`, `malformed=${cut}`, `reset=${cut}&pace=1ms`][cut % 4] ?? ""

const someCuts = cuts.filter((cut) => cut % 5 === 1)

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
              heard(speaker, seen.body),
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
            const { text, error, finished } = heard(speaker, seen.body)
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
