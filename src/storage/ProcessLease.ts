import { Clock, Effect } from "effect"
import { hash } from "node:crypto"
import { readFileSync, readlinkSync } from "node:fs"
import { hostname } from "node:os"

/** A process, as it is known to others. `startedAt` is epoch milliseconds. */
export interface Process {
  /** where its id means this process and no other */
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

const shown = (read: () => string): Effect.Effect<string> => Effect.orElseSucceed(Effect.try(read), () => "")

/**
 * By its name alone a host is not known: machines may have the same one, and containers on the network of their machine have
 * its. So what Linux calls this machine since it was started and this space of process ids is part of it.
 */
const currentHost: Effect.Effect<string> = Effect.zipWith(
  shown(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1")),
  shown(() => readlinkSync("/proc/self/ns/pid")),
  (boot, ids) => (boot === "" && ids === "" ? hostname() : `${hostname()}#${hash("sha256", boot + ids).slice(0, 8)}`)
)

/** This process. */
export const currentProcess: Effect.Effect<Process> = Effect.zipWith(
  currentHost,
  Clock.currentTimeMillis,
  (host, now) => ({ host, pid: process.pid, startedAt: now - process.uptime() * 1000 })
)

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
 * Whether a process is known to be dead although its lease has not run out. Ids are given again: a lease under our own one
 * that was renewed before we started is not ours.
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
