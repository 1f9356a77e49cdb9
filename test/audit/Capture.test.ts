import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import { abridge, capture, captureText, excerpt } from "../../src/audit/Capture.ts"

const codePoints = ["a", "é", "漢", "🦀", "\u0000", "\uFFFD"]
const Text = Schema.Array(Schema.Literals(codePoints)).pipe(Schema.check(Schema.isMaxLength(60)))
const Edge = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))

const sizeOf = (text: string) => Buffer.byteLength(text, "utf8")

describe("an excerpt", () => {
  it.effect.prop("has both ends, cut at code points, and says how much is missing", [Text, Edge], ([parts, edge]) =>
    Effect.sync(() => {
      const text = parts.join("")
      const short = excerpt(text, edge)
      if (typeof short === "string") {
        assert.strictEqual(short, text)
        assert.isAtMost(sizeOf(text), 2 * edge)
        return
      }
      assert.isAbove(sizeOf(text), 2 * edge)
      assert.isTrue(text.startsWith(short.head))
      assert.isTrue(text.endsWith(short.tail))
      assert.isTrue(short.head.isWellFormed() && short.tail.isWellFormed())
      for (const end of [short.head, short.tail]) {
        assert.isAtMost(sizeOf(end), edge)
        assert.isAbove(sizeOf(end), edge - 4)
      }
      assert.strictEqual(sizeOf(short.head) + short.omittedBytes + sizeOf(short.tail), sizeOf(text))
    })
  )

  it("reads as one text with a mark in the middle", () => {
    const text = "a".repeat(8192) + "🦀" + "z".repeat(8192)
    assert.strictEqual(abridge(text), `${"a".repeat(8192)}\n[… 4 bytes omitted …]\n${"z".repeat(8192)}`)
    assert.strictEqual(abridge("short"), "short")
  })
})

describe("what is captured", () => {
  const value = { text: "é".repeat(10) }
  const text = JSON.stringify(value)
  const sha256 = createHash("sha256").update(text).digest("hex")

  it("is the document with size and fingerprint, these alone, or nothing", () => {
    const payload = { bytes: sizeOf(text), sha256 }
    assert.deepStrictEqual(capture("full", value), { payload, text })
    assert.deepStrictEqual(capture("metadata", value), { payload, text: null })
    assert.deepStrictEqual(capture("off", value), { payload: undefined, text: null })
    assert.deepStrictEqual(capture("full", undefined), { payload: undefined, text: null })
  })

  it("is whole up to 256 KiB, beyond it 8 KiB of each end", () => {
    const limit = 256 * 1024
    const whole = JSON.stringify("é".repeat(limit / 2 - 1))
    assert.strictEqual(sizeOf(whole), limit)
    assert.strictEqual(captureText("full", whole).text, whole)

    const long = JSON.stringify("é".repeat(limit / 2))
    const { payload, text } = captureText("full", long)
    assert.isNull(text)
    assert.strictEqual(payload?.bytes, limit + 2)
    assert.strictEqual(payload?.sha256, createHash("sha256").update(long).digest("hex"))
    // the quotation mark puts the boundary into the middle of a letter
    assert.strictEqual(sizeOf(payload?.excerpt?.head ?? ""), 8191)
    assert.strictEqual(payload?.excerpt?.omittedBytes, limit + 2 - 2 * 8191)
  })

  it("has no excerpt where content is not wanted", () => {
    assert.isUndefined(captureText("metadata", "x".repeat(300_000)).payload?.excerpt)
  })
})
