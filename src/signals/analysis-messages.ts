import type { Analysis } from "./analyze.ts"
import type { LanguagePack } from "./LanguagePack.ts"
import type { Conversation } from "./Row.ts"
import type { TaxonomyName } from "./Taxonomy.ts"
import type { Memory } from "./Watermark.ts"

/** What the thread is started with. */
export interface AnalysisSetup {
  readonly taxonomy: TaxonomyName
  readonly packs: ReadonlyArray<LanguagePack>
}

/** A conversation to read, as it stands after a call, and what is known of it. */
export interface AnalysisRequest {
  readonly id: number
  readonly conversation: Conversation
  readonly memory: Memory
  readonly continues: boolean
}

/** The analysis, undefined where it failed. */
export interface AnalysisAnswer {
  readonly id: number
  readonly analysis: Analysis | undefined
}
