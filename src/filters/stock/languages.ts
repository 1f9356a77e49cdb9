/** Languages that can be told apart, by the words that stand in nearly every sentence of them. */
const functionWords = {
  en: "the of and to in is that it for was with as his on be at by this had not are but from have they which you or",
  de: "der die und das ist nicht ein eine zu den mit von für auf dem im sich auch als wie werden sie wir ich es oder",
  fr: "le la les et des est une du que pour dans qui sur pas avec plus par ce au sont vous nous cette mais il elle",
  es: "el los las y que en una por con para es del se no su más como pero sus está este esta son fue hay también",
  it: "il che di per una non con del sono della è si da nel alla come più anche gli questo ma dei le ha al lo",
  pt: "o os as e que em um uma para com não do da dos por mais como mas foi ao ele ela são você isso também está",
  nl: "de het een van en in is dat op te niet zijn voor met die aan er ook maar als bij wordt naar deze dit of"
} as const

/** Languages that are told by their script. */
const scripts = {
  ru: /\p{sc=Cyrillic}/u,
  el: /\p{sc=Greek}/u,
  ar: /\p{sc=Arabic}/u,
  he: /\p{sc=Hebrew}/u,
  hi: /\p{sc=Devanagari}/u,
  th: /\p{sc=Thai}/u,
  ko: /\p{sc=Hangul}/u,
  ja: /[\p{sc=Hiragana}\p{sc=Katakana}]/u,
  zh: /\p{sc=Han}/u
} as const

export type Language = keyof typeof functionWords | keyof typeof scripts

/** The languages that can be told, by their ISO 639-1 codes. `ru` is everything in Cyrillic. */
// The keys of the objects just above.
export const languages = [...Object.keys(functionWords), ...Object.keys(scripts)] as ReadonlyArray<Language>

const wordLists = Object.entries(functionWords).map(
  ([language, words]) => [language, new Set(words.split(" "))] as const
)
const scriptTests = Object.entries(scripts)

/** Counts what speaks for which language in a text, word by word. */
export class LanguageCount {
  private readonly counts = new Map<string, number>()
  words = 0
  private lettersOf = new Map<string, number>()
  letters = 0

  add(word: string): void {
    this.words++
    const plain = word.toLowerCase()
    for (const [language, words] of wordLists) {
      if (words.has(plain)) this.counts.set(language, (this.counts.get(language) ?? 0) + 1)
    }
    for (const letter of plain) {
      this.letters++
      const [script] = scriptTests.find(([, test]) => test.test(letter)) ?? []
      if (script !== undefined) this.lettersOf.set(script, (this.lettersOf.get(script) ?? 0) + 1)
    }
  }

  /** The language that it is, or nothing where that is not clear. */
  get language(): string | undefined {
    const japanese = this.lettersOf.get("ja") ?? 0
    const [script, count] = largest(this.lettersOf)
    // Japanese is written in Chinese characters too, and nobody else writes kana.
    if (script === "zh" && japanese * 10 > count) return "ja"
    if (script !== undefined && count * 2 > this.letters) return script
    const [language, words] = largest(this.counts)
    const second = Math.max(0, ...Array.from(this.counts, ([other, count]) => (other === language ? 0 : count)))
    return language !== undefined && words * 6 >= this.words && words >= second * 1.5 ? language : undefined
  }
}

const largest = (counts: ReadonlyMap<string, number>): readonly [string | undefined, number] => {
  let most: readonly [string | undefined, number] = [undefined, 0]
  for (const entry of counts) if (entry[1] > most[1]) most = entry
  return most
}
