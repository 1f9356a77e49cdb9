import { assert, describe, it } from "@effect/vitest"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { foldEvents, ResponseFold, textOf } from "../../src/domain/LlmResponse.ts"

const begin = (id: string): LlmEvent => ({ _tag: "TextStart", id })
const piece = (id: string, text: string): LlmEvent => ({ _tag: "TextDelta", id, text })
const call = (id: string, name: string, text: string): ReadonlyArray<LlmEvent> => [
  { _tag: "ToolInputStart", id, name },
  { _tag: "ToolInputDelta", id, text: text.slice(0, 2) },
  { _tag: "ToolInputDelta", id, text: text.slice(2) },
  { _tag: "ToolInputEnd", id },
  { _tag: "ToolCall", id, name, arguments: text, valid: true }
]

describe("the fold of an answer's events", () => {
  it("holds a text of any number of pieces, whenever it is asked", () => {
    const fold = new ResponseFold()
    fold.add(begin("a"))
    let text = ""
    for (let index = 0; index < 200; index++) {
      text += `${index} `
      fold.add(piece("a", `${index} `))
      assert.strictEqual(textOf(fold.response().choices[0]), text)
    }
  })

  it("keeps blocks apart that are open together", () => {
    const { choices } = foldEvents([begin("a"), begin("b"), piece("a", "1"), piece("b", "2"), piece("a", "3")])
    assert.deepStrictEqual(choices[0]?.parts, [
      { _tag: "Text", id: "a", text: "13" },
      { _tag: "Text", id: "b", text: "2" }
    ])
  })

  it("keeps both of two calls by one id", () => {
    const { choices } = foldEvents([...call("c", "first", '{"n":1}'), ...call("c", "second", '{"n":2}')])
    assert.deepStrictEqual(choices[0]?.parts, [
      { _tag: "ToolCall", id: "c", name: "first", arguments: '{"n":1}', valid: true },
      { _tag: "ToolCall", id: "c", name: "second", arguments: '{"n":2}', valid: true }
    ])
  })

  it("has the arguments of a call as far as they came", () => {
    const { choices } = foldEvents(call("c", "look", '{"at":"x"}').slice(0, 2))
    assert.deepStrictEqual(choices[0]?.parts, [
      { _tag: "ToolCall", id: "c", name: "look", arguments: '{"', valid: false }
    ])
  })
})
