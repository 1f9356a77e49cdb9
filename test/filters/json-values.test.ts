import { expect, it } from "vitest"
import { parseExactly } from "../../src/domain/exact-json.ts"
import { mapStrings } from "../../src/filters/json-values.ts"

it("strings of a JSON value change, and names that are more than words of a format; all else is as it was, to the last digit of a number", () => {
  const value = parseExactly(
    '{"note":"a","id":12345678901234567890,"all":["a",1.5,null,true],"a@b.c":{"web_search-result":1}}'
  )
  expect(JSON.stringify(mapStrings(value, (text) => text.toUpperCase()))).toBe(
    '{"note":"A","id":12345678901234567890,"all":["A",1.5,null,true],"A@B.C":{"web_search-result":1}}'
  )
  expect(mapStrings(value, (text) => text)).toBe(value)
})

it("pictures and what is sealed in a value stay as they are, words do not", () => {
  const data = `${"aB3+/_-".repeat(600)}==`
  const url = `data:image/png;base64,${data}`
  const words = "so many words ".repeat(600)
  expect(mapStrings({ result: data, url, text: words, short: "aB3" }, (text) => text.toUpperCase())).toEqual({
    result: data,
    url,
    text: words.toUpperCase(),
    short: "AB3"
  })
})
