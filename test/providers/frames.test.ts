import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Deferred, Effect, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Frame } from "../../src/domain/Frame.ts"
import { failure, type LlmError } from "../../src/domain/LlmError.ts"
import { decodeFrames } from "../../src/providers/frames.ts"
import { tinyProtocol } from "./tinyProtocol.ts"

const protocol = tinyProtocol("tiny")
const bytes = (text: string) => new TextEncoder().encode(text)
const sse = (...data: ReadonlyArray<string>) => data.map((line) => `data: ${line}\n\n`).join("")
const said = (text: string) => JSON.stringify({ text })
const stop = '{"stop":true}'

/** Everything that came, and the failure in which it ended. */
const collected = (frames: Stream.Stream<Frame, LlmError>) =>
  Effect.gen(function* () {
    const seen: Array<Frame> = []
    const error = yield* frames.pipe(
      Stream.runForEachArray((batch) => Effect.sync(() => seen.push(...batch))),
      Effect.match({ onFailure: (error) => error, onSuccess: () => undefined })
    )
    return { seen, error, text: textOf(seen) }
  })

const textOf = (frames: ReadonlyArray<Frame>) =>
  frames.flatMap(({ events }) => events.map((event) => (event._tag === "TextDelta" ? event.text : ""))).join("")

const decoded = (...chunks: ReadonlyArray<string>) =>
  collected(decodeFrames(protocol)(Stream.fromIterable(chunks.map(bytes)).pipe(Stream.rechunk(1))))

describe("the frames of a stream", () => {
  it.effect("carry their text and their events, also where they decode to nothing", () =>
    Effect.gen(function* () {
      const { seen, error } = yield* decoded(sse(said("a"), "ping"), sse(stop, "over"))
      assert.isUndefined(error)
      assert.strictEqual(seen.map(({ raw }) => raw).join(""), sse(said("a"), "ping", stop, "over"))
      assert.deepStrictEqual(
        seen.map(({ events }) => events.length),
        [1, 0, 1, 0]
      )
      for (const { protocol, delivery } of seen) assert.deepStrictEqual([protocol, delivery], ["tiny", "stream"])
    })
  )

  it.effect("come in the batches in which the bytes came", () =>
    Effect.gen(function* () {
      const source = Stream.concat(
        Stream.fromArray([bytes(sse(said("a"))), bytes(sse(said("b")))]),
        Stream.concat(Stream.make(bytes("data: ")), Stream.fromArray([bytes(`${said("c")}\n\n${sse(stop)}`)]))
      )
      const batches: Array<number> = []
      yield* decodeFrames(protocol)(source).pipe(
        Stream.runForEachArray((batch) => Effect.sync(() => batches.push(batch.length)))
      )
      assert.deepStrictEqual(batches, [2, 2])
    })
  )

  it.effect("include a last one that was not terminated", () =>
    Effect.gen(function* () {
      const { text, error } = yield* decoded(sse(said("a")), `data: {"text":"b","stop":true}`)
      assert.strictEqual(text, "ab")
      assert.isUndefined(error)
    })
  )

  it.effect("are decoded afresh in every run", () =>
    Effect.gen(function* () {
      const frames = decodeFrames(protocol)(Stream.make(bytes(sse(said("a"), stop))))
      assert.deepStrictEqual(yield* collected(frames), yield* collected(frames))
    })
  )
})

describe("a failure", () => {
  it.effect("of the provider's own comes after everything before it, and nothing after it counts", () =>
    Effect.gen(function* () {
      const { seen, error, text } = yield* decoded(
        sse(said("a"), '{"text":"b","error":"no"}', said("c")),
        sse(said("d"))
      )
      assert.strictEqual(error?.message, "no")
      assert.strictEqual(text, "ab")
      // The text of the frame that says the failure goes with the failure.
      assert.strictEqual(seen.at(-1)?.raw, "")
    })
  )

  it.effect("of a frame that cannot be read comes after everything before it", () =>
    Effect.gen(function* () {
      const { error, text } = yield* decoded(sse(said("a"), "{broken"), sse(stop))
      assert.deepStrictEqual(error?.reason, { _tag: "InvalidOutput", kind: "malformedFrame" })
      assert.strictEqual(text, "a")
    })
  )

  it.effect("of the framing comes after the frames that were complete", () =>
    Effect.gen(function* () {
      const { error, text } = yield* decoded(
        sse(said("a")),
        `${sse(said("b"))}data: ${"x".repeat(70 * 1024)}`,
        sse(stop)
      )
      assert.deepStrictEqual(error?.reason, { _tag: "InvalidOutput", kind: "frameTooLarge" })
      assert.strictEqual(text, "ab")
    })
  )

  it.effect("of the transport comes after what came before it", () =>
    Effect.gen(function* () {
      const broken = failure({ _tag: "Transport" }, "the line broke")
      const source = Stream.concat(Stream.make(bytes(sse(said("a")))), Stream.fail(broken))
      const { error, text } = yield* collected(decodeFrames(protocol)(source))
      assert.strictEqual(error, broken)
      assert.strictEqual(text, "a")
    })
  )

  it.effect("is what an answer that stops halfway ends in, after what it still owes", () =>
    Effect.gen(function* () {
      const { seen, error } = yield* decoded(sse(said("a")))
      assert.deepStrictEqual(error?.reason, { _tag: "IncompleteStream", kind: "noStop" })
      assert.deepStrictEqual(seen.at(-1)?.events, [{ _tag: "TextEnd", id: "text" }])
      assert.strictEqual(seen.at(-1)?.raw, "")
    })
  )
})

describe("an answer that is complete while its connection stays open", () => {
  const complete = Stream.make(bytes(sse(said("a"), stop)))

  it.effect("ends after a moment, and lets the connection go", () =>
    Effect.gen(function* () {
      let released = false
      const source = Stream.concat(complete, Stream.never).pipe(Stream.ensuring(Effect.sync(() => (released = true))))
      const fiber = yield* Effect.forkChild(collected(decodeFrames(protocol)(source)))
      yield* TestClock.adjust("249 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { text, error } = yield* Fiber.join(fiber)
      assert.strictEqual(text, "a")
      assert.isUndefined(error)
      assert.isTrue(released)
    })
  )

  it.effect("delivers the answer before that", () =>
    Effect.gen(function* () {
      const came = yield* Deferred.make<string>()
      const fiber = yield* decodeFrames(protocol)(Stream.concat(complete, Stream.never)).pipe(
        Stream.runForEachArray((batch) => Deferred.succeed(came, textOf(batch))),
        Effect.forkChild
      )
      assert.strictEqual(yield* Deferred.await(came), "a")
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("is not kept open by what still drips", () =>
    Effect.gen(function* () {
      const drip = Stream.fromEffectRepeat(Effect.as(Effect.sleep("100 millis"), bytes(sse("ping"))))
      const fiber = yield* Effect.forkChild(collected(decodeFrames(protocol)(Stream.concat(complete, drip))))
      yield* TestClock.adjust("250 millis")
      const { seen } = yield* Fiber.join(fiber)
      assert.strictEqual(seen.length, 4)
    })
  )

  it.effect("still gets its terminator, and ends at once with the transport", () =>
    Effect.gen(function* () {
      const later = Stream.fromEffect(Effect.as(Effect.sleep("100 millis"), bytes(sse("over"))))
      const fiber = yield* Effect.forkChild(collected(decodeFrames(protocol)(Stream.concat(complete, later))))
      yield* TestClock.adjust("100 millis")
      const { seen } = yield* Fiber.join(fiber)
      assert.strictEqual(seen.at(-1)?.raw, sse("over"))
    })
  )
})

const Pieces = Arbitrary.array(Arbitrary.schema(Schema.Literals(["a", "é", "漢字", "👋🏽", "\\n", '"', "data: "])), {
  maxLength: 5
})
const Texts = Arbitrary.array(
  Arbitrary.map(Pieces, (pieces) => pieces.join("")),
  { maxLength: 5 }
)
const LineEnd = Arbitrary.schema(Schema.Literals(["\n", "\r\n", "\r"]))
const Ending = Arbitrary.schema(Schema.Literals([stop, '{"error":"no"}', "{broken", ""]))
const Cuts = Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))), {
  minLength: 1,
  maxLength: 6
})

it.effect.prop(
  "are the same for every split of the bytes",
  [Texts, LineEnd, Ending, Cuts],
  ([texts, eol, ending, cuts]) =>
    Effect.gen(function* () {
      const all = bytes(
        [...texts.map(said), ending, "ping"].map((data) => `data: ${data}${eol}${eol}`).join(`: comment${eol}${eol}`)
      )
      const pieces: Array<Uint8Array> = []
      for (let at = 0, cut = 0; at < all.length; cut++) {
        const size = cuts[cut % cuts.length]!
        pieces.push(all.subarray(at, at + size))
        at += size
      }
      const run = (source: Stream.Stream<Uint8Array>) => collected(decodeFrames(protocol)(source))
      const whole = yield* run(Stream.make(all))
      assert.deepStrictEqual(yield* run(Stream.fromIterable(pieces).pipe(Stream.rechunk(1))), whole)
      assert.deepStrictEqual(yield* run(Stream.fromIterable(pieces).pipe(Stream.rechunk(3))), whole)
      assert.strictEqual(whole.text, texts.join(""))
    })
)
