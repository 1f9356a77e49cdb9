import { Effect, Schema } from "effect"
import type { Keeping } from "../storage/Retention.ts"
import type { Database, Row, SqlValue, StorageError } from "../storage/Database.ts"

/** So many records go in one transaction: others who write wait for it. */
const chunk = 2000

/** What a record takes beside its body and its content: columns, its places in the indexes, the link. */
const overheadBytes = 400
const sampled = 500

const selectBounds = `select coalesce(min(position), 0) as first, coalesce(max(position), 0) as last,
    (select min(settled_below) from audit_owners) as settled
  from audit_records`

// The oldest of the calls that stay: by its position rather than by the time, so that what goes is a beginning.
const selectOldest = `select position from audit_records where kind = 'Opened' and at >= ? order by at, id limit 1`

const selectSize = `select cast(avg(octet_length(body) + coalesce(octet_length(payload), 0)) as double precision) as size
  from (select body, payload from audit_records order by position desc limit ${sampled}) as latest`

// A chain goes on from the last of its records that are removed: forward only, since another process may be removing
// more of them at the same time.
const moveAnchors = `update audit_chains set first_link = gone.link, first_hash = gone.hash
  from audit_records gone
  where gone.owner = audit_chains.owner and gone.link > audit_chains.first_link and gone.position in (
    select max(position) from audit_records where position < ? and link is not null group by owner)`
const deleteLabels =
  "delete from audit_labels where id in (select id from audit_records where position < ? and kind = 'Opened')"
const deleteRecords = "delete from audit_records where position < ?"
// Of an owner that is gone nothing is left to vouch for.
const deleteChains = `delete from audit_chains
  where first_link = last_link and owner not in (select id from audit_owners)`

const decodeNumber = Schema.decodeUnknownEffect(Schema.NullOr(Schema.Finite))

const numberOf = (row: Row | undefined, column: string): Effect.Effect<number | undefined> =>
  Effect.orDie(Effect.map(decodeNumber(row?.[column] ?? null), (value) => value ?? undefined))

/**
 * Removes the oldest records and gives their number. What goes is always a beginning of the table, so that every chain
 * is whole behind its anchor; the record of a call that is open, and what came after it, stays.
 */
export const prune = Effect.fnUntraced(function* (
  database: Database["Service"],
  { maxBytes, openedFrom }: Keeping
): Effect.fn.Return<number, StorageError> {
  const one = (sql: string, ...params: ReadonlyArray<SqlValue>) =>
    Effect.map(database.query(sql, params), (rows) => rows[0])
  const bounds = yield* one(selectBounds)
  const first = (yield* numberOf(bounds, "first")) ?? 0
  const last = (yield* numberOf(bounds, "last")) ?? 0
  const settled = (yield* numberOf(bounds, "settled")) ?? last
  let end = first
  if (openedFrom !== undefined) {
    // positions must not begin anew, so the newest record stays whatever its age
    end = Math.max(end, (yield* numberOf(yield* one(selectOldest, openedFrom), "position")) ?? last)
  }
  if (maxBytes !== undefined) {
    const size = (yield* numberOf(yield* one(selectSize), "size")) ?? 0
    end = Math.max(end, last - Math.floor(maxBytes / (size + overheadBytes)) + 1)
  }
  end = Math.min(end, settled, last)
  let removed = 0
  for (let from = first; from < end; from += chunk) {
    const upTo = Math.min(from + chunk, end)
    const [, , gone = 0] = yield* database.batch([
      { sql: moveAnchors, params: [upTo] },
      { sql: deleteLabels, params: [upTo] },
      { sql: deleteRecords, params: [upTo] },
      { sql: deleteChains, params: [] }
    ])
    removed += gone
  }
  return removed
})
