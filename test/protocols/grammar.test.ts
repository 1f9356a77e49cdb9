import { describe, expect, it } from "@effect/vitest"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { wellFormedEvents } from "./arbitrary.ts"
import { grammarFaults } from "./grammar.ts"

const started: LlmEvent = { _tag: "Started", id: "1", model: "m" }
const finish: LlmEvent = { _tag: "Finish", reason: "stop", usage: { source: "none" } }
const tool: ReadonlyArray<LlmEvent> = [
  { _tag: "ToolInputStart", id: "c", name: "f" },
  { _tag: "ToolInputEnd", id: "c" },
  { _tag: "ToolCall", id: "c", name: "f", arguments: "{}", valid: true }
]

describe("the grammar of events", () => {
  it.prop(
    "holds for what is generated as well-formed",
    [
      wellFormedEvents({
        kinds: ["text", "refusal", "reasoning", "signed", "redacted", "tool", "source"],
        choices: true
      })
    ],
    ([events]) => expect(grammarFaults(events)).toEqual([])
  )

  const faulty: ReadonlyArray<readonly [string, ReadonlyArray<LlmEvent>]> = [
    ["does not begin", [finish]],
    ["begins twice", [started, started, finish]],
    ["never finishes", [started]],
    ["finishes twice", [started, finish, finish]],
    ["goes on after its finish", [started, finish, { _tag: "RefusalDelta", text: "no" }]],
    ["leaves a block open", [started, { _tag: "TextStart", id: "t" }, finish]],
    ["continues a block that is not open", [started, { _tag: "TextDelta", id: "t", text: "x" }, finish]],
    ["uses an id twice", [started, ...tool, { _tag: "TextStart", id: "c" }, { _tag: "TextEnd", id: "c" }, finish]],
    [
      "ends a block as another kind",
      [started, { _tag: "TextStart", id: "t" }, { _tag: "ReasoningEnd", id: "t" }, finish]
    ],
    ["calls without input", [started, ...tool.slice(2), finish]],
    ["calls before the input has ended", [started, tool[0]!, tool[2]!, tool[1]!, finish]],
    ["has input without a call", [started, ...tool.slice(0, 2), finish]],
    ["never finishes a further choice", [started, { _tag: "RefusalDelta", choice: 1, text: "x" }, finish]]
  ]
  it.each(faulty)("notices a stream that %s", (_, events) => expect(grammarFaults(events)).not.toEqual([]))

  it("lets a stream that broke off lack its endings", () => {
    expect(grammarFaults([started, { _tag: "TextStart", id: "t" }], { complete: false })).toEqual([])
  })
})
