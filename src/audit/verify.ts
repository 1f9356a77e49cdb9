import { Effect, Result, Schema } from "effect"
import { Database, type StorageError } from "../storage/Database.ts"
import { readRows } from "../storage/readRows.ts"
import { Payload, fingerprint } from "./Capture.ts"
import { type Link, nextLink } from "./Chain.ts"
import { type ChainBreak, ChainFold, type Verification } from "./ChainFold.ts"
import { LabelCheck } from "./verify-labels.ts"

const pageSize = 500
/** A request or an answer of more bytes is not read with others. */
const longPayload = 64 * 1024

const selectChains = "select owner, first_link, first_hash, last_link, last_hash from audit_chains"
const selectRecords = `select position, owner, link, hash, kind, id, at, request_id, model, caller_key, conversation,
    outcome, opened_at, body, case when octet_length(payload) <= ${longPayload} then payload end as payload,
    case when octet_length(payload) > ${longPayload} then 1 else 0 end as is_long, case when record.kind = 'Final' then
      (select opened.at from audit_records opened where opened.id = record.id and opened.kind = 'Opened') end as begun_at
  from audit_records record where position > ? order by position limit ${pageSize}`
const selectPayload = "select payload from audit_records where position = ?"
const selectLink = "select position from audit_records where owner = ? and link = ? limit 1"

const Text = Schema.NullOr(Schema.String)
const Moment = Schema.NullOr(Schema.Int)

const ChainRow = Schema.Struct({
  owner: Schema.String,
  first_link: Schema.Int,
  first_hash: Schema.String,
  last_link: Schema.Int,
  last_hash: Schema.String
})

const RecordRow = Schema.Struct({
  position: Schema.Int,
  owner: Schema.String,
  link: Schema.NullOr(Schema.Int),
  hash: Text,
  kind: Schema.Literals(["Opened", "Final"]),
  id: Schema.String,
  at: Schema.Int,
  request_id: Text,
  model: Text,
  caller_key: Text,
  conversation: Text,
  outcome: Text,
  /** when the call was opened, as the record of its end repeats it, and as that of its beginning says, where it is there */
  opened_at: Moment,
  begun_at: Moment,
  body: Schema.String,
  payload: Text,
  is_long: Schema.Int
})
type RecordRow = typeof RecordRow.Type

const decodeChains = Schema.decodeUnknownEffect(Schema.Array(ChainRow))
const decodeRecords = Schema.decodeUnknownEffect(Schema.Array(RecordRow))
const decodePayloads = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ payload: Text })))

/** What the columns and the payload of a record repeat of its body, or are vouched for by it. */
const Opened = Schema.Struct({
  id: Schema.String,
  requestId: Schema.optionalKey(Schema.String),
  model: Schema.String,
  caller: Schema.Struct({ key: Schema.optionalKey(Schema.String) }),
  conversation: Schema.optionalKey(Schema.String),
  request: Schema.optionalKey(Payload)
})
const Final = Schema.Struct({
  id: Schema.String,
  outcome: Schema.Struct({ _tag: Schema.String }),
  response: Schema.optionalKey(Payload)
})
const decodeOpened = Schema.decodeUnknownResult(Schema.fromJsonString(Opened))
const decodeFinal = Schema.decodeUnknownResult(Schema.fromJsonString(Final))

const isVouchedFor = (payload: Payload | undefined, text: string | null): boolean =>
  text === null || (payload !== undefined && payload.sha256 === fingerprint(text))

/** Databases have another character in the place of half a surrogate pair, and some in that of NUL. */
const isSame = (column: string | null, said: string | undefined): boolean => {
  const kept = said?.toWellFormed()
  return column === (kept ?? null) || column === kept?.replaceAll("\0", "\uFFFD")
}

const agrees = (row: RecordRow): boolean => {
  if (row.kind === "Final") {
    const body = decodeFinal(row.body)
    if (Result.isFailure(body)) return false
    const { id, outcome, response } = body.success
    const isInTime = row.begun_at === null || row.opened_at === row.begun_at
    return isSame(row.id, id) && row.outcome === outcome._tag && isInTime && isVouchedFor(response, row.payload)
  }
  const body = decodeOpened(row.body)
  if (Result.isFailure(body)) return false
  const { caller, conversation, id, model, request, requestId } = body.success
  return (
    isSame(row.id, id) &&
    isSame(row.request_id, requestId) &&
    isSame(row.model, model) &&
    isSame(row.caller_key, caller.key) &&
    isSame(row.conversation, conversation) &&
    isVouchedFor(request, row.payload)
  )
}

class TableCheck {
  readonly #database: Database["Service"]
  readonly #read: ReturnType<typeof readRows>
  readonly #labels: LabelCheck
  readonly #fold = new ChainFold()
  /** The last links that were on record when the check began: what is written meanwhile comes after them. */
  readonly #ends = new Map<string, Link>()
  readonly #truncated: Array<{ readonly owner: string; readonly link: number }> = []
  #records = 0
  #unlinked = 0

  constructor(database: Database["Service"]) {
    this.#database = database
    this.#read = readRows(database, "the audit trail")
    this.#labels = new LabelCheck(database)
  }

  readonly run: Effect.Effect<Verification, StorageError> = Effect.gen({ self: this }, function* () {
    for (const row of yield* this.#chains) {
      if (row.first_link > 0) this.#truncated.push({ owner: row.owner, link: row.first_link })
      this.#fold.begin(row.owner, { number: row.first_link, hash: row.first_hash })
      this.#ends.set(row.owner, { number: row.last_link, hash: row.last_hash })
    }
    let position = 0
    for (;;) {
      const rows = yield* this.#read({ sql: selectRecords, params: [position] }, decodeRecords)
      for (const row of rows) {
        const whole = row.is_long === 0 ? row : yield* this.#whole(row)
        // removed for its age meanwhile, as the next one will show
        if (whole === undefined) continue
        const broken = yield* this.#take(whole)
        if (broken !== undefined) return this.#report(broken)
      }
      const end = rows.at(-1)?.position ?? position
      const mislabelled = yield* this.#mislabelled(rows, position, end)
      if (mislabelled !== undefined) return this.#report(mislabelled)
      position = end
      if (rows.length < pageSize) return this.#report((yield* this.#brokenEnd) ?? (yield* this.#strayLabel))
    }
  })

  get #chains() {
    return this.#read({ sql: selectChains, params: [] }, decodeChains)
  }

  #whole(row: RecordRow): Effect.Effect<RecordRow | undefined, StorageError> {
    return Effect.map(
      this.#read({ sql: selectPayload, params: [row.position] }, decodePayloads),
      ([found]) => found && { ...row, payload: found.payload }
    )
  }

  #report(broken: ChainBreak | undefined): Verification {
    return {
      records: this.#records,
      chains: this.#fold.owners.length,
      unlinked: this.#unlinked,
      truncated: this.#truncated,
      broken
    }
  }

  #take(row: RecordRow): Effect.Effect<ChainBreak | undefined, StorageError> {
    const { at, body, hash, id, kind, link: number, owner, payload } = row
    this.#records++
    if (number === null || hash === null) {
      if (this.#records === ++this.#unlinked) return Effect.undefined
      return Effect.succeed({ kind: "inserted", owner, link: 0, id, message: "stands in no chain" })
    }
    const link = { number, hash }
    const broken = this.#fold.follow(
      { owner, id, link },
      (previous) => nextLink(previous, { owner, kind, at, id, body, payload }).hash
    )
    if (broken !== undefined) return this.#explain(broken, row)
    if (!agrees(row)) {
      const message = "says something else beside its body, or its content is not the one that was written"
      return Effect.succeed({ kind: "changed", owner, link: number, id, message })
    }
    const end = this.#ends.get(owner)
    const isOther = end?.number === number && end.hash !== hash
    const message = "is not the one that its owner wrote last"
    return Effect.succeed(isOther ? { kind: "changed", owner, link: number, id, message } : undefined)
  }

  /** Tells records that were removed from those that stand elsewhere, and from those removed for their age meanwhile. */
  #explain(broken: ChainBreak, row: RecordRow): Effect.Effect<ChainBreak | undefined, StorageError> {
    if (broken.kind !== "missing") return Effect.succeed(broken)
    return Effect.gen({ self: this }, function* () {
      const anchor = (yield* this.#chains).find(({ owner }) => owner === broken.owner)
      if (anchor !== undefined && anchor.first_link > this.#fold.head(broken.owner).number) {
        this.#truncated.push({ owner: broken.owner, link: anchor.first_link })
        this.#fold.begin(broken.owner, { number: anchor.first_link, hash: anchor.first_hash })
        if (anchor.first_link >= (row.link ?? 0)) return undefined
        this.#records--
        return yield* this.#take(row)
      }
      const elsewhere = yield* this.#database.query(selectLink, [broken.owner, broken.link])
      if (elsewhere.length === 0) return broken
      const message = `a record that came after it (link ${row.link}) stands before it`
      return { ...broken, kind: "reordered", id: undefined, message } as const
    })
  }

  #mislabelled(
    rows: ReadonlyArray<RecordRow>,
    after: number,
    upTo: number
  ): Effect.Effect<ChainBreak | undefined, StorageError> {
    const opened = rows.filter(({ kind }) => kind === "Opened")
    const message = "is not found by the labels that it has, or by others"
    return Effect.map(
      this.#labels.first(opened, after, upTo),
      (row) => row && { kind: "changed", owner: row.owner, link: row.link ?? 0, id: row.id, message }
    )
  }

  get #strayLabel(): Effect.Effect<ChainBreak | undefined, StorageError> {
    const message = "is named by a label, and is not there"
    return Effect.map(this.#labels.stray, (id) =>
      id === undefined ? undefined : { kind: "missing", owner: "", link: 0, id, message }
    )
  }

  /** A chain that does not reach its end, unless this was removed for its age meanwhile. */
  get #brokenEnd(): Effect.Effect<ChainBreak | undefined, StorageError> {
    return Effect.gen({ self: this }, function* () {
      for (const owner of this.#fold.owners) {
        const { number } = this.#fold.head(owner)
        const end = this.#ends.get(owner)
        if (end === undefined || end.number <= number) continue
        const anchor = (yield* this.#chains).find((chain) => chain.owner === owner)
        if (anchor === undefined || anchor.first_link >= end.number) continue
        const message = `the records from this link to ${end.number}, the last one written, are not there`
        return { kind: "missing", owner, link: number + 1, id: undefined, message } as const
      }
      return undefined
    })
  }
}

/**
 * Proves that the records of a database are those that were written, in the order in which each process wrote them, or
 * names the first that is not. Records may be written meanwhile.
 *
 * Gotcha: whoever may write to the database and knows how can write whole chains anew.
 */
export const verifyDatabase: Effect.Effect<Verification, StorageError, Database> = Effect.flatMap(
  Database,
  (database) => new TableCheck(database).run
)
