import { Effect, Layer } from "effect"
import { Signals } from "../signals/Signals.ts"
import { CallObservers } from "./CallObservers.ts"

/** Reads the conversation of every call that has ended for signals, besides what else observes calls. */
export const observeSignals: Layer.Layer<never, never, Signals> = Layer.effect(
  CallObservers,
  Effect.gen(function* () {
    const others = yield* CallObservers
    const { observe } = yield* Signals
    return [...others, { name: "signals", ended: observe }]
  })
)
