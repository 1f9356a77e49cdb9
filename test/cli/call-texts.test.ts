import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { finalRow, fromStored, openedRow } from "../../src/audit/CallRecord.ts"
import { callDetails, callLine, callTable } from "../../src/cli/call-texts.ts"
import type { Usage } from "../../src/domain/Usage.ts"
import { finalRecord, openRecord, responseOf } from "../audit/records.ts"

describe("calls as a terminal shows them", () => {
  it.effect("command it nothing, and stand on lines of their own", () =>
    Effect.gen(function* () {
      const odd = "\u001b[2Jx\r\ncall  other\u0085\u202e"
      const record = yield* fromStored({
        id: "one",
        openedAt: 0,
        opened: openedRow(openRecord("one", { model: odd, caller: { labels: { a: odd } } }), "full", "owner"),
        final: finalRow(finalRecord("one", { response: responseOf(`first\n\tsecond 🦀${odd}`) }), "full", "owner", {
          openedAt: 0,
          endedAt: 0
        })
      })
      const details = callDetails(record)
      for (const text of [callLine(record), callTable([record]), details]) {
        assert.notMatch(text, /[^\P{Cc}\n\t]|\u202e/u)
        assert.include(text, String.raw`\u001b[2Jx call  other\u0085\u202e`)
      }
      assert.lengthOf(callLine(record).split("\n"), 1)
      assert.lengthOf(callTable([record]).split("\n"), 2)
      assert.include(details, "first\n\tsecond 🦀")
    })
  )

  it.effect("mark what was estimated of their tokens, and not what is not known", () =>
    Effect.gen(function* () {
      const tokens = (usage: Usage) =>
        Effect.map(
          fromStored({
            id: "one",
            openedAt: 0,
            opened: openedRow(openRecord("one"), "full", "owner"),
            final: finalRow(finalRecord("one", { usage }), "full", "owner", { openedAt: 0, endedAt: 0 })
          }),
          callLine
        )
      assert.include(yield* tokens({ inputTokens: 1, source: "estimated" }), " ~1 > ? ")
      assert.include(yield* tokens({ inputTokens: 1, outputTokens: 2, source: "estimated" }), " ~1 > ~2 ")
    })
  )
})
