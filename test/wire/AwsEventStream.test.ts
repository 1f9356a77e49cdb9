import { existsSync, globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeAwsEventStreamDecoder } from "../../src/wire/AwsEventStream.ts"
import type { CorruptFrame, WireFrame } from "../../src/wire/Frame.ts"
import { awsEvent, awsException, sealAwsMessage } from "../../src/wire/AwsMessage.ts"
import { awsMessage, type Headers } from "./awsEvents.ts"
import { cut, decode, everyCut, numbers, Sizes } from "./decoding.ts"

const frame = (event: string, data: string): WireFrame => ({ raw: data, event, data })
const decoded = (...messages: ReadonlyArray<Uint8Array>) =>
  decode(makeAwsEventStreamDecoder(), [Buffer.concat(messages)])

const everyType: Headers = {
  ":message-type": "event",
  yes: { bool: true },
  no: { bool: false },
  byte: { int8: 7 },
  short: { int16: -2 },
  integer: { int32: 70_000 },
  long: { int64: -(2n ** 40n) },
  blob: { bytes: Uint8Array.of(0, 255) },
  text: "漢字 👋🏽",
  moment: { timestamp: 1_800_000_000_000 },
  id: { uuid: new Uint8Array(16).fill(9) },
  ":event-type": "last"
}

/** The message with one bit of one byte turned. */
const damaged = (message: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(message)
  copy[at]! ^= 1
  return copy
}

describe("a message", () => {
  it("is a frame with the name of its event and its payload as text", () => {
    assert.deepStrictEqual(decoded(awsEvent("messageStart", { role: "assistant" }), awsEvent("ping", "é")).frames, [
      frame("messageStart", '{"role":"assistant"}'),
      frame("ping", '"é"')
    ])
  })

  it("may have headers of every type, and a payload or headers that are empty", () => {
    assert.deepStrictEqual(decoded(awsMessage(everyType, ""), awsMessage({}, "{}")).frames, [
      frame("last", ""),
      frame("", "{}")
    ])
  })

  it("that tells an exception says so in its event", () => {
    assert.deepStrictEqual(decoded(awsException("throttlingException", { message: "slow" })).frames, [
      frame("exception:throttlingException", '{"message":"slow"}')
    ])
  })

  it("that tells an error has the reason in its headers", () => {
    const headers = { ":message-type": "error", ":error-code": "InternalError", ":error-message": 'bad "luck"' }
    assert.deepStrictEqual(decoded(awsMessage(headers, ""), awsMessage(headers, "{}")).frames, [
      frame("error:InternalError", '{"message":"bad \\"luck\\""}'),
      frame("error:InternalError", "{}")
    ])
  })

  it("may hold bytes that are not UTF-8, which are counted", () => {
    const { frames, invalidSequences } = decoded(
      awsMessage({}, Uint8Array.of(0x61, 0xff)),
      awsMessage({}, Uint8Array.of(0xe6)),
      awsMessage({}, Uint8Array.of(0xa5, 0x62))
    )
    assert.deepStrictEqual(
      frames.map(({ data }) => data),
      ["a\uFFFD", "\uFFFD", "\uFFFDb"]
    )
    assert.strictEqual(invalidSequences, 3)
  })
})

describe("a stream", () => {
  it("gives the same frames however the bytes are cut", () => {
    const bytes = Buffer.concat([awsEvent("a", "é"), awsMessage(everyType, "漢"), awsEvent("b", {})])
    const expected = decode(makeAwsEventStreamDecoder(), [bytes])
    assert.deepStrictEqual(
      expected.frames.map(({ event }) => event),
      ["a", "last", "b"]
    )
    for (const pieces of everyCut(bytes)) assert.deepStrictEqual(decode(makeAwsEventStreamDecoder(), pieces), expected)
  })

  it("survives reads whose bytes are used again", () => {
    const bytes = Buffer.concat([awsEvent("a", "first"), awsEvent("b", "second")])
    const decoder = makeAwsEventStreamDecoder()
    const frames: Array<WireFrame> = []
    const read = Buffer.alloc(10)
    for (let from = 0; from < bytes.length; from += read.length) {
      const count = bytes.copy(read, 0, from)
      decoder.feed(read.subarray(0, count), frames)
      read.fill(0)
    }
    assert.deepStrictEqual(frames, [frame("a", '"first"'), frame("b", '"second"')])
  })

  it.prop(
    "loses nothing",
    [Schema.Array(Schema.Struct({ name: Schema.String, data: Schema.String })), Sizes],
    (input) => {
      const messages = input[0].map(({ name, data }) => awsMessage({ ":event-type": name }, data))
      const { frames, error } = decode(makeAwsEventStreamDecoder(), cut(Buffer.concat(messages), input[1]))
      const text = (value: string) => Buffer.from(value).toString()
      assert.strictEqual(error, undefined)
      assert.deepStrictEqual(
        frames.map(({ event, data }) => [event, data.replaceAll("\uFEFF", "")]),
        input[0].map(({ name, data }) => [text(name), text(data).replaceAll("\uFEFF", "")])
      )
    }
  )

  it("that is cut keeps the messages that were complete", () => {
    const [first, second] = [awsEvent("a", 1), awsEvent("b", 2)]
    for (let length = 0; length < second.length; length++) {
      for (const size of [1, 1000]) {
        const bytes = Buffer.concat([first, second.subarray(0, length)])
        const { frames, error } = decode(makeAwsEventStreamDecoder(), cut(bytes, [size]))
        assert.deepStrictEqual(frames, [frame("a", "1")])
        assert.strictEqual(error, undefined)
      }
    }
  })

  it("takes a message of nearly 16 MiB in small reads", () => {
    const data = "x".repeat(16 * 1024 * 1024 - 16)
    const { frames, error } = decode(makeAwsEventStreamDecoder(), cut(awsMessage({}, data), [1024]))
    assert.strictEqual(error, undefined)
    assert.isTrue(frames.length === 1 && frames[0]!.data === data)
  })
})

describe("a message that contradicts itself", () => {
  const good = awsEvent("a", 1)

  const expectCorrupt = (bad: Uint8Array, problem: CorruptFrame["problem"]): void => {
    for (const size of [1, 7, 1000]) {
      const bytes = Buffer.concat([good, bad, good])
      const result = decode(makeAwsEventStreamDecoder(), cut(bytes, [size]))
      assert.deepStrictEqual(result.frames, [frame("a", "1")])
      assert.deepStrictEqual(result.error, { _tag: "CorruptFrame", problem })
    }
  }

  it("is found by the checksum of its prelude or of the whole, wherever a bit is turned", () => {
    for (let at = 0; at < good.length; at++) expectCorrupt(damaged(good, at), "checksum")
  })

  it("is found by its lengths", () => {
    expectCorrupt(sealAwsMessage(Buffer.alloc(0), Buffer.alloc(3), 4), "length")
  })

  it.each([
    ["no value", [1, 97]],
    ["a type that is none", [1, 97, 10]],
    ["a text that is longer than all headers", [1, 97, 7, 0, 9, 120]],
    ["a length that is cut", [1, 97, 7, 0]],
    ["a number that is cut", [1, 97, 4, 0, 0]],
    ["a name that is longer than all headers", [9, 97, 0]]
  ])("is found by headers that have %s", (_name, headers) => {
    expectCorrupt(sealAwsMessage(Buffer.from(headers), Buffer.from("{}")), "headers")
  })

  it("is refused over the limit as soon as its length is known, and what came before it is kept", () => {
    const large = awsMessage({}, "x".repeat(200))
    for (const size of [1, 50, 1000]) {
      const bytes = Buffer.concat([good, large.subarray(0, 12)])
      const result = decode(makeAwsEventStreamDecoder({ maxFrameBytes: 200 }), cut(bytes, [size]))
      assert.deepStrictEqual(result.frames, [frame("a", "1")])
      assert.deepStrictEqual(result.error, { _tag: "FrameTooLarge", limit: 200 })
    }
    assert.strictEqual(decode(makeAwsEventStreamDecoder({ maxFrameBytes: 216 }), [large]).error, undefined)
  })

  it("ends the stream: everything after it is the same error", () => {
    const decoder = makeAwsEventStreamDecoder()
    const frames: Array<WireFrame> = []
    const error = decoder.feed(damaged(good, good.length - 1), frames)
    assert.deepStrictEqual(error, { _tag: "CorruptFrame", problem: "checksum" })
    assert.strictEqual(decoder.feed(good, frames), error)
    assert.strictEqual(decoder.end(frames), error)
    assert.deepStrictEqual(frames, [])
  })
})

const corpus = fileURLToPath(new URL("../../../shared/wire", import.meta.url))
const present = existsSync(corpus)
if (!present) process.stderr.write(`skipped: no recorded streams at ${corpus}\n`)

describe.skipIf(!present)("recorded AWS event streams", () => {
  const paths = present ? globSync("**/*.stream.eventstream", { cwd: corpus }).toSorted() : []

  it("are there", () => assert.isAbove(paths.length, 20))

  it.each(paths)("%s is framed alike however it is cut, and each payload is JSON", (path) => {
    const bytes = readFileSync(`${corpus}/${path}`)
    const whole = decode(makeAwsEventStreamDecoder(), [bytes])
    assert.strictEqual(whole.error, undefined)
    assert.strictEqual(whole.invalidSequences, 0)
    for (const { event, data } of whole.frames) {
      assert.match(event, /^[a-zA-Z]+$/)
      assert.doesNotThrow(() => JSON.parse(data))
    }
    assert.deepStrictEqual(decode(makeAwsEventStreamDecoder(), cut(bytes, [1])), whole)
    if (bytes.length < 3000) {
      for (let offset = 0; offset <= bytes.length; offset++) {
        const pieces = [bytes.subarray(0, offset), bytes.subarray(offset)]
        assert.deepStrictEqual(decode(makeAwsEventStreamDecoder(), pieces), whole)
      }
    }
    const next = numbers(bytes.length)
    for (let round = 0; round < 8; round++) {
      const sizes = Array.from({ length: 40 }, () => next(round < 4 ? 8 : 600))
      assert.deepStrictEqual(decode(makeAwsEventStreamDecoder(), cut(bytes, sizes)), whole)
    }
  })
})
