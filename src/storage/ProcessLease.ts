import { Clock, Effect } from "effect"
import { readFileSync } from "node:fs"
import { hostname } from "node:os"

/** A process, as it is known to others. `startedAt` is epoch milliseconds. */
export interface Process {
  readonly host: string
  readonly pid: number
  readonly startedAt: number
}

/** A process's word that it lives, given in epoch milliseconds. */
export interface ProcessLease {
  readonly host: string
  readonly pid: number
  readonly heartbeatAt: number
}

/** How often a process says that it lives, and after how long a silence it is taken to be dead. */
export const heartbeatMillis = 5000
const leaseMillis = 15_000

/** This process. */
export const currentProcess: Effect.Effect<Process> = Effect.map(Clock.currentTimeMillis, (now) => ({
  host: hostname(),
  pid: process.pid,
  startedAt: now - process.uptime() * 1000
}))

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
 * Whether a process is known to be dead although its lease has not run out. Containers start again with the process id
 * they had: a lease under our own id that was renewed before we started is not ours.
 */
export const isKnownDead = (lease: ProcessLease, self: Process): Effect.Effect<boolean> => {
  if (lease.host !== self.host) return Effect.succeed(false)
  return lease.pid === self.pid ? Effect.succeed(lease.heartbeatAt < self.startedAt) : isGone(lease.pid)
}

/** A word that somebody lives, and since when it is the last one. */
interface Heard {
  readonly heartbeatAt: number
  readonly since: number
}

/** The clocks of machines that work together are hardly ever so far apart: whoever was last heard of before is dead. */
const farApartMillis = 600_000

/**
 * Who of others was silent for so long that they count as dead, by our own clock alone: theirs may go before it or after.
 * Looked at with every heartbeat of our own; where that was held up, so may theirs have been, and they get time to catch up.
 */
export class Silences {
  #heard: ReadonlyMap<string, Heard> = new Map()
  #lookedAt = Number.NEGATIVE_INFINITY

  /** Those of all others that are silent at `now`. */
  among<Other extends { readonly id: string; readonly heartbeatAt: number }>(
    others: ReadonlyArray<Other>,
    now: number
  ): ReadonlyArray<Other> {
    const wasHeldUp = now - this.#lookedAt > 2 * heartbeatMillis
    const before = wasHeldUp ? new Map<string, Heard>() : this.#heard
    this.#lookedAt = now
    this.#heard = new Map(
      others.map(({ heartbeatAt, id }) => {
        const known = before.get(id)
        return [id, known?.heartbeatAt === heartbeatAt ? known : { heartbeatAt, since: now }]
      })
    )
    return others.filter(({ heartbeatAt, id }) => {
      const { since = now } = this.#heard.get(id) ?? {}
      return now - since > leaseMillis || now - heartbeatAt > farApartMillis
    })
  }
}
