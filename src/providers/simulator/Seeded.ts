const fnvOffset = 0x811c9dc5
const fnvPrime = 0x01000193

/** A 32-bit hash of a text (FNV-1a over UTF-16 code units): the same everywhere, good for seeds and ids, for nothing else. */
export const hash = (text: string): number => {
  let value = fnvOffset
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), fnvPrime)
  }
  return value >>> 0
}

/**
 * Numbers in [0, 1) that follow from the seed alone (mulberry32). Seeds are taken modulo 2^32. Each call of the returned
 * function moves it on, so it belongs to one reader.
 */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

const vocabulary = (
  "water wheel stone river mill race grain flour sluice gate paddle axle timber bridge meadow bank current stream " +
  "turns slowly under over along beside through quiet bright narrow steady early morning evening light rain spring " +
  "carries lifts grinds opens closes holds the a its every small old deep cold clear green and then while until " +
  "where barrel rope sack oak willow heron otter trout reed moss"
).split(" ")

/**
 * So many words that follow from the seed, as tokens: each word with the blank before it, so that joined they are the
 * text. A word is one token.
 */
export const words = (seed: number, count: number): ReadonlyArray<string> => {
  const random = seeded(seed)
  const tokens: Array<string> = []
  for (let index = 0; index < count; index++) {
    const word = vocabulary[Math.floor(random() * vocabulary.length)]
    tokens.push(index === 0 ? `${word}` : ` ${word}`)
  }
  return tokens
}
