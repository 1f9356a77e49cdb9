import { Clock, Effect, Schedule, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import type { StorageError } from "../storage/Database.ts"
import { AuditStore, type FinalRow, type Lease } from "./AuditStore.ts"

/** A process that answers for calls, as it is known to others. `startedAt` is epoch milliseconds. */
export interface Process {
  readonly host: string
  readonly pid: number
  readonly startedAt: number
}

const heartbeatMillis = 5000
const leaseMillis = 15_000
const releaseTimeout = "2 seconds"

/** Whether a process has ended and only its parent does not know; Linux alone can say. */
const isZombie = (pid: number): Effect.Effect<boolean> =>
  Effect.match(
    Effect.try(() => readFileSync(`/proc/${pid}/stat`, "latin1")),
    // the state follows the name of the program, which may hold anything
    { onSuccess: (stat) => /^\) [ZX]/.test(stat.slice(stat.lastIndexOf(")"))), onFailure: () => false }
  )

/** Whether no process with this id runs here. One that belongs to somebody else cannot be signalled, but exists. */
const isGone = (pid: number): Effect.Effect<boolean> =>
  Effect.matchEffect(
    Effect.try({
      try: () => process.kill(pid, 0),
      catch: (error) => error instanceof Error && Reflect.get(error, "code") === "ESRCH"
    }),
    { onSuccess: () => isZombie(pid), onFailure: (noSuchProcess) => Effect.succeed(noSuchProcess) }
  )

/**
 * Whether an owner is known to be dead although its lease has not run out. Containers start again with the process id
 * they had: a lease under our own id that was renewed before we started is not ours.
 */
const isKnownDead = (lease: Lease, self: Process): Effect.Effect<boolean> => {
  if (lease.host !== self.host) return Effect.succeed(false)
  return lease.pid === self.pid ? Effect.succeed(lease.heartbeatAt < self.startedAt) : isGone(lease.pid)
}

const isExpired = (lease: Lease, now: number): boolean => now - lease.heartbeatAt > leaseMillis

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
  #lastBeat = Number.NEGATIVE_INFINITY
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

  #lease(now: number): Lease {
    const { host, pid } = this.#self
    return { owner: this.#owner, host, pid, heartbeatAt: now, settledBelow: this.#settledBelow }
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
    yield* this.#store.keepLease(this.#lease(yield* Clock.currentTimeMillis))
    const beaten = yield* Clock.currentTimeMillis
    // Where our own heartbeat was held up (a stopped process, a store that hung), so may others' have been: they get
    // a round to catch up before their silence is held against them.
    const silenceCounts = beaten - this.#lastBeat < 2 * heartbeatMillis || this.#lastBeat === Number.NEGATIVE_INFINITY
    this.#lastBeat = beaten
    for (const lease of yield* this.#store.leases) {
      if (lease.owner === this.#owner) continue
      const expired = silenceCounts && isExpired(lease, beaten)
      if (expired || (yield* isKnownDead(lease, this.#self))) yield* this.#end(lease, beaten)
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
    const now = yield* Clock.currentTimeMillis
    yield* this.#end(this.#lease(now), now)
  }).pipe(Effect.interruptible, Effect.timeoutOption(releaseTimeout), Effect.ignore)
}

const currentProcess = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  return { host: hostname(), pid: process.pid, startedAt: now - process.uptime() * 1000 }
})

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
