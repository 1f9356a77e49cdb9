import { Automaton, gap, type Hit, type Place } from "./Automaton.ts"
import { cosine, isAlike, Profile, tokenize } from "./Tokens.ts"

/**
 * A pattern was found: in which words, how, and the words of the text between `start` and `end` where that is known.
 */
export interface Match {
  readonly pattern: string
  readonly how: "exact" | "trigrams" | "tokens"
  readonly start: number | undefined
  readonly end: number | undefined
  /** the index of the first word that matched */
  readonly token: number | undefined
}

const trigramThreshold = 0.65
const cosineThreshold = 0.6
/** Shorter patterns are too easily like something else. */
const shortestFuzzy = 3
/** A text that is so many times as long as a pattern has too much else in it to be like it. */
const widestFuzzy = 4
const mostForms = 2000

/** What is wrong with a pattern, or undefined. */
export const patternFault = (pattern: string): string | undefined => {
  const literal = isLiteral(pattern)
  const places = placesOf(pattern)
  if (places === undefined)
    return `has a ( without its ), one within another, or more than ${mostForms} forms of one word`
  if (places.every((place) => place.some((words) => words.every((word) => word === gap)))) {
    return "has a form without a word"
  }
  if (mayBegin(places, 0) || mayBegin(places.toReversed(), -1)) return "has a * at an end, where it means nothing"
  if (!literal && formsOf(places) === undefined) return `has more than ${mostForms} forms; with = in front it may`
  return undefined
}

const isLiteral = (pattern: string): boolean => pattern.startsWith("=")

/** Whether a form of a pattern has a gap at this end of it, the first word or the last. */
const mayBegin = (places: ReadonlyArray<Place>, end: 0 | -1): boolean => {
  for (const place of places) {
    if (place.some((words) => words.at(end) === gap)) return true
    if (place.every((words) => words.length > 0)) return false
  }
  return false
}

/** The places of a pattern; blanks outside of brackets separate them. Undefined where it cannot be read. */
const placesOf = (pattern: string): ReadonlyArray<Place> | undefined => {
  const places: Array<Place> = []
  const text = isLiteral(pattern) ? pattern.slice(1) : pattern
  for (const [piece] of text.matchAll(/(?:\([^)]*\)?|[^\s(])+/g)) {
    const texts = alternativesOf(piece)
    if (texts === undefined) return undefined
    places.push(texts.map(wordsOf))
  }
  return places
}

const plainWords = (text: string): ReadonlyArray<string> => tokenize(text).map((token) => token.text)

const wordsOf = (text: string): ReadonlyArray<string> =>
  text.includes(gap)
    ? text
        .split(/(?<=\s|^)\*(?=\s|$)/)
        .flatMap((piece, index) => (index === 0 ? plainWords(piece) : [gap, ...plainWords(piece)]))
    : plainWords(text)

/** `(a|b|)c` stands for `ac`, `bc` and `c`. */
const alternativesOf = (piece: string): ReadonlyArray<string> | undefined => {
  if (/^[^()]*$/.test(piece)) return [piece]
  // as nearly all are
  if (/^\([^()]*\)$/.test(piece)) return piece.slice(1, -1).split("|")
  if (!/^(?:[^()]|\([^()]*\))*$/.test(piece)) return undefined
  let texts: ReadonlyArray<string> = [""]
  for (const [, literal = "", choices] of piece.matchAll(/([^()]*)(?:\(([^()]*)\)|$)/g)) {
    const ends = choices === undefined ? [literal] : choices.split("|").map((choice) => literal + choice)
    if (texts.length * ends.length > mostForms) return undefined
    texts = texts.flatMap((text) => ends.map((end) => text + end))
  }
  return texts
}

/** Everything that a pattern stands for, word by word; undefined where that is too much. */
const formsOf = (places: ReadonlyArray<Place>): ReadonlyArray<ReadonlyArray<string>> | undefined => {
  let forms: ReadonlyArray<ReadonlyArray<string>> = [[]]
  for (const place of places) {
    if (forms.length * place.length > mostForms) return undefined
    forms = forms.flatMap((form) => place.map((words) => [...form, ...words]))
  }
  return forms
}

/**
 * A list of patterns, ready to be looked for. Per text there is at most one match: the first place where the words of a
 * pattern stand one after the other, of several there the longest; else the first pattern that the whole text is like,
 * by its runs of three characters (Jaccard, 0.65), or by its words (cosine, 0.60).
 *
 * A pattern of one or two words, one that begins with `=`, and one with a gap are only found word for word. Sets that
 * share an automaton are looked for together.
 */
export class PatternSet {
  readonly #automaton: Automaton
  readonly #bit: number
  readonly #fuzzy: ReadonlyArray<Profile>
  readonly #fuzzyByWord = new Map<string, Array<number>>()

  constructor(patterns: ReadonlyArray<string>, automaton = new Automaton()) {
    this.#automaton = automaton
    this.#bit = automaton.addSet()
    this.#fuzzy = patterns.flatMap((pattern) => this.#add(pattern))
    this.#fuzzy.forEach(({ words }, index) => {
      for (const word of words) {
        const known = this.#fuzzyByWord.get(word)
        if (known === undefined) this.#fuzzyByWord.set(word, [index])
        else known.push(index)
      }
    })
  }

  /** Gives the forms that a text may be like. */
  #add(pattern: string): ReadonlyArray<Profile> {
    const places = placesOf(pattern)
    if (places === undefined) return []
    this.#automaton.add(places, this.#bit)
    if (isLiteral(pattern)) return []
    return (formsOf(places) ?? []).flatMap((words) =>
      words.length < shortestFuzzy || words.includes(gap) ? [] : [new Profile(words.join(" "))]
    )
  }

  find(profile: Profile): Match | undefined {
    return this.exact(profile) ?? this.similar(profile)
  }

  /** The same, word for word only. `accepts` may turn a place down, and the search goes on. */
  exact(profile: Profile, accepts: (token: number) => boolean = () => true): Match | undefined {
    let found: Hit | undefined
    let refused = unset
    for (const hit of profile.hitsOf(this.#automaton)) {
      if ((hit.sets & this.#bit) === 0 || hit.start === refused) continue
      if (found === undefined) {
        if (accepts(hit.start)) found = hit
        else refused = hit.start
      } else if (hit.start === found.start) found = hit
      else break
    }
    return found === undefined ? undefined : matchOf(profile, found)
  }

  /** Whether one of the patterns stands, word for word, at the word with this index. */
  standsAt(profile: Profile, at: number): boolean {
    return profile.hitsOf(this.#automaton).some(({ sets, start }) => start === at && (sets & this.#bit) !== 0)
  }

  /** The first pattern that the whole text is like; what is like it shares two words with it, so others are not compared. */
  similar(profile: Profile): Match | undefined {
    if (this.#fuzzyByWord.size === 0) return undefined
    const shared: Array<number> = []
    const once = new Set<number>()
    for (const word of profile.words) {
      for (const form of this.#fuzzyByWord.get(word) ?? []) {
        if (once.has(form)) shared.push(form)
        else once.add(form)
      }
    }
    for (const index of shared.toSorted((one, other) => one - other)) {
      const form = this.#fuzzy[index]!
      const how = similarity(profile, form)
      if (how !== undefined) return { pattern: form.text, how, start: undefined, end: undefined, token: undefined }
    }
    return undefined
  }
}

const unset = -1

const matchOf = ({ tokens }: Profile, { end, start }: Hit): Match => ({
  pattern: tokens
    .slice(start, end + 1)
    .map(({ text }) => text)
    .join(" "),
  how: "exact",
  start: tokens[start]!.start,
  end: tokens[end]!.end,
  token: start
})

const similarity = (one: Profile, other: Profile): "trigrams" | "tokens" | undefined => {
  if (one.length === 0 || one.length > widestFuzzy * other.length) return undefined
  if (isAlike(one.trigrams, other.trigrams, trigramThreshold)) return "trigrams"
  return cosine(one, other) >= cosineThreshold ? "tokens" : undefined
}
