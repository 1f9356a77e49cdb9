import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ask, askChat, askMessages, callIdOf, recordOf, running } from "./running.ts"
import { json, type Seen } from "./simulate/server.ts"

const recordFor = Effect.fnUntraced(function* (seen: Seen) {
  yield* recordOf(seen)
  return json(yield* ask(`/v1/calls/${callIdOf(seen)}`))
})

const chat = [
  { role: "system", content: "Be kind." },
  { role: "user", content: "Look!" },
  {
    role: "assistant",
    tool_calls: [{ id: "a", type: "function", function: { name: "look", arguments: `{"at":1}` } }]
  },
  { role: "tool", tool_call_id: "a", content: "seen" }
]

const messages = [
  { role: "user", content: "Look!" },
  { role: "assistant", content: [{ type: "tool_use", id: "a", name: "look", input: { at: 1 } }] },
  { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "seen" }] }
]

layer(running({}), { excludeTestServices: true })("a call that is read", (it) => {
  it.effect("has its messages and tool calls numbered, whatever its dialect", () =>
    Effect.gen(function* () {
      const asked = [
        yield* askChat("chat/echo", { messages: chat }),
        yield* askMessages("messages/echo", { system: "Be kind.", messages, stream: false })
      ]
      for (const seen of asked) {
        const record = yield* recordFor(seen)
        assert.deepStrictEqual(
          record.messages.map(({ number, role }: { readonly number: number; readonly role: string }) => [number, role]),
          [
            [0, "system"],
            [1, "user"],
            [2, "assistant"],
            [3, "tool"],
            [4, "assistant"]
          ]
        )
        assert.deepStrictEqual(record.toolCalls, [
          {
            number: 0,
            message: 2,
            id: "a",
            name: "look",
            arguments: `{"at":1}`,
            complete: true,
            result: { message: 3 }
          }
        ])
        assert.strictEqual(record.messages[4].text, record.response.text)
      }
      const listed = json(yield* ask("/v1/calls"))
      assert.notProperty(listed.data[0], "messages")
    })
  )
})

layer(running({ sections: { audit: { capture: "metadata" } } }), { excludeTestServices: true })(
  "a call whose content is not kept",
  (it) => {
    it.effect("has none", () =>
      Effect.gen(function* () {
        const record = yield* recordFor(yield* askChat("chat/echo", { messages: chat }))
        assert.notProperty(record, "messages")
        assert.notProperty(record, "toolCalls")
      })
    )
  }
)
