import { isWordRune } from "./words.ts"

/** What stands before and after a text, in the place of a character. */
export const edgeOfText = -1

/** What the text around a place is like, as `Op.Empty` asks for it. */
const Around = { beginLine: 1, endLine: 2, beginText: 4, endText: 8, boundary: 16, noBoundary: 32 } as const

/** What a place between two characters is like. */
export const aroundOf = (before: number, after: number): number => {
  let around = 0
  if (before === edgeOfText) around |= Around.beginText | Around.beginLine
  else if (before === 10) around |= Around.beginLine
  if (after === edgeOfText) around |= Around.endText | Around.endLine
  else if (after === 10) around |= Around.endLine
  return around | (isWordRune(before) === isWordRune(after) ? Around.noBoundary : Around.boundary)
}

/** The character that ends before a place; `otherwise` where the text begins there. */
export const runeBefore = (text: string, at: number, otherwise: number): number => {
  if (at === 0) return otherwise
  const code = text.charCodeAt(at - 1)
  return code >= 0xdc00 && code < 0xe000 && at > 1 ? text.codePointAt(at - 2)! : code
}
