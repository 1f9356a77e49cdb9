import { expect, it } from "vitest"
import { argumentsObject } from "../../src/protocols/ToolArguments.ts"

it("arguments that are an object of JSON are that object, to the last digit; any other text stands whole in one", () => {
  expect(argumentsObject(" null ")).toEqual({ value: {}, intact: true })
  const { value, intact } = argumentsObject('{"id":12345678901234567890}')
  expect([JSON.stringify(value), intact]).toEqual(['{"id":12345678901234567890}', true])
  for (const text of ["12345678901234567890", "7", "[1]", '"a"', '{"a":']) {
    expect(argumentsObject(text)).toEqual({ value: { arguments: text }, intact: false })
  }
})
