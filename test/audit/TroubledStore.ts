import { Context, Effect, Latch, Layer } from "effect"
import { type AuditRow, AuditStore } from "../../src/audit/AuditStore.ts"
import * as AuditStoreMemory from "../../src/audit/AuditStoreMemory.ts"
import { StorageError, type StorageErrorKind } from "../../src/storage/Database.ts"

/** What a test may do to the store, and what it may see of it. */
export interface Trouble {
  /** Closed, commits take place but are not answered until it is opened. */
  readonly answers: Latch.Latch
  /** The next commits fail, each with the next of these. */
  readonly failures: Array<StorageErrorKind>
  /** Rows of these ids are refused, with every batch they are in. */
  readonly refused: Set<string>
  /** The ids of the rows of each commit, also of those that failed. */
  readonly commits: Array<ReadonlyArray<string>>
  /** Committed final rows. */
  readonly finals: Array<string>
}

export class Troubles extends Context.Service<Troubles, Trouble>()("test/audit/Troubles") {}

const failed = (kind: StorageErrorKind) => new StorageError({ operation: "batch", kind, message: kind })

const make = Effect.gen(function* () {
  const { answers, commits, failures, finals, refused } = yield* Troubles
  const memory = yield* AuditStore
  const commit = Effect.fnUntraced(function* (rows: ReadonlyArray<AuditRow>) {
    commits.push(rows.map((row) => row.id))
    const failure = failures.shift()
    if (failure !== undefined) return yield* failed(failure)
    if (rows.some((row) => refused.has(row.id))) return yield* failed("constraint")
    const late = yield* memory.commit(rows)
    for (const row of rows) if (row._tag === "Final") finals.push(row.id)
    yield* answers.await
    return late
  })
  return AuditStore.of({ ...memory, commit })
})

/** A store in memory that hangs, fails and refuses as the test says. */
export const layer: Layer.Layer<AuditStore | Troubles> = Layer.effect(AuditStore, make).pipe(
  Layer.provide(AuditStoreMemory.layer),
  Layer.provideMerge(
    Layer.sync(Troubles, () => ({
      answers: Latch.makeUnsafe(true),
      failures: [],
      refused: new Set<string>(),
      commits: [],
      finals: []
    }))
  )
)
