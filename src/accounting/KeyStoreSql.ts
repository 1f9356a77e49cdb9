import { Effect, Layer, Schema } from "effect"
import { randomBytes } from "node:crypto"
import { Database, type Statement, StorageError } from "../storage/Database.ts"
import { migrate, type MigrationError } from "../storage/Migrations.ts"
import { type KeptKey, KeyStore } from "./KeyStore.ts"
import { migrations } from "./migrations.ts"
import { VirtualKey } from "./VirtualKey.ts"

// a database may give 64-bit columns as text
const Whole = Schema.Union([Schema.Int, Schema.FiniteFromString])
const RevisionRows = Schema.Array(Schema.Struct({ revision: Whole }))
const SecretRows = Schema.NonEmptyArray(Schema.Struct({ value: Schema.String }))
const KeyRows = Schema.Array(
  Schema.Struct({
    hash: Schema.NullOr(Schema.String),
    previous_hash: Schema.NullOr(Schema.String),
    body: Schema.NullOr(Schema.fromJsonString(VirtualKey)),
    revision: Whole
  })
)
const encodeKey = Schema.encodeSync(Schema.fromJsonString(VirtualKey))

const unreadable = (error: Schema.SchemaError) =>
  new StorageError({ operation: "query", kind: "corrupt", message: `what is kept of keys: ${error.message}` })

// The row is locked until the change is committed, so that no higher revision can be seen before a lower one.
const raiseRevision: Statement = {
  sql: "update accounting_revisions set revision = revision + 1 where subject = 'keys'",
  params: []
}

// A row that the table refuses undoes everything that was done with it. The revision was raised before.
const undoIfRaised = (since: number): Statement => ({
  sql: `insert into accounting_guard (ok)
    select 0 where exists (select 1 from accounting_revisions where subject = 'keys' and revision <> ?)`,
  params: [since + 1]
})

// One statement, so that keys and revision are of one moment.
const selectKeys = `select keys.hash, keys.previous_hash, keys.body, revisions.revision
  from accounting_revisions revisions left join accounting_keys keys on 1 = 1
  where revisions.subject = 'keys' order by keys.name`

const insertKey = "insert into accounting_keys (name, hash, previous_hash, body) values (?, ?, ?, ?)"
const updateKey = "update accounting_keys set hash = ?, previous_hash = ?, body = ? where name = ?"

const make = Effect.gen(function* () {
  const database = yield* Database
  yield* migrate("accounting", migrations)
  const rows = <A>(schema: Schema.Decoder<A>, sql: string, params: ReadonlyArray<string> = []) =>
    Effect.flatMap(database.query(sql, params), (found) =>
      Effect.mapError(Schema.decodeUnknownEffect(schema)(found), unreadable)
    )

  /** Does all of it, or nothing where the database refuses one of them: then it is false. */
  const unlessRefused = (statements: ReadonlyArray<Statement>): Effect.Effect<boolean, StorageError> =>
    database.batch(statements).pipe(
      Effect.as(true),
      Effect.catchIf(
        ({ kind }) => kind === "constraint",
        () => Effect.succeed(false)
      )
    )

  yield* database.batch([
    {
      sql: "insert into accounting_secrets (name, value) values ('keys', ?) on conflict (name) do nothing",
      params: [randomBytes(32).toString("base64url")]
    }
  ])
  const [{ value: pepper }] = yield* rows(SecretRows, "select value from accounting_secrets where name = 'keys'")

  return KeyStore.of({
    pepper,
    revision: Effect.map(
      rows(RevisionRows, "select revision from accounting_revisions where subject = 'keys'"),
      ([row]) => row?.revision ?? 0
    ),
    load: Effect.map(rows(KeyRows, selectKeys), (found) => ({
      revision: found[0]?.revision ?? 0,
      keys: found.flatMap(({ body, hash, previous_hash }): ReadonlyArray<KeptKey> =>
        body === null || hash === null ? [] : [{ key: body, hash, previousHash: previous_hash ?? undefined }]
      )
    })),
    insert: ({ hash, key, previousHash }) =>
      unlessRefused([
        { sql: insertKey, params: [key.name, hash, previousHash ?? null, encodeKey(key)] },
        raiseRevision
      ]),
    replace: ({ hash, key, previousHash }, since) =>
      unlessRefused([
        raiseRevision,
        undoIfRaised(since),
        { sql: updateKey, params: [hash, previousHash ?? null, encodeKey(key), key.name] }
      ]),
    remove: (name) =>
      Effect.asVoid(
        database.batch([{ sql: "delete from accounting_keys where name = ?", params: [name] }, raiseRevision])
      ),
    rehash: (name, from, to) =>
      Effect.asVoid(
        database.batch([
          { sql: "update accounting_keys set hash = ? where name = ? and hash = ?", params: [to, name, from] },
          raiseRevision
        ])
      )
  })
})

/** Keeps keys in the database, in tables of their own that are brought up to date first. */
export const layer: Layer.Layer<KeyStore, StorageError | MigrationError, Database> = Layer.effect(KeyStore, make)
