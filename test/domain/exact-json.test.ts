import { describe, expect, it } from "vitest"
import { nearestNumber, parseExactly } from "../../src/domain/exact-json.ts"

describe("JSON that is read exactly", () => {
  it("keeps whole numbers that no number here holds as they are written", () => {
    const text =
      '{"a":12345678901234567890,"b":[-9007199254740993,{"c":10000000000000000000000}],"d":"12345678901234567"}'
    expect(JSON.stringify(parseExactly(text))).toBe(text)
    const { a, b } = parseExactly(text) as { readonly a: unknown; readonly b: ReadonlyArray<unknown> }
    expect([a, b[0]].map(nearestNumber)).toEqual(["12345678901234567890", "-9007199254740993"].map(Number))
  })

  it("has numbers where they hold what is written, and is what JSON.parse gives", () => {
    const text = '[9007199254740991, 0.12345678901234567, 1.0, 1e3, "", null, {"rawJSON": "1"}]'
    expect(parseExactly(text)).toEqual(JSON.parse(text))
    expect([1, "1", null, { rawJSON: "1" }, undefined].map(nearestNumber)).toEqual(Array(5).fill(undefined))
    expect(() => parseExactly("{12345678901234567890")).toThrow(SyntaxError)
  })
})
