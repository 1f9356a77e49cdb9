import { Context, Effect, Layer } from "effect"
import type { StorageError } from "../storage/Database.ts"

/** What one process has counted in one window of one limit, as a whole: writing it again changes nothing. */
export interface Count {
  readonly id: string
  /** when the window begins and ends, epoch milliseconds; `Infinity` where it never ends */
  readonly start: number
  readonly end: number
  readonly used: number
  readonly held: number
  /** writes nothing at all if, with what others have counted, this would be passed */
  readonly max: number | undefined
}

/** Which windows of which limits. */
export type CountKey = Pick<Count, "id" | "start">

/**
 * What became of a write: done, and whether the counts are the writer's alone until it gives them up; or not done, because
 * others have taken too much, because somebody else has the counts for itself, or because the writer counts as dead.
 */
export type Written = "shared" | "alone" | "exceeded" | "claimed" | "disowned"

/**
 * The port to the place where processes count together. Each writes only what it has counted itself; what counts is the
 * sum. What a process holds lapses when it is dead; what it has used stays. A process that finds itself alone may claim the
 * counts: whoever comes then waits until it has given them up.
 */
export class CountStore extends Context.Service<
  CountStore,
  {
    /** whether anybody else may count here */
    readonly isShared: boolean
    /** Takes a process up, under a name that it uses from then on. */
    readonly enter: (owner: string, now: number) => Effect.Effect<void, StorageError>
    /** Says that a process lives, and lets what dead ones hold lapse. */
    readonly beat: (owner: string, now: number) => Effect.Effect<void, StorageError>
    /** Lets what a process holds lapse, because it ends. */
    readonly leave: (owner: string) => Effect.Effect<void, StorageError>
    /** What others than `owner` have used and hold, in the order of the keys. Whoever is dead holds nothing. */
    readonly others: (
      owner: string,
      keys: ReadonlyArray<CountKey>
    ) => Effect.Effect<ReadonlyArray<number>, StorageError>
    /**
     * Writes all of it in one step, or nothing. `claim` claims the counts if nobody else is there, and says whether that
     * is still so where they are claimed already; without it the writer gives them up.
     */
    readonly write: (
      owner: string,
      counts: ReadonlyArray<Count>,
      claim: boolean
    ) => Effect.Effect<Written, StorageError>
    /** Takes the counts from whoever claims them and does not answer. */
    readonly breakClaims: (owner: string) => Effect.Effect<void, StorageError>
  }
>()("millrace/accounting/CountStore") {
  /** For a process that counts alone: there is nobody to tell, and nobody to ask. */
  static readonly layerMemory: Layer.Layer<CountStore> = Layer.succeed(CountStore, {
    isShared: false,
    enter: () => Effect.void,
    beat: () => Effect.void,
    leave: () => Effect.void,
    others: (_, keys) => Effect.succeed(keys.map(() => 0)),
    write: () => Effect.succeed("alone"),
    breakClaims: () => Effect.void
  })
}
