import { type Clock, Deferred, Effect, Layer, Metric, type Pull, Result, type Scope, Stream } from "effect"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import { Filters, type Filter, type FilterContext } from "../filters/Filter.ts"
import { Ending } from "../filters/Verdict.ts"
import { type Analyzer, findingCategory, type Observation, type Watcher } from "../signals/Analyzer.ts"

const failures = Metric.counter("millrace_analyzer_failures_total", {
  description: "Analyzers that failed on an answer, by name",
  incremental: true
})

type Batch = NonEmptyReadonlyArray<LlmEvent>
type Batches = Pull.Pull<Batch, LlmError | Ending>

interface Watched {
  readonly analyzer: Analyzer
  readonly watcher: Watcher
}

/** One answer and who watches it. Synchronous, because it is touched once for each batch. */
class Watch {
  private readonly context: FilterContext
  private readonly clock: Clock.Clock
  private watched: ReadonlyArray<Watched> = []
  private readonly told = new Set<string>()
  /** since when the answer is waited for, epoch milliseconds; undefined while whoever reads it takes its time */
  private waitingSince: number | undefined
  /** what ends the answer: the events before it were handed on */
  private ending: Ending | undefined
  /** analyzers that failed and are still to be counted */
  private readonly failed: Array<{ readonly name: string; readonly cause: unknown }> = []

  constructor(analyzers: ReadonlyArray<Analyzer>, request: LlmRequest, context: FilterContext, clock: Clock.Clock) {
    this.context = context
    this.clock = clock
    this.watched = analyzers.flatMap((analyzer) => {
      const watcher = this.ask(analyzer, () => analyzer.watch(request))
      return watcher === undefined ? [] : [{ analyzer, watcher }]
    })
  }

  /** What an analyzer says; one that throws says nothing and is not asked again. */
  private ask<A>(analyzer: Analyzer, question: () => A): A | undefined {
    return Result.getOrElse(Result.try({ try: question, catch: (cause) => cause }), (cause) => {
      this.failed.push({ name: analyzer.name, cause })
      this.watched = this.watched.filter((one) => one.analyzer !== analyzer)
      return undefined
    })
  }

  /** Tells what was noticed, once; gives the ending where that is the analyzer's policy. */
  private tell({ name, onFinding }: Analyzer, observation: Observation): Ending | undefined {
    const category = findingCategory(observation)
    const stops = onFinding === "stop"
    if (!this.told.has(`${name} ${category}`)) {
      this.told.add(`${name} ${category}`)
      const { excerpt, severity } = observation
      this.context.report({
        filter: name,
        phase: "answer",
        category,
        severity,
        action: stops ? "stopped" : "observed",
        ...(excerpt === undefined ? {} : { excerpt })
      })
    }
    return stops ? new Ending({ verdict: { _tag: "Stop", reason: observation.category }, by: name }) : undefined
  }

  /** Everybody looks at every event; where one ends the answer, what came before is what is left of the batch. */
  private look(batch: Batch): ReadonlyArray<LlmEvent> {
    const now = this.clock.currentTimeMillisUnsafe()
    for (const [index, event] of batch.entries()) {
      for (const { analyzer, watcher } of this.watched) {
        const observation = this.ask(analyzer, () => watcher.event(event, now))
        this.ending ??= observation === undefined ? undefined : this.tell(analyzer, observation)
      }
      if (this.ending !== undefined) return batch.slice(0, index)
    }
    return batch
  }

  private readonly countFailures: Effect.Effect<void> = Effect.suspend(() =>
    Effect.forEach(
      this.failed.splice(0),
      ({ cause, name }) =>
        Effect.logWarning(`The analyzer ${name} failed on the answer of the call ${this.context.callId}`, cause).pipe(
          Effect.andThen(Metric.update(Metric.withAttributes(failures, { analyzer: name }), 1))
        ),
      { discard: true }
    )
  )

  /** The answer as it is watched. */
  over(pull: Batches, scope: Scope.Scope): Effect.Effect<Batches> {
    const handOn = (batch: Batch): Batches => {
      this.waitingSince = undefined
      const left = this.look(batch)
      const next = isReadonlyArrayNonEmpty(left) ? Effect.succeed(left) : watched
      return this.failed.length === 0 ? next : Effect.andThen(this.countFailures, next)
    }
    const watched: Batches = Effect.suspend(() => {
      if (this.ending !== undefined) return this.ending
      this.waitingSince = this.clock.currentTimeMillisUnsafe()
      return Effect.flatMap(source, handOn)
    })
    let source = pull
    return Effect.gen({ self: this }, function* () {
      yield* this.countFailures
      const stopped = Deferred.makeUnsafe<never, Ending>()
      const patient = this.watched.filter(({ watcher }) => watcher.silence !== undefined)
      for (const each of patient) yield* Effect.forkIn(this.wait(each, stopped), scope)
      // Only what may stop a silent answer is worth a race for each batch.
      if (patient.some(({ analyzer }) => analyzer.onFinding === "stop")) {
        source = Effect.raceFirst(pull, Deferred.await(stopped))
      }
      return watched
    })
  }

  /** Sleeps until an answer was silent for long enough. */
  private wait({ analyzer, watcher }: Watched, stopped: Deferred.Deferred<never, Ending>): Effect.Effect<void> {
    const { silence } = watcher
    if (silence === undefined) return Effect.void
    const { afterMs, observation } = silence
    return Effect.suspend(() => {
      const now = this.clock.currentTimeMillisUnsafe()
      const left = (this.waitingSince ?? now) + afterMs - now
      if (left > 0) return Effect.andThen(Effect.sleep(left), this.wait({ analyzer, watcher }, stopped))
      const ending = this.tell(analyzer, observation)
      if (ending !== undefined) Deferred.doneUnsafe(stopped, Effect.fail(ending))
      return Effect.void
    })
  }
}

/** Lets analyzers watch every answer: a filter that changes nothing. It belongs before those that do. */
export const watching = (analyzers: ReadonlyArray<Analyzer>): Filter => ({
  name: "analyzers",
  // it keeps nothing back, and each analyzer is held to its own
  timeout: 0,
  changes: false,
  events: (request, context) => (self) =>
    Stream.transformPull(self, (pull, scope) =>
      Effect.clockWith((clock) => new Watch(analyzers, request, context, clock).over(pull, scope))
    )
})

/** Lets analyzers watch every answer, before the filters that there are. */
export const watchAnswers = (analyzers: ReadonlyArray<Analyzer>): Layer.Layer<never> =>
  analyzers.length === 0
    ? Layer.empty
    : Layer.effect(
        Filters,
        Effect.map(Filters, (others) => [watching(analyzers), ...others])
      )
