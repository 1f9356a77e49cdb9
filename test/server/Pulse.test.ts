import { assert, describe, it } from "@effect/vitest"
import type { ServerResponse } from "node:http"
import { Pulse } from "../../src/server/Pulse.ts"
import { ResponseWriter } from "../../src/server/ResponseWriter.ts"
import { defaultServerSettings } from "../../src/server/Settings.ts"

const settings = { ...defaultServerSettings, keepAliveMs: 15_000, stallLimitMs: 60_000 }

/** A stream that began at 0, and what its pulse has written. */
const streaming = () => {
  let now = 0
  const written: Array<string> = []
  // The writer touches nothing else of it.
  const response = {
    headersSent: true,
    writableEnded: false,
    write: (text: string) => written.push(text) > 0
  } as unknown as ServerResponse
  const writer = new ResponseWriter(
    response,
    () => ({}),
    () => now
  )
  const pulse = new Pulse(writer, ": alive\n\n", settings)
  const lookAt = (time: number) => {
    now = time
    return pulse.look(time)
  }
  return { lookAt, writer, written }
}

describe("the pulse of a stream", () => {
  it("is a sign of life whenever nothing was written for a while", () => {
    const { lookAt, written } = streaming()
    assert.strictEqual(lookAt(0), 15_000)
    assert.strictEqual(lookAt(15_000), 30_000)
    assert.deepStrictEqual(written, [": alive\n\n"])
  })

  it("rests where nothing but the end is to come, without looking again and again", () => {
    const { lookAt, writer, written } = streaming()
    writer.awaitEnd()
    assert.strictEqual(lookAt(15_000), 30_000)
    assert.strictEqual(lookAt(30_000), 45_000)
    assert.deepStrictEqual(written, [])
  })
})
