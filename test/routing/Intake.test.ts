import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Cause, Effect, Exit, Fiber, Schema } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { Intake } from "../../src/routing/Intake.ts"

const done: Exit.Exit<never, Cause.Done> = Exit.fail(Cause.Done())

/** Whether a fiber is still waiting after everything that can go on has gone on. */
const waits = (fiber: Fiber.Fiber<unknown, unknown>) => Effect.map(Effect.yieldNow, () => isRunning(fiber))
const isRunning = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() === undefined

const errorOf = <E>(exit: Exit.Exit<unknown, E>) =>
  Exit.isFailure(exit) ? exit.cause.reasons.find((reason) => Cause.isFailReason(reason))?.error : undefined

describe("the bound", () => {
  it.effect("lets sixteen batches wait, then holds the producer until they are taken", () =>
    Effect.gen(function* () {
      const intake = new Intake<number, never>()
      let offered = 0
      const producer = yield* Effect.forkChild(
        Effect.gen(function* () {
          for (let i = 0; i < 20; i++) {
            offered++
            yield* intake.offer([i], 1)
          }
        })
      )
      assert.isTrue(yield* waits(producer))
      assert.strictEqual(offered, 16)
      assert.isTrue(intake.full)
      assert.deepStrictEqual(
        yield* intake.take,
        Array.from({ length: 16 }, (_, i) => i) as unknown as NonEmptyReadonlyArray<number>
      )
      yield* Fiber.join(producer)
      assert.deepStrictEqual(yield* intake.take, [16, 17, 18, 19])
    })
  )

  it.effect("holds the producer at a size of 64 Ki, however few batches", () =>
    Effect.gen(function* () {
      const intake = new Intake<string, never>()
      yield* intake.offer(["a"], 64 * 1024 - 1)
      assert.isFalse(intake.full)
      const producer = yield* Effect.forkChild(intake.offer(["b"], 1))
      assert.isTrue(yield* waits(producer))
      assert.isTrue(intake.full)
      assert.deepStrictEqual(yield* intake.take, ["a", "b"])
      yield* Fiber.join(producer)
      assert.isFalse(intake.full)
    })
  )

  it.effect("never holds a producer whose consumer waits", () =>
    Effect.gen(function* () {
      const intake = new Intake<number, never>()
      const consumer = yield* Effect.forkChild(intake.take, { startImmediately: true })
      yield* intake.offer([1, 2], 10 * 64 * 1024)
      assert.deepStrictEqual(yield* Fiber.join(consumer), [1, 2])
      assert.isFalse(intake.full)
    })
  )
})

describe("the end", () => {
  it.effect("comes after everything that was offered before it, and stays", () =>
    Effect.gen(function* () {
      const intake = new Intake<number, string>()
      yield* intake.offer([1], 1)
      yield* intake.offer([2], 1)
      intake.end(done)
      intake.end(Exit.fail("later"))
      yield* intake.offer([3], 1)
      assert.deepStrictEqual(yield* intake.take, [1, 2])
      for (let i = 0; i < 2; i++) assert.isTrue(Cause.isDone(errorOf(yield* Effect.exit(intake.take))))
    })
  )

  it.effect("wakes a consumer and a producer that wait", () =>
    Effect.gen(function* () {
      const taken = new Intake<number, string>()
      const consumer = yield* Effect.forkChild(taken.take, { startImmediately: true })
      taken.end(Exit.fail("over"))
      assert.strictEqual(errorOf(yield* Fiber.await(consumer)), "over")

      const filled = new Intake<number, string>()
      const producer = yield* Effect.forkChild(filled.offer([1], 64 * 1024), { startImmediately: true })
      assert.isTrue(yield* waits(producer))
      filled.end(done)
      yield* Fiber.join(producer)
      assert.deepStrictEqual(yield* filled.take, [1])
    })
  )

  it.effect("comes at once where it is a failure from outside, also after an end that nobody took", () =>
    Effect.gen(function* () {
      const intake = new Intake<number, string>()
      yield* intake.offer([1], 1)
      intake.end(done)
      intake.fail("cancelled")
      assert.strictEqual(errorOf(yield* Effect.exit(intake.take)), "cancelled")
      assert.isFalse(intake.full)
    })
  )

  it.effect("lets a producer go that waits while it fails", () =>
    Effect.gen(function* () {
      const intake = new Intake<number, string>()
      const producer = yield* Effect.forkChild(intake.offer([1], 64 * 1024), { startImmediately: true })
      intake.fail("cancelled")
      yield* Fiber.join(producer)
      assert.strictEqual(errorOf(yield* Effect.exit(intake.take)), "cancelled")
    })
  )
})

describe("interruption", () => {
  it.effect("of the consumer loses nothing", () =>
    Effect.gen(function* () {
      const intake = new Intake<number, never>()
      const consumer = yield* Effect.forkChild(intake.take, { startImmediately: true })
      yield* Fiber.interrupt(consumer)
      yield* intake.offer([1], 1)
      assert.deepStrictEqual(yield* intake.take, [1])
    })
  )

  it.effect("of the producer keeps what it had offered", () =>
    Effect.gen(function* () {
      const intake = new Intake<number, never>()
      const producer = yield* Effect.forkChild(intake.offer([1], 64 * 1024), { startImmediately: true })
      yield* Fiber.interrupt(producer)
      assert.deepStrictEqual(yield* intake.take, [1])
      yield* intake.offer([2], 1)
      assert.deepStrictEqual(yield* intake.take, [2])
    })
  )
})

const Action = Schema.Union([
  Schema.TaggedStruct("Offer", {
    count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 })),
    size: Schema.Literals([1, 20_000, 70_000])
  }),
  Schema.TaggedStruct("Take", {}),
  Schema.TaggedStruct("InterruptOffer", {}),
  Schema.TaggedStruct("InterruptTake", {}),
  Schema.TaggedStruct("Pause", {})
])
const Actions = Arbitrary.array(Arbitrary.schema(Action), { maxLength: 60 })

it.effect.prop("delivers everything, in order, however the two sides interleave", [Actions], ([actions]) =>
  Effect.gen(function* () {
    const intake = new Intake<number, never>()
    const sent: Array<number> = []
    const taken: Array<number> = []
    let producer: Fiber.Fiber<void> | undefined
    let consumer: Fiber.Fiber<void, unknown> | undefined
    const take = Effect.map(intake.take, (batch) => {
      taken.push(...batch)
    })
    for (const action of actions) {
      switch (action._tag) {
        case "Offer": {
          // One producer: it offers again only once its last offer was let through.
          if (producer !== undefined && isRunning(producer)) break
          const batch = Array.from({ length: action.count }, (_, i) => sent.length + i)
          sent.push(...batch)
          const offer = intake.offer(batch as unknown as NonEmptyReadonlyArray<number>, action.size)
          producer = yield* Effect.forkChild(offer, { startImmediately: true })
          assert.isTrue(!isRunning(producer) || intake.full)
          break
        }
        case "Take":
          if (consumer === undefined || !isRunning(consumer)) {
            consumer = yield* Effect.forkChild(take, { startImmediately: true })
          }
          break
        case "InterruptOffer":
          if (producer !== undefined) yield* Fiber.interrupt(producer)
          break
        case "InterruptTake":
          if (consumer !== undefined) yield* Fiber.interrupt(consumer)
          break
        case "Pause":
          yield* Effect.yieldNow
      }
    }
    intake.end(done)
    if (consumer !== undefined) yield* Fiber.await(consumer)
    const rest = yield* Effect.exit(Effect.forever(take))
    assert.isTrue(Cause.isDone(errorOf(rest)))
    assert.deepStrictEqual(taken, sent)
    if (producer !== undefined) assert.isFalse(isRunning(producer))
  })
)
