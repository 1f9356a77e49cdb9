import { Duration, Schema } from "effect"
import type { Analyzer } from "../signals/Analyzer.ts"
import { degenerate } from "../signals/analyzers/degenerate.ts"
import { languageSwitch } from "../signals/analyzers/language.ts"
import { refusal } from "../signals/analyzers/refusal.ts"
import { repetition, repetitionDefaults } from "../signals/analyzers/repetition.ts"
import { stall } from "../signals/analyzers/stall.ts"
import { type LanguageName, languageNames } from "../signals/built-in.ts"
import type { Finding } from "./problems.ts"
import { isSection } from "./substitute.ts"
import { count, positiveDuration } from "./units.ts"
import { oneOf } from "./values.ts"

/** The settings that only some kinds have. */
const settingsOf = {
  repetition: ["times", "length"],
  stall: ["after"],
  refusal: ["languages"],
  language: [],
  degenerate: []
} as const satisfies { readonly [kind: string]: ReadonlyArray<string> }

type Kind = keyof typeof settingsOf
const kinds = ["repetition", "stall", "refusal", "language", "degenerate"] as const satisfies ReadonlyArray<Kind>

/** Something that watches answers while they stream. */
const AnalyzerEntry = Schema.Struct({
  kind: oneOf(kinds),
  onFinding: Schema.optionalKey(oneOf(["observe", "stop"])),
  times: Schema.optionalKey(count(2, 1_000_000)),
  length: Schema.optionalKey(count(20, 1_000_000)),
  after: Schema.optionalKey(positiveDuration("20s")),
  languages: Schema.optionalKey(Schema.NonEmptyArray(oneOf(languageNames)))
})
type AnalyzerEntry = typeof AnalyzerEntry.Type

/** The section `analyzers` of a document: each has a name of the user's choice. */
export const Analyzers = Schema.Record(Schema.String, AnalyzerEntry)

const isKind = (kind: unknown): kind is Kind => kinds.some((known) => known === kind)

/** What is said of an analyzer that its kind does not have. */
export const checkAnalyzers = (document: unknown): ReadonlyArray<Finding> => {
  const analyzers = isSection(document) ? document["analyzers"] : undefined
  return Object.entries(isSection(analyzers) ? analyzers : {}).flatMap(([name, entry]) => {
    if (!isSection(entry) || !isKind(entry["kind"])) return []
    const known: ReadonlyArray<string> = ["kind", "onFinding", ...settingsOf[entry["kind"]]]
    const all: ReadonlyArray<string> = Object.values(settingsOf).flat()
    return Object.keys(entry)
      .filter((key) => all.includes(key) && !known.includes(key))
      .map((key) => ({
        path: ["analyzers", name, key],
        message: `means nothing to kind: ${String(entry["kind"])}; remove it`
      }))
  })
}

const analyzerOf = (name: string, entry: AnalyzerEntry, languages: ReadonlyArray<LanguageName>): Analyzer => {
  const { kind, onFinding, after, length, times } = entry
  switch (kind) {
    case "repetition":
      return repetition(name, onFinding, {
        times: times ?? repetitionDefaults.times,
        length: length ?? repetitionDefaults.length
      })
    case "stall":
      return stall(name, onFinding, after === undefined ? undefined : Duration.toMillis(after))
    case "refusal":
      return refusal(name, entry.languages ?? languages, onFinding)
    case "language":
      return languageSwitch(name, onFinding)
    case "degenerate":
      return degenerate(name, onFinding)
  }
}

/** The analyzers of a sound document, in its order. Those with patterns take the languages of `signals`. */
export const analyzersOf = (
  analyzers: typeof Analyzers.Type,
  languages: ReadonlyArray<LanguageName>
): ReadonlyArray<Analyzer> => Object.entries(analyzers).map(([name, entry]) => analyzerOf(name, entry, languages))
