import { Effect, type Scope } from "effect"
import type { StorageError } from "../storage/Database.ts"
import { AnalysisThread } from "./AnalysisThread.ts"
import type { AnalysisSetup } from "./analysis-messages.ts"
import { type Analysis, lengthOf, readOn, type Standing, standingOf } from "./analyze.ts"
import { taxonomies } from "./built-in.ts"
import type { ConversationId } from "./conversation-id.ts"
import { makeLexicon } from "./Lexicon.ts"
import { Recent } from "./Recent.ts"
import type { Conversation } from "./Row.ts"
import { SignalStore } from "./SignalStore.ts"
import { type Memory, noMemory, together } from "./Watermark.ts"

/** A conversation to read, as it stands after a call. */
export interface Job {
  readonly identity: ConversationId
  readonly conversation: Conversation
  /** the provider's id of the answer, by which the next turn may name it */
  readonly responseId: string | undefined
  /** whether there is something to keep of the call, whatever is read */
  readonly isKept: boolean
}

/** What was read of a job; `key` is what its conversation is remembered by, `isKept` whether the store is to have it. */
export interface JobRead {
  readonly key: string
  readonly analysis: Analysis
  readonly isKept: boolean
}

/** What was read of a batch, undefined where that failed, and what the store is to know of conversations from now on. */
export interface BatchRead {
  readonly reads: ReadonlyArray<JobRead | undefined>
  readonly memories: ReadonlyMap<string, Memory>
  /** To be called when all of it was kept: only then it counts as read. */
  readonly done: () => void
}

export interface ConversationReader {
  /**
   * Reads a short conversation at once, where that shows that there is nothing to keep and nothing to ask the store: then it
   * is done. Undefined where it has to be read with a batch.
   */
  readonly glance: (job: Job) => Analysis | undefined
  /** Reads a batch, in the order in which its calls ended. */
  readonly read: (jobs: ReadonlyArray<Job>) => Effect.Effect<BatchRead, StorageError>
}

const conversations = 2000
const answers = 10_000
/** How many characters are read without letting others go on; what is longer is read in the thread. */
const slice = 16_384
/** How many are read at once, before the end of a call goes on: some microseconds. */
const glanced = 4096

/** Whether the store is to have a call: where somebody else keeps the history, nobody else knows what was raised. */
const isKept = (job: Job, analysis: Analysis | undefined): boolean =>
  job.isKept || job.identity.continues || (analysis !== undefined && (analysis.signals.length > 0 || analysis.flagged))

/**
 * Reads conversations, each as far as it is new. What this process has read it remembers; the store is asked only where
 * something was found, because that may have been read by another process, or before a restart. So what raises nothing,
 * which is nearly everything, needs no store at all.
 */
export const makeConversationReader = Effect.fnUntraced(function* ({
  packs,
  taxonomy
}: AnalysisSetup): Effect.fn.Return<ConversationReader, never, SignalStore | Scope.Scope> {
  const store = yield* SignalStore
  const thread = yield* AnalysisThread.make({ packs, taxonomy })
  const reading = { taxonomy: taxonomies[taxonomy], lexicon: makeLexicon(packs) }
  const known = new Recent<Memory>(conversations)
  /** the conversations of answers that a next turn may name */
  const answered = new Recent<string>(answers)
  let spent = 0

  /** Those that go on from an answer belong to the conversation of that answer, where it is known. */
  const keysOf = Effect.fnUntraced(function* (jobs: ReadonlyArray<Job>) {
    const unknown = jobs.flatMap(({ identity: { earlier } }) =>
      earlier === undefined || answered.get(earlier) !== undefined ? [] : [earlier]
    )
    const stored = unknown.length === 0 ? undefined : yield* store.conversationsOf(unknown)
    const begun = new Map<string, string>()
    return jobs.map(({ identity: { earlier, key }, responseId }) => {
      const found =
        earlier === undefined ? key : (begun.get(earlier) ?? answered.get(earlier) ?? stored?.get(earlier) ?? key)
      // the next turn may be in the same batch
      if (responseId !== undefined) begun.set(responseId, found)
      return found
    })
  })

  /**
   * One conversation that cannot be read must not keep the others from being read; an effect for each costs as much as
   * reading it.
   */
  const tryReading = (standing: Standing): Analysis | undefined => {
    try {
      return readOn(standing, reading)
    } catch {
      return undefined
    }
  }

  const readInThread = ({ conversation, memory }: Standing, { identity: { continues } }: Job) =>
    Effect.catchCause(thread.read({ conversation, memory, continues }), () => Effect.undefined)

  /** Reads jobs one after the other; what is learned of their conversations is added. */
  const readAll = Effect.fnUntraced(function* (
    jobs: ReadonlyArray<Job>,
    keys: ReadonlyArray<string>,
    learned: Map<string, Memory>
  ) {
    const analyses: Array<Analysis | undefined> = []
    for (const [index, job] of jobs.entries()) {
      const key = keys[index]!
      const standing = standingOf(
        job.conversation,
        learned.get(key) ?? known.get(key) ?? noMemory,
        job.identity.continues
      )
      const length = lengthOf(standing)
      spent += length
      // Short ones are read where they are: to hand them to the thread would cost more than to read them.
      if (length <= slice && spent > slice) {
        spent = length
        yield* Effect.yieldNow
      }
      const analysis = length > slice ? yield* readInThread(standing, job) : tryReading(standing)
      if (analysis !== undefined) learned.set(key, analysis.memory)
      analyses.push(analysis)
    }
    return analyses
  })

  const glance = (job: Job): Analysis | undefined => {
    const { continues, key } = job.identity
    if (continues || job.isKept) return undefined
    const standing = standingOf(job.conversation, known.get(key) ?? noMemory, continues)
    const analysis = lengthOf(standing) > glanced ? undefined : tryReading(standing)
    if (analysis === undefined || isKept(job, analysis)) return undefined
    known.set(key, analysis.memory)
    if (job.responseId !== undefined) answered.set(job.responseId, key)
    return analysis
  }

  const read = Effect.fnUntraced(function* (jobs: ReadonlyArray<Job>) {
    const keys = yield* keysOf(jobs)
    const learned = new Map<string, Memory>()
    let analyses = yield* readAll(jobs, keys, learned)
    const doubtful = new Set(keys.filter((_, index) => isKept(jobs[index]!, analyses[index])))
    const stored = doubtful.size === 0 ? undefined : yield* store.recall([...doubtful])
    if (stored !== undefined && stored.size > 0) {
      learned.clear()
      for (const [key, memory] of stored) learned.set(key, together(known.get(key) ?? noMemory, memory))
      analyses = yield* readAll(jobs, keys, learned)
    }
    const reads = analyses.map((analysis, index) =>
      analysis === undefined ? undefined : { key: keys[index]!, analysis, isKept: isKept(jobs[index]!, analysis) }
    )
    const kept = new Set(reads.flatMap((read) => (read?.isKept === true ? [read.key] : [])))
    return {
      reads,
      memories: new Map([...learned].filter(([key]) => kept.has(key))),
      done: () => {
        for (const [key, memory] of learned) known.set(key, memory)
        jobs.forEach(({ responseId }, index) => {
          if (responseId !== undefined) answered.set(responseId, keys[index]!)
        })
      }
    }
  })

  return { glance, read }
})
