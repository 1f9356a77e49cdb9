import { Effect, Schema } from "effect"
import type { Database, Statement, StorageError } from "../../storage/Database.ts"
import { readRows } from "../../storage/readRows.ts"
import type { Keeping } from "../../storage/Retention.ts"
import { type EventRow, type EventStore, mostEventsRead } from "./EventStore.ts"

const insertEvents = (count: number): string =>
  `insert into call_events (owner, id, hash, call_id, run_id, at, received_at, body)
    values ${Array.from({ length: count }, () => "(?, ?, ?, ?, ?, ?, ?, ?)").join(", ")}
    on conflict (owner, id) do nothing`

const places = (count: number, place = "?"): string => Array.from({ length: count }, () => place).join(", ")

const selectHashes = (count: number): string =>
  `select owner, id, hash from call_events where (owner, id) in (values ${places(count, "(?, ?)")})`

const selectEvents = (owners: number): string =>
  `select owner, id, body from call_events
    where owner in (${places(owners)}) and position in (
      select position from call_events where call_id = ?
      union
      select position from call_events where run_id in (
        select run_id from call_events where call_id = ? and run_id is not null and owner in (${places(owners)})))
    order by coalesce(at, 0), owner, id limit ${mostEventsRead + 1}`

const selectCallers = (count: number): string =>
  `select id, caller_key from audit_records where kind = 'Opened' and id in (${places(count)})`

const selectBounds = `select coalesce(max(position), 0) as last,
    (select at from audit_records where kind = 'Opened' order by position limit 1) as oldest
  from call_events`
const selectFirstFrom = "select position from call_events where received_at >= ? order by position limit 1"
const selectSize = `select cast(avg(octet_length(body)) as double precision) as size, count(*) as counted
  from (select body from call_events order by position desc limit 500) as latest`
const selectCount = "select count(*) as count from call_events"
const selectNth = "select position from call_events order by position limit 1 offset ?"
const deleteBefore = "delete from call_events where position < ?"

/** What an event takes beside its body: columns, its places in the indexes. */
const overheadBytes = 300
const mostRowsTogether = 64

const NumberRow = Schema.Record(Schema.String, Schema.NullOr(Schema.Finite))
const HashRow = Schema.Struct({ owner: Schema.String, id: Schema.String, hash: Schema.String })
const EventBody = Schema.Struct({ owner: Schema.String, id: Schema.String, body: Schema.String })
const CallerRow = Schema.Struct({ id: Schema.String, caller_key: Schema.NullOr(Schema.String) })

const decodeNumbers = Schema.decodeUnknownEffect(Schema.Array(NumberRow))
const decodeHashes = Schema.decodeUnknownEffect(Schema.Array(HashRow))
const decodeEvents = Schema.decodeUnknownEffect(Schema.Array(EventBody))
const decodeCallers = Schema.decodeUnknownEffect(Schema.Array(CallerRow))

const reading = (database: Database["Service"]) => readRows(database, "the events")

const keyOf = ({ id, owner }: { readonly id: string; readonly owner: string }) => `${owner}\n${id}`

/** Few different texts, so that a database prepares each once: as many rows together as the largest power of two. */
const insertions = (rows: ReadonlyArray<EventRow>): ReadonlyArray<Statement> => {
  const statements: Array<Statement> = []
  for (let first = 0; first < rows.length;) {
    const count = Math.min(mostRowsTogether, 2 ** Math.floor(Math.log2(rows.length - first)))
    const params = rows
      .slice(first, first + count)
      .flatMap(({ at, body, call, hash, id, owner, receivedAt, run }) => [
        owner,
        id,
        hash,
        call,
        run,
        at,
        receivedAt,
        body
      ])
    statements.push({ sql: insertEvents(count), params })
    first += count
  }
  return statements
}

const mostAskedTogether = 256

/** In parts, each filled up to a power of two by its last: there are few different texts so. */
const asked = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / mostAskedTogether) }, (_, part) => {
    const some = items.slice(part * mostAskedTogether, (part + 1) * mostAskedTogether)
    const size = 2 ** Math.ceil(Math.log2(some.length))
    return Array.from({ length: size }, (_, index) => some[Math.min(index, some.length - 1)]!)
  })

/** Two processes that keep the same events come to them in the same order, so that neither waits for the other. */
const inOrder = (one: EventRow, other: EventRow): number => {
  const [first, second] = [keyOf(one), keyOf(other)]
  return first < second ? -1 : first > second ? 1 : 0
}

const prune = Effect.fnUntraced(function* (
  database: Database["Service"],
  { maxBytes, openedFrom }: Keeping
): Effect.fn.Return<number, StorageError> {
  const numbers = (sql: string, ...params: ReadonlyArray<number>) =>
    Effect.map(reading(database)({ sql, params }, decodeNumbers), ([row]) => row ?? {})
  if (openedFrom === undefined && maxBytes === undefined) return 0
  const { last, oldest } = yield* numbers(selectBounds)
  const behind = (last ?? 0) + 1
  const from = Math.max(openedFrom ?? 0, oldest ?? 0)
  let end = (yield* numbers(selectFirstFrom, from))["position"] ?? behind
  if (maxBytes !== undefined) {
    const { size } = yield* numbers(selectSize)
    const { count } = yield* numbers(selectCount)
    const surplus = (count ?? 0) - Math.floor(maxBytes / ((size ?? 0) + overheadBytes))
    if (surplus > 0) end = Math.max(end, (yield* numbers(selectNth, surplus))["position"] ?? behind)
  }
  const [removed = 0] = yield* database.batch([{ sql: deleteBefore, params: [end] }])
  return removed
})

/** The events in the database; its tables and those of the records are there already. */
export const sqlEvents = (database: Database["Service"]): EventStore => ({
  keep: Effect.fnUntraced(function* (rows) {
    if (rows.length === 0) return []
    yield* database.batch(insertions(rows.toSorted(inOrder)))
    const hashes = new Map<string, string>()
    for (const part of asked(rows)) {
      const keys = part.flatMap(({ id, owner }) => [owner, id])
      const found = yield* reading(database)({ sql: selectHashes(part.length), params: keys }, decodeHashes)
      for (const row of found) hashes.set(keyOf(row), row.hash)
    }
    return rows.map((row) => hashes.get(keyOf(row)))
  }),
  of: (call, owners) =>
    reading(database)({ sql: selectEvents(owners.length), params: [...owners, call, call, ...owners] }, decodeEvents),
  callersOf: (calls) =>
    Effect.map(
      Effect.forEach(asked(calls), (part) =>
        reading(database)({ sql: selectCallers(part.length), params: part }, decodeCallers)
      ),
      (parts) => new Map(parts.flat().map((row) => [row.id, row.caller_key]))
    ),
  prune: (keeping) => prune(database, keeping)
})
