import { cosine, jaccard, Profile, type Token, tokenize } from "./Tokens.ts"

/**
 * A pattern was found: in which of its forms, how, and the words of the text between `start` and `end` where that is known.
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
/** How many words a `*` may stand for. */
const widestGap = 3
const mostAlternatives = 2000

/** What is wrong with a pattern, or undefined. */
export const patternFault = (pattern: string): string | undefined => {
  const alternatives = alternativesOf(pattern.replace(/^=/, ""))
  if (alternatives === undefined) return "has a ( without its ), or more than 2000 forms"
  for (const alternative of alternatives) {
    const words = wordsOf(alternative)
    if (words.length === 0) return "has a form without a word"
    if (words[0] === "*" || words.at(-1) === "*") return "has a * at an end, where it means nothing"
  }
  return undefined
}

/** The forms of a pattern: `(a|b|) c` stands for `a c`, `b c` and `c`. Undefined where it cannot be read. */
const alternativesOf = (pattern: string): ReadonlyArray<string> | undefined => {
  let forms: ReadonlyArray<string> = [""]
  let at = 0
  while (at < pattern.length) {
    const open = pattern.indexOf("(", at)
    const literal = pattern.slice(at, open < 0 ? undefined : open)
    if (literal.includes(")")) return undefined
    forms = forms.map((form) => form + literal)
    if (open < 0) break
    const close = pattern.indexOf(")", open)
    if (close < 0) return undefined
    const choices = pattern.slice(open + 1, close).split("|")
    if (choices.some((choice) => choice.includes("(")) || forms.length * choices.length > mostAlternatives) {
      return undefined
    }
    forms = forms.flatMap((form) => choices.map((choice) => form + choice))
    at = close + 1
  }
  return forms
}

const wordsOf = (form: string): ReadonlyArray<string> =>
  form.split(/(?<=\s|^)\*(?=\s|$)/).flatMap((piece, index) => {
    const words = tokenize(piece).map(({ text }) => text)
    return index === 0 ? words : ["*", ...words]
  })

interface Form {
  readonly words: ReadonlyArray<string>
}

interface FuzzyForm extends Form {
  readonly profile: Profile
}

/**
 * A list of patterns, ready to be looked for. Per text there is at most one match: the first place where the words of a
 * pattern stand one after the other, of several there the longest; else the first pattern that the whole text is like, by its runs of three characters
 * (Jaccard, 0.65), or by its words (cosine, 0.60).
 *
 * A pattern of one or two words, one that begins with `=`, and one with a gap are only found word for word.
 */
export class PatternSet {
  readonly #byFirstWord = new Map<string, Array<Form>>()
  readonly #fuzzy: Array<FuzzyForm> = []

  constructor(patterns: ReadonlyArray<string>) {
    for (const pattern of patterns) this.#add(pattern)
  }

  #add(pattern: string): void {
    const literal = pattern.startsWith("=")
    for (const text of alternativesOf(literal ? pattern.slice(1) : pattern) ?? []) {
      const words = wordsOf(text)
      const [first] = words
      if (first === undefined || first === "*") continue
      const form = { words }
      const known = this.#byFirstWord.get(first)
      if (known === undefined) this.#byFirstWord.set(first, [form])
      else known.push(form)
      if (literal || words.length < shortestFuzzy || words.includes("*")) continue
      this.#fuzzy.push({ ...form, profile: new Profile(words.join(" ")) })
    }
  }

  find(profile: Profile): Match | undefined {
    return this.exact(profile) ?? this.#similar(profile)
  }

  /** The same, word for word only. `accepts` may turn a place down, and the search goes on. */
  exact({ tokens }: Profile, accepts: (token: number) => boolean = () => true): Match | undefined {
    for (const at of tokens.keys()) {
      const longest = this.#longestAt(tokens, at)
      if (longest !== undefined && accepts(at)) return longest
    }
    return undefined
  }

  #longestAt(tokens: ReadonlyArray<Token>, at: number): Match | undefined {
    const token = tokens[at]!
    let longest: { readonly words: ReadonlyArray<string>; readonly last: number } | undefined
    for (const { words } of this.#byFirstWord.get(token.text) ?? []) {
      const last = endOf(words, tokens, at)
      if (last !== undefined && (longest === undefined || last > longest.last)) longest = { words, last }
    }
    if (longest === undefined) return undefined
    const { last, words } = longest
    return { pattern: words.join(" "), how: "exact", start: token.start, end: tokens[last]!.end, token: at }
  }

  /** Whether one of the patterns stands, word for word, at the word with this index. */
  standsAt({ tokens }: Profile, at: number): boolean {
    const word = tokens[at]
    if (word === undefined) return false
    return (this.#byFirstWord.get(word.text) ?? []).some(({ words }) => endOf(words, tokens, at) !== undefined)
  }

  #similar(profile: Profile): Match | undefined {
    if (profile.length === 0) return undefined
    for (const { profile: other, words } of this.#fuzzy) {
      const how = similarity(profile, other)
      if (how !== undefined)
        return { pattern: words.join(" "), how, start: undefined, end: undefined, token: undefined }
    }
    return undefined
  }
}

const similarity = (one: Profile, other: Profile): "trigrams" | "tokens" | undefined => {
  const sizes = [one.trigrams.size, other.trigrams.size] as const
  // sets of too different sizes cannot have so much in common
  const comparable = Math.min(...sizes) >= trigramThreshold * Math.max(...sizes)
  if (comparable && jaccard(one.trigrams, other.trigrams) >= trigramThreshold) return "trigrams"
  return cosine(one.frequencies, other.frequencies) >= cosineThreshold ? "tokens" : undefined
}

/** The index of the last word of a form that stands at `at`, undefined where it does not. */
const endOf = (
  words: ReadonlyArray<string>,
  tokens: ReadonlyArray<Token>,
  at: number,
  from = 0
): number | undefined => {
  let next = at
  for (let index = from; index < words.length; index++) {
    if (words[index] === "*") {
      for (let gap = 1; gap <= widestGap; gap++) {
        const end = endOf(words, tokens, next + gap, index + 1)
        if (end !== undefined) return end
      }
      return undefined
    }
    if (tokens[next]?.text !== words[index]) return undefined
    next++
  }
  return next - 1
}
