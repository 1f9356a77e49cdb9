import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Frame } from "../../src/domain/Frame.ts"
import { failure, type LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { Upstream, type UpstreamRequest } from "../../src/routing/Upstream.ts"
import {
  emit,
  fail,
  finish,
  hang,
  play,
  reasoning,
  started,
  text,
  toolCall,
  wait,
  type Script
} from "../../src/testing/Script.ts"
import { ScriptedUpstream, scriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import { grammarFaults } from "../protocols/grammar.ts"

const broken = failure({ _tag: "Transport" }, "the line broke")

const request = (model = "model"): UpstreamRequest => ({
  request: { model, messages: [], sampling: {} },
  model,
  delivery: "stream",
  dialect: undefined,
  origin: undefined,
  observer: { connected: () => undefined, head: () => undefined, bytes: () => undefined, notice: () => undefined }
})

/** The text that has come so far of a stream that a fiber reads. */
const reading = (events: Stream.Stream<LlmEvent, LlmError>) =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const fiber = yield* events.pipe(
      Stream.runForEach((event) => Effect.sync(() => seen.push(event._tag === "TextDelta" ? event.text : event._tag))),
      Effect.forkChild
    )
    return { seen, fiber }
  })

describe("a script", () => {
  it.effect("is played on the Clock, each step in its turn", () =>
    Effect.gen(function* () {
      const piece = (text: string) => emit({ _tag: "TextDelta", id: "text", text })
      const { seen, fiber } = yield* reading(
        play([piece("a"), wait("1 minute"), piece("b"), piece("c"), wait("1 hour"), piece("d"), hang, piece("e")])
      )
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(seen, ["a"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, ["a", "b", "c"])
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(seen, ["a", "b", "c", "d"])
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("fails where it says, after what stands before", () =>
    Effect.gen(function* () {
      const { seen, fiber } = yield* reading(play([text("a"), fail(broken), text("b", "more")]))
      assert.strictEqual(yield* Effect.flip(Fiber.join(fiber)), broken)
      assert.deepStrictEqual(seen, ["TextStart", "a", "TextEnd"])
    })
  )

  it.effect("of the blocks obeys the grammar of events", () =>
    Effect.gen(function* () {
      const script = [
        started(),
        reasoning("hm"),
        text(["a", "b"]),
        text("c", "more"),
        toolCall("call", "look", { at: 1 }),
        finish("tool-calls")
      ]
      const events = yield* Stream.runCollect(play(script))
      assert.deepStrictEqual(grammarFaults(events), [])
      assert.deepInclude(events.at(-2), { _tag: "ToolCall", arguments: '{"at":1}', valid: true })
    })
  )

  it.effect("may do nothing", () =>
    Effect.map(Stream.runCollect(play([])), (events) => assert.deepStrictEqual(events, []))
  )
})

describe("a scripted upstream", () => {
  const answer = (...pieces: ReadonlyArray<string>): Script => [text(pieces), finish()]
  const textOf = (frames: ReadonlyArray<Frame>) =>
    frames.flatMap(({ events }) => events.map((event) => (event._tag === "TextDelta" ? event.text : ""))).join("")

  it.effect("plays one script for each request, and fails beyond the last", () =>
    Effect.gen(function* () {
      const { upstream, requests } = scriptedUpstream([answer("first"), answer("second")])
      assert.strictEqual(textOf(yield* Stream.runCollect(upstream.stream(request("a")))), "first")
      assert.strictEqual(textOf(yield* Stream.runCollect(upstream.stream(request("b")))), "second")
      const error = yield* Effect.flip(Stream.runCollect(upstream.stream(request("c"))))
      assert.deepStrictEqual([error.reason._tag, error.message], ["Internal", "No script for request 3"])
      assert.deepStrictEqual(
        (yield* requests).map(({ model }) => model),
        ["a", "b", "c"]
      )
    })
  )

  it.effect("counts a request when it is made, not when it is described", () =>
    Effect.gen(function* () {
      const { upstream, requests } = scriptedUpstream([answer("first"), answer("second")])
      const stream = upstream.stream(request())
      assert.strictEqual((yield* requests).length, 0)
      assert.strictEqual(textOf(yield* Stream.runCollect(stream)), "first")
      assert.strictEqual(textOf(yield* Stream.runCollect(stream)), "second")
    })
  )

  it.effect("tells how each answer ended, in the order in which they began", () =>
    Effect.gen(function* () {
      const { upstream, endings } = scriptedUpstream([
        [text("a"), hang],
        answer("b"),
        [text("c"), fail(broken)],
        answer("d", "d"),
        [text("e"), hang]
      ])
      const stream = upstream.stream(request())
      const hanging = yield* Effect.forkChild(Stream.runDrain(stream), { startImmediately: true })
      yield* Stream.runDrain(stream)
      yield* Effect.exit(Stream.runDrain(stream))
      yield* Stream.runDrain(Stream.take(stream, 1))
      yield* Effect.forkChild(Stream.runDrain(stream), { startImmediately: true })
      assert.deepStrictEqual(yield* endings, [undefined, "completed", "failed", "abandoned", undefined])
      yield* Fiber.interrupt(hanging)
      assert.deepStrictEqual(yield* endings, ["abandoned", "completed", "failed", "abandoned", undefined])
    })
  )

  it.effect("is the Upstream of its layer, and can be looked at", () =>
    Effect.gen(function* () {
      const upstream = yield* Upstream
      assert.strictEqual(textOf(yield* Stream.runCollect(upstream.stream(request("a")))), "first")
      const { requests, endings } = yield* ScriptedUpstream
      assert.strictEqual((yield* requests)[0]?.model, "a")
      assert.deepStrictEqual(yield* endings, ["completed"])
    }).pipe(Effect.provide(ScriptedUpstream.layer(answer("first"))))
  )
})
