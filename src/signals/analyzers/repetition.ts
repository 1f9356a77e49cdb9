import { type Analyzer, watchText } from "../Analyzer.ts"
import { preview } from "../Signal.ts"

/** `times` is how often something has to be repeated without anything between; `length`, in characters, how much that is. */
export interface RepetitionSettings {
  readonly times: number
  readonly length: number
}

export const repetitionDefaults: RepetitionSettings = { times: 5, length: 240 }

const size = 4096

/** An answer that says the same over and over. */
export const repetition = (
  name: string,
  onFinding: "observe" | "stop" = "observe",
  { length, times }: RepetitionSettings = repetitionDefaults
): Analyzer => ({
  name,
  onFinding,
  watch: () =>
    watchText({ step: 128, size }, (tail) => {
      const unit = repeatedUnit(tail, times, length)
      return unit === undefined
        ? undefined
        : { category: "repetition", severity: "high", excerpt: `${preview(unit)} (again and again)` }
    })
})

/**
 * What the end of a text repeats at least so many times, over at least so many characters. Lines of a table and the like
 * have no letters and do not count.
 */
const repeatedUnit = (text: string, times: number, length: number): string | undefined => {
  // The text backwards, so that its end is a beginning: of every beginning the borders tell the smallest period.
  const end = text.length
  const borders = new Uint16Array(end + 1)
  let border = 0
  for (let at = 1; at < end; at++) {
    const unit = text.charCodeAt(end - 1 - at)
    while (border > 0 && unit !== text.charCodeAt(end - 1 - border)) border = borders[border]!
    if (unit === text.charCodeAt(end - 1 - border)) border++
    borders[at + 1] = border
    const period = at + 1 - border
    if (at + 1 < length || at + 1 < times * period) continue
    const repeated = text.slice(end - period)
    return /\p{L}/u.test(repeated) ? repeated : undefined
  }
  return undefined
}
