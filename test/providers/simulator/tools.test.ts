import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { foldEvents, textOf } from "../../../src/domain/LlmResponse.ts"
import type { LlmRequest, Message, ToolCallPart, ToolResultPart } from "../../../src/domain/LlmRequest.ts"
import { makeSimulatorUpstream } from "../../../src/providers/simulator/simulator.ts"
import { attempt, clock, request, user, weather } from "./requests.ts"

const ask = (asked: LlmRequest) =>
  makeSimulatorUpstream()
    .stream(attempt(asked))
    .pipe(
      Stream.runCollect,
      Effect.map((frames) => foldEvents(frames.flatMap((frame) => frame.events)))
    )

const callsOf = (response: Effect.Success<ReturnType<typeof ask>>) =>
  (response.choices[0]?.parts ?? []).filter((part) => part._tag === "ToolCall")

describe("the simulated model that calls tools", () => {
  it.effect("calls all the tools it is offered at once, with arguments that fit", () =>
    Effect.gen(function* () {
      const response = yield* ask(request("tools", { tools: [weather, clock] }))
      const calls = callsOf(response)
      assert.deepStrictEqual(
        calls.map((call) => call.name),
        ["get_weather", "get_time"]
      )
      assert.strictEqual(new Set(calls.map((call) => call.id)).size, 2)
      assert.strictEqual(response.choices[0]?.finish?.reason, "tool-calls")
      const [first] = calls.map((call) => JSON.parse(call.arguments))
      assert.strictEqual(typeof first.city, "string")
      assert.include(["celsius", "fahrenheit"], first.unit)
      assert.isTrue(calls.every((call) => call.valid))
    })
  )

  it.effect("calls one where only one may or must be called, none where none is allowed", () =>
    Effect.gen(function* () {
      const tools = [weather, clock]
      const names = (more: Partial<LlmRequest>) =>
        Effect.map(ask(request("tools", { tools, ...more })), (response) => callsOf(response).map((call) => call.name))
      assert.deepStrictEqual(yield* names({ parallelToolCalls: false }), ["get_weather"])
      assert.deepStrictEqual(yield* names({ toolChoice: { _tag: "Tool", name: "get_time" } }), ["get_time"])
      assert.deepStrictEqual(yield* names({ toolChoice: { _tag: "None" } }), [])
      assert.deepStrictEqual(yield* names({ tools: [] }), [])
      const limited = yield* ask(request("tools-1", { tools }))
      assert.strictEqual(callsOf(limited).length, 1)
    })
  )

  it.effect("ends a loop: it tells the results instead of calling again", () =>
    Effect.gen(function* () {
      const tools = [weather, clock]
      const first = yield* ask(request("tools", { tools, messages: [user("How is it?")] }))
      const calls = callsOf(first)
      const results = calls.map((call): ToolResultPart => ({
        _tag: "ToolResult",
        callId: call.id,
        content: [{ _tag: "Text", text: `result of ${call.name}` }]
      }))
      const conversation: ReadonlyArray<Message> = [
        user("How is it?"),
        {
          role: "assistant",
          parts: calls.map(({ id, name, arguments: text }) => ({ _tag: "ToolCall", id, name, arguments: text }))
        },
        ...results.map((part): Message => ({ role: "tool", parts: [part] }))
      ]
      const second = yield* ask(request("tools", { tools, messages: conversation }))
      assert.deepStrictEqual(callsOf(second), [])
      assert.strictEqual(second.choices[0]?.finish?.reason, "stop")
      assert.strictEqual(
        textOf(second.choices[0]),
        "get_weather said: result of get_weather\nget_time said: result of get_time"
      )

      const asked = [...conversation, { role: "assistant" as const, parts: [] }, user("And now?")]
      const third = yield* ask(request("tools", { tools, messages: asked }))
      const again = callsOf(third).map((call) => call.id)
      assert.strictEqual(again.length, 2)
      assert.isFalse(
        calls.some((call) => again.includes(call.id)),
        "ids of calls do not repeat in a conversation"
      )
    })
  )

  it.effect("signs the first call where asked to, and refuses a request that lacks the signature", () =>
    Effect.gen(function* () {
      const tools = [weather, clock]
      const [first, second] = callsOf(yield* ask(request("tools?sign", { tools })))
      assert.strictEqual(second?.origin, undefined)
      const signed = { simulator: first?.origin?.value as { readonly signature: string } }
      const { id = "", name = "", arguments: text = "" } = first ?? {}
      const call = { _tag: "ToolCall", id, name, arguments: text } as const
      const answered = (extensions: NonNullable<ToolCallPart["extensions"]>) =>
        ask(
          request("tools?sign", {
            tools,
            messages: [
              user("How is it?"),
              { role: "assistant", parts: [{ ...call, extensions }] },
              { role: "tool", parts: [{ _tag: "ToolResult", callId: id, content: [] }] }
            ]
          })
        )
      assert.strictEqual((yield* answered(signed)).choices[0]?.finish?.reason, "stop")
      assert.strictEqual((yield* Effect.flip(answered({}))).reason._tag, "InvalidRequest")
      assert.include((yield* Effect.flip(answered({ simulator: { signature: "another" } }))).message, "signature")
    })
  )
})
