import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TargetStates } from "../../src/routing/TargetStates.ts"

const made = (index: number) => ({ provider: "a", model: `made up ${index}`, unlisted: true })

describe("what is known of targets", () => {
  it.effect("is not shown of those that only callers have named, until they answer", () =>
    Effect.gen(function* () {
      const { all, of } = yield* TargetStates
      of({ provider: "a", model: "listed" })
      for (const model of ["answers", "listed later", "never heard of"]) of({ provider: "a", model, unlisted: true })
      of({ provider: "a", model: "answers", unlisted: true }).hasAnswered = true
      of({ provider: "a", model: "listed later" })
      const shown = (yield* all).map(({ model }) => model)
      assert.deepStrictEqual(shown, ["listed", "answers", "listed later"])
    }).pipe(Effect.provide(TargetStates.layerMemory))
  )

  it.effect("is kept of those that are listed, that answer and that are asked, however many names are made up", () =>
    Effect.gen(function* () {
      const { of } = yield* TargetStates
      const kept = [
        { provider: "a", model: "listed" },
        { provider: "a", model: "answers", unlisted: true },
        { provider: "a", model: "is asked", unlisted: true }
      ]
      const [, answers, asked] = kept.map((target) => of(target))
      answers!.hasAnswered = true
      asked!.slots.take()
      const first = of(made(0))
      const states = kept.map((target) => of(target))
      for (let index = 1; index < 5000; index++) of(made(index))
      assert.deepStrictEqual(
        kept.map((target, index) => of(target) === states[index]),
        [true, true, true]
      )
      assert.notStrictEqual(of(made(0)), first)
    }).pipe(Effect.provide(TargetStates.layerMemory))
  )
})
