import type { JsonObject } from "./open-document.ts"

const quote = 34
const comma = 44
const backslash = 92

const isBlank = (unit: number): boolean => unit === 32 || unit === 10 || unit === 13 || unit === 9
const opens = (unit: number): boolean => unit === 123 || unit === 91
const closes = (unit: number): boolean => unit === 125 || unit === 93

// These go through a text that JSON.parse took for an object.

const behindBlanks = (text: string, from: number): number => {
  let at = from
  while (isBlank(text.charCodeAt(at))) at++
  return at
}

/** Behind the string that begins there. Strings are most of a text, and are gone over by looking for their ends. */
const behindString = (text: string, from: number): number => {
  for (let at = text.indexOf('"', from + 1); ; at = text.indexOf('"', at + 1)) {
    if (at < 0) return text.length
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return at + 1
  }
}

/** Behind the value that begins there. */
const behindValue = (text: string, from: number): number => {
  let depth = 0
  for (let at = from; at < text.length;) {
    const unit = text.charCodeAt(at)
    if (unit === quote) at = behindString(text, at)
    else if (depth === 0 && (unit === comma || closes(unit) || isBlank(unit))) return at
    else {
      if (opens(unit)) depth++
      else if (closes(unit)) depth--
      at++
    }
    if (depth === 0 && (unit === quote || closes(unit))) return at
  }
  return text.length
}

/**
 * The fields of an object of JSON, each as it is written; of a name that comes twice the last one counts, as it does
 * for a parser.
 */
export const writtenFields = (text: string): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>()
  let at = behindBlanks(text, behindBlanks(text, 0) + 1)
  while (text.charCodeAt(at) === quote) {
    const nameEnd = behindString(text, at)
    const name: string = JSON.parse(text.slice(at, nameEnd))
    const valueStart = behindBlanks(text, behindBlanks(text, nameEnd) + 1)
    const valueEnd = behindValue(text, valueStart)
    fields.set(name, text.slice(valueStart, valueEnd))
    at = behindBlanks(text, valueEnd)
    if (text.charCodeAt(at) === comma) at = behindBlanks(text, at + 1)
  }
  return fields
}

/** A document, and the text that it was read from. */
export interface Written {
  readonly body: JsonObject
  readonly text: string
}

/**
 * The text of a document that was made out of another: the fields that are still the other's as they stand in its text.
 * A number that a program cannot hold, or that is written in a way of its own, is so what it was, and the request that a
 * caller repeats and adds to is for the provider the same, too. It also takes less time than to write all anew.
 */
export const rewritten = (document: JsonObject, { body, text }: Written): string => {
  const written = writtenFields(text)
  const fields: Array<string> = []
  for (const name of Object.keys(document)) {
    const own = Object.is(document[name], body[name]) ? written.get(name) : undefined
    const value = own ?? JSON.stringify(document[name])
    // What is undefined is left out, as JSON.stringify leaves it out.
    if (value !== undefined) fields.push(`${JSON.stringify(name)}:${value}`)
  }
  return `{${fields.join(",")}}`
}
