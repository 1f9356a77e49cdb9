import { describe, expect, it } from "vitest"
import { type Delays, delayCheck } from "../../bench/delays.ts"
import { monotonicMicros } from "../../bench/clock.ts"
import { microsOf, parseWorkload, stampOf, stampPlaceholder, streamFrames } from "../../bench/workloads.ts"

const workload = parseWorkload("paced-4x20ms-json")
if (workload?.kind !== "stream") throw new Error("the workload is no stream")
const { chunks, head, tail } = streamFrames("chat", workload)

/** Reads pieces of an answer that were written this long ago, and says how late their chunks were. */
const read = (pieces: ReadonlyArray<string>, agoMicros = 0) => {
  const delays: Delays = { firstText: [], wholeChunk: [] }
  const reader = delayCheck(workload, delays)([])
  const stamp = stampOf(monotonicMicros() - agoMicros)
  for (const piece of pieces) reader.read(Buffer.from(piece.replaceAll(stampPlaceholder, stamp)))
  return { delays, verdict: reader.end() }
}

const recut = (from: string, to: string): string => {
  const [before = "", after = ""] = chunks.join("").split(from)
  return `${before}${to}${after}`
}

describe("the reader of delays", () => {
  it("knows when every chunk has come, and that the answer is right", () => {
    const { delays, verdict } = read([head, ...chunks, tail], 5000)
    expect(verdict).toBeUndefined()
    expect(delays.firstText).toHaveLength(1)
    expect(delays.wholeChunk).toHaveLength(4)
    for (const delay of delays.wholeChunk) expect(delay).toBeGreaterThanOrEqual(5000)
  })

  it("has a chunk only with its last character", () => {
    const last = "kens"
    const [first = "", second = ""] = chunks
    const held = first.replace(last, "")
    expect(held).not.toBe(first)
    expect(read([head, held]).delays.wholeChunk).toHaveLength(0)
    const moved = second.replace('"content":"', `"content":"${last}`)
    const { delays, verdict } = read([head, held, moved, ...chunks.slice(2), tail])
    expect(verdict).toBeUndefined()
    expect(delays.wholeChunk).toHaveLength(4)
  })

  it("sees that a text is another, or that the end is missing", () => {
    expect(read([head, recut("[[0002", "[[0003"), tail]).verdict).toMatch(/^wrong text/)
    expect(read([head, ...chunks.slice(1), tail]).verdict).toMatch(/^wrong text/)
    expect(read([head, ...chunks]).verdict).toMatch(/^ended in/)
  })

  it("reads the time that a stamp says", () => {
    for (const micros of [0, 7, 25_123_456_789]) expect(microsOf(stampOf(micros))).toBe(micros)
    expect(stampOf(7)).toMatch(/^[a-j]{16}$/)
  })
})
