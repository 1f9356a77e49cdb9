import type { SeenRow, View } from "../Taxonomy.ts"
import type { Profile } from "../Tokens.ts"

const stemLength = 4
const longestContrast = 12
const latestBegin = 3
const knownShare = 0.6

/** The beginning of a word, which its forms have in common; undefined of words that say nothing of a subject. */
const stemOf = (word: string, { stopWords }: View["lexicon"]): string | undefined =>
  word.length < stemLength || stopWords.has(word) ? undefined : word.slice(0, stemLength)

const stemsOf = ({ tokens }: Profile, lexicon: View["lexicon"], from = 0): ReadonlyArray<string> =>
  tokens.slice(from).flatMap(({ text }) => stemOf(text, lexicon) ?? [])

/**
 * Whether somebody says again what they had asked for, because the answer is about something else: "I wanted …" with words
 * of the earlier message and hardly any new ones, or "…, not …" with a word of theirs and then one that only the answer had.
 */
export const contradicts = (
  { spoken }: SeenRow,
  { asked, answered }: { readonly asked: SeenRow; readonly answered: SeenRow },
  lexicon: View["lexicon"]
): boolean => {
  const own = new Set(stemsOf(asked.spoken, lexicon))
  const theirs = new Set(stemsOf(answered.profile, lexicon))
  return restates(spoken, own, theirs, lexicon) || contrasts(spoken, own, theirs, lexicon)
}

const restates = (
  spoken: Profile,
  own: ReadonlySet<string>,
  theirs: ReadonlySet<string>,
  lexicon: View["lexicon"]
): boolean => {
  const begin = lexicon.restatement.exact(spoken, (token) => token <= latestBegin)
  if (begin?.token === undefined) return false
  const rest = stemsOf(spoken, lexicon, begin.token + begin.pattern.split(" ").length)
  const known = rest.filter((stem) => own.has(stem) || theirs.has(stem)).length
  return rest.some((stem) => own.has(stem)) && known >= knownShare * rest.length
}

const contrasts = (
  spoken: Profile,
  own: ReadonlySet<string>,
  theirs: ReadonlySet<string>,
  lexicon: View["lexicon"]
): boolean => {
  if (spoken.length > longestContrast || spoken.text.includes("?")) return false
  const stems = spoken.tokens.map(({ text }) => stemOf(text, lexicon))
  if (!stems.some((stem) => stem !== undefined && own.has(stem))) return false
  return spoken.tokens.some((_, at) => {
    if (!lexicon.negation.standsAt(spoken, at)) return false
    const denied = stems.slice(at + 1).find((stem) => stem !== undefined)
    return denied !== undefined && theirs.has(denied) && !own.has(denied)
  })
}
