import { type Analyzer, type Observation, watchText } from "../Analyzer.ts"
import { tokenize } from "../Tokens.ts"

const size = 2048

const finding = (excerpt: string): Observation => ({ category: "degenerate", severity: "high", excerpt })

const longRun = /([^\s=\-_*#~.])\1{199,}/u
/** Letters without an end, in a script that has spaces between words. What encodes data has digits in it. */
const endlessWord = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]{400,}/u
const broken = /\uFFFD/g

/** What is wrong with a text that is no language any more, or undefined. */
const degeneration = (text: string): string | undefined => {
  if ((text.match(broken)?.length ?? 0) > 20) return "characters that could not be read"
  if (longRun.test(text)) return "one character, over and over"
  if (endlessWord.test(text)) return "a word without an end"
  const words = tokenize(text)
  const distinct = new Set(words.map((word) => word.text))
  return words.length >= 150 && distinct.size < 0.08 * words.length ? "a handful of words, over and over" : undefined
}

/** An answer that has become noise: one character or a handful of words over and over, a word without an end. */
export const degenerate = (name: string, onFinding: "observe" | "stop" = "observe"): Analyzer => ({
  name,
  onFinding,
  watch: () =>
    watchText({ step: 256, size }, (tail) => {
      const what = degeneration(tail)
      return what === undefined ? undefined : finding(what)
    })
})
