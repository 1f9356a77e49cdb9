import type { Filter } from "../Filter.ts"
import type { Decisions, TextScanner } from "../TextScanner.ts"
import { textFilter } from "../textFilter.ts"
import type { Ending } from "../Verdict.ts"
import { type Language, LanguageCount } from "./languages.ts"
import { isWithin, reportOnce, type Scope } from "./patternFilter.ts"
import { type BlockAction, doneBy, endingOf, type Refusal } from "./words.ts"

/** Which languages may be spoken. */
export interface LanguageFilter extends Scope, Refusal {
  readonly name: string
  readonly allow: ReadonlyArray<Language>
  /** to refuse, unless it says otherwise */
  readonly action?: Exclude<BlockAction, "hide">
  readonly target?: string
  /** a judgement is made after so many words, and again after so many more; 24 by default */
  readonly words?: number
  /** the first so many words are held back until they have been judged; not by default */
  readonly hold?: boolean
}

/** Scripts without spaces have one word for a whole line: so many letters count as one. */
const lettersPerWord = 5

/** Of less than this nobody can tell the language. */
const fewestWords = 8

const isLetter = (character: string): boolean => /[\p{L}\p{M}']/u.test(character)

class LanguageScanner implements TextScanner {
  private readonly settings: Required<Pick<LanguageFilter, "words" | "hold" | "allow">>
  private readonly onForeign: (language: string) => Ending | undefined
  private count = new LanguageCount()
  private word = ""
  private judged = false
  private held = 0

  constructor(settings: LanguageScanner["settings"], onForeign: (language: string) => Ending | undefined) {
    this.settings = settings
    this.onForeign = onForeign
  }

  readonly scan = (text: string, end: boolean, decide: Decisions): Ending | undefined => {
    let undecided = this.held
    // Unit by unit, so that a pair that comes in two pieces is read like any other.
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!
      const ending = isLetter(character) ? this.take(character) : this.endWord()
      if (ending !== undefined) {
        if (this.judged || !this.settings.hold) decide.keep(undecided)
        return ending
      }
      undecided++
    }
    if (end) {
      const ending = this.endWord() ?? this.judge()
      if (ending !== undefined) return ending
    }
    const hold = this.settings.hold && !this.judged && !end
    this.held = hold ? undecided : 0
    if (!hold) decide.keep(undecided)
    return undefined
  }

  private take(character: string): Ending | undefined {
    this.word += character
    return this.word.length < 64 ? undefined : this.endWord()
  }

  private endWord(): Ending | undefined {
    if (this.word === "") return undefined
    this.count.add(this.word)
    this.word = ""
    const { words, letters } = this.count
    return Math.max(words, letters / lettersPerWord) < this.settings.words ? undefined : this.judge()
  }

  private judge(): Ending | undefined {
    const { language, words, letters } = this.count
    this.count = new LanguageCount()
    const known =
      Math.max(words, letters / lettersPerWord) >= fewestWords &&
      language !== undefined &&
      !this.settings.allow.some((allowed) => allowed === language)
    const ending = known ? this.onForeign(language) : undefined
    this.judged ||= ending === undefined
    return ending
  }
}

/** A filter that lets only some languages be spoken. */
export const language = (settings: LanguageFilter): Filter => {
  const { name, allow, action = "refuse", words = 24, hold = false, sides = ["answer"] } = settings
  return textFilter({
    name,
    sides,
    scanner: (place, context) => {
      if (place.kind !== "text" || !isWithin(settings, place)) return undefined
      return new LanguageScanner({ allow, words, hold }, (spoken) => {
        const ending = endingOf(action, `it is in a language that is not allowed here: ${spoken}`, settings)
        reportOnce(context, {
          filter: name,
          phase: place.side,
          category: `language ${spoken}`,
          severity: "medium",
          action: doneBy[action]
        })
        return ending
      })
    }
  })
}
