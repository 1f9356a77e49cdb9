import { Deferred, Effect, Option } from "effect"
import { extname } from "node:path"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { Roster } from "../domain/Roster.ts"
import type { Answer, Failure, FromWorker, OpenOptions, Request, Result, ToWorker } from "./sqlite-messages.ts"

/** The worker beside this file: `.ts` when the source runs as it is, `.js` when it was built. */
const entry = new URL(`./sqlite-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

/** Callers wait for their answers, so this many unanswered requests mean that the disk does not keep up. */
const maxUnanswered = 4096
const closeTimeout = "10 seconds"

const exitOf = (result: Result): Effect.Effect<Answer, Failure> =>
  result._tag === "Answer" ? Effect.succeed(result) : Effect.fail(result)

/**
 * One life of the thread that owns a connection, as seen from the main thread. Create it with `start`.
 *
 * Gotcha: a request that was sent cannot be recalled; interrupting its sender drops the answer only.
 */
export class SqliteThread {
  readonly #worker: Worker
  readonly #opened = Deferred.makeUnsafe<void, Failure>()
  readonly #exited = Deferred.makeUnsafe<Failure>()
  readonly #unanswered = new Roster<(result: Result) => void>()
  #lastId = 0
  #lost: Failure | undefined

  private constructor(options: OpenOptions, onLost: () => void) {
    this.#worker = new Worker(entry, { workerData: options })
    let reason = ""
    this.#worker.on("message", (message: FromWorker) => this.#settle(message))
    this.#worker.on("error", (error) => {
      reason = `: ${error instanceof Error ? error.message : String(error)}`
    })
    this.#worker.on("exit", (code) => {
      const message = `the thread of the database ended with code ${code}${reason}`
      this.#lost = { _tag: "Failure", kind: "unavailable", message }
      onLost()
      for (const settle of this.#unanswered.takeAll()) settle(this.#lost)
      Deferred.doneUnsafe(this.#opened, Effect.fail(this.#lost))
      Deferred.doneUnsafe(this.#exited, Effect.succeed(this.#lost))
    })
  }

  /**
   * Starts a thread and waits until it has opened its database. `onLost` is called when the thread has ended,
   * before the requests it leaves unanswered fail. Closing the scope lets the thread finish what was sent.
   */
  static readonly start = (options: OpenOptions, onLost: () => void) =>
    Effect.acquireRelease(
      Effect.sync(() => new SqliteThread(options, onLost)),
      (thread) => thread.#close
    ).pipe(Effect.tap((thread) => Deferred.await(thread.#opened)))

  /** Completes when the thread has ended, with what its unanswered requests failed with. */
  get exited(): Effect.Effect<Failure> {
    return Deferred.await(this.#exited)
  }

  /** Requests are done in the order in which they are sent. */
  send(request: Request): Effect.Effect<Answer, Failure> {
    return Effect.callback<Answer, Failure>((resume) => {
      if (this.#lost !== undefined) return resume(Effect.fail(this.#lost))
      if (this.#unanswered.size >= maxUnanswered) {
        const message = `${maxUnanswered} operations wait already`
        return resume(Effect.fail({ _tag: "Failure", kind: "busy", message }))
      }
      const id = ++this.#lastId
      this.#post({ id, request })
      this.#unanswered.add(String(id), (result) => resume(exitOf(result)))
    })
  }

  #post(message: ToWorker) {
    this.#worker.postMessage(message)
  }

  #settle({ id, result }: FromWorker) {
    if (id === 0) return Deferred.doneUnsafe(this.#opened, Effect.asVoid(exitOf(result)))
    const settle = this.#unanswered.get(String(id))
    this.#unanswered.remove(String(id))
    return settle?.(result)
  }

  /** A thread that hangs in its disk must not hold up a shutdown for ever. */
  get #close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#lost !== undefined) return Effect.void
      this.#post("close")
      return this.exited.pipe(
        Effect.interruptible,
        Effect.timeoutOption(closeTimeout),
        Effect.flatMap((inTime) =>
          Option.isSome(inTime) ? Effect.void : Effect.promise(() => this.#worker.terminate())
        )
      )
    })
  }
}
