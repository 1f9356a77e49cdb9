import { Context, type Effect } from "effect"
import type { StorageError } from "../storage/Database.ts"
import type { Keeping } from "../storage/Retention.ts"
import type { EventStore } from "./events/EventStore.ts"

/** A call that begins, as it is kept: what lists are filtered by, and the record as JSON. */
export interface OpenedRow {
  readonly _tag: "Opened"
  readonly id: string
  /** The process that runs the call, as it names itself in its lease. */
  readonly owner: string
  /** Epoch milliseconds. */
  readonly openedAt: number
  readonly requestId: string | null
  readonly model: string
  readonly key: string | null
  readonly conversation: string | null
  /** As `name=value`. */
  readonly labels: ReadonlyArray<string>
  readonly body: string
  /** The request as JSON, where it is captured whole. */
  readonly request: string | null
}

/** A call that ended. */
export interface FinalRow {
  readonly _tag: "Final"
  readonly id: string
  /** The process that says so: the one that ran the call, or one that found it dead. */
  readonly owner: string
  /** The tag of the outcome. */
  readonly outcome: string
  /** When the call was opened, by which lists are ordered, and when it ended: epoch milliseconds. */
  readonly openedAt: number
  readonly endedAt: number
  readonly body: string
  /** The answer as JSON, where it is captured whole. */
  readonly response: string | null
}

/** What is kept of a call: that it began, or how it ended. */
export type AuditRow = OpenedRow | FinalRow

/** How many characters of a row are kept: what it weighs while it waits. */
export const lengthOf = (row: AuditRow): number =>
  row.body.length + ((row._tag === "Opened" ? row.request : row.response)?.length ?? 0)

/** A call as it is read back. */
export interface StoredCall {
  readonly id: string
  readonly openedAt: number
  readonly opened: { readonly body: string; readonly request: string | null }
  readonly final: { readonly body: string; readonly response: string | null } | undefined
}

/** Which calls are listed; every key that is present must match. Times are epoch milliseconds. */
export interface CallFilter {
  readonly status?: "open" | "ended" | undefined
  /** The tag of the outcome. */
  readonly outcome?: string | undefined
  readonly model?: string | undefined
  /** The label of the caller's key. */
  readonly key?: string | undefined
  readonly requestId?: string | undefined
  readonly conversation?: string | undefined
  readonly openedFrom?: number | undefined
  readonly openedBefore?: number | undefined
  /** Labels that the call has all of, as `name=value`. */
  readonly labels?: ReadonlyArray<string> | undefined
  /** A text that is in what is kept of the request or the answer; the letters of ASCII match in either case. */
  readonly text?: string | undefined
}

/** Where a page of a list begins: after this call, which itself need not exist any more. */
export interface Position {
  readonly openedAt: number
  readonly id: string
}

/** How much of requests and answers is read with their calls: nothing, those that are short, or all. */
export type Content = "none" | "short" | "all"

/** A request or an answer of no more characters is short. */
export const shortPayload = 16 * 1024

/** What to read of a list: so many calls at most, from a place on. */
export interface Span {
  readonly limit: number
  readonly after: Position | undefined
  readonly content: Content
}

/**
 * Calls in the order of the list. `next` is where the following ones begin; absent where there are none. Looking for a
 * text, a store may stop before it has found as many as were asked for: then there are fewer, even none, and a `next`.
 */
export interface Found {
  readonly calls: ReadonlyArray<StoredCall>
  readonly next: Position | undefined
}

/** A record that was written: a call that began or ended. */
export interface Change {
  readonly position: number
  readonly kind: AuditRow["_tag"]
  readonly call: StoredCall
}

/** A process's word that it lives and answers for the calls it opened. */
export interface Lease {
  readonly owner: string
  readonly host: string
  readonly pid: number
  /** Epoch milliseconds. */
  readonly heartbeatAt: number
  /** All calls that this owner opened before this position of the store have their terminal record. */
  readonly settledBelow: number
}

/**
 * The port to the place that keeps the records of calls. It stores and finds; when and how often is the business of
 * `AuditTrail`. All writes may be repeated harmlessly.
 */
export class AuditStore extends Context.Service<
  AuditStore,
  {
    /**
     * Keeps all rows or none; durable when it succeeds. Of several rows for one call the first opening and the first
     * ending stay, whoever wrote them. Gives the endings that came too late: another owner had ended their calls.
     */
    readonly commit: (rows: ReadonlyArray<AuditRow>) => Effect.Effect<ReadonlyArray<AuditRow>, StorageError>
    /** Every row that is committed after this was asked stands at this position or behind it. */
    readonly position: Effect.Effect<number, StorageError>
    readonly get: (id: string) => Effect.Effect<StoredCall | undefined, StorageError>
    /** Newest first. */
    readonly list: (filter: CallFilter, span: Span) => Effect.Effect<Found, StorageError>
    /** Positions behind this one at which there are records, in their order. */
    readonly positions: (behind: number, limit: number) => Effect.Effect<ReadonlyArray<number>, StorageError>
    /** The records at these positions, those whose calls match. */
    readonly changes: (
      filter: CallFilter,
      positions: ReadonlyArray<number>,
      content: Content
    ) => Effect.Effect<ReadonlyArray<Change>, StorageError>
    /** Writes or renews a lease. */
    readonly keepLease: (lease: Lease) => Effect.Effect<void, StorageError>
    readonly leases: Effect.Effect<ReadonlyArray<Lease>, StorageError>
    /**
     * Removes a lease and ends the owner's open calls as `Interrupted` in the name of `by`, in one step, and gives the
     * rows of that. Does nothing when the lease was renewed since it was read, or is gone.
     */
    readonly endLease: (lease: Lease, by: string, at: number) => Effect.Effect<ReadonlyArray<FinalRow>, StorageError>
    readonly events: EventStore
    /** Removes the oldest records and gives their number. Those of calls that are open stay. */
    readonly prune: (keeping: Keeping) => Effect.Effect<number, StorageError>
  }
>()("millrace/audit/AuditStore") {}
