/** Every way to cut a text of up to a dozen code units into pieces. */
export const everySplit = (text: string): ReadonlyArray<ReadonlyArray<string>> => {
  const cuts = Math.max(0, text.length - 1)
  return Array.from({ length: 2 ** cuts }, (_, mask) => {
    const pieces: Array<string> = []
    let from = 0
    for (let at = 1; at <= cuts; at++) {
      if ((mask & (1 << (at - 1))) !== 0) {
        pieces.push(text.slice(from, at))
        from = at
      }
    }
    return [...pieces, text.slice(from)]
  })
}

/** Some ways to cut a longer text: whole, in single units, and by a fixed sequence of sizes that `seed` decides. */
export const someSplits = (text: string, seeds = 8): ReadonlyArray<ReadonlyArray<string>> => [
  [text],
  text.split(""),
  ...Array.from({ length: seeds }, (_, seed) => {
    const pieces: Array<string> = []
    let state = seed + 1
    for (let at = 0; at < text.length;) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const size = 1 + ((state >>> 24) % (1 + seed * 2))
      pieces.push(text.slice(at, at + size))
      at += size
    }
    return pieces
  })
]
