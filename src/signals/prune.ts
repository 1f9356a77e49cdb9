import { Effect, Schema } from "effect"
import type { Database, StorageError } from "../storage/Database.ts"
import { readRows } from "../storage/readRows.ts"
import type { Keeping } from "../storage/Retention.ts"

/** So many reports go in one transaction: others who write wait for it. */
const chunk = 1000

/** What a report takes beside its body: columns, types, its places in the indexes. */
const overheadBytes = 600
const sampled = 500

const selectSize = `select cast(avg(octet_length(body)) as double precision) as size
  from (select body from signal_reports order by opened_at desc, call_id desc limit ${sampled}) as latest`

// The oldest of so many that stay.
const selectOldest = `select opened_at, call_id from signal_reports
  order by opened_at desc, call_id desc limit 1 offset ?`

const selectGone = `select call_id from signal_reports where (opened_at, call_id) < (?, ?)
  order by opened_at, call_id limit ${chunk}`

const decodeSizes = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ size: Schema.NullOr(Schema.Finite) })))
const decodePlaces = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ opened_at: Schema.Int, call_id: Schema.String }))
)
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ call_id: Schema.String })))

/**
 * Removes the oldest reports, and what is known of conversations that were not gone on with since; gives the number of the
 * reports.
 */
export const prune = Effect.fnUntraced(function* (
  database: Database["Service"],
  { maxBytes, openedFrom }: Keeping
): Effect.fn.Return<number, StorageError> {
  const read = readRows(database, "the signals")
  let end = { opened_at: openedFrom ?? Number.MIN_SAFE_INTEGER, call_id: "" }
  if (maxBytes !== undefined) {
    const [{ size } = { size: null }] = yield* read({ sql: selectSize, params: [] }, decodeSizes)
    const stay = Math.floor(maxBytes / ((size ?? 0) + overheadBytes))
    const [oldest] = yield* read({ sql: selectOldest, params: [Math.max(0, stay - 1)] }, decodePlaces)
    if (oldest !== undefined && oldest.opened_at >= end.opened_at) end = oldest
  }
  let removed = 0
  for (;;) {
    const oldest = { sql: selectGone, params: [Math.floor(end.opened_at), end.call_id] }
    const gone = (yield* read(oldest, decodeIds)).map(({ call_id }) => call_id)
    const isLast = gone.length < chunk
    const places = gone.map(() => "?").join(", ")
    yield* database.batch([
      ...(gone.length === 0
        ? []
        : [
            { sql: `delete from signal_types where call_id in (${places})`, params: gone },
            { sql: `delete from signal_reports where call_id in (${places})`, params: gone }
          ]),
      ...(isLast
        ? [{ sql: "delete from signal_conversations where updated_at < ?", params: [Math.floor(end.opened_at)] }]
        : [])
    ])
    removed += gone.length
    if (isLast) return removed
  }
})
