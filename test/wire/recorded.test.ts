import { existsSync, globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import type { FrameDecoder } from "../../src/wire/Frame.ts"
import { makeJsonLinesDecoder } from "../../src/wire/JsonLines.ts"
import { makeSseDecoder } from "../../src/wire/Sse.ts"
import { cut, decode, numbers } from "./decoding.ts"

const corpus = fileURLToPath(new URL("../../../shared/wire", import.meta.url))
const present = existsSync(corpus)
if (!present) process.stderr.write(`skipped: no recorded streams at ${corpus}\n`)

const recorded = (pattern: string): ReadonlyArray<string> =>
  present ? globSync(pattern, { cwd: corpus }).toSorted() : []

const sizesOf = (next: (limit: number) => number): ReadonlyArray<number> =>
  Array.from({ length: 40 }, () => (next(3) === 0 ? next(4) : next(600)))

const agree = (make: () => FrameDecoder, bytes: Uint8Array, path: string) => {
  const whole = decode(make(), [bytes])
  assert.strictEqual(whole.error, undefined, path)
  assert.strictEqual(whole.invalidSequences, 0, path)
  const next = numbers(bytes.length)
  for (let round = 0; round < 4; round++) {
    assert.deepStrictEqual(decode(make(), cut(bytes, sizesOf(next))), whole, path)
  }
  return whole.frames
}

describe.skipIf(!present)("recorded streams", () => {
  it("of events are framed alike however they are cut, and each payload is JSON or [DONE]", { timeout: 60_000 }, () => {
    const paths = recorded("**/*.stream.sse")
    assert.isAbove(paths.length, 0)
    for (const path of paths) {
      const bytes = readFileSync(`${corpus}/${path}`)
      const frames = agree(makeSseDecoder, bytes, path)
      assert.isAbove(frames.length, 0, path)
      for (const { data } of frames) if (data !== "[DONE]") assert.doesNotThrow(() => JSON.parse(data), undefined, path)
      const lineEnd = bytes.includes("\r\n") ? "\r\n" : "\n"
      const kept = bytes
        .toString()
        .split(lineEnd)
        .filter((line) => line !== "" && !line.startsWith(":"))
      const lines = frames.flatMap(({ raw }) => raw.split(lineEnd))
      assert.deepStrictEqual(
        lines.filter((line) => line !== "" && !line.startsWith(":")),
        kept,
        path
      )
    }
  })

  it("of JSON lines are framed alike however they are cut, and each line is JSON", () => {
    const paths = recorded("**/*.stream.ndjson")
    assert.isAbove(paths.length, 0)
    for (const path of paths) {
      const bytes = readFileSync(`${corpus}/${path}`)
      const frames = agree(makeJsonLinesDecoder, bytes, path)
      for (const { data } of frames) assert.doesNotThrow(() => JSON.parse(data), undefined, path)
      assert.strictEqual(
        frames
          .map(({ raw }) => raw)
          .join("")
          .trimEnd(),
        bytes.toString().trimEnd(),
        path
      )
    }
  })
})
