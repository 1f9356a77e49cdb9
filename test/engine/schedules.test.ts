import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, type Fiber, Layer, Pull, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Admission } from "../../src/accounting/Admission.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import type { FinalRecord } from "../../src/domain/Call.ts"
import { failure, type LlmError } from "../../src/domain/LlmError.ts"
import { textOf } from "../../src/domain/LlmResponse.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { CallObservers } from "../../src/engine/CallObservers.ts"
import { Engine, EngineLimits, type OpenCall } from "../../src/engine/Engine.ts"
import { Filters, type Filter } from "../../src/filters/Filter.ts"
import { handOff, refuse } from "../../src/filters/Verdict.ts"
import type { RescueMode } from "../../src/routing/Rescue.ts"
import { Router, type RoutePlan, type Target } from "../../src/routing/Router.ts"
import { TargetStates } from "../../src/routing/TargetStates.ts"
import { Upstream } from "../../src/routing/Upstream.ts"
import {
  emit,
  fail,
  finish,
  hang,
  play as playScript,
  started,
  toolCall,
  wait,
  type Script,
  type Step
} from "../../src/testing/Script.ts"
import { Dice } from "../routing/dice.ts"
import { errorOf, reasons } from "../routing/routes.ts"

const words = ["one ", "two ", "three ", "four ", "five "]
const noTime = { connect: 0, firstToken: 0, idle: 0, total: 0 }

/** What a provider does with one request; much of it no provider should do. */
const scriptOf = (dice: Dice, differs: boolean): Script => {
  const steps: Array<Step> = []
  const pause = () => {
    if (dice.once(3)) steps.push(wait(Duration.millis(dice.oneOf(1, 50, 400, 1200))))
  }
  const breakOff = (): Script => [
    ...steps,
    dice.oneOf(
      hang,
      fail(errorOf(reasons.reset)),
      fail(errorOf(reasons.rateLimited, { retryAfterMs: 300 })),
      fail(errorOf(reasons.invalid)),
      fail(errorOf(reasons.unauthorized)),
      emit()
    )
  ]
  pause()
  if (dice.once(4)) return breakOff()
  if (dice.once(2)) steps.push(started())
  pause()
  if (dice.once(6)) return breakOff()
  steps.push(emit({ _tag: "TextStart", id: "text" }))
  for (const text of words) {
    steps.push(emit({ _tag: "TextDelta", id: "text", text: differs && dice.once(6) ? "other " : text }))
    pause()
    if (dice.once(12)) return breakOff()
  }
  steps.push(emit({ _tag: "TextEnd", id: "text" }))
  if (dice.once(8)) steps.push(toolCall("call", "look", {}))
  if (dice.once(10)) return breakOff()
  steps.push(finish())
  // What comes after the end is nothing.
  if (dice.once(4))
    steps.push(
      dice.oneOf(
        finish("length"),
        hang,
        fail(errorOf(reasons.server)),
        emit({ _tag: "TextDelta", id: "text", text: "late" })
      )
    )
  return steps
}

/** A filter that does what filters may do, and what they should not. */
const filterOf = (dice: Dice): Filter => ({
  name: "odd",
  onFailure: dice.oneOf("open", "closed", "drop"),
  request: (request) =>
    Effect.suspend(() => {
      switch (dice.below(12)) {
        case 0:
          return refuse("not that", { as: dice.oneOf("error", "answer") })
        case 1:
          return Effect.die(new Error("the filter broke"))
        case 2:
          return Effect.never
        case 3:
          return Effect.succeed({ ...request, model: "other" })
        case 4:
          return handOff("other")
        default:
          return Effect.as(Effect.sleep(Duration.millis(dice.oneOf(0, 0, 100))), request)
      }
    }),
  events: () => (self) =>
    Stream.mapEffect(self, (event) => {
      switch (dice.below(80)) {
        case 0:
          return refuse("not that")
        case 1:
          return Effect.die(new Error("the filter broke"))
        case 2:
          return Effect.as(Effect.never, event)
        case 3:
          return handOff("other")
        default:
          return Effect.succeed(event)
      }
    })
})

/** What became of one call as its caller saw it. */
class Seen {
  id: string | undefined
  text = ""
  isComplete = false
  failure: LlmError | undefined
  opened: OpenCall | undefined
  /** it was told that its caller left, and goes on without it */
  goesOn = false
}

/** Everything around the engine, which counts what it is told. */
class World {
  readonly dice: Dice
  readonly plan: RoutePlan
  /** its filters may leave things out */
  readonly isFiltered: boolean
  readonly opened: Array<string> = []
  readonly refused: Array<string> = []
  readonly finalized: Array<FinalRecord> = []
  readonly sealed: Array<string> = []
  reservations = 0
  settled = 0
  streams = 0
  ended = 0

  constructor(dice: Dice) {
    this.dice = dice
    const differs = dice.once(3)
    const continues = !differs && dice.once(2)
    this.isFiltered = dice.once(2)
    const upstream = Upstream.fromEvents(() =>
      Stream.suspend(() => {
        this.streams++
        return Stream.onExit(playScript(scriptOf(dice, differs)), () => Effect.sync(() => void this.ended++))
      })
    )
    const targetOf = (provider: string): Target => ({
      provider,
      model: "m",
      upstream,
      ...(dice.once(2) ? {} : { limits: { concurrency: 1 + dice.below(2), queue: dice.below(3), maxWait: 700 } }),
      continues
    })
    const others = ["b", "c"].slice(0, dice.below(3)).map(targetOf)
    this.plan = {
      targets: [targetOf("a"), ...others],
      timeouts: dice.once(4) ? { ...noTime, total: 6000 } : { connect: 1000, firstToken: 1500, idle: 900, total: 8000 },
      policy: {
        strategy: dice.oneOf("ordered", "random"),
        retry: { maxAttempts: 1 + dice.below(4), initialDelay: 50, maxDelay: 1000 },
        breaker: { failures: dice.below(4), openFor: 500, maxOpenFor: 1000 },
        ...(dice.once(2) ? {} : { hedgeAfter: dice.oneOf(20, 300) })
      },
      rescue: dice.oneOf<RescueMode>("auto", "continue", "restart", "off"),
      ...(dice.once(2) ? {} : { drain: { maxTime: dice.oneOf(200, 3000), maxTokens: dice.oneOf(1, 1000) } }),
      ...(dice.once(3) ? { upstreamDelivery: "stream" } : {})
    }
  }

  /** A moment, or none. */
  private readonly moment = Effect.suspend(() => {
    const millis = this.dice.oneOf(0, 0, 0, 30)
    return millis === 0 ? Effect.void : Effect.sleep(Duration.millis(millis))
  })

  private readonly unavailable = failure({ _tag: "AuditUnavailable" }, "no trail")

  readonly layer = () => {
    const isStrict = this.dice.once(2)
    const audit = {
      open: ({ id }: { readonly id: string }) =>
        Effect.suspend(() => {
          this.opened.push(id)
          return Effect.flatMap(this.moment, () => {
            if (!this.dice.once(15)) return Effect.void
            this.refused.push(id)
            return this.unavailable
          })
        }),
      seal: isStrict
        ? ({ id }: FinalRecord) =>
            Effect.suspend(() => {
              this.sealed.push(id)
              return Effect.flatMap(this.moment, () => (this.dice.once(8) ? this.unavailable : Effect.void))
            })
        : undefined,
      finalize: (record: FinalRecord) =>
        Effect.andThen(
          this.moment,
          Effect.sync(() => void this.finalized.push(record))
        )
      // The engine asks for nothing else.
    } as unknown as AuditTrail["Service"]
    const admit = () =>
      Effect.flatMap(this.moment, () =>
        Effect.suspend(() => {
          if (this.dice.once(20)) return failure({ _tag: "RateLimited" }, "a limit of the caller")
          this.reservations++
          let isSettled = false
          return Effect.succeed({
            settle: () => {
              if (!isSettled) this.settled++
              isSettled = true
            },
            exceeds: () => (this.dice.once(60) ? this.dice.oneOf("tokens" as const, "cost" as const) : undefined)
          })
        })
      )
    return Engine.layer.pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          Layer.succeed(Router, { plan: () => Effect.succeed(this.plan), models: Effect.succeed([]) }),
          TargetStates.layerMemory,
          Layer.succeed(AuditTrail, audit)
        )
      ),
      Layer.provide([
        Layer.succeed(Admission, { admit }),
        Layer.succeed(EngineLimits, { maxText: this.dice.oneOf(1000, 1000, 15) }),
        Layer.succeed(Filters, this.isFiltered ? [filterOf(this.dice)] : []),
        Layer.succeed(CallObservers, [{ name: "broken", ended: () => Effect.die(new Error("the observer broke")) }])
      ])
    )
  }
}

/** Reads an answer as a server would send it, at its own pace. */
const reading = (engine: Engine["Service"], { dice }: World, seen: Seen) =>
  Effect.gen(function* () {
    const opened = yield* engine.open(callOf(prompt("model", "hello"), dice.oneOf("stream", "stream", "whole")))
    seen.id = opened.id
    seen.opened = opened
    const { pull } = yield* opened.answer
    const next: Effect.Effect<void, LlmError | Cause.Done> = Effect.flatMap(pull, (batch) =>
      Effect.gen(function* () {
        for (const { events } of batch) {
          for (const event of events) {
            assert.isFalse(seen.isComplete, "nothing comes after the end")
            if (event._tag === "TextDelta") seen.text += event.text
            if (event._tag !== "Finish") continue
            opened.delivery.complete = true
            if (opened.seal !== undefined) {
              yield* Effect.onError(opened.seal(), () => Effect.sync(() => void (opened.delivery.complete = false)))
            }
            seen.isComplete = true
          }
        }
        if (dice.once(5)) yield* Effect.sleep(Duration.millis(dice.oneOf(10, 500)))
        return yield* next
      })
    )
    yield* Pull.catchDone(next, () => Effect.void)
  }).pipe(
    Effect.scoped,
    Effect.tapError((error) =>
      Effect.sync(() => {
        seen.failure = error
      })
    )
  )

const play = (seed: number) =>
  Effect.suspend(() => {
    const world = new World(new Dice(seed))
    const { dice } = world
    return Effect.gen(function* () {
      const engine = yield* Engine
      const calls: Array<{ readonly seen: Seen; readonly fiber: Fiber.Fiber<void, LlmError> }> = []
      for (let step = 0; step < 40; step++) {
        const some = calls[dice.below(calls.length)]
        switch (dice.below(8)) {
          case 0:
          case 1:
          case 2: {
            const seen = new Seen()
            calls.push({
              seen,
              fiber: yield* Effect.forkChild(reading(engine, world, seen), { startImmediately: true })
            })
            break
          }
          case 3:
            if (some !== undefined && some.seen.opened?.left?.() !== true) some.fiber.interruptUnsafe()
            break
          case 4:
            if (some?.seen.id !== undefined) yield* engine.cancel(some.seen.id)
            break
          case 5:
            if (dice.once(6)) yield* engine.shutdown
            break
          default:
            yield* TestClock.adjust(Duration.millis(dice.oneOf(1, 20, 200, 500, 1000)))
        }
      }
      yield* TestClock.adjust("10 minutes")
      for (const { seen, fiber } of calls) {
        const exit = fiber.pollUnsafe()
        assert.isDefined(exit, "every call ends")
        const dies = exit !== undefined && Exit.isFailure(exit) && Cause.hasDies(exit.cause)
        assert.isFalse(
          dies,
          `no call dies: ${exit !== undefined && Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""}`
        )
        agrees(seen, exit!, world)
      }
      nothingTwice(world)
      assert.strictEqual(yield* engine.active, 0)
      for (const { inFlight, queued } of yield* (yield* TargetStates).all)
        assert.deepStrictEqual([inFlight, queued], [0, 0])
      assert.strictEqual(world.ended, world.streams, "every provider is let go")
      assert.strictEqual(world.settled, world.reservations, "everything that was reserved is settled")
    }).pipe(Effect.provide(Layer.provideMerge(world.layer(), TestClock.layer())))
  })

/** What the record says is what the caller had. */
const agrees = (seen: Seen, exit: Exit.Exit<void, LlmError>, { finalized, isFiltered }: World) => {
  if (seen.id === undefined) return
  const [record] = finalized.filter(({ id }) => id === seen.id)
  assert.isDefined(record, "every call that was opened has its end recorded")
  const { outcome, response, attempts } = record!
  const told = textOf(response?.choices[0])
  assert.isTrue(told.startsWith(seen.text), `the record says ${told}, the caller had ${seen.text}`)
  if (!isFiltered) {
    const said = seen.text.match(/\w+ /g) ?? []
    assert.isTrue(
      said.every((word, at) => word === words[at] || word === "other "),
      `nothing twice or left out: ${seen.text}`
    )
  }
  if (seen.isComplete) {
    assert.strictEqual(told, seen.text)
    assert.include(["Completed", "Refused", "HandedOff", "Limited", "Cancelled"], outcome._tag)
  }
  if (outcome._tag === "Completed" && outcome.delivered) assert.isTrue(seen.isComplete, "what was delivered was had")
  if (seen.failure !== undefined && !seen.isComplete) assert.notStrictEqual(outcome._tag, "Completed")
  if (outcome._tag === "Failed") assert.isTrue(Exit.isFailure(exit), "a failure is told")
  for (const { endedMs, failure, abandoned } of attempts) {
    assert.isDefined(endedMs, "every attempt ends")
    assert.isFalse(failure !== undefined && abandoned === true, "who was given up did not fail")
  }
}

const nothingTwice = ({ opened, refused, finalized, sealed }: World) => {
  const ids = finalized.map(({ id }) => id)
  assert.strictEqual(new Set(ids).size, ids.length, "every end is recorded once")
  assert.strictEqual(new Set(opened).size, opened.length, "every call is opened once")
  assert.strictEqual(new Set(sealed).size, sealed.length, "every end is sealed once")
  for (const id of opened) assert.strictEqual(ids.includes(id), !refused.includes(id))
}

describe("calls that come, leave, are cancelled and break in any order", () => {
  it.effect(
    "end once, are recorded once as their callers saw them, and leave nothing behind",
    () =>
      Effect.forEach(
        Array.from({ length: 100 }, (_, seed) => seed),
        (seed) =>
          Effect.catchCause(play(seed), (cause) =>
            Effect.die(new Error(`with the seed ${seed}: ${Cause.pretty(cause)}`))
          ),
        { discard: true }
      ),
    60_000
  )
})
