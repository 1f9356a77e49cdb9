import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { words } from "../../src/providers/simulator/Seeded.ts"
import { quiet, recordOf, Running, running } from "./running.ts"
import { askIn, formats, heard, spoken } from "./speaking.ts"

/*
 * What gateways are asked whether they do it: each over real connections, in every API.
 */

const whole = words(1, 60).join("")
const upTo = (count: number) => words(1, count).join("")

const at = (provider: string, model: string, more: object = {}) => ({ provider, model, ...more })
const well = at("messages", "words-60?pace=0")
const noPrefill = "This model does not support assistant message prefill."

/** As the provider says that it will not answer for what was asked. */
const blocked = JSON.stringify({
  error: { message: "The prompt was filtered.", type: "invalid_request_error", code: "content_filter", param: "prompt" }
})

const models = Object.fromEntries(
  formats.flatMap((format) =>
    Object.entries({
      cut: { targets: [at(format, "words-60?pace=0&truncate=30"), well] },
      reset: { targets: [at(format, "words-60?pace=1ms&reset=30"), well] },
      stall: { targets: [at(format, "words-60?pace=0&stall=30"), well], timeouts: { idle: "500ms" } },
      prefill: {
        targets: [
          at(format, "words-60?pace=0&error=30&status=503"),
          at("messages", `echo?status=400&message=${encodeURIComponent(noPrefill)}`, { prefill: true })
        ]
      },
      continued: { targets: [at(format, "words-60?pace=0&truncate=30"), { ...well, prefill: true }] },
      slow: { targets: [at(format, "words-60?first=1m"), well], timeouts: { firstToken: "500ms" } },
      refused: { targets: [at(format, "refuse"), well] },
      blocked: { targets: [at("chat", "blocked"), well] }
    }).map(([name, entry]) => [`${name}-${format}`, entry])
  )
)
const codes = ({ notices }: { readonly notices: ReadonlyArray<{ readonly code: string }> }) =>
  notices.map(({ code }) => code)

/** Whom the simulator was asked for since. */
const askedSince = Effect.fnUntraced(function* (before: number) {
  const { simulator } = yield* Running
  return simulator.log.stats().requests.total - before
})
const askedSoFar = Effect.map(Running, ({ simulator }) => simulator.log.stats().requests.total)

layer(
  running({
    formats,
    models,
    script: [{ model: "blocked", reply: { raw: blocked, status: 400, contentType: "application/json" } }]
  }),
  { excludeTestServices: true }
)("of the failures that callers need not see", (it) => {
  it.effect.each(spoken)("an answer that is cut in its middle is gone on with: $name", (speaker) =>
    Effect.gen(function* () {
      for (const kind of ["cut", "reset"]) {
        const seen = yield* askIn(speaker, `${kind}-${speaker.name}`)
        assert.deepStrictEqual(heard(speaker, seen.body), { text: whole, error: undefined, finished: true })
        const record = yield* recordOf(seen)
        assert.deepInclude(record.outcome, { kind: "Completed", delivered: true })
        assert.include(codes(record), "rescued")
        assert.deepStrictEqual(record.attempts[1]?.rescue, { by: "restart", at: upTo(30).length })
        // What both have used is on the bill.
        const [first, second] = record.attempts
        assert.isAbove(first?.usage?.outputTokens ?? 0, 0)
        assert.isAtLeast(record.usage?.outputTokens ?? 0, second?.usage?.outputTokens ?? Infinity)
      }
    })
  )

  it.effect.each(spoken)("an answer that stalls is gone on with: $name", (speaker) =>
    Effect.gen(function* () {
      const seen = yield* askIn(speaker, `stall-${speaker.name}`)
      assert.deepStrictEqual(heard(speaker, seen.body), { text: whole, error: undefined, finished: true })
      const { attempts } = yield* recordOf(seen)
      assert.deepStrictEqual(attempts[0]?.failure?.reason, { _tag: "Timeout", phase: "idle" })
      yield* quiet
    })
  )

  it.effect.each(spoken)("a target that takes the beginning of an answer is given it: $name", (speaker) =>
    Effect.gen(function* () {
      const seen = yield* askIn(speaker, `continued-${speaker.name}`)
      assert.deepStrictEqual(heard(speaker, seen.body), { text: whole, error: undefined, finished: true })
      const { attempts } = yield* recordOf(seen)
      assert.strictEqual(attempts[1]?.rescue?.by, "continue")
    })
  )

  it.effect.each(spoken)("one that refuses it is not heard of; the caller is told what went wrong: $name", (speaker) =>
    Effect.gen(function* () {
      const seen = yield* askIn(speaker, `prefill-${speaker.name}`)
      const { error, finished, text } = heard(speaker, seen.body)
      assert.deepStrictEqual([text, finished], [upTo(30), false])
      assert.isDefined(error)
      assert.notInclude(seen.text, "prefill")
      const { attempts, outcome } = yield* recordOf(seen)
      assert.strictEqual(outcome?.kind, "Failed")
      assert.strictEqual(outcome?.reason, attempts[0]?.failure?.reason._tag)
      assert.strictEqual(attempts[1]?.failure?.message, noPrefill)
    })
  )

  it.effect.each(spoken)("a first token that is too slow is not waited for: $name", (speaker) =>
    Effect.gen(function* () {
      const seen = yield* askIn(speaker, `slow-${speaker.name}`)
      assert.deepStrictEqual(heard(speaker, seen.body), { text: whole, error: undefined, finished: true })
      assert.strictEqual(seen.headers["x-millrace-model"], "messages/words-60?pace=0")
      const { attempts } = yield* recordOf(seen)
      assert.deepStrictEqual(attempts[0]?.failure?.reason, { _tag: "Timeout", phase: "firstToken" })
      yield* quiet
    })
  )

  it.effect.each(spoken)("a refusal for content is the answer, and nobody else is asked: $name", (speaker) =>
    Effect.gen(function* () {
      yield* quiet
      const before = yield* askedSoFar
      const refused = yield* askIn(speaker, `refused-${speaker.name}`)
      assert.strictEqual(refused.status, 200)
      assert.deepInclude(heard(speaker, refused.body), { error: undefined, finished: true })
      const { attempts, outcome } = yield* recordOf(refused)
      assert.strictEqual(outcome?.kind, "Completed")
      assert.strictEqual(attempts.length, 1)
      const seen = yield* askIn(speaker, `blocked-${speaker.name}`)
      assert.strictEqual(seen.status, 400)
      assert.include(seen.text, "The prompt was filtered.")
      const record = yield* recordOf(seen)
      assert.deepInclude(record.outcome, { kind: "Failed", reason: "ContentBlocked" })
      assert.strictEqual(record.attempts.length, 1)
      assert.strictEqual(yield* askedSince(before), 2)
    })
  )
})
