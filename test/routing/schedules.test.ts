import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { failure, type FailureReason, type LlmError } from "../../src/domain/LlmError.ts"
import { failover, type Release, type Work } from "../../src/routing/Failover.ts"
import type { Policy } from "../../src/routing/Policy.ts"
import type { RoutePlan, Target } from "../../src/routing/Router.ts"
import { TargetStates } from "../../src/routing/TargetStates.ts"
import { Dice } from "./dice.ts"
import { errorOf, place, reasons } from "./routes.ts"

/** The targets of a model, some with several keys and some with few places, and what is done with them. */
const planOf = (dice: Dice): RoutePlan => {
  const targetOf = (name: string): Target => {
    const limits = { concurrency: 1 + dice.below(2), queue: dice.below(4), maxWait: dice.oneOf(300, 1500) }
    const { target } = place(name, [], dice.below(3) > 0 ? { limits } : {})
    if (dice.below(3) > 0) return target
    return {
      ...target,
      keys: [
        { ...target, key: "one" },
        { ...target, key: "two" }
      ]
    }
  }
  const policy: Policy = {
    strategy: dice.oneOf("ordered", "random", "least-busy", "least-latency"),
    retry: { maxAttempts: 1 + dice.below(5), initialDelay: 100, maxDelay: 2000 },
    breaker: { failures: dice.below(4), openFor: 1000, maxOpenFor: 4000 },
    ...(dice.below(2) === 0 ? {} : { hedgeAfter: dice.oneOf(0, 200, 600) })
  }
  const others = ["b", "c"].slice(0, dice.below(3)).map(targetOf)
  return { targets: [targetOf("a"), ...others], timeouts: { connect: 0, firstToken: 0, idle: 0, total: 0 }, policy }
}

const failures = (dice: Dice): LlmError => {
  const reason = dice.oneOf<FailureReason>(
    reasons.server,
    reasons.rateLimited,
    reasons.overloaded,
    reasons.reset,
    reasons.invalid,
    reasons.unauthorized,
    { _tag: "Timeout", phase: "firstToken" }
  )
  const retryAfterMs = dice.oneOf(0, 0, 50, 700, 1999, 5000)
  return errorOf(reason, retryAfterMs === 0 ? {} : { retryAfterMs })
}

/** What a test knows of a target, or of one of its keys, from what it asked and answered there itself. */
interface Known {
  asked: number
  held: number
  restUntil: number
  trials: number
}

/** Everything that calls do at the targets of one plan, held against what they may do. */
class World {
  readonly plan: RoutePlan
  readonly states: TargetStates["Service"]
  private readonly dice: Dice
  private readonly clock: Clock.Clock
  private readonly known = new Map<string, Known>()
  /** every answer is a good one from here on */
  isWell = false
  readonly broken: Array<string> = []

  constructor(dice: Dice, states: TargetStates["Service"], clock: Clock.Clock) {
    this.dice = dice
    this.plan = planOf(dice)
    this.states = states
    this.clock = clock
  }

  private of(name: string): Known {
    const known = this.known.get(name) ?? { asked: 0, held: 0, restUntil: 0, trials: 0 }
    this.known.set(name, known)
    return known
  }

  private get now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  private hold(isKept: boolean, rule: string): void {
    if (!isKept) this.broken.push(`${rule}, at ${this.now}`)
  }

  call(): Calling {
    return new Calling(this)
  }

  /** One answer, or failure, of a target; it takes its time. */
  readonly ask = (call: Calling, target: Target, release: Release): Effect.Effect<() => void, LlmError> =>
    Effect.gen({ self: this }, function* () {
      const { dice, clock } = this
      const whole = this.of(target.provider)
      const state = this.states.of(target)
      const key = this.of(state.name)
      const { breaker, retry } = this.plan.policy!
      call.asked++
      call.running++
      whole.held++
      this.hold(call.asked <= retry.maxAttempts, "a call asks as often as it may")
      this.hold(call.running <= 2, "a call has two attempts at a time at most")
      this.hold(!call.isCancelled, "nobody is asked for a call that was cancelled")
      this.hold(key.restUntil <= this.now, "who wants to be left alone is")
      if (target.limits !== undefined) {
        this.hold(whole.held <= target.limits.concurrency, "a target has as many calls as it takes")
      }
      const circuit = yield* Effect.orDie(this.states.circuits.state(state.name))
      const isTrial = breaker.failures > 0 && circuit._tag === "HalfOpen"
      this.hold(breaker.failures === 0 || circuit._tag !== "Open", "nobody is asked whose circuit is open")
      if (isTrial) this.hold(key.trials++ === 0, "one call tries whether a circuit can be closed")
      let isOver = false
      const over = () => {
        if (isOver) return
        isOver = true
        whole.held--
        release()
      }
      const millis = dice.oneOf(0, 0, 10, 100, 500, 1500)
      const isGood = this.isWell || dice.below(3) > 0
      const answered = Effect.gen({ self: this }, function* () {
        if (millis > 0) yield* clock.sleep(Duration.millis(millis))
        if (isGood) return over
        const error = failures(dice)
        if (error.retryAfterMs !== undefined && (error.class === "busy" || error.class === "transient")) {
          key.restUntil = Math.max(key.restUntil, this.now + error.retryAfterMs)
        }
        return yield* error
      })
      return yield* Effect.onExit(answered, (exit) =>
        Effect.sync(() => {
          call.running--
          if (isTrial) key.trials--
          // Whoever asked gives the place back.
          if (Exit.isFailure(exit)) whole.held--
        })
      )
    })

  /** An answer that a call got goes on for a while. */
  readonly readAnswer = (over: () => void): Effect.Effect<void> =>
    Effect.suspend(() =>
      Effect.ensuring(
        this.clock.sleep(Duration.millis(this.dice.oneOf(0, 50, 700, 2500))),
        Effect.sync(() => over())
      )
    )

  readonly look: Effect.Effect<void> = Effect.sync(() => {
    for (const { provider, model, limits, keys } of this.plan.targets) {
      const { slots } = this.states.of({ provider, model })
      this.hold(slots.count === this.of(provider).held, `${provider}: every place is somebody's (${slots.count})`)
      // Both keys of a target are one line.
      this.hold(slots.queued <= (limits?.queue ?? 0), `${provider}: no more are in line than may be (${keys?.length})`)
    }
  })

  random(): number {
    return this.dice.next()
  }
}

/** One call, which may be interrupted and cancelled. */
class Calling {
  asked = 0
  running = 0
  isCancelled = false
  private endWait: (() => void) | undefined
  private readonly world: World

  constructor(world: World) {
    this.world = world
  }

  cancel(): void {
    this.isCancelled = true
    this.endWait?.()
  }

  readonly run: Effect.Effect<void, LlmError> = Effect.suspend(() =>
    Clock.clockWith((clock) => {
      const cancelled = failure({ _tag: "Overloaded" }, "it was cancelled")
      const work: Work<() => void> = {
        plan: this.world.plan,
        states: this.world.states,
        clock,
        random: () => this.world.random(),
        deadline: clock.currentTimeMillisUnsafe() + 20_000,
        session: undefined,
        needed: () => new Set(),
        cancelled: () => (this.isCancelled ? cancelled : undefined),
        whileOpen: (wait) =>
          Effect.raceFirst(
            wait,
            Effect.callback<never, LlmError>((resume) => {
              this.endWait = () => resume(cancelled)
            })
          ),
        ask: (target, _, release) => this.world.ask(this, target, release),
        discard: (over) => Effect.sync(() => over())
      }
      return Effect.flatMap(failover(work), this.world.readAnswer)
    })
  )
}

const play = (seed: number) =>
  Effect.gen(function* () {
    const dice = new Dice(seed)
    const states = yield* TargetStates
    const world = new World(dice, states, yield* Clock.Clock)
    const calls: Array<{ readonly call: Calling; readonly fiber: Fiber.Fiber<void, LlmError> }> = []
    for (let step = 0; step < 60; step++) {
      const some = calls[dice.below(calls.length)]
      switch (dice.below(6)) {
        case 0:
        case 1:
        case 2: {
          const call = world.call()
          calls.push({ call, fiber: yield* Effect.forkChild(call.run, { startImmediately: true }) })
          break
        }
        case 3:
          if (some !== undefined) yield* Fiber.interrupt(some.fiber)
          break
        case 4:
          some?.call.cancel()
          break
        case 5:
          yield* TestClock.adjust(`${dice.oneOf(1, 10, 200, 500, 1000, 2000)} millis`)
      }
      yield* world.look
    }
    yield* TestClock.adjust("5 minutes")
    for (const { fiber } of calls) assert.isDefined(fiber.pollUnsafe(), "every call ends")
    yield* world.look
    world.isWell = true
    const last = yield* Effect.forkChild(world.call().run)
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(last)
    yield* world.look
    assert.deepStrictEqual(world.broken, [])
    for (const { inFlight, queued } of yield* states.all) assert.deepStrictEqual([inFlight, queued], [0, 0])
  }).pipe(Effect.provide([TargetStates.layerMemory, TestClock.layer()]))

describe("calls that come, leave and are cancelled in any order", () => {
  it.effect("keep what targets ask for, and leave nothing behind", () =>
    Effect.forEach(
      Array.from({ length: 200 }, (_, seed) => seed),
      (seed) => Effect.catchCause(play(seed), (cause) => Effect.die(new Error(`with the seed ${seed}`, { cause }))),
      { discard: true }
    )
  )
})
