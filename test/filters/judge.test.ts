import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { failure } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import type { Filter } from "../../src/filters/Filter.ts"
import { type Judge, judgeAnswers, type TextWindow } from "../../src/filters/judge.ts"
import { stop, type Verdict } from "../../src/filters/Verdict.ts"
import { emit, fail, finish, started, text, toolCall, wait, type Script } from "../../src/testing/Script.ts"
import { testEngine } from "../../src/testing/TestEngine.ts"
import { answerOf, filtered } from "./applying.ts"
import { everySplit, someSplits } from "./splits.ts"

const pass: Verdict = { _tag: "Pass" }

/** Refuses what holds the word `evil`, shouts what holds `loud`, and remembers what it was asked. */
const guard = (
  windows: Judge["windows"],
  more: Partial<Judge> = {}
): { readonly filter: Filter; readonly asked: Array<TextWindow> } => {
  const asked: Array<TextWindow> = []
  const filter = judgeAnswers({
    name: "guard",
    windows,
    judge: (window) =>
      Effect.sync((): Verdict => {
        asked.push(window)
        if (window.text.includes("evil")) return { _tag: "Refuse", reason: "evil" }
        return window.text.includes("loud") ? { _tag: "Replace", text: window.text.toUpperCase() } : pass
      }),
    ...more
  })
  return { filter, asked }
}

describe("windows of characters", () => {
  const words = ["evil", "loud", "a", " ", "😀", "vi"]

  it.effect.prop("are the same for every way to cut a text", [Schema.Array(Schema.Literals(words))], ([parts]) =>
    Effect.gen(function* () {
      const whole = parts.join("")
      for (const windows of [
        { mode: "window", characters: 5 },
        { mode: "window", characters: 6, overlap: 3 },
        { mode: "final" }
      ] as const) {
        const expected = guard(windows)
        const left = yield* filtered(expected.filter, answerOf("text", [whole]))
        for (const pieces of [parts, ...someSplits(whole, 3)]) {
          const { asked, filter } = guard(windows)
          const seen = yield* filtered(filter, answerOf("text", pieces))
          assert.deepStrictEqual([seen.text, seen.ending?.verdict], [left.text, left.ending?.verdict])
          assert.deepStrictEqual(
            asked.filter(({ text }) => text !== ""),
            expected.asked.filter(({ text }) => text !== "")
          )
        }
      }
    })
  )

  it.effect("that overlap let nothing pass at their edges that is no longer than the overlap", () =>
    Effect.gen(function* () {
      for (let before = 0; before < 12; before++) {
        const said = `${"x".repeat(before)}evil!`
        for (const pieces of everySplit(said.slice(0, 12))) {
          const { text, ending } = yield* filtered(
            guard({ mode: "window", characters: 6, overlap: 3 }).filter,
            answerOf("text", [...pieces, said.slice(12)])
          )
          assert.strictEqual(ending?.verdict._tag, "Refuse")
          assert.strictEqual(text.replaceAll("x", ""), "")
        }
      }
    })
  )

  it.effect("hold back no more than they are long", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const { filter } = guard({ mode: "window", characters: 8, overlap: 2, wait: "1 hour" })
      const letters = "abcdefghijklmnopqrstuvwxyz".split("")
      let came = 0
      let most = 0
      const events = Stream.fromIterable(answerOf("text", letters)).pipe(
        Stream.rechunk(1),
        Stream.tap((event) =>
          Effect.sync(() => {
            if (event._tag === "TextDelta") came++
            most = Math.max(most, came - seen.length)
          })
        )
      )
      yield* filter.events!(
        prompt("m", "x"),
        {} as never
      )(events).pipe(
        Stream.runForEach((event) => Effect.sync(() => void (event._tag === "TextDelta" && seen.push(...event.text))))
      )
      assert.strictEqual(seen.join(""), letters.join(""))
      assert.isAtMost(most, 8 + 1)
    })
  )
})

describe("windows of time", () => {
  it.effect("are each text's own, of several that come at once", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const events = [0, 1, 2].flatMap((choice): ReadonlyArray<LlmEvent> => [
        { _tag: "TextStart", id: `${choice}`, choice },
        { _tag: "TextDelta", id: `${choice}`, choice, text: `of ${choice}` }
      ])
      const { filter } = guard({ mode: "window", characters: 100, wait: "100 millis" })
      const answer = Stream.concat(Stream.fromIterable(events), Stream.never)
      yield* Effect.forkChild(
        filter.events!(
          prompt("m", "x"),
          {} as never
        )(answer).pipe(
          Stream.runForEach((event) => Effect.sync(() => void (event._tag === "TextDelta" && seen.push(event.text))))
        )
      )
      yield* TestClock.adjust("99 millis")
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(seen, ["of 0", "of 1", "of 2"])
    })
  )
})

const run = (filter: Filter, script: Script) =>
  Effect.gen(function* () {
    const seen: Array<LlmEvent> = []
    const running = yield* Effect.forkChild(
      Effect.exit(
        Stream.runForEach((yield* Engine).stream(callOf(prompt("model", "hello"))), (event) =>
          Effect.sync(() => void seen.push(event))
        )
      )
    )
    return { seen, running }
  }).pipe((effect) => ({ effect, layer: testEngine({ scripts: [script], filters: [filter] }) }))

const said = (events: ReadonlyArray<LlmEvent>) =>
  events.flatMap((event) => ("text" in event ? [event.text] : [])).join("")

describe("windows of time", () => {
  const { effect, layer } = run(guard({ mode: "window", wait: "100 millis" }).filter, [
    started(),
    emit({ _tag: "TextStart", id: "t" }, { _tag: "TextDelta", id: "t", text: "slowly" }),
    wait("1 minute"),
    emit({ _tag: "TextDelta", id: "t", text: " on" }, { _tag: "TextEnd", id: "t" }),
    finish()
  ])
  it.effect("are judged when they are over, though nothing more comes", () =>
    Effect.gen(function* () {
      const { seen, running } = yield* effect
      yield* TestClock.adjust("99 millis")
      assert.strictEqual(said(seen), "")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(said(seen), "slowly")
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(running)
      assert.strictEqual(said(seen), "slowly on")
    }).pipe(Effect.provide(layer))
  )
})

describe("what nobody has judged", () => {
  it.effect("does not leave where the answer fails", () =>
    Effect.gen(function* () {
      const { effect, layer } = run(guard({ mode: "final" }).filter, [
        started(),
        text("judged"),
        emit({ _tag: "TextStart", id: "t2" }, { _tag: "TextDelta", id: "t2", text: "secret" }),
        fail(failure({ _tag: "UpstreamServer" }, "broke"))
      ])
      yield* Effect.gen(function* () {
        const { seen, running } = yield* effect
        yield* Fiber.join(running)
        assert.strictEqual(said(seen), "judged")
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("does not leave while its verdict is awaited, nor what comes behind it", () =>
    Effect.gen(function* () {
      const slow = judgeAnswers({
        name: "slow",
        windows: { mode: "window", characters: 4 },
        timeout: "1 minute",
        judge: () => Effect.delay(Effect.succeed(pass), "10 seconds")
      })
      const { effect, layer } = run(slow, [
        started(),
        emit({ _tag: "TextStart", id: "text" }),
        emit({ _tag: "TextDelta", id: "text", text: "abcd" }),
        emit({ _tag: "TextDelta", id: "text", text: "ef" }),
        emit({ _tag: "TextEnd", id: "text" }),
        toolCall("c", "tool", { x: 1 }),
        finish()
      ])
      yield* Effect.gen(function* () {
        const { seen, running } = yield* effect
        yield* TestClock.adjust("9 seconds")
        assert.strictEqual(said(seen), "")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(said(seen), "abcd")
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(running)
        assert.strictEqual(said(seen), 'abcdef{"x":1}')
      }).pipe(Effect.provide(layer))
    })
  )
})

it.effect("a caller that leaves while a verdict is awaited ends the call, and the question with it", () =>
  Effect.gen(function* () {
    for (const timeout of [0, "1 minute"] as const) {
      let left = false
      const slow = judgeAnswers({
        name: "slow",
        windows: { mode: "final" },
        timeout,
        judge: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => (left = true)))
      })
      const { effect, layer } = run(slow, [started(), text("abcd"), finish()])
      yield* Effect.gen(function* () {
        const { running } = yield* effect
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(running)
        assert.isTrue(left)
      }).pipe(Effect.provide(layer))
    }
  })
)

describe("arguments of tools", () => {
  it.effect("are judged, also those that come only with their call", () =>
    Effect.gen(function* () {
      const events: ReadonlyArray<LlmEvent> = [
        { _tag: "Started", id: "a", model: "m" },
        { _tag: "ToolInputStart", id: "c", name: "tool" },
        { _tag: "ToolInputEnd", id: "c" },
        { _tag: "ToolCall", id: "c", name: "tool", arguments: '{"x":"evil"}', valid: true },
        { _tag: "Finish", reason: "tool-calls", usage: { source: "none" } }
      ]
      const { events: left, ending } = yield* filtered(guard({ mode: "final" }).filter, events)
      assert.strictEqual(ending?.verdict._tag, "Refuse")
      assert.notInclude(JSON.stringify(left), "evil")
      const replaced = yield* filtered(guard({ mode: "final" }).filter, answerOf("tools", ['{"x":', '"loud"}']))
      assert.deepInclude(
        replaced.events.find(({ _tag }) => _tag === "ToolCall"),
        { arguments: '{"X":"LOUD"}' }
      )
    })
  )
})

describe("what a judge has nothing to say of", () => {
  const call = (args: string): ReadonlyArray<LlmEvent> => [
    { _tag: "Started", id: "a", model: "m" },
    { _tag: "ToolInputStart", id: "c", name: "tool" },
    { _tag: "ToolInputEnd", id: "c" },
    { _tag: "ToolCall", id: "c", name: "tool", arguments: args, valid: true },
    { _tag: "Finish", reason: "tool-calls", usage: { source: "none" } }
  ]

  it.effect("is a call without arguments, which stays one, and is judged", () =>
    Effect.gen(function* () {
      const { asked, filter } = guard({ mode: "final" })
      const { events } = yield* filtered(filter, call("{}"))
      assert.deepInclude(
        events.find(({ _tag }) => _tag === "ToolCall"),
        { arguments: "{}", valid: true }
      )
      assert.deepStrictEqual(
        asked.map(({ text }) => text),
        ["{}"]
      )
    })
  )

  it.effect("is an empty piece before the arguments come with their call", () =>
    Effect.gen(function* () {
      const [started, start, ...rest] = call('{"a":1}')
      const empty: LlmEvent = { _tag: "ToolInputDelta", id: "c", text: "" }
      const { events } = yield* filtered(guard({ mode: "final" }).filter, [started!, start!, empty, ...rest])
      assert.deepInclude(
        events.find(({ _tag }) => _tag === "ToolCall"),
        { arguments: '{"a":1}', valid: true }
      )
    })
  )

  it.effect("are tools, where it reads text: their events pass as they are", () =>
    Effect.gen(function* () {
      const events = call('{"a":1}')
      const { events: left } = yield* filtered(guard({ mode: "final" }, { kinds: ["text"] }).filter, events)
      assert.deepStrictEqual(left, events)
    })
  )

  it.effect(
    "is what stands before the place at which a filter before it cut the answer: that is judged, and stays",
    () =>
      Effect.gen(function* () {
        for (const windows of [{ mode: "final" }, { mode: "window", characters: 40 }] as const) {
          const { asked, filter } = guard(windows)
          const cut: Filter = {
            name: "cut",
            events: () => (events) => Stream.concat(Stream.take(events, 3), Stream.fail(stop("enough")))
          }
          const both: Filter = {
            ...filter,
            name: "both",
            events: (request, context) => (events) =>
              filter.events!(request, context)(cut.events!(request, context)(events))
          }
          const { text: left } = yield* filtered(both, answerOf("text", ["hello world", " and more"]))
          assert.strictEqual(left, "hello world")
          assert.strictEqual(asked.map(({ text }) => text).join(""), "hello world")
        }
      })
  )

  it.effect("is a character that is longer than what windows have left beside their overlap", () =>
    Effect.gen(function* () {
      const { filter } = guard({ mode: "window", characters: 4, overlap: 3 })
      const { events, text: left } = yield* filtered(filter, answerOf("text", ["😀bcdef"]))
      assert.strictEqual(left, "😀bcdef")
      assert.strictEqual(events.at(-1)?._tag, "Finish")
    })
  )
})

describe("a judge that", () => {
  const broken: { readonly [what: string]: () => Effect.Effect<Verdict, Error> } = {
    throws: () => {
      throw new Error("it broke")
    },
    fails: () => failure({ _tag: "Internal" }, "it broke"),
    hangs: () => Effect.never,
    "returns garbage": () => Effect.succeed({ _tag: "Perhaps" } as never)
  }
  for (const [what, answer] of Object.entries(broken)) {
    it.effect(`${what} does what its policy says, and is not asked again after three times`, () =>
      Effect.gen(function* () {
        for (const [onFailure, left] of [
          ["open", "abcdefghij"],
          ["drop", ""],
          ["closed", undefined]
        ] as const) {
          let asked = 0
          const filter = judgeAnswers({
            name: "broken",
            windows: { mode: "event" },
            onFailure,
            judge: () => {
              asked++
              return answer()
            }
          })
          const running = yield* Effect.forkChild(
            Effect.exit(filtered(filter, answerOf("text", "abcdefghij".split(""))))
          )
          yield* TestClock.adjust("1 hour")
          const exit = yield* Fiber.join(running)
          assert.strictEqual(exit._tag, left === undefined ? "Failure" : "Success")
          if (exit._tag === "Success") assert.strictEqual(exit.value.text, left)
          assert.strictEqual(asked, left === undefined ? 1 : 3)
        }
      })
    )
  }
})
