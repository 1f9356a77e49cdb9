// Letters and digits of scripts that put spaces between words. In the others every place is a boundary.
const word = /[\p{L}\p{N}\p{M}_]/u
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u

const ascii = Uint8Array.from({ length: 128 }, (_, code) => (word.test(String.fromCharCode(code)) ? 1 : 0))

/** Whether a character belongs to a word that has boundaries; `-1` stands for the end of the text. */
export const isWordRune = (rune: number): boolean => {
  if (rune < 128) return rune >= 0 && ascii[rune] === 1
  const character = String.fromCodePoint(rune)
  return word.test(character) && !unspaced.test(character)
}
