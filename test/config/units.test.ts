import { assert, describe, it } from "@effect/vitest"
import { ByteSize, Duration, Effect, Schema } from "effect"
import {
  formatByteSize,
  formatDuration,
  parseByteSize,
  parseDuration,
  parsePort,
  ShortByteSize,
  ShortDuration
} from "../../src/config/units.ts"

const Milliseconds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000_000 }))
const Bytes = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

describe("durations", () => {
  it.each([
    ["0", 0],
    ["0s", 0],
    ["200ms", 200],
    ["30s", 30_000],
    ["1.5s", 1500],
    ["10m", 600_000],
    ["2h", 7_200_000],
    [" 5 s ", 5000]
  ])("%s", (text, millis) => {
    const duration = parseDuration(text)
    assert.isDefined(duration)
    assert.strictEqual(Duration.toMillis(duration), millis)
  })

  it.each(["", "30", "s", "-1s", "1w", "1 second", "5 parsecs", "1e3ms", "Infinity", "0x10s"])("refuses %j", (text) =>
    assert.isUndefined(parseDuration(text))
  )

  it.effect.prop("are read as they are written", [Milliseconds], ([millis]) =>
    Effect.sync(() => {
      const text = formatDuration(Duration.millis(millis))
      assert.deepStrictEqual(parseDuration(text), Duration.millis(millis), text)
    })
  )

  it.effect.prop("go through the document's codec and back", [Milliseconds], ([millis]) =>
    Effect.gen(function* () {
      const duration = Duration.millis(millis)
      const written = yield* Schema.encodeEffect(ShortDuration)(duration)
      assert.strictEqual(Duration.toMillis(yield* Schema.decodeEffect(ShortDuration)(written)), millis)
    })
  )
})

describe("sizes", () => {
  it.each([
    [0, 0],
    [1024, 1024],
    ["1024", 1024],
    ["1KiB", 1024],
    ["32MiB", 33_554_432],
    ["32 MiB", 33_554_432],
    ["1MB", 1_000_000],
    ["1.5GiB", 1_610_612_736]
  ])("%s", (input, bytes) => assert.strictEqual(Number(parseByteSize(input)), bytes))

  it.each(["", "MiB", "-1", -1, 1.5, "1 lot", "1e3", Number.NaN])("refuses %j", (input) =>
    assert.isUndefined(parseByteSize(input))
  )

  it.effect.prop("are read as they are written", [Bytes], ([bytes]) =>
    Effect.gen(function* () {
      const size = ByteSize.bytes(bytes)
      assert.strictEqual(parseByteSize(formatByteSize(size)), size, formatByteSize(size))
      const written = yield* Schema.encodeEffect(ShortByteSize)(size)
      assert.strictEqual(yield* Schema.decodeEffect(ShortByteSize)(written), size)
    })
  )
})

describe("ports", () => {
  it.each([
    [0, 0],
    [8787, 8787],
    ["8787", 8787],
    [65_535, 65_535]
  ])("%s", (input, port) => assert.strictEqual(parsePort(input), port))

  it.each(["", -1, 65_536, 80.5, "http", "80 81", "0x50"])("refuses %j", (input) =>
    assert.isUndefined(parsePort(input))
  )
})
