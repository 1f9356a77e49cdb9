import { Context, type Effect } from "effect"
import type { StorageError } from "../storage/Database.ts"
import type { Keeping } from "../storage/Retention.ts"
import type { QualityLevel } from "./Signal.ts"
import type { SignalReport } from "./SignalReport.ts"
import type { Memory } from "./Watermark.ts"

/** Which reports are listed; every key that is present must match. Times are epoch milliseconds. */
export interface SignalFilter {
  readonly flagged?: boolean | undefined
  readonly quality?: QualityLevel | undefined
  /** a type that the call raised */
  readonly type?: string | undefined
  readonly model?: string | undefined
  /** the label of the caller's key */
  readonly key?: string | undefined
  readonly conversation?: string | undefined
  readonly openedFrom?: number | undefined
  readonly openedBefore?: number | undefined
}

/** Where a page of a list begins: after the report of this call. */
export interface ReportPosition {
  readonly openedAt: number
  readonly call: string
}

/**
 * A report as it is kept. `conversationKey` is what its conversation is remembered by, `responseId`
 * the provider's id of the answer, by which the next turn may name it.
 */
export interface KeptReport {
  readonly report: SignalReport
  readonly conversationKey: string
  readonly responseId: string | undefined
}

/**
 * The port to the place that keeps reports, and what is known of conversations. When, and of what, is the business of
 * `Signals`. Writes may be repeated harmlessly.
 */
export class SignalStore extends Context.Service<
  SignalStore,
  {
    /** What is known of conversations, by their keys; absent where nothing is. */
    readonly recall: (keys: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, Memory>, StorageError>
    /** The keys of the conversations that the answers with these ids belong to. */
    readonly conversationsOf: (
      responseIds: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, string>, StorageError>
    /** Keeps all of it or nothing. Of several reports for one call the first stays, of memories the last. */
    readonly keep: (
      reports: ReadonlyArray<KeptReport>,
      memories: ReadonlyMap<string, Memory>
    ) => Effect.Effect<void, StorageError>
    readonly get: (call: string) => Effect.Effect<SignalReport | undefined, StorageError>
    /** Newest first. */
    readonly list: (
      filter: SignalFilter,
      limit: number,
      after: ReportPosition | undefined
    ) => Effect.Effect<ReadonlyArray<SignalReport>, StorageError>
    /** Some of the reports, evenly picked; the same ones for the same seed, as long as no others come. */
    readonly sample: (
      filter: SignalFilter,
      size: number,
      seed: number
    ) => Effect.Effect<ReadonlyArray<SignalReport>, StorageError>
    /** Removes the oldest reports and gives their number. What is known of conversations goes when no report of them can stay. */
    readonly prune: (keeping: Keeping) => Effect.Effect<number, StorageError>
  }
>()("millrace/signals/SignalStore") {}

const lots = 1_000_003

/** A number that a call draws by its id, from 0 to 1,000,002. */
export const lotOf = (call: string): number => {
  let lot = 0
  for (let at = 0; at < call.length; at++) lot = (lot * 31 + call.charCodeAt(at)) % lots
  return lot
}

/** How lots are shuffled for a seed: each times `factor`, modulo `lots`, which is a prime. */
export const shuffleOf = (seed: number): { readonly factor: number; readonly lots: number } => ({
  factor: 1 + ((Math.abs(Math.trunc(seed)) * 7919 + 104_729) % (lots - 1)),
  lots
})
