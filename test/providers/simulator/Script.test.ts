import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents, textOf, type ResponsePart } from "../../../src/domain/LlmResponse.ts"
import type { LlmRequest, Part } from "../../../src/domain/LlmRequest.ts"
import { anthropicMessagesDialect } from "../../../src/protocols/anthropic-messages/inbound.ts"
import { isObject } from "../../../src/protocols/open-document.ts"
import { isSealed } from "../../../src/protocols/SealedReasoning.ts"
import { parseModelName } from "../../../src/providers/simulator/ModelName.ts"
import { scriptOf } from "../../../src/providers/simulator/Script.ts"
import { clock, request, sampled, user, weather } from "./requests.ts"

const identity = { id: "sim-1", model: "m", created: 1_700_000_000 }

const script = (request: LlmRequest) => scriptOf(Result.getOrThrow(parseModelName(request.model)), request, identity)

const eventsOf = (request: LlmRequest): ReadonlyArray<LlmEvent> => script(request).steps.flatMap((step) => step.events)

const answerOf = (request: LlmRequest) => {
  const response = foldEvents(eventsOf(request))
  return { ...response, text: textOf(response.choices[0]), finish: response.choices[0]?.finish?.reason }
}

const everyModel: ReadonlyArray<LlmRequest> = [
  request("echo"),
  request("words-13?chunk=4"),
  request("think-9"),
  request("fast-40"),
  request("length-5"),
  request("json"),
  request("refuse"),
  request("empty"),
  request("tools", { tools: [weather, clock] }),
  request("tools?think=5", { tools: [weather] }),
  sampled("words-8", { choices: 3, logprobs: true, topLogprobs: 2 })
]

describe("scripts of simulated models", () => {
  it("hold one piece of content in every step between the first and the last", () => {
    for (const one of everyModel) {
      const { steps } = script(one)
      assert.deepStrictEqual(
        steps[0]?.events.map((event) => event._tag),
        ["Started", "UsageReported"]
      )
      assert.strictEqual(steps.at(-1)?.events.at(-1)?._tag, "Finish", one.model)
      const middle = steps.slice(1, -1)
      for (const step of middle) {
        const deltas = step.events.filter((event) => event._tag.endsWith("Delta"))
        assert.strictEqual(deltas.length, 1, one.model)
      }
    }
  })

  it("open every block before its deltas, close it after them, and finish once", () => {
    for (const one of everyModel) {
      const open = new Set<string>()
      const used = new Set<string>()
      const events = eventsOf(one)
      for (const event of events) {
        if (event._tag.endsWith("Start") && "id" in event) {
          assert.isFalse(used.has(event.id), `${one.model}: block ${event.id} opens twice`)
          open.add(event.id)
          used.add(event.id)
        } else if (event._tag.endsWith("Delta") && "id" in event) {
          assert.isTrue(open.has(event.id), `${one.model}: delta of ${event.id} outside its block`)
        } else if (event._tag.endsWith("End") && "id" in event) {
          assert.isTrue(open.delete(event.id), `${one.model}: ${event.id} is closed twice`)
        }
      }
      assert.strictEqual(open.size, 0)
      assert.strictEqual(events.filter((event) => event._tag === "Finish").length, 1)
    }
  })

  it("are the same for the same seed and others for another", () => {
    assert.deepStrictEqual(script(request("words-30?seed=5")), script(request("words-30?seed=5")))
    assert.notStrictEqual(answerOf(request("words-30?seed=5")).text, answerOf(request("words-30?seed=6")).text)
  })

  it("echo the last user message, with its blanks and signs", () => {
    const text = 'Grüße,\n\n  dear  friend 👋🏽 — {"a": 1} \n'
    const messages = [user("earlier"), { role: "assistant" as const, parts: [] }, user(text)]
    assert.strictEqual(answerOf(request("echo?chunk=3", { messages })).text, text)
  })

  it("count words as tokens, and cached ones where a marker says so", () => {
    const usage = answerOf(request("think-9")).usage
    assert.deepStrictEqual(usage, { inputTokens: 4, outputTokens: 29, reasoningTokens: 9, source: "provider" })
    const marked = { role: "user" as const, parts: [{ _tag: "Text" as const, text: "one two three", cache: {} }] }
    assert.strictEqual(answerOf(request("echo", { messages: [marked] })).usage.cacheWriteTokens, 3)
    const continued = [marked, { role: "assistant" as const, parts: [] }, user("four")]
    assert.strictEqual(answerOf(request("echo", { messages: continued })).usage.cachedTokens, 3)
    assert.strictEqual(answerOf(request("echo", { messages: continued })).usage.inputTokens, 4)
  })

  it("stop at the limit of tokens, wherever it falls", () => {
    const cut = answerOf(sampled("words-30", { maxOutputTokens: 4 }))
    assert.strictEqual(cut.text.split(" ").length, 4)
    assert.strictEqual(cut.finish, "length")
    assert.strictEqual(cut.usage.outputTokens, 4)
    assert.strictEqual(answerOf(sampled("words-4", { maxOutputTokens: 4 })).finish, "stop")

    const call = answerOf(request("tools", { tools: [weather], sampling: { maxOutputTokens: 3 } }))
    const [part] = call.choices[0]?.parts ?? []
    assert.strictEqual(part?._tag === "ToolCall" ? part.valid : undefined, false)
    assert.strictEqual(call.finish, "length")
  })

  it("stop before a stop sequence and name it", () => {
    const messages = [user("alpha beta gamma beta")]
    const cut = answerOf(request("echo", { messages, sampling: { stopSequences: ["delta", "a g", "ta"] } }))
    assert.strictEqual(cut.text, "alpha be")
    assert.deepStrictEqual(cut.choices[0]?.finish, { reason: "stop", stopSequence: "ta" })
  })

  it("answer as often as asked, each choice with its own words and ending", () => {
    const { choices, usage } = answerOf(sampled("words-8", { choices: 3 }))
    assert.deepStrictEqual(
      choices.map((choice) => choice.index),
      [0, 1, 2]
    )
    assert.strictEqual(new Set(choices.map(textOf)).size, 3)
    assert.deepStrictEqual(
      choices.map((choice) => choice.finish?.reason),
      ["stop", "stop", "stop"]
    )
    assert.strictEqual(usage.outputTokens, 24)
  })

  it("give log probabilities that spell the text, the most likely first", () => {
    const events = eventsOf(sampled("words-5?chunk=2", { logprobs: true, topLogprobs: 3 }))
    for (const event of events) {
      if (event._tag !== "TextDelta") continue
      assert.strictEqual(event.logprobs?.map((entry) => entry.token).join(""), event.text)
      for (const entry of event.logprobs ?? []) {
        assert.strictEqual(entry.top.length, 3)
        assert.strictEqual(entry.top[0]?.token, entry.token)
        assert.deepStrictEqual(
          entry.top.toSorted((a, b) => b.logprob - a.logprob),
          [...entry.top]
        )
        assert.isBelow(entry.logprob, 0)
      }
    }
  })

  it("reason with a signature before they write", () => {
    const [reasoning, text] = answerOf(request("think-9")).choices[0]?.parts ?? []
    assert.strictEqual(reasoning?._tag, "Reasoning")
    if (reasoning?._tag === "Reasoning") {
      assert.strictEqual(reasoning.text.split(" ").length, 9)
      assert.match(reasoning.signature ?? "", /^[A-Za-z0-9+/=]{16,}$/)
    }
    assert.strictEqual(text?._tag, "Text")
  })

  it("get their signature back as it was, from callers that saw it sealed", () => {
    const asked = request("think-9")
    const response = foldEvents(eventsOf(asked))
    const context = { id: "made", created: 1, request: asked, origin: undefined }
    const message = anthropicMessagesDialect.renderWhole(response, context, [])
    const [, signature = ""] = /"signature":"([^"]*)"/.exec(JSON.stringify(message)) ?? []
    assert.isTrue(isSealed(signature))
    const messages = [
      { role: "user", content: "a" },
      isObject(message) ? message : null,
      { role: "user", content: "b" }
    ]
    const next = { model: "think-9", max_tokens: 9, messages }
    const decoded = Result.getOrThrow(anthropicMessagesDialect.decode(next)).request
    const provenIn = (parts: ReadonlyArray<Part | ResponsePart> = []) =>
      parts.flatMap((part) => (part._tag === "Reasoning" ? [[part.text, part.signature, part.origin]] : []))
    assert.deepStrictEqual(provenIn(decoded.messages[1]?.parts), provenIn(response.choices[0]?.parts))
    assert.strictEqual(provenIn(decoded.messages[1]?.parts)[0]?.[2], "simulator")
  })

  it("fit the asked schema", () => {
    const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] }
    const { text } = answerOf(request("json", { responseFormat: { _tag: "JsonSchema", name: "x", schema } }))
    assert.strictEqual(typeof JSON.parse(text).ok, "boolean")
    assert.isObject(JSON.parse(answerOf(request("json")).text))
  })

  it("end as they are told to: refused, cut, empty", () => {
    assert.strictEqual(answerOf(request("refuse")).finish, "refusal")
    assert.strictEqual(answerOf(request("refuse")).choices[0]?.parts[0]?._tag, "Refusal")
    assert.strictEqual(answerOf(request("length-5")).finish, "length")
    assert.deepStrictEqual(answerOf(request("empty")).choices[0]?.parts, [])
  })
})
