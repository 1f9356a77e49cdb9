import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { failure } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { LlmRequest } from "../../src/domain/LlmRequest.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import type { FailurePolicy, Filter } from "../../src/filters/Filter.ts"
import { finish, started, text, toolCall } from "../../src/testing/Script.ts"
import { ScriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import { testEngine } from "../../src/testing/TestEngine.ts"

const call = callOf(prompt("model", "hello"))
const answer = [
  started(),
  text(["one ", "two ", "three ", "four ", "five ", "six"]),
  toolCall("call", "tool", { x: "seven" }),
  finish()
]

/** Runs the one call of a test over the answer and the filter. */
const run = (filter: Filter) =>
  Effect.gen(function* () {
    const running = yield* Effect.forkChild((yield* Engine).run(call))
    yield* TestClock.adjust("1 hour")
    const { outcome, response } = yield* Fiber.join(running)
    const [first, second] = response.choices[0]?.parts ?? []
    return {
      outcome,
      text: first?._tag === "Text" ? first.text : undefined,
      arguments: second?._tag === "ToolCall" ? second.arguments : undefined,
      requests: yield* (yield* ScriptedUpstream).requests
    }
  }).pipe(Effect.provide(testEngine({ scripts: [answer], filters: [filter] })))

const isText = (event: LlmEvent, word: string) => event._tag === "TextDelta" && event.text.includes(word)

/** What goes wrong with an event that holds the word. */
const faults: { readonly [what: string]: (word: string) => NonNullable<Filter["events"]> } = {
  throws: (word) => () =>
    Stream.map((event) => {
      if (isText(event, word)) throw new Error("it broke")
      return event
    }),
  fails: (word) => () =>
    Stream.mapEffect((event) =>
      isText(event, word) ? Effect.fail(failure({ _tag: "Internal" }, "it broke")) : Effect.succeed(event)
    ),
  hangs: (word) => () => Stream.mapEffect((event) => (isText(event, word) ? Effect.never : Effect.succeed(event))),
  "is slow": (word) => () =>
    Stream.mapEffect((event) =>
      isText(event, word) ? Effect.delay(Effect.succeed(event), "3 seconds") : Effect.succeed(event)
    ),
  "returns garbage": (word) => () => Stream.map((event) => (isText(event, word) ? ("garbage" as never) : event)),
  "lets out what belongs to no block": (word) => () =>
    Stream.map((event) => (isText(event, word) ? { _tag: "TextDelta", id: "nobody", text: "!" } : event)),
  "ends too soon": (word) => () => Stream.takeUntil((event) => isText(event, word), { excludeLast: true })
}

/** What leaves of the texts where the filter fails on every event that holds the word. */
const expected: { readonly [policy in FailurePolicy]: (word: string) => string | undefined } = {
  open: () => "one two three four five six",
  drop: (word) => ["one ", "two ", "three ", "four ", "five ", "six"].filter((piece) => !piece.includes(word)).join(""),
  closed: () => undefined
}

describe("an event side", () => {
  for (const [what, fault] of Object.entries(faults)) {
    for (const onFailure of ["open", "drop"] as const) {
      it.effect(`that ${what} does what its policy says: ${onFailure}`, () =>
        Effect.gen(function* () {
          const seen = yield* run({ name: "broken", onFailure, events: fault("three") })
          assert.strictEqual(seen.outcome._tag, "Completed")
          assert.strictEqual(seen.text, expected[onFailure]("three"))
          assert.strictEqual(seen.arguments, '{"x":"seven"}')
        })
      )
    }
    it.effect(`that ${what} does what its policy says: closed`, () =>
      Effect.gen(function* () {
        const { outcome, text } = yield* run({ name: "broken", events: fault("three") })
        assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "FilterFailed", filter: "broken" } })
        assert.notInclude(String(text), "three")
      })
    )
  }

  it.effect("that fails three times in a row is not asked again: its policy holds for the rest", () =>
    Effect.gen(function* () {
      let asked = 0
      const failing = (onFailure: FailurePolicy): Filter => ({
        name: "broken",
        onFailure,
        events: () =>
          Stream.map((event) => {
            if (event._tag !== "TextDelta" && event._tag !== "ToolInputDelta") return event
            asked++
            throw new Error("it broke")
          })
      })
      const open = yield* run(failing("open"))
      assert.strictEqual(asked, 3)
      assert.strictEqual(open.text, "one two three four five six")
      assert.strictEqual(open.arguments, '{"x":"seven"}')
      asked = 0
      const dropped = yield* run(failing("drop"))
      assert.strictEqual(asked, 3)
      assert.strictEqual(dropped.text, "")
      assert.strictEqual(dropped.arguments, "")
      assert.strictEqual(dropped.outcome._tag, "Completed")
    })
  )

  it.effect("may hold events back for as long as it asks for more", () =>
    Effect.gen(function* () {
      const { text } = yield* run({
        name: "patient",
        events: () => (self) => Stream.fromIterableEffect(Stream.runCollect(self))
      })
      assert.strictEqual(text, "one two three four five six")
    })
  )

  it.effect("cannot make a success of an answer that failed", () =>
    Effect.gen(function* () {
      const { outcome } = yield* (yield* Engine).run(call)
      assert.deepInclude(outcome, { _tag: "Failed", reason: { _tag: "UpstreamServer" } })
    }).pipe(
      Effect.provide(
        testEngine({
          scripts: [[started(), text("half"), { _tag: "Fail", error: failure({ _tag: "UpstreamServer" }, "broke") }]],
          filters: [
            {
              name: "hopeful",
              onFailure: "open",
              events: () => (self) => Stream.catch(self, () => Stream.make(endOfAnswer))
            }
          ]
        })
      )
    )
  )
})

const endOfAnswer: LlmEvent = { _tag: "Finish", reason: "stop", usage: { source: "none" } }

describe("an event side that is none", () => {
  const nones: { readonly [what: string]: NonNullable<Filter["events"]> } = {
    "throws before it begins": () => {
      throw new Error("it broke")
    },
    "throws when it is given the stream": () => () => {
      throw new Error("it broke")
    },
    "is no stream": () => () => "garbage" as never,
    "is no function": () => "garbage" as never,
    "never begins": () => () => Stream.never,
    "is empty": () => () => Stream.empty
  }
  for (const [what, events] of Object.entries(nones)) {
    it.effect(`and ${what} does what its policy says`, () =>
      Effect.gen(function* () {
        const open = yield* run({ name: "broken", onFailure: "open", events })
        assert.strictEqual(open.outcome._tag, "Completed")
        assert.strictEqual(open.text, "one two three four five six")
        const dropped = yield* run({ name: "broken", onFailure: "drop", events })
        assert.strictEqual(dropped.text ?? "", "")
        const closed = yield* run({ name: "broken", events })
        assert.deepInclude(closed.outcome, { _tag: "Failed", reason: { _tag: "FilterFailed", filter: "broken" } })
        assert.isUndefined(closed.text)
      })
    )
  }
})

describe("a request side", () => {
  const broken: { readonly [what: string]: NonNullable<Filter["request"]> } = {
    throws: () => {
      throw new Error("it broke")
    },
    fails: () => failure({ _tag: "Internal" }, "it broke"),
    hangs: () => Effect.never,
    "is slow": (request) => Effect.delay(Effect.succeed(request), "3 seconds"),
    // What a program that is not type checked may do.
    "returns garbage": (): Effect.Effect<LlmRequest> => Effect.succeed({ model: 1 } as never),
    "returns no effect": (request) => request as never,
    "returns a promise": (request) => Promise.resolve(request) as never
  }
  for (const [what, request] of Object.entries(broken)) {
    it.effect(`that ${what} does what its policy says`, () =>
      Effect.gen(function* () {
        const open = yield* run({ name: "broken", onFailure: "open", request })
        assert.strictEqual(open.outcome._tag, "Completed")
        assert.deepStrictEqual(open.requests[0]?.request, call.request)
        for (const onFailure of ["closed", "drop", undefined] as const) {
          const closed = yield* run({ name: "broken", request, ...(onFailure === undefined ? {} : { onFailure }) })
          assert.deepInclude(closed.outcome, { _tag: "Failed", reason: { _tag: "FilterFailed", filter: "broken" } })
          assert.strictEqual(closed.requests.length, 0)
        }
      })
    )
  }

  it.effect("may take as long as it says", () =>
    Effect.gen(function* () {
      const slow = broken["is slow"]!
      assert.strictEqual((yield* run({ name: "slow", timeout: "5 seconds", request: slow })).outcome._tag, "Completed")
      assert.strictEqual((yield* run({ name: "slow", timeout: 0, request: slow })).outcome._tag, "Completed")
    })
  )
})
