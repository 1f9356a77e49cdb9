import { Effect, Schema, type Scope } from "effect"
import { extname } from "node:path"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { Roster } from "../domain/Roster.ts"
import type { Analysis } from "./analyze.ts"
import type { AnalysisAnswer, AnalysisRequest, AnalysisSetup } from "./analysis-messages.ts"

/** The worker beside this file: `.ts` when the source runs as it is, `.js` when it was built. */
const entry = new URL(`./analysis-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

/** The thread gave no answer: it ended, or took too long. */
export class AnalysisFailed extends Schema.TaggedError<AnalysisFailed>()("AnalysisFailed", {
  message: Schema.String
}) {}

const timeout = "10 seconds"

/** What it keeps is its patterns, of some megabytes; more room than this is only garbage that is collected later. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 }

type Waiting = (result: Effect.Effect<Analysis, AnalysisFailed>) => void

/** The thread that reads long conversations. It starts with the first of them, and anew after it has failed. */
export class AnalysisThread {
  readonly #setup: AnalysisSetup
  #worker: Worker | undefined
  readonly #waiting = new Roster<Waiting>()
  #lastId = 0

  private constructor(setup: AnalysisSetup) {
    this.#setup = setup
  }

  /** Closing the scope ends the thread, whatever it does. */
  static readonly make = (setup: AnalysisSetup): Effect.Effect<AnalysisThread, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => new AnalysisThread(setup)),
      (thread) => thread.#end
    )

  /** Fails where there is no answer within 10 s. */
  read(request: Omit<AnalysisRequest, "id">): Effect.Effect<Analysis, AnalysisFailed> {
    return Effect.callback<Analysis, AnalysisFailed>((resume) => {
      const id = ++this.#lastId
      this.#waiting.add(String(id), resume)
      this.#started().postMessage({ ...request, id } satisfies AnalysisRequest)
      return Effect.sync(() => this.#waiting.remove(String(id)))
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () => Effect.andThen(this.#end, new AnalysisFailed({ message: "the thread took too long" }))
      })
    )
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(entry, { workerData: this.#setup, resourceLimits })
    let reason = ""
    worker.on("message", (answer: AnalysisAnswer) => {
      const name = String(answer.id)
      const resume = this.#waiting.get(name)
      this.#waiting.remove(name)
      resume?.(
        answer.analysis === undefined
          ? new AnalysisFailed({ message: "the conversation cannot be read" })
          : Effect.succeed(answer.analysis)
      )
    })
    worker.on("error", (error) => {
      reason = `: ${error instanceof Error ? error.message : String(error)}`
    })
    worker.on("exit", (code) => {
      if (this.#worker === worker) this.#worker = undefined
      const failed = new AnalysisFailed({ message: `the thread ended with code ${code}${reason}` })
      for (const resume of this.#waiting.takeAll()) resume(failed)
    })
    // what is under way is waited for when the program ends, not for ever
    worker.unref()
    return (this.#worker = worker)
  }

  get #end(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const worker = this.#worker
      this.#worker = undefined
      return worker === undefined ? Effect.void : Effect.asVoid(Effect.promise(() => worker.terminate()))
    })
  }
}
