import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { WireFrame } from "../../src/wire/Frame.ts"
import { makeSseDecoder, sseComment, sseFrame } from "../../src/wire/Sse.ts"
import { cut, decode, everyCut, numbers, Sizes, utf8 } from "./decoding.ts"

const frame = (raw: string, data: string, event = ""): WireFrame => ({ raw, event, data })

const framesOf = (text: string): ReadonlyArray<WireFrame> => decode(makeSseDecoder(), [utf8(text)]).frames

/** The format once more, over the whole text and without regard to cost. */
const model = (text: string): ReadonlyArray<WireFrame> => {
  const frames: Array<WireFrame> = []
  let leading = ""
  let lines: Array<{ readonly content: string; readonly end: string }> = []
  const endBlock = (blank: string) => {
    const fields = lines
      .filter(({ content }) => !content.startsWith(":"))
      .map(({ content }) => {
        const [, name, value] = /^([^:]*)(?:: ?([^]*))?$/.exec(content)!
        return { name, value: value ?? "" }
      })
    const data = fields.filter(({ name }) => name === "data")
    const raw = leading + lines.map(({ content, end }) => content + end).join("") + blank
    if (data.length > 0) {
      const event = fields.findLast(({ name }) => name === "event")?.value ?? ""
      frames.push({ raw, event, data: data.map(({ value }) => value).join("\n") })
      leading = ""
    } else if (fields.length > 0) {
      leading = raw
    }
    lines = []
  }
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text
  for (const [, content, end] of body.matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)) {
    if (content === "" && end !== "") endBlock(end!)
    else if (content !== "") lines.push({ content: content!, end: end! })
  }
  if (lines.length > 0) {
    const last = lines.at(-1)!.end
    const style = last !== "" ? last : (lines.at(-2)?.end ?? "\n")
    endBlock(last === "" ? style + style : style)
  }
  return frames
}

const pieces = Schema.Array(
  Schema.Literals([
    "data: x",
    "data:y",
    "data",
    "data:",
    "data:  two",
    'data: {"text":"é€😀\uFFFD"}',
    "dat",
    "database: no",
    "data x: no",
    "event: ping",
    "event",
    "eventful: no",
    ":",
    ": note",
    ":data: no",
    "id: 7",
    "retry: 100",
    "unknown",
    " data: no",
    "\n",
    "\r\n",
    "\r",
    "\n",
    "\n\n",
    "\r\n\r\n",
    "\uFEFF",
    "tail"
  ])
)

/** Bytes, written as Latin-1. */
const rawPieces = [
  "data: ",
  "data:a\n\n",
  ":c",
  "id:1",
  "\n",
  "\r\n",
  "\r",
  "\n\n",
  "\xe2\x82\xac",
  "\xe2",
  "\xff"
] as const

describe("server-sent events, line by line", () => {
  it("ends lines with LF, CRLF, CR, and any mixture of them", () => {
    assert.deepStrictEqual(framesOf("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\ndata: e\r\n\n"), [
      frame("data: a\n\n", "a"),
      frame("data: b\r\n\r\n", "b"),
      frame("data: c\r\r", "c"),
      frame("data: d\n\r\n", "d"),
      frame("data: e\r\n\n", "e")
    ])
  })

  it("takes one space after the colon away, and no other", () => {
    assert.deepStrictEqual(
      framesOf("data:a\n\ndata: b\n\ndata:  c \n\n").map(({ data }) => data),
      ["a", "b", " c "]
    )
  })

  it("joins the data lines of a frame", () => {
    const text = "data: one\ndata\ndata:\r\ndata: four\n\n"
    assert.deepStrictEqual(framesOf(text), [frame(text, "one\n\n\nfour")])
  })

  it("names the event by the last event line, for one frame only", () => {
    assert.deepStrictEqual(framesOf("event: a\nevent: b\ndata: 1\n\ndata: 2\n\ndata: 3\nevent:c\n\n"), [
      frame("event: a\nevent: b\ndata: 1\n\n", "1", "b"),
      frame("data: 2\n\n", "2"),
      frame("data: 3\nevent:c\n\n", "3", "c")
    ])
  })

  it("keeps comments, id, retry and unknown lines of a frame in its raw text alone", () => {
    const text = ": hello\nid: 4\nretry: 100\nwhat: ever\nwhat\ndata: x\n:\n\n"
    assert.deepStrictEqual(framesOf(text), [frame(text, "x")])
  })

  it("drops comment blocks and surplus blank lines", () => {
    assert.deepStrictEqual(framesOf("\n\n: PROCESSING\n\ndata: a\n\n\n\r\n: x\n: y\n\ndata: b\n\n:\n\n"), [
      frame("data: a\n\n", "a"),
      frame("data: b\n\n", "b")
    ])
  })

  it("makes no frame of a block without data and carries its text to the next frame", () => {
    assert.deepStrictEqual(framesOf("retry: 3000\n\n: note\n\nevent: lost\n\ndata: a\n\ndata: b\n\nevent: end\n\n"), [
      frame("retry: 3000\n\nevent: lost\n\ndata: a\n\n", "a"),
      frame("data: b\n\n", "b")
    ])
  })

  it("makes a frame of an empty data line", () => {
    assert.deepStrictEqual(framesOf("data\n\ndata:\n\n"), [frame("data\n\n", ""), frame("data:\n\n", "")])
  })

  it("leaves a byte order mark at the start out, and takes a later one as text", () => {
    assert.deepStrictEqual(framesOf("\uFEFFdata: \uFEFFa\n\n\uFEFFdata: b\n\n"), [
      frame("data: \uFEFFa\n\n", "\uFEFFa")
    ])
  })

  it("gives a frame as soon as its blank line is there", () => {
    const decoder = makeSseDecoder()
    const out: Array<WireFrame> = []
    decoder.feed(utf8("data: a\n\ndata: b\n"), out)
    assert.strictEqual(out.length, 1)
    decoder.feed(utf8("\n"), out)
    assert.strictEqual(out.length, 2)
    decoder.feed(utf8("data: c\r\n\r"), out)
    assert.strictEqual(out.length, 2)
    decoder.feed(utf8("\n"), out)
    assert.deepStrictEqual(out[2], frame("data: c\r\n\r\n", "c"))
  })

  it("counts bytes that are not UTF-8", () => {
    const bytes = Buffer.concat([utf8("data: \uFFFD"), Uint8Array.of(0xff), utf8("\n\n")])
    const { frames, invalidSequences } = decode(makeSseDecoder(), [bytes])
    assert.deepStrictEqual(frames, [frame("data: \uFFFD\uFFFD\n\n", "\uFFFD\uFFFD")])
    assert.strictEqual(invalidSequences, 1)
  })
})

describe("a last frame that was not terminated", () => {
  it.each([
    ["data: x", "data: x\n\n"],
    ["data: x\n", "data: x\n\n"],
    ["data: x\r\n", "data: x\r\n\r\n"],
    ["data: x\r", "data: x\r\r"],
    ["data: x\r\n\r", "data: x\r\n\r"],
    ["id: 1\r\ndata: x", "id: 1\r\ndata: x\r\n\r\n"]
  ])("counts, closed in its own line ends: %j", (text, raw) => {
    assert.deepStrictEqual(framesOf(text), [frame(raw, "x")])
    assert.deepStrictEqual(framesOf(raw), [frame(raw, "x")])
  })

  it("is none without data", () => {
    assert.deepStrictEqual(framesOf("data: a\n\nevent: b\nid: 3"), [frame("data: a\n\n", "a")])
    assert.deepStrictEqual(framesOf(": note"), [])
    assert.deepStrictEqual(framesOf(""), [])
  })
})

describe("how the bytes are cut", () => {
  it.each([
    "\uFEFFdata: a\r\n\r\n\r\ndata: é😀\r\n\r\n",
    ": c\n\nevent: e\ndata: 1\ndata: 2\n\nid: 1\n\ndata:3",
    "data: a\r\rdata: b\r\r\r:x\r\rdata\n\r\ndata: \uFFFD\n\n",
    "retry: 1\r\n\r\n: x\r\n\r\ndata: a\r\n: y\r\n\r\n"
  ])("never matters: %j", (text) => {
    const expected = model(text)
    for (const parts of everyCut(utf8(text))) assert.deepStrictEqual(decode(makeSseDecoder(), parts).frames, expected)
  })

  it.prop(
    "never matters for any text",
    [pieces, Sizes],
    ([parts, sizes]) => {
      const text = parts.join("")
      const expected = model(text)
      assert.deepStrictEqual(decode(makeSseDecoder(), [utf8(text)]).frames, expected)
      assert.deepStrictEqual(decode(makeSseDecoder(), cut(utf8(text), sizes)).frames, expected)
    },
    { arbitrary: { runs: 2000 } }
  )

  it.prop(
    "never matters for bytes that are not UTF-8 and for frames over the limit",
    [Schema.Array(Schema.Literals(rawPieces)), Sizes],
    ([parts, sizes]) => {
      const bytes = Buffer.from(parts.join(""), "latin1")
      const options = { maxFrameBytes: 24 }
      const whole = decode(makeSseDecoder(options), [bytes])
      const inPieces = decode(makeSseDecoder(options), cut(bytes, sizes))
      assert.deepStrictEqual(inPieces.frames, whole.frames)
      assert.deepStrictEqual(inPieces.error, whole.error)
      if (whole.error === undefined) assert.strictEqual(inPieces.invalidSequences, whole.invalidSequences)
    },
    { arbitrary: { runs: 2000 } }
  )

  it("never matters for lines longer than those that are scanned again", () => {
    const next = numbers(7)
    const text = Array.from({ length: 12 }, (_, index) => {
      const data = "é".repeat(next(3000))
      return `id: ${index}\r\ndata: ${data}\r\ndata: ${index}\r\n\r\n`
    }).join("")
    const expected = model(text)
    for (const size of [1, 7, 500, 1023, 1024, 1025, 4096]) {
      assert.deepStrictEqual(decode(makeSseDecoder(), cut(utf8(text), [size])).frames, expected)
    }
  })
})

describe("the limit of a frame", () => {
  const limit = 20
  const tooLarge = { _tag: "FrameTooLarge", limit } as const
  const fits = "data: 12345678901 \n\n"
  const over = "data: 123456789012 \n\n"

  it("is for the bytes of its text, and what came before it stands", () => {
    assert.strictEqual(utf8(fits).length, limit)
    for (const size of [1, 3, 1000]) {
      const decoded = decode(makeSseDecoder({ maxFrameBytes: limit }), cut(utf8(fits + over + fits), [size]))
      assert.deepStrictEqual(decoded.frames, [frame(fits, "12345678901 ")])
      assert.deepStrictEqual(decoded.error, tooLarge)
    }
  })

  it("counts bytes, not characters", () => {
    const accepted = "data: 漢漢漢漢\n\n"
    assert.strictEqual(utf8(accepted).length, limit)
    assert.strictEqual(decode(makeSseDecoder({ maxFrameBytes: limit }), [utf8(accepted)]).error, undefined)
    const refused = decode(makeSseDecoder({ maxFrameBytes: limit }), [utf8("data: 漢漢漢漢漢\n\n")])
    assert.deepStrictEqual(refused.error, tooLarge)
  })

  it.each([
    ["a line", "x"],
    ["a frame of many lines", "data: x\n"],
    ["a comment", ":\n"],
    ["blocks without data", "id: 1\n\n"]
  ])("is met by %s that never ends", (_, part) => {
    const decoder = makeSseDecoder({ maxFrameBytes: 1000 })
    const out: Array<WireFrame> = []
    let fed = 0
    while (decoder.feed(utf8(part), out) === undefined) {
      fed += part.length
      assert.isAtMost(fed, 1000)
    }
    assert.isAbove(fed + part.length, 1000)
    assert.deepStrictEqual(out, [])
  })

  it("is no limit for the stream", () => {
    const text = ": note\n\n".repeat(100) + fits.repeat(100)
    assert.strictEqual(decode(makeSseDecoder({ maxFrameBytes: limit }), [utf8(text)]).frames.length, 100)
  })

  it("stays an error", () => {
    const decoder = makeSseDecoder({ maxFrameBytes: limit })
    const out: Array<WireFrame> = []
    assert.deepStrictEqual(decoder.feed(utf8(over), out), tooLarge)
    assert.deepStrictEqual(decoder.feed(utf8(fits), out), tooLarge)
    assert.deepStrictEqual(decoder.end(out), tooLarge)
    assert.deepStrictEqual(out, [])
  })

  it("is 16 MiB, which is reached in small reads without being copied for each", () => {
    const room = 16 * 1024 * 1024 - "data: \n\n".length
    const payload = "0123456789abcdef".repeat(room / 16 + 1).slice(0, room)
    const bytes = utf8(`data: ${payload}\n\n`)
    const { frames, error } = decode(makeSseDecoder(), cut(bytes, [1024]))
    assert.strictEqual(error, undefined)
    assert.strictEqual(frames.length, 1)
    assert.isTrue(frames[0]!.data === payload)
    assert.isTrue(frames[0]!.raw === `data: ${payload}\n\n`)
    assert.strictEqual(
      decode(makeSseDecoder(), cut(utf8(`data: ${payload}!\n\n`), [1024])).error?._tag,
      "FrameTooLarge"
    )
  })

  it("leaves the work linear for a large frame of short lines and for reads of one byte", () => {
    const lines = Buffer.from(`${"data: 0123\n".repeat(400_000)}\n`)
    assert.strictEqual(decode(makeSseDecoder(), cut(lines, [1000])).frames[0]!.data.length, 400_000 * 5 - 1)
    const line = Buffer.from(`data: ${"x".repeat(1_000_000)}\n\n`)
    assert.strictEqual(decode(makeSseDecoder(), cut(line, [1])).frames[0]!.data.length, 1_000_000)
    const carriageReturns = Buffer.from("data: x\r\r".repeat(200_000))
    assert.strictEqual(decode(makeSseDecoder(), [carriageReturns]).frames.length, 200_000)
  })
})

describe("writing", () => {
  it("closes every frame with a blank line", () => {
    assert.strictEqual(sseFrame('{"a":1}'), 'data: {"a":1}\n\n')
    assert.strictEqual(sseFrame("x", "ping"), "event: ping\ndata: x\n\n")
    assert.strictEqual(sseFrame(""), "data: \n\n")
  })

  it("gives each line of the data its own field", () => {
    assert.strictEqual(sseFrame("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n")
  })

  it.prop("is read back as it was", [Schema.String, Schema.Literals(["", "message_start"])], ([text, event]) => {
    const data = text.toWellFormed()
    const raw = sseFrame(data, event)
    assert.deepStrictEqual(framesOf(raw), [{ raw, event, data: data.replace(/\r\n?/g, "\n") }])
  })

  it("makes comments that no decoder takes for a frame", () => {
    assert.strictEqual(sseComment(), ":\n\n")
    assert.strictEqual(sseComment("keep-alive"), ": keep-alive\n\n")
    assert.deepStrictEqual(framesOf(sseComment("a\ndata: no\r\n\r\ndata: no")), [])
  })
})
