import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { WireFrame } from "../../src/wire/Frame.ts"
import { makeJsonLinesDecoder } from "../../src/wire/JsonLines.ts"
import { cut, decode, everyCut, Sizes, utf8 } from "./decoding.ts"

const frame = (raw: string, data: string): WireFrame => ({ raw, event: "", data })

const framesOf = (text: string): ReadonlyArray<WireFrame> => decode(makeJsonLinesDecoder(), [utf8(text)]).frames

describe("newline-delimited JSON", () => {
  it("makes a frame of each line", () => {
    assert.deepStrictEqual(framesOf('{"a":1}\n[2]\r\n'), [frame('{"a":1}\n', '{"a":1}'), frame("[2]\r\n", "[2]")])
  })

  it("skips blank lines and a byte order mark", () => {
    assert.deepStrictEqual(framesOf("\uFEFF\n\r\n 1\n \t \n\n"), [frame(" 1\n", " 1")])
  })

  it("counts a last line without its end", () => {
    assert.deepStrictEqual(framesOf("1\n2"), [frame("1\n", "1"), frame("2\n", "2")])
    assert.deepStrictEqual(framesOf("1\n  "), [frame("1\n", "1")])
  })

  it("takes a CR inside a line for white space", () => {
    assert.deepStrictEqual(framesOf("[1,\r2]\n"), [frame("[1,\r2]\n", "[1,\r2]")])
  })

  it("gives the same frames however the bytes are cut", () => {
    const text = '{"text":"é😀"}\r\n\n{"text":"\uFFFD"}\n3'
    const expected = [
      frame('{"text":"é😀"}\r\n', '{"text":"é😀"}'),
      frame('{"text":"\uFFFD"}\n', '{"text":"\uFFFD"}'),
      frame("3\n", "3")
    ]
    for (const pieces of everyCut(utf8(text))) {
      assert.deepStrictEqual(decode(makeJsonLinesDecoder(), pieces).frames, expected)
    }
  })

  it.prop(
    "loses nothing but blank lines",
    [Schema.Array(Schema.Literals(["{}", "é", "\n", "\r\n", " "])), Sizes],
    (input) => {
      const text = input[0].join("")
      const lines = text.split("\n").filter((line) => line.trim() !== "")
      const { frames } = decode(makeJsonLinesDecoder(), cut(utf8(text), input[1]))
      assert.deepStrictEqual(
        frames.map(({ raw }) => raw),
        lines.map((line) => `${line}\n`)
      )
      assert.deepStrictEqual(
        frames.map(({ data }) => data),
        lines.map((line) => line.replace(/\r$/, ""))
      )
    }
  )

  it("refuses a line over the limit, finished or not, and keeps those before it", () => {
    for (const text of ["1\n2345678901\n", "1\n2345678901"]) {
      for (const size of [1, 4, 100]) {
        const decoded = decode(makeJsonLinesDecoder({ maxFrameBytes: 9 }), cut(utf8(text), [size]))
        assert.deepStrictEqual(decoded.frames, [frame("1\n", "1")])
        assert.deepStrictEqual(decoded.error, { _tag: "FrameTooLarge", limit: 9 })
      }
    }
  })

  it("takes a line of 16 MiB in small reads", () => {
    const data = `"${"x".repeat(16 * 1024 * 1024 - 3)}"`
    const { frames, error } = decode(makeJsonLinesDecoder(), cut(utf8(`${data}\n`), [1024]))
    assert.strictEqual(error, undefined)
    assert.isTrue(frames.length === 1 && frames[0]!.data === data)
  })

  it("counts bytes that are not UTF-8", () => {
    const decoded = decode(makeJsonLinesDecoder(), [Uint8Array.of(0x22, 0xff, 0x22, 0x0a)])
    assert.deepStrictEqual(decoded.frames, [frame('"\uFFFD"\n', '"\uFFFD"')])
    assert.strictEqual(decoded.invalidSequences, 1)
  })
})
