import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { askChat, askMessages, folderOf, json, startSimulator } from "./server.ts"

const scripted = (answers: unknown) =>
  Effect.gen(function* () {
    const folder = yield* folderOf({ "answers.json": typeof answers === "string" ? answers : JSON.stringify(answers) })
    return yield* startSimulator({ script: `${folder}/answers.json` })
  })

const textOf = (seen: Parameters<typeof json>[0]) => json(seen).choices[0].message.content

const whole = { stream: false }

describe("scripted answers", () => {
  it.live("are given in turn, the last one for ever, and hold the caller's limits", () =>
    Effect.gen(function* () {
      const { url } = yield* scripted([
        { model: "greeter", reply: "Good morning." },
        { model: "greeter", reply: "Good evening, everybody." },
        { model: "*", reply: "Who?" }
      ])
      assert.strictEqual(textOf(yield* askChat(url, "greeter", whole)), "Good morning.")
      const evening = yield* askMessages(url, "greeter", whole)
      assert.strictEqual(json(evening).content[0].text, "Good evening, everybody.")
      const cut = json(yield* askChat(url, "greeter", { ...whole, max_tokens: 2 })).choices[0]
      assert.deepStrictEqual([cut.message.content, cut.finish_reason], ["Good evening,", "length"])
      assert.strictEqual(textOf(yield* askChat(url, "some-model", whole)), "Who?")
      assert.strictEqual(textOf(yield* askChat(url, "echo", whole)), "Who?")
    })
  )

  it.live("may be events, written in full or in short, with or without an ending", () =>
    Effect.gen(function* () {
      const call = { id: "call_1", name: "look_up" }
      const finished = { _tag: "ToolCall", ...call, arguments: '{"key":1}', valid: true }
      const events = [
        { _tag: "ToolInputStart", ...call },
        { _tag: "ToolInputDelta", id: "call_1", text: '{"key":1}' },
        { _tag: "ToolInputEnd", id: "call_1" },
        finished
      ]
      const finish = { _tag: "Finish", reason: "tool-calls", usage: { outputTokens: 5, source: "provider" } }
      const { url } = yield* scripted([
        { model: "full", reply: [...events, finish] },
        { model: "short", reply: [{ _tag: "TextDelta", id: "t", text: "Wait." }, finished, finish] },
        { model: "broken", reply: events }
      ])
      for (const model of ["full", "short"]) {
        const called = json(yield* askChat(url, model, whole)).choices[0]
        assert.deepStrictEqual(called.message.tool_calls[0].function, { name: "look_up", arguments: '{"key":1}' })
        assert.strictEqual(called.finish_reason, "tool_calls")
        const streamed = (yield* askMessages(url, model)).text
        assert.include(streamed, "message_stop")
        const starts = streamed.match(/^event: content_block_start$/gm)
        assert.strictEqual(starts?.length, model === "short" ? 2 : 1)
        assert.strictEqual(streamed.match(/^event: content_block_stop$/gm)?.length, starts?.length)
      }
      assert.notInclude((yield* askMessages(url, "broken")).text, "message_stop")
    })
  )

  it.live("may be raw bytes, and may fail", () =>
    Effect.gen(function* () {
      const raw = 'data: {"choices":[]}\n\ndata: [DONE]\n\n'
      const { url } = yield* scripted([
        { model: "raw", reply: { raw } },
        { model: "raw-json", reply: { raw: '{"error":{}}', status: 418, contentType: "application/json" } },
        { model: "flaky", reply: "At last.", options: "status=503&times=1" }
      ])
      assert.strictEqual((yield* askChat(url, "raw")).text, raw)
      assert.strictEqual((yield* askChat(url, "raw?truncate=1")).text, 'data: {"choices":[]}\n\n')
      const teapot = yield* askChat(url, "raw-json")
      assert.deepStrictEqual([teapot.status, teapot.headers["content-type"]], [418, "application/json"])
      assert.strictEqual((yield* askChat(url, "flaky", whole)).status, 503)
      assert.strictEqual(textOf(yield* askChat(url, "flaky", whole)), "At last.")
    })
  )

  it.live("are refused with the place that is wrong", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<readonly [unknown, RegExp]> = [
        ["nope", /answers\.json: is not JSON/],
        [{ model: "x" }, /answers/],
        [[{ model: "x" }], /answers\[0\]\.reply is required/],
        [[{ model: "x", reply: "y", options: "colour=blue" }], /answers\[0\]\.options: .*colour/]
      ]
      for (const [answers, message] of wrong) {
        const error = yield* Effect.flip(scripted(answers))
        assert.match(error.message, message)
      }
      const missing = yield* Effect.flip(startSimulator({ script: "/nowhere/answers.json" }))
      assert.match(missing.message, /nowhere/)
      const folder = yield* Effect.flip(startSimulator({ replay: "/nowhere" }))
      assert.match(folder.message, /nowhere/)
    })
  )
})
