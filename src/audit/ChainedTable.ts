import { Effect, Fiber, Schema, Semaphore } from "effect"
import type { Database, SqlValue, Statement, StorageError } from "../storage/Database.ts"
import type { AuditRow, FinalRow, Lease } from "./AuditStore.ts"
import { interruptedRow } from "./CallRecord.ts"
import { type Link, nextLink, noLink } from "./Chain.ts"

// A record that is there already makes the transaction fail: its link would be missing from the chain.
const insertRecord = `insert into audit_records
  (owner, link, hash, kind, id, at, request_id, model, caller_key, conversation, outcome, opened_at, body, payload)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const insertLabel = "insert into audit_labels (id, label, at) values (?, ?, ?)"

const upsertChain = `insert into audit_chains (owner, first_link, first_hash, last_link, last_hash)
  values (?, 0, '', ?, ?)
  on conflict (owner) do update set last_link = excluded.last_link, last_hash = excluded.last_hash`

const selectChain = "select last_link, last_hash from audit_chains where owner = ?"

/** Makes the transaction fail where the lease was renewed since it was read, and keeps it from being so until the end. */
const lockLease = "update audit_owners set heartbeat_at = heartbeat_at where id = ?"
const guardLease = `insert into audit_owners (id, host, pid, heartbeat_at, settled_below)
  select id, host, pid, heartbeat_at, settled_below from audit_owners where id = ? and heartbeat_at <> ?`
const deleteLease = "delete from audit_owners where id = ?"

const selectOrphans = `select opened.id, opened.at from audit_owners owner
  join audit_records opened on opened.owner = owner.id and opened.position >= owner.settled_below
  where owner.id = ? and opened.kind = 'Opened'
    and not exists (select 1 from audit_records final where final.id = opened.id and final.kind = 'Final')
  order by opened.position`

const decodeLinks = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ last_link: Schema.Int, last_hash: Schema.String }))
)
const decodeOrphans = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Schema.String, at: Schema.Int })))
const decodeKnown = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ id: Schema.String, kind: Schema.String, owner: Schema.String }))
)

const columnsOf = (row: AuditRow): ReadonlyArray<SqlValue> =>
  row._tag === "Opened"
    ? [row.requestId, row.model, row.key, row.conversation, null, null, row.body, row.request]
    : [null, null, null, null, row.outcome, row.openedAt, row.body, row.response]

const payloadOf = (row: AuditRow): string | null => (row._tag === "Opened" ? row.request : row.response)

const momentOf = (row: AuditRow): number => (row._tag === "Opened" ? row.openedAt : row.endedAt)

const allInTime: ReadonlyArray<AuditRow> = []

const keyOf = ({ id, kind }: { readonly id: string; readonly kind: string }) => `${kind} ${id}`

/**
 * The table of records and the chains in it, one for each owner. A link is made where the order of the records is known
 * and nobody waits for it: while a batch is put together.
 */
export class ChainedTable {
  readonly #database: Database["Service"]
  /** The last links of the owners that wrote here, as far as they are known for sure. */
  readonly #heads = new Map<string, Link>()
  // a link follows from the one before, so one batch at a time
  readonly #writing = Semaphore.makeUnsafe(1)

  constructor(database: Database["Service"]) {
    this.#database = database
  }

  /** See `AuditStore.commit`. */
  readonly append = (rows: ReadonlyArray<AuditRow>): Effect.Effect<ReadonlyArray<AuditRow>, StorageError> =>
    this.#alone(() => this.#append(rows))

  /** See `AuditStore.endLease`. */
  readonly endLease = (lease: Lease, by: string, at: number): Effect.Effect<ReadonlyArray<FinalRow>, StorageError> =>
    this.#alone(() => this.#endLease(lease, by, at))

  /**
   * Begins to write when what was to be written before is answered: only then is the link known that the next one follows.
   * Whoever stops waiting for a batch does not stop the batch.
   */
  #alone<A>(write: () => Effect.Effect<A, StorageError>): Effect.Effect<A, StorageError> {
    return Effect.flatMap(Effect.forkDetach(this.#writing.withPermit(Effect.suspend(write))), Fiber.join)
  }

  #append(rows: ReadonlyArray<AuditRow>): Effect.Effect<ReadonlyArray<AuditRow>, StorageError> {
    const appendMissing = (refusal: StorageError): ReturnType<typeof this.append> =>
      Effect.flatMap(this.#look(rows), ({ late, missing }) => {
        if (missing.length === 0) return Effect.succeed(late)
        if (missing.length === rows.length) return Effect.fail(refusal)
        return Effect.map(this.#append(missing), (others) => [...late, ...others])
      })
    return this.#write(rows, []).pipe(
      Effect.as(allInTime),
      Effect.catchIf(({ kind }) => kind === "constraint", appendMissing)
    )
  }

  /** Writes the rows behind what their owners wrote, and the other statements in the same transaction before them. */
  #write(rows: ReadonlyArray<AuditRow>, before: ReadonlyArray<Statement>): Effect.Effect<void, StorageError> {
    const owners = new Set<string>()
    for (const { owner } of rows) owners.add(owner)
    const unknown = [...owners].filter((owner) => !this.#heads.has(owner))
    if (unknown.length === 0) return this.#writeLinked(rows, owners, before)
    const read = Effect.forEach(unknown, (owner) => this.#readHead(owner), { discard: true })
    return Effect.flatMap(read, () => this.#writeLinked(rows, owners, before))
  }

  #writeLinked(
    rows: ReadonlyArray<AuditRow>,
    owners: ReadonlySet<string>,
    before: ReadonlyArray<Statement>
  ): Effect.Effect<void, StorageError> {
    const statements = [...before]
    const heads = new Map<string, Link>()
    for (const row of rows) {
      const { _tag: kind, body, id, owner } = row
      const at = momentOf(row)
      const link = nextLink(heads.get(owner) ?? this.#heads.get(owner) ?? noLink, {
        owner,
        kind,
        at,
        id,
        body,
        payload: payloadOf(row)
      })
      heads.set(owner, link)
      statements.push({
        sql: insertRecord,
        params: [owner, link.number, link.hash, kind, id, at, ...columnsOf(row)]
      })
    }
    // behind the records, so that these are alike in a row
    for (const row of rows) {
      if (row._tag === "Final") continue
      for (const label of row.labels) statements.push({ sql: insertLabel, params: [row.id, label, row.openedAt] })
    }
    for (const [owner, { hash, number }] of heads) statements.push({ sql: upsertChain, params: [owner, number, hash] })
    return this.#database.batch(statements).pipe(
      Effect.tap(() => {
        for (const [owner, link] of heads) this.#heads.set(owner, link)
        return Effect.void
      }),
      // it may have been written all the same
      Effect.onError(() => Effect.sync(() => owners.forEach((owner) => this.#heads.delete(owner))))
    )
  }

  #readHead(owner: string): Effect.Effect<void, StorageError> {
    return Effect.gen({ self: this }, function* () {
      const found = yield* Effect.orDie(decodeLinks(yield* this.#database.query(selectChain, [owner])))
      const [head] = found
      this.#heads.set(owner, head === undefined ? noLink : { number: head.last_link, hash: head.last_hash })
    })
  }

  /** Those of the rows that are not there, each once, and the endings in whose place there is that of another owner. */
  #look(
    rows: ReadonlyArray<AuditRow>
  ): Effect.Effect<
    { readonly missing: ReadonlyArray<AuditRow>; readonly late: ReadonlyArray<AuditRow> },
    StorageError
  > {
    return Effect.gen({ self: this }, function* () {
      const places = rows.map(() => "?").join(", ")
      const found = yield* this.#database.query(
        `select id, kind, owner from audit_records where id in (${places})`,
        rows.map(({ id }) => id)
      )
      const owners = new Map((yield* Effect.orDie(decodeKnown(found))).map((known) => [keyOf(known), known.owner]))
      const missing: Array<AuditRow> = []
      const late: Array<AuditRow> = []
      for (const row of rows) {
        const key = keyOf({ id: row.id, kind: row._tag })
        const owner = owners.get(key)
        if (owner === undefined) missing.push(row)
        else if (row._tag === "Final" && owner !== row.owner) late.push(row)
        owners.set(key, owner ?? row.owner)
      }
      return { missing, late }
    })
  }

  #endLease(lease: Lease, by: string, at: number): Effect.Effect<ReadonlyArray<FinalRow>, StorageError> {
    const { heartbeatAt, owner } = lease
    const guard = [
      { sql: lockLease, params: [owner] },
      { sql: guardLease, params: [owner, heartbeatAt] }
    ]
    return Effect.gen({ self: this }, function* () {
      const orphans = yield* Effect.orDie(decodeOrphans(yield* this.#database.query(selectOrphans, [owner])))
      const rows = orphans.map((orphan) => interruptedRow({ id: orphan.id, openedAt: orphan.at }, by, at))
      const ended = yield* this.#write(rows, [...guard, { sql: deleteLease, params: [owner] }]).pipe(
        Effect.as("ended" as const),
        Effect.catchIf(
          ({ kind }) => kind === "constraint",
          // the owner lives, or somebody else has ended one of its calls meanwhile
          ({ statement }) => Effect.succeed(statement === 1 ? ("renewed" as const) : ("changed" as const))
        )
      )
      if (ended === "changed") return yield* this.#endLease(lease, by, at)
      return ended === "ended" ? rows : []
    })
  }
}
