import { describe, expect, it } from "vitest"
import type { JsonSchema } from "../../../src/filters/stock/json-schema.ts"
import { JsonWatch } from "../../../src/filters/stock/JsonWatch.ts"

/** How far a text is taken: all of it where it may follow the schema. */
const taken = (schema: JsonSchema, text: string): string => {
  const watch = new JsonWatch(schema)
  const end = Array.from(text).findIndex((character) => !watch.take(character))
  return end < 0 ? text : text.slice(0, end)
}

const itself = Array.from({ length: 10 }, () => ({ $ref: "#" }))
const kinds = Array.from({ length: 60 }, (_, index) => ({ const: `kind-${index}` }))
const many = Array.from({ length: 8 }, () => ({ properties: { kind: { anyOf: kinds } } }))

describe("a watch of JSON", () => {
  it.each([
    ["is any of many of itself", { anyOf: itself }],
    ["is all of many of itself", { allOf: itself }],
    ["is one of many of itself within each other", { oneOf: [{ anyOf: itself }, { allOf: itself }] }],
    ["has more alternatives than can be told apart", { allOf: many }],
    ["has very many parts", { allOf: Array.from({ length: 200_000 }, () => ({ minProperties: 0 })) }],
    ["refers to what is no place", { $ref: "#/%zz" }]
  ])("lets pass what a schema leaves open that %s", (_what, schema) => {
    expect(taken(schema, '{"kind":"other"}')).toBe('{"kind":"other"}')
  })

  it("holds to the rest of a schema whose alternatives are too many", () => {
    const schema = { properties: { kind: { type: "string", anyOf: [...kinds, ...kinds] } } }
    expect(taken(schema, '{"kind":"x"}')).toBe('{"kind":"x"}')
    expect(taken(schema, '{"kind":1}')).toBe('{"kind":')
  })

  it("reads numbers to their end, however long they are", () => {
    const long = `{"n":-0.${"3".repeat(500_000)}}`
    expect(taken({ properties: { n: { type: "number" } } }, long)).toBe(long)
    for (const [written, left] of [
      ["-01", "-0"],
      ["012", "0"],
      ["1.23.4", "1.23"],
      ["123a", "123"],
      ["12e34-", "12e34"]
    ] as const) {
      expect(taken(true, written)).toBe(left)
    }
  })

  it("counts characters, however long a text may be", () => {
    expect(taken({ maxLength: 2 }, '"🎉🎉"')).toBe('"🎉🎉"')
    expect(taken({ maxLength: 2 }, '"abc"')).toBe('"ab')
    const long = `"${"a".repeat(100_000)}"`
    expect(taken({ maxLength: 100_000 }, long)).toBe(long)
  })
})
