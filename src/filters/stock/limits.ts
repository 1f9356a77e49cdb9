import { textFilter } from "../textFilter.ts"
import type { Filter } from "../Filter.ts"
import type { Decisions, TextScanner } from "../TextScanner.ts"
import { type Ending, refuse, stop } from "../Verdict.ts"
import { isWithin, reportOnce, type Scope } from "./patternFilter.ts"

/** How long what is said may be, in characters (code points), all texts of a request or of one answer together. */
export interface MaxLength extends Scope {
  readonly name: string
  readonly characters: number
  /** an answer is cut unless it says otherwise; a request that is too long is refused in any case */
  readonly action?: "stop" | "refuse"
}

interface Count {
  left: number
}

/** Lets so many characters pass that are left of a budget. */
class LengthScanner implements TextScanner {
  private readonly count: Count
  private readonly ending: () => Ending
  /** whether the last piece ended with the first half of a pair */
  private high = false

  constructor(count: Count, ending: () => Ending) {
    this.count = count
    this.ending = ending
  }

  readonly scan = (text: string, _: boolean, decide: Decisions): Ending | undefined => {
    let at = 0
    while (at < text.length) {
      // The second half of a pair belongs to the character that was counted with the first.
      const second = isLow(text.charCodeAt(at)) && (at > 0 ? isHigh(text.charCodeAt(at - 1)) : this.high)
      if (!second) {
        if (this.count.left === 0) {
          decide.keep(at)
          return this.ending()
        }
        this.count.left--
      }
      at++
    }
    if (text !== "") this.high = isHigh(text.charCodeAt(text.length - 1))
    decide.keep(text.length)
    return undefined
  }
}

const isHigh = (code: number): boolean => code >= 0xd800 && code < 0xdc00
const isLow = (code: number): boolean => code >= 0xdc00 && code < 0xe000

/** A filter that bounds how much is said. */
export const maxLength = ({ name, characters, action = "stop", ...scope }: MaxLength): Filter => {
  const counts = new WeakMap<object, Map<number, Count>>()
  return textFilter({
    name,
    sides: scope.sides ?? ["answer"],
    scanner: (place, context) => {
      // What is cited or was answered by a tool is not said.
      if (place.kind === "value" || !isWithin(scope, place)) return undefined
      const choices = counts.get(place.whole) ?? new Map<number, Count>()
      counts.set(place.whole, choices)
      const count = choices.get(place.choice) ?? { left: characters }
      choices.set(place.choice, count)
      return new LengthScanner(count, () => {
        const refused = action === "refuse" || place.side === "request"
        const reason = `it is longer than ${characters} characters`
        reportOnce(context, {
          filter: name,
          phase: place.side,
          category: "length",
          severity: "low",
          action: refused ? "refused" : "stopped"
        })
        return refused ? refuse(reason) : stop(reason)
      })
    }
  })
}
