import { Effect, Option, type Schema, Stream } from "effect"
import { adminName } from "../domain/Call.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { StorageError } from "../storage/Database.ts"
import { AuditStore, type CallFilter, type Content, type Position, type StoredCall } from "./AuditStore.ts"
import { type CallRecord, fromStored } from "./CallRecord.ts"
import { nobody, outsideOf } from "./events/outsideOf.ts"

/** A page of records, newest first. `nextCursor` asks for the next one; absent where this is the last. */
export interface CallPage {
  readonly data: ReadonlyArray<CallRecord>
  readonly nextCursor: string | undefined
}

/** What to list: at most `limit` records (1 to 100, else the nearest of these), from where `cursor` says. */
export interface CallQuery extends CallFilter {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Which calls to read from beginning to end: at most `limit` of them, with as much of what was said as `content` says. */
export interface WholeQuery extends CallQuery {
  readonly content: Content
}

const defaultLimit = 20
const maxLimit = 100

const unreadable = (id: string) => (error: Schema.SchemaError) =>
  new StorageError({ operation: "query", kind: "corrupt", message: `the record of the call ${id}: ${error.message}` })

/** A call as it is read back; fails where what is stored is not a record. */
export const readRecord = (stored: StoredCall): Effect.Effect<CallRecord, StorageError> =>
  Effect.mapError(fromStored(stored), unreadable(stored.id))

// A cursor names the last call of a page, so that calls which begin meanwhile do not move the next one.
const cursorOf = ({ id, openedAt }: Position) => `${openedAt}.${id}`

const positionOf = (cursor: string): Effect.Effect<Position, LlmError> => {
  const [, openedAt, id] = /^(\d{1,15})\.(.+)$/.exec(cursor) ?? []
  return openedAt === undefined || id === undefined
    ? failure({ _tag: "InvalidRequest", kind: "semantic", path: "cursor" }, "cursor is not one that a list has given")
    : Effect.succeed({ openedAt: Number(openedAt), id })
}

/** One call with all that is kept of it, and what was told about it with its own key, the administrator's, or none. */
export const get: (id: string) => Effect.Effect<CallRecord | undefined, StorageError, AuditStore> = Effect.fnUntraced(
  function* (id: string) {
    const store = yield* AuditStore
    const stored = yield* store.get(id)
    if (stored === undefined) return undefined
    const record = yield* readRecord(stored)
    const owners = new Set([record.caller.key ?? nobody, nobody, adminName])
    return { ...record, ...(yield* outsideOf(store.events, id, [...owners])) }
  }
)

/**
 * A page of calls. Of a request or an answer of more than 16 Ki characters it has size and fingerprint only; `get` has
 * the content. Fails with `InvalidRequest` where the cursor is not one.
 */
export const list: (query: CallQuery) => Effect.Effect<CallPage, StorageError | LlmError, AuditStore> =
  Effect.fnUntraced(function* ({ cursor, limit = defaultLimit, ...filter }: CallQuery) {
    const store = yield* AuditStore
    const size = Math.min(Math.max(1, Math.trunc(limit)), maxLimit)
    const after = cursor === undefined ? undefined : yield* positionOf(cursor)
    const { calls, next } = yield* store.list(filter, { limit: size, after, content: "short" })
    return {
      data: yield* Effect.forEach(calls, readRecord),
      nextCursor: next === undefined ? undefined : cursorOf(next)
    }
  })

/** So many calls are in memory at a time, and fewer where they are so long that together they had more characters. */
const pageSizes = { none: 100, short: 100, all: 20 }
const pageCharacters = 8 * 1024 * 1024

const lengthOf = ({ final, opened }: StoredCall): number =>
  opened.body.length +
  (opened.request?.length ?? 0) +
  (final === undefined ? 0 : final.body.length + (final.response?.length ?? 0))

/** How many calls to read where those that were read last are an example of them. */
const sizeAfter = (calls: ReadonlyArray<StoredCall>, most: number): number => {
  const longest = calls.reduce((length, call) => Math.max(length, lengthOf(call)), 1)
  return Math.min(most, Math.max(1, Math.floor(pageCharacters / longest)))
}

/**
 * All calls that match, newest first, in pages; those that begin while it is read are not among them. A page is asked for
 * when the one before was taken. Searching for a text, pages may be empty.
 */
export const pages = ({
  content,
  cursor,
  limit = Number.POSITIVE_INFINITY,
  ...filter
}: WholeQuery): Stream.Stream<ReadonlyArray<CallRecord>, StorageError | LlmError, AuditStore> => {
  const most = pageSizes[content]
  const from = (left: number, start: Position | undefined) =>
    // of calls with all of what was said one shows how long they are
    Stream.paginate({ after: start, left, size: content === "all" ? 1 : most }, ({ after, left, size }) =>
      Effect.gen(function* () {
        const store = yield* AuditStore
        const { calls, next } = yield* store.list(filter, { limit: Math.min(size, left), after, content })
        const rest = { after: next, left: left - calls.length, size: sizeAfter(calls, most) }
        const page = yield* Effect.forEach(calls, readRecord)
        return [[page], next === undefined || rest.left === 0 ? Option.none() : Option.some(rest)] as const
      })
    )
  if (cursor === undefined) return from(limit, undefined)
  return Stream.unwrap(Effect.map(positionOf(cursor), (start) => from(limit, start)))
}
