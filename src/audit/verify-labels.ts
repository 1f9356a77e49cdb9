import { Effect, Result, Schema } from "effect"
import { Caller } from "../domain/Call.ts"
import type { Database, StorageError } from "../storage/Database.ts"
import { readRows } from "../storage/readRows.ts"

const selectLabels = `select id, label, at from audit_labels where id in (
    select id from audit_records where position > ? and position <= ? and kind = 'Opened')`
const selectStray = `select id, label, at from audit_labels label where not exists (
    select 1 from audit_records opened where opened.id = label.id and opened.kind = 'Opened') limit 1`
const selectOpened = "select id from audit_records where id = ? and kind = 'Opened'"

const LabelRow = Schema.Struct({ id: Schema.String, label: Schema.String, at: Schema.Int })
type LabelRow = typeof LabelRow.Type
const decodeLabels = Schema.decodeUnknownEffect(Schema.Array(LabelRow))

const Opened = Schema.Struct({ caller: Caller })
const decodeOpened = Schema.decodeUnknownResult(Schema.fromJsonString(Opened))

/** A call's record of its beginning, as far as labels go. */
interface LabelledRow {
  readonly id: string
  readonly at: number
  readonly body: string
}

const labelsIn = (body: string): ReadonlyArray<string> => {
  const opened = decodeOpened(body)
  const { labels = {} } = Result.isSuccess(opened) ? opened.success.caller : {}
  return [...new Set(Object.entries(labels).map(([name, value]) => `${name}=${value}`.toWellFormed()))]
}

/** Whether a call is found by the labels that its record has, and by no others. */
const isFound = ({ at, body }: LabelledRow, found: ReadonlyArray<LabelRow>): boolean => {
  // not every database can hold the character, so what is found is not what was said
  if (body.includes("\\u0000")) return true
  const said = labelsIn(body)
  return found.length === said.length && found.every((row) => row.at === at && said.includes(row.label))
}

/** Looks whether the index of labels, by which lists are read, says what the records say. */
export class LabelCheck {
  readonly #database: Database["Service"]

  constructor(database: Database["Service"]) {
    this.#database = database
  }

  /** The first of the calls that began at positions behind `after`, up to `upTo`, that its labels do not lead to. */
  first<Row extends LabelledRow>(
    opened: ReadonlyArray<Row>,
    after: number,
    upTo: number
  ): Effect.Effect<Row | undefined, StorageError> {
    return Effect.gen({ self: this }, function* () {
      const labels = Map.groupBy(yield* this.#read(selectLabels, after, upTo), ({ id }) => id)
      const wrong = opened.filter((row) => !isFound(row, labels.get(row.id) ?? []))
      for (const row of wrong) {
        // labels go with their record, which may have been removed for its age meanwhile
        if ((yield* this.#database.query(selectOpened, [row.id])).length > 0) return row
      }
      return undefined
    })
  }

  /** The id of a call that there is no record of, although a label leads to it. */
  readonly stray: Effect.Effect<string | undefined, StorageError> = Effect.suspend(() =>
    Effect.map(this.#read(selectStray), ([row]) => row?.id)
  )

  #read(sql: string, ...params: ReadonlyArray<number>): Effect.Effect<ReadonlyArray<LabelRow>, StorageError> {
    return readRows(this.#database, "the labels")({ sql, params }, decodeLabels)
  }
}
