import type { LanguagePack } from "./LanguagePack.ts"
import { english } from "./packs/english.ts"
import { french } from "./packs/french.ts"
import { german } from "./packs/german.ts"
import { spanish } from "./packs/spanish.ts"
import { toolAnswers } from "./packs/tool-answers.ts"
import type { Taxonomy, TaxonomyName } from "./Taxonomy.ts"
import { layered } from "./taxonomies/layered.ts"
import { legacy } from "./taxonomies/legacy.ts"

/** The languages that Millrace brings patterns for. */
export const languagePacks = { en: english, de: german, fr: french, es: spanish } as const

export const languageNames = ["en", "de", "fr", "es"] as const satisfies ReadonlyArray<keyof typeof languagePacks>
export type LanguageName = (typeof languageNames)[number]

/** The patterns of some languages, what tools answer, and packs of one's own. */
export const packsOf = (
  languages: ReadonlyArray<LanguageName>,
  own: ReadonlyArray<LanguagePack> = []
): ReadonlyArray<LanguagePack> => [...languages.map((name) => languagePacks[name]), toolAnswers, ...own]

export const taxonomies: { readonly [N in TaxonomyName]: Taxonomy } = { layered, legacy }
