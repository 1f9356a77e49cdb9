import type { Lexicon } from "./Lexicon.ts"
import type { Row } from "./Row.ts"
import { type Counts, levelOf, type QualityLevel, type Signal } from "./Signal.ts"
import { type Sketch, sketchOf } from "./sketch.ts"
import { Profile } from "./Tokens.ts"

/** A conversation as a taxonomy sees it. Rows from `fresh` on were not seen before, and they alone raise signals. */
export interface View {
  readonly rows: ReadonlyArray<SeenRow>
  readonly fresh: number
  /** how often each type was raised before */
  readonly before: Counts
  readonly turns: { readonly human: number; readonly assistant: number }
  readonly lexicon: Lexicon
}

/** A row, and its text in the forms in which it is compared. */
export class SeenRow {
  readonly row: Row
  #profile: Profile | undefined
  #spoken: Profile | undefined
  #sketch: Sketch | undefined

  constructor(row: Row) {
    this.row = row
  }

  get kind(): Row["kind"] {
    return this.row.kind
  }

  get message(): number {
    return this.row.message
  }

  /** the whole text */
  get profile(): Profile {
    return (this.#profile ??= new Profile(this.row.kind === "call" ? this.row.name : this.row.text))
  }

  /** the whole text, as a quick look at what it may be like */
  get sketch(): Sketch {
    return (this.#sketch ??= sketchOf(this.row.kind === "call" ? this.row.name : this.row.text))
  }

  /** what somebody says in words of their own: without code, without what they quote */
  get spoken(): Profile {
    return (this.#spoken ??= new Profile(this.row.kind === "call" ? "" : withoutQuotes(this.row.text)))
  }
}

const code = /```[^]*?(?:```|$)|`[^`\n]*`/g
const quotedLines = /^>.*$/gm
const quotes = /(?<=^|[\s(:])(?:"[^"\n]{1,300}"|“[^”\n]{1,300}”|„[^“”"\n]{1,300}[“”"]|«[^»\n]{1,300}»)/g

/** Blanks keep everything else in its place. A message that is nothing but a quotation is taken by its word. */
const withoutQuotes = (text: string): string => {
  if (!/[`>"“„«]/.test(text)) return text
  const blank = (found: string) => " ".repeat(found.length)
  const spoken = text.replace(code, blank).replace(quotedLines, blank).replace(quotes, blank)
  return /[\p{L}\p{N}]/u.test(spoken) ? spoken : text
}

/** How a conversation goes, by everything that was raised in it. */
export interface Assessment {
  /** from 0 to 100 */
  readonly score: number
  readonly quality: QualityLevel
  /** 1 where the conversation has not been dragging on; from 0 to 1 */
  readonly efficiency: number
}

/** The assessment by points, of which a conversation has no more than 100 and no less than none. */
export const assessed = (points: number, efficiency: number): Assessment => {
  const score = Math.min(100, Math.max(0, points))
  return { score, quality: levelOf(score), efficiency }
}

/** A way to read conversations: which signals there are, and what they amount to. */
export interface Taxonomy {
  readonly name: TaxonomyName
  /** every type that can be raised */
  readonly types: ReadonlyArray<string>
  /** what the fresh rows raise */
  readonly find: (view: View) => ReadonlyArray<Signal>
  readonly assess: (counts: Counts, turns: View["turns"]) => Assessment
  /** whether new signals, with all there were, are worth somebody's attention */
  readonly flags: (found: ReadonlyArray<Signal>, counts: Counts) => boolean
}

export const taxonomyNames = ["layered", "legacy"] as const
export type TaxonomyName = (typeof taxonomyNames)[number]

/** How much the number of turns takes from a conversation: nothing up to five, then more with each. */
export const efficiencyOf = (turns: number, weight: number): number => {
  const baseline = 5
  return turns <= baseline ? 1 : 1 / (1 + weight * (turns - baseline))
}
