import { assert, describe, it } from "@effect/vitest"
import { Roster } from "../../src/domain/Roster.ts"

const rosterOf = (...names: ReadonlyArray<string>) => {
  const roster = new Roster<string>()
  for (const name of names) roster.add(name, `the ${name}`)
  return roster
}

describe("a roster", () => {
  it("has what came in the order of its arrival, whatever left in between", () => {
    const roster = rosterOf("mill", "race", "stone")
    assert.isTrue(roster.remove("mill"))
    roster.add("mill", "another mill")
    assert.deepStrictEqual(roster.all, ["the race", "the stone", "another mill"])
    assert.strictEqual(roster.first, "the race")
    assert.strictEqual(roster.size, 3)
  })

  it("removes once, and has one entry of a name", () => {
    const roster = rosterOf("mill", "mill")
    assert.strictEqual(roster.size, 1)
    assert.isTrue(roster.remove("mill"))
    assert.isFalse(roster.remove("mill"))
    assert.strictEqual(roster.size, 0)
    assert.isUndefined(roster.get("mill"))
    assert.isUndefined(roster.first)
  })

  it("knows no name that nobody gave it", () => {
    const roster = rosterOf()
    assert.isUndefined(roster.get("constructor"))
    assert.isFalse(roster.remove("__proto__"))
    roster.add("__proto__", "a name like any other")
    assert.deepStrictEqual(roster.all, ["a name like any other"])
  })

  it("is empty once all are taken, and takes others", () => {
    const roster = rosterOf("mill", "race")
    assert.deepStrictEqual(roster.takeAll(), ["the mill", "the race"])
    assert.strictEqual(roster.size, 0)
    roster.add("stone", "the stone")
    assert.deepStrictEqual(roster.all, ["the stone"])
  })
})
