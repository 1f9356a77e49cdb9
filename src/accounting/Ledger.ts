import { Context, Effect, Layer } from "effect"
import type { FinalRecord } from "../domain/Call.ts"
import type { StorageError } from "../storage/Database.ts"
import type { Candidate } from "./Admission.ts"
import { reportOf, Tally } from "./Tally.ts"
import type { UsageQuery, UsageReport } from "./Usage.ts"

/** What was used and what it cost, summed up by day, key, tenant, model, target and labels. */
export class Ledger extends Context.Service<
  Ledger,
  {
    /** Enters a call that ended; one without a record never began. Synchronous: it is written soon after. */
    readonly add: (candidate: Candidate, record: FinalRecord | undefined) => void
    /** Counts a call that was refused by a limit. */
    readonly refused: () => void
    /** How many were, since the start of this process. */
    readonly refusals: Effect.Effect<number>
    readonly report: (query: UsageQuery) => Effect.Effect<UsageReport, StorageError>
  }
>()("millrace/accounting/Ledger") {
  /** Keeps the sums for as long as the process lives. */
  static readonly layerMemory: Layer.Layer<Ledger> = Layer.sync(Ledger, () => {
    const tally = new Tally()
    let refusals = 0
    return Ledger.of({
      add: (candidate, record) => {
        if (record !== undefined) tally.add(candidate, record)
      },
      refused: () => void refusals++,
      refusals: Effect.sync(() => refusals),
      report: (query) => Effect.sync(() => reportOf(tally.rows, query))
    })
  })
}
