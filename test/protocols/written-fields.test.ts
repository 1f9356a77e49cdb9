import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { rewritten, writtenFields } from "../../src/protocols/written-fields.ts"

type Json = Schema.Json

// None that ends in a backslash, or goes on as an escape would: where it has seen such a name, V8 13 takes others for it.
const Names = Schema.Literals(["", "a", '"', "\\c", '\\c"', "}", "],[", "{", ",", "\n", "é👋", "\u2028", "model"])
const Values: ReadonlyArray<Json> = [
  "\\",
  '"}',
  "a,b",
  1,
  -1.5e-7,
  true,
  null,
  [],
  {},
  [[]],
  [{}, "]"],
  { a: { '"': ["\\"] } }
]
const Documents = Arbitrary.array(
  Arbitrary.all({
    name: Arbitrary.schema(Names),
    value: Arbitrary.schema(Schema.Natural),
    inner: Arbitrary.schema(Names)
  }),
  { maxLength: 8 }
)
const Blanks = Arbitrary.schema(Schema.Literals([0, 1, 4, "\t", "\r\n"]))

const documentOf = (
  fields: ReadonlyArray<{ readonly name: string; readonly value: number; readonly inner: string }>
): Record<string, Json> =>
  Object.fromEntries(
    fields.map(({ inner, name, value }) => {
      const chosen = Values[value % Values.length]!
      return [name, value % 2 === 0 ? chosen : { [inner]: [chosen, inner] }]
    })
  )

describe("the fields of a document as they are written", () => {
  it.prop("are each the value, however the document is laid out", [Documents, Blanks], ([fields, blanks]) => {
    const document = documentOf(fields)
    const text = ` \n${JSON.stringify(document, null, blanks)} `
    const found = [...writtenFields(text)].map(([name, value]) => [name, JSON.parse(value)])
    expect(found).toEqual(Object.entries(document))
  })

  it("end with the text where that is none of JSON", () => {
    for (const text of ["", "{", '{"a":', '{"a":"b', '{"a":[1,', "[]", "1"]) writtenFields(text)
  })
})

describe("a document that was made out of another", () => {
  it.prop("is the document, whatever of it is the other's", [Documents, Documents], ([fields, more]) => {
    const body = documentOf(fields)
    const text = JSON.stringify(body, null, 1)
    const { "": _, ...rest } = body
    for (const document of [body, rest, { ...body, ...documentOf(more) }, {}]) {
      expect(JSON.parse(rewritten(document, { body, text }))).toEqual(document)
    }
  })

  it("says what is not changed as it was said", () => {
    const text =
      '{ "model": "a", "seed":12345678901234567890, "t" : 1.0, "input": {"id": 9007199254740993, "x": 1e2} ,"n":1, "n":2}'
    const body: Record<string, Json> = JSON.parse(text)
    expect(rewritten({ ...body, model: "b", more: "\n" }, { body, text })).toBe(
      '{"model":"b","seed":12345678901234567890,"t":1.0,"input":{"id": 9007199254740993, "x": 1e2},"n":2,"more":"\\n"}'
    )
  })
})
