import { Result } from "effect"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { Fault } from "./Fault.ts"

/** How a simulated answer is cut into writes on a socket: one byte each, or at places that follow from a seed. */
export type Splits = { readonly _tag: "OneByte" } | { readonly _tag: "Random"; readonly seed: number }

/** The options of a simulated model. Durations are milliseconds; what is undefined is left to the model. */
export interface Options {
  readonly seed: number
  /** between two pieces of content */
  readonly paceMs: number | undefined
  /** before the head of the answer */
  readonly headMs: number
  /** between the head and the first piece of content */
  readonly firstMs: number | undefined
  /** tokens in one piece of content */
  readonly chunk: number
  /** words of reasoning before the answer */
  readonly think: number | undefined
  /** whether calls are signed, and refused without their signatures */
  readonly sign: boolean
  readonly fault: Fault | undefined
  /** how many requests the fault hits before the model recovers */
  readonly times: number | undefined
  readonly splits: Splits | undefined
}

/** The seed of a model that is given none. */
const defaultSeed = 1

/** The most words, tokens or events that a number in a model's name may ask for. */
export const largestCount = 100_000

const optionNames = (
  "seed pace head first chunk think sign " +
  "status retry-after message hang stall reset truncate malformed error times one-byte split"
).split(" ")

const invalid = (message: string): LlmError =>
  failure({ _tag: "InvalidRequest", kind: "type", path: "model" }, `model: ${message}`)

const integer = /^\d+$/
const duration = /^(\d+(?:\.\d+)?)(ms|s|m)?$/
const unitMs = { ms: 1, s: 1000, m: 60_000 }

/** Reads `250ms`, `1.5s`, `2m`; a bare number is in the given unit. */
const millisecondsOf = (text: string, unit: keyof typeof unitMs): number | undefined => {
  const match = duration.exec(text)
  if (match === null) return undefined
  // The second group is one of the units or absent, by the expression above.
  return Math.round(Number(match[1]) * unitMs[(match[2] as keyof typeof unitMs | undefined) ?? unit])
}

/** Reads options one by one and remembers the first thing that is wrong. */
class OptionReader {
  problem: LlmError | undefined = undefined
  private readonly values: ReadonlyMap<string, string>

  constructor(values: ReadonlyMap<string, string>) {
    this.values = values
    for (const name of values.keys()) {
      if (!optionNames.includes(name)) this.fail(`there is no option "${name}"; there are ${optionNames.join(", ")}`)
    }
  }

  fail(message: string): undefined {
    this.problem ??= invalid(message)
  }

  text(name: string): string | undefined {
    return this.values.get(name)
  }

  has(name: string): boolean {
    return this.values.has(name)
  }

  count(name: string, least: number, most: number): number | undefined {
    const text = this.values.get(name)
    if (text === undefined) return undefined
    if (integer.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
    return this.fail(`the option "${name}" is a whole number from ${least} to ${most}, not "${text}"`)
  }

  milliseconds(name: string, unit: keyof typeof unitMs = "ms"): number | undefined {
    const text = this.values.get(name)
    if (text === undefined) return undefined
    return millisecondsOf(text, unit) ?? this.fail(`the option "${name}" is a time such as 250ms or 2s, not "${text}"`)
  }
}

const faultNames = ["hang", "stall", "reset", "truncate", "malformed", "error"]
const cuttingFaults = { stall: "Stall", reset: "Reset", truncate: "Truncate", malformed: "Malformed" } as const

const readFault = (reader: OptionReader): Fault | undefined => {
  const chosen = faultNames.filter((name) => reader.has(name))
  if (chosen.length > 1) return reader.fail(`only one of ${chosen.join(", ")} can be asked for`)
  const status = reader.count("status", 400, 599)
  const message = reader.text("message")
  if (reader.has("error")) {
    return { _tag: "Error", after: reader.count("error", 0, largestCount) ?? 0, status: status ?? 500, message }
  }
  if (chosen.length === 1 && status !== undefined) return reader.fail(`status cannot go with ${chosen[0]}`)
  if (reader.has("hang")) return { _tag: "Hang" }
  for (const [name, tag] of Object.entries(cuttingFaults)) {
    if (reader.has(name)) return { _tag: tag, after: reader.count(name, 0, largestCount) ?? 0 }
  }
  const retryAfterMs = reader.milliseconds("retry-after", "s")
  if (status !== undefined) return { _tag: "Status", status, message, retryAfterMs }
  return retryAfterMs === undefined && message === undefined
    ? undefined
    : reader.fail("retry-after and message go with status")
}

const readSplits = (reader: OptionReader): Splits | undefined => {
  const seed = reader.count("split", 0, 0xffff_ffff)
  if (!reader.has("one-byte")) return seed === undefined ? undefined : { _tag: "Random", seed }
  return seed === undefined ? { _tag: "OneByte" } : reader.fail("only one of one-byte, split can be asked for")
}

/**
 * Reads the options of a simulated model: `name=value` or a bare `name`, joined by `&` or `;`, values percent-encoded
 * where they hold one of these signs. Says which option is wrong, and how to mend it.
 */
export const readOptions = (text: string): Result.Result<Options, LlmError> => {
  const values = new Map<string, string>()
  for (const option of text.split(/[&;]/)) {
    if (option === "") continue
    const equals = option.indexOf("=")
    const name = equals < 0 ? option : option.slice(0, equals)
    const value = decode(equals < 0 ? "" : option.slice(equals + 1))
    if (value === undefined) return Result.fail(invalid(`"${option}" is not percent-encoded text`))
    // A fault that is only named strikes before anything came.
    values.set(name, value === "" && faultNames.includes(name) ? "0" : value)
  }
  const reader = new OptionReader(values)
  const options: Options = {
    seed: reader.count("seed", 0, 0xffff_ffff) ?? defaultSeed,
    paceMs: reader.milliseconds("pace"),
    headMs: reader.milliseconds("head") ?? 0,
    firstMs: reader.milliseconds("first"),
    chunk: reader.count("chunk", 1, largestCount) ?? 1,
    think: reader.count("think", 0, largestCount),
    sign: reader.has("sign"),
    fault: readFault(reader),
    times: reader.count("times", 0, largestCount),
    splits: readSplits(reader)
  }
  return reader.problem === undefined ? Result.succeed(options) : Result.fail(reader.problem)
}

const decode = (text: string): string | undefined => Result.getOrUndefined(Result.try(() => decodeURIComponent(text)))
