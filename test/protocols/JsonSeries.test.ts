import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { JsonSeries } from "../../src/protocols/JsonSeries.ts"
import { templateOf } from "../../src/protocols/JsonTemplate.ts"
import { parseJson } from "../../src/protocols/open-document.ts"

/** Only what begins alike is compared, so all of them get a beginning. */
const alike = (document: string): string =>
  document
    .replace(/^\s*\{(?!\s*\})/, '{"what all of them have in common":0,')
    .replace(/^\s*\[(?!\s*\])/, '["what all of them have in common",')

/** Reads all of them as one series, and holds each against what stands in it; once more with a beginning that all share. */
const check = (documents: ReadonlyArray<string>): void => {
  checkSeries(documents)
  checkSeries(documents.map(alike))
}

const checkSeries = (documents: ReadonlyArray<string>): void => {
  const series = new JsonSeries()
  const read = documents.map((document) => series.parse(document))
  // Compared at the end: what was read is not changed by what is read later.
  documents.forEach((document, index) => assert.deepStrictEqual(read[index], parseJson(document), document))
}

const chunk = (text: string): string =>
  `{"id":"c-1","created":1700000000,"choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}},"finish_reason":null}]}`

const readBy = (first: string, second: string, third: string): unknown =>
  templateOf(first, second, parseJson(second))?.read(third)

describe("documents that differ in some of their values", () => {
  it("are read by what they have in common", () => {
    const read = readBy(chunk("Hel"), chunk("lo"), chunk('a "quoted" \\ word\n\u2028é😀'))
    assert.deepStrictEqual(read, parseJson(chunk('a "quoted" \\ word\n\u2028é😀')))
    assert.isDefined(readBy(`{"n":1,"t":"a"}`, `{"n":2,"t":"b"}`, `{"n":-1.5e3,"t":""}`))
    assert.isDefined(readBy(`[1, {"a": "x"}]`, `[1, {"a": "y"}]`, `[1, {"a": "z"}]`))
  })

  it("still differ in what two of them happen to agree in", () => {
    const padded = (text: string, padding: string, at: number) =>
      `{"at":${at},"d":[{"t":"${text}"}],"pad":"${padding}"}`
    const earlier = templateOf(padded("a", "xy", 1), padded("b", "z", 1), parseJson(padded("b", "z", 1)))
    const [second, third] = [padded("c", "z", 2), padded("d", "zzz", 3)]
    assert.isUndefined(readBy(padded("c", "z", 1), second, third))
    const later = templateOf(padded("c", "z", 1), second, parseJson(second), earlier)
    assert.deepStrictEqual(later?.read(third), parseJson(third))
    const other = `{"at":4,"d":[{"t":"e"}],"pad":5}`
    assert.isUndefined(later?.read(other), "a number is no text")
    check([padded("a", "xy", 1), padded("b", "z", 1), padded("c", "z", 1), second, third, other, padded("", "", 0)])
  })

  it("are not taken for each other where anything else differs", () => {
    const first = `{"type":"a","index":0,"text":"x"}`
    const second = `{"type":"a","index":0,"text":"y"}`
    for (const third of [
      `{"type":"b","index":0,"text":"z"}`,
      `{"type":"a","index":1,"text":"z"}`,
      `{"type":"a","index":0,"text":"z","more":1}`,
      `{"type":"a","index":0,"text":"z"} `,
      `{"type":"a","index":0,"text":1}`,
      `{"type":"a","index":0,"text":null}`
    ]) {
      assert.isUndefined(readBy(first, second, third), third)
    }
  })

  it("have to be JSON", () => {
    const broken = [
      `{"n":1,"t":"a\nb"}`,
      `{"n":1,"t":"a\\x"}`,
      `{"n":1,"t":"a"b"}`,
      `{"n":1,"t":"a}`,
      `{"n":01,"t":"a"}`,
      `{"n":.5,"t":"a"}`,
      `{"n":+1,"t":"a"}`,
      `{"n":1.,"t":"a"}`,
      `{"n":,"t":"a"}`,
      `{"n":1,"t":"a\\"}`
    ]
    for (const third of broken) {
      assert.isUndefined(readBy(`{"n":1,"t":"a"}`, `{"n":2,"t":"b"}`, third), third)
      check([`{"n":1,"t":"a"}`, `{"n":2,"t":"b"}`, third, `{"n":3,"t":"c"}`])
    }
  })

  it("may have keys twice, and any key", () => {
    check([`{"a":"x","a":"y"}`, `{"a":"y","a":"y"}`, `{"a":"z","a":"y"}`])
    check([`{"__proto__":"x","b":"1"}`, `{"__proto__":"y","b":"1"}`, `{"__proto__":"z","b":"1"}`])
    check([`{"__proto__":{"a":"x"}}`, `{"__proto__":{"a":"y"}}`, `{"__proto__":{"a":"z"}}`])
    check([`{"0":"x","length":1}`, `{"0":"y","length":2}`, `{"0":"z","length":3}`])
    check([`{"k\\u0061":"x"}`, `{"k\\u0061":"y"}`, `{"ka":"z"}`])
  })

  it("may be anything", () => {
    check([`"a"`, `"b"`, `1`, `2`, `null`, `[]`, `[1]`, `[2]`, ``, `[DONE]`, `{`, `{}`, `{"a":{}}`])
  })

  it("do not make each other more expensive without end", () => {
    const series = new JsonSeries()
    for (let index = 0; index < 100; index++) series.parse(`{"same":true,"key-${index}":"${index}"}`)
    assert.deepStrictEqual(series.parse(chunk("a")), parseJson(chunk("a")))
  })
})

/** Documents of a few shapes with other values in each; some are laid out, and some are cut. */
const Value = Schema.Union([Schema.String, Schema.Finite, Schema.Literals(["", "\n", "\\", '"', "\u2028", "😀"])])
const Documents = Schema.Array(
  Schema.Struct({
    shape: Schema.Literals([0, 1, 2]),
    first: Value,
    second: Value,
    space: Schema.Literals(["", "", "", " ", "\n\t"]),
    cut: Schema.Literals([1000, 1000, 1000, 20, 40])
  })
)
type Described = (typeof Documents.Type)[number]

const shapes = [
  ({ first, second }: Described) => ({ type: "delta", index: 0, delta: { text: first, more: [second, null] } }),
  ({ first, second }: Described) => ({ type: "delta", delta: { text: first, more: [[second, { a: [first] }], true] } }),
  ({ first, second }: Described) => [first, { 'a"\\b': second }, "same", { e: {} }, []]
]

const written = (document: Described): string =>
  JSON.stringify(shapes[document.shape]!(document), null, document.space).slice(0, document.cut)

describe("a series of documents", () => {
  it.prop("is read as JSON.parse reads each of them", [Documents], ([documents]) => check(documents.map(written)))
})

it("keeps whole numbers that no number here holds as they are written, where smaller ones stood before", () => {
  const series = new JsonSeries()
  for (const id of ["1", "2", "3", "12345678901234567890", "4", "12345678901234567891"]) {
    const text = `{"kind":"the same in all of them, and long","id":${id}}`
    assert.strictEqual(JSON.stringify(series.parse(text)), text)
  }
})
