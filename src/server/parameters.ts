import { Effect } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { isDay, parseMoment } from "../domain/moment.ts"

/** What follows the parameter's name in the message: "has to be …". */
export const wrongParameter = (name: string, expected: string): LlmError =>
  failure({ _tag: "InvalidRequest", kind: "type", path: name }, `${name} has to be ${expected}`)

/** A way to read the text of a parameter; `read` gives undefined for what it does not understand. */
export interface Parameter<A> {
  readonly expected: string
  readonly read: (text: string) => A | undefined
}

/** The value of a parameter; undefined where it is not given. */
export const parameter = <A>(
  query: URLSearchParams,
  name: string,
  { expected, read }: Parameter<A>
): Effect.Effect<A | undefined, LlmError> => {
  const [text, ...others] = query.getAll(name)
  if (text === undefined) return Effect.undefined
  const value = others.length === 0 ? read(text) : undefined
  if (value !== undefined) return Effect.succeed(value)
  return wrongParameter(name, others.length === 0 ? expected : `given once; it is ${expected}`)
}

/** A text that is not empty. */
export const name: Parameter<string> = {
  expected: "a text that is not empty",
  read: (text) => (text === "" ? undefined : text)
}

/** A whole number from 1 on; `more` is said of it where it is not one. */
export const whole = (more = ""): Parameter<number> => ({
  expected: `a whole number from 1 on${more}`,
  read: (text) => (/^\d{1,9}$/.test(text) && Number(text) > 0 ? Number(text) : undefined)
})

/** A day of the calendar, as `2026-11-21`. */
export const day: Parameter<string> = {
  expected: "a day such as 2026-11-21 (UTC)",
  read: (text) => (isDay(text) ? text : undefined)
}

/** Milliseconds since 1970. Fewer digits are something else, such as seconds, and what is from then on would be everything. */
const millis = /^(?:0|\d{11,15})$/

/** What is missing of a day where only its year, or its month too, is said. */
const restOfDay = new Map([
  [4, "-01-01"],
  [7, "-01"]
])

/** Epoch milliseconds, of a year, a month, a day or a time, or in digits; one that names no zone is of UTC. */
export const moment: Parameter<number> = {
  expected: "a time such as 2027-01-31T12:00:00Z, or in milliseconds since 1970",
  read: (text) => (millis.test(text) ? Number(text) : parseMoment(text + (restOfDay.get(text.length) ?? "")))
}

/** One of a few texts. */
export const oneOf = <const Name extends string>(names: ReadonlyArray<Name>): Parameter<Name> => ({
  expected: `one of ${names.join(", ")}`,
  read: (text) => names.find((known) => known === text)
})

/** Fails where something is asked for that there is not: a filter that is misspelt would choose everything. */
export const checkParameters = (
  query: URLSearchParams,
  known: ReadonlyArray<string>
): Effect.Effect<void, LlmError> => {
  for (const given of query.keys()) {
    if (known.includes(given)) continue
    const message = `There is no parameter ${JSON.stringify(given)} here; there are ${known.join(", ")}`
    return failure({ _tag: "InvalidRequest", kind: "type", path: given }, message)
  }
  return Effect.void
}
