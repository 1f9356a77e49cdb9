import type { Automaton, Hit } from "./Automaton.ts"

/** A word of a text as it is compared, and where it stands in the text. */
export interface Token {
  readonly text: string
  readonly start: number
  readonly end: number
}

// A word may hold apostrophes and full stops, never begin or end with them: "don't", "3.5". Hyphens separate.
const word = /[\p{L}\p{N}\p{M}]+(?:['’‘ʼ.][\p{L}\p{N}\p{M}]+)*/gu
const apostrophes = /['’‘ʼ]/g
const marks = /\p{M}+/gu
const plain = /^[a-z0-9]+$/

/**
 * A word as it is compared: lower case, without apostrophes and without accents, so that it does not matter whether
 * somebody typed "doesn't" or "doesnt", "ça" or "ca".
 */
const normalize = (text: string): string => {
  const lower = text.toLowerCase()
  if (plain.test(lower)) return lower
  return lower.replace(apostrophes, "").replaceAll("ß", "ss").normalize("NFKD").replace(marks, "")
}

const other = 0
const small = 1
const letter = 2
const joint = 3

/** What the characters up to the alphabets of the east are in a word; a table, because expressions take ten times as long. */
const kinds = Uint8Array.from({ length: 0x0600 }, (_, code) => {
  const character = String.fromCharCode(code)
  if (plain.test(character)) return small
  if (/[\p{L}\p{N}\p{M}]/u.test(character)) return letter
  return character === "'" || character === "." ? joint : other
})

const quotationMarks = 0x2018
const kindOf = (code: number): number | undefined =>
  code < kinds.length
    ? kinds[code]
    : code === quotationMarks || code === quotationMarks + 1
      ? joint
      : code >= 0x2000 && code < 0x2070
        ? other
        : undefined

/** The words of a text. Patterns and messages go through the same function. */
export const tokenize = (text: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  let start = -1
  // what is needed of a word is mostly nothing: small letters and digits are compared as they are
  let isPlain = true
  for (let at = 0; at <= text.length; at++) {
    const kind = at === text.length ? other : kindOf(text.charCodeAt(at))
    if (kind === undefined) return tokenizeRest(text, start < 0 ? at : start, tokens)
    if (kind === small || kind === letter) {
      if (start < 0) {
        start = at
        isPlain = true
      }
      if (kind === letter) isPlain = false
      continue
    }
    if (start < 0) continue
    if (kind === joint && at + 1 < text.length) {
      const next = kindOf(text.charCodeAt(at + 1))
      if (next === undefined) return tokenizeRest(text, start, tokens)
      if (next === small || next === letter) {
        isPlain = false
        continue
      }
    }
    const found = text.slice(start, at)
    tokens.push({ text: isPlain ? found : normalize(found), start, end: at })
    start = -1
  }
  return tokens
}

/** The words from a place on, whatever the alphabet. */
const tokenizeRest = (text: string, from: number, tokens: Array<Token>): ReadonlyArray<Token> => {
  word.lastIndex = from
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    tokens.push({ text: normalize(match[0]), start: match.index, end: match.index + match[0].length })
  }
  return tokens
}

const trigramsOf = (text: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (let at = 0; at + 3 <= text.length; at++) found.add(text.slice(at, at + 3))
  return found
}

interface Search {
  readonly automaton: Automaton
  readonly hits: ReadonlyArray<Hit>
}

/** A text in all the forms in which it is compared; each is made when it is first asked for. */
export class Profile {
  readonly text: string
  readonly tokens: ReadonlyArray<Token>
  #set: ReadonlySet<string> | undefined
  #bigrams: ReadonlySet<string> | undefined
  #trigrams: ReadonlySet<string> | undefined
  #frequencies: ReadonlyMap<string, number> | undefined
  #norm: number | undefined
  #search: Search | undefined

  constructor(text: string) {
    this.text = text
    this.tokens = tokenize(text)
  }

  get length(): number {
    return this.tokens.length
  }

  /** Where an automaton finds its patterns; searched once, however many of its sets are asked for. */
  hitsOf(automaton: Automaton): ReadonlyArray<Hit> {
    if (this.#search?.automaton !== automaton) this.#search = { automaton, hits: automaton.search(this.tokens) }
    return this.#search.hits
  }

  /** the different words */
  get words(): ReadonlySet<string> {
    return (this.#set ??= new Set(this.tokens.map(({ text }) => text)))
  }

  /** pairs of neighbouring words */
  get bigrams(): ReadonlySet<string> {
    return (this.#bigrams ??= new Set(this.tokens.slice(1).map(({ text }, at) => `${this.tokens[at]!.text} ${text}`)))
  }

  /** runs of three characters of the words, with a space between two of them */
  get trigrams(): ReadonlySet<string> {
    return (this.#trigrams ??= trigramsOf(this.tokens.map(({ text }) => text).join(" ")))
  }

  get frequencies(): ReadonlyMap<string, number> {
    if (this.#frequencies !== undefined) return this.#frequencies
    const counts = new Map<string, number>()
    for (const { text } of this.tokens) counts.set(text, (counts.get(text) ?? 0) + 1)
    return (this.#frequencies = counts)
  }

  /** the length of the vector of word counts */
  get norm(): number {
    if (this.#norm !== undefined) return this.#norm
    let squares = 0
    for (const count of this.frequencies.values()) squares += count * count
    return (this.#norm = Math.sqrt(squares))
  }
}

const shared = (one: ReadonlySet<string>, other: ReadonlySet<string>): number => {
  const [small, large] = one.size <= other.size ? [one, other] : [other, one]
  let count = 0
  for (const element of small) if (large.has(element)) count++
  return count
}

/** What two sets share of what they have together, from 0 to 1; two empty ones are alike. */
export const jaccard = (one: ReadonlySet<string>, other: ReadonlySet<string>): number => {
  if (one.size === 0 && other.size === 0) return 1
  const both = shared(one, other)
  return both / (one.size + other.size - both)
}

/** Whether what two sets share is so much of what they have together; cheap where it is not. */
export const isAlike = (one: ReadonlySet<string>, other: ReadonlySet<string>, threshold: number): boolean => {
  const [small, large] = one.size <= other.size ? [one, other] : [other, one]
  // a little more, so that no rounding decides
  let mayMiss = small.size - (threshold / (1 + threshold)) * (small.size + large.size) + 1e-9
  if (mayMiss < 0) return false
  for (const element of small) if (!large.has(element) && --mayMiss < 0) return false
  return true
}

/** What only the first of two sets has. */
export const without = (one: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlySet<string> => {
  const left = new Set<string>()
  for (const element of one) if (!other.has(element)) left.add(element)
  return left
}

/** What two sets share of the smaller one, from 0 to 1. */
export const overlap = (one: ReadonlySet<string>, other: ReadonlySet<string>): number => {
  const smaller = Math.min(one.size, other.size)
  return smaller === 0 ? 0 : shared(one, other) / smaller
}

/** The cosine of the vectors of the word counts of two texts, from 0 to 1. */
export const cosine = (one: Profile, other: Profile): number => {
  let dot = 0
  const [small, large] = one.length <= other.length ? [one.frequencies, other] : [other.frequencies, one]
  for (const [key, count] of small) dot += count * (large.frequencies.get(key) ?? 0)
  return dot === 0 ? 0 : dot / (one.norm * other.norm)
}
