import { expect, it } from "vitest"
import { parseExactly } from "../../src/domain/exact-json.ts"
import { mapStrings } from "../../src/filters/json-values.ts"

it("strings of a JSON value and the names in it change; all else is as it was, to the last digit of a number", () => {
  const value = parseExactly('{"note":"a","id":12345678901234567890,"all":["a",1.5,null,true]}')
  expect(JSON.stringify(mapStrings(value, (text) => text.toUpperCase()))).toBe(
    '{"NOTE":"A","ID":12345678901234567890,"ALL":["A",1.5,null,true]}'
  )
  expect(mapStrings(value, (text) => text)).toBe(value)
})
