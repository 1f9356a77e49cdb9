import type { TargetState } from "./TargetStates.ts"

const capacity = 10_000
const idleLimit = 5 * 60_000
const hardLimit = 60 * 60_000

/** Which target it was, and by which key. */
export interface Kept {
  readonly whole: TargetState
  readonly state: TargetState
}

interface Entry {
  readonly kept: Kept
  readonly since: number
  readonly usedAt: number
}

/**
 * Which target a session stays with: 10,000 sessions, the least lately used forgotten first, each after five minutes of
 * silence and an hour at most.
 */
export class Affinity {
  private readonly entries = new Map<string, Entry>()

  /** The target that the session was last answered by. Times are epoch milliseconds. */
  keptBy(session: string, now: number): Kept | undefined {
    const entry = this.entries.get(session)
    if (entry === undefined) return undefined
    if (now - entry.usedAt < idleLimit && now - entry.since < hardLimit) return entry.kept
    this.entries.delete(session)
    return undefined
  }

  remember(session: string, { whole, state }: Kept, now: number): void {
    const since = this.keptBy(session, now)?.state === state ? this.entries.get(session)?.since : undefined
    this.entries.delete(session)
    this.entries.set(session, { kept: { whole, state }, since: since ?? now, usedAt: now })
    const [oldest] = this.entries.keys()
    if (this.entries.size > capacity && oldest !== undefined) this.entries.delete(oldest)
  }
}
