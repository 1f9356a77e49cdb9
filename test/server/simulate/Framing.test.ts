import { describe, expect, it } from "@effect/vitest"
import { framingOf } from "../../../src/server/simulate/Framing.ts"
import { awsEvent } from "../../../src/wire/AwsMessage.ts"
import { makeAwsEventStreamDecoder } from "../../../src/wire/AwsEventStream.ts"
import type { FrameDecoder, WireFrame } from "../../../src/wire/Frame.ts"
import { makeJsonArrayDecoder } from "../../../src/wire/JsonArray.ts"
import { makeJsonLinesDecoder } from "../../../src/wire/JsonLines.ts"
import { makeSseDecoder } from "../../../src/wire/Sse.ts"

interface Case {
  readonly type: string
  readonly pieces: ReadonlyArray<Buffer>
  readonly decoder: () => FrameDecoder
}

const text = (...pieces: ReadonlyArray<string>) => pieces.map((piece) => Buffer.from(piece))

const cases: ReadonlyArray<Case> = [
  {
    type: "text/event-stream; charset=utf-8",
    pieces: text('data: {"a":"ü"}\n\n', ": hm\r\n\r\n", 'event: b\rdata: {"b":"\\n\\n"}\r\r', "data: [DONE]"),
    decoder: makeSseDecoder
  },
  {
    type: "application/x-ndjson",
    pieces: text('{"a":"ü"}\n', "\r\n", '{"b":"\\n"}\r\n', '{"c":1}'),
    decoder: makeJsonLinesDecoder
  },
  {
    type: "application/json; charset=UTF-8",
    pieces: text('[{"a":"]},{"}', ',\r\n{\n "b": [1]\n}', "\n]", "\n"),
    decoder: makeJsonArrayDecoder
  },
  {
    type: "application/vnd.amazon.eventstream",
    pieces: [awsEvent("a", { a: "ü" }), awsEvent("b", {}), Buffer.from("the rest")],
    decoder: makeAwsEventStreamDecoder
  }
]

const decode = (decoder: FrameDecoder, bytes: Buffer): ReadonlyArray<WireFrame> => {
  const frames: Array<WireFrame> = []
  expect(decoder.feed(bytes, frames)).toBeUndefined()
  decoder.end(frames)
  return frames
}

describe.each(cases)("the framing of $type", ({ type, pieces, decoder }) => {
  const { cut, damage, malformed } = framingOf(type)

  it("is cut after every frame", () => {
    expect(cut(Buffer.concat(pieces)).map(String)).toEqual(pieces.map(String))
    expect(cut(Buffer.alloc(0))).toEqual([])
  })

  it("keeps bytes that are no text", () => {
    const bytes = Buffer.concat([...pieces, Buffer.of(0xff, 0xfe, 0x0a, 0x0a)])
    expect(Buffer.concat(cut(bytes)).equals(bytes)).toBe(true)
  })

  it("is still one frame where its JSON is damaged", () => {
    const [first = Buffer.alloc(0)] = pieces
    const frames = decode(decoder(), damage(first) ?? Buffer.alloc(0))
    const [whole] = decode(decoder(), first)
    expect(frames.map(({ data }) => data)).toEqual([whole?.data.slice(0, -1)])
    expect(() => JSON.parse(frames[0]?.data ?? "")).toThrow()
  })

  it("has a frame that is no JSON", () => {
    const [frame] = decode(decoder(), malformed)
    expect(() => JSON.parse(frame?.data ?? "")).toThrow()
  })
})
