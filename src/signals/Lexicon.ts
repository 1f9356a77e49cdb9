import { Automaton } from "./Automaton.ts"
import { type Family, families, type LanguagePack } from "./LanguagePack.ts"
import { PatternSet } from "./Pattern.ts"
import { tokenize } from "./Tokens.ts"

/** The patterns of several languages, ready to be looked for. */
export type Lexicon = { readonly [F in Family]: PatternSet } & { readonly stopWords: ReadonlySet<string> }

/** Packs of the same language, and of different ones, add up. */
export const makeLexicon = (packs: ReadonlyArray<LanguagePack>): Lexicon => {
  const automaton = new Automaton()
  const sets = Object.fromEntries(
    families.map((family) => [
      family,
      new PatternSet(
        packs.flatMap(({ patterns }) => patterns[family] ?? []),
        automaton
      )
    ])
  )
  return {
    // one for each family, by construction
    ...(sets as { readonly [F in Family]: PatternSet }),
    stopWords: new Set(
      packs.flatMap(({ stopWords = [] }) => stopWords.flatMap((word) => tokenize(word).map(({ text }) => text)))
    )
  }
}
