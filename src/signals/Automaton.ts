import type { Token } from "./Tokens.ts"

/** Patterns of the sets in `sets` (a bit for each) stand word for word from the word `start` to the word `end`. */
export interface Hit {
  readonly start: number
  readonly end: number
  readonly sets: number
}

/** What may stand at one place of a pattern: one of these rows of words, of which an empty one leaves the place out. */
export type Place = ReadonlyArray<ReadonlyArray<string>>

/** In a row of words: one to three words, whatever they are. */
export const gap = "*"
const widestGap = 3

/** A step of a pattern: the words that lead on from it, `any` where every word does, and steps that are reached without one. */
interface Step {
  readonly words: Array<number>
  readonly targets: Array<number>
  readonly skips: Array<number>
  any: number
  sets: number
}

/** A set of steps that the same words lead to; what follows is found out when it is first asked for. */
interface State {
  readonly steps: ReadonlyArray<number>
  readonly sets: number
  readonly edges: Map<number, State | undefined>
}

const mostEdges = 100_000
const mostSets = 31
const unknown = -1

/**
 * Looks for all patterns of many sets at once: a text is gone through word by word, and a word that no pattern has costs
 * one look into a table, however many patterns there are. Alternatives are not multiplied out.
 */
export class Automaton {
  readonly #steps: Array<Step> = []
  readonly #words = new Map<string, number>()
  /** the steps after the first word of patterns */
  readonly #firsts = new Map<number, Array<number>>()
  readonly #starts = new Map<number, State>()
  #edges = 0
  #sets = 0

  /** A bit for another set of patterns, at most 31 of them. */
  addSet(): number {
    if (this.#sets === mostSets) throw new Error("an automaton holds 31 sets of patterns at most")
    return 1 << this.#sets++
  }

  /** Adds a pattern to the set with this bit. The first place must not be a gap. */
  add(places: ReadonlyArray<Place>, set: number): void {
    const begin = this.#step()
    let at = begin
    for (const place of places) at = this.#alternatives(at, place)
    this.#steps[at]!.sets |= set
    for (const step of this.#closure([begin])) {
      const { targets, words } = this.#steps[step]!
      words.forEach((word, index) => {
        const known = this.#firsts.get(word)
        if (known === undefined) this.#firsts.set(word, [targets[index]!])
        else known.push(targets[index]!)
      })
    }
  }

  /** Where patterns stand, by their first word, of those the shortest first. */
  search(tokens: ReadonlyArray<Token>): ReadonlyArray<Hit> {
    const hits: Array<Hit> = []
    if (this.#edges > mostEdges) this.#forget()
    const words = tokens.map(({ text }) => this.#words.get(text) ?? unknown)
    for (let start = 0; start < words.length; start++) {
      let state = words[start] === unknown ? undefined : this.#begin(words[start]!)
      for (let end = start; state !== undefined; end++) {
        if (state.sets !== 0) hits.push({ start, end, sets: state.sets })
        state = end + 1 < words.length ? this.#next(state, words[end + 1]!) : undefined
      }
    }
    return hits
  }

  #step(): number {
    return this.#steps.push({ words: [], targets: [], skips: [], any: unknown, sets: 0 }) - 1
  }

  #alternatives(from: number, place: Place): number {
    const to = this.#step()
    for (const words of place) {
      const last = words.reduce((at, word) => (word === gap ? this.#gap(at) : this.#word(at, word)), from)
      this.#steps[last]!.skips.push(to)
    }
    return to
  }

  #word(from: number, word: string): number {
    const to = this.#step()
    this.#steps[from]!.words.push(this.#wordOf(word))
    this.#steps[from]!.targets.push(to)
    return to
  }

  #gap(from: number): number {
    const to = this.#step()
    let at = from
    for (let width = 1; width <= widestGap; width++) {
      const next = this.#step()
      this.#steps[at]!.any = next
      this.#steps[next]!.skips.push(to)
      at = next
    }
    return to
  }

  #wordOf(word: string): number {
    const known = this.#words.get(word)
    if (known !== undefined) return known
    this.#words.set(word, this.#words.size)
    return this.#words.size - 1
  }

  /** Steps, and those that are reached from them without a word. */
  #closure(steps: ReadonlyArray<number>): ReadonlyArray<number> {
    const reached = new Set(steps)
    for (const step of reached) for (const skip of this.#steps[step]!.skips) reached.add(skip)
    return [...reached]
  }

  #state(targets: ReadonlyArray<number>): State | undefined {
    if (targets.length === 0) return undefined
    const steps = this.#closure(targets)
    return { steps, sets: steps.reduce((sets, step) => sets | this.#steps[step]!.sets, 0), edges: new Map() }
  }

  #begin(word: number): State | undefined {
    const known = this.#starts.get(word)
    if (known !== undefined) return known
    const state = this.#state(this.#firsts.get(word) ?? [])
    if (state !== undefined) this.#starts.set(word, state)
    return state
  }

  #next(state: State, word: number): State | undefined {
    const known = state.edges.get(word)
    if (known !== undefined || state.edges.has(word)) return known
    const targets: Array<number> = []
    for (const step of state.steps) {
      const { any, targets: follow, words } = this.#steps[step]!
      if (any !== unknown) targets.push(any)
      for (let at = 0; at < words.length; at++) if (words[at] === word) targets.push(follow[at]!)
    }
    const next = this.#state(targets)
    this.#edges++
    state.edges.set(word, next)
    return next
  }

  /** What was found out takes room, and is found out anew where it is needed. */
  #forget(): void {
    this.#starts.clear()
    this.#edges = 0
  }
}
