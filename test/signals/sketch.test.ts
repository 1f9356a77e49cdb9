import { describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import { Recent } from "../../src/signals/Recent.ts"
import { mayBeAlike, sketchOf } from "../../src/signals/sketch.ts"
import { isAlike, jaccard, Profile } from "../../src/signals/Tokens.ts"

const Word = Schema.Literals(["where", "is", "my", "Order", "it's", "late", "42", "the", "häuser"])
const Words = Schema.Array(Word).check(Schema.isMaxLength(60))
const Changes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 59 }))).check(
  Schema.isMaxLength(6)
)
const Letters = Schema.Array(Schema.Literals(["a", "b", "c", "d", "e", "f", "g", "h"]))

describe("a sketch", () => {
  it.prop("never turns down what is alike", [Words, Changes], ([words, changes]) => {
    const one = words.join(" ")
    const other = words.map((word, at) => (changes.includes(at) ? "else" : word)).join(", ")
    if (jaccard(new Profile(one).trigrams, new Profile(other).trigrams) < 0.85) return
    expect(mayBeAlike(sketchOf(one), sketchOf(other), 0.85)).toBe(true)
  })

  it("turns down two answers that have nothing to do with each other", () => {
    const one = "The train to the coast leaves from platform nine at half past seven."
    const other = "Our office grants a refund within ten days once a form was signed."
    expect(mayBeAlike(sketchOf(one), sketchOf(other), 0.85)).toBe(false)
  })
})

describe("the quick comparison of sets", () => {
  it.prop("says the same as the exact one", [Letters, Letters], ([letters, others]) => {
    const [one, other] = [new Set(letters), new Set(others)]
    if (one.size + other.size === 0) return
    expect(isAlike(one, other, 0.65)).toBe(jaccard(one, other) >= 0.65)
  })
})

describe("what is remembered of late", () => {
  it("is at least as much as there is room for, and what is asked for stays", () => {
    const recent = new Recent<number>(3)
    for (let n = 0; n < 10; n++) {
      recent.set(`${n}`, n)
      expect(recent.get("0")).toBe(0)
    }
    expect(recent.get("9")).toBe(9)
    expect(recent.get("1")).toBeUndefined()
  })
})
