import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { finalRow, fromStored, openedRow } from "../../src/audit/CallRecord.ts"
import { transcriptOf } from "../../src/audit/Transcript.ts"
import type { Message } from "../../src/domain/LlmRequest.ts"
import type { LlmResponse, ResponsePart } from "../../src/domain/LlmResponse.ts"
import { finalRecord, openRecord, responseOf } from "./records.ts"

const requestOf = (...messages: ReadonlyArray<Message>) => ({ messages })
const said = (role: Message["role"], text: string): Message => ({ role, parts: [{ _tag: "Text", text }] })
const called = (id: string, written = "{}"): Message => ({
  role: "assistant",
  parts: [{ _tag: "ToolCall", id, name: "look", arguments: written }]
})
const answered = (callId: string, text: string, isError = false): Message => ({
  role: "tool",
  parts: [{ _tag: "ToolResult", callId, content: [{ _tag: "Text", text }], ...(isError ? { isError } : {}) }]
})
const answerOf = (...parts: ReadonlyArray<ResponsePart>): LlmResponse => ({
  ...responseOf(""),
  choices: [{ index: 0, parts }]
})
const toolCall = (id: string, written: string, valid: boolean): ResponsePart => ({
  _tag: "ToolCall",
  id,
  name: "look",
  arguments: written,
  valid
})

describe("the messages and tool calls of a call", () => {
  it("are numbered in their order, the answer last, and results are linked to their calls", () => {
    const request = requestOf(
      said("system", "Be kind."),
      said("user", "Look!"),
      called("a", `{"at":1}`),
      answered("a", "seen")
    )
    const answer = answerOf(
      { _tag: "Reasoning", id: "0", text: "hm" },
      { _tag: "Text", id: "1", text: "Again." },
      toolCall("b", `{"at":2}`, true)
    )
    assert.deepStrictEqual(transcriptOf(request, { answer }), {
      messages: [
        { number: 0, role: "system", text: "Be kind." },
        { number: 1, role: "user", text: "Look!" },
        { number: 2, role: "assistant" },
        { number: 3, role: "tool", text: "seen" },
        { number: 4, role: "assistant", text: "Again.", reasoning: "hm" }
      ],
      toolCalls: [
        { number: 0, message: 2, id: "a", name: "look", arguments: `{"at":1}`, complete: true, result: { message: 3 } },
        { number: 1, message: 4, id: "b", name: "look", arguments: `{"at":2}`, complete: true }
      ]
    })
  })

  it("say which arguments are complete, and keep 64 KiB of them", () => {
    const long = JSON.stringify({ text: "漢".repeat(40_000) })
    const { toolCalls = [] } = transcriptOf(requestOf(called("a", "[1]"), called("b", "{"), called("c", long)), {
      answer: answerOf(toolCall("d", `{"a`, false))
    })
    assert.deepStrictEqual(
      toolCalls.map(({ complete }) => complete),
      [false, false, true, false]
    )
    const [, , cut] = toolCalls
    assert.isAtMost(Buffer.byteLength(cut?.arguments ?? ""), 64 * 1024)
    assert.isTrue(long.startsWith(cut?.arguments ?? "-"))
    assert.strictEqual(Buffer.byteLength(cut?.arguments ?? "") + (cut?.omittedBytes ?? 0), Buffer.byteLength(long))
    assert.notProperty(toolCalls[0], "omittedBytes")
  })

  it("link a result to the first call of its id that has none, and say that it failed", () => {
    const request = requestOf(
      called("call_0"),
      answered("call_0", "1"),
      called("call_0"),
      answered("call_0", "2", true)
    )
    const { toolCalls = [] } = transcriptOf(request, {})
    assert.deepStrictEqual(
      toolCalls.map(({ result }) => result),
      [{ message: 1 }, { message: 3, isError: true }]
    )
    const { toolCalls: none } = transcriptOf(requestOf(answered("x", "stray")), {})
    assert.isUndefined(none)
  })

  it("are those of the answer alone where the request is not known, without numbers of messages", () => {
    assert.deepStrictEqual(transcriptOf(undefined, { answer: answerOf(toolCall("a", "{}", true)) }), {
      toolCalls: [{ number: 0, id: "a", name: "look", arguments: "{}", complete: true }]
    })
    assert.deepStrictEqual(transcriptOf(undefined, {}), {})
  })

  it("have a message for each choice", () => {
    const answer = { ...answerOf(), choices: [0, 1].map((index) => ({ index, parts: [] })) }
    assert.deepStrictEqual(transcriptOf(requestOf(), { answer }).messages, [
      { number: 0, role: "assistant" },
      { number: 1, role: "assistant", choice: 1 }
    ])
  })

  it.effect("are kept of an answer that is too long to be kept whole, in its own record", () =>
    Effect.gen(function* () {
      const response = answerOf(
        { _tag: "Text", id: "0", text: "long ".repeat(60_000) },
        toolCall("a", `{"at":1}`, true),
        toolCall("b", JSON.stringify({ text: "x".repeat(70_000) }), true),
        toolCall("c", "{", false)
      )
      const times = { openedAt: 0, endedAt: 0 }
      const stored = (level: "full" | "metadata") => {
        const opened = openedRow(openRecord("a"), level, "owner")
        const { body, response: text } = finalRow(finalRecord("a", { response }), level, "owner", times)
        return fromStored({ id: "a", openedAt: 0, opened, final: { body, response: text } })
      }
      const record = yield* stored("full")
      assert.isUndefined(record.response?.answer)
      const { messages = [], toolCalls = [] } = transcriptOf(requestOf(said("user", "Go.")), record.response ?? {})
      assert.lengthOf(messages, 2)
      assert.deepStrictEqual(
        toolCalls.map(({ complete, id, message, number, omittedBytes }) => [
          number,
          message,
          id,
          complete,
          omittedBytes
        ]),
        [
          [0, 1, "a", true, undefined],
          [1, 1, "b", true, 70_011 - 65_536],
          [2, 1, "c", false, undefined]
        ]
      )
      assert.notInclude(JSON.stringify(yield* stored("metadata")), "look")
    })
  )
})
