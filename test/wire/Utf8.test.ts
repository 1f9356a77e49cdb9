import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Utf8Decoder } from "../../src/wire/Utf8.ts"
import { cut, everyCut, Sizes, utf8 } from "./decoding.ts"

const decode = (pieces: Iterable<Uint8Array>) => {
  const decoder = new Utf8Decoder()
  let text = ""
  for (const piece of pieces) text += decoder.write(piece)
  return { text: text + decoder.end(), invalid: decoder.invalidSequences }
}

// Lead bytes of every length, continuation bytes at the borders of what may follow them, and bytes that are never valid.
const bytes = Schema.Array(
  Schema.Literals([
    0x41, 0x7f, 0x80, 0x82, 0x8f, 0x90, 0x9f, 0xa0, 0xac, 0xbf, 0xbd, 0xbb, 0xc0, 0xc3, 0xe0, 0xe2, 0xed, 0xef, 0xf0,
    0xf4, 0xf5, 0xff
  ])
)

const countIn = (haystack: Buffer, needle: ReadonlyArray<number>): number => {
  let count = 0
  for (let at = 0; at + needle.length <= haystack.length; at++) {
    if (needle.every((byte, index) => haystack[at + index] === byte)) count++
  }
  return count
}

describe("UTF-8 in pieces", () => {
  it.prop(
    "is what the platform's decoder makes of the whole, and each replacement is counted",
    [bytes, Sizes],
    ([values, sizes]) => {
      const whole = Buffer.from(values)
      const expected = new TextDecoder().decode(whole)
      const { text, invalid } = decode(cut(whole, sizes))
      assert.strictEqual(text, expected)
      assert.strictEqual(invalid, expected.split("\uFFFD").length - 1 - countIn(whole, [0xef, 0xbf, 0xbd]))
    },
    { arbitrary: { runs: 3000 } }
  )

  it("joins characters of every length that are cut anywhere", () => {
    const text = "aé€😀\u{10FFFF}\uFFFDz"
    for (const pieces of everyCut(utf8(text))) assert.deepStrictEqual(decode(pieces), { text, invalid: 0 })
  })

  it("counts what it replaced and not the U+FFFD that was sent", () => {
    const mixed = Buffer.concat([Buffer.from("\uFFFD a "), Buffer.from([0xff]), Buffer.from(" \uFFFD\uFFFD")])
    for (const pieces of everyCut(mixed)) {
      assert.deepStrictEqual(decode(pieces), { text: "\uFFFD a \uFFFD \uFFFD\uFFFD", invalid: 1 })
    }
  })

  it("replaces a character that never ends", () => {
    assert.deepStrictEqual(decode([utf8("ok"), Uint8Array.of(0xf0, 0x9f), Uint8Array.of(0x98)]), {
      text: "ok\uFFFD",
      invalid: 1
    })
  })

  it("drops a byte order mark at the start and nowhere else", () => {
    for (const pieces of everyCut(utf8("\uFEFFa\uFEFF"))) {
      assert.deepStrictEqual(decode(pieces), { text: "a\uFEFF", invalid: 0 })
    }
  })

  it("does not read the bytes again after it returned", () => {
    const decoder = new Utf8Decoder()
    const piece = Uint8Array.of(0x61, 0xe2, 0x82)
    assert.strictEqual(decoder.write(piece), "a")
    piece.fill(0)
    assert.strictEqual(decoder.write(Uint8Array.of(0xac)), "€")
  })
})
