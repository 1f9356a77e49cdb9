import { type Analyzer, watchText } from "../Analyzer.ts"
import { languagePacks } from "../built-in.ts"
import { tokenize } from "../Tokens.ts"

const scripts = ["Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Thai", "Hangul"] as const
/** Japanese is written in three scripts, one of which is that of Chinese. */
const eastern = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu

const matchers = new Map<string, RegExp>([
  ...scripts.map((script) => [script, new RegExp(`\\p{Script=${script}}`, "gu")] as const),
  ["Han or Kana", eastern]
])

const stopWords = new Map(
  Object.entries(languagePacks).map(([name, [{ stopWords = [] }]]) => [
    name,
    new Set(stopWords.flatMap((word) => tokenize(word).map(({ text }) => text)))
  ])
)

const count = (text: string, matcher: RegExp): number => text.match(matcher)?.length ?? 0

/**
 * What a text is written in: a language that is known by its commonest words, else a script, else undefined. It takes
 * three quarters of the letters, and twice as many common words as of any other language.
 */
export const languageOf = (text: string): string | undefined => {
  const letters = count(text, /\p{L}/gu)
  if (letters < 60) return undefined
  for (const [script, matcher] of matchers) {
    if (count(text, matcher) < 0.75 * letters) continue
    return script === "Latin" ? latinLanguage(text) : script
  }
  return undefined
}

const latinLanguage = (text: string): string | undefined => {
  const words = tokenize(text).map((token) => token.text)
  const [first, second] = Array.from(
    stopWords,
    ([name, common]) => [name, words.filter((word) => common.has(word)).length] as const
  ).toSorted(([, one], [, other]) => other - one)
  if (first === undefined || second === undefined) return undefined
  const [name, most] = first
  return most >= 0.2 * words.length && most >= 2 * second[1] ? name : undefined
}

const size = 240

/** An answer that begins in one language and goes on in another: two stretches of 240 characters, one after the other. */
export const languageSwitch = (name: string, onFinding: "observe" | "stop" = "observe"): Analyzer => ({
  name,
  onFinding,
  watch: () => {
    let own: string | undefined
    let before: string | undefined
    let inCode = false
    return watchText({ step: size, size }, (tail, { end }) => {
      const fences = count(tail, /```/g)
      const code = inCode || fences > 0
      if (fences % 2 === 1) inCode = !inCode
      if (end || code) return undefined
      const language = languageOf(tail)
      own ??= language
      const switched = language !== undefined && language !== own && language === before
      before = language
      return switched ? { category: "language", severity: "medium", excerpt: `${own} → ${language}` } : undefined
    })
  }
})
