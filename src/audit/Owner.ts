import { Clock, Effect, Schedule, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import type { StorageError } from "../storage/Database.ts"
import { currentProcess, heartbeatMillis, isKnownDead, type Process, Silences } from "../storage/ProcessLease.ts"
import { AuditStore, type FinalRow, type Lease } from "./AuditStore.ts"

const releaseTimeout = "2 seconds"

/** This process as an owner of calls. */
export interface Owner {
  /** The name under which this process opens calls. */
  readonly id: string
  /** How many calls of dead owners this one has ended as `Interrupted`. */
  readonly recovered: () => number
}

/** What an owner knows of its calls. Both numbers are of the calls' own count, not positions of the store. */
export interface Calls {
  readonly nextSequence: number
  readonly settledBelow: number
}

class Neighbourhood {
  readonly #store: AuditStore["Service"]
  readonly #self: Process
  readonly #owner: string
  readonly #calls: Calls
  readonly #ended: (rows: ReadonlyArray<FinalRow>) => void
  /** Where the store stood when the next call had this number. */
  #mark = { position: 0, sequence: 0 }
  #settledBelow = 0
  #heartbeatAt = 0
  readonly #silences = new Silences()
  recovered = 0

  constructor(
    store: AuditStore["Service"],
    self: Process,
    owner: string,
    calls: Calls,
    ended: (rows: ReadonlyArray<FinalRow>) => void
  ) {
    this.#store = store
    this.#self = self
    this.#owner = owner
    this.#calls = calls
    this.#ended = ended
  }

  get #lease(): Lease {
    const { host, pid } = this.#self
    return { owner: this.#owner, host, pid, heartbeatAt: this.#heartbeatAt, settledBelow: this.#settledBelow }
  }

  /** Looks how far everything is settled: recovery need not search what lies before. */
  #advance(): Effect.Effect<void, StorageError> {
    // the position first: a call that is counted after it was asked stands behind it
    return Effect.map(this.#store.position, (position) => {
      if (this.#calls.settledBelow < this.#mark.sequence) return
      this.#settledBelow = this.#mark.position
      this.#mark = { position, sequence: this.#calls.nextSequence }
    })
  }

  /** Renews the own lease, then ends what the dead have left open. */
  readonly round = Effect.gen({ self: this }, function* () {
    yield* this.#advance()
    this.#heartbeatAt = yield* Clock.currentTimeMillis
    yield* this.#store.keepLease(this.#lease)
    const beaten = yield* Clock.currentTimeMillis
    const all = yield* this.#store.leases
    const others = all.flatMap((lease) => (lease.owner === this.#owner ? [] : [{ id: lease.owner, ...lease }]))
    const silent = this.#silences.among(others, beaten)
    for (const lease of others) {
      if (silent.includes(lease) || (yield* isKnownDead(lease, this.#self))) yield* this.#end(lease, beaten)
    }
  })

  #end(lease: Lease, now: number): Effect.Effect<void, StorageError> {
    return Effect.flatMap(this.#store.endLease(lease, this.#owner, now), (rows) => {
      this.recovered += rows.length
      this.#ended(rows)
      return rows.length === 0
        ? Effect.void
        : Effect.logInfo("Calls that were left open are recorded as interrupted", {
            calls: rows.length,
            host: lease.host,
            pid: lease.pid
          })
    })
  }

  /** What we ourselves leave open has no ending to come any more. */
  readonly leave = Effect.gen({ self: this }, function* () {
    yield* this.#end(this.#lease, yield* Clock.currentTimeMillis)
  }).pipe(Effect.interruptible, Effect.timeoutOption(releaseTimeout), Effect.ignore)
}

/**
 * Makes this process an owner of calls until the scope closes: it holds a lease that it renews every 5 s, and ends as
 * `Interrupted` the calls of owners that are dead, now and from then on. `calls` are looked at at each heartbeat, `ended` is
 * told of calls that were found open and ended; `self` is for tests.
 */
export const join: (options: {
  readonly calls: Calls
  readonly ended?: (rows: ReadonlyArray<FinalRow>) => void
  readonly self?: Process
}) => Effect.Effect<Owner, StorageError, AuditStore | Scope.Scope> = Effect.fnUntraced(function* ({
  calls,
  ended = () => {},
  self
}) {
  const store = yield* AuditStore
  const id = yield* Effect.sync(() => randomBytes(12).toString("hex"))
  const neighbourhood = new Neighbourhood(store, self ?? (yield* currentProcess), id, calls, ended)
  yield* Effect.acquireRelease(neighbourhood.round, () => neighbourhood.leave)
  yield* neighbourhood.round.pipe(
    Effect.catch((error) => Effect.logWarning("The heartbeat of the audit trail failed", error)),
    Effect.schedule(Schedule.spaced(heartbeatMillis)),
    Effect.forkScoped
  )
  return { id, recovered: () => neighbourhood.recovered }
})
