import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Line, type Place } from "../../src/domain/Line.ts"

const Steps = Schema.Array(
  Schema.Union([
    Schema.Struct({ add: Schema.Int }),
    Schema.Struct({ remove: Schema.Natural }),
    Schema.Struct({ take: Schema.Natural })
  ])
)

describe("a line", () => {
  it.effect.prop("is what an array would be, whoever leaves it and when", [Steps], ([steps]) =>
    Effect.sync(() => {
      const line = new Line<number>()
      const places: Array<Place<number>> = []
      let there: Array<Place<number>> = []
      for (const step of steps) {
        if ("add" in step) {
          const place = line.add(step.add)
          places.push(place)
          there.push(place)
        } else if ("remove" in step) {
          const place = places[step.remove % Math.max(1, places.length)]
          if (place === undefined) continue
          assert.strictEqual(line.remove(place), there.includes(place))
          there = there.filter((other) => other !== place)
        } else {
          const most = step.take % 5
          assert.deepStrictEqual(
            line.take(most),
            there.slice(0, most).map(({ entry }) => entry)
          )
          there = there.slice(most)
        }
        assert.deepStrictEqual([line.size, line.first], [there.length, there[0]?.entry])
      }
    })
  )

  it("knows its own", () => {
    const [one, other] = [new Line<string>(), new Line<string>()]
    const place = one.add("a")
    other.add("b")
    assert.isFalse(other.remove(place))
    assert.deepStrictEqual([one.size, other.size], [1, 1])
  })
})
