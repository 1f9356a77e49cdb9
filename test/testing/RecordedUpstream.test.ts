import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema, Stream } from "effect"
import { recordedFrames, recordedUpstream, splitBytes } from "../../src/testing/RecordedUpstream.ts"
import { tinyProtocol } from "../providers/tinyProtocol.ts"

const protocol = tinyProtocol("tiny")
const recording = new TextEncoder().encode(
  ["hello ", "wörld 👋🏽"].map((text) => `data: ${JSON.stringify({ text })}\n\n`).join("") + 'data: {"stop":true}\n\n'
)

describe("a recording", () => {
  it.effect("is the frames that the protocol reads in it", () =>
    Effect.gen(function* () {
      const frames = yield* Stream.runCollect(recordedFrames(protocol, recording))
      assert.strictEqual(frames.map(({ raw }) => raw).join(""), new TextDecoder().decode(recording))
      assert.deepStrictEqual(
        frames.map(({ events }) => events[0]?._tag),
        ["TextDelta", "TextDelta", "Finish"]
      )
    })
  )

  it.effect("is the same frames wherever it is cut", () =>
    Effect.gen(function* () {
      const whole = yield* Stream.runCollect(recordedFrames(protocol, recording))
      for (let splitSeed = 0; splitSeed < 20; splitSeed++) {
        const cut = yield* Stream.runCollect(recordedFrames(protocol, recording, { splitSeed }))
        assert.deepStrictEqual(cut, whole)
      }
    })
  )

  it.effect("answers every request the same, as a provider would", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const upstream = recordedUpstream(protocol, recording)
      const answer = upstream.stream({
        request: { model: "model", messages: [], sampling: {} },
        model: "model",
        delivery: "stream",
        dialect: undefined,
        origin: undefined,
        observer: {
          connected: () => told.push("connected"),
          head: (status) => told.push(`head ${status}`),
          bytes: (count) => told.push(`bytes ${count}`),
          notice: () => undefined
        }
      })
      assert.deepStrictEqual(yield* Stream.runCollect(answer), yield* Stream.runCollect(answer))
      const once = ["connected", "head 200", `bytes ${recording.length}`]
      assert.deepStrictEqual(told, [...once, ...once])
    })
  )
})

const Bytes = Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))), {
  maxLength: 500
})
const Seed = Arbitrary.schema(Schema.Int)

it.effect.prop(
  "cuts lose nothing, are of 1 to 64 bytes, and the same for the same seed",
  [Bytes, Seed],
  ([all, seed]) =>
    Effect.sync(() => {
      const bytes = Uint8Array.from(all)
      const pieces = splitBytes(bytes, seed)
      assert.deepStrictEqual(Buffer.concat(pieces), Buffer.from(bytes))
      for (const piece of pieces) assert.isTrue(piece.length >= 1 && piece.length <= 64)
      assert.deepStrictEqual(splitBytes(bytes, seed), pieces)
    })
)
