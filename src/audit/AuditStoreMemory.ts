import { Effect, Layer } from "effect"
import {
  type AuditRow,
  AuditStore,
  type CallFilter,
  type Change,
  type Content,
  type FinalRow,
  type Found,
  type Lease,
  type OpenedRow,
  type Position,
  shortPayload,
  type Span,
  type StoredCall
} from "./AuditStore.ts"
import { interruptedRow } from "./CallRecord.ts"
import { memoryEvents } from "./events/memory.ts"
import type { Keeping } from "../storage/Retention.ts"
import { isFoundIn, needlesOf } from "./text-search.ts"

interface Kept {
  readonly opened: OpenedRow
  readonly final: FinalRow | undefined
}

const matches = (filter: CallFilter, { final, opened }: Kept): boolean =>
  (filter.status === undefined || (filter.status === "open") === (final === undefined)) &&
  (filter.outcome === undefined || final?.outcome === filter.outcome) &&
  (filter.model === undefined || opened.model === filter.model) &&
  (filter.key === undefined || opened.key === filter.key) &&
  (filter.requestId === undefined || opened.requestId === filter.requestId) &&
  (filter.conversation === undefined || opened.conversation === filter.conversation) &&
  (filter.openedFrom === undefined || opened.openedAt >= filter.openedFrom) &&
  (filter.openedBefore === undefined || opened.openedAt < filter.openedBefore) &&
  (filter.labels ?? []).every((label) => opened.labels.includes(label)) &&
  (filter.text === undefined || hasText(filter.text, { final, opened }))

const hasText = (text: string, { final, opened }: Kept): boolean => {
  const needles = needlesOf(text)
  return (
    isFoundIn(needles, opened.request, opened.body) ||
    (final !== undefined && isFoundIn(needles, final.response, final.body))
  )
}

const isBefore = (one: Position, other: Position) =>
  one.openedAt === other.openedAt ? one.id < other.id : one.openedAt < other.openedAt

const storedCall = ({ final, opened }: Kept): StoredCall => ({
  id: opened.id,
  openedAt: opened.openedAt,
  opened: { body: opened.body, request: opened.request },
  final: final === undefined ? undefined : { body: final.body, response: final.response }
})

const longest = { none: -1, short: shortPayload, all: Number.POSITIVE_INFINITY }

const readCall = (kept: Kept, content: Content): StoredCall => {
  const { final, opened, ...call } = storedCall(kept)
  const read = (text: string | null) => (text !== null && text.length <= longest[content] ? text : null)
  return {
    ...call,
    opened: { ...opened, request: read(opened.request) },
    final: final === undefined ? undefined : { ...final, response: read(final.response) }
  }
}

const bytesOf = ({ final, opened }: Kept): number =>
  opened.body.length + (opened.request?.length ?? 0) + (final?.body.length ?? 0) + (final?.response?.length ?? 0)

class Memory {
  readonly #opened = new Map<string, OpenedRow>()
  readonly #final = new Map<string, FinalRow>()
  readonly #leases = new Map<string, Lease>()
  /** The records by their positions, in the order of these. */
  readonly #records = new Map<number, AuditRow>()
  #written = 0

  commit(rows: ReadonlyArray<AuditRow>): ReadonlyArray<AuditRow> {
    const late: Array<AuditRow> = []
    for (const row of rows) {
      const known = (row._tag === "Opened" ? this.#opened : this.#final).get(row.id)
      if (known?._tag === "Final" && known.owner !== row.owner) late.push(row)
      if (known !== undefined) continue
      if (row._tag === "Opened") this.#opened.set(row.id, row)
      else this.#final.set(row.id, row)
      this.#records.set(++this.#written, row)
    }
    return late
  }

  get position(): number {
    return this.#written + 1
  }

  /** The label of the key by which a call was made; undefined where there is no such call. */
  callerOf(id: string): string | null | undefined {
    return this.#opened.get(id)?.key
  }

  #kept(opened: OpenedRow): Kept {
    return { opened, final: this.#final.get(opened.id) }
  }

  get(id: string): StoredCall | undefined {
    const opened = this.#opened.get(id)
    return opened === undefined ? undefined : storedCall(this.#kept(opened))
  }

  list(filter: CallFilter, { after, content, limit }: Span): Found {
    const found = [...this.#opened.values()]
      .map((opened) => this.#kept(opened))
      .filter((kept) => matches(filter, kept) && (after === undefined || isBefore(kept.opened, after)))
      .toSorted((one, other) => (isBefore(one.opened, other.opened) ? 1 : -1))
    const calls = found.slice(0, limit).map((kept) => readCall(kept, content))
    return { calls, next: found.length > limit ? calls.at(-1) : undefined }
  }

  positions(behind: number, limit: number): ReadonlyArray<number> {
    return [...this.#records.keys()].filter((position) => position > behind).slice(0, limit)
  }

  changes(filter: CallFilter, positions: ReadonlyArray<number>, content: Content): ReadonlyArray<Change> {
    return positions.flatMap((position) => {
      const row = this.#records.get(position)
      const opened = row && this.#opened.get(row.id)
      const kept = opened && this.#kept(opened)
      if (row === undefined || kept === undefined || !matches(filter, kept)) return []
      const shown = row._tag === "Opened" ? { ...kept, final: undefined } : kept
      return [{ position, kind: row._tag, call: readCall(shown, content) }]
    })
  }

  keepLease(lease: Lease) {
    this.#leases.set(lease.owner, lease)
  }

  leases(): ReadonlyArray<Lease> {
    return [...this.#leases.values()]
  }

  prune({ maxBytes = Number.POSITIVE_INFINITY, openedFrom = 0 }: Keeping): number {
    const kept = [...this.#opened.values()].map((opened) => this.#kept(opened))
    let bytes = kept.reduce((sum, one) => sum + bytesOf(one), 0)
    let removed = 0
    for (const one of kept) {
      if (one.final === undefined || (one.opened.openedAt >= openedFrom && bytes <= maxBytes)) break
      this.#opened.delete(one.opened.id)
      this.#final.delete(one.opened.id)
      bytes -= bytesOf(one)
      removed += 2
    }
    for (const [position, { id }] of this.#records) if (!this.#opened.has(id)) this.#records.delete(position)
    return removed
  }

  endLease({ heartbeatAt, owner }: Lease, by: string, at: number): ReadonlyArray<FinalRow> {
    const lease = this.#leases.get(owner)
    if (lease === undefined || lease.heartbeatAt !== heartbeatAt) return []
    this.#leases.delete(owner)
    const orphans = [...this.#opened.values()].filter((row) => row.owner === owner && !this.#final.has(row.id))
    const rows = orphans.map((orphan) => interruptedRow(orphan, by, at))
    this.commit(rows)
    return rows
  }
}

/** Keeps the records of calls in this process and forgets them with it: for tests and programs without a database. */
export const layer: Layer.Layer<AuditStore> = Layer.sync(AuditStore, () => {
  const memory = new Memory()
  return AuditStore.of({
    commit: (rows) => Effect.sync(() => memory.commit(rows)),
    position: Effect.sync(() => memory.position),
    get: (id) => Effect.sync(() => memory.get(id)),
    list: (filter, span) => Effect.sync(() => memory.list(filter, span)),
    positions: (behind, limit) => Effect.sync(() => memory.positions(behind, limit)),
    changes: (filter, positions, content) => Effect.sync(() => memory.changes(filter, positions, content)),
    keepLease: (lease) => Effect.sync(() => memory.keepLease(lease)),
    leases: Effect.sync(() => memory.leases()),
    endLease: (lease, by, at) => Effect.sync(() => memory.endLease(lease, by, at)),
    events: memoryEvents((call) => memory.callerOf(call)),
    prune: (keeping) => Effect.sync(() => memory.prune(keeping))
  })
})
