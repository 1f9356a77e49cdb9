import { Context, Duration, Effect, Layer, Option, Schema, type Scope } from "effect"
import { CircuitBreaker } from "effect/persistence"
import type { LlmError } from "../domain/LlmError.ts"
import { Affinity } from "./Affinity.ts"
import { Circuit } from "./Circuits.ts"
import { InFlight } from "./InFlight.ts"
import { Latency } from "./Latency.ts"
import type { Target } from "./Router.ts"

/** Nobody is left alone for longer, whatever it said, in milliseconds: after that it is asked, and may say so again. */
const longestRest = 3_600_000

/** A target that fails at once is not a fast one: what a failure counts as in its latency, in milliseconds. */
const failureCost = 5000

/** What calls have found out about a target, or about one key of it: shared by all of them, written as it happens. */
export class TargetState {
  readonly provider: string
  readonly model: string
  /** the label of the key; undefined for the target as a whole */
  readonly key: string | undefined
  readonly circuit: Circuit
  readonly slots = new InFlight()
  /** how slow it is to be taken for where one is chosen: what was measured, and failures as if they had taken long */
  readonly latency = new Latency()
  /** how long the first content took where there was some */
  readonly measured = new Latency()
  /** until when it is not asked, epoch milliseconds: it said so itself */
  restUntil = 0
  /** what it said then; not the error itself, whose stack holds on to the call that it ended */
  said: Pick<LlmError, "reason" | "message" | "fault"> | undefined
  attempts = 0
  failures = 0
  /** whether nobody but callers has named it */
  unlisted: boolean
  /** whether it ever gave an answer, so that there is such a model */
  hasAnswered = false
  private turn = 0

  constructor(name: string, { provider, model, key, unlisted = false }: Asked) {
    this.provider = provider
    this.model = model
    this.key = key
    this.unlisted = unlisted
    this.circuit = new Circuit(name)
  }

  get name(): string {
    return this.circuit.key
  }

  /** Its first content took so many milliseconds. */
  answered(millis: number, now: number): void {
    this.latency.observe(millis, now)
    this.measured.observe(millis, now)
  }

  /** It failed after so many milliseconds, before any content. A request that it refused for what it is it answered well. */
  failed(error: LlmError, millis: number, now: number): void {
    if (error.class !== "request-permanent") this.latency.observe(Math.max(millis, failureCost), now)
  }

  /** Leaves it alone for so many milliseconds; a rest that is longer already stays. */
  rest({ reason, message, fault }: LlmError, millis: number, now: number): void {
    const until = now + Math.min(millis, longestRest)
    if (until <= this.restUntil) return
    this.restUntil = until
    this.said = { reason, message, ...(fault === undefined ? {} : { fault }) }
  }

  /** Which of so many keys comes first now: every call begins with another one. */
  nextTurn(count: number): number {
    this.turn = (this.turn + 1) % count
    return this.turn
  }
}

/**
 * How a target is now, or one of its keys. `restUntil` (epoch milliseconds) is until when it wants to be left alone, as it
 * said; `latencyMs` is a moving average of the time to the first content of what did not fail, 0 where it is not
 * known.
 */
export const TargetStatus = Schema.Struct({
  provider: Schema.String,
  model: Schema.String,
  key: Schema.optionalKey(Schema.String),
  circuit: Schema.Struct({
    state: Schema.Literals(["closed", "open", "half-open"]),
    openForMs: Schema.optionalKey(Schema.Finite),
    openings: Schema.Natural
  }),
  restUntil: Schema.optionalKey(Schema.Finite),
  inFlight: Schema.Natural,
  queued: Schema.Natural,
  latencyMs: Schema.Finite,
  attempts: Schema.Natural,
  failures: Schema.Natural
})
export type TargetStatus = typeof TargetStatus.Type

/** Names come from callers too (`provider/model`): beyond so many the oldest of theirs are forgotten. */
const capacity = 1000

type Asked = Pick<Target, "provider" | "model" | "key" | "unlisted">

/** What is known of all targets, and the circuits that guard them. */
export class TargetStates extends Context.Service<
  TargetStates,
  {
    /** the state of a target, or of its key; made where there is none yet */
    readonly of: (target: Asked) => TargetState
    readonly affinity: Affinity
    readonly circuits: CircuitBreaker.CircuitBreakerStore["Service"]
    /**
     * Everything that was asked so far, in the order in which it was first asked; what only callers have named, once it
     * gave an answer.
     */
    readonly all: Effect.Effect<ReadonlyArray<TargetStatus>>
  }
>()("millrace/routing/TargetStates") {
  /** States in this process, circuits in a store that others may share. */
  static readonly layer: Layer.Layer<TargetStates, never, CircuitBreaker.CircuitBreakerStore> = Layer.effect(
    TargetStates,
    Effect.map(CircuitBreaker.CircuitBreakerStore, (store) => make(store))
  )

  /** States and circuits in this process. */
  static readonly layerMemory: Layer.Layer<TargetStates> = Layer.provide(
    TargetStates.layer,
    CircuitBreaker.layerStoreMemory()
  )

  /** What is provided, such as by a server that shows it, else states of one's own. */
  static readonly shared: Effect.Effect<TargetStates["Service"], never, Scope.Scope> = Effect.flatMap(
    Effect.serviceOption(TargetStates),
    Option.match({
      onSome: Effect.succeed,
      onNone: () => Effect.map(Layer.build(TargetStates.layerMemory), (built) => Context.get(built, TargetStates))
    })
  )
}

const nameOf = ({ provider, model, key }: Asked): string =>
  key === undefined ? `${provider}/${model}` : `${provider}/${model} (key ${key})`

const make = (circuits: CircuitBreaker.CircuitBreakerStore["Service"]): TargetStates["Service"] => {
  const states = new Map<string, TargetState>()
  const forgetOne = () => {
    const idle = Array.from(states).filter(([, { slots, unlisted }]) => unlisted && slots.count === 0)
    // Names that are made up are many, and take nobody's place who answers.
    const [name] = idle.find(([, { hasAnswered }]) => !hasAnswered) ?? idle[0] ?? []
    if (name !== undefined) states.delete(name)
  }
  const add = (name: string, target: Asked) => {
    if (states.size >= capacity) forgetOne()
    const state = new TargetState(name, target)
    states.set(name, state)
    return state
  }
  return {
    of: (target) => {
      const name = nameOf(target)
      const state = states.get(name) ?? add(name, target)
      if (target.unlisted !== true) state.unlisted = false
      return state
    },
    affinity: new Affinity(),
    circuits,
    all: Effect.clockWith((clock) =>
      Effect.forEach(
        Array.from(states.values()).filter(({ hasAnswered, unlisted }) => hasAnswered || !unlisted),
        (state) => statusOf(circuits, state, clock.currentTimeMillisUnsafe())
      )
    )
  }
}

const statusOf = (
  circuits: CircuitBreaker.CircuitBreakerStore["Service"],
  state: TargetState,
  now: number
): Effect.Effect<TargetStatus> =>
  Effect.map(
    // A store that cannot be reached guards nobody.
    Effect.orElseSucceed(circuits.state(state.circuit.key), () => ({ _tag: "Closed" as const })),
    (circuit) => ({
      provider: state.provider,
      model: state.model,
      ...(state.key === undefined ? {} : { key: state.key }),
      circuit: {
        state: circuitNames[circuit._tag],
        ...(circuit._tag === "Open" ? { openForMs: Math.ceil(Duration.toMillis(circuit.retryAfter)) } : {}),
        openings: state.circuit.openings
      },
      ...(state.restUntil > now ? { restUntil: state.restUntil } : {}),
      inFlight: state.slots.count,
      queued: state.slots.queued,
      latencyMs: Math.round(state.measured.read(now)),
      attempts: state.attempts,
      failures: state.failures
    })
  )

const circuitNames = { Closed: "closed", Open: "open", HalfOpen: "half-open" } as const
