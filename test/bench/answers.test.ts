import { describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import { answerCheck } from "../../bench/answers.ts"
import { conversions } from "../../bench/conversions.ts"
import { type Dialect, parseWorkload, streamFrames, wholeBody } from "../../bench/workloads.ts"

const dialects: ReadonlyArray<Dialect> = ["chat", "messages"]

const bytesOf = (dialect: Dialect, model: string): Buffer => {
  const workload = parseWorkload(model)
  if (workload === undefined) throw new Error(`${model} is no workload`)
  if (workload.kind === "whole") return Buffer.from(wholeBody(dialect, workload))
  const { chunks, head, tail } = streamFrames(dialect, workload)
  return Buffer.from(head + chunks.join("") + tail)
}

const verdict = (client: Dialect, upstream: Dialect, model: string, pieces: ReadonlyArray<Buffer>) => {
  const workload = parseWorkload(model)
  if (workload === undefined) throw new Error(`${model} is no workload`)
  const reader = answerCheck(client, upstream, workload)([])
  pieces.forEach((piece) => reader.read(piece))
  return reader.end()
}

const split = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const Cuts = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })))
const Position = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

const stream = "stream-9x4"

describe("the benchmark's check of answers", () => {
  it.prop("accepts a stream however it is split", { cuts: Cuts }, ({ cuts }) => {
    for (const dialect of dialects) {
      expect(verdict(dialect, dialect, stream, split(bytesOf(dialect, stream), cuts))).toBeUndefined()
    }
  })

  it.prop("sees that one byte of a stream is missing", { at: Position }, ({ at }) => {
    for (const dialect of dialects) {
      const bytes = bytesOf(dialect, stream)
      const hole = at % bytes.length
      const pieces = [bytes.subarray(0, hole), bytes.subarray(hole + 1)]
      expect(verdict(dialect, dialect, stream, pieces)).toBeDefined()
    }
  })

  it("sees that a stream's chunks changed places, or that its ending is missing", () => {
    for (const dialect of dialects) {
      const text = bytesOf(dialect, stream).toString()
      const swapped = text.replace("[[0003", "[[000x").replace("[[0004", "[[0003").replace("[[000x", "[[0004")
      expect(verdict(dialect, dialect, stream, [Buffer.from(swapped)])).toBeDefined()
      const frames = text.split("\n\n").slice(0, -2)
      expect(verdict(dialect, dialect, stream, [Buffer.from(`${frames.join("\n\n")}\n\n`)])).toBeDefined()
    }
  })

  it.prop("accepts a stream that was written anew in the other dialect", { cuts: Cuts }, ({ cuts }) => {
    for (const [client, upstream] of [dialects, dialects.toReversed()] as const) {
      if (client === undefined || upstream === undefined) throw new Error("two dialects")
      const convert = conversions[client].stream()
      const converted = split(bytesOf(upstream, stream), cuts).map((piece) => Buffer.from(convert(piece)))
      expect(verdict(client, upstream, stream, converted)).toBeUndefined()
    }
  })

  it("knows a whole answer of 1 KB, changed or not", () => {
    for (const dialect of dialects) {
      const body = bytesOf(dialect, "whole-1k")
      expect(verdict(dialect, dialect, "whole-1k", [body])).toBeUndefined()
      expect(verdict(dialect, dialect, "whole-1k", [body.subarray(0, -1), Buffer.from(" }")])).toBeDefined()
    }
    expect(bytesOf("chat", "whole-1k").length).toBeGreaterThan(900)
    const converted = conversions.chat.whole(bytesOf("messages", "whole-1k"))
    expect(verdict("chat", "messages", "whole-1k", [Buffer.from(converted)])).toBeUndefined()
  })
})
