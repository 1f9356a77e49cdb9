import type { LanguagePack } from "./LanguagePack.ts"
import { english } from "./packs/english.ts"
import { englishVariants } from "./packs/english-variants.ts"
import { french } from "./packs/french.ts"
import { frenchVariants } from "./packs/french-variants.ts"
import { german } from "./packs/german.ts"
import { germanVariants } from "./packs/german-variants.ts"
import { spanish } from "./packs/spanish.ts"
import { spanishVariants } from "./packs/spanish-variants.ts"
import { toolAnswers } from "./packs/tool-answers.ts"
import type { Taxonomy, TaxonomyName } from "./Taxonomy.ts"
import { layered } from "./taxonomies/layered.ts"
import { legacy } from "./taxonomies/legacy.ts"

/** The languages that Millrace brings patterns for; packs of a language add up. */
export const languagePacks = {
  en: [english, englishVariants],
  de: [german, germanVariants],
  fr: [french, frenchVariants],
  es: [spanish, spanishVariants]
} as const

/** The languages that have patterns built in. */
export const languageNames = ["en", "de", "fr", "es"] as const satisfies ReadonlyArray<keyof typeof languagePacks>
export type LanguageName = (typeof languageNames)[number]

/** The patterns of some languages, what tools answer, and packs of one's own. */
export const packsOf = (
  languages: ReadonlyArray<LanguageName>,
  own: ReadonlyArray<LanguagePack> = []
): ReadonlyArray<LanguagePack> => [...languages.flatMap((name) => languagePacks[name]), toolAnswers, ...own]

export const taxonomies: { readonly [N in TaxonomyName]: Taxonomy } = { layered, legacy }
