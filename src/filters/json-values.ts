import { Predicate, Result, type Schema } from "effect"
import { nearestNumber } from "../domain/exact-json.ts"
import { type Ending, isEnding } from "./Verdict.ts"

/** Whether a text is a JSON object, as the arguments of a tool have to be. */
export const isObjectText = (text: string): boolean =>
  Result.match(
    Result.try((): unknown => JSON.parse(text)),
    { onSuccess: Predicate.isObject, onFailure: () => false }
  )

/** Names that formats and programs give to properties: they say nothing, while an address or a number may be told in a name. */
const isName = /^[A-Za-z]+(?:[_-][A-Za-z]+)*$/

/** So long that nobody says it without a space. */
const longData = 4096

const base64 = /^(?:data:[\w.+-]+\/[\w.+-]+;base64,)?[A-Za-z0-9+/_-]+={0,2}$/

/** What a picture or something sealed is in a value: nobody reads it, and where a letter is changed nobody can. */
const isData = (text: string): boolean => text.length >= longData && base64.test(text)

/**
 * A JSON value with every string in it changed, properties too whose names are more than words of a format, but long
 * data in base64 stays as it is; the same object where none is. A verdict about one of them is the verdict about all.
 */
export const mapStrings = <A>(value: A, change: (text: string) => string | Ending): A | Ending =>
  // Strings stay strings and everything else keeps its shape.
  mapUnknown(value, change) as A | Ending

const mapUnknown = (value: unknown, change: (text: string) => string | Ending): unknown => {
  if (typeof value === "string") return isData(value) ? value : change(value)
  if (Array.isArray(value)) return mapArray(value, change)
  return Predicate.isObject(value) && nearestNumber(value) === undefined ? mapObject(value, change) : value
}

const mapArray = (values: ReadonlyArray<unknown>, change: (text: string) => string | Ending): unknown => {
  let changed = false
  const mapped: Array<unknown> = []
  for (const value of values) {
    const to = mapUnknown(value, change)
    if (isEnding(to)) return to
    changed ||= to !== value
    mapped.push(to)
  }
  return changed ? mapped : values
}

const mapObject = (object: object, change: (text: string) => string | Ending): unknown => {
  let changed = false
  const entries: Array<readonly [string, unknown]> = []
  for (const [key, value] of Object.entries(object)) {
    const name = isName.test(key) ? key : change(key)
    const to = isEnding(name) ? name : mapUnknown(value, change)
    if (isEnding(name) || isEnding(to)) return to
    changed ||= name !== key || to !== value
    entries.push([name, to])
  }
  return changed ? Object.fromEntries(entries) : object
}

/** The text to which a path of properties leads. */
export const textAt = (value: Schema.Json, path: ReadonlyArray<string>): string | undefined => {
  let at: unknown = value
  for (const key of path) at = Predicate.isObject(at) ? Reflect.get(at, key) : undefined
  return typeof at === "string" ? at : undefined
}

/** The value with another text in that place; as it is where there is no such place. */
export const withTextAt = (value: Schema.Json, [key, ...others]: ReadonlyArray<string>, text: string): Schema.Json => {
  if (key === undefined) return text
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  const properties = value as Schema.JsonObject // what is neither null nor a list
  const inner = properties[key]
  return inner === undefined ? value : { ...properties, [key]: withTextAt(inner, others, text) }
}
