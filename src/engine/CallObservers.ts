import { Context, Effect, Metric } from "effect"
import type { EndedCall } from "../domain/Call.ts"

/**
 * Is told of every call that has ended, once, after its record went to the audit trail. The end of the call waits for it,
 * so what takes time belongs on a queue. What filters hide it does not see either. It cannot change the call: where it
 * dies, that is logged and counted.
 */
export interface CallObserver {
  readonly name: string
  readonly ended: (call: EndedCall) => Effect.Effect<void>
}

/** Who is told of calls that have ended, in order. */
export const CallObservers = Context.Reference<ReadonlyArray<CallObserver>>("millrace/engine/CallObservers", {
  defaultValue: () => []
})

const failures = Metric.counter("millrace_observer_failures_total", {
  description: "Observers of calls that failed, by name",
  incremental: true
})

/** Tells every observer, whatever the others do. */
export const tell = (observers: ReadonlyArray<CallObserver>, call: EndedCall): Effect.Effect<void> =>
  Effect.forEach(
    observers,
    ({ ended, name }) =>
      Effect.suspend(() => ended(call)).pipe(
        Effect.catchCause((cause) =>
          Effect.logWarning(`The observer ${name} failed for the call ${call.id}`, cause).pipe(
            Effect.andThen(Metric.update(Metric.withAttributes(failures, { observer: name }), 1))
          )
        )
      ),
    { discard: true }
  )
