import { existsSync, globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { WireFrame } from "../../src/wire/Frame.ts"
import { makeJsonArrayDecoder } from "../../src/wire/JsonArray.ts"
import { cut, decode, everyCut, numbers, Sizes, utf8 } from "./decoding.ts"

const frame = (raw: string, data: string): WireFrame => ({ raw, event: "", data })

const framesOf = (text: string): ReadonlyArray<WireFrame> => decode(makeJsonArrayDecoder(), [utf8(text)]).frames
const joined = (frames: ReadonlyArray<WireFrame>): string => frames.map(({ raw }) => raw).join("")

describe("a JSON array", () => {
  it("makes a frame of each element, and one of what closes it", () => {
    assert.deepStrictEqual(framesOf('[{"a":1}\n,\r\n{"b":[{}]}\n]\n'), [
      frame('[{"a":1}', '{"a":1}'),
      frame('\n,\r\n{"b":[{}]}', '{"b":[{}]}'),
      frame("\n]", ""),
      frame("\n", "")
    ])
  })

  it("has an element as soon as it is complete, before any separator", () => {
    const decoder = makeJsonArrayDecoder()
    const frames: Array<WireFrame> = []
    decoder.feed(utf8('[{"a":"}'), frames)
    assert.deepStrictEqual(frames, [])
    decoder.feed(utf8('"}'), frames)
    assert.deepStrictEqual(frames, [frame('[{"a":"}"}', '{"a":"}"}')])
  })

  it("is not misled by brackets, commas, quotes and escapes in strings", () => {
    const element = JSON.stringify({ 'k"]}': 'a\\"],[{', empty: "", slash: "\\", nested: [["]", { a: '"' }]] })
    assert.deepStrictEqual(framesOf(`[${element},${element}]`), [
      frame(`[${element}`, element),
      frame(`,${element}`, element),
      frame("]", "")
    ])
  })

  it("takes elements that are no objects", () => {
    assert.deepStrictEqual(
      framesOf('[1, "a]" ,[2],null\n]').map(({ data }) => data),
      ["1", '"a]"', "[2]", "null", ""]
    )
  })

  it("takes an empty array, and nothing at all", () => {
    assert.deepStrictEqual(framesOf("\uFEFF [ ]"), [frame(" [ ]", "")])
    assert.deepStrictEqual(framesOf(""), [])
  })

  it("takes a lone document, as a server writes that fails before it begins the array", () => {
    assert.deepStrictEqual(framesOf('{"error":{}}\n'), [frame('{"error":{}}', '{"error":{}}'), frame("\n", "")])
  })

  it("keeps an element that was cut as the last frame", () => {
    assert.deepStrictEqual(framesOf('[{"a":1},\n{"b":"'), [frame('[{"a":1}', '{"a":1}'), frame(',\n{"b":"', '{"b":"')])
    assert.deepStrictEqual(framesOf("[12"), [frame("[12", "12")])
  })

  it("gives the same frames however the bytes are cut", () => {
    const text = '[{\n  "é": "😀\\"]"\n}\n,\n{}\r\n]\n'
    const expected = framesOf(text)
    assert.deepStrictEqual(
      expected.map(({ data }) => data),
      ['{\n  "é": "😀\\"]"\n}', "{}", "", ""]
    )
    for (const pieces of everyCut(utf8(text))) {
      assert.deepStrictEqual(decode(makeJsonArrayDecoder(), pieces).frames, expected)
    }
  })

  it.prop("finds the elements of any array and loses nothing", [Schema.Array(Schema.Json), Sizes], (input) => {
    for (const text of [JSON.stringify(input[0]), JSON.stringify(input[0], null, 2)]) {
      const { frames } = decode(makeJsonArrayDecoder(), cut(utf8(text), input[1]))
      assert.strictEqual(joined(frames), text)
      assert.strictEqual(frames.at(-1)?.data, "")
      assert.deepStrictEqual(
        frames.slice(0, -1).map(({ data }) => JSON.stringify(JSON.parse(data))),
        input[0].map((element) => JSON.stringify(element))
      )
    }
  })

  it("refuses an element over the limit, finished or not, and keeps those before it", () => {
    for (const text of ['["1",\n"2345678"]', '["1",\n"2345678']) {
      for (const size of [1, 4, 100]) {
        const decoded = decode(makeJsonArrayDecoder({ maxFrameBytes: 9 }), cut(utf8(text), [size]))
        assert.deepStrictEqual(decoded.frames, [frame('["1"', '"1"')])
        assert.deepStrictEqual(decoded.error, { _tag: "FrameTooLarge", limit: 9 })
      }
    }
  })

  it("takes an element of nearly 16 MiB in small reads", () => {
    const data = `"${"x".repeat(16 * 1024 * 1024 - 3)}"`
    const { frames, error } = decode(makeJsonArrayDecoder(), cut(utf8(`[${data}]`), [1024]))
    assert.strictEqual(error, undefined)
    assert.isTrue(frames.length === 2 && frames[0]!.data === data)
  })

  it("counts bytes that are not UTF-8", () => {
    const decoded = decode(makeJsonArrayDecoder(), [Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d)])
    assert.deepStrictEqual(decoded.frames, [frame('["\uFFFD"', '"\uFFFD"'), frame("]", "")])
    assert.strictEqual(decoded.invalidSequences, 1)
  })
})

const corpus = fileURLToPath(new URL("../../../shared/wire", import.meta.url))
const present = existsSync(corpus)
if (!present) process.stderr.write(`skipped: no recorded streams at ${corpus}\n`)

describe.skipIf(!present)("recorded JSON arrays", () => {
  it("are framed alike however they are cut, and each element is JSON", () => {
    const paths = globSync("**/*.stream.jsonarray", { cwd: corpus }).toSorted()
    assert.isAbove(paths.length, 0)
    for (const path of paths) {
      const bytes = readFileSync(`${corpus}/${path}`)
      const whole = decode(makeJsonArrayDecoder(), [bytes])
      const next = numbers(bytes.length)
      for (let round = 0; round < 8; round++) {
        const sizes = Array.from({ length: 40 }, () => next(round < 4 ? 8 : 600))
        assert.deepStrictEqual(decode(makeJsonArrayDecoder(), cut(bytes, sizes)), whole, path)
      }
      assert.strictEqual(joined(whole.frames), bytes.toString(), path)
      const elements = whole.frames.filter(({ data }) => data !== "").map(({ data }) => JSON.parse(data) as unknown)
      assert.deepStrictEqual(elements, JSON.parse(bytes.toString()), path)
    }
  })
})
