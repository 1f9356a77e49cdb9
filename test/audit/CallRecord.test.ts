import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { StoredCall } from "../../src/audit/AuditStore.ts"
import { CallRecord, finalRow, fromStored, interruptedRow, openedRow } from "../../src/audit/CallRecord.ts"
import type { CaptureLevel } from "../../src/audit/Capture.ts"
import { FinalRecord, OpenRecord } from "../../src/domain/Call.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import { finalRecord, findings, openRecord, responseOf } from "./records.ts"

const stored = (open: OpenRecord, final: FinalRecord | undefined, level: CaptureLevel = "full"): StoredCall => {
  const opened = openedRow(open, level, "owner")
  return {
    id: open.id,
    openedAt: opened.openedAt,
    opened,
    final: final === undefined ? undefined : finalRow(final, level, "owner", { openedAt: 0, endedAt: 0 })
  }
}

const outcomeOf = (outcome: Outcome) =>
  Effect.map(fromStored(stored(openRecord("a"), finalRecord("a", { outcome }))), (record) => record.outcome)

describe("the record of a call", () => {
  it.effect("that is open says what is known", () =>
    Effect.gen(function* () {
      const record = yield* fromStored(stored(openRecord("a", { requestId: "r", openedAt: 5 }), undefined, "off"))
      assert.deepStrictEqual(record, {
        id: "a",
        requestId: "r",
        model: "smart",
        delivery: "stream",
        caller: { key: "ci" },
        status: "open",
        attempts: [],
        notices: [],
        timings: { openedAt: 5 }
      })
    })
  )

  it.effect("that ended has its outcome, usage, timings, and both payloads", () =>
    Effect.gen(function* () {
      const record = yield* fromStored(stored(openRecord("a", { openedAt: 5.5 }), finalRecord("a")))
      assert.strictEqual(record.status, "ended")
      assert.deepStrictEqual(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
      assert.strictEqual(record.finishReason, "stop")
      assert.deepStrictEqual(record.target, { provider: "somewhere", model: "smart-1" })
      assert.deepStrictEqual(record.usage, { inputTokens: 3, outputTokens: 5, source: "provider" })
      assert.deepStrictEqual(record.timings, { openedAt: 5.5, firstByteMs: 4, firstTokenMs: 6, totalMs: 20 })
      assert.deepStrictEqual(record.request?.body, { messages: [{ role: "user", content: "Hello from a" }] })
      assert.strictEqual(record.response?.text, "Hello, a")
      assert.deepStrictEqual(record.response?.answer, responseOf("Hello, a"))
    })
  )

  it.effect("has reasoning, refusal and tool calls beside the text", () =>
    Effect.gen(function* () {
      const response = {
        ...responseOf("x"),
        choices: [
          {
            index: 0,
            parts: [
              { _tag: "Reasoning", id: "0", text: "Think. ", signature: "s" },
              { _tag: "Reasoning", id: "1", text: "Again." },
              { _tag: "Text", id: "2", text: "One. " },
              { _tag: "Text", id: "3", text: "Two." },
              { _tag: "ToolCall", id: "4", name: "look", arguments: `{"at":1}`, valid: true },
              { _tag: "Refusal", text: "No more." }
            ]
          }
        ]
      } as const
      const record = yield* fromStored(stored(openRecord("a"), finalRecord("a", { response })))
      assert.strictEqual(record.response?.text, "One. Two.")
      assert.strictEqual(record.response?.reasoning, "Think. Again.")
      assert.strictEqual(record.response?.refusal, "No more.")
      assert.deepStrictEqual(record.response?.toolCalls, [{ id: "4", name: "look", arguments: `{"at":1}` }])
    })
  )

  it.effect("keeps the request's own text where it is known", () =>
    Effect.gen(function* () {
      const { request: _, ...rest } = openRecord("a")
      const requestText = `{ "b": 1,\n "a": 2 }`
      const record = yield* fromStored(stored({ ...rest, requestText }, undefined))
      assert.deepStrictEqual(record.request?.body, { b: 1, a: 2 })
      assert.strictEqual(record.request?.bytes, requestText.length)
    })
  )

  it.effect("shows no document that is deeper than can be shown", () =>
    Effect.gen(function* () {
      const { request: _, ...rest } = openRecord("a")
      const requestText = `${"[".repeat(7500)}${"]".repeat(7500)}`
      const record = yield* fromStored(stored({ ...rest, requestText }, undefined))
      assert.hasAllKeys(record.request, ["bytes", "sha256"])
    })
  )

  it.effect("abridges an answer that is too long to be kept", () =>
    Effect.gen(function* () {
      const record = yield* fromStored(
        stored(openRecord("a"), finalRecord("a", { response: responseOf("long ".repeat(100_000)) }))
      )
      assert.isUndefined(record.response?.answer)
      assert.isAbove(record.response?.bytes ?? 0, 500_000)
      assert.isAbove(record.response?.excerpt?.omittedBytes ?? 0, 480_000)
      assert.match(record.response?.text ?? "", /^long long .*\n\[… \d+ bytes omitted …\]\n.*long $/)
    })
  )

  it.effect("of which only metadata are wanted has no content", () =>
    Effect.gen(function* () {
      const record = yield* fromStored(stored(openRecord("a"), finalRecord("a", { findings }), "metadata"))
      assert.notInclude(JSON.stringify(record), "Hello")
      assert.hasAllKeys(record.request, ["bytes", "sha256"])
      assert.hasAllKeys(record.response, ["bytes", "sha256"])
    })
  )

  it.effect("of an interrupted call invents no numbers", () =>
    Effect.gen(function* () {
      const { final: _, ...open } = stored(openRecord("a", { openedAt: 5 }), undefined)
      const record = yield* fromStored({ ...open, final: interruptedRow({ id: "a", openedAt: 1 }, "heir", 5) })
      assert.deepStrictEqual(record.outcome, { kind: "Interrupted" })
      assert.strictEqual(record.status, "ended")
      assert.deepStrictEqual(record.timings, { openedAt: 5 })
      assert.isUndefined(record.upstream)
    })
  )

  it.effect("spreads the reason of a failure", () =>
    Effect.gen(function* () {
      const message = "no"
      assert.deepStrictEqual(
        yield* outcomeOf({ _tag: "Failed", reason: { _tag: "Timeout", phase: "idle" }, message }),
        {
          kind: "Failed",
          reason: "Timeout",
          phase: "idle",
          message
        }
      )
      assert.deepStrictEqual(
        yield* outcomeOf({
          _tag: "Failed",
          reason: { _tag: "InvalidRequest", kind: "type", path: "a[0]" },
          message,
          status: 400
        }),
        { kind: "Failed", reason: "InvalidRequest", detail: "type", path: "a[0]", message, status: 400 }
      )
      assert.deepStrictEqual(yield* outcomeOf({ _tag: "Refused", by: "pii", reason: "a number" }), {
        kind: "Refused",
        by: "pii",
        reason: "a number"
      })
      assert.deepStrictEqual(yield* outcomeOf({ _tag: "Cancelled", by: "client" }), { kind: "Cancelled", by: "client" })
    })
  )

  it.effect.prop(
    "can be read back, and is what its Schema says, whatever was recorded",
    [OpenRecord, FinalRecord],
    ([open, final]) =>
      Effect.gen(function* () {
        const { requestText: _, ...known } = open
        const record = yield* fromStored(stored(known, final))
        const json = JSON.parse(JSON.stringify(record))
        assert.deepStrictEqual(JSON.parse(JSON.stringify(yield* Schema.decodeUnknownEffect(CallRecord)(json))), json)
        assert.strictEqual(record.outcome?.kind, final.outcome._tag)
        if (final.outcome._tag !== "Interrupted") assert.deepStrictEqual(record.usage, final.usage)
      }),
    { arbitrary: { runs: 60 } }
  )
})
