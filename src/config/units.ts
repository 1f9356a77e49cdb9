import { ByteSize, Duration, Effect, Option, Schema, SchemaGetter, SchemaIssue } from "effect"

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1]
] as const

const shortDuration = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/

/** Reads `200ms`, `30s`, `1.5m`, `2h`, `30d` and `0`; undefined for anything else, numbers without a unit included. */
export const parseDuration = (text: string): Duration.Duration | undefined => {
  const trimmed = text.trim()
  if (trimmed === "0") return Duration.zero
  const match = shortDuration.exec(trimmed)
  const factor = units.find(([unit]) => unit === match?.[2])?.[1]
  if (match === null || factor === undefined) return undefined
  const millis = Number(match[1]) * factor
  // Nothing at all often means that there is no bound, which who says a little does not want.
  return Duration.millis(millis === 0 ? 0 : Math.max(1, Math.round(millis)))
}

/** Writes a duration of whole milliseconds with the largest unit that divides it. */
export const formatDuration = (duration: Duration.Duration): string => {
  const millis = Duration.toMillis(duration)
  if (millis === 0) return "0"
  const [unit, factor] = units.find(([, factor]) => millis % factor === 0) ?? ["ms", 1]
  return `${millis / factor}${unit}`
}

/** Reads `32MiB`, `1MB`, `1.5 GiB`, `1024` (bytes) and numbers; undefined for anything that is no whole count of bytes. */
export const parseByteSize = (input: string | number): ByteSize.ByteSize | undefined => {
  const text = typeof input === "number" ? input : input.trim()
  const bytes = typeof text === "number" || /^\d+$/.test(text) ? Number(text) : undefined
  if (bytes === undefined) return Option.getOrUndefined(ByteSize.fromString(String(text)))
  return Number.isSafeInteger(bytes) && bytes >= 0 ? ByteSize.bytes(bytes) : undefined
}

/** Writes a size with the largest binary unit that divides it. */
export const formatByteSize = (size: ByteSize.ByteSize): string => {
  const unit = (["GiB", "MiB", "KiB"] as const).find(
    (_, index) => size > 0n && size % 1024n ** BigInt(3 - index) === 0n
  )
  return unit === undefined ? String(size) : ByteSize.format(size, { unit }).replace(" ", "")
}

// What is no finite number is for each to refuse, in its own words.
const Scalar = Schema.Union([Schema.String, Schema.Number])

/** A codec from what a document says to a value of this program, which says what it expects where the two do not meet. */
const codec = <B, E>(
  to: Schema.Codec<B, E>,
  expected: string,
  decode: (input: string | number) => E | undefined,
  encode: (value: E) => string | number
) =>
  Scalar.annotate({ expected, message: `Expected ${expected}` }).pipe(
    Schema.decodeTo(to, {
      decode: SchemaGetter.transformEffect((input: string | number) => {
        const value = decode(input)
        return value === undefined ? Effect.fail(new SchemaIssue.InvalidValue({ expected })) : Effect.succeed(value)
      }),
      encode: SchemaGetter.transform(encode)
    })
  )

/** `200ms`, `30s`, `10m`, `2h`, or 0. */
export const ShortDuration = codec(
  Schema.Duration,
  "a duration such as 200ms, 30s, 10m or 2h",
  (input) => parseDuration(String(input)),
  formatDuration
)

/** The same, but 0, where it would mean nothing. */
export const positiveDuration = (example: string) =>
  ShortDuration.check(
    Schema.makeFilter((duration) => !Duration.isZero(duration), {
      message: `Expected a duration such as ${example}, more than 0`
    })
  )

/** `32MiB`, `1MB`, or a plain number of bytes. */
export const ShortByteSize = codec(
  Schema.ByteSize,
  "a size such as 32MiB or 1MB, or a number of bytes",
  parseByteSize,
  formatByteSize
)

/** The same, but 0, where it would mean nothing. */
export const positiveByteSize = (example: string) =>
  ShortByteSize.check(
    Schema.makeFilter((size) => size > 0n, { message: `Expected a size such as ${example}, more than 0` })
  )

/** Reads a port; undefined for anything else. */
export const parsePort = (input: string | number): number | undefined => {
  const text = String(input).trim()
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

/** What a port is, for whoever has to write one. */
export const expectedPort = "a port from 0 to 65535 (0 takes any free one)"

/** A port, also as text: what comes from an environment variable is text. */
export const Port = codec(Schema.Int, expectedPort, parsePort, (port) => port)

/** A whole number within bounds, also as text. */
export const count = (least: number, most: number) =>
  codec(
    Schema.Int,
    `a whole number from ${least} to ${most}`,
    (input) => {
      const text = String(input).trim()
      const number = Number(text)
      return /^\d{1,15}$/.test(text) && number >= least && number <= most ? number : undefined
    },
    (number) => number
  )

const isDecimal = (text: string): boolean => /^\d+(\.\d+)?$/.test(text) && Number.isFinite(Number(text))

/** How many of something, at least one, also as text. */
export const Amount = codec(
  Schema.Int,
  "a whole number greater than 0",
  (input) => {
    const number = Number(input)
    return isDecimal(String(input).trim()) && Number.isSafeInteger(number) && number > 0 ? number : undefined
  },
  (number) => number
)

/** An amount of money, also as text. */
export const Dollars = codec(
  Schema.Finite,
  "an amount of US dollars greater than 0",
  (input) => (isDecimal(String(input).trim()) && Number(input) > 0 ? Number(input) : undefined),
  (number) => number
)

/** A share of something, also as text: a number from 0 on. */
export const Weight = codec(
  Schema.Finite,
  "a number from 0 on",
  (input) => {
    const text = String(input).trim()
    return isDecimal(text) ? Number(text) : undefined
  },
  (number) => number
)
