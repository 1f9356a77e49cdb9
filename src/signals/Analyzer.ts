import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"

/** Something that an analyzer noticed in an answer. `category` says what in a word; `excerpt` shows a piece of it. */
export interface Observation {
  readonly category: string
  readonly severity: "low" | "medium" | "high"
  readonly excerpt?: string
}

/** Watches one answer. It is called for every event, so it has to be quick; what it keeps is its own business. */
export interface Watcher {
  /** Looks at one event. `now` is epoch milliseconds. */
  readonly event: (event: LlmEvent, now: number) => Observation | undefined
  /** What silence means after so many milliseconds since the last event. */
  readonly silence?: { readonly afterMs: number; readonly observation: Observation }
}

/**
 * Watches answers while they stream, and changes nothing. What it notices is a finding in the call's record, once for each
 * category and answer, and a signal `stream.<category>` of the call. With the policy `stop` the answer ends there, like
 * one that a limit cut. An analyzer that throws is not asked again for that answer; the answer goes on.
 */
export interface Analyzer {
  readonly name: string
  /** Begins to watch the answer to a request. */
  readonly watch: (request: LlmRequest) => Watcher
  /** `observe` unless it says otherwise */
  readonly onFinding?: "observe" | "stop"
}

/** The kind of finding that an observation becomes. */
export const findingCategory = ({ category }: Observation): string => `${findingPrefix}${category}`

/** What the categories of findings of analyzers begin with. */
export const findingPrefix = "stream."

/**
 * Watches the text of the first answer, at places that do not depend on how it comes in pieces: whenever another `step`
 * characters are there, `check` gets the last `size` characters up to that place; at the end it gets those of the end.
 */
export const watchText = (
  { size, step }: { readonly step: number; readonly size: number },
  check: (tail: string, place: { readonly at: number; readonly end: boolean }) => Observation | undefined
): Watcher => {
  let text = ""
  /** how many characters were let go of */
  let gone = 0
  let next = step
  const tailAt = (at: number) => text.slice(Math.max(0, at - gone - size), at - gone)
  return {
    event: (event) => {
      if (event._tag === "Finish") return check(tailAt(gone + text.length), { at: gone + text.length, end: true })
      if (event._tag !== "TextDelta" || (event.choice ?? 0) !== 0) return undefined
      text += event.text
      let found: Observation | undefined
      while (found === undefined && gone + text.length >= next) {
        found = check(tailAt(next), { at: next, end: false })
        next += step
      }
      if (text.length > 2 * (size + step)) {
        gone += text.length - size - step
        text = text.slice(-(size + step))
      }
      return found
    }
  }
}
