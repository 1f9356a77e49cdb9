import type { Effect } from "effect"
import type { StorageError } from "../../storage/Database.ts"
import type { Keeping } from "../../storage/Retention.ts"

/** An event as it is kept. One that has the same owner and id is the same event if its hash is the same. */
export interface EventRow {
  /** The label of the key that it was sent with; empty where no key was asked for. */
  readonly owner: string
  readonly id: string
  /** SHA-256 of the body. */
  readonly hash: string
  readonly call: string | null
  readonly run: string | null
  /** When it happened, if it says so, and when it came: epoch milliseconds. */
  readonly at: number | null
  readonly receivedAt: number
  /** The event as JSON. */
  readonly body: string
}

/** An event as it is read back. */
export type StoredEvent = Pick<EventRow, "owner" | "id" | "body">

/** So many events of a call and its runs are read at most. */
export const mostEventsRead = 1000

/** The part of the store that keeps what is told about calls from outside. */
export interface EventStore {
  /**
   * Keeps all of them; durable when it succeeds. Of several with one owner and id the first stays. Gives for each the
   * hash of the one that is kept.
   */
  readonly keep: (rows: ReadonlyArray<EventRow>) => Effect.Effect<ReadonlyArray<string | undefined>, StorageError>
  /**
   * What these owners told about a call and about the runs that one of them named with it, the earliest first; at most
   * one more than `mostEventsRead`.
   */
  readonly of: (call: string, owners: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<StoredEvent>, StorageError>
  /** The labels of the keys by which calls were made, null for none; those that are not recorded are absent. */
  readonly callersOf: (calls: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, string | null>, StorageError>
  /**
   * Removes what came before the time from which records are kept, or before the oldest record that is left, and the
   * oldest where all of it is larger than records may be. Gives their number.
   */
  readonly prune: (keeping: Keeping) => Effect.Effect<number, StorageError>
}
