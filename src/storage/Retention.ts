import { Clock, Duration, Effect, Schedule } from "effect"
import type { StorageError } from "./Database.ts"

/** What is older goes, and the oldest where all of it is larger: whichever comes first. */
export interface Retention {
  readonly maxAge?: Duration.Duration | undefined
  /** About so many bytes. */
  readonly maxSize?: number | undefined
}

/** What is kept; what is undefined does not bound it. */
export interface Keeping {
  /** What belongs to calls that were opened no earlier, in epoch milliseconds. */
  readonly openedFrom: number | undefined
  /** About so many bytes. */
  readonly maxBytes: number | undefined
}

const rounds = Schedule.spaced("1 minute")

/**
 * Removes what is not to be kept, for as long as it runs: at once, and every minute. `prune` gives the number of what it
 * removed, which is called `what` in the log.
 */
export const keepOnly = (
  what: string,
  { maxAge, maxSize }: Retention,
  prune: (keeping: Keeping) => Effect.Effect<number, StorageError>
): Effect.Effect<unknown> =>
  Clock.currentTimeMillis.pipe(
    Effect.flatMap((now) =>
      prune({
        openedFrom: maxAge === undefined ? undefined : now - Duration.toMillis(maxAge),
        maxBytes: maxSize
      })
    ),
    Effect.tap((count) => (count === 0 ? Effect.void : Effect.logInfo(`Old ${what} were removed`, { [what]: count }))),
    Effect.catch((error) => Effect.logWarning(`Old ${what} could not be removed`, error)),
    Effect.repeat(rounds)
  )
