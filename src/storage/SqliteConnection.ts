import type { Scope } from "effect"
import { Deferred, Effect, Schedule } from "effect"
import type { Answer, Failure, OpenOptions, Request } from "./sqlite-messages.ts"
import { SqliteThread } from "./SqliteThread.ts"

/** One SQLite connection in a thread of its own, which is started again whenever it ends. */
export interface SqliteConnection {
  /**
   * Requests are done in the order in which they are sent. One that is under way when the thread ends fails;
   * one that is sent while the next thread starts waits for that attempt, and fails if the attempt does.
   */
  readonly send: (request: Request) => Effect.Effect<Answer, Failure>
}

const backoff = Schedule.min([Schedule.exponential("20 millis"), Schedule.spaced("1 second")])
/** Processes that start together contend for the moment in which a new file is switched to write-ahead logging. */
const openRetries = 10

const unavailable = (message: string): Failure => ({ _tag: "Failure", kind: "unavailable", message })
const closed = unavailable("the database is closed")
const forgotten = unavailable("the database was kept in memory and is lost: its thread ended")

/** Opens the connection, or fails as opening did. */
export const make: (options: Omit<OpenOptions, "again">) => Effect.Effect<SqliteConnection, Failure, Scope.Scope> =
  Effect.fnUntraced(function* (options: Omit<OpenOptions, "again">) {
    let again = false
    // the thread that takes requests, or the attempt to start it
    let current = Deferred.makeUnsafe<SqliteThread, Failure>()

    const awaitNextThread = () => {
      if (!Deferred.isDoneUnsafe(current)) return
      current = Deferred.makeUnsafe()
      // an empty database in its place would pretend that nothing had been there
      if (options.access === "memory") Deferred.doneUnsafe(current, Effect.fail(forgotten))
    }
    const failAttempt = (failure: Failure) => {
      const attempt = current
      current = Deferred.makeUnsafe()
      return Deferred.fail(attempt, failure)
    }
    const lifeOfThread = Effect.suspend(() => SqliteThread.start({ ...options, again }, awaitNextThread)).pipe(
      Effect.tap((thread) => {
        again = true
        return Deferred.succeed(current, thread)
      }),
      Effect.flatMap((thread) => thread.exited),
      // again, for a thread that ended before it was taken into use
      Effect.tap(() => Effect.sync(awaitNextThread)),
      Effect.tap((failure) => Effect.logWarning(`${options.filename} (${options.access}): ${failure.message}`)),
      Effect.scoped,
      Effect.tapError(failAttempt)
    )
    yield* Effect.addFinalizer(() => Effect.suspend(() => Deferred.fail(current, closed)))
    yield* Effect.forkScoped(
      options.access === "memory" ? lifeOfThread : lifeOfThread.pipe(Effect.retry(backoff), Effect.forever)
    )

    const thread = Effect.suspend(() => Deferred.await(current))
    yield* thread.pipe(Effect.retry({ while: (failure) => failure.kind === "busy", times: openRetries }))
    return { send: (request) => Effect.flatMap(thread, (thread) => thread.send(request)) }
  })
