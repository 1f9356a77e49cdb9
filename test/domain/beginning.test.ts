import { expect, it } from "vitest"
import { beginningOf } from "../../src/domain/beginning.ts"

it("the beginning of a text has no half characters, wherever it is cut", () => {
  for (const text of ["", "abc", "😀😀😀", "a😀b😀c", "ab😀"]) {
    for (let length = 0; length < 7; length++) {
      expect(beginningOf(text, length)).toBe(Array.from(text).slice(0, length).join(""))
    }
  }
})
