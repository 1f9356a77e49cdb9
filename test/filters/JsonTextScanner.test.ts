import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { JsonTextScanner, PerhapsJsonScanner } from "../../src/filters/JsonTextScanner.ts"
import { compile } from "../../src/filters/pattern/Program.ts"
import { PatternScanner } from "../../src/filters/pattern/PatternScanner.ts"
import { scanWhole, type TextScanner } from "../../src/filters/TextScanner.ts"
import { isEnding } from "../../src/filters/Verdict.ts"
import { everySplit, someSplits } from "./splits.ts"
import { leaving, scanned } from "./scanning.ts"

const program = Result.getOrThrow(
  compile([{ source: "secret" }, { source: "[0-9]{4}" }, { source: "@\n" }, { source: "😀" }])
)
const plain = (): TextScanner => new PatternScanner(program, () => '<"hidden">')
const hidden = (text: string): string => {
  const left = scanWhole(plain(), text)
  return isEnding(left) ? "" : left
}
const mapped = (value: string | boolean | ReadonlyArray<string>) =>
  typeof value === "boolean" ? value : typeof value === "string" ? hidden(value) : value.map(hidden)
const json = () => new JsonTextScanner(plain)

describe("the strings of JSON that is being written", () => {
  for (const [written, left] of [
    ['{"a":"a secret"}', '{"a":"a <\\"hidden\\">"}'],
    ['{"s\\u0065cret":1}', '{"<\\"hidden\\">":1}'],
    ['["\\u0040\\n","\\"@\\\\n"]', '["<\\"hidden\\">","\\"@\\\\n"]'],
    ['["\\ud83d\\ude00"]', '["<\\"hidden\\">"]'],
    ['{"n":1234}', '{"n":"<\\"hidden\\">"}'],
    ["[1234 ,12]", '["<\\"hidden\\">",12]'],
    ['["sec","ret"]', '["sec","ret"]'],
    ['["se\\q', '["se\\q'],
    ['["secr\\u00', '["secr\\u00'],
    ["secret", '"<\\"hidden\\">"']
  ] as const) {
    it(`${written} leave as ${left}, for every split`, () => {
      const splits = written.length > 14 ? someSplits(written, 30) : everySplit(written)
      for (const pieces of splits) assert.strictEqual(leaving(json(), pieces), left, pieces.join("|"))
    })
  }

  it("which is no JSON at all is read as plain text", () => {
    const prose = `${"I will now tell you ".repeat(20)}a secret, "a secret" and 1234`
    const left = prose.replaceAll("secret", '<"hidden">').replaceAll("1234", '<"hidden">')
    for (const pieces of someSplits(prose)) assert.strictEqual(leaving(json(), pieces), left)
  })

  it.effect.prop(
    "mean what the value means with its strings scanned, however it is written",
    [
      Schema.Array(
        Schema.Record(
          Schema.Literals(["a", "secret", "c"]),
          Schema.Union([
            Schema.Literals(["a secret", "😀\n", '"secret"', "x\\", "@\n"]),
            Schema.Array(Schema.Literals(["secret", ""])),
            Schema.Boolean
          ])
        )
      )
    ],
    ([value]) =>
      Effect.sync(() => {
        const wanted = value.map((object) =>
          Object.fromEntries(Object.entries(object).map(([name, one]) => [hidden(name), mapped(one)]))
        )
        for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
          for (const pieces of someSplits(text, 3)) assert.deepStrictEqual(JSON.parse(leaving(json(), pieces)), wanted)
        }
      })
  )
})

describe("a text that may be JSON", () => {
  const perhaps = () => new PerhapsJsonScanner(plain)

  it("is read as that where it begins so, however much blank comes before", () => {
    for (const blank of ["", " \n", "\n".repeat(300)]) {
      for (const pieces of someSplits(`${blank}{"a":"s\\u0065cret"}`)) {
        assert.strictEqual(leaving(perhaps(), pieces), `${blank}{"a":"<\\"hidden\\">"}`)
      }
    }
    const prose = ' it is "\\ud83d\\ude00"'
    for (const pieces of someSplits(prose)) assert.strictEqual(leaving(perhaps(), pieces), prose)
  })

  it("lets blanks go that do not end", () => {
    const { held } = scanned(perhaps(), Array<string>(5_000).fill("\n"))
    assert.isAtMost(held, 257)
  })
})
