import { assert, describe, it } from "@effect/vitest"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { conversationIdOf } from "../../src/signals/conversation-id.ts"

describe("the conversation of a call", () => {
  it("is told from others however long its name is, by a name that an index can hold", () => {
    const named = (conversation: string) => conversationIdOf({ ...callOf(prompt("model", "hello")), conversation }).id
    const [one, other] = ["a", "b"].map((end) => named(`${"x".repeat(5000)}${end}`))
    assert.notStrictEqual(one, other)
    assert.isBelow(String(one).length, 100)
    assert.strictEqual(named("talk-7"), "talk-7")
  })
})
