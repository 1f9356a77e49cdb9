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

/** A conversation to read, as it stands after a call. `key` is what it is remembered by. */
export interface Job {
  readonly key: string
  readonly conversation: Conversation
  readonly continues: boolean
}

/** Jobs in the order in which their calls ended, and what is known of their conversations. */
export interface AnalysisRequest {
  readonly id: number
  readonly jobs: ReadonlyArray<Job>
  readonly memories: ReadonlyMap<string, Memory>
}

/** An analysis for each job, undefined where it failed, and what is known of the conversations now. */
export interface AnalysisAnswer {
  readonly id: number
  readonly analyses: ReadonlyArray<Omit<Analysis, "memory"> | undefined>
  readonly memories: ReadonlyMap<string, Memory>
}
