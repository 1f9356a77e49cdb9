import { expect, it } from "vitest"
import { Notices } from "../../src/protocols/Notices.ts"
import { argumentsObject } from "../../src/protocols/ToolArguments.ts"

it("arguments that are an object of JSON are that object, to the last digit; any other text stands whole in one", () => {
  const said = new Notices("no words")
  expect(argumentsObject({ name: "f", arguments: " null " }, said)).toEqual({})
  const wide = '{"id":12345678901234567890}'
  expect(JSON.stringify(argumentsObject({ name: "f", arguments: wide }, said))).toBe(wide)
  expect(said.list).toEqual([])
  for (const text of ["12345678901234567890", "7", "[1]", '"a"', '{"a":']) {
    const name = `f${text}`
    expect(argumentsObject({ name, arguments: text }, said)).toEqual({ arguments: text })
    expect(said.list.at(-1)?.message).toContain(name)
  }
})
