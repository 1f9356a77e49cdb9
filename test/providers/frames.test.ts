import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema, Stream } from "effect"
import type { Frame } from "../../src/domain/Frame.ts"
import { failure, type LlmError } from "../../src/domain/LlmError.ts"
import { anthropicMessages } from "../../src/protocols/anthropic-messages/outbound.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
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

describe("what is written after the end of an answer", () => {
  const frame = (document: { readonly type?: string; readonly [field: string]: unknown }) =>
    `${document.type === undefined ? "" : `event: ${document.type}\n`}data: ${JSON.stringify(document)}\n\n`
  const chunk = (delta: object, finish_reason: string | null = null) =>
    frame({ id: "c", choices: [{ index: 0, delta, finish_reason }] })
  const block = (index: number, text: string) => [
    frame({ type: "content_block_start", index, content_block: { type: "text", text: "" } }),
    frame({ type: "content_block_delta", index, delta: { type: "text_delta", text } }),
    frame({ type: "content_block_stop", index })
  ]
  const message = { id: "m", type: "message", role: "assistant", content: [], usage: { input_tokens: 1 } }
  const rows = [
    {
      protocol: openAiChat,
      answer: [chunk({ content: "answer" }), chunk({}, "stop")],
      late: [chunk({ content: "late" }), chunk({ tool_calls: [{ index: 0, id: "x", function: { name: "f" } }] })],
      end: [chunk({ content: "" }, "stop"), frame({ id: "c", choices: [], usage: {} }), "data: [DONE]\n\n"]
    },
    {
      protocol: anthropicMessages,
      answer: [
        frame({ type: "message_start", message }),
        ...block(0, "answer").slice(0, 2),
        frame({ type: "message_delta", delta: { stop_reason: "end_turn" } })
      ],
      late: block(1, "late"),
      end: [...block(0, "").slice(2), frame({ type: "message_stop" })]
    }
  ]
  for (const { protocol, answer, late, end } of rows) {
    it.effect(`is no part of it, and is not handed on as it stands: ${protocol.id}`, () =>
      Effect.gen(function* () {
        const all = bytes([...answer, ...late, ...end].join(""))
        const { seen, text } = yield* collected(decodeFrames(protocol)(Stream.succeed(all)))
        assert.strictEqual(text, "answer")
        assert.strictEqual(seen.map(({ raw = "" }) => raw).join(""), [...answer, ...end].join(""))
      })
    )
  }
})
