import type { Match } from "../Pattern.ts"
import { preview, type Signal } from "../Signal.ts"
import type { SeenRow, View } from "../Taxonomy.ts"
import { type Profile, without } from "../Tokens.ts"

/** What was said from where a pattern stood. */
const snippetOf = (text: string, { start = 0 }: Match): string => preview(text.slice(start))

/** A signal that a pattern raised. */
export const matched = (type: string, { message, spoken }: SeenRow, match: Match, metadata = {}): Signal => ({
  type,
  message,
  confidence: 1,
  snippet: snippetOf(spoken.text, match),
  metadata: { pattern: match.pattern, match: match.how, ...metadata }
})

const sentenceEnd = /[.,;:!?\n]/
const reach = 3

/** Finds a pattern that is not turned into its opposite: "I don't want to talk to a human" asks for none. */
export const affirmed = (
  patterns: View["lexicon"]["quit"],
  spoken: Profile,
  { negation }: View["lexicon"]
): Match | undefined =>
  patterns.exact(spoken, (at) => {
    for (let before = at - 1; before >= Math.max(0, at - reach); before--) {
      const word = spoken.tokens[before]!
      if (sentenceEnd.test(spoken.text.slice(word.end, spoken.tokens[before + 1]!.start))) return true
      if (negation.standsAt(spoken, before)) return false
    }
    return true
  }) ?? patterns.similar(spoken)

/** What nobody writes but in a program or a query. */
const code = /[=;{}<>]|\w_\w|\w\(|\s\*\s/

/** Ten letters and more, four fifths of them capitals, and no code. */
export const isShouted = (text: string): boolean => {
  // looked at only where it may be: whoever shouts begins with it, or goes on with it
  if (!/\p{Lu}[^\p{Ll}]*\p{Lu}[^\p{Ll}]*\p{Lu}/u.test(text)) return false
  const letters = text.match(/\p{Lu}|\p{Ll}/gu) ?? []
  return (
    letters.length >= 10 &&
    !code.test(text) &&
    letters.filter((letter) => /\p{Lu}/u.test(letter)).length >= 0.8 * letters.length
  )
}

/** The words of a text that say what it is about. */
export const contentWords = ({ words }: Profile, { stopWords }: View["lexicon"]): ReadonlySet<string> =>
  without(words, stopWords)
