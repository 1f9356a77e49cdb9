import { Effect, Schedule, Stream } from "effect"
import type { StorageError } from "../storage/Database.ts"
import { type AuditRow, AuditStore, type CallFilter, type Content } from "./AuditStore.ts"
import type { CallRecord } from "./CallRecord.ts"
import { readRecord } from "./CallRecords.ts"

/** A call that began or ended: its record as it was then. */
export interface Happening {
  readonly kind: AuditRow["_tag"]
  readonly record: CallRecord
}

/** What to follow. `kinds` are what is told of: that calls begin, that they end. */
export interface Following {
  readonly filter: CallFilter
  readonly content: Content
  readonly kinds: ReadonlyArray<AuditRow["_tag"]>
}

/** How often is looked for new records. */
const interval = "500 millis"

/** A store that is away is waited for: what is written meanwhile is told of when it is back. */
const outage = { schedule: Schedule.spaced("1 second"), times: 60 }

/**
 * Processes that write at the same time may have their records appear out of order: so far behind the last one is looked
 * for those that are late.
 */
const overlap = 1000
const atOnce = 100

/** The positions that were not seen before, and not before now. */
class Fresh {
  #behind: number
  readonly #seen: Set<number>

  constructor(behind: number, seen: ReadonlyArray<number>) {
    this.#behind = behind
    this.#seen = new Set(seen)
  }

  get behind(): number {
    return this.#behind
  }

  among(positions: ReadonlyArray<number>): ReadonlyArray<number> {
    return positions.filter((position) => !this.#seen.has(position)).slice(0, atOnce)
  }

  see(fresh: ReadonlyArray<number>): void {
    for (const position of fresh) this.#seen.add(position)
    this.#behind = Math.max(this.#behind, (fresh.at(-1) ?? 0) - overlap)
    for (const position of this.#seen) if (position <= this.#behind) this.#seen.delete(position)
  }
}

/** Begins to follow: what calls do from then on, without an end. */
export const following = Effect.fnUntraced(function* ({
  content,
  filter,
  kinds
}: Following): Effect.fn.Return<Stream.Stream<Happening, StorageError>, StorageError, AuditStore> {
  const store = yield* AuditStore
  const behind = (yield* store.position) - 1 - overlap
  const fresh = new Fresh(behind, yield* store.positions(behind, 2 * overlap))
  const look = Effect.gen(function* () {
    const positions = fresh.among(yield* store.positions(fresh.behind, 2 * overlap))
    if (positions.length === 0) {
      yield* Effect.sleep(interval)
      return []
    }
    const changes = yield* store.changes(filter, positions, content)
    fresh.see(positions)
    const told = changes.filter(({ kind }) => kinds.includes(kind))
    return yield* Effect.forEach(told, ({ call, kind }) =>
      Effect.map(readRecord(call), (record): Happening => ({ kind, record }))
    )
  }).pipe(Effect.retry({ ...outage, while: ({ retryable }) => retryable }))
  return Stream.flattenIterable(Stream.fromEffectRepeat(look))
})

/** Tells of calls as they begin and end from now on, without an end. */
export const follow = (asked: Following): Stream.Stream<Happening, StorageError, AuditStore> =>
  Stream.unwrap(following(asked))
