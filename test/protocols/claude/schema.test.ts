import { describe, expect, it } from "vitest"
import { closedSchema, heldTool } from "../../../src/protocols/claude/schema.ts"
import { Notices } from "../../../src/protocols/Notices.ts"
import type { JsonObject } from "../../../src/protocols/open-document.ts"

const closing = (schema: JsonObject) => {
  const said = new Notices("no counterpart")
  return { closed: closedSchema(schema, said), said: said.list.map(({ message }) => message) }
}
const closed = (schema: JsonObject) => closing(schema).closed
const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: "object", properties, ...more })
const text = { type: "string" }
const ofEveryKind = (levels: number): JsonObject =>
  levels === 0
    ? text
    : {
        type: ["object", "array", "string", "number", "integer", "boolean", "null"],
        properties: { a: text },
        anyOf: [ofEveryKind(levels - 1)]
      }

describe("a schema that Claude can be held to", () => {
  it("has closed objects, wherever they are", () => {
    const open = object({
      list: { type: "array", items: object({ a: text }) },
      either: { oneOf: [object({ b: text }, { additionalProperties: true }), { type: "null" }] }
    })
    const shut = (properties: JsonObject) => object(properties, { additionalProperties: false })
    expect(closed(open)).toEqual(
      shut({
        list: { type: "array", items: shut({ a: text }) },
        either: { anyOf: [shut({ b: text }), { type: "null" }] }
      })
    )
    expect(closing(open).said).toEqual([])
    expect(closed({ type: ["object", "null"], title: "T", properties: { a: text } })).toEqual({
      title: "T",
      anyOf: [shut({ a: text }), { type: "null" }]
    })
  })

  it("is what it was where it was one", () => {
    const schema = {
      type: "object",
      title: "T",
      description: "D",
      properties: {
        kind: { enum: ["a", "b", null] },
        when: { type: "string", format: "date-time" },
        some: { type: "array", items: { $ref: "#/$defs/one" }, minItems: 1 },
        both: { allOf: [{ $ref: "#/$defs/one" }] }
      },
      required: ["kind"],
      additionalProperties: false,
      $defs: { one: { type: "object", properties: { a: { type: ["string", "null"] } }, additionalProperties: false } }
    }
    expect(closing(schema)).toEqual({ closed: schema, said: [] })
  })

  it("tells what cannot be held in words, and says so", () => {
    const schema = object({
      age: { type: "integer", description: "Years", minimum: 0, maximum: 150, default: 1 },
      tags: { type: "array", items: { type: "string", format: "regex" }, maxItems: 3, minItems: 2 }
    })
    const { said, closed } = closing({ $schema: "https://json-schema.org/draft/2020-12/schema", ...schema })
    expect(closed?.["properties"]).toEqual({
      age: { type: "integer", description: 'Years\n\n{"minimum":0,"maximum":150,"default":1}' },
      tags: {
        type: "array",
        items: { type: "string", description: '{"format":"regex"}' },
        description: '{"minItems":2,"maxItems":3}'
      }
    })
    expect(said).toEqual([
      "minimum, maximum, format, minItems, maxItems of a schema: the model is told, and not held to it"
    ])
  })

  it.each([
    ["an object of any fields", object({ free: { type: "object" } })],
    ["a dictionary", object({ map: { type: "object", additionalProperties: text } })],
    ["anything", object({ any: {} })],
    ["a schema that is true", object({ any: true })],
    ["a schema within itself", { $ref: "#/$defs/tree", $defs: { tree: object({ child: { $ref: "#/$defs/tree" } }) } }],
    ["the whole within a part", object({ self: { $ref: "#" } })],
    ["parts that multiply each other", ofEveryKind(12)],
    ["a schema from elsewhere", object({ a: { $ref: "https://example.com/a.json" } })]
  ])("cannot have %s", (_what, schema) => {
    expect(closing(schema)).toEqual({ closed: undefined, said: [] })
  })
})

describe("a strict tool", () => {
  const held = (inputSchema: JsonObject | undefined, strict: boolean | undefined, schemas = true) => {
    const said = new Notices("no counterpart")
    const tool = { _tag: "Function", name: "f", ...(inputSchema === undefined ? {} : { inputSchema }) } as const
    return { ...heldTool({ ...tool, ...(strict === undefined ? {} : { strict }) }, { schemas }, said), said: said.list }
  }

  it("is held to its schema, or not strict where that cannot be", () => {
    const shut = object({}, { additionalProperties: false })
    expect(held(undefined, true)).toEqual({ schema: shut, strict: true, said: [] })
    const free = object({ a: { type: "object" } })
    expect(held(free, true)).toMatchObject({ schema: free, said: [{ code: "dropped" }] })
    expect(held(free, true)).not.toHaveProperty("strict")
    expect(held(shut, true, false)).toMatchObject({ schema: shut, said: [{ code: "dropped" }] })
  })

  it("is the only one whose schema is touched", () => {
    const free = object({ a: { type: "object", minProperties: 1 } })
    expect(held(free, undefined)).toEqual({ schema: free, said: [] })
    expect(held(free, false)).toEqual({ schema: free, strict: false, said: [] })
  })
})
